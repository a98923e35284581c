"""Which changes of sessions each course has been told, and which it is to be told."""

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.announcements import TOLD, Announcement, Change, ReplannedSession, Seen, State, change_to_tell
from series.sessions import Session, Status
from series.store.announcement_postings import drop_left, is_wanted
from series.store.database import insert
from series.store.moodle_tables import announcement, seen_session
from series.store.sessions import sessions_with
from series.store.tables import course, course_series, moodle_connection, session

_TOKEN_BYTES = 8


@dataclass(frozen=True, kw_only=True)
class ToTell:
    """What a course does not know yet. `row`: what was done about it so far."""

    course_id: int
    replanned: ReplannedSession
    change: Change
    row: Announcement | None

    @property
    def session(self) -> Session:
        return self.replanned.session

    def is_on_its_way(self, *, is_on: bool) -> bool:
        """The worker posts it. `is_on`: the course wants such things posted by themselves."""
        return self.row is not None and self.row.state is State.DUE and (is_on or self.row.set_by is not None)


@dataclass(frozen=True, kw_only=True)
class AnnouncingCourse:
    """A course in a connected Moodle. `announces`: changes are posted there by themselves."""

    course_id: int
    moodle_course_id: int
    announces: bool


def announcing_courses(connection: sa.Connection, university_id: int) -> list[AnnouncingCourse]:
    """Those that want changes posted, or have something to be posted, or that was not."""
    unposted = (State.DUE.value, State.FAILED.value)
    has_open = sa.exists().where(announcement.c.course_id == course.c.id, announcement.c.state.in_(unposted))
    rows = connection.execute(
        sa.select(course.c.id, course.c.moodle_course_id, course.c.announces)
        .where(
            course.c.university_id == university_id,
            course.c.moodle_course_id.is_not(None),
            sa.or_(course.c.announces, has_open),
        )
        .order_by(course.c.id)
    )
    return [
        AnnouncingCourse(course_id=row.id, moodle_course_id=row.moodle_course_id, announces=row.announces)
        for row in rows
    ]


def to_tell(
    connection: sa.Connection, course_ids: Collection[int], *, now: datetime, series_id: UUID | None = None
) -> list[ToTell]:
    """What these courses do not know yet of sessions to come, in the order of the sessions; three queries."""
    if not course_ids:
        return []
    shown = _replanned_in(connection, course_ids, now, series_id)
    if not shown:
        return []
    sessions = {one.session_id: one for one in sessions_with(connection, session.c.id.in_({row.id for row in shown}))}
    rows = announcements_of(connection, course_ids)
    found = []
    for row in shown:
        seen = Seen(is_cancelled=row.status == Status.CANCELLED, start_at=row.start_at)
        replanned = ReplannedSession(session=sessions[row.id], replanned_at=row.replanned_at, seen=seen)
        own = [one for one in rows if (one.course_id, one.session_id) == (row.course_id, row.id)]
        change = change_to_tell(replanned, own, now=now)
        if change is not None:
            done = next((one for one in own if one.about == change.about), None)
            found.append(ToTell(course_id=row.course_id, replanned=replanned, change=change, row=done))
    return found


def _replanned_in(
    connection: sa.Connection, course_ids: Collection[int], now: datetime, series_id: UUID | None
) -> list[Any]:
    query = (
        sa.select(
            session.c.id,
            session.c.replanned_at,
            seen_session.c.course_id,
            seen_session.c.status,
            seen_session.c.start_at,
        )
        .join(course_series, course_series.c.series_id == session.c.series_id)
        .join(
            seen_session,
            (seen_session.c.course_id == course_series.c.course_id) & (seen_session.c.session_id == session.c.id),
        )
        .where(course_series.c.course_id.in_(course_ids), session.c.start_at > now)
        .order_by(session.c.start_at, session.c.id, course_series.c.course_id)
    )
    if series_id is not None:
        query = query.where(session.c.series_id == series_id)
    return list(connection.execute(query).all())


def announcements_of(
    connection: sa.Connection, course_ids: Collection[int], *, series_id: UUID | None = None
) -> list[Announcement]:
    """Of these courses, the oldest first."""
    query = sa.select(announcement).where(announcement.c.course_id.in_(course_ids)).order_by(announcement.c.id)
    if series_id is not None:
        query = query.where(
            announcement.c.session_id.in_(sa.select(session.c.id).where(session.c.series_id == series_id))
        )
    return [_announcement(row) for row in connection.execute(query)]


def announced_coming(connection: sa.Connection, course_ids: Collection[int], *, now: datetime) -> set[UUID]:
    """Sessions of whose change something is noted in these courses, and that have not begun."""
    query = (
        sa.select(session.c.id)
        .join(announcement, announcement.c.session_id == session.c.id)
        .where(announcement.c.course_id.in_(course_ids), session.c.start_at > now)
    )
    return set(connection.execute(query).scalars())


def announces(connection: sa.Connection, course_id: int) -> bool:
    return bool(connection.execute(sa.select(course.c.announces).where(course.c.id == course_id)).scalar_one())


def posts_by_itself(connection: sa.Connection, course_id: int) -> bool:
    """Whether the course wants it, and its Moodle is connected and answers: else a person has to tell it."""
    query = (
        sa.select(course.c.id)
        .join(moodle_connection, moodle_connection.c.university_id == course.c.university_id)
        .where(
            course.c.id == course_id,
            course.c.announces,
            course.c.moodle_course_id.is_not(None),
            moodle_connection.c.failures == 0,
        )
    )
    return connection.execute(query).one_or_none() is not None


def switch_on(connection: sa.Connection, course_id: int, *, now: datetime) -> bool:
    """Changes from now on are posted by themselves; what the course was not told before is left to a person. Whether it
    was off."""
    changed = _switch(connection, course_id, is_on=True)
    if changed:
        _add(connection, [one for one in to_tell(connection, [course_id], now=now) if one.row is None], State.LEFT, now)
    return changed


def switch_off(connection: sa.Connection, course_id: int) -> bool:
    """What nobody asked for is not posted any more; the worker looks for what was begun. Whether it was on."""
    changed = _switch(connection, course_id, is_on=False)
    of_itself = announcement.c.set_by.is_(None) & announcement.c.state.in_((State.DUE.value, State.LEFT.value))
    connection.execute(
        sa.delete(announcement).where(
            announcement.c.course_id == course_id, of_itself, announcement.c.began_at.is_(None)
        )
    )
    return changed


def _switch(connection: sa.Connection, course_id: int, *, is_on: bool) -> bool:
    of_course = (course.c.id == course_id) & (course.c.announces.is_not(sa.true()) if is_on else course.c.announces)
    done = connection.execute(sa.update(course).where(of_course).values(announces=is_on).returning(course.c.id))
    return done.one_or_none() is not None


def make_due(connection: sa.Connection, wanted: Iterable[ToTell], *, now: datetime) -> None:
    """By the course's wish; what a person has dealt with meanwhile stays as it is."""
    _add(connection, wanted, State.DUE, now)


def _add(connection: sa.Connection, wanted: Iterable[ToTell], state: State, now: datetime) -> None:
    for one in wanted:
        connection.execute(
            insert(connection, announcement)
            .values(**_fresh(one), state=state.value, made_at=now, next_at=now if state is State.DUE else None)
            .on_conflict_do_nothing()
        )


def decide(connection: sa.Connection, one: ToTell, state: State, *, by: str, now: datetime) -> bool:
    """What a person says: SET_ASIDE or DUE. Whether it counts: not for what has been told or is being posted, unless
    the course does not want that any more; what was begun earlier is looked for before it is posted again."""
    is_due = state is State.DUE
    fresh = {
        "state": state.value,
        "set_by": by,
        "attempts": 0,
        "problem": None,
        "next_at": now if is_due else None,
        "done_at": None if is_due else now,
    }
    open_states = (State.LEFT.value, State.FAILED.value)
    untouched = (announcement.c.state == State.DUE.value) & (announcement.c.began_at.is_(None) | sa.not_(is_wanted()))
    done = connection.execute(
        insert(connection, announcement)
        .values(**_fresh(one), **fresh, made_at=now)
        .on_conflict_do_update(
            index_elements=["course_id", "session_id", "about"],
            set_=fresh,
            where=announcement.c.state.in_(open_states) | untouched,
        )
        .returning(announcement.c.id)
    ).scalar_one_or_none()
    if done is not None and state in TOLD:
        drop_left(connection, done)
    return done is not None


def _fresh(one: ToTell) -> dict[str, Any]:
    return {
        "course_id": one.course_id,
        "session_id": one.session.session_id,
        "about": one.change.about,
        "token": secrets.token_hex(_TOKEN_BYTES),
    }


def _announcement(row: Any) -> Announcement:
    return Announcement(
        announcement_id=row.id,
        course_id=row.course_id,
        session_id=row.session_id,
        about=row.about,
        token=row.token,
        state=State(row.state),
        attempts=row.attempts,
        began_at=row.began_at,
        next_at=row.next_at,
        discussion_id=row.discussion_id,
        problem=row.problem,
        set_by=row.set_by,
        made_at=row.made_at,
        done_at=row.done_at,
    )
