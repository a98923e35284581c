"""Reflections: drafts are their writer's alone; handed in, one is evidence and read by those who teach the course."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.reflections import (
    NothingToReturn,
    Reflection,
    ReflectionLocked,
    ReflectionState,
    ReflectionTooShort,
    count_words,
)
from series.rule import Kind
from series.store.database import insert
from series.store.evidence import NewEvidence, NothingToRetract, record_evidence, retract_evidence
from series.store.tables import evidence, membership, participant, placement, reflection, session

SOURCE = "reflection"


@dataclass(frozen=True, kw_only=True)
class CourseReflection:
    """One row for those who teach: whose it is (`sub`: the number in the LMS), and the text as it was handed in, which
    is empty while its writer works on it again."""

    sub: str
    reflection: Reflection


def reflection_of(connection: sa.Connection, *, participant_id: int, session_id: UUID) -> Reflection | None:
    row = connection.execute(sa.select(reflection).where(_is(participant_id, session_id))).one_or_none()
    return None if row is None else _reflection(row)


def reflections_of_participant(
    connection: sa.Connection, *, participant_id: int, series_id: UUID
) -> dict[UUID, Reflection]:
    """By session."""
    rows = connection.execute(
        sa.select(reflection)
        .join(session, reflection.c.session_id == session.c.id)
        .where(reflection.c.participant_id == participant_id, session.c.series_id == series_id)
    )
    return {row.session_id: _reflection(row) for row in rows}


def save_draft(connection: sa.Connection, *, participant_id: int, session_id: UUID, text: str, now: datetime) -> None:
    """Keep the text. What was returned stays so, with its comment. Raises ReflectionLocked."""
    _take_turns(connection, participant_id)
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


def hand_in(
    connection: sa.Connection, *, participant_id: int, session_id: UUID, text: str, at_least: int, now: datetime
) -> list[int]:
    """The text becomes evidence; the new deliveries' ids. Raises ReflectionLocked, ReflectionTooShort: save the draft
    first, in a transaction of its own."""
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
        observed_at=now,
        amount=words,
    )
    delivery_ids = record_evidence(connection, new, now=now)
    connection.execute(
        sa.update(reflection)
        .where(_is(participant_id, session_id))
        .values(
            state=ReflectionState.HANDED_IN.value,
            handed_in_at=now,
            evidence_id=_own_evidence(participant_id, session_id)
            .with_only_columns(evidence.c.id)
            .where(evidence.c.source_id == new.source_id)
            .scalar_subquery(),
        )
    )
    return delivery_ids


def return_reflection(
    connection: sa.Connection, *, participant_id: int, session_id: UUID, comment: str, by: str, now: datetime
) -> list[int]:
    """Give it back to be written on: what it counted for is withdrawn, with the comment as the reason; the new
    deliveries' ids. Whoever calls has asked `may`, and writes the audit. Raises NothingToReturn."""
    _take_turns(connection, participant_id)
    row = connection.execute(
        sa.update(reflection)
        .where(_is(participant_id, session_id), reflection.c.state == ReflectionState.HANDED_IN.value)
        .values(state=ReflectionState.RETURNED.value, comment=comment, returned_at=now)
        .returning(reflection.c.evidence_id)
    ).one_or_none()
    if row is None:
        raise NothingToReturn
    try:
        return retract_evidence(connection, row.evidence_id, by=by, reason=comment, now=now)
    except NothingToRetract:  # somebody has withdrawn it already
        return []


def reflections_of_course(connection: sa.Connection, *, course_id: int, series_id: UUID) -> list[CourseReflection]:
    """Those that the course's learners have handed in or got back, the last one first. No drafts."""
    learners = (
        sa.select(membership.c.participant_id)
        .join(placement, membership.c.placement_id == placement.c.id)
        .where(placement.c.course_id == course_id, membership.c.is_learner)
    )
    rows = connection.execute(
        sa.select(reflection, participant.c.sub)
        .join(participant, reflection.c.participant_id == participant.c.id)
        .join(session, reflection.c.session_id == session.c.id)
        .where(
            reflection.c.participant_id.in_(learners),
            session.c.series_id == series_id,
            reflection.c.state != ReflectionState.DRAFT.value,
        )
        .order_by(reflection.c.handed_in_at.desc(), reflection.c.participant_id)
    )
    return [CourseReflection(sub=row.sub, reflection=_as_handed_in(_reflection(row))) for row in rows]


def _as_handed_in(found: Reflection) -> Reflection:
    is_worked_on = found.returned_at is not None and found.saved_at > found.returned_at
    if found.state is ReflectionState.RETURNED and is_worked_on:
        return replace(found, text="")
    return found


def _take_turns(connection: sa.Connection, participant_id: int) -> None:
    """Before the reflection's own row, in the order in which evidence is taken."""
    connection.execute(sa.select(participant.c.id).where(participant.c.id == participant_id).with_for_update())


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


def _reflection(row: Any) -> Reflection:
    return Reflection(
        participant_id=row.participant_id,
        session_id=row.session_id,
        text=row.text,
        state=ReflectionState(row.state),
        saved_at=row.saved_at,
        handed_in_at=row.handed_in_at,
        comment=row.comment,
        returned_at=row.returned_at,
    )
