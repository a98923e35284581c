"""The part of a check that is about one course: does the account see what we know to be in it?"""

from lms.errors import LmsError, NotAllowed
from lms.moodle import Course
from lms.moodle_course import EnrolledUser, Section, UserCompletions
from lms.moodle_protocol import Function
from moodle_sync.check_calendar import check_calendar
from moodle_sync.check_contents import check_activities, check_unseen, is_shown, note_rights, read_sections
from moodle_sync.checking import Findings
from moodle_sync.services import Services
from series.checks import Code
from series.moodle_jobs import Level
from series.store.check_facts import KnownCourse


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
    sections: tuple[Section, ...] | None = None
    if reads_completions:
        sections = read_sections(found, course)
        if sections is not None:
            check_activities(found, course, sections)
        told = _check_completions(found, course, _check_people(found, course))
        if sections is not None:
            check_unseen(found, course, sections, told)
    if course.announces:
        _check_forum(found, course, sections)
    note_rights(found, course, sections or ())


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


def _check_people(found: Findings, course: KnownCourse) -> list[EnrolledUser]:
    """Those who learn in the course."""
    try:
        people = found.access.moodle.enrolled_users(course.moodle_course_id)
    except NotAllowed as error:
        found.refused(error, Code.PEOPLE, course, case="list")
        return []
    learners = [one for one in people if one.is_learner]
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


def _check_completions(found: Findings, course: KnownCourse, learners: list[EnrolledUser]) -> UserCompletions | None:
    """Those of one student."""
    user_id = next((one.user_id for one in learners), None) or next(iter(sorted(course.learners)), None)
    if user_id is None:
        found.unknown(Code.COMPLETION, course)
        return None
    refused: LmsError | None = None
    if Function.CALL_EXTERNAL_FUNCTIONS in found.functions:
        told = _try_completions(found, course, user_id, batched=True)
        if isinstance(told, UserCompletions):
            found.ok(Code.COMPLETION, course)
            found.ok(Code.BATCHING, course)
            return told
        refused = told
    told = _try_completions(found, course, user_id, batched=False)
    if not isinstance(told, UserCompletions):
        found.refused(told, Code.COMPLETION, course, case="right" if isinstance(told, NotAllowed) else "")
        return None
    found.ok(Code.COMPLETION, course)
    if refused is not None:
        found.gap(Code.BATCHING, course, reason=str(refused))
    return told


def _try_completions(
    found: Findings, course: KnownCourse, user_id: str, *, batched: bool
) -> UserCompletions | LmsError:
    """Or why not."""
    try:
        (outcome,) = found.access.moodle.completions(course.moodle_course_id, [user_id], batched=batched)
    except LmsError as error:
        if error.of_platform:
            raise
        return error
    return outcome if isinstance(outcome, UserCompletions) else outcome.error


def _check_forum(found: Findings, course: KnownCourse, sections: tuple[Section, ...] | None) -> None:
    try:
        forum = found.access.moodle.find_announcements_forum(course.moodle_course_id)
        if forum is not None and sections is None and Function.GET_COURSE_CONTENTS in found.functions:
            sections = found.access.moodle.sections(course.moodle_course_id)
    except NotAllowed as error:
        found.refused(error, Code.FORUM, course)
        return
    if forum is None:
        found.gap(Code.FORUM, course)
        return
    found.ok(Code.FORUM, course)
    if sections is None:
        found.unknown(Code.FORUM_SHOWN, course)
    else:
        (found.ok if is_shown(sections, forum.cmid) else found.gap)(Code.FORUM_SHOWN, course)
    (found.ok if forum.may_post else found.gap)(Code.FORUM_POST, course)
