"""What gradebooks have been told, for the pages of a participant and of a course; and telling them once more."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.store.deliveries import make_due
from series.store.tables import delivery, participant, placement


@dataclass(frozen=True, kw_only=True)
class SentGrade:
    """The newest version of one participant's score in one line item, wherever it is on its way. `outcome`: the last
    answer in words. `next_attempt_at`: none unless it waits (`state` "due"); of one in flight, when its lease ends."""

    delivery_id: int
    participant_id: int
    sub: str
    placement_id: int
    session_id: UUID | None  # none: of the whole series
    score_given: int
    score_maximum: int
    state: str  # due, delivered, failed, unaddressed (waits until somebody opens the activity)
    outcome: str | None
    attempts: int
    next_attempt_at: datetime | None
    score_at: datetime
    delivered_at: datetime | None


def grades_of_participant(connection: sa.Connection, *, participant_id: int, series_id: UUID) -> list[SentGrade]:
    """In all their courses that show the series, in the order of their placements."""
    return _grades(connection, (delivery.c.participant_id == participant_id) & (placement.c.series_id == series_id))


def grades_of_course(connection: sa.Connection, *, course_id: int, series_id: UUID) -> list[SentGrade]:
    """Of everybody in the course, by placement and participant."""
    return _grades(connection, (placement.c.course_id == course_id) & (placement.c.series_id == series_id))


def retry_of_course(connection: sa.Connection, *, course_id: int, delivery_id: int | None, now: datetime) -> list[int]:
    """Make the delivery due now if it failed or waits and is one of this course; or all of the course (None). The ids
    of those that are due now by this: none for a delivery of another course, one in flight or one delivered."""
    of_course = sa.select(placement.c.id).where(placement.c.course_id == course_id)
    which = delivery.c.placement_id.in_(of_course) & _is_newest() & _is_addressed()
    if delivery_id is not None:
        which &= delivery.c.id == delivery_id
    return make_due(connection, which, now=now)


def _grades(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[SentGrade]:
    """A placement that moved to another platform counts by what its present line item was told last."""
    key = [delivery.c.placement_id, delivery.c.participant_id]
    present_first = sa.case((delivery.c.line_item_url == placement.c.line_item_url, 0), else_=1)
    rank = sa.func.row_number().over(
        partition_by=key, order_by=[present_first, delivery.c.score_at.desc(), delivery.c.id.desc()]
    )
    ranked = (
        sa.select(delivery, placement.c.session_id, participant.c.sub, rank.label("rank"))
        .join(placement, delivery.c.placement_id == placement.c.id)
        .join(participant, delivery.c.participant_id == participant.c.id)
        .where(which, delivery.c.state != "superseded", _is_newest())
        .subquery()
    )
    query = sa.select(ranked).where(ranked.c.rank == 1).order_by(ranked.c.placement_id, ranked.c.participant_id)
    return [_grade(row) for row in connection.execute(query)]


def _is_addressed() -> sa.ColumnElement[bool]:
    """To the line item that the placement has now."""
    return sa.exists().where(
        placement.c.id == delivery.c.placement_id, placement.c.line_item_url == delivery.c.line_item_url
    )


def _is_newest() -> sa.ColumnElement[bool]:
    newer = delivery.alias()
    return ~sa.exists().where(
        newer.c.line_item_url == delivery.c.line_item_url,
        newer.c.participant_id == delivery.c.participant_id,
        newer.c.version > delivery.c.version,
    )


def _grade(row: Any) -> SentGrade:
    return SentGrade(
        delivery_id=row.id,
        participant_id=row.participant_id,
        sub=row.sub,
        placement_id=row.placement_id,
        session_id=row.session_id,
        score_given=row.score_given,
        score_maximum=row.score_maximum,
        state=row.state,
        outcome=row.outcome,
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at if row.state == "due" else None,
        score_at=row.score_at,
        delivered_at=row.delivered_at,
    )
