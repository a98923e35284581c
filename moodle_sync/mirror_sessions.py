"""The sessions of the series into one university's course calendars: only what has changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from lms.errors import LmsError, NotAllowed, NotFound
from lms.moodle_events import CalendarEvent
from moodle_sync.apply_healing import apply_healing
from moodle_sync.heal_calendar import Healing, KnownCourse, heal
from moodle_sync.late_effects import LateEffects, late_effects
from moodle_sync.moodle_access import MoodleAccess
from moodle_sync.plan_mirrors import Plan, Target, find_marked, plan
from moodle_sync.services import Services
from series.moodle_jobs import MoodleJob
from series.store.course_ties import shown_by_others
from series.store.database import Connection
from series.store.mirrors import (
    MirroredCourse,
    drop_mirrors,
    mirrored_courses,
    mirrored_starts,
    mirrors_of,
)
from series.store.moodle_connections import MoodleConnection
from series.store.moodle_jobs import ask_again
from series.store.schema import installation_id
from series.store.sessions import sessions_of

A_WHILE = timedelta(days=400)


@dataclass(frozen=True, kw_only=True)
class CoursePlan:
    """What one course needs. Nothing is called while it is made. `from_at`, `to_at`: where our events are, unless
    somebody has moved one years away."""

    course: MirroredCourse
    known: KnownCourse
    plan: Plan
    from_at: datetime
    to_at: datetime


def plan_university(services: Services, connection: MoodleConnection) -> list[CoursePlan]:
    """The plan of every course of the university, empty ones too."""
    now = services.clock.now()
    with services.database.read() as reading:
        installation = installation_id(reading)
        return [
            _plan_course(reading, course, services.settings.public_url, installation, now)
            for course in mirrored_courses(reading, connection.university_id)
        ]


def _plan_course(
    reading: Connection, course: MirroredCourse, public_url: str, installation: str, now: datetime
) -> CoursePlan:
    sessions = tuple(s for series_id in course.series_ids for s in sessions_of(reading, series_id))
    mirrors = tuple(mirrors_of(reading, course.course_id))
    of_others = shown_by_others(reading, course.course_id)
    target = Target(course_id=course.moodle_course_id, public_url=public_url, installation_id=installation)
    # Of one that was moved years away, a double is where it was: around now, most likely.
    starts = [now, *(s.start_at for s in sessions), *mirrored_starts(reading, course.course_id)]
    return CoursePlan(
        course=course,
        known=KnownCourse(target=target, sessions=sessions, mirrors=mirrors, of_others=of_others),
        plan=plan(sessions, mirrors, target=target, now=now),
        from_at=min(starts) - A_WHILE,
        to_at=max(starts) + A_WHILE,
    )


def mirror(services: Services, access: MoodleAccess) -> None:
    """Bring one university's course calendars up to date: no call where nothing has changed. One course's trouble
    leaves the others alone. Raises an LmsError of the whole site."""
    with late_effects(services, access) as effects:
        for course_plan in plan_university(services, access.connection):
            if course_plan.plan.is_empty:
                continue
            try:
                _mirror_course(services, access, course_plan, effects)
            except LmsError as error:
                go_on(access, course_plan, error, effects)


def _mirror_course(services: Services, access: MoodleAccess, course_plan: CoursePlan, effects: LateEffects) -> None:
    healing = heal(
        course_plan.known,
        _look(access, course_plan),
        own_user_ids=access.connection.own_user_ids,
        now=services.clock.now(),
        only=course_plan.plan.session_ids,
    )
    apply_healing(services, access, course_plan.course.course_id, healing, effects)
    wait(services, access, healing)


def go_on(access: MoodleAccess, course_plan: CoursePlan, error: LmsError, effects: LateEffects) -> None:
    """With the other courses. Raises the error of a whole site."""
    if error.of_platform:
        raise error
    effects.after(error)
    said = f"Course {course_plan.course.moodle_course_id}: {error}"
    if isinstance(error, NotAllowed | NotFound) and not course_plan.course.series_ids:
        with access.write() as connection:
            sessions = [mirror.session_id for mirror in course_plan.known.mirrors]
            drop_mirrors(connection, course_plan.course.course_id, sessions)
        access.notes.append(f"{said} No series is shown there any more; if events of ours are left, delete them there.")
    else:
        access.problems.append(said)


def wait(services: Services, access: MoodleAccess, healing: Healing) -> None:
    """For what a call that was given up may still make."""
    if healing.waiting:
        with services.database.write() as connection:
            ask_again(connection, access.connection.university_id, MoodleJob.MIRROR, at=min(healing.waiting))


def list_events(access: MoodleAccess, course_plan: CoursePlan) -> tuple[CalendarEvent, ...]:
    target = course_plan.known.target
    return access.moodle.calendar_events(target.course_id, from_at=course_plan.from_at, to_at=course_plan.to_at)


def _look(access: MoodleAccess, course_plan: CoursePlan) -> Iterable[CalendarEvent]:
    """At the events that are to change. Where one is missing, or one is to be made, at the whole calendar: nothing is
    made that may be there. Also where the course no longer shows a session: of a course without any, nobody would ever
    find the doubles."""
    plan, known_ids = course_plan.plan, course_plan.plan.known_ids
    events = access.moodle.calendar_events_by_ids(known_ids) if known_ids else ()
    shown = {session.session_id for session in course_plan.known.sessions}
    marked = find_marked(
        (event for event in events if event.course_id == course_plan.known.target.course_id),
        installation_id=course_plan.known.target.installation_id,
        own_user_ids=access.connection.own_user_ids,
    )
    ours = {event.event_id for found in marked.values() for event in found}
    is_unsure = any(mirror.event_id is None or mirror.session_id not in shown for mirror in plan.delete)
    if plan.create or plan.look_for or ours < known_ids or is_unsure:
        return (*events, *list_events(access, course_plan))
    return events
