"""What was asked of the services, so that a test can count calls. No secrets, no query strings, no bodies."""

import threading
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

MAX_ENTRIES = 10_000


@dataclass(kw_only=True)
class Entry:
    """One request to a service. `status` is None until it is answered; `hold` names the switch that kept it waiting."""

    method: str
    path: str
    function: str | None = None
    user_id: str | None = None
    score_given: float | None = None
    hold: str | None = None
    status: int | None = None


class Journal:
    """The requests to one campus's services in the order of their arrival, since the start or the last `clear`."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=MAX_ENTRIES)
        self._lock = threading.Lock()

    def add(self, entry: Entry) -> None:
        with self._lock:
            self._entries.append(entry)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def entries(self) -> list[Entry]:
        with self._lock:
            return list(self._entries)

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(entry) for entry in self.entries()]
