"""The part of a check that holds what a course's account sees of activities against what is known to be there.

Without knowing anything, too: completions are told of activities in hidden sections that the list of activities leaves
out, and the list names restricted activities whose completions are left out.
"""

import re
from collections.abc import Collection, Iterable, Sequence

from lms.errors import NotAllowed
from lms.moodle_course import Section, UserCompletions
from lms.moodle_levels import VIEWED_KINDS, capabilities_of
from moodle_sync.checking import Findings
from series.check_words import remedy_sentence
from series.checks import Code, Outcome
from series.store.check_facts import KnownCourse

LTI = "lti"
HIDDEN_SECTIONS = "moodle/course:viewhiddensections"
SHOWN_BY = {
    Code.COURSE_OPEN: "moodle/course:view",
    Code.CALENDAR_WRITE: "moodle/calendar:manageentries",
    Code.PEOPLE: "moodle/user:viewdetails",
    Code.COMPLETION: "report/progress:view",
    Code.FORUM: "mod/forum:viewdiscussion",
    Code.FORUM_POST: "mod/forum:addnews",
}


def read_sections(found: Findings, course: KnownCourse) -> tuple[Section, ...] | None:
    """None: the account may not read them."""
    try:
        return found.access.moodle.sections(course.moodle_course_id)
    except NotAllowed as error:
        found.refused(error, Code.ACTIVITIES, course)
        return None


def check_activities(found: Findings, course: KnownCourse, sections: Iterable[Section]) -> None:
    """Those that we know to be there."""
    there = {activity.cmid: activity for section in sections for activity in section.activities}
    unseen = _unseen_kinds(course, {activity.module for activity in there.values()})
    gone = [one for one in course.activities if one.cmid not in there and one.module not in unseen]
    if unseen:
        capabilities = ", ".join(f"mod/{kind}:view" for kind in unseen)
        found.gap(Code.ACTIVITIES, course, case="kinds", kinds=", ".join(unseen), capabilities=capabilities)
    elif not course.activities and not course.has_placement:
        found.unknown(Code.ACTIVITIES, course)
    elif not gone:
        found.ok(Code.ACTIVITIES, course)
    if gone:
        found.gap(Code.ACTIVITY_GONE, course, names=_quoted(one.name for one in gone))
    untracked = [one for one in course.activities if one.cmid in there and not there[one.cmid].tracks_completion]
    if untracked:
        found.gap(Code.ACTIVITY_UNTRACKED, course, names=_quoted(one.name for one in untracked))


def _unseen_kinds(course: KnownCourse, shown: Collection[str]) -> list[str]:
    """Kinds that can be hidden from an account, of which we know activities there and see none."""
    known = {activity.module for activity in course.activities} | ({LTI} if course.has_placement else set())
    return sorted((known - set(shown)) & set(VIEWED_KINDS))


def check_unseen(
    found: Findings, course: KnownCourse, sections: Sequence[Section], told: UserCompletions | None
) -> None:
    """What Moodle lets slip of what it does not show. `told`: of one student."""
    there = {activity.cmid: activity for section in sections for activity in section.activities}
    restricted = sum(not activity.is_readable for activity in there.values())
    if restricted:
        found.gap(Code.ACTIVITY_UNSEEN, course, case="restricted", number=restricted)
    left_out = {status.cmid for status in told.statuses} - there.keys() if told else set()
    numbers = {section.number for section in sections if section.number is not None}
    if left_out or not all(section.is_readable for section in sections):
        found.gap(Code.ACTIVITY_UNSEEN, course)
    elif len(numbers) <= max(numbers, default=-1):
        found.unknown(Code.ACTIVITY_UNSEEN, course)


def is_shown(sections: Iterable[Section], cmid: int) -> bool:
    """To students."""
    activities = (activity for section in sections for activity in section.activities)
    return any(activity.cmid == cmid and not activity.is_hidden for activity in activities)


def note_rights(found: Findings, course: KnownCourse, sections: Iterable[Section]) -> None:
    """Which capabilities of the level were seen to work in this course, and which nothing there has needed. What a gap
    names already is in neither."""
    of_course = [check for check in found.checks if check.facts.get("course_id") == course.moodle_course_id]
    remedies = " ".join(remedy_sentence(check) for check in of_course if check.outcome is Outcome.GAP)
    named = set(re.findall(r"\w+/\w+:\w+", remedies))
    needed = [one.name for one in capabilities_of(found.access.connection.level, announcements=course.announces)]
    shown = {"webservice/rest:use", *_shown_by_contents(sections)}
    shown |= {SHOWN_BY[one.code] for one in of_course if one.outcome is Outcome.OK and one.code in SHOWN_BY}
    if any(one.code is Code.PEOPLE and "listed" in one.facts for one in of_course):
        shown.add("moodle/course:viewparticipants")
    seen = [name for name in needed if name in shown]
    open_ones = [name for name in needed if name not in shown and name not in named]
    found.ok(Code.RIGHTS, course, capabilities=", ".join(seen))
    if open_ones:
        found.skipped(Code.RIGHTS, course, capabilities=", ".join(open_ones))


def _shown_by_contents(sections: Iterable[Section]) -> set[str]:
    shown = set()
    for section in sections:
        shown |= {HIDDEN_SECTIONS} if section.is_hidden and section.is_readable else set()
        for activity in section.activities:
            shown |= {f"mod/{activity.module}:view"} if activity.is_readable else set()
            shown |= {"moodle/course:viewhiddenactivities"} if activity.is_hidden else set()
            if activity.is_restricted and activity.is_readable:
                shown.add("moodle/course:ignoreavailabilityrestrictions")
    return shown


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)
