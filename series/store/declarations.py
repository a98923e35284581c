"""What participants say of themselves: that they have watched a recording. Marked as their own word wherever shown."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from series.afterwards import SELF_DECLARED, TAKEN_BACK
from series.rule import Kind
from series.store.evidence import Fact, NewEvidence, NothingToRetract, facts_of, record_evidence, retract_evidence
from series.store.tables import session
from series.store.turns import take_turn


class DeclaredAlready(Exception):
    """It stands already, or another person has withdrawn it: that is not undone by saying it once more."""


def declare_recording(
    connection: sa.Connection, *, participant_id: int, session_id: UUID, percent: int, now: datetime
) -> list[int]:
    """The new deliveries' ids. Raises DeclaredAlready, NobodyThere."""
    declared = _declared(connection, participant_id, session_id)
    if not may_declare(declared, participant_id):
        raise DeclaredAlready
    new = NewEvidence(
        participant_id=participant_id,
        session_id=session_id,
        kind=Kind.RECORDING,
        source=SELF_DECLARED,
        source_id=str(len(declared) + 1),
        observed_at=now,
        amount=percent,
    )
    return record_evidence(connection, new, now=now)


def take_back_recording(
    connection: sa.Connection, *, participant_id: int, session_id: UUID, now: datetime
) -> list[int]:
    """The participant withdraws their own word; the new deliveries' ids. Raises NothingToRetract,
    NobodyThere."""
    standing = [fact for fact in _declared(connection, participant_id, session_id) if fact.retraction is None]
    if not standing:
        raise NothingToRetract
    by = f"participant {participant_id}"
    return retract_evidence(connection, standing[-1].evidence.evidence_id, by=by, reason=TAKEN_BACK, now=now)


def may_declare(declared: list[Fact], participant_id: int) -> bool:
    """`declared`: all that this participant has declared of the session so far."""
    own = f"participant {participant_id}"
    return all(fact.retraction is not None and fact.retraction.by == own for fact in declared)


def is_declaration(fact: Fact) -> bool:
    return fact.evidence.kind is Kind.RECORDING and fact.source == SELF_DECLARED


def _declared(connection: sa.Connection, participant_id: int, session_id: UUID) -> list[Fact]:
    """In turns, as evidence is taken."""
    take_turn(connection, participant_id)
    series_id = connection.execute(sa.select(session.c.series_id).where(session.c.id == session_id)).scalar_one()
    facts = facts_of(connection, participant_id=participant_id, series_id=series_id)
    return [fact for fact in facts if fact.session_id == session_id and is_declaration(fact)]
