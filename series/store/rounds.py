"""The next round of a series, and the courses that have been told of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from series.store.lms_tables import round_answer
from series.store.tables import series, session


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What an activity shows: a session, or (none) the whole series."""

    series_id: UUID
    session_id: UUID | None = None


def in_the_round_of(connection: sa.Connection, course_id: int, shown: Shown) -> Shown:
    """What an activity that is new in the course shows, if it was copied from an older round: the one that the course
    has chosen. A session without a counterpart there stays as it is."""
    for series_id in _chosen(connection, course_id, shown.series_id):
        following = counterpart(connection, shown, series_id)
        if following is None:
            return shown
        shown = following
    return shown


def counterpart(connection: sa.Connection, shown: Shown, series_id: UUID) -> Shown | None:
    """The same in another round, newer or older; None where a session has none there."""
    if shown.session_id is None:
        return Shown(series_id=series_id)
    newer = _newer_sessions(connection, shown.session_id, series_id)
    found = newer or _older_sessions(connection, shown.session_id, series_id)
    return Shown(series_id=series_id, session_id=found) if found else None


def newest_round(connection: sa.Connection, series_id: UUID) -> UUID | None:
    """The newest series that was copied from this one, directly or over others; None: there is none."""
    found: UUID | None = None
    while True:
        following = connection.execute(
            sa.select(series.c.id)
            .where(series.c.copied_from_id == (found or series_id))
            .order_by(series.c.created_at.desc(), series.c.id)
            .limit(1)
        ).scalar_one_or_none()
        if following is None:
            return found
        found = following


def taken_at(connection: sa.Connection, course_id: int, series_id: UUID) -> datetime | None:
    """When the course has gone over to this round; None: it has not, or has gone back."""
    taken = sa.select(sa.func.max(round_answer.c.answered_at)).where(
        round_answer.c.course_id == course_id, round_answer.c.new_series_id == series_id, round_answer.c.is_taken
    )
    found: datetime | None = connection.execute(taken).scalar_one()
    return found


def _chosen(connection: sa.Connection, course_id: int, series_id: UUID) -> Iterator[UUID]:
    """The rounds that the course has gone over to, one after the other."""
    seen = {series_id}
    while True:
        following = connection.execute(
            sa.select(round_answer.c.new_series_id)
            .where(
                round_answer.c.course_id == course_id,
                round_answer.c.old_series_id == series_id,
                round_answer.c.is_taken,
                round_answer.c.new_series_id.not_in(seen),
            )
            .order_by(round_answer.c.answered_at.desc())
            .limit(1)
        ).scalar_one_or_none()
        if following is None:
            return
        seen.add(following)
        series_id = following
        yield following


def _newer_sessions(connection: sa.Connection, session_id: UUID, series_id: UUID) -> UUID | None:
    """Copies of copies, until one is of the series. A session is copied once into a round."""
    generation = [session_id]
    while generation:
        rows = connection.execute(
            sa.select(session.c.id, session.c.series_id).where(session.c.copied_from_id.in_(generation))
        ).all()
        found: UUID | None = next((row.id for row in rows if row.series_id == series_id), None)
        if found is not None:
            return found
        generation = [row.id for row in rows]
    return None


def _older_sessions(connection: sa.Connection, session_id: UUID, series_id: UUID) -> UUID | None:
    current: UUID | None = session_id
    while current is not None:
        row = connection.execute(
            sa.select(session.c.copied_from_id, session.c.series_id).where(session.c.id == current)
        ).one()
        if row.series_id == series_id:
            return current
        current = row.copied_from_id
    return None
