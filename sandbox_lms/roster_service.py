"""Names and Role Provisioning Services 2.0 on the library's handler, with pages that can be followed.

https://www.imsglobal.org/spec/lti-nrps/v2p0
"""

from typing import Any

from flask import Response, jsonify, request
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
from sandbox_lms.services import no_handler, refusal, service_blueprint
from sandbox_lms.site import Site, the_site

blueprint = service_blueprint("roster_service")

MEMBERSHIPS = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
SHORT_ROLES = {"student": "Learner", "teacher": "Instructor"}  # short, as Moodle writes them


class CampusRoster(NamesRoleProvisioningService):  # type: ignore[misc]  # the library ships no types
    """The library's handler. Its own paging adds 1 to a text: here the page and the limit are numbers."""

    def __init__(self, site: Site, course: Course) -> None:
        super().__init__(LtiRequest(request), CampusPlatform(site=site), memberships_url(site, course.course_id))
        self._site = site
        self._course = course
        query = self.request.get_data
        query.update({name: _positive(query[name]) for name in ("page", "limit") if name in query})
        page_size = site.switches.settings.roster_page_size
        if page_size is not None:
            query.setdefault("limit", page_size)

    def get_member_data_page(
        self, page: int = 1, limit: int | None = None, role: str | None = None, **_: str
    ) -> dict[str, Any]:
        left = self._site.switches.settings.left
        members = [_member(self._site, person) for person in self._site.campus.members if person.user_id not in left]
        if role is not None:
            members = [member for member in members if role.rpartition("#")[2] in member["roles"]]
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


@blueprint.get("/mod/lti/services.php/CourseSection/<int:course_id>/bindings/<binding>/memberships")
def memberships(course_id: int, binding: str) -> Response:
    site = the_site()
    # Moodle takes any type here; the specification's own is what a tool should send.
    if request.headers.get("Accept", "*/*") not in {MEMBERSHIPS, "*/*"}:
        return no_handler()
    if site.switches.settings.refuses_rlid and "rlid" in request.args:
        return refusal(400, "rlid is not supported")  # Schoology
    try:
        roster = CampusRoster(site, _course(site, course_id, binding))
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


def _course(site: Site, course_id: int, binding: str) -> Course:
    """Raises NoSuchCourse."""
    if binding != site.campus.deployment_id:
        raise NoSuchCourse
    return find_course(site, course_id)


def _page(answer: LibraryResponse) -> Response:
    next_url = answer.result.pop("next", None)  # the specification puts it into a header
    response = jsonify(answer.result)
    response.content_type = f"{MEMBERSHIPS}; charset=utf-8"
    if next_url:
        response.headers["Link"] = f'<{next_url}>; rel="next"'
    return response


def _member(site: Site, person: Person) -> dict[str, Any]:
    """The name only where the registration shares names; an e-mail address never."""
    member = {
        "status": "Inactive" if person.user_id in site.switches.settings.suspended else "Active",
        "roles": [SHORT_ROLES[person.role]],
        "user_id": person.user_id,
        "lis_person_sourcedid": person_sourcedid(site, person),
    }
    return member | ({"name": person.name} if site.campus.shares_names else {})


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(text)
    return int(text)
