"""A university's Moodle is connected, gets a course, is disconnected: each with who has done it."""

from datetime import datetime

import sqlalchemy as sa

from series.moodle_jobs import MoodleJob
from series.moodle_typed import FRONT_PAGE
from series.people import University
from series.sessions import Series
from series.store.audit import append_audit
from series.store.course_ties import ShownSeries, who_else_shows
from series.store.leaving_sites import Left, note_left
from series.store.mirrors import hide_series, tie_course
from series.store.moodle_connections import NewConnection, disconnect, save_connection
from series.store.moodle_jobs import ask_for, lock_site_and_jobs


class FrontPage(Exception):
    """Moodle keeps the site's own page as a course: everybody would see the events."""


class CourseOfAnother(Exception):
    """Two who write into one calendar would undo each other's work."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} shows a series in this very course of this Moodle; choose another course.")
        self.name = name


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
        **({"same_site": 1} if new.is_same_site else {}),
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
    """The series is shown in this course of the university's Moodle from now on. May be repeated.

    Raises FrontPage, CourseOfAnother.
    """
    if moodle_course_id == FRONT_PAGE:
        raise FrontPage
    lock_site_and_jobs(connection, university.university_id)
    other = who_else_shows(connection, university.university_id, moodle_course_id)
    if other is not None:
        raise CourseOfAnother(other)
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


def untie_course(
    connection: sa.Connection, university: University, shown: ShownSeries, *, actor: str, now: datetime
) -> None:
    """The series is not shown in this course of the Moodle any more; the worker deletes its events there. May be
    repeated."""
    lock_site_and_jobs(connection, university.university_id)
    hide_series(connection, shown.course_id, shown.series_id, now=now)
    append_audit(
        connection,
        actor=actor,
        action="untie_moodle_course",
        thing=f"university {university.university_id}",
        now=now,
        moodle_course=shown.moodle_course_id,
        series=str(shown.series_id),
    )


def disconnect_moodle(connection: sa.Connection, university_id: int, *, actor: str, now: datetime) -> None:
    disconnect(connection, university_id)
    append_audit(connection, actor=actor, action="disconnect_moodle", thing=f"university {university_id}", now=now)
