"""What the gradebooks must hear: a new version for every line item of which the score has changed."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.deliveries import next_score_at
from series.rule import Score
from series.standing import score_of
from series.store.lms_tables import round_answer
from series.store.records import records_of
from series.store.rules import course_count_of, rule_of
from series.store.tables import completion, delivery, membership, participant, placement, session
from series.store.turns import is_somebody

OTHERS_AT_ONCE = 50


def queue_scores(
    connection: sa.Connection,
    *,
    participant_id: int,
    series_id: UUID,
    now: datetime,
    session_id: UUID | None = None,
    may_lower_in: Collection[int] = (),
) -> list[int]:
    """One new version for every line item of the participant whose score has changed; the new deliveries' ids.

    What a gradebook has been told is lowered only in the placements of which `may_lower_in` says that a person has
    decided it. `session_id`: nothing has changed but in this session.
    """
    return _queue(connection, participant_id, _shows(series_id, session_id), now, may_lower_in=may_lower_in)


def queue_lower_score(connection: sa.Connection, *, participant_id: int, placement_id: int, now: datetime) -> list[int]:
    """The same for one placement alone, whose gradebook is told what counts, also where that is less."""
    return _queue(connection, participant_id, placement.c.id == placement_id, now, may_lower_in=[placement_id])


def scores_of(
    connection: sa.Connection, *, participant_id: int, series_id: UUID, now: datetime, session_id: UUID | None = None
) -> dict[int, Score]:
    """By placement with a line item: what the present plan makes of all that stands. `session_id`: of those alone that
    show this session, or the whole series."""
    return {row.id: score for row, score in _scored(connection, participant_id, _shows(series_id, session_id), now)}


def told_more_before(connection: sa.Connection, *, participant_id: int, than: Mapping[int, Score]) -> set[int]:
    """Of these placements those that have gone over to another round with their column, and whose gradebook was told
    more before: who took part in both rounds keeps the better grade."""
    rows = connection.execute(
        sa.select(placement.c.id, delivery.c.score_given, delivery.c.score_maximum)
        .join(delivery, delivery.c.line_item_url == placement.c.line_item_url)
        .join(
            round_answer,
            (round_answer.c.course_id == placement.c.course_id)
            & (round_answer.c.new_series_id == placement.c.series_id),
        )
        .where(
            placement.c.id.in_(than),
            placement.c.went_over,
            round_answer.c.is_taken,
            delivery.c.participant_id == participant_id,
            delivery.c.created_at < round_answer.c.answered_at,
        )
    )
    return {row.id for row in rows if than[row.id].is_less_than(score_in(row))}


def queue_score(connection: sa.Connection, *, participant_id: int, placement_id: int, now: datetime) -> list[int]:
    """What this one placement's line item has not heard, whatever it has heard before; the new deliveries' ids."""
    queued = _queue(connection, participant_id, placement.c.id == placement_id, now)
    connection.execute(  # what had lost its address has been queued anew
        sa.update(delivery)
        .where(
            delivery.c.placement_id == placement_id,
            delivery.c.participant_id == participant_id,
            delivery.c.state == "unaddressed",
        )
        .values(state="superseded")
    )
    return queued


def _shows(series_id: UUID, session_id: UUID | None) -> sa.ColumnElement[bool]:
    of_series = placement.c.series_id == series_id
    if session_id is None:
        return of_series
    return of_series & (placement.c.session_id.is_(None) | (placement.c.session_id == session_id))


def queue_missing_scores(
    connection: sa.Connection, *, participant_id: int, placement_id: int, now: datetime
) -> list[int]:
    """Queue what the placement's line item has not heard: this participant's score, and scores of others that lost
    their address when the placement moved to another platform. The new deliveries' ids.

    For a launch, which may just have brought the line item: one query when nothing is missing, and at most
    OTHERS_AT_ONCE others, so that nobody waits long; the next launch goes on.
    """
    asked = {"placement_id": placement_id, "participant_id": participant_id}
    missing = set(connection.execute(_MISSING, asked).scalars())
    others = sorted(missing - {participant_id})[:OTHERS_AT_ONCE]
    queued = []
    for one in _lock_those_who_are_free(connection, {participant_id, *others} & missing):
        queued += queue_score(connection, participant_id=one, placement_id=placement_id, now=now)
    return queued


_HAS_LINE_ITEM = (placement.c.id == sa.bindparam("placement_id")) & placement.c.line_item_url.is_not(None)
_NEVER_TOLD = (
    sa.select(completion.c.participant_id)
    .join(session, completion.c.session_id == session.c.id)
    .join(placement, placement.c.series_id == session.c.series_id)
    .where(
        _HAS_LINE_ITEM,
        completion.c.participant_id == sa.bindparam("participant_id"),
        placement.c.session_id.is_(None) | (placement.c.session_id == session.c.id),
        ~sa.exists().where(
            delivery.c.line_item_url == placement.c.line_item_url,
            delivery.c.participant_id == completion.c.participant_id,
        ),
    )
)
_UNADDRESSED = (
    sa.select(delivery.c.participant_id)
    .join(placement, delivery.c.placement_id == placement.c.id)
    .where(_HAS_LINE_ITEM, delivery.c.state == "unaddressed")
)
_MISSING = _NEVER_TOLD.union(_UNADDRESSED)  # made once, because every launch asks


def _lock_those_who_are_free(connection: sa.Connection, participant_ids: set[int]) -> list[int]:
    """Their ids. Whoever is left out launches or checks in just now, and may be waiting for us."""
    if not participant_ids:
        return []
    query = sa.select(participant.c.id).where(participant.c.id.in_(participant_ids), is_somebody)
    return list(connection.execute(query.order_by(participant.c.id).with_for_update(skip_locked=True)).scalars())


def _queue(
    connection: sa.Connection,
    participant_id: int,
    which: sa.ColumnElement[bool],
    now: datetime,
    *,
    may_lower_in: Collection[int] = (),
) -> list[int]:
    queued = []
    for row, score in _scored(connection, participant_id, which, now):
        may_lower = row.id in may_lower_in
        queued.append(_queue_delivery(connection, row, participant_id, score, now, may_lower=may_lower))
    return [delivery_id for delivery_id in queued if delivery_id is not None]


def _line_items(participant_id: int, which: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """That the participant has as a learner: none while they object to grades being sent."""
    return (
        sa.select(
            placement.c.id,
            placement.c.series_id,
            placement.c.session_id,
            placement.c.course_id,
            placement.c.line_item_url,
        )
        .join(membership, membership.c.placement_id == placement.c.id)
        .join(participant, participant.c.id == membership.c.participant_id)
        .where(
            which,
            membership.c.participant_id == participant_id,
            participant.c.objected_at.is_(None),
            membership.c.is_learner,
            placement.c.line_item_url.is_not(None),
        )
    )


def _scored(
    connection: sa.Connection, participant_id: int, which: sa.ColumnElement[bool], now: datetime
) -> list[tuple[Any, Score]]:
    """The participant's line items, all of one series, each with what the present plan makes of all that stands."""
    rows = connection.execute(_line_items(participant_id, which)).all()
    if not rows:
        return []
    series_id = rows[0].series_id
    records, rule = records_of(connection, [participant_id], series_id)[participant_id], rule_of(connection, series_id)
    scored = []
    for row in rows:
        count = None if row.session_id else course_count_of(connection, row.course_id, series_id)
        scored.append((row, score_of(records, row.session_id, rule, now, count)))
    return scored


def _queue_delivery(
    connection: sa.Connection, row: Any, participant_id: int, score: Score, now: datetime, *, may_lower: bool
) -> int | None:
    last = connection.execute(
        sa.select(delivery)
        .where(delivery.c.line_item_url == row.line_item_url, delivery.c.participant_id == participant_id)
        .order_by(delivery.c.version.desc())
        .limit(1)
    ).one_or_none()
    if last is None and score.given == 0:
        return None  # an empty grade says it better, above all for a session that is still to come
    if last is not None and is_told(last) and score_in(last) == score:
        return None
    is_less = last is not None and score.is_less_than(score_in(last))
    if is_less and not may_lower and not _was_never_told(connection, last):
        return None
    # A newer version makes the waiting ones needless; the one in flight is left to end, and the LMS orders the two
    # by their timestamps.
    connection.execute(
        sa.update(delivery)
        .where(
            delivery.c.line_item_url == row.line_item_url,
            delivery.c.participant_id == participant_id,
            delivery.c.state == "due",
            sa.not_(delivery.c.in_flight),
        )
        .values(state="superseded")
    )
    return int(
        connection.execute(
            sa.insert(delivery)
            .values(
                placement_id=row.id,
                participant_id=participant_id,
                line_item_url=row.line_item_url,
                version=1 if last is None else last.version + 1,
                score_given=score.given,
                score_maximum=score.maximum,
                score_at=next_score_at(now, last.score_at if last else None),
                state="due",
                in_flight=False,
                attempts=0,
                next_attempt_at=now,
                created_at=now,
            )
            .returning(delivery.c.id)
        ).scalar_one()
    )


def _was_never_told(connection: sa.Connection, last: Any) -> bool:
    """Whether the newest version was refused for certain, and the gradebook has taken none before it: then it holds
    nothing of ours that would sink."""
    if last.state != "failed" or not last.was_refused:
        return False
    taken = sa.select(delivery.c.id).where(
        delivery.c.line_item_url == last.line_item_url,
        delivery.c.participant_id == last.participant_id,
        (delivery.c.state == "delivered") | ((delivery.c.state == "superseded") & (delivery.c.attempts > 0)),
    )
    return connection.execute(taken.limit(1)).first() is None


def score_in(row: Any) -> Score:
    """Of a row of the ledger."""
    return Score(given=row.score_given, maximum=row.score_maximum)


def is_told(last: Any) -> bool:
    """Whether the newest version has reached its line item, or is on its way, or failed and somebody was told why."""
    return last.state not in {"superseded", "unaddressed"}
