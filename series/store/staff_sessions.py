"""Sign-ins of staff: one row for each browser, found by the hash of its cookie's secret."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from series.people import University
from series.staff import SESSION_IDLE, SESSION_LIFE, AccountState, Role, Staff
from series.store.staff import Account, AccountChanged
from series.store.tables import staff, staff_session, university


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """Who is signed in by one cookie, and when it was last noted that they are here."""

    staff: Staff
    seen_at: datetime


def open_session(connection: sa.Connection, account: Account, session_hash: str, *, now: datetime) -> int:
    """Sign in; the number of tries that failed since the last time. The right password was typed for `account` as it
    was read before: raises AccountChanged if it has another one meanwhile, or is disabled."""
    current = connection.execute(
        sa.update(staff)
        .where(
            staff.c.id == account.staff_id,
            staff.c.epoch == account.epoch,
            staff.c.state == AccountState.ACTIVE.value,
        )
        .values(signed_in_at=now, tries=0)
        .returning(staff.c.id)
    ).one_or_none()
    if current is None:
        raise AccountChanged
    connection.execute(
        sa.insert(staff_session).values(
            id=session_hash,
            staff_id=account.staff_id,
            epoch=account.epoch,
            created_at=now,
            seen_at=now,
            expires_at=now + SESSION_LIFE,
            seen_before_at=account.signed_in_at,
        )
    )
    return max(0, account.tries - 1)


def find_session(connection: sa.Connection, session_hash: str, *, now: datetime) -> SignIn | None:
    """None when it is over: by its time, by idleness, by a sign-out anywhere, or with the account."""
    row = connection.execute(
        _sessions().where(
            staff_session.c.id == session_hash,
            staff_session.c.expires_at > now,
            staff_session.c.seen_at > now - SESSION_IDLE,
            staff_session.c.epoch == staff.c.epoch,
            staff.c.state == AccountState.ACTIVE.value,
        )
    ).one_or_none()
    return None if row is None else SignIn(staff=_staff(row), seen_at=row.seen_at)


def note_seen(connection: sa.Connection, session_hash: str, *, now: datetime) -> None:
    connection.execute(sa.update(staff_session).where(staff_session.c.id == session_hash).values(seen_at=now))


def close_session(connection: sa.Connection, session_hash: str) -> None:
    """Sign out in this browser. May be repeated."""
    connection.execute(sa.delete(staff_session).where(staff_session.c.id == session_hash))


def purge_sessions(connection: sa.Connection, *, now: datetime) -> None:
    """Drop those that are over by their time or by idleness."""
    over = sa.or_(staff_session.c.expires_at <= now, staff_session.c.seen_at <= now - SESSION_IDLE)
    connection.execute(sa.delete(staff_session).where(over))


def _sessions() -> sa.Select[Any]:
    return sa.select(
        staff_session.c.seen_at,
        staff_session.c.seen_before_at,
        staff.c.id.label("staff_id"),
        staff.c.email,
        staff.c.name.label("staff_name"),
        staff.c.role,
        staff.c.epoch,
        university,
    ).select_from(
        staff_session.join(staff, staff_session.c.staff_id == staff.c.id).outerjoin(
            university, staff.c.university_id == university.c.id
        )
    )


def _staff(row: Any) -> Staff:
    home = None
    if row.id is not None:
        home = University(
            university_id=row.id,
            slug=row.slug,
            name=row.name,
            country=row.country,
            time_zone=row.time_zone,
            language=row.language,
        )
    return Staff(
        staff_id=row.staff_id,
        email=row.email,
        name=row.staff_name,
        role=Role(row.role),
        university=home,
        epoch=row.epoch,
        seen_before_at=row.seen_before_at,
    )
