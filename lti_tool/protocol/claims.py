"""The claims of an id_token, typed. Made from JSON that `verify` has proved to be the platform's.

LTI 1.3 Core, sections 5.3 and 5.4: https://www.imsglobal.org/spec/lti/v1p3#required-message-claims
A claim of the wrong JSON type is a refusal; an unknown claim is ignored; names and e-mail are not even read.
"""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from lti_tool.protocol.constants import AGS_CLAIM, CLAIM, NRPS_CLAIM

Seconds = int | float


class Context(msgspec.Struct, frozen=True):
    id: str
    title: str | None = None
    label: str | None = None


class ResourceLink(msgspec.Struct, frozen=True):
    id: str
    title: str | None = None


class LaunchPresentation(msgspec.Struct, frozen=True):
    return_url: str | None = None
    locale: str | None = None


class AgsEndpoint(msgspec.Struct, frozen=True):
    scope: list[str] = []
    lineitem: str | None = None
    lineitems: str | None = None


class NamesRoleService(msgspec.Struct, frozen=True):
    context_memberships_url: str | None = None


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform signed. Only `verify` makes one that may be trusted."""

    iss: str | UnsetType = UNSET
    sub: str | UnsetType = UNSET
    aud: str | list[str] | UnsetType = UNSET
    azp: str | UnsetType = UNSET
    exp: Seconds | UnsetType = UNSET
    iat: Seconds | UnsetType = UNSET
    nonce: str | UnsetType = UNSET
    version: str | UnsetType = msgspec.field(name=CLAIM + "version", default=UNSET)
    message_type: str | UnsetType = msgspec.field(name=CLAIM + "message_type", default=UNSET)
    deployment_id: str | UnsetType = msgspec.field(name=CLAIM + "deployment_id", default=UNSET)
    target_link_uri: str | UnsetType = msgspec.field(name=CLAIM + "target_link_uri", default=UNSET)
    roles: list[str] | UnsetType = msgspec.field(name=CLAIM + "roles", default=UNSET)
    resource_link: ResourceLink | UnsetType = msgspec.field(name=CLAIM + "resource_link", default=UNSET)
    context: Context | None = msgspec.field(name=CLAIM + "context", default=None)
    launch_presentation: LaunchPresentation | None = msgspec.field(name=CLAIM + "launch_presentation", default=None)
    custom: dict[str, str | int | float | bool | None] | None = msgspec.field(name=CLAIM + "custom", default=None)
    ags: AgsEndpoint | None = msgspec.field(name=AGS_CLAIM, default=None)
    nrps: NamesRoleService | None = msgspec.field(name=NRPS_CLAIM, default=None)


def decode_claims(payload: bytes) -> Claims:
    """The typed claims. Raises msgspec.ValidationError (wrong type) or msgspec.DecodeError (not strict JSON)."""
    return msgspec.json.decode(payload, type=Claims)


def short_name(claim: Any) -> str:
    """A claim's name as an administrator knows it: without the long address."""
    return str(claim).replace(CLAIM, "").replace(AGS_CLAIM, "endpoint").replace(NRPS_CLAIM, "namesroleservice")
