"""Moodle's REST protocol: arguments as a PHP form, answers as JSON, errors with HTTP status 200.

Measured against Moodle 4.5.6. Form bodies alone are read, the token too: an address is written into access logs.
"""

import re
from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify, request

from sandbox_lms.moodle_errors import MoodleError, moodle_exception
from sandbox_lms.moodle_functions import call_function
from sandbox_lms.services import retry_after, service_blueprint, the_entry
from sandbox_lms.site import Site, the_site

blueprint = service_blueprint("moodle_rest")

MAX_INPUT_VARS = 1000  # Debian's setting for PHP, which cuts off the rest of a longer form without a word
_PROTOCOL_FIELDS = ("wstoken", "wsfunction", "moodlewsrestformat")


@blueprint.route("/webservice/rest/server.php", methods=["GET", "POST"])
def server() -> Response:
    site = the_site()
    fields = dict(list(request.form.items())[:MAX_INPUT_VARS])
    the_entry().function = fields.get("wsfunction")
    status = site.switches.take_moodle_status()
    if status is not None:
        return Response("<h1>Error</h1>\n", status, headers=retry_after(), mimetype="text/html")
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
        raise moodle_exception("invalidtoken", "Invalid token - token not found")
    nested = nest_fields({key: value for key, value in fields.items() if key not in _PROTOCOL_FIELDS})
    return call_function(site, fields.get("wsfunction", ""), nested)


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
