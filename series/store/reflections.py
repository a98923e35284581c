"""Reflections as they are written, handed in, read and returned."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.reflections import (
    HandedInAnew,
    NothingToReturn,
    Reflection,
    ReflectionLocked,
    ReflectionState,
    ReflectionTooShort,
    SavedMeanwhile,
    count_words,
)
from series.rule import Kind
from series.store.database import insert
from series.store.evidence import NewEvidence, NothingToRetract, record_evidence, retract_evidence
from series.store.tables import evidence, reflection, session
from series.store.turns import take_turn, take_turns

SOURCE = "reflection"


def reflection_of(connection: sa.Connection, *, participant_id: int, session_id: UUID) -> Reflection | None:
    row = connection.execute(sa.select(reflection).where(_is(participant_id, session_id))).one_or_none()
    return None if row is None else as_reflection(row)


def reflections_of_participant(
    connection: sa.Connection, *, participant_id: int, series_id: UUID
) -> dict[UUID, Reflection]:
    """By session."""
    rows = connection.execute(
        sa.select(reflection)
        .join(session, reflection.c.session_id == session.c.id)
        .where(reflection.c.participant_id == participant_id, session.c.series_id == series_id)
    )
    return {row.session_id: as_reflection(row) for row in rows}


def save_draft(connection: sa.Connection, *, participant_id: int, session_id: UUID, text: str, now: datetime) -> None:
    """Keep the text. What was returned stays so, with its comment. Raises ReflectionLocked, NobodyThere."""
    take_turn(connection, participant_id)
    saved = connection.execute(
        insert(connection, reflection)
        .values(
            participant_id=participant_id,
            session_id=session_id,
            text=text,
            state=ReflectionState.DRAFT.value,
            saved_at=now,
        )
        .on_conflict_do_update(
            index_elements=["participant_id", "session_id"],
            set_={"text": text, "saved_at": now},
            where=reflection.c.state != ReflectionState.HANDED_IN.value,
        )
        .returning(reflection.c.participant_id)
    ).one_or_none()
    if saved is None:
        raise ReflectionLocked


def expect_unchanged(
    connection: sa.Connection, *, participant_id: int, session_id: UUID, text: str, saved_at: datetime | None
) -> None:
    """`text` was written on top of what was saved at that time (None: of nothing). In the transaction that saves it.
    Raises SavedMeanwhile where another text has been saved since; ReflectionLocked, NobodyThere."""
    take_turn(connection, participant_id)
    found = reflection_of(connection, participant_id=participant_id, session_id=session_id)
    if found is None:
        return
    if found.state is ReflectionState.HANDED_IN:
        raise ReflectionLocked
    if saved_at != found.saved_at and text != found.text:
        raise SavedMeanwhile


def hand_in(
    connection: sa.Connection, *, participant_id: int, session_id: UUID, text: str, at_least: int, now: datetime
) -> list[int]:
    """The text becomes evidence; the new deliveries' ids. After a return it counts as of the first time, whatever its
    time has become since. Raises ReflectionLocked, ReflectionTooShort: save the draft first, in a transaction of its
    own."""
    words = count_words(text)
    if words < max(1, at_least):
        raise ReflectionTooShort(words=words, at_least=max(1, at_least))
    save_draft(connection, participant_id=participant_id, session_id=session_id, text=text, now=now)
    new = NewEvidence(
        participant_id=participant_id,
        session_id=session_id,
        kind=Kind.REFLECTION,
        source=SOURCE,
        source_id=_next_source_id(connection, participant_id, session_id),
        observed_at=first_handed_in_at(connection, participant_id=participant_id, session_id=session_id) or now,
        amount=words,
    )
    delivery_ids = record_evidence(connection, new, now=now)
    connection.execute(
        sa.update(reflection)
        .where(_is(participant_id, session_id))
        .values(
            state=ReflectionState.HANDED_IN.value,
            handed_in_at=now,
            read_at=None,
            evidence_id=_own_evidence(participant_id, session_id)
            .with_only_columns(evidence.c.id)
            .where(evidence.c.source_id == new.source_id)
            .scalar_subquery(),
        )
    )
    return delivery_ids


def return_reflection(
    connection: sa.Connection,
    *,
    participant_id: int,
    session_id: UUID,
    evidence_id: int,
    comment: str,
    by: str,
    now: datetime,
) -> list[int]:
    """Give it back to be written on: what it counted for is withdrawn, with the comment as the reason; the new
    deliveries' ids. `evidence_id`: of what was read. Whoever calls has asked `may`, and writes the audit.

    Raises NothingToReturn, HandedInAnew.
    """
    fresh = {"state": ReflectionState.RETURNED.value, "comment": comment, "returned_at": now, "read_at": now}
    _change_handed_in(connection, participant_id, session_id, evidence_id, fresh)
    try:
        return retract_evidence(connection, evidence_id, by=by, reason=comment, now=now)
    except NothingToRetract:  # somebody has withdrawn it already
        return []


def mark_read(
    connection: sa.Connection, *, participant_id: int, session_id: UUID, evidence_id: int, now: datetime
) -> None:
    """It waits no more for those who teach. May be repeated. Otherwise as return_reflection, and raises the same."""
    _change_handed_in(connection, participant_id, session_id, evidence_id, {"read_at": now})


def first_handed_in_at(connection: sa.Connection, *, participant_id: int, session_id: UUID) -> datetime | None:
    of_it = _own_evidence(participant_id, session_id).with_only_columns(evidence.c.observed_at)
    first: datetime | None = connection.execute(of_it.order_by(evidence.c.observed_at).limit(1)).scalar_one_or_none()
    return first


def _change_handed_in(
    connection: sa.Connection, participant_id: int, session_id: UUID, evidence_id: int, fresh: dict[str, Any]
) -> None:
    """Raises NothingToReturn, HandedInAnew."""
    if not take_turns(connection, [participant_id]):
        raise NothingToReturn
    is_handed_in = _is(participant_id, session_id) & (reflection.c.state == ReflectionState.HANDED_IN.value)
    changed = connection.execute(
        sa.update(reflection)
        .where(is_handed_in, reflection.c.evidence_id == evidence_id)
        .values(**fresh)
        .returning(reflection.c.participant_id)
    ).one_or_none()
    if changed is None:
        is_there = connection.execute(sa.select(reflection.c.participant_id).where(is_handed_in)).first()
        raise HandedInAnew if is_there else NothingToReturn


def _is(participant_id: int, session_id: UUID) -> sa.ColumnElement[bool]:
    return (reflection.c.participant_id == participant_id) & (reflection.c.session_id == session_id)


def _own_evidence(participant_id: int, session_id: UUID) -> sa.Select[Any]:
    return sa.select(evidence).where(
        evidence.c.participant_id == participant_id,
        evidence.c.session_id == session_id,
        evidence.c.kind == Kind.REFLECTION.value,
        evidence.c.source == SOURCE,
    )


def _next_source_id(connection: sa.Connection, participant_id: int, session_id: UUID) -> str:
    """It grows with every time that the reflection is handed in."""
    earlier = sa.select(sa.func.count()).select_from(_own_evidence(participant_id, session_id).subquery())
    return str(connection.execute(earlier).scalar_one() + 1)


def as_reflection(row: Any) -> Reflection:
    """Of a row of the table."""
    return Reflection(
        participant_id=row.participant_id,
        session_id=row.session_id,
        text=row.text,
        state=ReflectionState(row.state),
        saved_at=row.saved_at,
        handed_in_at=row.handed_in_at,
        evidence_id=row.evidence_id,
        read_at=row.read_at,
        comment=row.comment,
        returned_at=row.returned_at,
    )
