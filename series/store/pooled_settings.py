"""How a series is pooled: the size of the smallest group that is shown, and by which columns."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from series.pooled import SMALLEST_GROUPS, PooledBy
from series.store.audit import append_audit
from series.store.sessions import lock_series
from series.store.tables import series


class SmallestGroupImpossible(Exception):
    """It is not one of series.pooled.SMALLEST_GROUPS."""


def smallest_group_of(connection: sa.Connection, series_id: UUID) -> int:
    """k, as the next step will have it; the last one keeps its own."""
    return int(connection.execute(sa.select(series.c.smallest_group).where(series.c.id == series_id)).scalar_one())


def set_smallest_group(connection: sa.Connection, series_id: UUID, k: int, *, by: str, now: datetime) -> bool:
    """Whether it is another one; from the next step on. Raises SmallestGroupImpossible. May be repeated."""
    if k not in SMALLEST_GROUPS:
        raise SmallestGroupImpossible
    lock_series(connection, series_id)
    before = smallest_group_of(connection, series_id)
    if before == k:
        return False
    connection.execute(sa.update(series).where(series.c.id == series_id).values(smallest_group=k))
    append_audit(
        connection,
        actor=by,
        action="set_smallest_group",
        thing=f"series {series_id}",
        now=now,
        smallest_group=k,
        before=before,
    )
    return True


def pooled_by_of(connection: sa.Connection, series_id: UUID) -> PooledBy | None:
    """None before the first step."""
    found = connection.execute(sa.select(series.c.pooled_by).where(series.c.id == series_id)).scalar_one()
    return None if found is None else PooledBy(found)


def keep_pooled_by(connection: sa.Connection, series_id: UUID, by: PooledBy) -> None:
    """For good: to have seen both would tell more than either. What is decided already stays."""
    is_open = (series.c.id == series_id) & series.c.pooled_by.is_(None)
    connection.execute(sa.update(series).where(is_open).values(pooled_by=by.value))
