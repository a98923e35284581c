"""Names and Role Provisioning Services 2.0 on the library's handler, with pages that can be followed.

https://www.imsglobal.org/spec/lti-nrps/v2p0
"""

import sys
from typing import Any

from flask import Blueprint, Response, jsonify, request
from lti1p3platform.exceptions import LtiServiceException
from lti1p3platform.membership import Context
from lti1p3platform.response import Response as LibraryResponse
from lti1p3platform.service_connector import NamesRoleProvisioningService

from sandbox_lms import latencies
from sandbox_lms.activities import all_activities, memberships_url
from sandbox_lms.campus import Person
from sandbox_lms.courses import Course, NoSuchCourse, find_course
from sandbox_lms.id_tokens import person_sourcedid
from sandbox_lms.lti_platform import CampusPlatform, LtiRequest
from sandbox_lms.products.habits import Habits
from sandbox_lms.service_pages import positive
from sandbox_lms.services import no_handler, refusal, service_blueprint
from sandbox_lms.site import Site, the_site

MEMBERSHIPS = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
SHORT_ROLES = {"student": "Learner", "teacher": "Instructor"}
LONG = "http://purl.imsglobal.org/vocab/lis/v2/membership#"


def make_blueprint(habits: Habits) -> Blueprint:
    blueprint = service_blueprint("roster_service")
    blueprint.add_url_rule(habits.addresses.route(habits.addresses.memberships), view_func=memberships)
    return blueprint


class CampusRoster(NamesRoleProvisioningService):  # type: ignore[misc]  # the library ships no types
    """The library's handler. Its own paging adds 1 to a text: here the page and the limit are numbers."""

    def __init__(self, site: Site, course: Course) -> None:
        super().__init__(LtiRequest(request), CampusPlatform(site=site), memberships_url(site, course.course_id))
        self._site = site
        self._course = course
        query = self.request.get_data
        habits = site.campus.habits
        query.update({name: positive(query[name]) for name in ("page", "limit") if name in query})
        page_size = site.switches.settings.roster_page_size or habits.roster_page
        if page_size is not None:
            query["limit"] = min(query.get("limit", page_size), page_size if habits.caps_roster else sys.maxsize)
        if not habits.reads_rlid:
            query.pop("rlid", None)

    def get_member_data_page(
        self, page: int = 1, limit: int | None = None, role: str | None = None, **_: str
    ) -> dict[str, Any]:
        settings = self._site.switches.settings
        members = [
            _member(self._site, person)
            for person in self._site.campus.members[: settings.roster_lists]
            if person.user_id not in settings.left
        ]
        if role is not None:
            wanted = role.rpartition("#")[2]
            members = [member for member in members if wanted == member["roles"][0].rpartition("#")[2]]
        size = limit or max(len(members), 1)
        content = members[(page - 1) * size : page * size]
        return {"content": content, "has_next": page * size < len(members)}

    def get_context_by_id(self) -> Context:
        course = self._course
        return Context(id=str(course.course_id), label=course.label, title=course.title)

    def is_resource_link_valid(self, context_id: str, resource_link_id: str) -> bool:
        if resource_link_id not in {
            activity.resource_link_id for activity in all_activities(self._site, self._course.course_id)
        }:
            raise LtiServiceException(f"Not Found: LTI link {resource_link_id} doesn't exist", 404)
        return True


def memberships(course_id: int, deployment_id: str | None = None) -> Response:
    site = the_site()
    # Moodle takes any type here; the specification's own is what a tool should send.
    if site.campus.habits.wants_exact_types and request.headers.get("Accept", "*/*") not in {MEMBERSHIPS, "*/*"}:
        return no_handler()
    if site.switches.settings.refuses_rlid and "rlid" in request.args:
        return refusal(400, "rlid is not supported")  # Schoology
    try:
        roster = CampusRoster(site, _course(site, course_id, deployment_id))
    except NoSuchCourse:
        return refusal(404, f"Not Found: Course {course_id} doesn't exist")
    except ValueError:
        return refusal(400, "limit and page must be positive numbers")
    answer: LibraryResponse = roster.handle_resp(roster.handle_get_members)
    if answer.code != 200:
        return refusal(answer.code, answer.message)
    members = len(answer.result["members"])
    site.switches.take_time(latencies.ROSTER_MS + latencies.ROSTER_MEMBER_MS * members)
    return _page(answer)


def _course(site: Site, course_id: int, deployment_id: str | None) -> Course:
    """Raises NoSuchCourse."""
    if deployment_id not in {None, site.campus.deployment_id}:
        raise NoSuchCourse
    return find_course(site, course_id)


def _page(answer: LibraryResponse) -> Response:
    next_url = answer.result.pop("next", None)  # the specification puts it into a header
    response = jsonify(answer.result)
    response.content_type = f"{MEMBERSHIPS}; charset=utf-8"
    if next_url:
        response.headers["Link"] = the_site().campus.habits.roster_link(request.url, _as_told(next_url))
    return response


def _as_told(next_url: str) -> str:
    """The address of the next page, or what the switches make of it."""
    match the_site().switches.settings.roster_link:
        case "loop":
            return request.url
        case "elsewhere":
            return next_url.replace("127.0.0.1", "localhost")
        case "small":
            path, _, query = next_url.partition("?")
            return f"{path.lower()}?{query}"
        case None:
            return next_url


def _member(site: Site, person: Person) -> dict[str, Any]:
    """The name only where the registration shares names; an e-mail address never."""
    member = {
        "status": "Inactive" if person.user_id in site.switches.settings.suspended else "Active",
        "roles": [("" if site.campus.habits.short_roles else LONG) + SHORT_ROLES[person.role]],
        "user_id": site.campus.sub(person.user_id),
        "lis_person_sourcedid": person_sourcedid(site, person),
    }
    return member | ({"name": person.name} if site.campus.shares_names else {})
