"""The last refusals of each platform, for its administrator: code, time and reference, and nothing of the message."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from series.store.tables import refusal

KEPT = 50  # of each platform


@dataclass(frozen=True, kw_only=True)
class KeptRefusal:
    """`reference` is what the refused person was shown, to pass on."""

    at: datetime
    code: str
    reference: str


def note_refusal(connection: sa.Connection, *, platform_id: int, code: str, reference: str, now: datetime) -> None:
    """Add one, and drop what is older than the newest KEPT of the platform."""
    connection.execute(sa.insert(refusal).values(platform_id=platform_id, at=now, code=code, reference=reference))
    oldest_kept = _newest_first(platform_id, refusal.c.id).offset(KEPT - 1).limit(1).scalar_subquery()
    connection.execute(sa.delete(refusal).where(refusal.c.platform_id == platform_id, refusal.c.id < oldest_kept))


def last_refusals(connection: sa.Connection, platform_id: int) -> list[KeptRefusal]:
    """The newest first, at most KEPT."""
    query = _newest_first(platform_id, refusal.c.at, refusal.c.code, refusal.c.reference).limit(KEPT)
    return [KeptRefusal(at=row.at, code=row.code, reference=row.reference) for row in connection.execute(query)]


def _newest_first(platform_id: int, *columns: sa.Column[Any]) -> sa.Select[Any]:
    return sa.select(*columns).where(refusal.c.platform_id == platform_id).order_by(refusal.c.id.desc())
