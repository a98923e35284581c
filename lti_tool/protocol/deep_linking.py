"""Deep Linking: what the LMS asks for, and the answer with the activities that somebody has picked. Signed elsewhere.

LTI Deep Linking 2.0: https://www.imsglobal.org/spec/lti-dl/v2p0
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from lti_tool.protocol.claims import Claims
from lti_tool.protocol.constants import CLAIM, DEEP_LINKING_CLAIM, DEEP_LINKING_RESPONSE, MAX_ADDRESS_BYTES, VERSION
from lti_tool.protocol.launch import Arrival, read_arrival, web_address
from lti_tool.protocol.login import LoginState
from lti_tool.protocol.refusals import RefusalCode, Refused
from lti_tool.protocol.seal import SealBroken, SealExpired, open_seal, seal

RESOURCE_LINK = "ltiResourceLink"  # section 3.1, the one type of content that we have
WAYS_TO_OPEN = {"frame", "iframe", "window"}  # of the targets of section 4.4.1, those that can show an activity
RESPONSE_LIFE = timedelta(minutes=5)
BACKDATED = timedelta(seconds=60)  # Moodle allows no leeway: an `iat` ahead of its clock is refused
PURPOSE = "deep linking"
PICKING_LIFE = timedelta(hours=12)  # as long as a visit: somebody may be called away from the picker
MAX_PICKING_CHARS = 131_072  # an id_token that is not too large makes no larger one


class DeepLinkingRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody wants to put activities of ours into a course. `data` goes back as it came."""

    arrival: Arrival
    deep_link_return_url: str
    data: str | None
    accepts_links: bool
    accepts_multiple: bool
    accepts_line_items: bool


class Picking(msgspec.Struct, frozen=True, kw_only=True):
    """What is being picked for whom, sealed into the picker's forms: the LMS's dialog needs no cookie of ours."""

    platform_id: int
    deployment_id: str
    participant_id: int
    course_id: int | None
    deep_link_return_url: str
    data: str | None
    accepts_multiple: bool
    accepts_line_items: bool


class LineItem(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    score_maximum: int
    label: str
    resource_id: str
    tag: str


class Window(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """ISO 8601 with a zone."""

    start_date_time: str
    end_date_time: str


class Icon(msgspec.Struct, frozen=True, kw_only=True):
    url: str


class ContentItem(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One activity: https://www.imsglobal.org/spec/lti-dl/v2p0#lti-resource-link"""

    type: str = msgspec.field(default_factory=lambda: RESOURCE_LINK)  # so that it is never left out
    title: str
    text: str
    url: str
    icon: Icon
    custom: dict[str, str]
    line_item: LineItem | None = None
    submission: Window | None = None


_PICKING = msgspec.json.Decoder(Picking)


def read_deep_linking(claims: Claims, login: LoginState, *, public_url: str) -> DeepLinkingRequest:
    """Raises Refused, also where there is no address for the answer."""
    arrival = read_arrival(claims, login, public_url=public_url)
    settings = claims.deep_linking
    if settings is None:
        raise Refused(RefusalCode.CLAIM_MISSING, claim="deep_linking_settings", return_url=arrival.return_url)
    return_url = web_address(settings.deep_link_return_url)
    if return_url is None or len(return_url.encode()) > MAX_ADDRESS_BYTES:
        raise Refused(RefusalCode.NO_WAY_BACK, return_url=arrival.return_url)
    targets = settings.accept_presentation_document_targets
    return DeepLinkingRequest(
        arrival=arrival,
        deep_link_return_url=return_url,
        data=settings.data,
        # An LMS that names no way of showing leaves it to itself.
        accepts_links=RESOURCE_LINK in settings.accept_types and (not targets or not WAYS_TO_OPEN.isdisjoint(targets)),
        accepts_multiple=settings.accept_multiple is not False,
        # Moodle says nothing of line items, and takes them.
        accepts_line_items=settings.accept_lineitem is not False,
    )


def seal_picking(picking: Picking, *, secret_key: bytes, now: datetime) -> str:
    return seal(picking, secret_key=secret_key, purpose=PURPOSE, now=now)


def open_picking(sealed: str, *, secret_key: bytes, now: datetime) -> Picking:
    """Raises Refused when it is not ours, altered, or older than PICKING_LIFE."""
    if len(sealed) > MAX_PICKING_CHARS:
        raise Refused(RefusalCode.PICKING_INVALID)
    try:
        return open_seal(sealed, _PICKING, secret_key=secret_key, purpose=PURPOSE, now=now, life=PICKING_LIFE)
    except SealExpired as error:
        raise Refused(RefusalCode.PICKING_EXPIRED) from error
    except SealBroken as error:
        raise Refused(RefusalCode.PICKING_INVALID) from error


def response_claims(
    picking: Picking,
    items: Sequence[ContentItem],
    *,
    client_id: str,
    issuer: str,
    nonce: str,
    now: datetime,
    message: str = "",
    error: str = "",
) -> dict[str, Any]:
    """What we sign: for the LMS's person `message`, or `error` where nothing could be picked.

    https://www.imsglobal.org/spec/lti-dl/v2p0#deep-linking-response-message
    """
    issued_at = int((now - BACKDATED).timestamp())
    claims: dict[str, Any] = {
        "iss": client_id,
        "aud": issuer,  # one string: some LMSs read no list
        "iat": issued_at,
        "exp": int((now + RESPONSE_LIFE).timestamp()),
        "nonce": nonce,
        CLAIM + "message_type": DEEP_LINKING_RESPONSE,
        CLAIM + "version": VERSION,
        CLAIM + "deployment_id": picking.deployment_id,
        DEEP_LINKING_CLAIM + "content_items": msgspec.to_builtins(items),
    }
    said = {"data": picking.data, "msg": message or None, "errormsg": error or None}
    return claims | {DEEP_LINKING_CLAIM + name: value for name, value in said.items() if value is not None}
