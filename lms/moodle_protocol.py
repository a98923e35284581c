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
    """The web service functions that we call; all belong in the service that a Moodle administrator sets up for us."""

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


_ACCOUNT = "Moodle does not let our service account in: it is suspended, or not allowed to use web services."
_COURSE = (
    "The service account cannot open this course: it needs moodle/course:view there, the course must not be hidden from"
    " it, and Moodle must not be waiting for it to change its password."
)
_CAPABILITY = "The service account lacks a capability in this course."

_NOT_ALLOWED = {
    "invalidtoken": "Moodle does not know our web service token (any more): make a new one and enter it again.",
    "accessexception": "Moodle does not let our token make this call: it has expired or is tied to another address, or"
    " the service is off, or this function or our account is missing from it.",
    "errorcoursecontextnotvalid": _COURSE,
    "requireloginerror": _COURSE,
    "nopermissions": _CAPABILITY,
    "nopermission": _CAPABILITY,
    "cannotviewreport": _CAPABILITY,
    "nopermissiontoviewgrades": _CAPABILITY,
}
_NOT_FOUND = {
    "invalidrecord": "What we asked Moodle for is not there (any more): a course, an event, or the function itself.",
    "invaliduser": "Moodle does not know this person (any more).",
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
    if answer.status in {408, 429} or answer.status >= 500:
        raise TryLater(answer.host, status=answer.status, retry_after_s=answer.retry_after_s)
    if answer.status == 403:
        raise NotAllowed(
            "Moodle refuses web services altogether: they, or their REST protocol, are switched off there.", status=403
        )
    if answer.status >= 400:
        raise Refused("There is no Moodle web service at this address.", status=answer.status)
    if not answer.ok:
        raise MalformedAnswer(
            answer.host, "sends us elsewhere: enter Moodle's address exactly as its own pages have it (wwwroot)"
        )
    try:
        content = _ANYTHING.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedAnswer(answer.host, "answered with a page instead of data") from None
    if isinstance(content, dict) and "errorcode" in content and ("exception" in content or "error" in content):
        raise _error(answer, function, safe_code(content["errorcode"]))


def _error(answer: Answer, function: Function, code: str) -> LmsError:
    # By errorcode alone: class names differ between versions, messages between languages.
    if code in _TRANSIENT:
        return TryLater(answer.host, status=answer.status, reason=_TRANSIENT[code])
    if code.startswith("wsaccess"):
        return NotAllowed(_ACCOUNT, status=answer.status, reason=code)
    if code in _NOT_ALLOWED:
        return NotAllowed(_NOT_ALLOWED[code], status=answer.status, reason=code)
    if code in _NOT_FOUND:
        return NotFound(_NOT_FOUND[code], status=answer.status, reason=code)
    if code == "invalidparameter":
        return Refused(f"Moodle does not take the values that we sent to {function}.", status=200, reason=code)
    return Refused(f"Moodle refused {function} ({code or 'without a code'}).", status=answer.status, reason=code)
