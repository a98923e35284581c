"""Who of the staff reads mail, and of what that waits they were told."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from series.staff import AccountState
from series.staff_mail import WAITS_FOR, Week
from series.store.database import insert
from series.store.moodle_tables import staff_notice
from series.store.runs import OF_INSTALLATION, OF_SERIES
from series.store.sessions import sessions_with
from series.store.tables import counted, course, course_series, session, staff, sync_run, university
from series.waiting import Waiting

WEEK = timedelta(days=7)
MAX_KEY_CHARS = 255


@dataclass(frozen=True, kw_only=True)
class MailReader:
    """`university_id` None: a coordinator. `last_digest_at`: where there was none yet, when the account was
    made."""

    staff_id: int
    email: str
    university_id: int | None
    university_slug: str | None
    zone: str
    last_digest_at: datetime


def mail_readers(connection: sa.Connection) -> list[MailReader]:
    """Who has an account that works, and has not said no."""
    rows = connection.execute(
        sa.select(staff, university.c.slug, university.c.time_zone)
        .select_from(staff.outerjoin(university, staff.c.university_id == university.c.id))
        .where(staff.c.state == AccountState.ACTIVE.value, staff.c.password_hash.is_not(None), staff.c.wants_mail)
        .order_by(staff.c.id)
    )
    return [
        MailReader(
            staff_id=row.id,
            email=row.email,
            university_id=row.university_id,
            university_slug=row.slug,
            zone=row.time_zone or "UTC",
            last_digest_at=row.digest_at or row.created_at,
        )
        for row in rows
    ]


def unmailed(connection: sa.Connection, staff_id: int, waiting: Sequence[Waiting], *, now: datetime) -> list[Waiting]:
    """What has waited for a while, and they have not been told of."""
    mailed = _mailed(connection, staff_id)
    return [one for one in waiting if one.since_at <= now - WAITS_FOR and _key(one) not in mailed]


def has_outdated(connection: sa.Connection, staff_id: int, waiting: Sequence[Waiting]) -> bool:
    return not _mailed(connection, staff_id) <= {_key(one) for one in waiting}


def drop_outdated(connection: sa.Connection, staff_id: int, waiting: Sequence[Waiting]) -> None:
    """What waits no more, so that they are told when it does once more."""
    connection.execute(
        sa.delete(staff_notice).where(
            staff_notice.c.staff_id == staff_id, staff_notice.c.key.not_in([_key(one) for one in waiting])
        )
    )


def note_mailed(connection: sa.Connection, staff_id: int, told: Collection[Waiting], *, now: datetime) -> None:
    for one in told:
        connection.execute(
            insert(connection, staff_notice)
            .values(staff_id=staff_id, key=_key(one), since_at=one.since_at, mailed_at=now)
            .on_conflict_do_nothing()
        )


def note_digest(connection: sa.Connection, staff_id: int, *, now: datetime) -> None:
    connection.execute(sa.update(staff).where(staff.c.id == staff_id).values(digest_at=now))


def week_around(connection: sa.Connection, reader: MailReader, *, now: datetime) -> Week:
    """A coordinator's is of all series and runs; an LMS admin's, of what the courses of their university show."""
    starts = session.c.start_at
    ours: sa.ColumnElement[bool] = sa.true()
    planned = counted & (session.c.status == "planned")
    failed = (
        sa.select(sync_run.c.job, sa.func.count())
        .where(sync_run.c.outcome == "failed", sync_run.c.started_at > now - WEEK)
        .group_by(sync_run.c.job)
        .order_by(sync_run.c.job)
    )
    if reader.university_id is not None:
        failed = failed.where(
            sync_run.c.scope == reader.university_slug, sync_run.c.job.not_in((*OF_SERIES, *OF_INSTALLATION, "mail"))
        )
        ours = session.c.series_id.in_(_series_shown_at(reader.university_id))
    return Week(
        held=tuple(sessions_with(connection, ours & planned & (starts > now - WEEK) & (starts <= now))),
        coming=tuple(sessions_with(connection, ours & planned & (starts > now) & (starts <= now + WEEK))),
        replanned=tuple(sessions_with(connection, ours & counted & (session.c.replanned_at > now - WEEK))),
        failed_runs=tuple((job, count) for job, count in connection.execute(failed)),
    )


def _series_shown_at(university_id: int) -> sa.Select[tuple[UUID]]:
    return (
        sa.select(course_series.c.series_id)
        .join(course, course_series.c.course_id == course.c.id)
        .where(course.c.university_id == university_id)
    )


def _mailed(connection: sa.Connection, staff_id: int) -> set[str]:
    query = sa.select(staff_notice.c.key).where(
        staff_notice.c.staff_id == staff_id, staff_notice.c.mailed_at.is_not(None)
    )
    return set(connection.execute(query).scalars())


def _key(one: Waiting) -> str:
    return one.key[:MAX_KEY_CHARS]
