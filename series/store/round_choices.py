"""Whether a course goes over to a newer round of its series: what there is to decide, and what was decided."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.people import Visit
from series.sessions import Series, Status
from series.store.audit import append_audit
from series.store.database import insert
from series.store.lms_tables import round_answer
from series.store.mirrors import leave_series, show_series
from series.store.moodle_tables import mapped_activity
from series.store.rounds import Shown, counterpart, newest_round
from series.store.sessions import get_series
from series.store.tables import counted, course, course_count, course_series, delivery, placement, session


@dataclass(frozen=True, kw_only=True)
class RoundChoice:
    """`is_taken` None: nobody has answered; `is_asked`: and it is time to."""

    old: Series
    new: Series
    is_taken: bool | None
    is_asked: bool


@dataclass(frozen=True, kw_only=True)
class RoundEffect:
    """What going over would do. `left`: titles of sessions without a counterpart, whose activities stay as they are.
    `grades`: scores of these activities that the gradebook was sent. `has_own_count`, `mapped`: what was set for the
    sessions that are shown now, and is not taken over."""

    moved: int
    left: tuple[str, ...]
    grades: int
    has_own_count: bool
    mapped: int


def round_choice(connection: sa.Connection, visit: Visit, *, now: datetime) -> RoundChoice | None:
    """Of the series that the visit's activity shows, in the visit's course; None: there is one round alone."""
    if visit.course_id is None:
        return None
    new_id = newest_round(connection, visit.series_id)
    if new_id is not None:
        is_taken = _is_taken(connection, visit, new_id)
        is_asked = is_taken is None and _is_time(connection, visit, new_id, now)
        return _choice(connection, visit.series_id, new_id, is_taken=is_taken, is_asked=is_asked)
    answer = _answer(connection, visit.course_id, new_id=visit.series_id)
    if answer is None or not answer.is_taken:
        return None
    return _choice(connection, answer.old_series_id, visit.series_id, is_taken=True, is_asked=False)


def round_effect(
    connection: sa.Connection, course_id: int, *, from_id: UUID, to_id: UUID, is_back: bool = False
) -> RoundEffect:
    pairs = [each for each in _pairs(connection, course_id, from_id, to_id) if each[0].went_over or not is_back]
    left = [row.session_title for row, there in pairs if there is None]
    sent = sa.select(sa.func.count()).where(
        delivery.c.placement_id.in_([row.id for row, there in pairs if there is not None]),
        delivery.c.state.in_(["delivered", "due"]),
    )
    own = sa.select(course_count.c.course_id).where(
        course_count.c.course_id == course_id, course_count.c.series_id == from_id
    )
    of_series = sa.select(session.c.id).where(session.c.series_id == from_id)
    mapped = sa.select(sa.func.count()).where(
        mapped_activity.c.course_id == course_id, mapped_activity.c.session_id.in_(of_series)
    )
    return RoundEffect(
        moved=len(pairs) - len(left),
        left=tuple(left),
        grades=connection.execute(sent).scalar_one(),
        has_own_count=connection.execute(own).first() is not None,
        mapped=connection.execute(mapped).scalar_one(),
    )


def take_round(
    connection: sa.Connection, visit: Visit, choice: RoundChoice, *, is_taken: bool, by: str, now: datetime
) -> None:
    """The visit's course shows the new round from now on, or (`is_taken` false) the old one. May be repeated.

    The activities keep their grade columns, and what those were sent stays: nobody's grade is lowered by it. Evidence
    is not touched. Activities of the course that are opened later for the first time follow.
    """
    course_id = visit.course_id
    assert course_id is not None  # else there is no choice
    old_id, new_id = choice.old.series_id, choice.new.series_id
    _take_turns(connection, course_id)
    before = _answer(connection, course_id, old_id=old_id, new_id=new_id)
    _note_answer(connection, course_id, choice, is_taken=is_taken, by=by, now=now)
    if is_taken:
        _move(connection, course_id, old_id, new_id, now)
    elif before is not None and before.is_taken:
        _move(connection, course_id, new_id, old_id, now, is_back=True)
    append_audit(
        connection,
        actor=by,
        action="take_round" if is_taken else "keep_round",
        thing=f"course {course_id}",
        now=now,
        old=str(old_id),
        new=str(new_id),
    )


def _take_turns(connection: sa.Connection, course_id: int) -> None:
    """Two teachers may answer at once. SQLite has one writer anyway."""
    connection.execute(sa.select(course.c.id).where(course.c.id == course_id).with_for_update(key_share=True))


def _move(
    connection: sa.Connection, course_id: int, from_id: UUID, to_id: UUID, now: datetime, *, is_back: bool = False
) -> None:
    """What was put into the course for the new round itself does not go back."""
    pairs = _pairs(connection, course_id, from_id, to_id)
    moved = [(row, there) for row, there in pairs if there is not None and (row.went_over or not is_back)]
    _tie(connection, course_id, from_id, to_id, now)  # before the activities, as a launch does
    if _goes_on(connection, from_id, now) and len(moved) == len(pairs):
        leave_series(connection, course_id, from_id, now=now)
    for row, there in moved:
        _show(connection, row, there, now, went_over=not is_back)


def _note_answer(
    connection: sa.Connection, course_id: int, choice: RoundChoice, *, is_taken: bool, by: str, now: datetime
) -> None:
    key = {"course_id": course_id, "old_series_id": choice.old.series_id, "new_series_id": choice.new.series_id}
    answer = {"is_taken": is_taken, "answered_by": by, "answered_at": now}
    connection.execute(
        insert(connection, round_answer)
        .values(**key, **answer)
        .on_conflict_do_update(index_elements=list(key), set_=answer)
    )


def _show(connection: sa.Connection, row: Any, there: Shown, now: datetime, *, went_over: bool) -> None:
    """With a column, the worker looks at once who has something to tell it already."""
    look = {"line_item_next_at": now} if row.line_item_url else {}
    connection.execute(
        sa.update(placement)
        .where(placement.c.id == row.id)
        .values(series_id=there.series_id, session_id=there.session_id, went_over=went_over, **look)
    )


def _tie(connection: sa.Connection, course_id: int, from_id: UUID, to_id: UUID, now: datetime) -> None:
    """Its calendar shows the one round if it showed the other."""
    show_series(connection, course_id, to_id, now=now)
    hidden = sa.select(course_series.c.course_id).where(
        course_series.c.course_id == course_id,
        course_series.c.series_id == from_id,
        sa.not_(course_series.c.is_mirrored),
    )
    if connection.execute(hidden).first() is not None:
        connection.execute(
            sa.update(course_series)
            .where(course_series.c.course_id == course_id, course_series.c.series_id == to_id)
            .values(is_mirrored=False)
        )


def _goes_on(connection: sa.Connection, series_id: UUID, now: datetime) -> bool:
    """One that is over stays in the calendar as what it was."""
    _, last_end_at = _span(connection, series_id)
    return last_end_at is not None and last_end_at > now


def _pairs(connection: sa.Connection, course_id: int, from_id: UUID, to_id: UUID) -> list[tuple[Any, Shown | None]]:
    """The course's activities of one round, each with what it would show in the other."""
    rows = connection.execute(
        sa.select(placement, session.c.title.label("session_title"))
        .outerjoin(session, placement.c.session_id == session.c.id)
        .where(placement.c.course_id == course_id, placement.c.series_id == from_id)
        .order_by(session.c.start_at, placement.c.id)
    ).all()
    shown = [Shown(series_id=row.series_id, session_id=row.session_id) for row in rows]
    return [(row, counterpart(connection, one, to_id)) for row, one in zip(rows, shown, strict=True)]


def _is_taken(connection: sa.Connection, visit: Visit, new_id: UUID) -> bool | None:
    """A yes that has not reached this very activity, which was opened for the first time in the same moment, is asked
    for once more; unless there is nothing in the new round that it could show."""
    assert visit.course_id is not None
    answer = _answer(connection, visit.course_id, old_id=visit.series_id, new_id=new_id)
    if answer is None:
        return None
    shown = Shown(series_id=visit.series_id, session_id=visit.session_id)
    if answer.is_taken and counterpart(connection, shown, new_id) is not None:
        return None
    return bool(answer.is_taken)


def _choice(
    connection: sa.Connection, old_id: UUID, new_id: UUID, *, is_taken: bool | None, is_asked: bool
) -> RoundChoice:
    return RoundChoice(
        old=get_series(connection, old_id),
        new=get_series(connection, new_id),
        is_taken=is_taken,
        is_asked=is_asked,
    )


def _answer(connection: sa.Connection, course_id: int, *, new_id: UUID, old_id: UUID | None = None) -> Any:
    query = sa.select(round_answer).where(round_answer.c.course_id == course_id, round_answer.c.new_series_id == new_id)
    if old_id is not None:
        query = query.where(round_answer.c.old_series_id == old_id)
    return connection.execute(query.order_by(round_answer.c.answered_at.desc()).limit(1)).one_or_none()


def _is_time(connection: sa.Connection, visit: Visit, new_id: UUID, now: datetime) -> bool:
    """The new round has sessions; and the old one is over, or the course is a copy, or the activity was put into it
    when the new round had begun."""
    begins_at, _ = _span(connection, new_id)
    if begins_at is None:
        return False
    _, last_end_at = _span(connection, visit.series_id)
    if last_end_at is None or last_end_at <= now:
        return True
    row = connection.execute(
        sa.select(course.c.copied_from, placement.c.first_seen_at)
        .join(placement, placement.c.course_id == course.c.id)
        .where(placement.c.id == visit.placement_id)
    ).one()
    return bool(row.copied_from) or (row.first_seen_at is not None and row.first_seen_at > begins_at)


def _span(connection: sa.Connection, series_id: UUID) -> tuple[datetime | None, datetime | None]:
    """When its first session begins, and its last one ends."""
    row = connection.execute(
        sa.select(sa.func.min(session.c.start_at), sa.func.max(session.c.end_at)).where(
            session.c.series_id == series_id, counted, session.c.status == Status.PLANNED.value
        )
    ).one()
    return row[0], row[1]
