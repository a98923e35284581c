"""Evidence in, completion and deliveries out: one transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.check_in import CODE_LIFE, CheckIn
from series.deliveries import next_score_at
from series.rule import Evidence, Kind, Score, completed_at, score_of_series, score_of_session
from series.sessions import Status
from series.store.database import insert
from series.store.sessions import rule_of
from series.store.tables import check_in, completion, delivery, evidence, membership, participant, placement, session

OTHERS_AT_ONCE = 50


@dataclass(frozen=True, kw_only=True)
class NewEvidence:
    """One fact about one participant and one session; (kind, source, source_id) makes repetition harmless."""

    participant_id: int
    session_id: UUID
    kind: Kind
    source: str
    source_id: str
    observed_at: datetime


def record_evidence(connection: sa.Connection, new: NewEvidence, *, now: datetime) -> list[int]:
    """Append the evidence, derive the completion, queue what the gradebooks must hear; the new deliveries' ids.

    Repeating it with the same (kind, source, source_id) changes nothing and returns no ids.
    """
    # One participant's evidence is taken in turns, so that versions of a score never race.
    connection.execute(sa.select(participant.c.id).where(participant.c.id == new.participant_id).with_for_update())
    added = connection.execute(
        insert(connection, evidence)
        .values(
            participant_id=new.participant_id,
            session_id=new.session_id,
            kind=new.kind.value,
            source=new.source,
            source_id=new.source_id,
            observed_at=new.observed_at,
            recorded_at=now,
        )
        .on_conflict_do_nothing()
        .returning(evidence.c.id)
    ).scalar_one_or_none()
    if added is None:
        return []
    series_id = derive_completion(connection, participant_id=new.participant_id, session_id=new.session_id)
    return queue_scores(connection, participant_id=new.participant_id, series_id=series_id, now=now)


def derive_completion(connection: sa.Connection, *, participant_id: int, session_id: UUID) -> UUID:
    """Make the completion what the rule makes of all evidence there is; the session's series. May be repeated."""
    series_id: UUID = connection.execute(sa.select(session.c.series_id).where(session.c.id == session_id)).scalar_one()
    rows = connection.execute(
        sa.select(evidence).where(evidence.c.participant_id == participant_id, evidence.c.session_id == session_id)
    )
    done_at = completed_at([_evidence(row) for row in rows], rule_of(connection, series_id))
    if done_at is None:
        connection.execute(
            sa.delete(completion).where(
                completion.c.participant_id == participant_id, completion.c.session_id == session_id
            )
        )
        return series_id
    connection.execute(
        insert(connection, completion)
        .values(participant_id=participant_id, session_id=session_id, completed_at=done_at)
        .on_conflict_do_update(index_elements=["participant_id", "session_id"], set_={"completed_at": done_at})
    )
    return series_id


def queue_scores(connection: sa.Connection, *, participant_id: int, series_id: UUID, now: datetime) -> list[int]:
    """One new version for every line item of the participant whose score has changed; the new deliveries' ids."""
    return _queue(connection, participant_id, placement.c.series_id == series_id, now)


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
        queued += _queue(connection, one, placement.c.id == placement_id, now)
        connection.execute(
            sa.update(delivery)
            .where(
                delivery.c.placement_id == placement_id,
                delivery.c.participant_id == one,
                delivery.c.state == "unaddressed",
            )
            .values(state="superseded")
        )
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


def completions_of(connection: sa.Connection, *, participant_id: int, series_id: UUID) -> dict[UUID, datetime]:
    """The sessions of the series that the participant has completed, and when."""
    rows = connection.execute(
        sa.select(completion.c.session_id, completion.c.completed_at)
        .join(session, completion.c.session_id == session.c.id)
        .where(completion.c.participant_id == participant_id, session.c.series_id == series_id)
    )
    return {row.session_id: row.completed_at for row in rows}


def open_check_in(
    connection: sa.Connection, *, session_id: UUID, code: str, participant_id: int, now: datetime
) -> None:
    """Open the check-in of a session for CODE_LIFE."""
    connection.execute(
        sa.insert(check_in).values(
            session_id=session_id,
            code=code,
            opens_at=now,
            closes_at=now + CODE_LIFE,
            opened_by_participant_id=participant_id,
        )
    )


def check_ins_of(connection: sa.Connection, session_id: UUID) -> list[CheckIn]:
    """The newest first."""
    rows = connection.execute(
        sa.select(check_in).where(check_in.c.session_id == session_id).order_by(check_in.c.id.desc())
    )
    return [CheckIn(check_in_id=row.id, code=row.code, opens_at=row.opens_at, closes_at=row.closes_at) for row in rows]


def _lock_those_who_are_free(connection: sa.Connection, participant_ids: set[int]) -> list[int]:
    """Their ids. Whoever is left out launches or checks in just now, and may be waiting for us."""
    if not participant_ids:
        return []
    query = sa.select(participant.c.id).where(participant.c.id.in_(participant_ids)).order_by(participant.c.id)
    return list(connection.execute(query.with_for_update(skip_locked=True)).scalars())


def _queue(connection: sa.Connection, participant_id: int, which: sa.ColumnElement[bool], now: datetime) -> list[int]:
    rows = connection.execute(
        sa.select(placement.c.id, placement.c.series_id, placement.c.session_id, placement.c.line_item_url)
        .join(membership, membership.c.placement_id == placement.c.id)
        .where(
            which,
            membership.c.participant_id == participant_id,
            membership.c.is_learner,
            placement.c.line_item_url.is_not(None),
        )
    ).all()
    queued = [
        _queue_delivery(connection, row, participant_id, _score(connection, row, participant_id), now) for row in rows
    ]
    return [delivery_id for delivery_id in queued if delivery_id is not None]


def _score(connection: sa.Connection, row: Any, participant_id: int) -> Score:
    completed = completions_of(connection, participant_id=participant_id, series_id=row.series_id)
    if row.session_id is not None:
        return score_of_session(is_complete=row.session_id in completed)
    held = connection.execute(
        sa.select(sa.func.count())
        .select_from(session)
        .where(session.c.series_id == row.series_id, session.c.status != Status.CANCELLED.value)
    ).scalar_one()
    return score_of_series(completed=len(completed), held=held, rule=rule_of(connection, row.series_id))


def _queue_delivery(
    connection: sa.Connection, row: Any, participant_id: int, score: Score, now: datetime
) -> int | None:
    last = connection.execute(
        sa.select(delivery)
        .where(delivery.c.line_item_url == row.line_item_url, delivery.c.participant_id == participant_id)
        .order_by(delivery.c.version.desc())
        .limit(1)
    ).one_or_none()
    if last is None and score.given == 0:
        return None  # an empty grade says it better, above all for a session that is still to come
    if last is not None and _is_told(last) and (last.score_given, last.score_maximum) == (score.given, score.maximum):
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


def _is_told(last: Any) -> bool:
    """Whether the newest version has reached its line item, or is on its way, or failed and somebody was told why."""
    return last.state not in {"superseded", "unaddressed"}


def _evidence(row: Any) -> Evidence:
    return Evidence(
        evidence_id=row.id,
        kind=Kind(row.kind),
        observed_at=row.observed_at,
        retracts_evidence_id=row.retracts_evidence_id,
    )
