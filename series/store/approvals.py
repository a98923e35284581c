"""What a person says of others: confirmed, excused, was there; and what a withdrawal would leave them."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from series.left_standing import after_withdrawal
from series.rule import Kind, Outcome, judge
from series.standing import Standing, standing
from series.store.audit import append_audit
from series.store.evidence import Fact, NewEvidence, NothingToRetract, facts_of, record_evidence, retract_evidence
from series.store.records import outcomes_of, records_of
from series.store.rules import course_count_of, rule_of
from series.store.tables import evidence
from series.store.turns import take_turns

SOURCES = {Kind.APPROVAL: "confirmation", Kind.EXCUSED: "excuse", Kind.LIVE: "meeting report"}
ACTIONS = {Kind.APPROVAL: "confirm", Kind.EXCUSED: "excuse", Kind.LIVE: "record_presence"}


@dataclass(frozen=True, kw_only=True)
class Word:
    """What a person says of some people and one session, and why. `kind`: one of SOURCES. `form_id`: of the form that
    says it, so that sending it twice says it once. `by`: as in the audit table."""

    session_id: UUID
    kind: Kind
    by: str
    reason: str
    form_id: str
    observed_at: datetime
    amount: int | None = None


@dataclass(frozen=True, kw_only=True)
class Withdrawal:
    """What would become of a session and of the whole, if a fact were withdrawn."""

    fact: Fact
    before: Outcome
    after: Outcome
    standing_before: Standing
    standing_after: Standing


def record_word(connection: sa.Connection, word: Word, participant_ids: Collection[int], *, now: datetime) -> list[int]:
    """Make it evidence for each of them who has not been erased meanwhile; the new deliveries' ids. May be repeated."""
    queued = []
    for participant_id in sorted(take_turns(connection, participant_ids)):
        if _is_said(connection, word, participant_id):
            continue
        new = NewEvidence(
            participant_id=participant_id,
            session_id=word.session_id,
            kind=word.kind,
            source=SOURCES[word.kind],
            source_id=word.form_id,
            observed_at=word.observed_at,
            amount=word.amount,
            recorded_by=word.by,
            reason=word.reason,
        )
        queued += record_evidence(connection, new, now=now)
        append_audit(
            connection,
            actor=word.by,
            action=ACTIONS[word.kind],
            thing=f"participant {participant_id}",
            now=now,
            session=str(word.session_id),
        )
    return queued


def said_by_form(connection: sa.Connection, *, by: str, session_id: UUID, form_id: str) -> int:
    """For how many people this form has said something."""
    said = sa.select(sa.func.count(sa.distinct(evidence.c.participant_id))).where(
        evidence.c.session_id == session_id,
        evidence.c.source_id == form_id,
        evidence.c.recorded_by == by,
        evidence.c.source.in_(SOURCES.values()),
    )
    return int(connection.execute(said).scalar_one())


def outcomes_of_session(
    connection: sa.Connection, participant_ids: Collection[int], session_id: UUID
) -> dict[int, Outcome]:
    """Of those of them who have completed the session, or are excused from it."""
    found = outcomes_of(connection, participant_ids, [session_id])
    return {participant_id: outcomes[session_id] for participant_id, outcomes in found.items()}


def withdrawal_of(
    connection: sa.Connection,
    evidence_id: int,
    *,
    participant_id: int,
    course_id: int | None,
    series_id: UUID,
    now: datetime,
) -> Withdrawal | None:
    """What is left without this fact; None when it is none of this participant, or of a rehearsal, in which nothing
    counts. Raises NothingToRetract, when it has been withdrawn."""
    facts = facts_of(connection, participant_id=participant_id, series_id=series_id)
    fact = next((one for one in facts if one.evidence.evidence_id == evidence_id), None)
    if fact is None:
        return None
    if fact.retraction is not None:
        raise NothingToRetract
    known = [one.evidence for one in facts if one.session_id == fact.session_id and one.retraction is None]
    left = [one for one in known if one is not fact.evidence]
    records = records_of(connection, [participant_id], series_id)[participant_id]
    rule, count = rule_of(connection, series_id), course_count_of(connection, course_id, series_id)
    record = next((one for one in records if one.session_id == fact.session_id), None)
    if record is None:
        return None
    judged, without_it = (judge(each, record.rule, record.span) for each in (known, left))
    after = after_withdrawal(record.outcome, judged, without_it, left, rule=record.rule, withdrawn=fact.evidence.kind)
    without = [replace(one, outcome=after) if one is record else one for one in records]
    return Withdrawal(
        fact=fact,
        before=record.outcome,
        after=after,
        standing_before=standing(records, rule, now, count),
        standing_after=standing(without, rule, now, count),
    )


def withdraw(
    connection: sa.Connection, evidence_id: int, *, participant_id: int, by: str, reason: str, now: datetime
) -> list[int]:
    """The new deliveries' ids. Raises NothingToRetract."""
    queued = retract_evidence(connection, evidence_id, by=by, reason=reason, now=now)
    append_audit(
        connection,
        actor=by,
        action="withdraw",
        thing=f"participant {participant_id}",
        now=now,
        evidence=evidence_id,
    )
    return queued


def _is_said(connection: sa.Connection, word: Word, participant_id: int) -> bool:
    query = sa.select(evidence.c.id).where(
        evidence.c.participant_id == participant_id,
        evidence.c.session_id == word.session_id,
        evidence.c.kind == word.kind.value,
        evidence.c.source == SOURCES[word.kind],
        evidence.c.source_id == word.form_id,
    )
    return connection.execute(query).first() is not None
