"""A registration from the LMS's configuration to the saved platform.

The calls to the LMS are made outside any transaction; before them the invitation is claimed, and after them either the
platform is saved or the claim let go.
"""

from dataclasses import dataclass
from datetime import timedelta

import msgspec
import structlog

from lms.errors import AddressRefused, NotAllowed, Refused
from lms.products import Product
from lms.products.registration import Registration
from lms.products.table import REGISTRATIONS, product_of_family
from lms.registration import REGISTRATION_LEASE_S, fetch_configuration, may_be_called, send_registration
from lti_tool.foreign_clients import refuse_foreign_client
from lti_tool.protocol.registration import (
    Configuration,
    Registered,
    RegistrationFailed,
    RegistrationFault,
    Wish,
    check_belongs,
    make_request,
    read_answer,
    read_configuration,
)
from lti_tool.tool import Tool
from series.store.database import DatabaseBusy, DatabaseUnreachable
from series.store.lms_invitations import Claim, claim_invitation, use_claim
from series.store.universities import NewPlatform

LEASE = timedelta(seconds=REGISTRATION_LEASE_S)
MAX_TOKEN_CHARS = 8_192
log = structlog.get_logger()


class NotSaved(Exception):
    """The LMS has said yes, and then our database could not be had."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What an LMS opens our page with: https://www.imsglobal.org/spec/lti-dr/v1p0#step-1-registration-initiation"""

    invitation_id: int
    openid_configuration: str
    registration_token: str | None


@dataclass(frozen=True, kw_only=True)
class Offer:
    """An LMS whose configuration belongs to its issuer. `registration`: what is odd about its product."""

    configuration: Configuration
    product: Product

    @property
    def registration(self) -> Registration:
        return REGISTRATIONS[self.product]

    @property
    def token_audience(self) -> str | None:
        """https://www.imsglobal.org/spec/lti-dr/v1p0#platform-configuration: without one it is the token endpoint."""
        return self.configuration.authorization_server if self.registration.names_audience else None


def look_at(tool: Tool, url: str, token: str | None, *, must_register: bool = True) -> Offer:
    """The LMS whose configuration is at `url`. Changes nothing. Raises RegistrationFailed, LmsError."""
    configuration = read_configuration(fetch_configuration(tool.http, url, token))
    product = product_of_family(
        configuration.platform.product_family_code, configuration.issuer, configuration.token_endpoint
    )
    check_belongs(
        configuration,
        url,
        sites=REGISTRATIONS[product].sites,
        may_call=lambda address: may_be_called(address, allow_loopback=tool.settings.on_loopback),
        must_register=must_register,
    )
    return Offer(configuration=configuration, product=product)


def claim(tool: Tool, invitation_id: int) -> Claim:
    """Raises InvitationOver, UniversityBusy."""
    with tool.database.write() as connection:
        return claim_invitation(connection, invitation_id, lease=LEASE, now=tool.clock.now())


def register(tool: Tool, held: Claim, asked: Asked, *, asks_names: bool) -> int:
    """The new platform's id. Raises RegistrationFailed, LmsError, InvitationOver, AlreadyThere, NotSaved."""
    offer = look_at(tool, asked.openid_configuration, asked.registration_token)
    wish = make_wish(tool, offer, held.slug, asks_names=asks_names)
    body, endpoint = make_request(wish, offer.configuration), offer.configuration.registration_endpoint
    assert endpoint is not None
    name_taken = offer.registration.name_taken
    answer = send_registration(tool.http, endpoint, body, asked.registration_token, name_taken=name_taken)
    registered = read_answer(answer, wish)
    new = _platform(held, offer, registered)
    try:
        with tool.database.write() as connection:
            refuse_foreign_client(connection, new)
            platform_id = use_claim(connection, held, new, now=tool.clock.now())
    except (DatabaseBusy, DatabaseUnreachable) as error:
        raise NotSaved from error
    log.info("platform_registered", platform=held.slug, product=offer.product.value, approved=new.is_approved)
    return platform_id


def make_wish(tool: Tool, offer: Offer, slug: str, *, asks_names: bool) -> Wish:
    quirks = offer.registration
    return Wish(
        public_url=tool.settings.public_url,
        slug=slug,
        asks_names=asks_names,
        placements=quirks.placements,
        declares_links=quirks.declares_links,
        members=quirks.members(asks_names),
    )


def may_have_registered(error: Exception) -> bool:
    """Whether the LMS may keep a tool of ours though we keep nothing: it was asked, and did not say no."""
    if isinstance(error, RegistrationFailed):
        return error.fault in {
            RegistrationFault.NOT_AN_ANSWER,
            RegistrationFault.NO_CLIENT_ID,
            RegistrationFault.ANSWER_FOREIGN,
        }
    return not isinstance(error, Refused | NotAllowed | AddressRefused)


def _platform(held: Claim, offer: Offer, registered: Registered) -> NewPlatform:
    configuration = offer.configuration
    return NewPlatform(
        slug=held.slug,
        university_id=held.invitation.university.university_id,
        issuer=configuration.issuer,
        client_id=registered.client_id,
        authorization_endpoint=configuration.authorization_endpoint,
        token_endpoint=configuration.token_endpoint,
        jwks_uri=configuration.jwks_uri,
        token_audience=offer.token_audience,
        deployment_ids=(registered.deployment_id,) if registered.deployment_id else (),
        product=offer.product.value,
        is_approved=held.invitation.approves,
        granted_scopes=None if registered.scopes is None else " ".join(registered.scopes),
        lms_version=configuration.lms_version,
    )
