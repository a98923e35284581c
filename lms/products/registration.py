"""What is odd about how a product registers a tool; by default it keeps to LTI Dynamic Registration 1.0.

https://www.imsglobal.org/spec/lti-dr/v1p0
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

CONTENT_AREA = "ContentArea"  # the specification's name of where a teacher adds an activity


@dataclass(frozen=True, kw_only=True)
class KnownAddresses:
    """Of a product that is the same service for all its customers; empty where each has its own."""

    issuer: str = ""
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    jwks_uri: str = ""


@dataclass(frozen=True, kw_only=True)
class Registration:
    """`family_codes`: beginnings of its `product_family_code`, in small letters. `sites`: domains that speak for each
    other: elsewhere issuer, configuration and registration endpoint must be on the very same host.

    `placements`: where teachers find our picker. `declares_links`: whether the message of a plain launch is named, too.
    `names_audience`: whether `authorization_server` is what its tokens are asked of. `members`: further members of the
    tool configuration, by whether names are asked for. `known`: what an administrator need not type in. `name_taken`:
    as of lms.registration.send_registration.
    """

    family_codes: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    placements: tuple[str, ...] = (CONTENT_AREA,)
    declares_links: bool = True
    names_audience: bool = True
    members: Callable[[bool], Mapping[str, Any]] = lambda _: {}
    known: KnownAddresses = field(default_factory=KnownAddresses)
    name_taken: bytes | None = None
