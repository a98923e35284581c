"""How far the worker is with posting an announcement."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from series.announcements import Announcement, State
from series.store.moodle_tables import announcement
from series.store.tables import course


def claim(connection: sa.Connection, one: Announcement, *, now: datetime) -> bool:
    """Noted before it is posted, so that it is looked for when nobody knows how that ended. False: somebody else has
    it, or it is not to be posted any more: what nobody asked for only where the course still wants such things."""
    done = connection.execute(
        sa.update(announcement)
        .where(
            announcement.c.id == one.announcement_id,
            announcement.c.state == State.DUE.value,
            announcement.c.began_at.is_not_distinct_from(one.began_at),
            is_wanted(),
        )
        .values(began_at=now)
        .returning(announcement.c.id)
    )
    return done.one_or_none() is not None


def is_wanted() -> sa.ColumnElement[bool]:
    """By a person, or by the course."""
    by_course = sa.exists().where(course.c.id == announcement.c.course_id, course.c.announces)
    return announcement.c.set_by.is_not(None) | by_course.correlate(announcement)


def note_posted(connection: sa.Connection, announcement_id: int, discussion_id: int, *, now: datetime) -> None:
    values = {"state": State.POSTED.value, "discussion_id": discussion_id, "problem": None, "done_at": now}
    connection.execute(sa.update(announcement).where(announcement.c.id == announcement_id).values(**values))
    drop_left(connection, announcement_id)


def drop_left(connection: sa.Connection, announcement_id: int) -> None:
    """What was left to a person before this one was told."""
    told = announcement.alias()
    same = (told.c.course_id == announcement.c.course_id) & (told.c.session_id == announcement.c.session_id)
    connection.execute(
        sa.delete(announcement).where(
            announcement.c.state == State.LEFT.value, sa.exists().where(told.c.id == announcement_id, same)
        )
    )


def note_not_posted(
    connection: sa.Connection,
    announcement_id: int,
    *,
    problem: str,
    attempts: int,
    next_at: datetime | None,
    is_sure: bool,
) -> None:
    """`next_at` None: given up. `is_sure`: Moodle has said no, so that there is nothing to be looked for."""
    values: dict[str, Any] = {"problem": problem, "attempts": attempts, "next_at": next_at}
    if next_at is None:
        values["state"] = State.FAILED.value
    if is_sure:
        values["began_at"] = None
    is_open = announcement.c.state.in_((State.DUE.value, State.FAILED.value))  # nobody has dealt with it meanwhile
    connection.execute(sa.update(announcement).where(announcement.c.id == announcement_id, is_open).values(**values))


def put_off(connection: sa.Connection, announcement_id: int, *, next_at: datetime) -> None:
    connection.execute(sa.update(announcement).where(announcement.c.id == announcement_id).values(next_at=next_at))


def drop_outdated(connection: sa.Connection, rows: Iterable[Announcement]) -> None:
    """Of changes that have been superseded, or that nobody wants posted: but not where somebody has dealt with one
    since it was read."""
    for row in rows:
        connection.execute(
            sa.delete(announcement).where(
                announcement.c.id == row.announcement_id,
                announcement.c.state == row.state.value,
                announcement.c.began_at.is_not_distinct_from(row.began_at),
                announcement.c.set_by.is_not_distinct_from(row.set_by),
            )
        )
