"""Moodle's REST protocol: arguments as a PHP form, answers as JSON, errors with HTTP status 200.

Measured against Moodle 4.5.6. Form bodies alone are read, the token too: an address is written into access logs.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from flask import Response, jsonify, request

from sandbox_lms import moodle_calendar, moodle_event_form, moodle_site
from sandbox_lms.moodle_errors import MoodleError, invalid_parameter, missing_record
from sandbox_lms.services import service_blueprint, the_entry
from sandbox_lms.site import Site, the_site

blueprint = service_blueprint("moodle_rest")

MAX_INPUT_VARS = 1000  # Debian's setting for PHP, which cuts off the rest of a longer form without a word
_PROTOCOL_FIELDS = ("wstoken", "wsfunction", "moodlewsrestformat")

Function = Callable[[Site, Any], Any]
FUNCTIONS: dict[str, tuple[type[Any], Function]] = {
    "core_webservice_get_site_info": (
        moodle_site.NoArguments,
        lambda site, _: moodle_site.site_info(site, list(FUNCTIONS)),
    ),
    "core_course_get_courses_by_field": (moodle_site.ByField, moodle_site.courses_by_field),
    "core_calendar_create_calendar_events": (moodle_calendar.NewEvents, moodle_calendar.create_events),
    "core_calendar_get_calendar_events": (moodle_calendar.WantedEvents, moodle_calendar.get_events),
    "core_calendar_delete_calendar_events": (moodle_calendar.DoomedEvents, moodle_calendar.delete_events),
    "core_calendar_get_calendar_event_by_id": (moodle_calendar.EventById, moodle_calendar.get_event_by_id),
    "core_calendar_submit_create_update_form": (moodle_event_form.FormData, moodle_event_form.submit_form),
}
_PREPARED = [msgspec.json.Decoder(arguments) for arguments, _ in FUNCTIONS.values()]  # see TID251 in pyproject.toml
# Functions that Moodle has and that our service does not offer (yet).
_NOT_IN_SERVICE = frozenset(
    (
        "core_course_get_contents",
        "core_enrol_get_enrolled_users",
        "core_completion_get_activities_completion_status",
        "core_completion_get_course_completion_status",
        "gradereport_user_get_grade_items",
        "tool_mobile_call_external_functions",
    )
)


@blueprint.route("/webservice/rest/server.php", methods=["GET", "POST"])
def server() -> Response:
    site = the_site()
    fields = dict(list(request.form.items())[:MAX_INPUT_VARS])
    the_entry().function = fields.get("wsfunction")
    try:
        answer = _call(site, fields)
    except MoodleError as error:
        answer = error.as_json()
    if fields.get("moodlewsrestformat") != "json":
        # A client that forgets the format gets what it cannot read, as from Moodle.
        return Response('<?xml version="1.0" encoding="UTF-8" ?>\n<RESPONSE/>\n', mimetype="application/xml")
    response = jsonify(answer)
    response.headers["Cache-Control"] = "private, must-revalidate, max-age=0"
    return response


def _call(site: Site, fields: dict[str, str]) -> Any:
    if fields.get("wstoken") != site.campus.moodle_token:
        raise MoodleError("core\\exception\\moodle_exception", "invalidtoken", "Invalid token - token not found")
    name = fields.get("wsfunction", "")
    if name in _NOT_IN_SERVICE:
        raise MoodleError("webservice_access_exception", "accessexception", "Access control exception")
    if name not in FUNCTIONS:
        raise missing_record("external_functions")
    arguments_type, function = FUNCTIONS[name]
    nested = nest_fields({key: value for key, value in fields.items() if key not in _PROTOCOL_FIELDS})
    try:
        arguments = msgspec.convert(nested, arguments_type, strict=False)  # noqa: TID251  # prepared above
    except msgspec.ValidationError as error:
        raise invalid_parameter() from error
    return function(site, arguments)


def nest_fields(fields: Mapping[str, str]) -> Any:
    """`events[0][name]=x` as PHP reads it: {"events": [{"name": "x"}]}."""
    root: dict[str, Any] = {}
    for key, value in fields.items():
        first, *rest = [key.partition("[")[0], *re.findall(r"\[([^\]]*)\]", key)]
        branch, last = root, first
        for part in rest:
            step = branch.get(last)
            branch[last] = step if isinstance(step, dict) else {}
            branch = branch[last]
            last = part or str(len(branch))
        branch[last] = value
    return _with_lists(root)


def _with_lists(branch: Any) -> Any:
    if not isinstance(branch, dict):
        return branch
    values = {key: _with_lists(value) for key, value in branch.items()}
    is_list = bool(values) and all(key.isdecimal() for key in values)
    return [values[key] for key in sorted(values, key=int)] if is_list else values
