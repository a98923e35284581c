"""What the protocol needs to know of a registered LMS."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Platform:
    """One registered LMS, exactly as it names itself: an issuer is never normalised."""

    platform_id: int
    university_id: int
    slug: str
    issuer: str
    client_id: str
    authorization_endpoint: str
    jwks_uri: str
