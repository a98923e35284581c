"""Which series are over, from which their data begin to have their time."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.retention import Kept, period
from series.store.tables import course, course_series, session


def ended_series(before: datetime) -> sa.Select[tuple[UUID]]:
    """Their last session, cancelled or not, was over by then. One without sessions has not begun."""
    last_end = sa.func.max(session.c.end_at, type_=session.c.end_at.type)
    return sa.select(session.c.series_id).group_by(session.c.series_id).having(last_end <= before)


def courses_over(before: datetime) -> sa.Select[Any]:
    """All series that they have ever shown are over, and there is one."""
    goes_on = sa.exists().where(
        course_series.c.course_id == course.c.id, course_series.c.series_id.not_in(ended_series(before))
    )
    has_any = sa.exists().where(course_series.c.course_id == course.c.id)
    return sa.select(course.c.id).where(has_any, ~goes_on)


def sessions_forgotten(connection: sa.Connection, *, now: datetime) -> frozenset[UUID]:
    """What counted there has been deleted, or soon will be: nothing is to be taken in for them once more."""
    over = ended_series(now - period(Kept.COMPLETION))
    return frozenset(connection.execute(sa.select(session.c.id).where(session.c.series_id.in_(over))).scalars())
