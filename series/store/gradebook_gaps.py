"""Where a gradebook of the course holds more than what counts now: a session that was restored, a source corrected."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from series.rule import Score, score_of_session
from series.standing import SessionRecord, standing
from series.store.records import records_of
from series.store.rules import course_count_of, rule_of
from series.store.scores import queue_lower_score
from series.store.sent_grades import SentGrade, grades_of_course
from series.store.tables import delivery, participant


class GapChanged(Exception):
    """There is no such gap any more: another grade, or another score that counts. Nothing was written."""


@dataclass(frozen=True, kw_only=True)
class Gap:
    """What the gradebook was told last, and what counts. Nothing closes it but a person's decision."""

    grade: SentGrade
    counts: Score

    @property
    def told(self) -> Score:
        return Score(given=self.grade.score_given, maximum=self.grade.score_maximum)


def gaps_of_course(connection: sa.Connection, *, course_id: int, series_id: UUID, now: datetime) -> list[Gap]:
    """By placement and participant. None for what is on its way already."""
    grades = grades_of_course(connection, course_id=course_id, series_id=series_id)
    records = records_of(connection, {grade.participant_id for grade in grades}, series_id)
    rule, count = rule_of(connection, series_id), course_count_of(connection, course_id, series_id)
    told = _has_been_told(connection, [grade.delivery_id for grade in grades if grade.state != "delivered"])
    gaps = []
    for grade in grades:
        own = records[grade.participant_id]
        counts = _score_of_session(own, grade.session_id) or standing(own, rule, now, count).score
        gap = Gap(grade=grade, counts=counts)
        if counts.is_less_than(gap.told) and (grade.state in {"delivered", "due"} or grade.delivery_id in told):
            gaps.append(gap)
    return gaps


def close_gap(
    connection: sa.Connection,
    *,
    course_id: int,
    series_id: UUID,
    placement_id: int,
    participant_id: int,
    told: Score,
    counts: Score,
    now: datetime,
) -> list[int]:
    """Tell this one gradebook of the course what counts; the new delivery's id. `told` and `counts`: what the person
    has seen who decides it. Raises GapChanged."""
    connection.execute(sa.select(participant.c.id).where(participant.c.id == participant_id).with_for_update())
    seen = (placement_id, participant_id, told, counts)
    for gap in gaps_of_course(connection, course_id=course_id, series_id=series_id, now=now):
        if (gap.grade.placement_id, gap.grade.participant_id, gap.told, gap.counts) == seen:
            queued = queue_lower_score(connection, participant_id=participant_id, placement_id=placement_id, now=now)
            if queued:
                return queued
    raise GapChanged


def _score_of_session(records: list[SessionRecord], session_id: UUID | None) -> Score | None:
    """None for a grade of the whole series."""
    if session_id is None:
        return None
    done = any(one.session_id == session_id and one.outcome.completed_at is not None for one in records)
    return score_of_session(is_complete=done)


def _has_been_told(connection: sa.Connection, delivery_ids: list[int]) -> set[int]:
    """Those of them before which another version has arrived."""
    earlier = delivery.alias()
    rows = connection.execute(
        sa.select(delivery.c.id)
        .distinct()
        .join(
            earlier,
            (earlier.c.line_item_url == delivery.c.line_item_url)
            & (earlier.c.participant_id == delivery.c.participant_id),
        )
        .where(delivery.c.id.in_(delivery_ids), earlier.c.state == "delivered")
    )
    return set(rows.scalars())
