"""“This is wrong”: what participants say to those who teach their course, and what these answer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.deadlines import one_month_later
from series.store.tables import objection, participant
from series.store.turns import take_turn

MAX_OPEN_OBJECTIONS = 5  # of one participant in a series
MAX_OBJECTION_CHARS = 2_000


class TooManyOpen(Exception):
    """So many of the participant's objections wait for an answer that no further one is taken."""


class ObjectionNotOpen(Exception):
    """There is no such objection in this course, or it has been answered."""


@dataclass(frozen=True, kw_only=True)
class Objection:
    """`session_id` None: about the whole count of the series. `sub`: whose it is, by their number in the LMS."""

    objection_id: int
    participant_id: int
    sub: str
    course_id: int
    session_id: UUID | None
    text: str
    raised_at: datetime
    answer: str | None
    answered_by: str | None  # as in the audit table
    answered_at: datetime | None

    @property
    def answer_by(self) -> datetime:
        return one_month_later(self.raised_at)


def raise_objection(
    connection: sa.Connection,
    *,
    participant_id: int,
    course_id: int,
    series_id: UUID,
    session_id: UUID | None,
    text: str,
    now: datetime,
) -> int:
    """Its id. The same text twice, while it waits, is one. Raises TooManyOpen, NobodyThere."""
    take_turn(connection, participant_id)
    waiting = connection.execute(
        sa.select(objection).where(
            objection.c.participant_id == participant_id,
            objection.c.series_id == series_id,
            objection.c.answered_at.is_(None),
        )
    ).all()
    for row in waiting:
        if (row.course_id, row.session_id, row.text) == (course_id, session_id, text):
            return int(row.id)
    if len(waiting) >= MAX_OPEN_OBJECTIONS:
        raise TooManyOpen
    new = sa.insert(objection).values(
        participant_id=participant_id,
        course_id=course_id,
        series_id=series_id,
        session_id=session_id,
        text=text,
        raised_at=now,
    )
    return int(connection.execute(new.returning(objection.c.id)).scalar_one())


def objections_of_participant(connection: sa.Connection, *, participant_id: int, series_id: UUID) -> list[Objection]:
    """All that are about the series, in whatever course, the newest first."""
    return _objections(
        connection, (objection.c.participant_id == participant_id) & (objection.c.series_id == series_id)
    )


def objections_of_course(
    connection: sa.Connection, *, course_id: int, series_id: UUID, open_only: bool
) -> list[Objection]:
    """The newest first."""
    where = (objection.c.course_id == course_id) & (objection.c.series_id == series_id)
    return _objections(connection, where & objection.c.answered_at.is_(None) if open_only else where)


def answer_objection(
    connection: sa.Connection, *, objection_id: int, course_id: int, answer: str, by: str, now: datetime
) -> None:
    """An answer stays as it is. Whoever calls has asked `may`, and writes the audit. Raises ObjectionNotOpen."""
    answered = connection.execute(
        sa.update(objection)
        .where(objection.c.id == objection_id, objection.c.course_id == course_id, objection.c.answered_at.is_(None))
        .values(answer=answer, answered_by=by, answered_at=now)
        .returning(objection.c.id)
    ).one_or_none()
    if answered is None:
        raise ObjectionNotOpen


def _objections(connection: sa.Connection, where: sa.ColumnElement[bool]) -> list[Objection]:
    rows = connection.execute(
        sa.select(objection, participant.c.sub)
        .join(participant, objection.c.participant_id == participant.c.id)
        .where(where)
        .order_by(objection.c.raised_at.desc(), objection.c.id.desc())
    )
    return [_objection(row) for row in rows]


def _objection(row: Any) -> Objection:
    return Objection(
        objection_id=row.id,
        participant_id=row.participant_id,
        sub=row.sub,
        course_id=row.course_id,
        session_id=row.session_id,
        text=row.text,
        raised_at=row.raised_at,
        answer=row.answer,
        answered_by=row.answered_by,
        answered_at=row.answered_at,
    )
