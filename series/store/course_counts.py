"""A course's own number of sessions for its own grade."""

import hashlib
from datetime import datetime
from uuid import UUID

import msgspec
import sqlalchemy as sa

from series.course_counts import CountProblem, has_begun, is_harder_count, problem_of_count
from series.standing import CourseCount
from series.store.audit import append_audit
from series.store.database import insert
from series.store.rules import course_count_of, mark_scores_stale, rule_of
from series.store.sessions import sessions_of
from series.store.tables import course, course_count


class CountRefused(Exception):
    """Says why."""

    def __init__(self, problem: CountProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


class CountChanged(Exception):
    """Another count is in force than the one that was looked at. Nothing was written."""


def count_in_force(connection: sa.Connection, course_id: int, series_id: UUID) -> CourseCount:
    """The course's own, or the series' number of all sessions."""
    own = course_count_of(connection, course_id, series_id)
    return own or CourseCount(required=rule_of(connection, series_id).required)


def digest_of_count(connection: sa.Connection, course_id: int, series_id: UUID) -> str:
    """Names what is in force: the course's own count, or the series' number."""
    own = course_count_of(connection, course_id, series_id)
    if own is None:
        return f"series {rule_of(connection, series_id).required}"
    ids = "all" if own.session_ids is None else " ".join(sorted(map(str, own.session_ids)))
    return hashlib.sha256(f"own {own.required} {ids}".encode()).hexdigest()[:16]


def check_count(
    connection: sa.Connection, course_id: int, series_id: UUID, new: CourseCount | None, *, now: datetime
) -> None:
    """`new` None: the series' number again. Raises CountRefused."""
    sessions = sessions_of(connection, series_id)
    old = count_in_force(connection, course_id, series_id)
    problem = problem_of_count(new, sessions) if new else None
    if problem:
        raise CountRefused(problem)
    wanted = new or CourseCount(required=rule_of(connection, series_id).required)
    begun = has_begun(old, sessions, now) or has_begun(wanted, sessions, now)
    if begun and is_harder_count(wanted, old, sessions):
        raise CountRefused(CountProblem.HARDER)


def set_count(
    connection: sa.Connection,
    course_id: int,
    series_id: UUID,
    new: CourseCount | None,
    *,
    seen: str,
    by: str,
    now: datetime,
) -> bool:
    """Whether it is another one. The worker then works out the scores anew. `seen`: the digest_of_count of the one that
    was looked at. Raises CountRefused, CountChanged."""
    connection.execute(sa.select(course.c.id).where(course.c.id == course_id).with_for_update())
    if new == course_count_of(connection, course_id, series_id):
        return False
    if digest_of_count(connection, course_id, series_id) != seen:
        raise CountChanged
    check_count(connection, course_id, series_id, new, now=now)
    ids = None if new is None or new.session_ids is None else sorted(map(str, new.session_ids))
    _save(connection, course_id, series_id, new, ids, by=by, now=now)
    mark_scores_stale(connection, series_id, now=now)
    append_audit(
        connection,
        actor=by,
        action="set_course_count",
        thing=f"course {course_id}",
        now=now,
        required=new.required if new else "as the series",
        sessions=" ".join(ids) if ids else "all",
    )
    return True


def _save(
    connection: sa.Connection,
    course_id: int,
    series_id: UUID,
    new: CourseCount | None,
    ids: list[str] | None,
    *,
    by: str,
    now: datetime,
) -> None:
    key = {"course_id": course_id, "series_id": series_id}
    if new is None:
        connection.execute(sa.delete(course_count).filter_by(**key))
        return
    fresh = {
        "required": new.required,
        "session_ids": None if ids is None else msgspec.json.encode(ids).decode(),
        "set_by": by,
        "set_at": now,
    }
    connection.execute(
        insert(connection, course_count)
        .values(**key, **fresh)
        .on_conflict_do_update(index_elements=list(key), set_=fresh)
    )
