"""What the service account of a partner's Moodle needs for each level at which it may be connected, and no more.

Measured by taking each capability away (capability matrix of Moodle 4.5.6); the kinds of activity are those whose
capability decides in Moodle's cm_info::is_user_access_restricted_by_capability.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lms.moodle_protocol import Function
from series.moodle_jobs import Level

ANNOUNCEMENTS = "announcements"


@dataclass(frozen=True, kw_only=True)
class Capability:
    """A right that a role gives. `why` ends a sentence: "It is needed …". `is_system`: belongs into a role at the
    system level; all others into a role in the course or its category."""

    name: str
    why: str
    is_system: bool = False


@dataclass(frozen=True, kw_only=True)
class Needs:
    functions: tuple[Function, ...]
    capabilities: tuple[Capability, ...]


# Activities of these kinds are silently absent for an account that lacks mod/<kind>:view. The other standard kinds
# (book, forum, scorm, subsection, survey, wiki) have no such capability and are always shown.
VIEWED_KINDS = (
    *("assign", "bigbluebuttonbn", "chat", "choice", "data", "feedback", "folder", "glossary", "h5pactivity"),
    *("imscp", "label", "lesson", "lti", "page", "quiz", "resource", "url", "workshop"),
)

_ALL_GROUPS = Capability(name="moodle/site:accessallgroups", why="where the course or the forum has separate groups")
_CALENDAR = Needs(
    functions=(
        Function.GET_SITE_INFO,
        Function.GET_COURSES_BY_FIELD,
        Function.CREATE_CALENDAR_EVENTS,
        Function.GET_CALENDAR_EVENTS,
        Function.SUBMIT_CREATE_UPDATE_FORM,
        Function.DELETE_CALENDAR_EVENTS,
    ),
    capabilities=(
        Capability(name="webservice/rest:use", why="to call Moodle's web services at all", is_system=True),
        Capability(name="moodle/course:view", why="to open the course without being enrolled in it"),
        Capability(name="moodle/calendar:manageentries", why="to write events into the course's calendar"),
    ),
)
_COMPLETIONS = Needs(
    functions=(
        *_CALENDAR.functions,
        Function.GET_COURSE_CONTENTS,
        Function.GET_ENROLLED_USERS,
        Function.GET_ACTIVITIES_COMPLETION,
        Function.CALL_EXTERNAL_FUNCTIONS,
    ),
    capabilities=(
        *_CALENDAR.capabilities,
        Capability(name="moodle/course:viewparticipants", why="to list who is enrolled"),
        Capability(name="moodle/user:viewdetails", why="to see all who are enrolled, and not the teachers alone"),
        Capability(name="report/progress:view", why="to read what students have completed"),
        Capability(name="moodle/course:viewhiddenactivities", why="to see activities that are hidden from students"),
        Capability(name="moodle/course:viewhiddensections", why="to see activities in sections that are hidden"),
        Capability(
            name="moodle/course:ignoreavailabilityrestrictions",
            why="to see activities that are open to some students only, or not yet",
        ),
        _ALL_GROUPS,
        *(Capability(name=f"mod/{kind}:view", why=f"to see activities of the kind “{kind}”") for kind in VIEWED_KINDS),
    ),
)
_ANNOUNCEMENTS = Needs(
    functions=(Function.GET_FORUMS_BY_COURSES, Function.GET_FORUM_DISCUSSIONS, Function.ADD_DISCUSSION),
    capabilities=(
        Capability(name="mod/forum:viewdiscussion", why="to find the announcements forum and read what is in it"),
        Capability(name="mod/forum:addnews", why="to post announcements"),
        _ALL_GROUPS,
    ),
)

NEEDS: Mapping[str, Needs] = MappingProxyType(
    {Level.CALENDAR.value: _CALENDAR, Level.COMPLETIONS.value: _COMPLETIONS, ANNOUNCEMENTS: _ANNOUNCEMENTS}
)
"""What each level needs in all, and what announcements need on top of any."""


def functions_of(level: Level, *, announcements: bool) -> tuple[Function, ...]:
    """What belongs in the service of this Moodle, each once."""
    return tuple(
        dict.fromkeys(function for needs in _needs(level, announcements=announcements) for function in needs.functions)
    )


def capabilities_of(level: Level, *, announcements: bool) -> tuple[Capability, ...]:
    """What the account's roles must allow, each once."""
    return tuple(
        dict.fromkeys(one for needs in _needs(level, announcements=announcements) for one in needs.capabilities)
    )


def _needs(level: Level, *, announcements: bool) -> tuple[Needs, ...]:
    return (NEEDS[level], *((NEEDS[ANNOUNCEMENTS],) if announcements else ()))
