"""Threads for the runs at Moodles: made when they are wanted, so that nobody waits for another's time-out."""

import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial

import structlog

from moodle_sync.moodle_runs import JOBS, begin_planned, run_job
from moodle_sync.services import Services
from series.moodle_jobs import MoodleJob
from series.store.moodle_clocks import hurry_all, hurry_what_is_of_the_future
from series.store.moodle_jobs import due_jobs

log = structlog.get_logger()
PLACES = 48  # for sites that answered the last time: they mostly wait for an answer, and cost little
MAY_GO_BACK = timedelta(minutes=1)  # the clock, when it is set right
SUSPECT_PLACES = 16  # for trials of sites that did not: however many are down, the others keep their places


class MoodleLanes:
    """Begins what is due and runs it, at most so many at once of each sort."""

    def __init__(self, services: Services, *, places: int = PLACES, suspect_places: int = SUSPECT_PLACES) -> None:
        self._services = services
        self._places = {False: places, True: suspect_places}
        self._taken: Counter[bool] = Counter()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._offset = timedelta()
        self._seen_at: datetime | None = None  # by the clock, when it was last looked at
        self._threads = ThreadPoolExecutor(places + suspect_places, thread_name_prefix="moodle")
        unknown = [job.value for job in MoodleJob if job not in JOBS]
        if unknown:
            log.warning("moodle_jobs_unknown", jobs=unknown)

    def begin_due(self) -> None:
        """Called by every tick; harmless when several workers do it."""
        self._follow_the_clock()
        for are_suspect in (False, True):
            self._begin_due(are_suspect=are_suspect)

    def _follow_the_clock(self) -> None:
        offset, now = self._services.clock.offset(), self._services.clock.now()
        if self._seen_at is None:
            with self._services.database.write() as connection:
                hurry_what_is_of_the_future(connection, now=now)
        elif offset != self._offset or now < self._seen_at - MAY_GO_BACK:
            with self._services.database.write() as connection:
                hurry_all(connection, now=now)
        self._offset, self._seen_at = offset, now

    def is_idle(self) -> bool:
        with self._lock:
            return not self._taken.total()

    def stop(self) -> None:
        """Lets each run end after the call in hand, and waits for that."""
        self._stopping.set()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _begin_due(self, *, are_suspect: bool) -> None:
        with self._lock:
            free = self._places[are_suspect] - self._taken[are_suspect]
        if free <= 0:
            return
        services = self._services
        now = services.clock.now()
        with services.database.read() as connection:
            due = due_jobs(connection, now=now, limit=free, are_suspect=are_suspect, jobs=JOBS)
        for one in due:
            run_id = begin_planned(services, one)
            if run_id is not None:
                with self._lock:
                    self._taken[are_suspect] += 1
                future = self._threads.submit(self._run, one.job, run_id)
                future.add_done_callback(partial(self._free, are_suspect))

    def _run(self, job: MoodleJob, run_id: int) -> None:
        try:
            run_job(self._services, job, run_id, stopping=self._stopping)
        except Exception:
            log.exception("moodle_run_broke", job=job.value, run_id=run_id)

    def _free(self, are_suspect: bool, _: Future[None]) -> None:  # noqa: FBT001 - the place that was taken
        with self._lock:
            self._taken[are_suspect] -= 1
