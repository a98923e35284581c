"""Placements without a line item for which somebody has something to tell: to be found or made by the worker.

placement.line_item_next_at is the end of the lease while a worker has it, then when to try again. With a line item, it
says that not everybody's score has been queued yet.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.deliveries import LEASE, resource_id_of
from series.store.gradebook_pauses import take_probe
from series.store.rules import course_count_of, rule_of
from series.store.scores import queue_score
from series.store.tables import (
    completion,
    delivery,
    deployment,
    gradebook_pause,
    membership,
    placement,
    platform,
    series,
    session,
)
from series.store.turns import take_turns

_OF_PLATFORM = (
    placement.join(deployment, placement.c.deployment_id == deployment.c.id)
    .join(platform, deployment.c.platform_id == platform.c.id)
    .outerjoin(gradebook_pause, gradebook_pause.c.platform_id == platform.c.id)
)
_HAS_SOMETHING_TO_TELL = sa.exists().where(
    membership.c.placement_id == placement.c.id,
    membership.c.is_learner,
    membership.c.participant_id == completion.c.participant_id,
    completion.c.session_id == session.c.id,
    session.c.series_id == placement.c.series_id,
    placement.c.session_id.is_(None) | (placement.c.session_id == session.c.id),
)


@dataclass(frozen=True, kw_only=True)
class LackingLineItem:
    """A placement that this worker has claimed. `line_item_url`: it has one by now, and only scores are to be queued.
    `resource_id` says what it shows; `attempts` counts this one; `is_probe` as of a delivery."""

    placement_id: int
    platform_id: int
    line_item_url: str | None
    line_items_url: str
    ags_scopes: frozenset[str]
    resource_link_id: str
    resource_id: str
    label: str
    score_maximum: int
    attempts: int
    is_probe: bool = False


def due_placements(
    connection: sa.Connection, *, scopes: Collection[str], now: datetime, limit: int, but_not: Collection[int] = ()
) -> list[int]:
    """Placements whose time has come, the oldest of each platform; only those to which the last launch has granted all
    of `scopes`, none of the platforms `but_not`, and none that would call a platform that is left alone."""
    query = (
        sa.select(sa.func.min(placement.c.id))
        .select_from(_OF_PLATFORM)
        .where(_is_due(scopes, now), platform.c.id.not_in(but_not))
        .group_by(platform.c.id)
        .order_by(sa.func.min(placement.c.id))
    )
    return list(connection.execute(query.limit(limit)).scalars())


def claim_placement(
    connection: sa.Connection, placement_id: int, *, scopes: Collection[str], now: datetime
) -> LackingLineItem | None:
    """Take the placement for LEASE; None when it is not due, another worker has it, or another call finds out whether
    its platform answers again."""
    due = (
        sa.select(placement.c.id).select_from(_OF_PLATFORM).where(placement.c.id == placement_id, _is_due(scopes, now))
    )
    with connection.begin_nested() as savepoint:
        taken = connection.execute(
            sa.update(placement)
            .where(placement.c.id.in_(due), _time_has_come(now))
            .values(line_item_next_at=now + LEASE, line_item_attempts=placement.c.line_item_attempts + 1)
            .returning(placement.c.id)
        ).one_or_none()
        if taken is None:
            return None
        claimed = _claimed(connection, placement_id)
        if claimed.is_probe and not take_probe(connection, claimed.platform_id, now=now):
            savepoint.rollback()
            return None
    return claimed


def save_line_item(connection: sa.Connection, placement_id: int, line_item_url: str) -> None:
    """A launch may have brought another one meanwhile, which stays: the LMS itself has said so."""
    connection.execute(
        sa.update(placement)
        .where(placement.c.id == placement_id, placement.c.line_item_url.is_(None))
        .values(line_item_url=line_item_url, line_item_problem=None)
    )


def postpone_line_item(
    connection: sa.Connection, placement_id: int, *, problem: str, next_attempt_at: datetime
) -> None:
    connection.execute(
        sa.update(placement)
        .where(placement.c.id == placement_id)
        .values(line_item_problem=problem, line_item_next_at=next_attempt_at)
    )


def forget_line_item(connection: sa.Connection, delivery_id: int, *, problem: str, next_attempt_at: datetime) -> bool:
    """The delivery's line item is no longer in the LMS: its placement gets another one, not before `next_attempt_at`,
    and what was not delivered waits for that, without an address.

    False, and nothing is done, where none can be had, or the placement has another one by now.
    """
    of_delivery = sa.select(delivery.c.placement_id, delivery.c.line_item_url).where(delivery.c.id == delivery_id)
    row = connection.execute(of_delivery).one()
    forgotten = connection.execute(
        sa.update(placement)
        .where(
            placement.c.id == row.placement_id,
            placement.c.line_item_url == row.line_item_url,
            placement.c.line_items_url.is_not(None),
        )
        .values(
            line_item_url=None,
            line_item_next_at=next_attempt_at,
            line_item_attempts=0,
            line_item_problem=problem,
        )
        .returning(placement.c.id)
    ).one_or_none()
    if forgotten is None:
        return False
    connection.execute(
        sa.update(delivery)
        .where(
            delivery.c.placement_id == row.placement_id,
            delivery.c.line_item_url == row.line_item_url,
            (delivery.c.id == delivery_id) | (delivery.c.state.in_(["due", "failed"]) & sa.not_(delivery.c.in_flight)),
        )
        .values(state="unaddressed", in_flight=False, outcome=problem, next_attempt_at=next_attempt_at)
    )
    return True


def learners_of(connection: sa.Connection, placement_id: int) -> list[int]:
    """Whose scores belong into the placement's line item."""
    query = sa.select(membership.c.participant_id).where(
        membership.c.placement_id == placement_id, membership.c.is_learner
    )
    return list(connection.execute(query.order_by(membership.c.participant_id)).scalars())


def line_item_of(connection: sa.Connection, placement_id: int) -> str | None:
    found: str | None = connection.execute(
        sa.select(placement.c.line_item_url).where(placement.c.id == placement_id)
    ).scalar_one()
    return found


def queue_score_of(connection: sa.Connection, placement_id: int, participant_id: int, *, now: datetime) -> None:
    """What the line item has not heard of this learner. In a transaction of its own: it waits for a check-in that is
    under way, which may not have seen the line item yet."""
    take_turns(connection, [participant_id])
    queue_score(connection, participant_id=participant_id, placement_id=placement_id, now=now)


def end_search(connection: sa.Connection, placement_id: int, line_item_url: str | None) -> None:
    """Everybody's score has been queued for this line item. A launch may have brought another one meanwhile: then there
    is another search to come."""
    connection.execute(
        sa.update(placement)
        .where(placement.c.id == placement_id, placement.c.line_item_url == line_item_url)
        .values(line_item_next_at=None, line_item_attempts=0, line_item_problem=None)
    )


def _is_due(scopes: Collection[str], now: datetime) -> sa.ColumnElement[bool]:
    granted = (sa.literal(" ") + placement.c.ags_scopes + sa.literal(" ")).contains
    is_lacking = sa.and_(
        placement.c.line_item_url.is_(None),
        placement.c.line_items_url.is_not(None),
        *(granted(f" {scope} ", autoescape=True) for scope in scopes),
        _HAS_SOMETHING_TO_TELL,
        gradebook_pause.c.until.is_(None) | (gradebook_pause.c.until <= now),
    )
    not_all_queued = placement.c.line_item_url.is_not(None) & placement.c.line_item_next_at.is_not(None)
    is_open = (platform.c.state == "active") & (deployment.c.state == "approved")
    return sa.and_(is_lacking | not_all_queued, _time_has_come(now), is_open)


def _time_has_come(now: datetime) -> sa.ColumnElement[bool]:
    return placement.c.line_item_next_at.is_(None) | (placement.c.line_item_next_at <= now)


def _claimed(connection: sa.Connection, placement_id: int) -> LackingLineItem:
    row = connection.execute(
        sa.select(
            placement,
            platform.c.id.label("platform_pk"),
            series.c.title.label("series_title"),
            session.c.title.label("session_title"),
            gradebook_pause.c.until.label("paused_until"),
        )
        .select_from(
            _OF_PLATFORM.join(series, placement.c.series_id == series.c.id).outerjoin(
                session, placement.c.session_id == session.c.id
            )
        )
        .where(placement.c.id == placement_id)
    ).one()
    of_session = row.session_id is not None
    return LackingLineItem(
        placement_id=row.id,
        platform_id=row.platform_pk,
        line_item_url=row.line_item_url,
        line_items_url=row.line_items_url or "",
        ags_scopes=frozenset(row.ags_scopes.split()),
        resource_link_id=row.resource_link_id,
        resource_id=resource_id_of(row.series_id, row.session_id),
        label=row.session_title if of_session else row.series_title,
        score_maximum=1 if of_session else _required(connection, row.course_id, row.series_id),
        attempts=row.line_item_attempts,
        is_probe=row.line_item_url is None and row.paused_until is not None,
    )


def _required(connection: sa.Connection, course_id: Any, series_id: UUID) -> int:
    count = course_count_of(connection, course_id, series_id)
    return count.required if count else rule_of(connection, series_id).required
