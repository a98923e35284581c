"""The ledger of scores on their way: claim with a lease, mark, postpone, give up."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from series.deliveries import LEASE, Delivery
from series.store.tables import delivery, deployment, participant, placement, platform, university

_OF_PLATFORM = (
    delivery.join(placement, delivery.c.placement_id == placement.c.id)
    .join(deployment, placement.c.deployment_id == deployment.c.id)
    .join(platform, deployment.c.platform_id == platform.c.id)
)
_IS_OPEN = (platform.c.state == "active") & (deployment.c.state == "approved")


@dataclass(frozen=True, kw_only=True)
class DeliveryRow:
    """One row of the ledger, for lists."""

    delivery_id: int
    university: str
    sub: str
    line_item_url: str
    version: int
    score_given: int
    score_maximum: int
    state: str
    attempts: int
    next_attempt_at: datetime
    outcome: str | None


def claim(connection: sa.Connection, delivery_id: int, *, now: datetime) -> Delivery | None:
    """Take the delivery for LEASE; None when it is not due, superseded, its platform or deployment is disabled, or
    another version is still in flight.

    A lease that ended belonged to a worker that died: its row may be claimed again, by this same rule.
    """
    query = sa.select(delivery).select_from(_OF_PLATFORM).where(delivery.c.id == delivery_id, _IS_OPEN)
    row = connection.execute(query).one_or_none()
    if row is None or row.state != "due" or row.next_attempt_at > now:
        return None
    same = (delivery.c.line_item_url == row.line_item_url) & (delivery.c.participant_id == row.participant_id)
    if _newer_version(connection, same, row.version):
        connection.execute(
            sa.update(delivery)
            .where(delivery.c.id == delivery_id, delivery.c.state == "due", delivery.c.next_attempt_at <= now)
            .values(state="superseded", in_flight=False)
        )
        return None
    # Older versions whose worker died give way.
    connection.execute(
        sa.update(delivery)
        .where(same, delivery.c.version < row.version, delivery.c.state == "due", delivery.c.next_attempt_at <= now)
        .values(state="superseded", in_flight=False)
    )
    return _claimed(connection, delivery_id) if _take(connection, delivery_id, now) else None


def _take(connection: sa.Connection, delivery_id: int, now: datetime) -> bool:
    """One UPDATE; the unique index of rows in flight refuses a second version beside the first."""
    try:
        with connection.begin_nested():
            taken = connection.execute(
                sa.update(delivery)
                .where(delivery.c.id == delivery_id, delivery.c.state == "due", delivery.c.next_attempt_at <= now)
                .values(in_flight=True, next_attempt_at=now + LEASE, attempts=delivery.c.attempts + 1)
                .returning(delivery.c.id)
            ).one_or_none()
    except sa.exc.IntegrityError:
        return False
    return taken is not None


def due_ids(connection: sa.Connection, *, now: datetime, limit: int) -> list[int]:
    """Deliveries whose time has come, the oldest first; not those of disabled platforms and deployments."""
    rows = connection.execute(
        sa.select(delivery.c.id)
        .select_from(_OF_PLATFORM)
        .where(delivery.c.state == "due", delivery.c.next_attempt_at <= now, _IS_OPEN)
        .order_by(delivery.c.next_attempt_at)
        .limit(limit)
    )
    return list(rows.scalars())


def mark_delivered(connection: sa.Connection, delivery_id: int, *, outcome: str, now: datetime) -> None:
    _end(connection, delivery_id, state="delivered", outcome=outcome, delivered_at=now)


def mark_failed(connection: sa.Connection, delivery_id: int, *, outcome: str) -> None:
    """Never to be tried again by itself; `outcome` is a sentence for the instructor."""
    _end(connection, delivery_id, state="failed", outcome=outcome)


def postpone(connection: sa.Connection, delivery_id: int, *, outcome: str, next_attempt_at: datetime) -> None:
    _end(connection, delivery_id, state="due", outcome=outcome, next_attempt_at=next_attempt_at)


def retry(connection: sa.Connection, *, delivery_id: int | None, now: datetime) -> int:
    """Make one failed or waiting delivery due now, or all of them; how many."""
    which = sa.true() if delivery_id is None else delivery.c.id == delivery_id
    return len(make_due(connection, which, now=now))


def make_due(connection: sa.Connection, which: sa.ColumnElement[bool], *, now: datetime) -> list[int]:
    """Of those the ones that failed or wait, and are not in flight; their ids."""
    waiting = sa.and_(delivery.c.state.in_(["failed", "due"]), sa.not_(delivery.c.in_flight), which)
    rows = connection.execute(
        sa.update(delivery).where(waiting).values(state="due", next_attempt_at=now).returning(delivery.c.id)
    )
    return sorted(rows.scalars())


def list_deliveries(connection: sa.Connection, *, state: str | None) -> list[DeliveryRow]:
    query = (
        sa.select(delivery, university.c.slug, participant.c.sub)
        .select_from(delivery.join(participant).join(university))
        .order_by(delivery.c.id)
    )
    if state is not None:
        query = query.where(delivery.c.state == state)
    return [
        DeliveryRow(
            delivery_id=row.id,
            university=row.slug,
            sub=row.sub,
            line_item_url=row.line_item_url,
            version=row.version,
            score_given=row.score_given,
            score_maximum=row.score_maximum,
            state=row.state,
            attempts=row.attempts,
            next_attempt_at=row.next_attempt_at,
            outcome=row.outcome,
        )
        for row in connection.execute(query)
    ]


def last_delivery(
    connection: sa.Connection, *, placement_id: int, participant_id: int
) -> tuple[str, str | None] | None:
    """(state, outcome) of the newest one, for the participant's own page."""
    row = connection.execute(
        sa.select(delivery.c.state, delivery.c.outcome)
        .where(delivery.c.placement_id == placement_id, delivery.c.participant_id == participant_id)
        .order_by(delivery.c.id.desc())  # not by version, which each line item counts for itself
        .limit(1)
    ).one_or_none()
    return None if row is None else (row.state, row.outcome)


def _newer_version(connection: sa.Connection, same: sa.ColumnElement[bool], version: int) -> bool:
    newer = sa.select(delivery.c.id).where(same, delivery.c.version > version)
    return connection.execute(newer).first() is not None


def _end(connection: sa.Connection, delivery_id: int, **values: Any) -> None:
    """Only a row that is still due: one that was superseded meanwhile keeps that state."""
    connection.execute(
        sa.update(delivery)
        .where(delivery.c.id == delivery_id, delivery.c.state == "due")
        .values(in_flight=False, **values)
    )


def _claimed(connection: sa.Connection, delivery_id: int) -> Delivery:
    row = connection.execute(
        sa.select(delivery, participant.c.sub, placement.c.ags_scopes, platform.c.id.label("platform_pk"))
        .select_from(_OF_PLATFORM.join(participant, delivery.c.participant_id == participant.c.id))
        .where(delivery.c.id == delivery_id)
    ).one()
    return Delivery(
        delivery_id=row.id,
        platform_id=row.platform_pk,
        line_item_url=row.line_item_url,
        ags_scopes=frozenset(row.ags_scopes.split()),
        sub=row.sub,
        score_given=row.score_given,
        score_maximum=row.score_maximum,
        score_at=row.score_at,
        attempts=row.attempts,
        created_at=row.created_at,
    )
