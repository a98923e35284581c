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
from moodle_sync.moodle_access import MoodleAccess, Stopped
from moodle_sync.post_announcements import announce
from moodle_sync.services import Services, jitter
from moodle_sync.sweep_calendars import sweep
from series.moodle_jobs import MoodleJob
from series.store import runs
from series.store.database import DatabaseBusy, DatabaseUnreachable
from series.store.moodle_connections import MoodleConnection, find_connection, note_answer, note_failure
from series.store.moodle_jobs import begin_job, end_job

log = structlog.get_logger()
END_TRIES = 6  # each waits for the lock as long as the database lets it
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
    """What came of one run. `down`: what the whole site said or did, so that it is left alone for a while."""

    counts: Mapping[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    calls: int = 0
    down: LmsError | None = None

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
    """The run's id, or None when another worker has it, or another job of its lane is under way there."""
    return begin_for(services, connected.university_id, connected.university_slug, job, slot=slot)


def begin_for(services: Services, university_id: int, university_slug: str, job: MoodleJob, *, slot: str) -> int | None:
    with services.database.write() as connection:
        return begin_job(connection, university_id, university_slug, job, slot=slot, now=services.clock.now())


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
    began_at = services.clock.now()
    connected = connection_of(services, slug)
    if connected is None:
        came = Came(problems=["This university's Moodle is no longer connected."])
        _written(services, run_id, lambda: _end_run(services, run_id, came))
        return came
    access = access_to(services, connected, run_id=run_id, stopping=stopping, on_call=on_call)
    came = _work(services, job, access)
    is_dropped = came.is_quiet and not keep_quiet_runs
    _written(services, run_id, lambda: _end(services, connected, job, run_id, came, began_at, is_dropped=is_dropped))
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
    stopping = stopping or threading.Event()
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
    try:
        JOBS[job](services, access)
    except LmsError as error:
        access.problems.append(str(error))
        down = error if error.of_platform else None
    except (DatabaseBusy, DatabaseUnreachable, Stopped) as error:
        access.problems.append(str(error))
    except Exception as error:
        log.exception("run_broke", run_id=access.run_id, job=job.value)
        access.problems.append(f"An error of ours ({type(error).__name__}); it has been noted.")
    return Came(counts=dict(access.counts), problems=access.problems, calls=access.calls, down=down)


def _end(
    services: Services,
    connected: MoodleConnection,
    job: MoodleJob,
    run_id: int,
    came: Came,
    began_at: datetime,
    *,
    is_dropped: bool,
) -> None:
    now = services.clock.now()
    with services.database.write() as connection:
        if came.down is not None:
            note_failure(
                connection,
                connected.university_id,
                reason=str(came.down),
                retry_after_s=came.down.retry_after_s,
                jitter=jitter(),
                now=now,
            )
        elif came.calls:
            note_answer(connection, connected.university_id)
        end_job(
            connection,
            connected.university_id,
            job,
            failed=came.outcome == "failed" and came.down is None,
            interval=interval_of(services.settings, job),
            jitter=jitter(),
            began_at=began_at,
            now=now,
        )
        if is_dropped:
            runs.drop_run(connection, run_id)
    if not is_dropped:
        _end_run(services, run_id, came)
    log.info("moodle_run_ended", university=connected.university_slug, job=job.value, calls=came.calls, **came.counts)


def _end_run(services: Services, run_id: int, came: Came) -> None:
    with services.database.write() as connection:
        runs.end_run(
            connection,
            run_id,
            outcome=came.outcome,
            counts=dict(came.counts),
            calls=came.calls,
            reason="\n".join(came.problems) or None,
            now=services.clock.now(),
        )


def _written(services: Services, run_id: int, write: Callable[[], None]) -> None:
    """A database that cannot be had is asked some more; after that, the run makes room by itself."""
    for _ in range(END_TRIES):
        try:
            return write()
        except (DatabaseBusy, DatabaseUnreachable) as error:
            log.warning("run_not_ended", run_id=run_id, error=str(error))
    return None
