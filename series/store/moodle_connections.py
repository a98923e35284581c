"""How each university's Moodle is reached, and whether it answers."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from series.moodle_jobs import Level, paused_until
from series.store.database import insert
from series.store.keys import seal, unseal
from series.store.leaving_sites import Left, forget_who_waits, leave_site
from series.store.moodle_jobs import drop_jobs, lock_site, plan_jobs
from series.store.tables import course, mirror, moodle_connection, university


@dataclass(frozen=True, kw_only=True)
class MoodleConnection:
    """How the worker reaches one university's Moodle, and as whom. `own_user_ids`: our account, and those before it,
    which have made events that are still ours. `failures`: of the whole site, in a row."""

    university_id: int
    university_slug: str
    base_url: str
    token: str = field(repr=False)
    moodle_user_id: int
    own_user_ids: frozenset[int]
    level: Level
    site_name: str
    failures: int
    failing_since: datetime | None
    paused_until: datetime | None
    reason: str | None
    checks: str | None
    checked_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class NewConnection:
    """What an administrator enters, and what the site said of itself: its own address (wwwroot), name, and who we are
    there."""

    university_id: int
    base_url: str
    token: str = field(repr=False)
    moodle_user_id: int
    level: Level = Level.CALENDAR
    site_name: str = ""


def save_connection(connection: sa.Connection, new: NewConnection, *, encryption_key: bytes, now: datetime) -> Left:
    """May be repeated: a new address, token or level replaces the old one, and everything is done anew soon.

    At another address, courses and activities are to be chosen anew (leave_site). In courses that stay, the events that
    we know are looked for by our marker: the site has moved with them. At a lower level, nobody waits any more.
    """
    row = _row(connection, moodle_connection.c.university_id == new.university_id)
    former: list[int] = []
    left = Left()
    if row is not None:
        former = sorted({*json.loads(row.former_user_ids), row.moodle_user_id} - {new.moodle_user_id})
    if row is not None and row.base_url != new.base_url:
        left = leave_site(connection, new.university_id, for_address=new.base_url)
        _forget_events(connection, new.university_id, now)
    elif row is not None and new.level is Level.CALENDAR:
        forget_who_waits(connection, new.university_id)
    values = {
        "base_url": new.base_url,
        "token_sealed": seal(new.token.encode(), encryption_key),
        "moodle_user_id": new.moodle_user_id,
        "level": new.level.value,
        "site_name": new.site_name[:255],
        "former_user_ids": json.dumps(former),
        "failures": 0,
        "failing_since": None,
        "paused_until": None,
        "reason": None,
        "checks": None,
        "checked_at": None,
        "connected_at": now,
    }
    connection.execute(
        insert(connection, moodle_connection)
        .values(university_id=new.university_id, **values)
        .on_conflict_do_update(index_elements=["university_id"], set_=values)
    )
    plan_jobs(connection, new.university_id, new.level, now=now)
    return left


def disconnect(connection: sa.Connection, university_id: int) -> Left:
    """The token is gone; what stands in Moodle stays there, and what was recorded stays here. Courses and activities
    are known by their numbers there, which another Moodle may use for others: they are to be chosen anew."""
    lock_site(connection, university_id)
    drop_jobs(connection, university_id)
    connection.execute(sa.delete(moodle_connection).where(moodle_connection.c.university_id == university_id))
    connection.execute(sa.delete(mirror).where(mirror.c.course_id.in_(_courses(university_id))))
    connection.execute(sa.update(course).where(course.c.university_id == university_id).values(announces=False))
    return leave_site(connection, university_id, for_address=None)


def connections(connection: sa.Connection, *, encryption_key: bytes) -> list[MoodleConnection]:
    """Raises WrongEncryptionKey."""
    rows = connection.execute(_connections().order_by(university.c.slug))
    return [_connection(row, encryption_key) for row in rows]


def find_connection(
    connection: sa.Connection, university_slug: str, *, encryption_key: bytes
) -> MoodleConnection | None:
    """Raises WrongEncryptionKey."""
    row = connection.execute(_connections().where(university.c.slug == university_slug)).one_or_none()
    return None if row is None else _connection(row, encryption_key)


def note_failure(
    connection: sa.Connection,
    university_id: int,
    *,
    reason: str,
    retry_after_s: int | None,
    jitter: float,
    now: datetime,
) -> datetime:
    """The whole site does not answer, or not us: it is left alone for a while; until when."""
    row = _row(connection, moodle_connection.c.university_id == university_id, for_update=True)
    if row is None:
        return now  # disconnected meanwhile
    failures = row.failures + 1
    until = paused_until(now, failures=failures, retry_after_s=retry_after_s, jitter=jitter)
    connection.execute(
        sa.update(moodle_connection)
        .where(moodle_connection.c.university_id == university_id)
        .values(failures=failures, failing_since=row.failing_since or now, paused_until=until, reason=reason)
    )
    return until


def note_answer(connection: sa.Connection, university_id: int) -> None:
    """The site has answered: nothing is held against it any more. Or somebody says that it will."""
    connection.execute(
        sa.update(moodle_connection)
        .where(moodle_connection.c.university_id == university_id, moodle_connection.c.failures > 0)
        .values(failures=0, failing_since=None, paused_until=None, reason=None)
    )


def save_checks(connection: sa.Connection, university_id: int, checks: str, *, now: datetime) -> None:
    """`checks`: JSON."""
    connection.execute(
        sa.update(moodle_connection)
        .where(moodle_connection.c.university_id == university_id)
        .values(checks=checks, checked_at=now)
    )


def _forget_events(connection: sa.Connection, university_id: int, now: datetime) -> None:
    connection.execute(
        sa.update(mirror)
        .where(mirror.c.course_id.in_(_courses(university_id)))
        .values(event_id=None, began_at=now, shown_as=None)
    )


def _courses(university_id: int) -> sa.Select[tuple[int]]:
    return sa.select(course.c.id).where(course.c.university_id == university_id)


def _connections() -> sa.Select[Any]:
    return sa.select(moodle_connection, university.c.slug).join(university)


def _row(connection: sa.Connection, condition: sa.ColumnElement[bool], *, for_update: bool = False) -> Any:
    query = sa.select(moodle_connection).where(condition)
    return connection.execute(query.with_for_update() if for_update else query).one_or_none()


def _connection(row: Any, encryption_key: bytes) -> MoodleConnection:
    return MoodleConnection(
        university_id=row.university_id,
        university_slug=row.slug,
        base_url=row.base_url,
        token=unseal(row.token_sealed, encryption_key).decode(),
        moodle_user_id=row.moodle_user_id,
        own_user_ids=frozenset({*json.loads(row.former_user_ids), row.moodle_user_id}),
        level=Level(row.level),
        site_name=row.site_name,
        failures=row.failures,
        failing_since=row.failing_since,
        paused_until=row.paused_until,
        reason=row.reason,
        checks=row.checks,
        checked_at=row.checked_at,
    )
