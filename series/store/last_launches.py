"""The last launches from one LMS, without the people: when, in which role, from which course, to which activity."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from series.store.tables import course, deployment, placement, series, session, visit

SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class PastLaunch:
    """`activity`: the title of the session, or of the series as a whole."""

    opened_at: datetime
    role: Literal["teacher", "learner", "administrator", "test user", "other"]
    course_title: str
    activity: str


def last_launches(connection: sa.Connection, platform_id: int) -> list[PastLaunch]:
    """The newest first, at most SHOWN, of those whose visits are kept: a day or two."""
    rows = connection.execute(
        sa.select(
            visit.c.opened_at,
            visit.c.is_teacher,
            visit.c.is_learner,
            visit.c.is_test_user,
            visit.c.is_administrator,
            course.c.title,
            series.c.title.label("series_title"),
            session.c.title.label("session_title"),
        )
        .join(placement, placement.c.id == visit.c.placement_id)
        .join(deployment, deployment.c.id == placement.c.deployment_id)
        .join(series, series.c.id == placement.c.series_id)
        .outerjoin(session, session.c.id == placement.c.session_id)
        .outerjoin(course, course.c.id == placement.c.course_id)
        .where(deployment.c.platform_id == platform_id)
        .order_by(visit.c.opened_at.desc(), visit.c.id)
        .limit(SHOWN)
    )
    return [
        PastLaunch(
            opened_at=row.opened_at,
            role=_role(row),
            course_title=row.title or "",
            activity=row.session_title or row.series_title,
        )
        for row in rows
    ]


def _role(row: Any) -> Literal["teacher", "learner", "administrator", "test user", "other"]:
    if row.is_test_user:
        return "test user"
    if row.is_administrator:
        return "administrator"
    if row.is_teacher:
        return "teacher"
    return "learner" if row.is_learner else "other"
