"""Threads for the runs at Moodles: made when they are wanted, so that nobody waits for another's time-out."""

import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from moodle_sync.moodle_runs import JOBS, begin_planned, run_job
from moodle_sync.services import Services
from series.store.database import DatabaseBusy, DatabaseUnreachable
from series.store.moodle_clocks import hurry_all, hurry_what_is_of_the_future
from series.store.moodle_jobs import DueJob, due_jobs

log = structlog.get_logger()
PLACES = 16  # for sites that answered the last time: they mostly wait for an answer, and cost little
SUSPECT_PLACES = 16  # for trials of sites that did not: however many are down, the others keep their places
STUCK_S = 1.0  # a call that lasts longer gives its place to somebody else, and only keeps its thread
MOST_THREADS = 128  # of each sort: those that are stuck at sites of one sort leave the other its own
AT_DATABASE = 8  # of all of these threads, at once: the rest of the worker has to find a connection, too
STOP_WITHIN_S = 40.0  # longer than one call lasts; what is left then makes room by itself (ABANDONED_AFTER)
LOOK_AT = 200  # of what is due, at each tick
MAY_GO_BACK = timedelta(minutes=1)  # the clock, when it is set right


@dataclass(kw_only=True, eq=False)
class _Place:
    """One thread. `called_s`: when its call in hand began; None between runs."""

    is_suspect: bool
    called_s: float | None = None

    def call(self) -> None:
        self.called_s = time.monotonic()

    @property
    def is_stuck(self) -> bool:
        return self.called_s is not None and time.monotonic() - self.called_s > STUCK_S


class MoodleLanes:
    """Begins what is due and runs it, at most so many at once of each sort."""

    def __init__(
        self,
        services: Services,
        *,
        places: int = PLACES,
        suspect_places: int = SUSPECT_PLACES,
        most_threads: int = MOST_THREADS,
    ) -> None:
        self._services = services
        self._services_of_runs = replace(services, database=services.database.in_turns(AT_DATABASE))
        self._most = {False: places, True: suspect_places}
        self._most_threads = most_threads
        self._due: dict[bool, deque[DueJob]] = {False: deque(), True: deque()}
        self._places: dict[_Place, threading.Thread] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._offset = timedelta()
        self._seen_at: datetime | None = None  # by the clock, when it was last looked at

    def begin_due(self) -> None:
        """Called by every tick; harmless when several workers do it."""
        if self._stopping.is_set():
            return
        self._follow_the_clock()
        for are_suspect in (False, True):
            with self._services.database.read() as connection:
                now = self._services.clock.now()
                due = due_jobs(connection, now=now, limit=LOOK_AT, are_suspect=are_suspect, jobs=JOBS)
            with self._lock:
                self._due[are_suspect] = deque(due)
                wanted = 0 if self._stopping.is_set() else min(len(due), self._free(is_suspect=are_suspect))
                for _ in range(wanted):
                    self._add_thread(is_suspect=are_suspect)

    def is_idle(self) -> bool:
        with self._lock:
            return not self._places

    def begin_no_more(self) -> None:
        """Each run ends after the call in hand."""
        self._stopping.set()

    def stop(self, *, within_s: float = STOP_WITHIN_S) -> None:
        """Waits for that. A thread that is left ends with the process."""
        self.begin_no_more()
        with self._lock:
            threads = list(self._places.values())
        until_s = time.monotonic() + within_s
        for thread in threads:
            thread.join(max(0.0, until_s - time.monotonic()))
        left = sum(thread.is_alive() for thread in threads)
        if left:
            log.warning("moodle_runs_left", threads=left)

    def _follow_the_clock(self) -> None:
        offset, now = self._services.clock.offset(), self._services.clock.now()
        if self._seen_at is None:
            with self._services.database.write() as connection:
                hurry_what_is_of_the_future(connection, now=now)
        elif offset != self._offset or now < self._seen_at - MAY_GO_BACK:
            with self._services.database.write() as connection:
                hurry_all(connection, now=now)
        self._offset, self._seen_at = offset, now

    def _free(self, *, is_suspect: bool) -> int:
        """Places that are nobody's, or whose thread waits for an answer for long."""
        places = [place for place in self._places if place.is_suspect is is_suspect]
        moving = sum(not place.is_stuck for place in places)
        return min(self._most[is_suspect] - moving, self._most_threads - len(places))

    def _add_thread(self, *, is_suspect: bool) -> None:
        place = _Place(is_suspect=is_suspect)
        thread = threading.Thread(target=self._work, args=(place,), name="moodle", daemon=True)
        self._places[place] = thread
        thread.start()

    def _work(self, place: _Place) -> None:
        try:
            while (due := self._next(place)) is not None:
                self._run(place, due)
        finally:
            with self._lock:
                self._places.pop(place, None)

    def _next(self, place: _Place) -> DueJob | None:
        """None for a thread that is no longer wanted, also because others have been made while it was stuck."""
        with self._lock:
            place.called_s = None
            due = self._due[place.is_suspect]
            if self._stopping.is_set() or not due or self._free(is_suspect=place.is_suspect) < 0:
                self._places.pop(place, None)
                return None
            return due.popleft()

    def _run(self, place: _Place, due: DueJob) -> None:
        try:
            run_id = begin_planned(self._services_of_runs, due)
            if run_id is not None:
                run_job(self._services_of_runs, due.job, run_id, stopping=self._stopping, on_call=place.call)
        except (DatabaseBusy, DatabaseUnreachable) as error:
            log.warning("moodle_run_skipped", university=due.university_slug, job=due.job.value, error=str(error))
        except Exception:
            log.exception("moodle_run_broke", university=due.university_slug, job=due.job.value)
