"""Who changed where people meet, and where they may meet. Links may be keys: of a link, only its host is kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.join_links import host_in
from series.sessions import Session
from series.store.audit import append_audit
from series.store.calendar_sources import read_anew
from series.store.lms_tables import join_link_change
from series.store.tables import series, session

NEWS_BEFORE = timedelta(hours=24)  # the start: a link that changes so late is told to who comes, until the end


@dataclass(frozen=True, kw_only=True)
class JoinLinkChange:
    """`by`: as in the audit table, or CALENDAR. A host of None: there was no link, or there is none any more."""

    by: str
    at: datetime
    old_host: str | None
    new_host: str | None


def note_join_link(connection: sa.Connection, changed: Session, *, by: str, now: datetime) -> None:
    """Before a session is changed: that its link becomes another one, if it does."""
    before: str | None = connection.execute(
        sa.select(session.c.join_url).where(session.c.id == changed.session_id)
    ).scalar_one_or_none()
    if before == changed.join_url:
        return
    connection.execute(
        sa.insert(join_link_change).values(
            session_id=changed.session_id,
            changed_by=by,
            changed_at=now,
            old_host=host_in(before),
            new_host=host_in(changed.join_url),
        )
    )


def join_link_changes(connection: sa.Connection, session_id: UUID) -> list[JoinLinkChange]:
    """The newest first."""
    query = sa.select(join_link_change).where(join_link_change.c.session_id == session_id)
    return [_change(row) for row in connection.execute(query.order_by(join_link_change.c.id.desc()))]


def late_change(connection: sa.Connection, of: Session, *, now: datetime) -> JoinLinkChange | None:
    """The last change of a link in the NEWS_BEFORE before the start, or since; until the end. Not the first link."""
    if of.is_over(now):
        return None
    query = (
        sa.select(join_link_change)
        .where(
            join_link_change.c.session_id == of.session_id,
            join_link_change.c.changed_at >= of.start_at - NEWS_BEFORE,
            join_link_change.c.old_host.is_not(None),
        )
        .order_by(join_link_change.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _change(row)


def set_join_hosts(connection: sa.Connection, series_id: UUID, hosts: Iterable[str], *, by: str, now: datetime) -> None:
    """None: meetings may be anywhere. The calendar is read anew, because it may say something that is allowed now."""
    text = " ".join(hosts)
    connection.execute(sa.update(series).where(series.c.id == series_id).values(join_hosts=text or None))
    read_anew(connection, series_id)
    append_audit(connection, actor=by, action="set_join_hosts", thing=f"series {series_id}", now=now, hosts=text)


def join_hosts_of(connection: sa.Connection, series_id: UUID) -> tuple[str, ...]:
    """Also of a series that is not there yet."""
    query = sa.select(series.c.join_hosts).where(series.c.id == series_id)
    return tuple((connection.execute(query).scalar_one_or_none() or "").split())


def _change(row: Any) -> JoinLinkChange:
    return JoinLinkChange(by=row.changed_by, at=row.changed_at, old_host=row.old_host, new_host=row.new_host)
