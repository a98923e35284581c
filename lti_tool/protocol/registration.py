"""Dynamic Registration: what an LMS says of itself, what we ask it for, and what it answers. Pure.

LTI Dynamic Registration 1.0: https://www.imsglobal.org/spec/lti-dr/v1p0
OpenID Connect Dynamic Client Registration 1.0: https://openid.net/specs/openid-connect-registration-1_0.html
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from lti_tool.protocol.constants import DEEP_LINKING_REQUEST, MAX_ADDRESS_BYTES, RESOURCE_LINK_REQUEST

PLATFORM_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-platform-configuration"
TOOL_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-tool-configuration"
AGS_SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/"
# All that we ask for, and nothing more. `lineitem`: where an activity has no grade column, we make one.
SCOPES = (
    AGS_SCOPE + "lineitem",
    AGS_SCOPE + "lineitem.readonly",
    AGS_SCOPE + "score",
    AGS_SCOPE + "result.readonly",
    "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly",
)
CLAIMS, NAME_CLAIMS = ("iss", "sub"), ("name", "given_name", "family_name")  # never `email`
CUSTOM_PARAMETERS = {  # so that a copied course still finds its sessions
    "context_history": "$Context.id.history",
    "resource_link_history": "$ResourceLink.id.history",
}
DESCRIPTION = "One workshop series, many universities, every student in their own LMS"
MAX_ID_CHARS = 255
MAX_VERSION_CHARS = 64

Id = Annotated[str, Meta(min_length=1, max_length=MAX_ID_CHARS, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Address = Annotated[str, Meta(min_length=1, max_length=MAX_ADDRESS_BYTES, pattern=r"^[!-~]*\Z")]


class RegistrationFault(StrEnum):
    """Why a registration comes to nothing."""

    ADDRESS_MALFORMED = "address_malformed"
    FORM_OVER = "form_over"  # opened too long ago, or of another invitation
    NOT_A_CONFIGURATION = "not_a_configuration"
    NO_REGISTRATION = "no_registration"  # the configuration offers none
    ISSUER_FOREIGN = "issuer_foreign"
    ENDPOINT_FOREIGN = "endpoint_foreign"
    ENDPOINT_NOT_HTTPS = "endpoint_not_https"
    NOT_AN_ANSWER = "not_an_answer"
    NO_CLIENT_ID = "no_client_id"
    ANSWER_FOREIGN = "answer_foreign"  # what was registered is not what we asked for


class RegistrationFailed(Exception):
    """`value`: what is wrong, for the administrator; an address, a host or a name, and never a token."""

    def __init__(self, fault: RegistrationFault, value: str = "") -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.value = value


class PlatformPart(msgspec.Struct, frozen=True):
    """The part of the configuration that is LTI's: https://www.imsglobal.org/spec/lti-dr/v1p0#platform-configuration"""

    product_family_code: str = ""
    version: str | None = None


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """An OpenID configuration of an LMS. Nothing of it is believed before `check_belongs`."""

    issuer: Id
    authorization_endpoint: Address
    token_endpoint: Address
    jwks_uri: Address
    registration_endpoint: Address | None = None
    authorization_server: Address | None = None
    scopes_supported: list[str] = []
    platform: PlatformPart = msgspec.field(name=PLATFORM_CONFIGURATION, default_factory=PlatformPart)

    @property
    def lms_version(self) -> str | None:
        return printable_version(self.platform.version or "")


def printable_version(said: str) -> str | None:
    return "".join(sign for sign in said if sign.isprintable()).strip()[:MAX_VERSION_CHARS] or None


class ToolPart(msgspec.Struct, frozen=True):
    deployment_id: str | int | None = None


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    client_id: str | int | None = None  # Canvas's are numbers, and some write them so
    scope: str | list[str] | None = None
    redirect_uris: list[str] | None = None
    tool: ToolPart | None = msgspec.field(name=TOOL_CONFIGURATION, default=None)


@dataclass(frozen=True, kw_only=True)
class Registered:
    """What the LMS has made of us. `scopes`: None where the answer does not say."""

    client_id: str
    deployment_id: str | None
    scopes: tuple[str, ...] | None

    @property
    def missing_scopes(self) -> tuple[str, ...]:
        """Of those that we asked for. `lineitem` says that columns may be read, too."""
        if self.scopes is None:
            return ()
        granted = {*self.scopes}
        if AGS_SCOPE + "lineitem" in granted:
            granted.add(AGS_SCOPE + "lineitem.readonly")
        return tuple(scope for scope in SCOPES if scope not in granted)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What we ask an LMS for. `placements`: of deep linking. `members`: members that only this product reads."""

    public_url: str
    slug: str
    asks_names: bool
    placements: tuple[str, ...]
    declares_links: bool = True
    members: Mapping[str, Any] = field(default_factory=dict)

    @property
    def initiate_login_uri(self) -> str:
        return f"{self.public_url}/lti/login/{self.slug}"

    @property
    def target_link_uri(self) -> str:
        return f"{self.public_url}/lti/launch"

    @property
    def domain(self) -> str:
        """With its port: Moodle compares it with that of the target link URI."""
        return urlsplit(self.public_url).netloc


_CONFIGURATION = msgspec.json.Decoder(Configuration)
_ANSWER = msgspec.json.Decoder(_Answer)


def read_configuration(body: bytes) -> Configuration:
    """Raises RegistrationFailed for anything but an OpenID configuration with all endpoints of LTI."""
    try:
        return _CONFIGURATION.decode(body.decode())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RegistrationFailed(RegistrationFault.NOT_A_CONFIGURATION) from None


def check_belongs(
    configuration: Configuration,
    configuration_url: str,
    *,
    sites: Collection[str],
    may_call: Callable[[str], bool],
    must_register: bool = True,
) -> None:
    """The issuer, the address of its configuration and the registration endpoint belong to one site, and every endpoint
    may be called. Raises RegistrationFailed.

    One site: the same host and port, or all hosts within `sites`, domains that are documented to speak for each other.
    """
    home = host_of(configuration_url)
    if not _same_site(host_of(configuration.issuer), home, sites):
        raise RegistrationFailed(RegistrationFault.ISSUER_FOREIGN, configuration.issuer)
    endpoints = [configuration.authorization_endpoint, configuration.token_endpoint, configuration.jwks_uri]
    if configuration.registration_endpoint is not None:
        endpoints.append(configuration.registration_endpoint)
    elif must_register:
        raise RegistrationFailed(RegistrationFault.NO_REGISTRATION)
    for endpoint in endpoints:
        if not may_call(endpoint):
            raise RegistrationFailed(RegistrationFault.ENDPOINT_NOT_HTTPS, endpoint)
    registers_at = configuration.registration_endpoint
    if registers_at is not None and not _same_site(host_of(registers_at), home, sites):
        raise RegistrationFailed(RegistrationFault.ENDPOINT_FOREIGN, host_of(registers_at))


def make_request(wish: Wish, configuration: Configuration) -> bytes:
    """The body of the registration. Scopes that the LMS does not know are left out: Canvas refuses all for one."""
    return msgspec.json.encode(
        {
            "application_type": "web",
            "response_types": ["id_token"],
            "grant_types": ["client_credentials", "implicit"],
            "initiate_login_uri": wish.initiate_login_uri,
            "redirect_uris": [wish.target_link_uri],
            "client_name": "Shared Sessions",
            "client_uri": wish.public_url,
            "logo_uri": f"{wish.public_url}/static/icon.svg",
            "jwks_uri": f"{wish.public_url}/lti/jwks.json",
            "token_endpoint_auth_method": "private_key_jwt",
            "scope": " ".join(asked_scopes(configuration)),
            TOOL_CONFIGURATION: {
                "domain": wish.domain,
                "description": DESCRIPTION,
                "target_link_uri": wish.target_link_uri,
                "custom_parameters": CUSTOM_PARAMETERS,
                "claims": [*CLAIMS, *(NAME_CLAIMS if wish.asks_names else ())],
                "messages": _messages(wish),
                **wish.members,
            },
        }
    )


def asked_scopes(configuration: Configuration) -> tuple[str, ...]:
    """Those of ours that the LMS says it has; all of them where it does not say."""
    known = tuple(scope for scope in SCOPES if scope in configuration.scopes_supported)
    return known or SCOPES


def read_answer(body: bytes, wish: Wish) -> Registered:
    """Raises RegistrationFailed when it names no client, or has registered another tool than us."""
    try:
        answer = _ANSWER.decode(body.decode())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RegistrationFailed(RegistrationFault.NOT_AN_ANSWER) from None
    client_id = "" if answer.client_id is None else str(answer.client_id).strip()
    if not client_id or len(client_id) > MAX_ID_CHARS or not client_id.isprintable():
        raise RegistrationFailed(RegistrationFault.NO_CLIENT_ID)
    if answer.redirect_uris is not None and wish.target_link_uri not in answer.redirect_uris:
        raise RegistrationFailed(RegistrationFault.ANSWER_FOREIGN)
    return Registered(
        client_id=client_id,
        deployment_id=_deployment_id(answer.tool),
        scopes=_scopes(answer.scope),
    )


def _deployment_id(tool: ToolPart | None) -> str | None:
    said = "" if tool is None or tool.deployment_id is None else str(tool.deployment_id).strip()
    return said if said and said.isprintable() and len(said) <= MAX_ID_CHARS else None


def _scopes(said: str | list[str] | None) -> tuple[str, ...] | None:
    if said is None:
        return None
    return tuple(dict.fromkeys(said.split() if isinstance(said, str) else said))


def _messages(wish: Wish) -> list[dict[str, Any]]:
    deep_linking = {
        "type": DEEP_LINKING_REQUEST,
        "target_link_uri": wish.target_link_uri,
        "label": "Shared Sessions",
        "placements": list(wish.placements),
    }
    link = {"type": RESOURCE_LINK_REQUEST, "target_link_uri": wish.target_link_uri, "label": "Shared Sessions"}
    return [deep_linking, *([link] if wish.declares_links else [])]


def _same_site(host: str, home: str, sites: Collection[str]) -> bool:
    if not host:
        return False
    return host == home or (_is_within(host, sites) and _is_within(home, sites))


def _is_within(host: str, sites: Collection[str]) -> bool:
    name = host.partition(":")[0]
    return any(name == site or name.endswith(f".{site}") for site in sites)


def host_of(url: str) -> str:
    """With its port, if it names one; empty for what is no web address."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return ""
    usual = {"http": 80, "https": 443}[parts.scheme]
    return parts.hostname if port in {None, usual} else f"{parts.hostname}:{port}"
