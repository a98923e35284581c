"""Deleting a column of the gradebook. As in Moodle, also that of an activity goes, with its grades, and nobody is
asked: a tool that deletes the wrong one is found out.

https://www.imsglobal.org/spec/lti-ags/v2p0/#line-item-service-scope-and-allowed-http-methods
"""

from flask import Blueprint, Response, request

from sandbox_lms.access_tokens import find_scopes
from sandbox_lms.campus import AGS_SCOPE
from sandbox_lms.line_items import delete_line_item, find_line_item
from sandbox_lms.products.habits import Habits
from sandbox_lms.services import UNAUTHORIZED, refusal, service_blueprint
from sandbox_lms.site import the_site


def make_blueprint(habits: Habits) -> Blueprint:
    blueprint = service_blueprint("line_item_deletion")
    blueprint.add_url_rule(habits.addresses.route(habits.addresses.line_item), view_func=delete, methods=["DELETE"])
    return blueprint


def delete(course_id: int, line_item_id: int) -> Response:
    site = the_site()
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if AGS_SCOPE + "lineitem" not in (find_scopes(site, token) or ()):
        return refusal(UNAUTHORIZED, "")
    if find_line_item(site, line_item_id, course_id) is None:
        return refusal(404, f"Not Found: Grade item {line_item_id} doesn't exist")
    if site.switches.settings.keeps_line_items:
        return refusal(403, "Forbidden")
    delete_line_item(site, line_item_id)
    return Response(status=204)
