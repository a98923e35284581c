"""The launch message: lti1p3platform's, with the claims that a Moodle sends. Never a name or an e-mail address."""

from typing import Any

from flask import render_template
from lti1p3platform.message_launch import LTIAdvantageMessageLaunchAbstract

from sandbox_lms.activities import Activity, course_of, line_item_url, line_items_url, memberships_url
from sandbox_lms.campus import AGS_SCOPE, NRPS_SCOPE, Person
from sandbox_lms.courses import Course, find_course
from sandbox_lms.registered_tools import current_tool
from sandbox_lms.site import Site

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
LIFE_S = 60  # as Moodle: what takes longer on its way is not a launch
ROLES = {
    "student": ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"],
    "teacher": ["http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"],
    "administrator": [
        "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator",
        "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor",
        "http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator",
    ],
}


class CampusLaunch(LTIAdvantageMessageLaunchAbstract):  # type: ignore[misc]  # the library ships no types
    """The library signs what it is given to whoever asks: everything must have been checked before `lti_launch`."""

    storage_target: str | None = None

    def get_launch_message(self, *arguments: Any) -> dict[str, Any]:
        message: dict[str, Any] = super().get_launch_message(*arguments)
        message.pop("azp")  # Moodle sends none
        return message

    def render_launch_form(self, launch_data: dict[str, Any], **_: Any) -> str:
        fields = [("id_token", launch_data["id_token"]), ("state", launch_data["state"])]
        if self.storage_target is not None:
            # Said at the login already, and said again: https://www.imsglobal.org/spec/lti-cs-oidc/v0p1
            fields.append(("lti_storage_target", self.storage_target))
        return render_template("form_post.html", action=launch_data["launch_url"], fields=fields)


def describe(launch: CampusLaunch, site: Site, person: Person, activity: Activity) -> None:
    """Put into the message who opens what, and which services the tool may use for it."""
    campus, scopes, course = site.campus, current_tool(site).scopes, find_course(site, course_of(site, activity))
    describe_course(launch, site, person, course)
    launch.set_resource_link_claim(activity.resource_link_id, title=activity.title)
    launch.set_extra_claims(_presentation(site, activity))
    launch.set_custom_parameters_claim({**_custom(site, course, activity), **activity.custom})
    is_graded = campus.grades_activities and activity.is_graded
    own = line_item_url(site, activity.line_item_id, course_id=course.course_id) if is_graded else None
    launch.set_ags(line_items_url(site, course.course_id), own)
    # The library names scopes of its own choice; a platform must name those that it grants.
    launch.extra_claims["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"]["scope"] = [
        scope for scope in scopes if scope.startswith(AGS_SCOPE)
    ]
    if NRPS_SCOPE in scopes:
        launch.set_nrps(memberships_url(site, course.course_id))


def describe_course(launch: CampusLaunch, site: Site, person: Person, course: Course) -> None:
    """What every message says: who comes from which course."""
    launch.storage_target = site.campus.storage_target
    launch.set_id_token_expiration(LIFE_S)
    launch.set_user_data(site.campus.sub(person.user_id), ROLES[person.role])
    launch.set_launch_context_claim(
        str(course.course_id), ["CourseSection"], context_title=course.title, context_label=course.label
    )
    launch.set_custom_parameters_claim(_custom(site, course, None))
    launch.set_extra_claims(_platform_claims(site, person))


def _custom(site: Site, course: Course, activity: Activity | None) -> dict[str, str]:
    """What the tool has asked for at its registration, replaced as far as this LMS knows it: a Moodle sends what it
    does not know as it is."""
    links = "$ResourceLink.id.history"
    if activity is not None and site.switches.settings.knows_link_history:
        links = ",".join(activity.copied_from)
    return {
        "context_memberships_url": memberships_url(site, course.course_id),
        "context_history": ",".join(map(str, course.history)),
        "resource_link_history": links,
    }


def _presentation(site: Site, activity: Activity) -> dict[str, Any]:
    campus = site.campus
    return {
        CLAIM + "launch_presentation": {
            "locale": campus.language,
            "document_target": activity.document_target,
            "return_url": f"{campus.url}/mod/lti/return.php?course={course_of(site, activity)}"
            f"&instanceid={activity.activity_id}",
        }
    }


def _platform_claims(site: Site, person: Person) -> dict[str, Any]:
    campus = site.campus
    return {
        CLAIM + "tool_platform": {
            "product_family_code": campus.habits.family,
            "version": campus.habits.version,
            "guid": f"sandbox-{campus.slug}",
            "name": campus.slug,
            "description": campus.name,
        },
        # Moodle sends the student number even to a tool that may not know names.
        CLAIM + "lis": {
            "person_sourcedid": person_sourcedid(site, person),
            "course_section_sourcedid": "SHARED-WS",
        },
    } | ({CLAIM + "ext": {"lms": "moodle-2"}} if campus.product == "moodle" else {})


def person_sourcedid(site: Site, person: Person) -> str:
    return f"{site.campus.country}{int(person.user_id):06d}"
