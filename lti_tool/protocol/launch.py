"""A resource link launch as a typed value: what the rest of the tool works with.

LTI 1.3 Core, section 5.3: https://www.imsglobal.org/spec/lti/v1p3#required-message-claims
"""

import msgspec

from lti_tool.protocol.claims import Claims
from lti_tool.protocol.constants import (
    MAX_ADDRESS_BYTES,
    MAX_HISTORY,
    MAX_ID_CHARS,
    MAX_LOCALE_CHARS,
    MAX_SUB_CHARS,
    RESOURCE_LINK_REQUEST,
    VERSION,
)
from lti_tool.protocol.id_token import required
from lti_tool.protocol.login import LoginState, is_ours
from lti_tool.protocol.refusals import RefusalCode, Refused
from lti_tool.protocol.roles import Roles, read_roles


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """One person came from one course, whatever for. Names and e-mail are not in it.

    `context_history`: the courses that this one is a copy of, newest first, if the LMS tells.
    """

    deployment_id: str
    sub: str
    roles: Roles
    context_id: str | None
    context_title: str
    context_history: tuple[str, ...]
    return_url: str | None
    locale: str | None
    memberships_url: str | None


class Launch(Arrival, frozen=True, kw_only=True):
    """They opened one placement. `resource_link_history`: the activities that it is a copy of, newest first."""

    resource_link_id: str
    resource_link_history: tuple[str, ...]
    line_item_url: str | None
    line_items_url: str | None
    ags_scopes: tuple[str, ...]
    custom_session_id: str | None  # our own ids, put there by deep linking, so that a copied course still finds them
    custom_series_id: str | None


def read_launch(claims: Claims, login: LoginState, *, public_url: str) -> Launch:
    """The launch in `claims`. Raises Refused for another version or message, or a required claim missing or wrong."""
    _check_message(claims)
    arrival = read_arrival(claims, login, public_url=public_url)
    ags, custom = claims.ags, claims.custom or {}
    return Launch(
        **{name: getattr(arrival, name) for name in Arrival.__struct_fields__},
        resource_link_id=_resource_link_id(claims),
        resource_link_history=_history(custom.get("resource_link_history")),
        line_item_url=_service_address("lineitem", ags.lineitem if ags else None),
        line_items_url=_service_address("lineitems", ags.lineitems if ags else None),
        ags_scopes=tuple(ags.scope) if ags else (),
        custom_session_id=_own_id(custom.get("shared_sessions_session")),
        custom_series_id=_own_id(custom.get("shared_sessions_series")),
    )


def read_arrival(claims: Claims, login: LoginState, *, public_url: str) -> Arrival:
    """What every message says. Raises Refused for another version, or a required claim missing or wrong."""
    _check_version(claims)
    deployment_id = _text(claims, "deployment_id", MAX_ID_CHARS)
    if login.lti_deployment_id is not None and login.lti_deployment_id != deployment_id:
        raise Refused(RefusalCode.DEPLOYMENT_MISMATCH, got=deployment_id, login=login.lti_deployment_id)
    if not is_ours(required(claims, "target_link_uri"), public_url):
        raise Refused(RefusalCode.TARGET_NOT_OURS)
    if claims.target_link_uri != login.target_link_uri:
        raise Refused(RefusalCode.TARGET_NOT_OURS, differs_from_login=True)
    presentation, custom = claims.launch_presentation, claims.custom or {}
    return Arrival(
        deployment_id=deployment_id,
        sub=_sub(claims),
        roles=_roles(claims),
        context_id=_context_id(claims),
        context_title=(claims.context and (claims.context.title or claims.context.label)) or "",
        context_history=_history(custom.get("context_history")),
        return_url=web_address(presentation.return_url if presentation else None),
        locale=_locale(presentation.locale if presentation else None),
        memberships_url=_service_address(
            "context_memberships_url", claims.nrps.context_memberships_url if claims.nrps else None
        ),
    )


def _check_message(claims: Claims) -> None:
    message_type = required(claims, "message_type")
    _check_version(claims)
    if message_type != RESOURCE_LINK_REQUEST:
        raise Refused(RefusalCode.MESSAGE_TYPE_UNKNOWN, got=message_type[:64])


def _check_version(claims: Claims) -> None:
    version = required(claims, "version")
    if version != VERSION:
        raise Refused(RefusalCode.VERSION_WRONG, got=version[:32])


def _text(claims: Claims, field: str, max_chars: int) -> str:
    text = required(claims, field)
    if len(text) > max_chars:
        raise Refused(RefusalCode.CLAIM_MALFORMED, claim=field, chars=len(text))
    return text


def _sub(claims: Claims) -> str:
    """Core 5.3.6: at most 255 ASCII characters. An anonymous launch is refused: we would not know whom to credit."""
    sub = _text(claims, "sub", MAX_SUB_CHARS)
    if not sub.isascii():
        raise Refused(RefusalCode.CLAIM_MALFORMED, claim="sub")
    return sub


def _roles(claims: Claims) -> Roles:
    if isinstance(claims.roles, msgspec.UnsetType):
        raise Refused(RefusalCode.CLAIM_MISSING, claim="roles")
    return read_roles(claims.roles)


def _resource_link_id(claims: Claims) -> str:
    if isinstance(claims.resource_link, msgspec.UnsetType):
        raise Refused(RefusalCode.CLAIM_MISSING, claim="resource_link")
    link_id = claims.resource_link.id
    if not 0 < len(link_id) <= MAX_ID_CHARS:
        raise Refused(RefusalCode.CLAIM_MALFORMED, claim="resource_link.id", chars=len(link_id))
    return link_id


def _context_id(claims: Claims) -> str | None:
    if claims.context is None:
        return None
    if not 0 < len(claims.context.id) <= MAX_ID_CHARS:
        raise Refused(RefusalCode.CLAIM_MALFORMED, claim="context.id", chars=len(claims.context.id))
    return claims.context.id


def web_address(url: str | None) -> str | None:
    """Only http and https are ever linked to or called; anything else (javascript:, data:) counts as absent."""
    return url if url and url.lower().startswith(("https://", "http://")) else None


def _service_address(claim: str, url: str | None) -> str | None:
    if url and len(url.encode()) > MAX_ADDRESS_BYTES:
        raise Refused(RefusalCode.CLAIM_MALFORMED, claim=claim, chars=len(url))
    return web_address(url)


def _locale(tag: str | None) -> str | None:
    """A language tag (BCP 47), unless it is longer than any real one."""
    return tag if tag and len(tag) <= MAX_LOCALE_CHARS else None


def _own_id(value: object) -> str | None:
    """An unexpanded `$…` means that the LMS did not know the variable."""
    return value if isinstance(value, str) and value and not value.startswith("$") else None


def _history(value: object) -> tuple[str, ...]:
    """Of `$Context.id.history` and `$ResourceLink.id.history`: ids with commas between, the newest first; "" where it
    is no copy, and the literal `$…` where the LMS does not know the variable (Moodle with that of the resource link).
    Canvas ends a list of 1000 with "truncated".

    LTI 1.3 Core, appendix C: https://www.imsglobal.org/spec/lti/v1p3#lti-resource-link-variables
    """
    ids = (part.strip() for part in (_own_id(value) or "").split(","))
    return tuple(one for one in ids if 0 < len(one) <= MAX_ID_CHARS)[:MAX_HISTORY]
