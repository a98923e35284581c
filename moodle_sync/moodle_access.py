"""What a job works with at one Moodle: the client, and what it has done so far."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from series.store.database import Connection
from series.store.moodle_connections import MoodleConnection
from series.store.moodle_jobs import lock_site
from series.store.runs import scope_of, still_alive

if TYPE_CHECKING:
    from lms.moodle import Moodle
    from moodle_sync.services import Services

ALIVE_EVERY_S = 10.0


class Stopped(Exception):
    """The worker ends; what was done is written down, and the next run goes on from there."""

    def __init__(self) -> None:
        super().__init__("The worker was stopped in the middle; the next run goes on.")


class GivenUp(Exception):
    """This worker said nothing for so long that another may have taken over: a machine that slept, a database that was
    away; or the Moodle was disconnected or connected anew. Not a call more; the other one writes down what comes of
    it."""

    def __init__(self) -> None:
        super().__init__("The run was given up; another one goes on.")


@dataclass(kw_only=True)
class MoodleAccess:
    """One university's Moodle during one run. Jobs add to `counts` (by what was done), `problems` (a sentence for each
    thing that was not) and `notes` (for each that was, and that somebody should know of). A job raises an LmsError that
    concerns the whole site (`of_platform`), and no other."""

    services: "Services"
    connection: MoodleConnection
    run_id: int | None
    stopping: threading.Event
    on_call: Callable[[], None]
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    calls: int = 0
    moodle: "Moodle" = field(init=False)
    _said_alive_s: float = field(default=float("-inf"), init=False)

    def before_call(self) -> None:
        """Counts the call, keeps to the pace, and says now and then that the run is alive. Raises Stopped,
        GivenUp."""
        while wait_s := self.services.moodle_pace.wait_s(self.connection.base_url):
            if self.stopping.wait(wait_s):
                break
        if self.stopping.is_set():
            raise Stopped
        if self.run_id is not None and not self._is_ours(self.run_id):
            raise GivenUp
        self.calls += 1
        self.on_call()

    @contextmanager
    def write(self, *, wait_for_disk: bool = True) -> Iterator[Connection]:
        """A transaction for what was found at this connection. Raises GivenUp, and nothing is written."""
        with self.services.database.write(wait_for_disk=wait_for_disk) as connection:
            lock_site(connection, self.connection.university_id)
            if self.run_id is not None and not still_alive(connection, self.run_id, now=self.services.clock.now()):
                raise GivenUp
            yield connection

    def _is_ours(self, run_id: int) -> bool:
        """A look is cheap, and made before each call: it may be one that writes."""
        if time.monotonic() - self._said_alive_s < ALIVE_EVERY_S:
            with self.services.database.read() as connection:
                return scope_of(connection, run_id) is not None
        self._said_alive_s = time.monotonic()
        with self.services.database.write(wait_for_disk=False) as connection:
            return still_alive(connection, run_id, now=self.services.clock.now())
