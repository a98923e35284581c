"""When which job is next done for a connected university, and who has it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from series.moodle_jobs import LANES, LATE_EFFECT, Level, MoodleJob, jobs_of, lane_of, next_after
from series.store.database import insert
from series.store.moodle_tables import moodle_job
from series.store.runs import begin_run
from series.store.tables import course, course_series, moodle_connection, sync_run, university

ABANDONED_AFTER = timedelta(minutes=2)  # a run says that it is alive before each call, none of which lasts so long


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
    """For lists. `ran_at`: when it last ended, also with nothing to do; `next_at` not before the site's pause ends;
    `again_at`: to be done once more then or later, however often before."""

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
        values = {"next_at": now, "failures": 0}
        connection.execute(
            insert(connection, moodle_job)
            .values(university_id=university_id, job=job.value, **values)
            .on_conflict_do_update(index_elements=["university_id", "job"], set_=values)
        )


def drop_jobs(connection: sa.Connection, university_id: int, *, but_not: Collection[MoodleJob] = ()) -> None:
    connection.execute(
        sa.delete(moodle_job).where(moodle_job.c.university_id == university_id, moodle_job.c.job.not_in(but_not))
    )


def due_jobs(connection: sa.Connection, *, now: datetime, limit: int, are_suspect: bool) -> list[DueJob]:
    """The longest due first, of sites that answered the last time, or of those that did not and may be asked again."""
    is_suspect = moodle_connection.c.failures > 0
    rows = connection.execute(
        sa.select(moodle_job, university.c.slug)
        .join(moodle_connection, moodle_connection.c.university_id == moodle_job.c.university_id)
        .join(university, university.c.id == moodle_job.c.university_id)
        .where(
            moodle_job.c.next_at <= now,
            sa.or_(moodle_connection.c.paused_until.is_(None), moodle_connection.c.paused_until <= now),
            is_suspect if are_suspect else sa.not_(is_suspect),
            sa.not_(_has_running(now)),
        )
        .order_by(moodle_job.c.next_at, moodle_job.c.university_id, moodle_job.c.job)
        .limit(limit)
    )
    return [
        DueJob(
            university_id=row.university_id,
            university_slug=row.slug,
            job=MoodleJob(row.job),
            next_at=row.next_at,
            is_suspect=are_suspect,
        )
        for row in rows
    ]


def _has_running(now: datetime) -> sa.ColumnElement[bool]:
    """Whether a job of its lane is under way."""
    same_lane = [sa.and_(sync_run.c.job.in_(lane), moodle_job.c.job.in_(lane)) for lane in LANES]
    return sa.exists().where(
        sa.or_(*same_lane),
        sync_run.c.scope == university.c.slug,
        sync_run.c.outcome == "running",
        sync_run.c.alive_at >= now - ABANDONED_AFTER,
    )


def begin_job(
    connection: sa.Connection, university_id: int, university_slug: str, job: MoodleJob, *, slot: str, now: datetime
) -> int | None:
    """The new run's id; None when another worker has it or another job of its lane is under way there.

    A worker that died in the middle of a calendar's run may have left a call that takes effect later: the whole
    calendar is compared once that is over.
    """
    connection.execute(  # so that two workers do not both find the lane free
        sa.select(moodle_connection.c.university_id)
        .where(moodle_connection.c.university_id == university_id)
        .with_for_update()
    )
    lane = [other.value for other in lane_of(job) if other is not job]
    others = sa.select(sync_run.c.id).where(
        sync_run.c.scope == university_slug,
        sync_run.c.job.in_(lane),
        sync_run.c.outcome == "running",
        sync_run.c.alive_at >= now - ABANDONED_AFTER,
    )
    if connection.execute(others.limit(1)).one_or_none() is not None:
        return None
    if job in lane_of(MoodleJob.SWEEP) and _was_abandoned(connection, university_slug, now):
        ask_again(connection, university_id, MoodleJob.SWEEP, at=now + LATE_EFFECT)
    run_id = begin_run(
        connection, job=job.value, scope=university_slug, slot=slot, now=now, abandoned_after=ABANDONED_AFTER
    )
    if run_id is not None:  # who asks for it from now on is seen when it ends
        connection.execute(
            sa.update(moodle_job).where(_of_job(university_id, job)).values(next_at=now + ABANDONED_AFTER)
        )
    return run_id


def _was_abandoned(connection: sa.Connection, university_slug: str, now: datetime) -> bool:
    stale = sa.select(sync_run.c.id).where(
        sync_run.c.scope == university_slug,
        sync_run.c.job.in_(lane_of(MoodleJob.SWEEP)),
        sync_run.c.outcome == "running",
        sync_run.c.alive_at < now - ABANDONED_AFTER,
    )
    return connection.execute(stale.limit(1)).one_or_none() is not None


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
    began_at: datetime,
    now: datetime,
) -> None:
    """Plans the next time, unless somebody has asked for one while this one ran."""
    of_job = _of_job(university_id, job)
    row = connection.execute(sa.select(moodle_job).where(of_job).with_for_update()).one_or_none()
    if row is None:
        return  # disconnected meanwhile
    failures = row.failures + 1 if failed else 0
    next_at = next_after(now, interval=interval, failures=failures, jitter=jitter)
    if row.next_at < began_at + ABANDONED_AFTER:
        next_at = min(next_at, row.next_at)
    again_at = row.again_at
    if again_at is not None and again_at <= began_at:
        again_at = None
    elif again_at is not None:
        next_at = min(next_at, again_at)
    values = {"next_at": next_at, "again_at": again_at, "failures": failures, "ran_at": now}
    connection.execute(sa.update(moodle_job).where(of_job).values(values))


def ask_for(connection: sa.Connection, university_id: int, job: MoodleJob, *, at: datetime) -> bool:
    """Not later than then; whether there is such a job."""
    of_job = _of_job(university_id, job)
    connection.execute(sa.update(moodle_job).where(of_job, moodle_job.c.next_at > at).values(next_at=at))
    return connection.execute(sa.select(moodle_job.c.job).where(of_job)).one_or_none() is not None


def ask_again(connection: sa.Connection, university_id: int, job: MoodleJob, *, at: datetime) -> None:
    """Then or soon after, however often it is done before."""
    of_job = _of_job(university_id, job)
    is_later = moodle_job.c.again_at.is_(None) | (moodle_job.c.again_at < at)
    connection.execute(sa.update(moodle_job).where(of_job, is_later).values(again_at=at))
    ask_for(connection, university_id, job, at=at)


def plan_as_before(
    connection: sa.Connection, university_id: int, job: MoodleJob, *, before: PlannedJob, asked_at: datetime
) -> None:
    """What `ask_again` asked for at `asked_at` is not needed; what others have asked for meanwhile is."""
    of_job = _of_job(university_id, job)
    asked_again = sa.update(moodle_job).where(of_job, moodle_job.c.again_at == asked_at)
    connection.execute(asked_again.values(again_at=before.again_at))
    asked = sa.update(moodle_job).where(of_job, moodle_job.c.next_at == asked_at, moodle_job.c.next_at < before.next_at)
    connection.execute(asked.values(next_at=before.next_at))


def hurry_all(connection: sa.Connection, *, now: datetime) -> None:
    """The clock was set, as in a rehearsal: what is planned by the old one is done now."""
    connection.execute(sa.update(moodle_job).where(moodle_job.c.next_at > now).values(next_at=now))


def ask_for_all(connection: sa.Connection, series_id: UUID, *, now: datetime) -> None:
    """The plan of a series has changed: every connected course that shows it is brought up to date at once."""
    concerned = (
        sa.select(course.c.university_id)
        .join(course_series, course_series.c.course_id == course.c.id)
        .where(course_series.c.series_id == series_id, course.c.moodle_course_id.is_not(None))
    )
    connection.execute(
        sa.update(moodle_job)
        .where(
            moodle_job.c.university_id.in_(concerned),
            moodle_job.c.job.in_((MoodleJob.MIRROR.value, MoodleJob.ANNOUNCE.value)),
            moodle_job.c.next_at > now,
        )
        .values(next_at=now)
    )


def planned_jobs(connection: sa.Connection, university_id: int) -> list[PlannedJob]:
    """In the order of MoodleJob."""
    rows = connection.execute(sa.select(moodle_job).where(moodle_job.c.university_id == university_id))
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
