"""Scores whose line item is no longer ours to write, because their placement moved to another platform.

They wait until a launch through that platform has brought the new line item: see `scores.queue_missing_scores`.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.store.scores import queue_scores
from series.store.tables import delivery, deployment, membership, placement


def unaddress_scores(connection: sa.Connection, platform_id: int, *, outcome: str, now: datetime) -> None:
    """All that the platform has not got. Also what failed: often it was the old registration that could not."""
    newer = delivery.alias()
    of_platform = delivery.c.placement_id.in_(_placements_of(platform_id))
    is_last = ~sa.exists().where(
        newer.c.line_item_url == delivery.c.line_item_url,
        newer.c.participant_id == delivery.c.participant_id,
        newer.c.version > delivery.c.version,
    )
    connection.execute(
        sa.update(delivery)
        .where(of_platform, delivery.c.state.in_(["due", "failed"]), is_last)
        .values(state="unaddressed", in_flight=False, outcome=outcome, next_attempt_at=now)
    )
    connection.execute(
        sa.update(delivery).where(of_platform, delivery.c.state == "due").values(state="superseded", in_flight=False)
    )


def tell_known_line_items(
    connection: sa.Connection, platform_id: int, *, also: set[tuple[int, UUID]], now: datetime
) -> list[int]:
    """Queue what the platform's line items have not heard, and the scores of the (participant, series) in `also`; the
    new deliveries' ids."""
    known = placement.c.id.in_(_placements_of(platform_id)) & placement.c.line_item_url.is_not(None)
    of_member = delivery.c.participant_id == membership.c.participant_id
    has_heard = sa.exists().where(of_member, delivery.c.line_item_url == placement.c.line_item_url)
    waits = sa.exists().where(of_member, delivery.c.placement_id == placement.c.id, delivery.c.state == "unaddressed")
    rows = connection.execute(
        sa.select(membership.c.participant_id, placement.c.series_id)
        .join(placement, membership.c.placement_id == placement.c.id)
        .where(known, ~has_heard | waits)
    )
    people = {(row.participant_id, row.series_id) for row in rows} | also
    queued = [
        delivery_id
        for participant_id, series_id in sorted(people)
        for delivery_id in queue_scores(connection, participant_id=participant_id, series_id=series_id, now=now)
    ]
    told = sa.select(placement.c.id).where(known)
    connection.execute(
        sa.update(delivery)
        .where(delivery.c.state == "unaddressed", delivery.c.placement_id.in_(told))
        .values(state="superseded")
    )
    return queued


def count_unaddressed(connection: sa.Connection, platform_id: int) -> int:
    """How many scores of the platform wait for a line item."""
    query = sa.select(sa.func.count()).where(
        delivery.c.state == "unaddressed", delivery.c.placement_id.in_(_placements_of(platform_id))
    )
    return int(connection.execute(query).scalar_one())


def _placements_of(platform_id: int) -> sa.Select[Any]:
    return sa.select(placement.c.id).join(deployment).where(deployment.c.platform_id == platform_id)
