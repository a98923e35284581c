"""The claims of an id_token, typed. Made from JSON that `verify` has proved to be the platform's.

LTI 1.3 Core, sections 5.3 and 5.4: https://www.imsglobal.org/spec/lti/v1p3#required-message-claims
A claim of the wrong JSON type is a refusal; an unknown claim is ignored; names and e-mail are not even read.
"""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from lti_tool.protocol.constants import AGS_CLAIM, CLAIM, DEEP_LINKING_CLAIM, NRPS_CLAIM

LAST_SECOND = 2**53  # beyond it a float counts no single seconds
Seconds = Annotated[int, Meta(ge=0, le=LAST_SECOND)] | Annotated[float, Meta(ge=0, le=LAST_SECOND)]
Text = Annotated[str, Meta(pattern=r"^[^\x00]*$")]  # PostgreSQL stores no NUL


class Context(msgspec.Struct, frozen=True):
    id: Text
    title: Text | None = None
    label: Text | None = None


class ResourceLink(msgspec.Struct, frozen=True):
    id: Text
    title: Text | None = None


class LaunchPresentation(msgspec.Struct, frozen=True):
    return_url: Text | None = None
    locale: Text | None = None


class AgsEndpoint(msgspec.Struct, frozen=True):
    scope: list[Text] = []
    lineitem: Text | None = None
    lineitems: Text | None = None


class NamesRoleService(msgspec.Struct, frozen=True):
    context_memberships_url: Text | None = None


class DeepLinkingSettings(msgspec.Struct, frozen=True):
    """https://www.imsglobal.org/spec/lti-dl/v2p0#deep-linking-settings"""

    deep_link_return_url: Text | None = None
    accept_types: list[Text] = []
    accept_presentation_document_targets: list[Text] = []
    accept_multiple: bool | None = None
    accept_lineitem: bool | None = None
    data: Text | None = None


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform signed. Only `verify` makes one that may be trusted."""

    iss: Text | UnsetType = UNSET
    sub: Text | UnsetType = UNSET
    aud: Text | list[Text] | UnsetType = UNSET
    azp: Text | UnsetType = UNSET
    exp: Seconds | UnsetType = UNSET
    iat: Seconds | UnsetType = UNSET
    nonce: Text | UnsetType = UNSET
    version: Text | UnsetType = msgspec.field(name=CLAIM + "version", default=UNSET)
    message_type: Text | UnsetType = msgspec.field(name=CLAIM + "message_type", default=UNSET)
    deployment_id: Text | UnsetType = msgspec.field(name=CLAIM + "deployment_id", default=UNSET)
    target_link_uri: Text | UnsetType = msgspec.field(name=CLAIM + "target_link_uri", default=UNSET)
    roles: list[Text] | UnsetType = msgspec.field(name=CLAIM + "roles", default=UNSET)
    role_scope_mentor: list[Text] | None = msgspec.field(name=CLAIM + "role_scope_mentor", default=None)  # not used
    resource_link: ResourceLink | UnsetType = msgspec.field(name=CLAIM + "resource_link", default=UNSET)
    context: Context | None = msgspec.field(name=CLAIM + "context", default=None)
    launch_presentation: LaunchPresentation | None = msgspec.field(name=CLAIM + "launch_presentation", default=None)
    custom: dict[Text, Text | int | float | bool | None] | None = msgspec.field(name=CLAIM + "custom", default=None)
    ags: AgsEndpoint | None = msgspec.field(name=AGS_CLAIM, default=None)
    deep_linking: DeepLinkingSettings | None = msgspec.field(
        name=DEEP_LINKING_CLAIM + "deep_linking_settings", default=None
    )
    nrps: NamesRoleService | None = msgspec.field(name=NRPS_CLAIM, default=None)


_CLAIMS = msgspec.json.Decoder(Claims)


def decode_claims(payload: bytes) -> Claims:
    """The typed claims. Raises msgspec.ValidationError (wrong type), or msgspec.DecodeError, UnicodeDecodeError or
    RecursionError (not strict JSON, not UTF-8, nested too deep)."""
    # As text, because of bytes msgspec looks only at those that it keeps.
    return _CLAIMS.decode(payload.decode())


def short_name(claim: Any) -> str:
    """A claim's name as an administrator knows it: without the long address."""
    short = str(claim).replace(CLAIM, "").replace(AGS_CLAIM, "endpoint").replace(NRPS_CLAIM, "namesroleservice")
    return short.replace(DEEP_LINKING_CLAIM, "")
