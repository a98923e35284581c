"""The sandbox's own addresses, for tests and the demo: health, switches, journal, and what the LMS holds."""

import ipaddress
from dataclasses import asdict
from typing import Any

import msgspec
from flask import Blueprint, Response, abort, jsonify, request

from sandbox_lms.announcements import all_discussions
from sandbox_lms.calendar import all_events
from sandbox_lms.completion import all_completions
from sandbox_lms.gradebook import all_grades
from sandbox_lms.site import the_site

blueprint = Blueprint("control", __name__)


@blueprint.get("/healthz")
def health() -> Response:
    return jsonify(status="ok", campus=the_site().slug)


@blueprint.before_request
def _loopback_only() -> None:
    if not ipaddress.ip_address(request.remote_addr or "0.0.0.0").is_loopback:  # noqa: S104  # no address is no loopback
        abort(403)


@blueprint.get("/sandbox/switches")
def show_switches() -> Response:
    switches = the_site().switches
    return jsonify({**msgspec.structs.asdict(switches.settings), "held": switches.held()})


@blueprint.post("/sandbox/switches")
def set_switches() -> Any:
    """A JSON object with the switches to change; `{"reset": true}` puts all of them off."""
    changes = request.get_json()  # refuses other content types, so that no page elsewhere can post this from a browser
    switches = the_site().switches
    if changes == {"reset": True}:
        switches.reset()
        return show_switches()
    try:
        switches.set(**changes)
    except (msgspec.ValidationError, TypeError) as error:
        return jsonify(error=str(error)), 400
    return show_switches()


@blueprint.get("/sandbox/journal")
def show_journal() -> Response:
    return jsonify(the_site().journal.as_json())


@blueprint.delete("/sandbox/journal")
def clear_journal() -> tuple[str, int]:
    the_site().journal.clear()
    return "", 204


@blueprint.get("/sandbox/state")
def show_state() -> Response:
    """The gradebook, the calendar, completions and announcements as they are stored."""
    site = the_site()
    with site.database.read() as connection:
        events = all_events(connection, site)
    return jsonify(
        grades=[asdict(grade) for grade in all_grades(site)],
        events=[asdict(event) for event in events],
        completions=[asdict(completion) for completion in all_completions(site).values()],
        discussions=[asdict(discussion) for discussion in all_discussions(site)],
    )
