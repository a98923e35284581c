"""The first step of a launch: this LMS asks the tool to begin a login.

Security Framework 1.0, section 5.1.1.1: https://www.imsglobal.org/spec/security/v1p0#step-1-third-party-initiated-login
"""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Blueprint, Response, abort, make_response, redirect, render_template
from lti1p3platform.oidc_login import OIDCLoginAbstract

from sandbox_lms.activities import find_activity
from sandbox_lms.campus import Person
from sandbox_lms.lti_platform import CampusPlatform
from sandbox_lms.message_hints import make_hint
from sandbox_lms.sign_ins import with_person
from sandbox_lms.site import Site

blueprint = Blueprint("login_initiation", __name__)


class CampusLogin(OIDCLoginAbstract):  # type: ignore[misc]  # the library ships no types
    """The library's login address, sent as this LMS does: a redirect, or a form that posts itself, as in Moodle."""

    storage_target: str | None = None

    def set_lti_message_hint(self, *, hint: str) -> None:
        self._lti_message_hint = hint

    def prepare_preflight_url(self, user_id: str) -> str:
        """With `lti_storage_target`, where the LMS offers storage: https://www.imsglobal.org/spec/lti-cs-oidc/v0p1"""
        url: str = super().prepare_preflight_url(user_id)
        return url if self.storage_target is None else f"{url}&{urlencode({'lti_storage_target': self.storage_target})}"

    def get_redirect(self, url: str) -> Response:
        return make_response(redirect(url, 302))

    def post_form(self, user_id: str) -> str:
        parts = urlsplit(self.prepare_preflight_url(user_id))
        action = parts._replace(query="").geturl()
        return render_template("form_post.html", action=action, fields=parse_qsl(parts.query))


@blueprint.get("/launch/<int:activity_id>")
@with_person
def launch(site: Site, person: Person, activity_id: int) -> Any:
    """Where the frame of an activity, or its new tab, begins."""
    activity = find_activity(site, activity_id)
    if activity is None:
        abort(404)
    return begin_login(site, person, make_hint(site, person, activity))


def begin_login(site: Site, person: Person, message_hint: str) -> Any:
    """Send the browser to the tool's login."""
    login = CampusLogin(None, CampusPlatform(site=site))
    login.set_lti_message_hint(hint=message_hint)
    login.storage_target = site.campus.storage_target
    if site.campus.tool_login == "moodle-post":
        return login.post_form(person.user_id)
    return login.initiate_login(person.user_id)
