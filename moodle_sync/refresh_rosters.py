"""Who is in the courses of one university, read from its LMS: one course after the other, each by itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from lms.errors import LmsError
from lms.nrps import as_roster_member, read_memberships
from moodle_sync.services import Services, jitter, service_platform
from series.rosters import RosterChanges, RosterMember, held_in_words
from series.store.roster_reads import RosterCourse, courses_to_read, note_failure
from series.store.rosters import preview_roster, save_roster
from series.store.runs import still_alive
from series.store.taking_part import UniversityLeft
from series.store.tombstones import without_erased

log = structlog.get_logger()
FIRST_DELAY = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class CourseReading:
    """What came of one course: its changes, or in `problem` why it could not be read."""

    course: RosterCourse
    changes: RosterChanges | None = None
    problem: str | None = None
    error: LmsError | None = None


def refresh_university(
    services: Services, university_slug: str, *, run_id: int | None = None, only_due: bool = True
) -> list[CourseReading]:
    """Read the rosters that are due, or all. A course that cannot be read is tried again later, and delays no other;
    nor does a platform that does not answer, which is asked once."""
    with services.database.read() as connection:
        due_at = services.clock.now() if only_due else None
        courses = courses_to_read(connection, university_slug, due_at=due_at)
    readings: list[CourseReading] = []
    down: dict[int, LmsError] = {}  # platforms that answer to nothing now
    for course in courses:
        reading = _refresh(services, course, down.get(course.platform_id))
        if reading.error is not None and reading.error.of_platform:
            down[course.platform_id] = reading.error
        readings.append(reading)
        if run_id is not None:
            with services.database.write(wait_for_disk=False) as connection:
                still_alive(connection, run_id, now=services.clock.now())
    return readings


def preview_university(services: Services, university_slug: str) -> list[CourseReading]:
    """What reading all rosters now would change; nothing is written."""
    with services.database.read() as connection:
        courses = courses_to_read(connection, university_slug)
    readings = []
    for course in courses:
        try:
            listed = _listed(services, course)
        except LmsError as error:
            readings.append(CourseReading(course=course, problem=str(error)))
        else:
            with services.database.read() as connection:
                listed = without_erased(connection, course.course_id, listed, secret_key=services.settings.secret_key)
                changes = preview_roster(connection, course.course_id, listed)
            readings.append(CourseReading(course=course, changes=changes))
    return readings


def counts_of(readings: list[CourseReading]) -> dict[str, int]:
    """For the run: courses read and held, and people by what became of them."""
    counts = dict.fromkeys(("read", "held", "new", "suspended", "gone"), 0)
    for reading in readings:
        if reading.changes is None:
            continue
        counts["read"] += 1
        if reading.changes.is_held:
            counts["held"] += 1
            continue
        counts["new"] += len(reading.changes.new) + len(reading.changes.back)
        counts["suspended"] += len(reading.changes.suspended)
        counts["gone"] += len(reading.changes.gone)
    return counts


def problems_of(readings: list[CourseReading]) -> list[str]:
    return [f"{_name(reading.course)}: {words}" for reading in readings if (words := _problem(reading))]


def _problem(reading: CourseReading) -> str | None:
    if reading.changes is not None and reading.changes.is_held:
        held = held_in_words(reading.changes)
        command = f"moodle-sync run rosters --accept {reading.course.course_id}"
        return f"{held} An instructor can do so on the course's page, or you by `{command}`."
    return reading.problem


def _name(course: RosterCourse) -> str:
    return f"course {course.course_id} “{course.title}”"


def _refresh(services: Services, course: RosterCourse, down: LmsError | None) -> CourseReading:
    if down is not None:
        return _fail(services, course, down)
    try:
        listed = _listed(services, course)
    except LmsError as error:
        return _fail(services, course, error)
    except Exception as error:
        log.exception("roster_broke", course_id=course.course_id)
        return _fail(services, course, LmsError(f"An error of ours ({type(error).__name__}); it has been noted."))
    now = services.clock.now()
    next_read_at = now + _jittered(timedelta(seconds=services.settings.roster_interval_s))
    try:
        with services.database.write() as connection:
            listed = without_erased(connection, course.course_id, listed, secret_key=services.settings.secret_key)
            changes = save_roster(connection, course.course_id, listed, now=now, next_read_at=next_read_at)
    except UniversityLeft as left:  # while its list was being read
        return CourseReading(course=course, problem=str(left))
    log.info("roster_read", course_id=course.course_id, people=len(listed), held=changes.is_held)
    return CourseReading(course=course, changes=changes)


def _fail(services: Services, course: RosterCourse, error: LmsError) -> CourseReading:
    now, interval = services.clock.now(), timedelta(seconds=services.settings.roster_interval_s)
    next_read_at = next_after_failure(
        now,
        failures=course.failures + 1,
        interval=interval,
        error=error,
        jitter=jitter(),
    )
    with services.database.write() as connection:
        note_failure(connection, course.course_id, reason=str(error), next_read_at=next_read_at, now=now)
    log.warning("roster_not_read", course_id=course.course_id, error=type(error).__name__)
    return CourseReading(course=course, problem=str(error), error=error)


def next_after_failure(
    now: datetime, *, failures: int, interval: timedelta, error: LmsError, jitter: float
) -> datetime:
    """Later each time, up to the interval of good readings: that one at once where asking again soon cannot help.
    `jitter` from 0 to 1 spreads the load."""
    delay = interval if error.permanent else min(FIRST_DELAY * (1 << min(failures - 1, 10)), interval)
    if error.retry_after_s is not None:
        delay = max(delay, min(timedelta(seconds=error.retry_after_s), interval))
    return now + delay * (1 + jitter / 4)


def _listed(services: Services, course: RosterCourse) -> list[RosterMember]:
    """The whole course, not one activity: whoever may not open it is in the course all the same."""
    platform = service_platform(services, course.platform_id)
    members = read_memberships(services.http, services.tokens, platform, course.memberships_url)
    return [one for one in map(as_roster_member, members) if one is not None]


def _jittered(interval: timedelta) -> timedelta:
    return interval * (1 - jitter() / 8)
