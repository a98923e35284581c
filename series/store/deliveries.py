"""The ledger of scores on their way: claim with a lease, mark, postpone, give up."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from series.deliveries import LEASE, Delivery
from series.store.gradebook_pauses import take_probe
from series.store.tables import (
    Instant,
    delivery,
    deployment,
    gradebook_pause,
    participant,
    placement,
    platform,
    university,
)

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
    """Take the delivery for LEASE; None when it is not due, superseded, its platform or deployment is disabled, its
    platform left alone for a while, another version still in flight, or its participant objects to grades being sent.

    A lease that ended belonged to a worker that died: its row may be claimed again, by this same rule.
    """
    row = connection.execute(_CLAIMABLE, {"delivery_id": delivery_id}).one_or_none()
    if row is None or row.state != "due" or row.next_attempt_at > now:
        return None
    if row.paused_until is not None and row.paused_until > now:
        return None
    if row.is_replaced or row.objected_at is not None:
        _supersede(connection, delivery.c.id == delivery_id, now)
        return None
    if row.version > 1:  # older versions whose worker died give way
        same = (delivery.c.line_item_url == row.line_item_url) & (delivery.c.participant_id == row.participant_id)
        _supersede(connection, same & (delivery.c.version < row.version), now)
    attempts = _take(connection, row, now)
    return None if attempts is None else _claimed(row, attempts)


_newer = delivery.alias("newer")
_CLAIMABLE = (
    sa.select(
        delivery,
        participant.c.sub,
        participant.c.objected_at,
        placement.c.ags_scopes,
        platform.c.id.label("platform_pk"),
        gradebook_pause.c.until.label("paused_until"),
        sa.exists()
        .where(
            _newer.c.line_item_url == delivery.c.line_item_url,
            _newer.c.participant_id == delivery.c.participant_id,
            _newer.c.version > delivery.c.version,
        )
        .label("is_replaced"),
    )
    .select_from(_OF_PLATFORM.join(participant, delivery.c.participant_id == participant.c.id))
    .outerjoin(gradebook_pause, gradebook_pause.c.platform_id == platform.c.id)
    .where(delivery.c.id == sa.bindparam("delivery_id"), _IS_OPEN)
)


def _supersede(connection: sa.Connection, which: sa.ColumnElement[bool], now: datetime) -> None:
    connection.execute(
        sa.update(delivery)
        .where(which, delivery.c.state == "due", delivery.c.next_attempt_at <= now)
        .values(state="superseded", in_flight=False)
    )


def _take(connection: sa.Connection, row: Any, now: datetime) -> int | None:
    """One UPDATE; the unique index of rows in flight refuses a second version beside the first. Of a platform that is
    being asked again, one delivery alone. The number of the attempt, or None."""
    try:
        with connection.begin_nested() as savepoint:
            asked = {"delivery_id": row.id, "now": now, "lease_ends_at": now + LEASE}
            attempts = connection.execute(_TAKE, asked).scalar_one_or_none()
            if attempts is None:
                return None
            if row.paused_until is not None and not take_probe(connection, row.platform_pk, now=now):
                savepoint.rollback()
                return None
            return int(attempts)
    except sa.exc.IntegrityError:
        return None


_TAKE = (
    sa.update(delivery)
    .where(
        delivery.c.id == sa.bindparam("delivery_id"),
        delivery.c.state == "due",
        delivery.c.next_attempt_at <= sa.bindparam("now"),
    )
    .values(in_flight=True, next_attempt_at=sa.bindparam("lease_ends_at"), attempts=delivery.c.attempts + 1)
    .returning(delivery.c.attempts)
)


def due_ids(
    connection: sa.Connection,
    *,
    now: datetime,
    limit: int,
    per_platform: int | None = None,
    but_not: Collection[int] = (),
    university_slug: str | None = None,
) -> list[int]:
    """Deliveries whose time has come: the oldest of every platform first, then the next of every platform, so that
    nobody waits behind the thousands of another.

    Not those of disabled platforms and deployments, of platforms that are left alone, and of the platforms `but_not`;
    of a platform that is asked again after a pause, one.
    """
    rank = sa.func.row_number().over(partition_by=platform.c.id, order_by=[delivery.c.next_attempt_at, delivery.c.id])
    ranked = _due(now).add_columns(rank.label("rank")).where(platform.c.id.not_in(but_not))
    if university_slug is not None:
        ranked = ranked.join(university, platform.c.university_id == university.c.id).where(
            university.c.slug == university_slug
        )
    due = ranked.subquery()
    query = sa.select(due.c.id).where(due.c.paused_until.is_(None) | (due.c.rank == 1))
    if per_platform is not None:
        query = query.where(due.c.rank <= per_platform)
    return list(connection.execute(query.order_by(due.c.rank, due.c.next_attempt_at).limit(limit)).scalars())


def due_of_platform(connection: sa.Connection, platform_id: int, *, now: datetime, limit: int) -> list[int]:
    """As `due_ids`, of one platform: the oldest first."""
    query = _due(now).where(platform.c.id == platform_id).order_by(delivery.c.next_attempt_at, delivery.c.id)
    return list(connection.execute(query.limit(limit)).scalars())


def platform_of(connection: sa.Connection, delivery_id: int) -> int | None:
    """The platform of a delivery that is due, as far as its own state says."""
    query = (
        sa.select(platform.c.id)
        .select_from(_OF_PLATFORM)
        .where(delivery.c.id == delivery_id, delivery.c.state == "due", _IS_OPEN)
    )
    return connection.execute(query).scalar_one_or_none()


def _due(now: datetime) -> sa.Select[Any]:
    return (
        sa.select(delivery.c.id, delivery.c.next_attempt_at, gradebook_pause.c.until.label("paused_until"))
        .select_from(_OF_PLATFORM)
        .outerjoin(gradebook_pause, gradebook_pause.c.platform_id == platform.c.id)
        .where(
            delivery.c.state == "due",
            delivery.c.next_attempt_at <= now,
            _IS_OPEN,
            gradebook_pause.c.until.is_(None) | (gradebook_pause.c.until <= now),
        )
    )


def due_since(connection: sa.Connection, *, now: datetime) -> datetime | None:
    """Since when the oldest score waits that could go out at once."""
    due = _due(now).with_only_columns(sa.func.min(delivery.c.next_attempt_at))
    found: datetime | None = connection.execute(due).scalar_one()
    return found


def takes_scores(connection: sa.Connection, platform_id: int, *, since: datetime) -> bool:
    """Whether the platform has taken any score since then."""
    query = sa.select(delivery.c.id).select_from(_OF_PLATFORM).where(platform.c.id == platform_id)
    return connection.execute(query.where(delivery.c.delivered_at > since).limit(1)).first() is not None


def mark_delivered(connection: sa.Connection, delivery_id: int, *, outcome: str, now: datetime) -> None:
    _end(connection, _DELIVERED, delivery_id, outcome, now)


def mark_failed(connection: sa.Connection, delivery_id: int, *, outcome: str, was_refused: bool = False) -> None:
    """Never to be tried again by itself; `outcome` is a sentence for the instructor. `was_refused`: the LMS has said
    no, so that its gradebook holds nothing of it for certain."""
    asked = {"delivery_id": delivery_id, "outcome": outcome, "was_refused": was_refused}
    connection.execute(_FAILED, asked)


def postpone(
    connection: sa.Connection,
    delivery_id: int,
    *,
    outcome: str,
    next_attempt_at: datetime,
    trying_since: datetime | None = None,
) -> None:
    """`trying_since`: when this delivery itself first failed, if it has."""
    connection.execute(
        _POSTPONED,
        {"delivery_id": delivery_id, "outcome": outcome, "at": next_attempt_at, "trying_since": trying_since},
    )


def retry(
    connection: sa.Connection, *, delivery_id: int | None, university_slug: str | None = None, now: datetime
) -> int:
    """Make one failed or waiting delivery due now, or all of them, or all of a university; how many."""
    which = sa.true() if delivery_id is None else delivery.c.id == delivery_id
    if university_slug is not None:
        people = sa.select(participant.c.id).join(university).where(university.c.slug == university_slug)
        which &= delivery.c.participant_id.in_(people)
    return len(make_due(connection, which, now=now))


def make_due(connection: sa.Connection, which: sa.ColumnElement[bool], *, now: datetime) -> list[int]:
    """Of those the ones that failed or wait, and are not in flight; their ids.

    What had failed begins anew, as of now: a person who sends it again means it to count, also where the LMS held
    something newer. What waits is sent as it is.
    """
    idle = which & sa.not_(delivery.c.in_flight)
    due_now = {"state": "due", "next_attempt_at": now, "trying_since": None}
    whole = now.replace(microsecond=0)
    as_of_now = sa.case((delivery.c.score_at < whole, sa.literal(whole, Instant)), else_=delivery.c.score_at)
    waiting = connection.execute(
        sa.update(delivery).where(idle, delivery.c.state == "due").values(due_now).returning(delivery.c.id)
    ).scalars()
    ids = list(waiting)
    failed = connection.execute(
        sa.update(delivery)
        .where(idle, delivery.c.state == "failed")
        .values(due_now | {"score_at": as_of_now, "attempts": 0})
        .returning(delivery.c.id)
    ).scalars()
    return sorted([*ids, *failed])


def list_deliveries(
    connection: sa.Connection, *, state: str | None, university_slug: str | None = None
) -> list[DeliveryRow]:
    query = (
        sa.select(delivery, university.c.slug, participant.c.sub)
        .select_from(delivery.join(participant).join(university))
        .order_by(delivery.c.id)
    )
    if state is not None:
        query = query.where(delivery.c.state == state)
    if university_slug is not None:
        query = query.where(university.c.slug == university_slug)
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


# Only a row that is still due is ended: one that was superseded meanwhile keeps that state.
_OUTCOME = (
    sa.update(delivery)
    .where(delivery.c.id == sa.bindparam("delivery_id"), delivery.c.state == "due")
    .values(in_flight=False, outcome=sa.bindparam("outcome"))
)
_DELIVERED = _OUTCOME.values(state="delivered", delivered_at=sa.bindparam("at"))
_FAILED = _OUTCOME.values(state="failed", was_refused=sa.bindparam("was_refused"))
_POSTPONED = _OUTCOME.values(
    next_attempt_at=sa.bindparam("at"), trying_since=sa.bindparam("trying_since", type_=Instant)
)


def _end(connection: sa.Connection, end: sa.Update, delivery_id: int, outcome: str, at: datetime | None = None) -> None:
    asked = {"delivery_id": delivery_id, "outcome": outcome}
    connection.execute(end, asked if at is None else {**asked, "at": at})


def _claimed(row: Any, attempts: int) -> Delivery:
    """`row`: as it was before."""
    return Delivery(
        delivery_id=row.id,
        platform_id=row.platform_pk,
        line_item_url=row.line_item_url,
        version=row.version,
        ags_scopes=frozenset(row.ags_scopes.split()),
        sub=row.sub,
        score_given=row.score_given,
        score_maximum=row.score_maximum,
        score_at=row.score_at,
        attempts=attempts,
        trying_since=row.trying_since,
        was_cut_off=row.in_flight,
        is_probe=row.paused_until is not None,
    )
