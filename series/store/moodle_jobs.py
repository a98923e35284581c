"""When which job is next done for a connected university, and who has it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.announcements import SETTLE
from series.moodle_jobs import (
    CLOCKS_DIFFER,
    LANES,
    LATE_EFFECT,
    Level,
    MoodleJob,
    jobs_of,
    lane_of,
    next_after,
)
from series.store.database import insert
from series.store.moodle_tables import moodle_job
from series.store.runs import IS_RUNNING, begin_run, close_abandoned
from series.store.tables import course, course_series, moodle_connection, sync_run, university

ABANDONED_AFTER = CLOCKS_DIFFER + timedelta(minutes=2)
"""A run says that it is alive before each call, none of which lasts two minutes; by the clock of its own machine."""


@dataclass(frozen=True, kw_only=True)
class DueJob:
    """`is_suspect`: the site did not answer the last time, so that this is a trial."""

    university_id: int
    university_slug: str
    job: MoodleJob
    next_at: datetime
    is_suspect: bool


@dataclass(frozen=True, kw_only=True)
class PlannedJob:
    """For lists. `ran_at`: when it last ended, also with nothing to do; `again_at`: to be done once more then or later,
    however often before. In the pause of its site, `next_at` may be over: it is done when the pause ends."""

    job: MoodleJob
    next_at: datetime
    failures: int
    ran_at: datetime | None
    again_at: datetime | None = None


def plan_jobs(connection: sa.Connection, university_id: int, level: Level, *, now: datetime) -> None:
    """All jobs of the level soon, and no others."""
    jobs = jobs_of(level)
    drop_jobs(connection, university_id, but_not=jobs)
    for job in jobs:
        values = {"next_at": now, "failures": 0, "asked_at": now}
        connection.execute(
            insert(connection, moodle_job)
            .values(university_id=university_id, job=job.value, **values)
            .on_conflict_do_update(index_elements=["university_id", "job"], set_=values)
        )


def drop_jobs(connection: sa.Connection, university_id: int, *, but_not: Collection[MoodleJob] = ()) -> None:
    connection.execute(
        sa.delete(moodle_job).where(moodle_job.c.university_id == university_id, moodle_job.c.job.not_in(but_not))
    )


def due_jobs(
    connection: sa.Connection,
    *,
    now: datetime,
    limit: int,
    are_suspect: bool,
    jobs: Collection[MoodleJob] = tuple(MoodleJob),
) -> list[DueJob]:
    """One of each lane of a site, the longest due first: of sites that answered the last time, or of those that did
    not and may be asked again. `jobs`: what the worker can do."""
    is_suspect = moodle_connection.c.failures > 0
    running = _running_lanes(connection, now)
    rows = connection.execute(
        sa.select(moodle_job, university.c.slug)
        .join(moodle_connection, moodle_connection.c.university_id == moodle_job.c.university_id)
        .join(university, university.c.id == moodle_job.c.university_id)
        .where(
            moodle_job.c.next_at <= now,
            moodle_job.c.job.in_(jobs),
            _is_not_paused(now),
            is_suspect if are_suspect else sa.not_(is_suspect),
        )
        .order_by(moodle_job.c.next_at, moodle_job.c.university_id, moodle_job.c.job)
        .limit((limit + len(running)) * max(map(len, LANES)))
    )
    due: dict[tuple[str, tuple[MoodleJob, ...]], DueJob] = {}
    for row in rows:
        job = MoodleJob(row.job)
        one = DueJob(
            university_id=row.university_id,
            university_slug=row.slug,
            job=job,
            next_at=row.next_at,
            is_suspect=are_suspect,
        )
        due.setdefault((row.slug, lane_of(job)), one)
    return [one for lane, one in due.items() if lane not in running][:limit]


def _running_lanes(connection: sa.Connection, now: datetime) -> set[tuple[str, tuple[MoodleJob, ...]]]:
    """By the university's slug. Few, and asked for apart: in one statement, SQLite would read every run of a site."""
    rows = connection.execute(
        sa.select(sync_run.c.scope, sync_run.c.job).where(
            IS_RUNNING, sync_run.c.job.in_(tuple(MoodleJob)), sync_run.c.alive_at >= now - ABANDONED_AFTER
        )
    )
    return {(row.scope, lane_of(MoodleJob(row.job))) for row in rows}


def _is_not_paused(now: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(moodle_connection.c.paused_until.is_(None), moodle_connection.c.paused_until <= now)


def begin_job(
    connection: sa.Connection,
    university_id: int,
    university_slug: str,
    job: MoodleJob,
    *,
    slot: str,
    now: datetime,
    planned_at: datetime | None = None,
) -> int | None:
    """The new run's id; None when another worker has it, another job of its lane is under way there, or the university
    is no longer connected. `planned_at`: as it was due; None by hand, which asks for no time and no pause.

    A worker that died in the middle of a calendar's run may have left a call that takes effect later: the whole
    calendar is compared once that is over.
    """
    site = lock_site(connection, university_id)  # so that two workers do not both find the lane free
    if site is None or not (planned_at is None or _is_still_due(connection, university_id, job, planned_at, now)):
        return None
    lane = lane_of(job)
    has_died = close_abandoned(connection, jobs=lane, scope=university_slug, before=now - ABANDONED_AFTER, now=now)
    others = sa.select(sync_run.c.id).where(sync_run.c.scope == university_slug, sync_run.c.job.in_(lane), IS_RUNNING)
    if connection.execute(others.limit(1)).one_or_none() is not None:
        return None
    run_id = begin_run(
        connection, job=job.value, scope=university_slug, slot=slot, now=now, abandoned_after=ABANDONED_AFTER
    )
    if run_id is not None:
        asked_at = sa.case((moodle_job.c.asked_at > now, moodle_job.c.asked_at))  # what was asked for by now is served
        again_at = sa.case((moodle_job.c.again_at > now, moodle_job.c.again_at))
        connection.execute(
            sa.update(moodle_job)
            .where(_of_job(university_id, job))
            .values(next_at=now + ABANDONED_AFTER, asked_at=asked_at, again_at=again_at)
        )
        if has_died and MoodleJob.SWEEP in lane:
            ask_again(connection, university_id, MoodleJob.SWEEP, at=now + LATE_EFFECT)
    return run_id


def lock_site(connection: sa.Connection, university_id: int) -> int | None:
    """Before anything of a site and its jobs is written, so that all lock in one order. None: not connected."""
    query = sa.select(moodle_connection.c.university_id).where(moodle_connection.c.university_id == university_id)
    locked: int | None = connection.execute(query.with_for_update()).scalar_one_or_none()
    return locked


def _is_still_due(
    connection: sa.Connection, university_id: int, job: MoodleJob, planned_at: datetime, now: datetime
) -> bool:
    """Another worker may have done it since it was looked for, or found the site down."""
    still = (
        sa.select(moodle_job.c.job)
        .join(moodle_connection, moodle_connection.c.university_id == moodle_job.c.university_id)
        .where(_of_job(university_id, job), moodle_job.c.next_at == planned_at, _is_not_paused(now))
    )
    return connection.execute(still).one_or_none() is not None


def _of_job(university_id: int, job: MoodleJob) -> sa.ColumnElement[bool]:
    return sa.and_(moodle_job.c.university_id == university_id, moodle_job.c.job == job.value)


def end_job(
    connection: sa.Connection,
    university_id: int,
    job: MoodleJob,
    *,
    failed: bool,
    interval: timedelta,
    jitter: float,
    now: datetime,
    retry_at: datetime | None = None,
) -> None:
    """Plans the next time: when somebody has asked for it meanwhile, or after the interval. `retry_at`: it could not do
    its work and is to try again then, through no fault of its own: the site is down, or the worker ends."""
    of_job = _of_job(university_id, job)
    row = connection.execute(sa.select(moodle_job).where(of_job).with_for_update()).one_or_none()
    if row is None:
        return  # disconnected meanwhile
    failures = row.failures if retry_at else row.failures + 1 if failed else 0
    next_at = retry_at or next_after(now, interval=interval, failures=failures, jitter=jitter)
    next_at = min(at for at in (next_at, row.asked_at, row.again_at) if at is not None)
    connection.execute(sa.update(moodle_job).where(of_job).values(next_at=next_at, failures=failures, ran_at=now))


def ask_for(connection: sa.Connection, university_id: int, job: MoodleJob, *, at: datetime) -> bool:
    """Not later than then, also when it is under way now; whether there is such a job."""
    asked = connection.execute(
        sa.update(moodle_job).where(_of_job(university_id, job)).values(_asked(at)).returning(moodle_job.c.job)
    )
    return asked.one_or_none() is not None


def ask_again(connection: sa.Connection, university_id: int, job: MoodleJob, *, at: datetime) -> None:
    """Then or soon after, however often it is done before."""
    connection.execute(sa.update(moodle_job).where(_of_job(university_id, job)).values(_asked_again(at)))


def _asked_again(at: datetime) -> dict[str, Any]:
    next_at, again_at = moodle_job.c.next_at, moodle_job.c.again_at
    return {
        "next_at": sa.case((next_at > at, at), else_=next_at),
        "again_at": sa.case((again_at > at, again_at), else_=at),
    }


def plan_as_before(
    connection: sa.Connection, university_id: int, job: MoodleJob, *, before: PlannedJob, asked_at: datetime
) -> None:
    """What `ask_again` asked for at `asked_at` is not needed; what others have asked for meanwhile is."""
    of_job = _of_job(university_id, job)
    asked_again = sa.update(moodle_job).where(of_job, moodle_job.c.again_at == asked_at)
    connection.execute(asked_again.values(again_at=before.again_at))
    asked = sa.update(moodle_job).where(of_job, moodle_job.c.next_at == asked_at, moodle_job.c.next_at < before.next_at)
    connection.execute(asked.values(next_at=before.next_at))


def ask_for_all(connection: sa.Connection, series_id: UUID, *, now: datetime) -> None:
    """The plan of a series has changed: every connected course that shows it is brought up to date at once, and told
    as soon as that is no slip."""
    courses = (
        sa.select(course.c.university_id)
        .join(course_series, course_series.c.course_id == course.c.id)
        .where(course_series.c.series_id == series_id, course.c.moodle_course_id.is_not(None))
    )
    connected = moodle_job.c.university_id.in_(courses)
    lock_jobs(connection, connected & moodle_job.c.job.in_((MoodleJob.MIRROR, MoodleJob.ANNOUNCE)))
    of_mirror, of_announce = (
        sa.update(moodle_job).where(connected, moodle_job.c.job == job)
        for job in (MoodleJob.MIRROR, MoodleJob.ANNOUNCE)
    )
    connection.execute(of_mirror.values(_asked(now)))
    connection.execute(of_announce.values(_asked_again(now + SETTLE)))


def _asked(at: datetime) -> dict[str, Any]:
    """The sooner of what is planned or asked for, and then."""
    next_at, asked_at = moodle_job.c.next_at, moodle_job.c.asked_at
    return {
        "next_at": sa.case((next_at > at, at), else_=next_at),
        "asked_at": sa.case((asked_at < at, asked_at), else_=at),
    }


def lock_jobs(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> None:
    """Many at once, in one order: two who do so must not wait for each other."""
    rows = sa.select(moodle_job.c.job).where(condition).order_by(moodle_job.c.university_id, moodle_job.c.job)
    connection.execute(rows.with_for_update()).all()


def lock_site_and_jobs(connection: sa.Connection, university_id: int) -> None:
    """Before anything of the courses of one site is written."""
    lock_site(connection, university_id)
    lock_jobs(connection, moodle_job.c.university_id == university_id)


def planned_jobs(connection: sa.Connection, university_id: int) -> list[PlannedJob]:
    """In the order of MoodleJob."""
    known = moodle_job.c.job.in_(tuple(MoodleJob))
    rows = connection.execute(sa.select(moodle_job).where(moodle_job.c.university_id == university_id, known))
    order = list(MoodleJob)
    found = [
        PlannedJob(
            job=MoodleJob(row.job),
            next_at=row.next_at,
            failures=row.failures,
            ran_at=row.ran_at,
            again_at=row.again_at,
        )
        for row in rows
    ]
    return sorted(found, key=lambda planned: order.index(planned.job))
