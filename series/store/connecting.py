"""A university's Moodle is connected, gets a course, is disconnected: each with who has done it."""

from datetime import datetime

import sqlalchemy as sa

from series.moodle_jobs import MoodleJob
from series.people import University
from series.sessions import Series
from series.store.audit import append_audit
from series.store.leaving_sites import Left, note_left
from series.store.mirrors import tie_course
from series.store.moodle_connections import NewConnection, disconnect, save_connection
from series.store.moodle_jobs import ask_for


def connect_moodle(
    connection: sa.Connection, new: NewConnection, *, encryption_key: bytes, actor: str, now: datetime
) -> Left:
    """Also another address, token or level in place of what there is; what no longer holds."""
    left = save_connection(connection, new, encryption_key=encryption_key, now=now)
    append_audit(
        connection,
        actor=actor,
        action="connect_moodle",
        thing=f"university {new.university_id}",
        now=now,
        address=new.base_url,
        level=new.level.value,
    )
    note_left(connection, left, actor=actor, now=now)
    return left


def choose_course(
    connection: sa.Connection,
    university: University,
    series: Series,
    *,
    moodle_course_id: int,
    title: str,
    actor: str,
    now: datetime,
) -> None:
    """The series is shown in this course of the university's Moodle from now on. May be repeated."""
    tie_course(
        connection,
        university_id=university.university_id,
        moodle_course_id=moodle_course_id,
        title=title.replace("\0", ""),
        series_id=series.series_id,
        now=now,
    )
    for job in (MoodleJob.MIRROR, MoodleJob.CHECK):
        ask_for(connection, university.university_id, job, at=now)
    append_audit(
        connection,
        actor=actor,
        action="choose_moodle_course",
        thing=f"university {university.university_id}",
        now=now,
        moodle_course=moodle_course_id,
        series=str(series.series_id),
    )


def disconnect_moodle(connection: sa.Connection, university_id: int, *, actor: str, now: datetime) -> None:
    left = disconnect(connection, university_id)
    append_audit(connection, actor=actor, action="disconnect_moodle", thing=f"university {university_id}", now=now)
    note_left(connection, left, actor=actor, now=now)
