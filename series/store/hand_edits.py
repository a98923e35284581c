"""Edits by hand, saved only over what the person has seen."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import msgspec
import sqlalchemy as sa

from series.sessions import Session
from series.store.audit import append_audit
from series.store.calendar_sources import read_anew
from series.store.sessions import add_session, change_session, get_session, lock_series


class EditOutdated(Exception):
    """The session is not there, or somebody (or the calendar) has changed it since it was looked at."""


def version_of(session: Session) -> str:
    """Names what a person has seen of it."""
    return hashlib.sha256(msgspec.json.encode(session)).hexdigest()[:16]


def edit_session(
    connection: sa.Connection,
    series_id: UUID,
    session_id: UUID,
    version: str,
    edit: Callable[[Session], Session],
    *,
    actor: str,
    action: str,
    now: datetime,
) -> Session:
    """What `edit` makes of it. Raises EditOutdated, and what `edit` raises."""
    session = _seen(connection, series_id, session_id, version)
    edited = edit(session)
    if edited != session:
        change_session(connection, edited, by=actor, now=now)
        if set(session.by_hand) - set(edited.by_hand):
            read_anew(connection, series_id)  # so that the calendar has its say at the next reading
        append_audit(connection, actor=actor, action=action, thing=f"session {session_id}", now=now)
    return edited


def swap_sessions(
    connection: sa.Connection,
    series_id: UUID,
    session_id: UUID,
    version: str,
    other_id: UUID,
    swap: Callable[[Session, Session], tuple[Session, Session]],
    *,
    actor: str,
    now: datetime,
) -> None:
    """Both or none. Raises EditOutdated, and what `swap` raises."""
    one, other = _seen(connection, series_id, session_id, version), get_session(connection, other_id)
    if other is None or other.series_id != series_id or one.is_rehearsal or other.is_rehearsal:
        raise EditOutdated
    for edited in swap(one, other):
        change_session(connection, edited, by=actor, now=now)
        append_audit(connection, actor=actor, action="swap_hosts", thing=f"session {edited.session_id}", now=now)


def add_by_hand(connection: sa.Connection, new: Session, *, actor: str, now: datetime) -> None:
    add_session(connection, new, now=now)
    append_audit(connection, actor=actor, action="add_session", thing=f"session {new.session_id}", now=now)


def _seen(connection: sa.Connection, series_id: UUID, session_id: UUID, version: str) -> Session:
    lock_series(connection, series_id)
    session = get_session(connection, session_id)
    if session is None or session.series_id != series_id or version_of(session) != version:
        raise EditOutdated
    return session
