"""How each university's Moodle is reached, and whether it answers."""

import json
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from series.checks import decode_checks, gap_key, gaps_of
from series.moodle_jobs import LATE_EFFECT, Level, MoodleJob, paused_until
from series.store.course_ties import let_go_what_others_show
from series.store.database import insert
from series.store.keys import WrongEncryptionKey, seal, unseal
from series.store.leaving_sites import Left, forget_who_waits, leave_site
from series.store.moodle_accounts import accounts_of, last_address, note_account, take_accounts_along
from series.store.moodle_jobs import ask_again, drop_jobs, lock_site, lock_site_and_jobs, plan_jobs
from series.store.runs import close_runs
from series.store.tables import course, mirror, moodle_connection, university
from series.store.taking_part import refuse_left


@dataclass(frozen=True, kw_only=True)
class MoodleConnection:
    """How the worker reaches one university's Moodle, and as whom. `own_user_ids`: our account, and those that we have
    had there before, whose events are still ours. `failures`: of the whole site, in a row."""

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
    there. `is_same_site`: at another address than before, somebody says that it is the same Moodle."""

    university_id: int
    base_url: str
    token: str = field(repr=False)
    moodle_user_id: int
    level: Level = Level.CALENDAR
    site_name: str = ""
    is_same_site: bool = False


def save_connection(connection: sa.Connection, new: NewConnection, *, encryption_key: bytes, now: datetime) -> Left:
    """May be repeated: a new address, token or level replaces the old one, and everything is done anew soon; what no
    longer holds.

    At another address than before, courses and activities are to be chosen anew (leave_site). Of courses that stay, and
    of the same site that has moved, the events that we know are looked for by our marker. At a lower level, nobody
    waits any more. Raises UniversityLeft.
    """
    refuse_left(connection, new.university_id)
    lock_site_and_jobs(connection, new.university_id)
    may_come_late = _close_runs(connection, new.university_id) or _has_begun(connection, new.university_id)
    left = _leave(connection, new, now)
    if new.level is Level.CALENDAR:
        forget_who_waits(connection, new.university_id)
    note_account(connection, new.university_id, new.base_url, new.moodle_user_id)
    _put_row(connection, new, encryption_key, now)
    if let_go_what_others_show(connection, new.university_id):
        left = replace(left, to_others=True)
    plan_jobs(connection, new.university_id, new.level, now=now)
    if may_come_late:
        ask_again(connection, new.university_id, MoodleJob.SWEEP, at=now + LATE_EFFECT)
    return left


def _has_begun(connection: sa.Connection, university_id: int) -> bool:
    """Whether an event was begun to be made, and is not known to have been, when the site was disconnected."""
    query = sa.select(mirror.c.course_id).where(
        mirror.c.course_id.in_(_courses(university_id)), mirror.c.began_at.is_not(None)
    )
    return connection.execute(query.limit(1)).one_or_none() is not None


def _leave(connection: sa.Connection, new: NewConnection, now: datetime) -> Left:
    """The site that was connected last, if this is another address."""
    before = last_address(connection, new.university_id)
    if before is None or before == new.base_url:
        return Left()
    left = Left()
    if new.is_same_site:
        take_accounts_along(connection, new.university_id, before=before, base_url=new.base_url)
    else:
        left = leave_site(connection, new.university_id, for_address=new.base_url)
        connection.execute(
            sa.update(moodle_connection)
            .where(moodle_connection.c.university_id == new.university_id)
            .values(gaps_since=None)
        )
    _forget_events(connection, new.university_id, now)
    return left


def _put_row(connection: sa.Connection, new: NewConnection, encryption_key: bytes, now: datetime) -> None:
    values = {
        "base_url": new.base_url,
        "token_sealed": seal(new.token.encode(), encryption_key),
        "moodle_user_id": new.moodle_user_id,
        "level": new.level.value,
        "site_name": new.site_name[:255],
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


def disconnect(connection: sa.Connection, university_id: int) -> None:
    """The token is gone; what stands in Moodle stays there, and what was recorded stays here. Courses and activities
    stay chosen, and what has given something can be taken back, for as long as no other address is connected; who
    waits, unknown here, is forgotten."""
    lock_site(connection, university_id)
    _close_runs(connection, university_id)
    drop_jobs(connection, university_id)
    connection.execute(sa.delete(moodle_connection).where(moodle_connection.c.university_id == university_id))
    ended = mirror.c.began_at.is_(None)  # what may still take effect is not made again too soon after connecting anew
    connection.execute(sa.delete(mirror).where(mirror.c.course_id.in_(_courses(university_id)), ended))
    connection.execute(sa.update(course).where(course.c.university_id == university_id).values(announces=False))
    forget_who_waits(connection, university_id)


def connections(connection: sa.Connection, *, encryption_key: bytes) -> list[MoodleConnection]:
    """Raises WrongEncryptionKey."""
    rows = connection.execute(_connections().order_by(university.c.slug)).all()
    accounts = accounts_of(connection, [row.university_id for row in rows])
    return [_connection(row, accounts.get((row.university_id, row.base_url), ()), encryption_key) for row in rows]


def find_connection(
    connection: sa.Connection, university_slug: str, *, encryption_key: bytes
) -> MoodleConnection | None:
    """Raises WrongEncryptionKey."""
    row = connection.execute(_connections().where(university.c.slug == university_slug)).one_or_none()
    if row is None:
        return None
    accounts = accounts_of(connection, [row.university_id])
    return _connection(row, accounts.get((row.university_id, row.base_url), ()), encryption_key)


def described_connection(
    connection: sa.Connection, university_slug: str, *, encryption_key: bytes
) -> MoodleConnection | None:
    """The same for people, who can enter another token: an empty one where it cannot be read, since it was kept under
    another encryption key."""
    row = connection.execute(_connections().where(university.c.slug == university_slug)).one_or_none()
    if row is None:
        return None
    accounts = accounts_of(connection, [row.university_id]).get((row.university_id, row.base_url), ())
    try:
        return _connection(row, accounts, encryption_key)
    except WrongEncryptionKey:
        return _connection(row, accounts, encryption_key, token="")


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
    """`checks`: JSON. A gap that an earlier check has found, too, is as old as it was."""
    of_university = moodle_connection.c.university_id == university_id
    before = connection.execute(sa.select(moodle_connection.c.gaps_since).where(of_university)).scalar_one_or_none()
    known = json.loads(before or "{}")
    since = {key: known.get(key, now.isoformat()) for key in map(gap_key, gaps_of(decode_checks(checks)))}
    connection.execute(
        sa.update(moodle_connection)
        .where(of_university)
        .values(checks=checks, checked_at=now, gaps_since=json.dumps(since))
    )


def _close_runs(connection: sa.Connection, university_id: int) -> bool:
    """Those that are under way with the connection as it was: they make no call more, and write nothing. Whether there
    was one."""
    slug = connection.execute(sa.select(university.c.slug).where(university.c.id == university_id)).scalar_one()
    reason = "The Moodle was disconnected or connected anew in the middle of the run."
    return close_runs(connection, jobs=tuple(MoodleJob), scope=slug, reason=reason)


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


def _connection(
    row: Any, accounts: Collection[int], encryption_key: bytes, *, token: str | None = None
) -> MoodleConnection:
    """`token`: to be taken in place of what is kept."""
    return MoodleConnection(
        university_id=row.university_id,
        university_slug=row.slug,
        base_url=row.base_url,
        token=unseal(row.token_sealed, encryption_key).decode() if token is None else token,
        moodle_user_id=row.moodle_user_id,
        own_user_ids=frozenset({*accounts, row.moodle_user_id}),
        level=Level(row.level),
        site_name=row.site_name,
        failures=row.failures,
        failing_since=row.failing_since,
        paused_until=row.paused_until,
        reason=row.reason,
        checks=row.checks,
        checked_at=row.checked_at,
    )
