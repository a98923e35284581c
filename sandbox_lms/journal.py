"""What was asked of the services, so that a test can count calls. No secrets, no query strings, no bodies."""

import threading
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

MAX_ENTRIES = 20_000


@dataclass(kw_only=True)
class Entry:
    """One request to a service. `status` is None until it is answered; `hold` names the switch that kept it waiting."""

    method: str
    path: str
    accept: str | None = None
    function: str | None = None
    user_id: str | None = None
    score_given: float | None = None
    score_at: str | None = None
    body_sha256: str | None = None  # of a score: whether a repetition is one, to the byte
    hold: str | None = None
    status: int | None = None


class Journal:
    """The requests to one campus's services in the order of their arrival, since the start or the last `clear`."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=MAX_ENTRIES)
        self._changed = threading.Condition()

    def add(self, entry: Entry) -> None:
        with self._changed:
            self._entries.append(entry)

    def answer(self, entry: Entry, status: int) -> None:
        with self._changed:
            entry.status = status
            self._changed.notify_all()

    def wait_until_answered(self, *, timeout_s: float) -> bool:
        """Whether every request that has arrived was answered within the time, held ones too."""
        with self._changed:
            return self._changed.wait_for(lambda: all(e.status is not None for e in self._entries), timeout_s)

    def clear(self) -> None:
        with self._changed:
            self._entries.clear()

    def entries(self) -> list[Entry]:
        with self._changed:
            return list(self._entries)

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(entry) for entry in self.entries()]
