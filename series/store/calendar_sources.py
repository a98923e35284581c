"""How the fetches of a series' calendar went: what may be asked conditionally, since when it fails, and why."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.store.database import insert
from series.store.tables import calendar_source, series
from series.store.uploads import TABLE_SOURCE


@dataclass(frozen=True, kw_only=True)
class CalendarSource:
    source: str
    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    read_at: datetime | None = None  # when it was last read well
    failing_since: datetime | None = None
    failures: int = 0  # in a row
    reason: str | None = None  # of the last failure
    next_fetch_at: datetime | None = None


def source_of(connection: sa.Connection, series_id: UUID, source: str) -> CalendarSource:
    """As the last fetches of this very source left it."""
    query = sa.select(calendar_source).where(
        calendar_source.c.series_id == series_id, calendar_source.c.source == source
    )
    row = connection.execute(query).mappings().one_or_none()
    return CalendarSource(source=source) if row is None else _source(dict(row))


def save_source(connection: sa.Connection, series_id: UUID, state: CalendarSource) -> None:
    values = {
        "source": state.source,
        "etag": state.etag,
        "last_modified": state.last_modified,
        "body_hash": state.body_hash,
        "read_at": state.read_at,
        "failing_since": state.failing_since,
        "failures": state.failures,
        "reason": state.reason,
        "next_fetch_at": state.next_fetch_at,
    }
    connection.execute(
        insert(connection, calendar_source)
        .values(series_id=series_id, **values)
        .on_conflict_do_update(index_elements=["series_id"], set_=values)
    )


def read_anew(connection: sa.Connection, series_id: UUID) -> None:
    """At the next fetch, also if the calendar is as it was."""
    connection.execute(sa.update(calendar_source).where(calendar_source.c.series_id == series_id).values(read_at=None))


def due_sources(connection: sa.Connection, *, now: datetime) -> Collection[str]:
    """Slugs of the series whose calendar may be fetched now: it is there, and nothing asks us to wait."""
    query = (
        sa.select(series.c.slug)
        .select_from(
            series.outerjoin(
                calendar_source,
                (calendar_source.c.series_id == series.c.id) & (calendar_source.c.source == series.c.source),
            )
        )
        .where(
            series.c.source.is_not(None),
            series.c.source.not_like(f"{TABLE_SOURCE}%"),
            sa.or_(calendar_source.c.next_fetch_at.is_(None), calendar_source.c.next_fetch_at <= now),
        )
        .order_by(series.c.created_at)
    )
    return connection.execute(query).scalars().all()


def _source(row: dict[str, Any]) -> CalendarSource:
    del row["series_id"]
    return CalendarSource(**row)
