"""Assignment and Grade Services 2.0 on the library's handlers, with exact scopes, media types and score rules.

https://www.imsglobal.org/spec/lti-ags/v2p0/
"""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, jsonify, render_template, request
from lti1p3platform.exceptions import LtiServiceException
from lti1p3platform.response import Response as LibraryResponse
from lti1p3platform.score import UpdateScoreStatus
from lti1p3platform.service_connector import AssignmentsGradesService

from sandbox_lms import latencies
from sandbox_lms.activities import line_item_url, line_items_url
from sandbox_lms.campus import AGS_SCOPE
from sandbox_lms.courses import NoSuchCourse, find_course
from sandbox_lms.gradebook import Grade, IncorrectScore, OldScore, all_grades, read_score, record_score
from sandbox_lms.line_items import IncorrectLineItem, LineItem, all_line_items, find_line_item, make_line_item
from sandbox_lms.lti_platform import CampusPlatform, LtiRequest
from sandbox_lms.products.habits import Fault, Habits
from sandbox_lms.service_pages import one_page
from sandbox_lms.services import (
    UNAUTHORIZED,
    client_is_gone,
    fault_refusal,
    hold,
    no_handler,
    refusal,
    retry_after,
    service_blueprint,
    takes_anything,
    the_entry,
    without_path,
)
from sandbox_lms.site import Site, the_site

LINE_ITEM = "application/vnd.ims.lis.v2.lineitem+json"
LINE_ITEMS = "application/vnd.ims.lis.v2.lineitemcontainer+json"
RESULTS = "application/vnd.ims.lis.v2.resultcontainer+json"
SCORE = "application/vnd.ims.lis.v1.score+json"
INCORRECT_SCORE = "Incorrect score received"
CONFLICT = 409
CLIENT_CLOSED_REQUEST = 499


def make_blueprint(habits: Habits) -> Blueprint:
    blueprint = service_blueprint("grade_service")
    addresses = habits.addresses
    course, item = (addresses.route(path) for path in (addresses.line_items, addresses.line_item))
    blueprint.add_url_rule(course, view_func=line_items)
    blueprint.add_url_rule(course, view_func=new_line_item, methods=["POST"])
    blueprint.add_url_rule(item, view_func=line_item)
    blueprint.add_url_rule(f"{item}/results", view_func=results)
    blueprint.add_url_rule(f"{item}/scores", view_func=scores, methods=["POST"])
    if "/services.php" in course:
        blueprint.add_url_rule("/mod/lti/services.php", view_func=without_path)
    return blueprint


class CampusGrades(AssignmentsGradesService):  # type: ignore[misc]  # the library ships no types
    """The library's handlers with the scope of one verb alone: they would take any of the service's."""

    def __init__(self, site: Site, course_id: int, scope: str) -> None:
        super().__init__(LtiRequest(request), CampusPlatform(site=site), line_items_url(site, course_id))
        self._site = site
        self._course_id = course_id
        self._scope = scope

    @property
    def allowed_scopes(self) -> list[str]:
        return [AGS_SCOPE + self._scope]

    def find_lineitems(self, **filters: str) -> dict[str, Any]:
        self._check_course()
        items = [
            _line_item(self._site, found, self._course_id) for found in all_line_items(self._site, self._course_id)
        ]
        # The library hands over every query parameter; these three are the specification's.
        for parameter, member in (
            ("resource_link_id", "resourceLinkId"),
            ("resource_id", "resourceId"),
            ("tag", "tag"),
        ):
            if parameter in filters:
                items = [item for item in items if item.get(member) == filters[parameter]]
        return {"content": items, "has_next": False}

    def find_lineitem(self, line_item_id: int) -> dict[str, Any]:
        return _line_item(self._site, self._line_item(line_item_id), self._course_id)

    def create_lineitem(self, creation_data: Any) -> Any:
        self._check_course()
        names_link = isinstance(creation_data, dict) and "resourceLinkId" in creation_data
        if names_link and Fault.LINK_REFUSED in self._site.campus.habits.says:
            raise LtiServiceException(Fault.LINK_REFUSED, 412)
        try:
            made = make_line_item(self._site, creation_data, self._course_id)
        except IncorrectLineItem:
            raise LtiServiceException("Incorrect line item received", 400) from None
        return _line_item(self._site, made, self._course_id)

    def update_lineitem(self, update_data: Any) -> Any:
        raise LtiServiceException("Line items cannot be changed by a tool here", 405)

    def delete_lineitem(self, line_item_id: str) -> None:
        raise LtiServiceException("Line items cannot be deleted by a tool here", 405)

    def update_score(self, line_item_id: int, score: Any) -> UpdateScoreStatus:
        line_item = self._line_item(line_item_id)
        try:
            record_score(self._site, line_item, read_score(score))
        except IncorrectScore as incorrect:
            raise LtiServiceException(incorrect.fault, 400) from None
        except OldScore:
            return UpdateScoreStatus.OLD_TIMESTAMP
        return UpdateScoreStatus.SUCCESS

    def get_results(self, line_item_id: int, user_id: str | None = None, **_: str) -> dict[str, Any]:
        line_item = self._line_item(line_item_id)
        campus = self._site.campus
        wanted = user_id if campus.habits.filters_results else None
        grades = all_grades(self._site, line_item.line_item_id)
        return {
            "content": [
                _result(self._site, line_item, grade, self._course_id)
                for grade in grades
                if grade.score is not None and wanted in (None, campus.sub(grade.user_id))
            ],
            "has_next": False,
        }

    def _line_item(self, line_item_id: int) -> LineItem:
        self._check_course()
        found = find_line_item(self._site, line_item_id, self._course_id)
        if found is None:
            raise self._fault(Fault.COLUMN_GONE, f"Not Found: Grade item {line_item_id} doesn't exist", 404)
        return found

    def _fault(self, fault: Fault, reason: str, status: int) -> LtiServiceException:
        """`reason`: in the words of those that have none of their own."""
        return LtiServiceException(fault if fault in self._site.campus.habits.says else reason, status)

    def _check_course(self) -> None:
        try:
            find_course(self._site, self._course_id)
        except NoSuchCourse:
            raise LtiServiceException(f"Not Found: Course {self._course_id} doesn't exist", 404) from None
        # Moodle's addresses carry this query; a client that loses it when it adds a path is found out.
        query = self._site.campus.habits.addresses.query
        if query and request.args.get("type_id") != self._site.campus.deployment_id:
            raise LtiServiceException("Not Found: Tool type doesn't exist", 404)


def line_items(course_id: int, **_: str) -> Response:
    service = CampusGrades(the_site(), course_id, "lineitem.readonly")
    page_size = the_site().campus.habits.line_items_page
    return _answer_get(LINE_ITEMS, service, service.handle_get_lineitems, page_size=page_size)


def new_line_item(course_id: int, **_: str) -> Response:
    if request.headers.get("Content-Type") != LINE_ITEM:
        return no_handler()
    service = CampusGrades(the_site(), course_id, "lineitem")
    answer: LibraryResponse = service.handle_resp(service.handle_create_lineitem)
    if answer.code != 201:
        return refusal(answer.code, answer.message)
    response = jsonify(answer.result)
    response.status_code = 201
    response.content_type = f"{LINE_ITEM}; charset=utf-8"
    return response


def line_item(course_id: int, line_item_id: int, **_: str) -> Response:
    service = CampusGrades(the_site(), course_id, "lineitem.readonly")
    return _answer_get(LINE_ITEM, service, service.handle_get_lineitem, line_item_id=line_item_id)


def results(course_id: int, line_item_id: int, **_: str) -> Response:
    if "limit" in request.args and not the_site().campus.habits.results_take_limit:
        # Moodle 4.5 fails on every limit, with a page: "Call to a member function out() on null".
        page = render_template("error.html", title="Error", message="Call to a member function out() on null")
        return Response(page, 404, mimetype="text/html")
    service = CampusGrades(the_site(), course_id, "result.readonly")
    page_size = the_site().campus.habits.results_page
    return _answer_get(RESULTS, service, service.handle_get_results, page_size=page_size, line_item_id=line_item_id)


def scores(course_id: int, line_item_id: int, **_: str) -> Response:
    site = the_site()
    _note_score()
    hold("hold_score_before")
    if client_is_gone():
        # Whoever was killed while this request waited never sent it, as far as the gradebook knows.
        return Response(status=CLIENT_CLOSED_REQUEST)
    if request.headers.get("Content-Type") != SCORE:
        return no_handler()
    status = site.switches.take_score_status()
    if status is not None:
        return Response(status=status, headers=retry_after(), mimetype="text/html")
    if site.switches.settings.score_fault is not None:
        return fault_refusal(site.switches.settings.score_fault)
    service = CampusGrades(site, course_id, "score")
    answer = service.handle_resp(service.handle_update_score, line_item_id=line_item_id)
    site.switches.take_time(latencies.SCORE_MS)
    hold("hold_score_after")
    return _answer_score(answer)


def _answer_get(
    media_type: str,
    service: CampusGrades,
    handler: Callable[..., Any],
    *,
    page_size: int | None = None,
    **arguments: int,
) -> Response:
    habits = the_site().campus.habits
    if habits.wants_exact_types and request.headers.get("Accept") != media_type:
        is_unknown = takes_anything() and "Authorization" not in request.headers
        return refusal(UNAUTHORIZED, "") if is_unknown else no_handler()
    answer: LibraryResponse = service.handle_resp(handler, **arguments)
    the_site().switches.take_time(latencies.LINE_ITEMS_MS)
    if answer.code != 200:
        return refusal(answer.code, answer.message)
    found: Any = answer.result
    headers: dict[str, str] = {}
    if isinstance(found, dict) and "content" in found:
        try:
            found, headers = one_page(found["content"], own_size=page_size, link=habits.link)
        except ValueError:
            return refusal(400, "limit and page must be positive numbers")
    response = jsonify(found)
    response.headers.update(headers)
    response.content_type = f"{answer.media_type}; charset=utf-8"
    return response


def _answer_score(answer: LibraryResponse) -> Response:
    fault = Fault.OLD_SCORE if answer.code == CONFLICT else answer.message
    if answer.code in {401, 404} or fault in the_site().campus.habits.says:
        return refusal(answer.code, fault)
    body = "" if answer.code == 200 else "[]"
    status = f"400 {INCORRECT_SCORE}" if answer.code == 400 else str(answer.code)
    return Response(body, status=status, content_type=f"{SCORE}; charset=utf-8")


def _note_score() -> None:
    document = request.get_json(silent=True, force=True)
    if isinstance(document, dict):
        user_id, given, at = document.get("userId"), document.get("scoreGiven"), document.get("timestamp")
        the_entry().user_id = user_id if isinstance(user_id, str) else None
        the_entry().score_given = given if isinstance(given, int | float) else None
        the_entry().score_at = at if isinstance(at, str) else None
        the_entry().body_sha256 = sha256(request.get_data()).hexdigest()


def _line_item(site: Site, found: LineItem, course_id: int) -> dict[str, Any]:
    link = found.resource_link_id
    return {
        "id": line_item_url(site, found.line_item_id, course_id=course_id),
        "label": found.label,
        "scoreMaximum": _number(found.score_maximum),
        "resourceId": found.resource_id,
        "tag": found.tag,
    } | ({} if link is None else {"resourceLinkId": link, "ltiLinkId": link})


def _result(site: Site, line_item: LineItem, grade: Grade, course_id: int) -> dict[str, Any]:
    url = line_item_url(site, line_item.line_item_id, "/results", course_id=course_id)
    sub = site.campus.sub(grade.user_id)
    result: dict[str, Any] = {
        "id": f"{url}{'&' if '?' in url else '?'}user_id={quote(sub, safe='')}",
        "userId": sub,
        "resultScore": _number(grade.score or 0),
        "resultMaximum": _number(line_item.score_maximum),
        "scoreOf": line_item_url(site, line_item.line_item_id, course_id=course_id),
        "timestamp": datetime.fromtimestamp(grade.scored_at_s, site.zone).isoformat(),
    }
    return result | ({"comment": grade.comment} if grade.comment else {})


def _number(value: float) -> float:
    return int(value) if value == int(value) else value
