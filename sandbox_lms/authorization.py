"""The authorization endpoint: the guard that stands before the library's signature.

Security Framework 1.0, section 5.1.1.2: https://www.imsglobal.org/spec/security/v1p0#step-2-authentication-request
"""

from typing import Any

from flask import Blueprint, render_template, request

from sandbox_lms.activities import Activity, find_activity
from sandbox_lms.campus import Person
from sandbox_lms.id_tokens import CampusLaunch, describe
from sandbox_lms.lti_platform import CampusPlatform, LtiRequest
from sandbox_lms.message_hints import BegunLaunch, spend_hint
from sandbox_lms.products.habits import Habits
from sandbox_lms.registered_tools import current_tool
from sandbox_lms.selections import Selection, describe_selection, find_selection
from sandbox_lms.sign_ins import signed_in_person
from sandbox_lms.site import Site, the_site

_EXACTLY = {
    "response_type": ("id_token", "unsupported_response_type"),
    "scope": ("openid", "invalid_scope"),
    "response_mode": ("form_post", "invalid_request"),
    "prompt": ("none", "invalid_request"),
}


class NotOurTool(Exception):
    """The request names another client or address: nothing may be sent there, not even an error."""


class AuthenticationError(Exception):
    """An answer to the tool in place of a token. OpenID Connect Core 3.1.2.6."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(code, description)
        self.code = code
        self.description = description


def make_blueprint(habits: Habits) -> Blueprint:
    blueprint = Blueprint("authorization", __name__)
    path = habits.addresses.route(habits.addresses.authorization)
    blueprint.add_url_rule(path, view_func=authorize, methods=["GET", "POST"])
    return blueprint


def authorize() -> Any:
    site = the_site()
    # Spent before anything is looked at: like Moodle's, a hint is good for one visit, whatever becomes of it.
    begun = spend_hint(site, request.values.get("lti_message_hint", ""))
    try:
        _check_client(site)
        person, opened = _check_request(site, begun)
    except NotOurTool as error:
        return render_template("error.html", title="This launch cannot go on", message=str(error)), 400
    except AuthenticationError as error:
        return _post_error(site, error)
    platform = CampusPlatform(site=site)
    launch = CampusLaunch(LtiRequest(request), platform)
    if isinstance(opened, Selection):
        describe_selection(launch, site, person, opened)
    else:
        describe(launch, site, person, opened)
    return launch.lti_launch()


def _check_client(site: Site) -> None:
    repeated = [name for name, values in _sent().items() if len(values) > 1]
    if repeated:
        raise NotOurTool(f"The request names {repeated[0]} more than once.")
    tool = current_tool(site)
    if request.values.get("client_id") != tool.client_id:
        raise NotOurTool("The request comes from a tool that is not registered here.")
    if request.values.get("redirect_uri") != tool.redirect_uri:
        raise NotOurTool("The request wants its answer at an address that is not the registered one.")


def _check_request(site: Site, begun: BegunLaunch | None) -> tuple[Person, Activity | Selection]:
    for name, (wanted, code) in _EXACTLY.items():
        if request.values.get(name) != wanted:
            raise AuthenticationError(code, f"{name} must be {wanted}")
    for name in ("nonce", "state"):
        if not request.values.get(name):
            raise AuthenticationError("invalid_request", f"{name} is missing")
    person = signed_in_person(site)
    if person is None:
        raise AuthenticationError("login_required", "Nobody is signed in in this browser")
    if request.values.get("login_hint") != person.user_id:
        raise AuthenticationError("access_denied", "Somebody else is signed in in this browser")
    if begun is None or begun.user_id != person.user_id:
        raise AuthenticationError("invalid_request", "lti_message_hint is unknown or spent")
    opened = find_selection(site, begun.selection_id) if begun.selection_id else find_activity(site, begun.activity_id)
    if opened is None:
        raise AuthenticationError("invalid_request", "The activity is no longer there")
    return person, opened


def _sent() -> dict[str, list[str]]:
    """Every parameter of address and body with its values."""
    sent: dict[str, list[str]] = {}
    for source in (request.args, request.form):
        for name, values in source.lists():
            sent[name] = [*sent.get(name, []), *values]
    return sent


def _post_error(site: Site, error: AuthenticationError) -> str:
    fields = [("error", error.code), ("error_description", error.description)]
    state = request.values.get("state")
    if state:
        fields.append(("state", state))
    return render_template("form_post.html", action=site.launch_url, fields=fields)
