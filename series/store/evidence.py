"""Evidence in, completion and deliveries out: one transaction."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from series.left_standing import after_adding, after_change, after_withdrawal
from series.rule import Evidence, Kind, Outcome, SessionRule, Span, judge, standing_facts
from series.store.database import insert
from series.store.rules import freeze, rules_of
from series.store.scores import queue_scores, scores_of, told_more_before
from series.store.tables import completion, counted, evidence, excuse, participant, rule_version, session
from series.store.turns import take_turn, take_turns

RETRACTION = "retraction"  # the source of evidence that withdraws another one
_RULE = msgspec.json.Decoder(SessionRule)


class NothingToRetract(Exception):
    """There is no such evidence, or it has been withdrawn already."""


@dataclass(frozen=True, kw_only=True)
class NewEvidence:
    """One fact about one participant and one session; (kind, source, source_id) makes repetition harmless.

    `amount`: as in series.rule.Evidence. `recorded_by`: the person who says so, as in the audit table, and their
    `reason`; None for what the participant has done.
    """

    participant_id: int
    session_id: UUID
    kind: Kind
    source: str
    source_id: str
    observed_at: datetime
    amount: int | None = None
    recorded_by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Retraction:
    """Who has withdrawn a fact, when and why."""

    at: datetime
    by: str | None
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One row of what is known about a participant, and whether it still counts."""

    evidence: Evidence
    session_id: UUID
    source: str
    recorded_at: datetime
    recorded_by: str | None
    reason: str | None
    retraction: Retraction | None = None


@dataclass(frozen=True, kw_only=True)
class _Case:
    """One participant and one session: all facts, and what stands so far."""

    participant_id: int
    session_id: UUID
    series_id: UUID
    facts: list[Evidence]
    rule: SessionRule
    span: Span
    stored: Outcome
    is_rehearsal: bool

    def judge(self, *, without: int | None = None) -> Outcome:
        """By all facts, or all but one. A rehearsal is never completed, nor is anybody excused from it: so it has no
        row from which a score could be made."""
        if self.is_rehearsal:
            return Outcome()
        return judge([fact for fact in self.facts if fact.evidence_id != without], self.rule, self.span)


def record_evidence(connection: sa.Connection, new: NewEvidence, *, now: datetime) -> list[int]:
    """Append the evidence, derive the completion, queue what the gradebooks must hear; the new deliveries' ids.

    Repeating it with the same (kind, source, source_id) changes nothing and returns no ids. Raises NobodyThere.
    """
    take_turn(connection, new.participant_id)
    added = _append(
        connection,
        participant_id=new.participant_id,
        session_id=new.session_id,
        kind=new.kind.value,
        source=new.source,
        source_id=new.source_id,
        observed_at=new.observed_at,
        recorded_at=now,
        amount=new.amount,
        recorded_by=new.recorded_by,
        reason=new.reason,
    )
    if added is None:
        return []
    case = _case(connection, new.participant_id, new.session_id, now)
    _save(connection, case, after_adding(case.stored, case.judge(without=added), case.judge()))
    return queue_scores(
        connection,
        participant_id=new.participant_id,
        series_id=case.series_id,
        session_id=new.session_id,
        now=now,
    )


def retract_evidence(connection: sa.Connection, evidence_id: int, *, by: str, reason: str, now: datetime) -> list[int]:
    """Withdraw one fact by a person's word; the new deliveries' ids: here, and only here, a score may sink.

    And only in the line items where it sinks by this withdrawal: what a change of plan has left standing, in a session
    or in a gradebook, goes on standing. Raises NothingToRetract.
    """
    row = connection.execute(sa.select(evidence).where(evidence.c.id == evidence_id)).one_or_none()
    if row is None or row.retracts_evidence_id is not None:
        raise NothingToRetract
    if not take_turns(connection, [row.participant_id]):  # erased meanwhile, and this fact with all else
        raise NothingToRetract
    added = _append(
        connection,
        participant_id=row.participant_id,
        session_id=row.session_id,
        kind=row.kind,
        source=RETRACTION,
        source_id=str(evidence_id),
        observed_at=now,
        recorded_at=now,
        recorded_by=by,
        reason=reason,
        retracts_evidence_id=evidence_id,
    )
    if added is None:
        raise NothingToRetract
    case = _case(connection, row.participant_id, row.session_id, now)
    of_session = {"participant_id": row.participant_id, "series_id": case.series_id, "session_id": row.session_id}
    before = scores_of(connection, **of_session, now=now)
    left = standing_facts(case.facts)
    outcome = after_withdrawal(
        case.stored, case.judge(without=added), case.judge(), left, rule=case.rule, withdrawn=Kind(row.kind)
    )
    _save(connection, case, outcome)
    after = scores_of(connection, **of_session, now=now)
    sunk = {
        placement_id
        for placement_id, score in after.items()
        if placement_id in before and score.is_less_than(before[placement_id])
    }
    sunk -= told_more_before(connection, participant_id=row.participant_id, than=after)
    return queue_scores(connection, **of_session, now=now, may_lower_in=sunk)


def derive_completion(connection: sa.Connection, *, participant_id: int, session_id: UUID, now: datetime) -> UUID:
    """Make the completion what the rule makes of all evidence there is; the session's series. May be repeated.

    What was earned stays, whatever the plan has become since.
    """
    case = _case(connection, participant_id, session_id, now)
    _save(connection, case, after_change(case.stored, case.judge()))
    return case.series_id


def facts_of(connection: sa.Connection, *, participant_id: int, series_id: UUID) -> list[Fact]:
    """All that is known about a participant in a series, the oldest first; what was withdrawn says so."""
    of_series = sa.select(session.c.id).where(session.c.series_id == series_id)
    rows = connection.execute(
        sa.select(evidence)
        .where(evidence.c.participant_id == participant_id, evidence.c.session_id.in_(of_series))
        .order_by(evidence.c.observed_at, evidence.c.id)
    ).all()
    withdrawn = {
        row.retracts_evidence_id: Retraction(at=row.recorded_at, by=row.recorded_by, reason=row.reason)
        for row in rows
        if row.retracts_evidence_id is not None
    }
    return [
        Fact(
            evidence=_evidence(row),
            session_id=row.session_id,
            source=row.source,
            recorded_at=row.recorded_at,
            recorded_by=row.recorded_by,
            reason=row.reason,
            retraction=withdrawn.get(row.id),
        )
        for row in rows
        if row.retracts_evidence_id is None
    ]


def early_evidence(
    connection: sa.Connection, series_id: UUID, *, now: datetime
) -> dict[int, dict[UUID, tuple[Evidence, ...]]]:
    """What is known of sessions that have not started, by participant and session: confirmations, for the most part."""
    rows = connection.execute(
        sa.select(evidence)
        .join(session, evidence.c.session_id == session.c.id)
        .where(session.c.series_id == series_id, counted, session.c.start_at > now)
    )
    found: defaultdict[int, dict[UUID, tuple[Evidence, ...]]] = defaultdict(dict)
    for row in rows:
        of_participant = found[row.participant_id]
        of_participant[row.session_id] = (*of_participant.get(row.session_id, ()), _evidence(row))
    return dict(found)


def _rule_in_force(connection: sa.Connection, found: Any, now: datetime) -> SessionRule:
    """Of the session in this row; frozen, if it has started."""
    if found.rule_version_id is None and found.start_at <= now:
        freeze(connection, found.series_id, found.id)
    query = sa.select(rule_version.c.rule).join(session, session.c.rule_version_id == rule_version.c.id)
    text: str | None = connection.execute(query.where(session.c.id == found.id)).scalar_one_or_none()
    if text is not None:
        return _RULE.decode(text)
    return rules_of(connection, found.series_id).of_sessions[found.id].rule


def _case(connection: sa.Connection, participant_id: int, session_id: UUID, now: datetime) -> _Case:
    key = {"participant_id": participant_id, "session_id": session_id}
    found = connection.execute(sa.select(session).where(session.c.id == session_id)).one()
    done = connection.execute(sa.select(completion).filter_by(**key)).one_or_none()
    return _Case(
        participant_id=participant_id,
        session_id=session_id,
        series_id=found.series_id,
        facts=[_evidence(row) for row in connection.execute(sa.select(evidence).filter_by(**key))],
        rule=_rule_in_force(connection, found, now),
        span=Span(start_at=found.start_at, end_at=found.end_at),
        stored=Outcome(completed_at=done.completed_at, by_recording=done.by_recording) if done else Outcome(),
        is_rehearsal=found.is_rehearsal,
    )


def _append(connection: sa.Connection, **row: Any) -> int | None:
    """The new fact's id; None when it is there already."""
    added: int | None = connection.execute(
        insert(connection, evidence).values(**row).on_conflict_do_nothing().returning(evidence.c.id)
    ).scalar_one_or_none()
    return added


def _save(connection: sa.Connection, case: _Case, outcome: Outcome) -> None:
    key = {"participant_id": case.participant_id, "session_id": case.session_id}
    if outcome.completed_at is not None:
        home = sa.select(participant.c.university_id).where(participant.c.id == case.participant_id)
        fresh = {"completed_at": outcome.completed_at, "by_recording": outcome.by_recording}
        connection.execute(
            insert(connection, completion)
            .values(**key, university_id=home.scalar_subquery(), **fresh)
            .on_conflict_do_update(index_elements=list(key), set_=fresh)
        )
    else:
        connection.execute(sa.delete(completion).filter_by(**key))
    if outcome.is_excused:
        connection.execute(insert(connection, excuse).values(**key).on_conflict_do_nothing())
    elif not any(fact.kind is Kind.EXCUSED for fact in standing_facts(case.facts)):
        connection.execute(sa.delete(excuse).filter_by(**key))


def _evidence(row: Any) -> Evidence:
    return Evidence(
        evidence_id=row.id,
        kind=Kind(row.kind),
        observed_at=row.observed_at,
        amount=row.amount,
        retracts_evidence_id=row.retracts_evidence_id,
    )
