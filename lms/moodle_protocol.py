"""Moodle's REST protocol: nested arguments as a form, and errors that arrive with HTTP status 200.

https://docs.moodle.org/dev/Creating_a_web_service_client; measured against Moodle 4.5.6.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from lms.errors import LmsError, MalformedAnswer, NotAllowed, NotFound, Refused, TryLater, safe_code
from lms.guarded import Answer


class Function(StrEnum):
    """The web service functions that we call. Which of them belong in the service that a Moodle administrator sets up
    for us, is in lms.moodle_levels."""

    GET_SITE_INFO = "core_webservice_get_site_info"
    """Who we are there, which Moodle it is, and which functions our token may call."""

    GET_COURSES_BY_FIELD = "core_course_get_courses_by_field"
    """Courses by id, ids, shortname, idnumber or category; none found is an empty list."""

    CREATE_CALENDAR_EVENTS = "core_calendar_create_calendar_events"
    """Many events in one call; those that are not allowed come back as warnings."""

    GET_CALENDAR_EVENTS = "core_calendar_get_calendar_events"
    """Events of courses in a window, or by their ids; missing ids are simply absent."""

    SUBMIT_CREATE_UPDATE_FORM = "core_calendar_submit_create_update_form"
    """Changes one event, by the form that a person fills in: wall clock in the account's time zone."""

    DELETE_CALENDAR_EVENTS = "core_calendar_delete_calendar_events"
    """Deletes all events named, or none if one of them is missing."""

    GET_COURSE_CONTENTS = "core_course_get_contents"
    """A course's sections and activities; those that the account may not see are silently absent."""

    GET_ENROLLED_USERS = "core_enrol_get_enrolled_users"
    """A course's people by pages, suspended ones too; those whose profile the account may not see are absent."""

    GET_ACTIVITIES_COMPLETION = "core_completion_get_activities_completion_status"
    """What one person has completed in a course."""

    CALL_EXTERNAL_FUNCTIONS = "tool_mobile_call_external_functions"
    """Several of these functions in one call; stops at the first one that fails."""

    GET_FORUMS_BY_COURSES = "mod_forum_get_forums_by_courses"
    """Forums of courses; none from a course that the account may not open."""

    GET_FORUM_DISCUSSIONS = "mod_forum_get_forum_discussions"
    """A forum's discussions by pages, each with its first post."""

    ADD_DISCUSSION = "mod_forum_add_discussion"
    """Posts once more each time it is called; Moodle mails the forum's subscribers after the editing time."""


_ACCOUNT = (
    "Moodle does not let our service account in: it is suspended, or not allowed to use web services. Somebody at the"
    " university has to let it in again."
)
_CAPABILITY = "The service account lacks a capability in this course"
_NOT_ALLOWED = {
    "invalidtoken": "Moodle does not know our web service token (any more): make a new one and enter it again.",
    "accessexception": "Moodle does not let our token make this call: it has expired or is tied to another address, or"
    " the service is off, or this function or our account is missing from it.",
    "errorcoursecontextnotvalid": "The service account cannot open this course: it needs moodle/course:view there, the"
    " course must not be hidden from it, and Moodle must not be waiting for it to change its password.",
    "requireloginerror": "The service account cannot go into this course or activity: it needs moodle/course:view"
    " there, and neither may be hidden from it.",
    "cannotcreatediscussion": "The service account may not post in this forum: it needs mod/forum:addnews there and,"
    " in a forum with groups, moodle/site:accessallgroups.",
    "noviewdiscussionspermission": "The service account may not read this forum: it needs mod/forum:viewdiscussion"
    " there.",
    "forumblockingtoomanyposts": "This forum lets our service account post no more for now: raise its post threshold"
    " for blocking, or wait until the time that it counts is over.",
    "accessdenied": "This course has separate groups, and the service account sees into none: it needs"
    " moodle/site:accessallgroups there.",
}
_LACKS_CAPABILITY = {
    "nopermissions",
    "nopermission",
    "cannotviewreport",
    "nopermissiontoviewgrades",
    "nopermissiontoupdatecalendar",
}
_CAPABILITY_OF = {
    Function.GET_ENROLLED_USERS: "moodle/course:viewparticipants",
    Function.GET_ACTIVITIES_COMPLETION: "report/progress:view",
    Function.SUBMIT_CREATE_UPDATE_FORM: "moodle/calendar:manageentries",
    Function.DELETE_CALENDAR_EVENTS: "moodle/calendar:manageentries",
}
NO_SUCH_PERSON = "Moodle does not know this person (any more)."
_NOT_FOUND = {
    "invalidrecord": "What we asked Moodle for is not there (any more): a course, an event, or the function itself.",
    "invaliduser": NO_SUCH_PERSON,
    "userdeleted": NO_SUCH_PERSON,
}
_REFUSED = {
    "notenroled": "This person is not enrolled in the Moodle course (any more).",
    "usernotconfirmed": "This person's account in Moodle is not confirmed yet.",
}
# The first two were seen; the others are Moodle's codes for a database or an upgrade that gets in the way.
_TRANSIENT = {
    "sitemaintenance": "the site is in maintenance",
    "dbconnectionfailed": "its database is not reachable",
    "dmlreadexception": "its database is in trouble",
    "dmlwriteexception": "its database is in trouble",
    "dmltransactionexception": "its database is in trouble",
    "upgraderunning": "it is being upgraded",
}


def form_fields(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Nested arguments as PHP reads them: `events[0][name]`, booleans as 1 and 0."""
    return dict(_fields("", arguments))


def _fields(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _fields(f"{path}[{key}]" if path else str(key), inner)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _fields(f"{path}[{index}]", inner)
    elif isinstance(value, bool):
        yield path, "1" if value else "0"
    elif isinstance(value, int | str):
        yield path, str(value)
    else:
        raise TypeError(f"{path}: Moodle has no form for a {type(value).__name__}")


_ANYTHING = msgspec.json.Decoder()


def check_answer(answer: Answer, function: Function) -> None:
    """Raises every kind of LmsError that an answer can be. What is left is JSON: the function's own answer."""
    _check_status(answer)
    try:
        content = _ANYTHING.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedAnswer(answer.host, "answered with a page instead of data") from None
    if isinstance(content, dict) and "errorcode" in content and ("exception" in content or "error" in content):
        raise error_of(answer.host, function, content["errorcode"], status=answer.status)


def _check_status(answer: Answer) -> None:
    if answer.status in {408, 429} or answer.status >= 500:
        raise TryLater(answer.host, status=answer.status, retry_after_s=answer.retry_after_s)
    if answer.status == 403:
        raise _of_platform(
            NotAllowed(
                "Moodle refuses web services altogether: they, or their REST protocol, are switched off there and have"
                " to be switched on again.",
                status=403,
            )
        )
    if answer.status >= 400:
        raise _of_platform(
            Refused(
                "There is no Moodle web service at this address: compare it with the address of Moodle's own pages.",
                status=answer.status,
            )
        )
    if not answer.ok:
        raise _of_platform(
            MalformedAnswer(
                answer.host, "sends us elsewhere: enter Moodle's address exactly as its own pages have it (wwwroot)"
            )
        )


def error_of(host: str, function: Function, errorcode: object, *, status: int = 200) -> LmsError:
    """By errorcode alone: class names differ between versions, messages between languages."""
    code = safe_code(errorcode)
    if code in _TRANSIENT:
        return TryLater(host, status=status, reason=_TRANSIENT[code])
    if code.startswith("wsaccess"):
        return _of_platform(NotAllowed(_ACCOUNT, status=status, reason=code))
    if code in _NOT_ALLOWED:
        refused = NotAllowed(_NOT_ALLOWED[code], status=status, reason=code)
        return _of_platform(refused) if code == "invalidtoken" else refused
    if code in _LACKS_CAPABILITY:
        wanted = _CAPABILITY_OF.get(function)
        hint = f": give its role {wanted}." if wanted else ": compare its role with the list of what it needs."
        return NotAllowed(_CAPABILITY + hint, status=status, reason=code)
    if code in _NOT_FOUND:
        return NotFound(_NOT_FOUND[code], status=status, reason=code)
    return Refused(_refusal(function, code), status=status, reason=code)


def _refusal(function: Function, code: str) -> str:
    if code == "invalidparameter":
        return f"Moodle does not take the values that we sent to {function}."
    return _REFUSED.get(code) or f"Moodle refused {function} ({code or 'without a code'})."


def _of_platform(error: LmsError) -> LmsError:
    """No other call to this Moodle would fare better."""
    error.of_platform = True
    return error
