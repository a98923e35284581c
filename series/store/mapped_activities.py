"""Which activities of a Moodle course count for which session; an instructor has said so."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from series.collecting import Source
from series.moodle_jobs import MoodleJob
from series.store.audit import append_audit
from series.store.course_collects import read_all_soon
from series.store.database import insert
from series.store.moodle_jobs import ask_for
from series.store.moodle_tables import activity_state, mapped_activity
from series.store.tables import course, evidence


@dataclass(frozen=True, kw_only=True)
class MappedActivity:
    """`name`: when it was mapped. `people`: to whom it has given something that still counts; `waiting`: who have
    completed it and are not known here yet. `problem`: why it gives nothing: unseen, untracked, own."""

    cmid: int
    session_id: UUID
    module: str
    name: str
    mapped_at: datetime
    problem: str | None
    people: int
    waiting: int


@dataclass(frozen=True, kw_only=True)
class NewMapping:
    """`by`: as in the audit table."""

    cmid: int
    session_id: UUID
    module: str
    name: str
    by: str


class AlreadyMapped(Exception):
    """The activity counts for a session already."""


def mapped_activities(connection: sa.Connection, course_id: int) -> list[MappedActivity]:
    """In the order in which they were mapped."""
    rows = connection.execute(
        sa.select(mapped_activity, _people(given=True).label("people"), _people(given=False).label("waiting"))
        .where(mapped_activity.c.course_id == course_id)
        .order_by(mapped_activity.c.mapped_at, mapped_activity.c.cmid)
    )
    return [
        MappedActivity(
            cmid=row.cmid,
            session_id=row.session_id,
            module=row.module,
            name=row.name,
            mapped_at=row.mapped_at,
            problem=row.problem,
            people=row.people,
            waiting=row.waiting,
        )
        for row in rows
    ]


def map_activity(connection: sa.Connection, course_id: int, new: NewMapping, *, now: datetime) -> None:
    """It counts from now on, also for who has completed it before: everybody is asked about soon. Raises
    AlreadyMapped."""
    added = connection.execute(
        insert(connection, mapped_activity)
        .values(
            course_id=course_id,
            cmid=new.cmid,
            session_id=new.session_id,
            module=new.module[:32],
            name=new.name[:255],
            mapped_by=new.by,
            mapped_at=now,
        )
        .on_conflict_do_nothing()
        .returning(mapped_activity.c.cmid)
    ).one_or_none()
    if added is None:
        raise AlreadyMapped
    university_id = connection.execute(sa.select(course.c.university_id).where(course.c.id == course_id)).scalar_one()
    ask_for(connection, university_id, MoodleJob.COLLECT, at=now)  # jobs are locked first by everybody
    read_all_soon(connection, course_id)
    append_audit(
        connection,
        actor=new.by,
        action="map_activity",
        thing=f"course {course_id}",
        now=now,
        cmid=new.cmid,
        session=str(new.session_id),
    )


def note_problem(connection: sa.Connection, course_id: int, cmid: int, problem: str | None) -> None:
    connection.execute(
        sa.update(mapped_activity)
        .where(mapped_activity.c.course_id == course_id, mapped_activity.c.cmid == cmid)
        .values(problem=problem)
    )


def mapped_now(connection: sa.Connection, course_id: int) -> dict[tuple[int, UUID], str]:
    """Names by course module and session. Until the transaction ends, nobody takes one from the list."""
    query = sa.select(mapped_activity.c.cmid, mapped_activity.c.session_id, mapped_activity.c.name)
    rows = connection.execute(query.where(mapped_activity.c.course_id == course_id).with_for_update(read=True))
    return {(row.cmid, row.session_id): row.name for row in rows}


def still_counts() -> sa.ColumnElement[bool]:
    """Of the evidence of an activity_state."""
    withdrawal = evidence.alias("withdrawal")
    return ~sa.exists().where(withdrawal.c.retracts_evidence_id == activity_state.c.evidence_id)


def _people(*, given: bool) -> sa.ScalarSelect[int]:
    of_activity = (
        (activity_state.c.course_id == mapped_activity.c.course_id)
        & (activity_state.c.cmid == mapped_activity.c.cmid)
        & (activity_state.c.session_id == mapped_activity.c.session_id)
        & (activity_state.c.source == Source.ACTIVITY)
        & activity_state.c.is_complete
    )
    has = (
        activity_state.c.evidence_id.is_not(None) & still_counts() if given else activity_state.c.evidence_id.is_(None)
    )
    query = sa.select(sa.func.count()).select_from(activity_state).where(of_activity, has)
    return query.correlate(mapped_activity).scalar_subquery()
