"""Which claims came with an LMS's launches: their names, and never a value."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from series.store.database import insert
from series.store.lms_tables import platform_arrival


@dataclass(frozen=True, kw_only=True)
class SeenClaims:
    """`seen_at`: to the hour."""

    message_type: str
    claims: tuple[str, ...]
    unexpanded: tuple[str, ...]
    seen_at: datetime


def save_arrival(
    connection: sa.Connection,
    platform_id: int,
    message_type: str,
    *,
    claims: Iterable[str],
    unexpanded: Iterable[str],
    now: datetime,
) -> None:
    """In place of what was known of this type of message. May be repeated."""
    values = {
        "claims": json.dumps(list(claims)),
        "unexpanded": json.dumps(list(unexpanded)),
        "seen_at": now.replace(minute=0, second=0, microsecond=0),
    }
    connection.execute(
        insert(connection, platform_arrival)
        .values(platform_id=platform_id, message_type=message_type, **values)
        .on_conflict_do_update(index_elements=["platform_id", "message_type"], set_=values)
    )


def seen_claims(connection: sa.Connection, platform_id: int) -> list[SeenClaims]:
    """By type of message."""
    rows = connection.execute(
        sa.select(platform_arrival)
        .where(platform_arrival.c.platform_id == platform_id)
        .order_by(platform_arrival.c.message_type.desc())
    )
    return [
        SeenClaims(
            message_type=row.message_type,
            claims=tuple(json.loads(row.claims)),
            unexpanded=tuple(json.loads(row.unexpanded)),
            seen_at=row.seen_at,
        )
        for row in rows
    ]
