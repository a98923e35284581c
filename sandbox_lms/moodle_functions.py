"""The web service functions of a campus, by name, and how one is called, alone or several together."""

import json
from collections.abc import Callable
from typing import Any

import msgspec

from sandbox_lms import (
    latencies,
    moodle_calendar,
    moodle_completion,
    moodle_course,
    moodle_event_form,
    moodle_forum,
    moodle_people,
    moodle_site,
)
from sandbox_lms.moodle_errors import MoodleError, invalid_parameter, missing_record, moodle_exception
from sandbox_lms.site import Site


class OneRequest(msgspec.Struct, forbid_unknown_fields=True):
    """`arguments` is JSON; what is no object counts as none."""

    function: str
    arguments: str = "{}"
    settingraw: bool = False
    settingfilter: bool = False
    settingfileurl: bool = True
    settinglang: str = ""


class Requests(msgspec.Struct, forbid_unknown_fields=True):
    requests: list[OneRequest]


def _site_info(site: Site, _: Any) -> Any:
    return moodle_site.site_info(site, [name for name in FUNCTIONS if _is_offered(site, name)])


def _call_all(site: Site, wanted: Requests) -> dict[str, Any]:
    """One after another, up to the first that fails: those after it get no answer at all."""
    responses: list[dict[str, Any]] = []
    for request in wanted.requests:
        try:
            data = _call_one(site, request)
        except MoodleError as error:
            responses.append({"error": True, "exception": _json(_exception(site, request, error))})
            break
        responses.append({"error": False, "data": _json(data)})
    return {"responses": responses}


Function = Callable[[Site, Any], Any]
FUNCTIONS: dict[str, tuple[type[Any], Function]] = {
    "core_webservice_get_site_info": (moodle_site.NoArguments, _site_info),
    "core_course_get_courses_by_field": (moodle_site.ByField, moodle_site.courses_by_field),
    "core_course_get_contents": (moodle_course.WantedContents, moodle_course.course_contents),
    "core_enrol_get_enrolled_users": (moodle_people.WantedUsers, moodle_people.enrolled_users),
    "core_completion_get_activities_completion_status": (
        moodle_completion.OfOneUser,
        moodle_completion.activities_completion,
    ),
    "core_calendar_create_calendar_events": (moodle_calendar.NewEvents, moodle_calendar.create_events),
    "core_calendar_get_calendar_events": (moodle_calendar.WantedEvents, moodle_calendar.get_events),
    "core_calendar_delete_calendar_events": (moodle_calendar.DoomedEvents, moodle_calendar.delete_events),
    "core_calendar_get_calendar_event_by_id": (moodle_calendar.EventById, moodle_calendar.get_event_by_id),
    "core_calendar_submit_create_update_form": (moodle_event_form.FormData, moodle_event_form.submit_form),
    "mod_forum_get_forums_by_courses": (moodle_forum.OfCourses, moodle_forum.forums_by_courses),
    "mod_forum_get_forum_discussions": (moodle_forum.OfForum, moodle_forum.forum_discussions),
    "mod_forum_add_discussion": (moodle_forum.NewDiscussion, moodle_forum.add_forum_discussion),
    "tool_mobile_call_external_functions": (Requests, _call_all),
}
_PREPARED = [msgspec.json.Decoder(arguments) for arguments, _ in FUNCTIONS.values()]  # see TID251 in pyproject.toml
# Functions that Moodle has and that our service does not offer (yet).
_NOT_IN_SERVICE = frozenset(
    (
        "core_completion_get_course_completion_status",
        "gradereport_user_get_grade_items",
    )
)


def call_function(site: Site, name: str, sent: Any) -> Any:
    """What this function answers to these arguments. Raises MoodleError."""
    answer = _call(site, name, sent)
    alone_ms = latencies.START_MS + latencies.ALONE_MS.get(name, 0.0)
    site.switches.take_time(alone_ms + latencies.cost_ms(name, sent, answer))
    return answer


def _call(site: Site, name: str, sent: Any) -> Any:
    if name not in FUNCTIONS and name not in _NOT_IN_SERVICE:
        raise missing_record("external_functions")
    if not _is_offered(site, name):
        raise MoodleError("webservice_access_exception", "accessexception", "Access control exception")
    if site.switches.settings.maintenance:
        raise moodle_exception("sitemaintenance", "The site is undergoing maintenance and is currently not available")
    arguments_type, function = FUNCTIONS[name]
    try:
        arguments = msgspec.convert(sent, arguments_type, strict=False)  # noqa: TID251  # prepared above
    except msgspec.ValidationError as error:
        raise invalid_parameter() from error
    return function(site, arguments)


def _call_one(site: Site, request: OneRequest) -> Any:
    if not _is_offered(site, request.function):
        raise MoodleError("webservice_access_exception", "accessexception", "Access control exception")
    try:
        sent = json.loads(request.arguments)
    except ValueError:
        sent = None
    return _call(site, request.function, sent if isinstance(sent, dict) else {})


def _is_offered(site: Site, name: str) -> bool:
    return name in FUNCTIONS and name not in site.switches.settings.lacks_functions


def _exception(site: Site, request: OneRequest, error: MoodleError) -> dict[str, str]:
    if not _is_offered(site, request.function):
        return {"errorcode": error.errorcode, "module": "webservice"}
    return {
        "message": error.message,
        "errorcode": error.errorcode,
        "link": f"{site.campus.url}/",
        "moreinfourl": f"https://docs.moodle.org/405/en/error/moodle/{error.errorcode}",
    }


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
