"""Dynamic Registration as each product offers it, with every bad habit by a switch.

LTI Dynamic Registration 1.0: https://www.imsglobal.org/spec/lti-dr/v1p0
Moodle as measured (its recordings are in tests/data/moodle); the others as their documentation has it.
"""

import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from flask import Response, jsonify, redirect, request

from sandbox_lms.campus import AGS_SCOPE, NRPS_SCOPE
from sandbox_lms.products.table import Product
from sandbox_lms.registered_tools import TokenUnknown, TokenUsed, Tool, add_tool, knows_token, spend_token
from sandbox_lms.services import service_blueprint
from sandbox_lms.site import Site, the_site

blueprint = service_blueprint("registration")

CONFIGURATION_PATH, REGISTRATION_PATH = "/mod/lti/openid-configuration.php", "/mod/lti/openid-registration.php"
PLATFORM_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-platform-configuration"
TOOL_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-tool-configuration"
SCOPES = (
    AGS_SCOPE + "lineitem.readonly",
    AGS_SCOPE + "result.readonly",
    AGS_SCOPE + "score",
    AGS_SCOPE + "lineitem",
    NRPS_SCOPE,
)
CANVAS_PLACEMENTS = {"assignment_selection", "link_selection", "editor_button", "course_navigation", "ContentArea"}
HUGE_BYTES = 3_000_000


@dataclass(frozen=True, kw_only=True)
class Manners:
    """How a product does it. `guards_configuration`: it wants the token there, too. `names_deployment`: in its answer.
    `waits`: somebody must activate what has registered. `audience_path`: another audience than the token endpoint."""

    family_code: str
    version: str
    status: int = 201
    sends_token: bool = True
    guards_configuration: bool = False
    names_deployment: bool = False
    waits: bool = True
    in_new_tab: bool = False
    audience_path: str | None = None


MANNERS = {
    "moodle": Manners(family_code="moodle", version="4.5.6 (Build: 20250811)", status=200, names_deployment=True),
    "canvas": Manners(family_code="canvas", version="vCloud", status=200, guards_configuration=True),
    "brightspace": Manners(
        family_code="desire2learn", version="20.25.11", sends_token=False, in_new_tab=True, audience_path="/auth/token"
    ),
    "blackboard": Manners(family_code="BlackboardLearn", version="3900.104.0"),
    "sakai": Manners(family_code="sakailms.org", version="23.3", status=200, names_deployment=True),
    "generic": Manners(family_code="campus-in-a-box", version="1", names_deployment=True, waits=False),
}


class Message(msgspec.Struct):
    type: str
    placements: list[str] = []


class ToolPart(msgspec.Struct, kw_only=True):
    domain: str
    target_link_uri: str
    claims: list[str]
    messages: list[Message]
    custom_parameters: dict[str, str] = {}


class Wanted(msgspec.Struct, kw_only=True):
    """What every product demands: the required members of the specification."""

    application_type: str
    response_types: list[str]
    grant_types: list[str]
    initiate_login_uri: str
    redirect_uris: list[str]
    client_name: str
    jwks_uri: str
    token_endpoint_auth_method: str
    scope: str
    tool: ToolPart = msgspec.field(name=TOOL_CONFIGURATION)


_WANTED = msgspec.json.Decoder(Wanted)


class NotRegistered(Exception):
    """The answer in place of a client."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


def registering_product(site: Site) -> Product:
    return site.switches.settings.registers_as or site.campus.product


def manners(site: Site) -> Manners:
    return MANNERS[registering_product(site)]


@blueprint.get(CONFIGURATION_PATH)
def configuration() -> Any:
    site = the_site()
    if manners(site).guards_configuration and not knows_token(site, _bearer()):
        return "Unauthorized", 401
    if (spoilt := _spoilt(site, "configuration")) is not None:
        return spoilt
    return jsonify(openid_configuration(site))


@blueprint.post(REGISTRATION_PATH)
def register() -> Any:
    site = the_site()
    if (spoilt := _spoilt(site, "registration")) is not None:
        return spoilt
    try:
        if manners(site).sends_token:
            _spend(site)
        wanted = _read(site)
    except NotRegistered as refused:
        return Response(str(refused), refused.status, mimetype="text/plain")
    tool = _tool(site, wanted)
    add_tool(site, tool)
    return jsonify(_answer(site, tool)), manners(site).status


def openid_configuration(site: Site) -> dict[str, Any]:
    campus, faults, how = site.campus, site.switches.settings.registration_faults, manners(site)
    endpoints = campus.registration()
    said = {
        "issuer": "https://another-university.example" if "other_issuer" in faults else campus.issuer,
        "authorization_endpoint": endpoints.authorization_endpoint,
        "token_endpoint": endpoints.token_endpoint,
        "jwks_uri": endpoints.jwks_uri,
        "registration_endpoint": campus.url + REGISTRATION_PATH,
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
        "scopes_supported": [*SCOPES, "openid"],
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["sub", "iss", "name", "given_name", "family_name", "email"],
        PLATFORM_CONFIGURATION: {
            "product_family_code": how.family_code,
            "version": how.version,
            "messages_supported": [
                {"type": "LtiResourceLinkRequest"},
                {"type": "LtiDeepLinkingRequest", "placements": ["ContentArea"]},
            ],
            "variables": ["Context.id.history", "ResourceLink.id.history"],
        },
    }
    if how.audience_path is not None:
        said["authorization_server"] = campus.url + how.audience_path
    if "foreign_endpoint" in faults:
        said["registration_endpoint"] = "https://elsewhere.example/register"
    if "no_endpoint" in faults:
        del said["registration_endpoint"]
    if "plain_http" in faults:
        said["jwks_uri"] = "http://lms.example/certs"
    return said


def _spoilt(site: Site, thing: str) -> Any:
    """An answer that is none, if a fault such as `html_configuration` or `html_registration` wants one."""
    for fault in site.switches.settings.registration_faults:
        kind, _, of = fault.partition("_")
        if of == thing and kind in _SPOILT:
            return _SPOILT[kind]()
    return None


def _hang_up() -> Response:
    request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return Response(status=200)


_SPOILT: dict[str, Callable[[], Any]] = {
    "html": lambda: Response("<!doctype html><title>Sign in</title>\n", 200, mimetype="text/html"),
    "redirect": lambda: redirect("http://169.254.169.254/latest/meta-data/", 302),
    "huge": lambda: Response(b'{"issuer": "' + b"x" * HUGE_BYTES + b'"}', 200, mimetype="application/json"),
    "silent": _hang_up,
    "refused": lambda: Response("Unprocessable", 422, mimetype="text/plain"),
    "broken": lambda: Response("<h1>Bad gateway</h1>\n", 502, mimetype="text/html"),
}


def _spend(site: Site) -> None:
    """The words and statuses are Moodle's."""
    token = _bearer()
    if not token:
        raise NotRegistered(401, "missing_registration_token")
    try:
        spend_token(site, token)
    except TokenUsed:
        raise NotRegistered(401, "token_already_used") from None
    except TokenUnknown:
        raise NotRegistered(401, "invalid_token") from None


def _read(site: Site) -> Wanted:
    status = 422 if registering_product(site) == "canvas" else 400
    try:
        wanted = _WANTED.decode(request.get_data())
    except msgspec.MsgspecError as error:
        raise NotRegistered(status, str(error)) from None
    if status == 422:
        _check_as_canvas(wanted)
    return wanted


def _check_as_canvas(wanted: Wanted) -> None:
    """instructure/canvas-lms, app/models/lti/ims/registration.rb"""
    if not set(wanted.scope.split()) <= set(SCOPES):
        raise NotRegistered(422, "Invalid scopes")
    places = {place for message in wanted.tool.messages for place in message.placements}
    if not places or not places <= CANVAS_PLACEMENTS:
        raise NotRegistered(422, "Invalid placements")


def _tool(site: Site, wanted: Wanted) -> Tool:
    how, faults = manners(site), site.switches.settings.registration_faults
    named = how.names_deployment and "no_deployment" not in faults
    granted = [scope for scope in SCOPES if scope in wanted.scope.split()]
    return Tool(
        client_id=secrets.token_hex(8),
        name=wanted.client_name,
        deployment_id=site.campus.deployment_id if named else None,
        initiate_login_uri=wanted.initiate_login_uri,
        redirect_uri=wanted.redirect_uris[0],
        scopes=tuple(granted[:1] if "cut_scopes" in faults else granted),
        audience=site.campus.url + how.audience_path
        if how.audience_path
        else site.campus.registration().token_endpoint,
        state="pending" if how.waits else "active",
        product=registering_product(site),
        configuration=msgspec.to_builtins(wanted.tool),
    )


def _answer(site: Site, tool: Tool) -> dict[str, Any]:
    faults = site.switches.settings.registration_faults
    said = {
        **request.get_json(),
        "client_id": tool.client_id,
        "scope": " ".join(tool.scopes),
        TOOL_CONFIGURATION: {"version": "1.3.0", **tool.configuration},
    }
    if tool.deployment_id is not None:
        said[TOOL_CONFIGURATION]["deployment_id"] = tool.deployment_id
    if "no_client_id" in faults:
        del said["client_id"]
    if "other_redirect" in faults:
        said["redirect_uris"] = ["https://elsewhere.example/launch"]
    return said


def _bearer() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme == "Bearer" else ""
