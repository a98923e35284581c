"""Where a gradebook of the course holds more than what counts now: a session that was restored, a source corrected."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa

from series.rule import Score
from series.standing import score_of
from series.store.records import records_of
from series.store.rounds import taken_at
from series.store.rules import course_count_of, rule_of
from series.store.scores import queue_lower_score
from series.store.sent_grades import SentGrade, grades_of_course
from series.store.tables import audit, delivery, participant, placement
from series.store.transfer import GIVES_PROGRESS
from series.store.turns import take_turns

NEVER = datetime.min.replace(tzinfo=UTC)


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
    """By placement and participant. None for what is on its way already, and none of grades from before the course has
    gone over to this round: who took part in both keeps the better one."""
    since, went_over = taken_at(connection, course_id, series_id), _went_over(connection, course_id)
    grades = [
        grade
        for grade in grades_of_course(connection, course_id=course_id, series_id=series_id)
        if since is None
        or grade.placement_id not in went_over
        or grade.score_at >= since.replace(microsecond=0)  # of scores, too, whole seconds are kept
    ]
    records = records_of(connection, {grade.participant_id for grade in grades}, series_id)
    rule, count = rule_of(connection, series_id), course_count_of(connection, course_id, series_id)
    told = _has_been_told(connection, [grade.delivery_id for grade in grades if grade.state != "delivered"])
    silent = _who_object(connection, {grade.participant_id for grade in grades})
    moved_at = _who_moved(connection, {grade.participant_id for grade in grades})
    gaps = []
    for grade in grades:
        counts = score_of(records[grade.participant_id], grade.session_id, rule, now, count)
        gap = Gap(grade=grade, counts=counts)
        if grade.participant_id in silent:
            continue  # whatever is decided, nothing would be sent
        if grade.score_at <= moved_at.get(grade.participant_id, NEVER):
            continue  # their progress is in another account, and what was told here stays
        if counts.is_less_than(gap.told) and (grade.state in {"delivered", "due"} or grade.delivery_id in told):
            gaps.append(gap)
    return gaps


def _who_object(connection: sa.Connection, participant_ids: Collection[int]) -> set[int]:
    query = sa.select(participant.c.id).where(participant.c.objected_at.is_not(None))
    return set(connection.execute(query.where(participant.c.id.in_(participant_ids))).scalars())


def _who_moved(connection: sa.Connection, participant_ids: Collection[int]) -> dict[int, datetime]:
    """When they last gave their progress to another account (series.store.transfer)."""
    ids = {f"participant {one}": one for one in participant_ids}
    query = sa.select(audit.c.actor, sa.func.max(audit.c.at).label("at")).group_by(audit.c.actor)
    given = query.where(audit.c.actor.in_(ids), audit.c.action == GIVES_PROGRESS)
    return {ids[row.actor]: row.at for row in connection.execute(given)}


def _went_over(connection: sa.Connection, course_id: int) -> set[int]:
    """The course's activities that have taken their columns along from an older round."""
    query = sa.select(placement.c.id).where(placement.c.course_id == course_id, placement.c.went_over)
    return set(connection.execute(query).scalars())


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
    take_turns(connection, [participant_id])
    seen = (placement_id, participant_id, told, counts)
    for gap in gaps_of_course(connection, course_id=course_id, series_id=series_id, now=now):
        if (gap.grade.placement_id, gap.grade.participant_id, gap.told, gap.counts) == seen:
            queued = queue_lower_score(connection, participant_id=participant_id, placement_id=placement_id, now=now)
            if queued:
                return queued
    raise GapChanged


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
