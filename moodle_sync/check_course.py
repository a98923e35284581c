"""The part of a check that is about one course: does the account see what we know to be in it?"""

from collections.abc import Iterable

from lms.errors import LmsError, NotAllowed
from lms.moodle import Course
from lms.moodle_course import Activity, EnrolledUser, UserCompletions
from lms.moodle_levels import VIEWED_KINDS
from lms.moodle_protocol import Function
from moodle_sync.check_calendar import check_calendar
from moodle_sync.checking import Findings
from moodle_sync.services import Services
from series.checks import Code
from series.moodle_jobs import Level
from series.store.check_facts import KnownCourse

TEACHING_ROLES = {"editingteacher", "teacher", "manager", "coursecreator"}  # Moodle's short names
LTI = "lti"


def check_course(services: Services, found: Findings, course: KnownCourse) -> None:
    """Raises LmsError where a call fails in a way that no check expects, or for the whole site."""
    listed = found.access.moodle.courses_by_field("id", course.moodle_course_id)
    if not listed:
        found.gap(Code.COURSE_SEEN, course)
        found.skipped(Code.COURSE_OPEN, course)
        return
    found.ok(Code.COURSE_SEEN, course)
    reads_completions = found.access.connection.level is Level.COMPLETIONS
    if not listed[0].is_open:
        found.gap(Code.COURSE_OPEN, course)
        return
    _check_start(found, course, listed[0])
    if reads_completions and listed[0].tracks_completion:
        found.ok(Code.COURSE_COMPLETION, course)
    elif reads_completions:
        found.gap(Code.COURSE_COMPLETION, course)
    if not check_calendar(services, found, course, listed[0].starts_at):
        return
    if reads_completions:
        _check_activities(found, course)
        _check_completions(found, course, _check_people(found, course))
    if course.announces:
        _check_forum(found, course)


def _check_start(found: Findings, course: KnownCourse, there: Course) -> None:
    if course.first_at is None:
        return
    if there.starts_at is None:
        found.unknown(Code.COURSE_START, course)
    elif there.starts_at > course.first_at:
        starts, first = (at.date().isoformat() for at in (there.starts_at, course.first_at))
        found.gap(Code.COURSE_START, course, starts=starts, first=first)
    else:
        found.ok(Code.COURSE_START, course)


def _check_activities(found: Findings, course: KnownCourse) -> None:
    try:
        contents = found.access.moodle.contents(course.moodle_course_id)
    except NotAllowed as error:
        found.refused(error, Code.ACTIVITIES, course)
        return
    unseen = _unseen_kinds(course, contents)
    if unseen:
        capabilities = ", ".join(f"mod/{kind}:view" for kind in unseen)
        found.gap(Code.ACTIVITIES, course, case="kinds", kinds=", ".join(unseen), capabilities=capabilities)
    else:
        found.ok(Code.ACTIVITIES, course)
    there = {activity.cmid: activity for activity in contents}
    gone = [one for one in course.activities if one.cmid not in there and one.module not in unseen]
    if gone:
        found.gap(Code.ACTIVITY_GONE, course, names=_quoted(one.name for one in gone))
    untracked = [one for one in course.activities if one.cmid in there and not there[one.cmid].tracks_completion]
    if untracked:
        found.gap(Code.ACTIVITY_UNTRACKED, course, names=_quoted(one.name for one in untracked))


def _unseen_kinds(course: KnownCourse, contents: Iterable[Activity]) -> list[str]:
    """Kinds that can be hidden from an account, of which we know activities there and see none."""
    shown = {activity.module for activity in contents}
    known = {activity.module for activity in course.activities} | ({LTI} if course.has_placement else set())
    return sorted((known - shown) & set(VIEWED_KINDS))


def _check_people(found: Findings, course: KnownCourse) -> list[EnrolledUser]:
    """Those who learn in the course."""
    try:
        people = found.access.moodle.enrolled_users(course.moodle_course_id)
    except NotAllowed as error:
        found.refused(error, Code.PEOPLE, course, case="list")
        return []
    learners = [one for one in people if not one.roles or set(one.roles) - TEACHING_ROLES]
    missing = course.learners - {one.user_id for one in people}
    # Some may have left since. An account that lacks the right sees almost nobody.
    if missing and (not learners or len(missing) * 2 > len(course.learners)):
        facts = {"known": len(course.learners), "missing": len(missing), "listed": len(people)}
        found.gap(Code.PEOPLE, course, case="details", **facts)
    elif learners:
        found.ok(Code.PEOPLE, course, listed=len(people))
    else:
        found.unknown(Code.PEOPLE, course, listed=len(people))
    return learners


def _check_completions(found: Findings, course: KnownCourse, learners: list[EnrolledUser]) -> None:
    user_id = next((one.user_id for one in learners), None) or next(iter(sorted(course.learners)), None)
    if user_id is None:
        found.unknown(Code.COMPLETION, course)
        return
    refused: LmsError | None = None
    if Function.CALL_EXTERNAL_FUNCTIONS in found.functions:
        refused = _try_completions(found, course, user_id, batched=True)
        if refused is None:
            found.ok(Code.COMPLETION, course)
            found.ok(Code.BATCHING, course)
            return
    alone = _try_completions(found, course, user_id, batched=False)
    if alone is not None:
        found.refused(alone, Code.COMPLETION, course, case="right" if isinstance(alone, NotAllowed) else "")
        return
    found.ok(Code.COMPLETION, course)
    if refused is not None:
        found.gap(Code.BATCHING, course, reason=str(refused))


def _try_completions(found: Findings, course: KnownCourse, user_id: str, *, batched: bool) -> LmsError | None:
    """Why not, or None."""
    try:
        (outcome,) = found.access.moodle.completions(course.moodle_course_id, [user_id], batched=batched)
    except LmsError as error:
        if error.of_platform:
            raise
        return error
    return None if isinstance(outcome, UserCompletions) else outcome.error


def _check_forum(found: Findings, course: KnownCourse) -> None:
    try:
        forum = found.access.moodle.find_announcements_forum(course.moodle_course_id)
    except NotAllowed as error:
        found.refused(error, Code.FORUM, course)
        return
    if forum is None:
        found.gap(Code.FORUM, course)
        return
    found.ok(Code.FORUM, course)
    (found.ok if forum.may_post else found.gap)(Code.FORUM_POST, course)


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)
