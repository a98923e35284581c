"""One pass of one job at one university's Moodle: begun once, paced, ended with what came of it and the next time."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from config.settings import Settings
from lms.errors import LmsError
from lms.moodle import Moodle
from moodle_sync.check_moodle import check
from moodle_sync.collect_completions import collect, recollect
from moodle_sync.mirror_sessions import mirror
from moodle_sync.moodle_access import GivenUp, MoodleAccess, Stopped
from moodle_sync.post_announcements import announce
from moodle_sync.services import Services, jitter
from moodle_sync.sweep_calendars import sweep
from moodle_sync.written import written
from series.moodle_jobs import MoodleJob
from series.store import runs
from series.store.course_ties import let_go_what_is_over
from series.store.database import Connection, DatabaseBusy, DatabaseUnreachable
from series.store.keys import WrongEncryptionKey
from series.store.moodle_connections import MoodleConnection, find_connection, note_answer, note_failure
from series.store.moodle_jobs import DueJob, begin_job, end_job, lock_site_and_jobs

log = structlog.get_logger()
JOBS: Mapping[MoodleJob, Callable[[Services, MoodleAccess], None]] = {
    MoodleJob.MIRROR: mirror,
    MoodleJob.SWEEP: sweep,
    MoodleJob.ANNOUNCE: announce,
    MoodleJob.CHECK: check,
    MoodleJob.COLLECT: collect,
    MoodleJob.RECOLLECT: recollect,
}


@dataclass(frozen=True, kw_only=True)
class Came:
    """What came of one run. `down`: what the whole site said or did, so that it is left alone for a while.
    `is_stopped`: the worker ended in the middle."""

    counts: Mapping[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    calls: int = 0
    down: LmsError | None = None
    is_stopped: bool = False

    @property
    def outcome(self) -> str:
        return "failed" if self.problems and not any(self.counts.values()) else "done"

    @property
    def is_quiet(self) -> bool:
        return not (self.calls or self.problems or any(self.counts.values()))


def _nothing() -> None:
    pass


def connection_of(services: Services, university_slug: str) -> MoodleConnection | None:
    """Raises WrongEncryptionKey."""
    with services.database.read() as connection:
        return find_connection(connection, university_slug, encryption_key=services.settings.encryption_key)


def begin(services: Services, connected: MoodleConnection, job: MoodleJob, *, slot: str) -> int | None:
    """By hand. The run's id, or None when another worker has it, or another job of its lane is under way there."""
    with services.database.write() as connection:
        return begin_job(
            connection, connected.university_id, connected.university_slug, job, slot=slot, now=services.clock.now()
        )


def begin_planned(services: Services, due: DueJob) -> int | None:
    """The same of what was found to be due."""
    with services.database.write() as connection:
        return begin_job(
            connection,
            due.university_id,
            due.university_slug,
            due.job,
            slot=f"{due.next_at:%Y-%m-%dT%H:%M:%S.%f}",
            now=services.clock.now(),
            planned_at=due.next_at,
        )


def run_job(
    services: Services,
    job: MoodleJob,
    run_id: int,
    *,
    stopping: threading.Event | None = None,
    keep_quiet_runs: bool = False,
    on_call: Callable[[], None] = _nothing,
) -> Came:
    """Do the job, whatever happens, and write down what came of it. A run that was given up meanwhile does nothing."""
    with services.database.read() as connection:
        slug = runs.scope_of(connection, run_id)
    if slug is None:
        return Came()
    try:
        connected = connection_of(services, slug)
    except WrongEncryptionKey as error:
        return _end_unconnected(services, run_id, str(error))
    if connected is None:
        return _end_unconnected(services, run_id, "This university's Moodle is no longer connected.")
    access = access_to(services, connected, run_id=run_id, stopping=stopping, on_call=on_call)
    came = _work(services, job, access)
    is_dropped = came.is_quiet and not keep_quiet_runs
    written(run_id, lambda: _end(services, connected, job, run_id, came, is_dropped=is_dropped))
    return came


def access_to(
    services: Services,
    connected: MoodleConnection,
    *,
    run_id: int | None = None,
    stopping: threading.Event | None = None,
    on_call: Callable[[], None] = _nothing,
) -> MoodleAccess:
    """The Moodle as its service account sees it; without a run for what only looks."""
    access = MoodleAccess(
        services=services,
        connection=connected,
        run_id=run_id,
        stopping=stopping or threading.Event(),
        on_call=on_call,
    )
    access.moodle = Moodle(
        http=services.http, base_url=connected.base_url, token=connected.token, before_call=access.before_call
    )
    return access


def interval_of(settings: Settings, job: MoodleJob) -> timedelta:
    seconds = {
        MoodleJob.MIRROR: settings.mirror_interval_s,
        MoodleJob.SWEEP: settings.sweep_interval_s,
        MoodleJob.COLLECT: settings.collect_interval_s,
        MoodleJob.RECOLLECT: settings.recollect_interval_s,
        MoodleJob.CHECK: 86_400,
        MoodleJob.ANNOUNCE: settings.mirror_interval_s,
    }[job]
    return timedelta(seconds=seconds)


def _work(services: Services, job: MoodleJob, access: MoodleAccess) -> Came:
    down: LmsError | None = None
    is_stopped = False
    try:
        JOBS[job](services, access)
    except LmsError as error:
        access.problems.append(str(error))
        down = error if error.of_platform else None
    except (DatabaseBusy, DatabaseUnreachable, Stopped, GivenUp) as error:
        access.problems.append(str(error))
        is_stopped = isinstance(error, Stopped)
    except Exception as error:
        log.exception("run_broke", run_id=access.run_id, job=job.value)
        access.problems.append(f"An error of ours ({type(error).__name__}); it has been noted.")
    return Came(
        counts=dict(access.counts),
        problems=access.problems,
        notes=access.notes,
        calls=access.calls,
        down=down,
        is_stopped=is_stopped,
    )


def _end(
    services: Services, connected: MoodleConnection, job: MoodleJob, run_id: int, came: Came, *, is_dropped: bool
) -> None:
    """All in one transaction: it may be tried again. Of a run that was given up, nothing: another one plans."""
    now = services.clock.now()
    with services.database.write() as connection:
        lock_site_and_jobs(connection, connected.university_id)
        if runs.scope_of(connection, run_id) is None:
            return
        if job in {MoodleJob.MIRROR, MoodleJob.SWEEP}:
            let_go_what_is_over(connection, connected.university_id)
        retry_at = _note_site(connection, connected.university_id, came, now)
        end_job(
            connection,
            connected.university_id,
            job,
            failed=came.outcome == "failed",
            interval=interval_of(services.settings, job),
            jitter=jitter(),
            now=now,
            retry_at=now if came.is_stopped else retry_at,
        )
        if is_dropped:
            runs.drop_run(connection, run_id)
        else:
            _end_run(connection, run_id, came, now)
    log.info(
        "moodle_run_ended",
        university=connected.university_slug,
        job=job.value,
        calls=came.calls,
        counts=dict(came.counts),
        outcome=came.outcome,
    )


def _note_site(connection: Connection, university_id: int, came: Came, now: datetime) -> datetime | None:
    """Whether the site answered; if not, until when it is left alone."""
    if came.down is None:
        if came.calls:
            note_answer(connection, university_id)
        return None
    return note_failure(
        connection,
        university_id,
        reason=str(came.down),
        retry_after_s=came.down.retry_after_s,
        jitter=jitter(),
        now=now,
    )


def _end_unconnected(services: Services, run_id: int, problem: str) -> Came:
    came = Came(problems=[problem])

    def write() -> None:
        with services.database.write() as connection:
            _end_run(connection, run_id, came, services.clock.now())

    written(run_id, write)
    return came


def _end_run(connection: Connection, run_id: int, came: Came, now: datetime) -> None:
    """Of the counts, those that say something: a run without any is kept less long."""
    runs.end_run(
        connection,
        run_id,
        outcome=came.outcome,
        counts={what: count for what, count in came.counts.items() if count},
        calls=came.calls,
        reason="\n".join([*came.problems, *came.notes]) or None,
        now=now,
    )
