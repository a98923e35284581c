"""Where a gradebook of the course holds more than what counts now: a session that was restored, a source corrected."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from series.rule import Score, score_of_session
from series.standing import SessionRecord, standing
from series.store.records import records_of
from series.store.rules import course_count_of, rule_of
from series.store.sent_grades import SentGrade, grades_of_course
from series.store.tables import delivery


@dataclass(frozen=True, kw_only=True)
class Gap:
    """What the gradebook was told last, and what counts. Nothing closes it but a person's decision."""

    grade: SentGrade
    counts: Score


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
        is_more = grade.score_given * counts.maximum > counts.given * grade.score_maximum
        if is_more and (grade.state in {"delivered", "due"} or grade.delivery_id in told):
            gaps.append(Gap(grade=grade, counts=counts))
    return gaps


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
