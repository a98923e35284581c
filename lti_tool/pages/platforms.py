"""Which registered LMS a login or a launch belongs to."""

from dataclasses import dataclass

from flask import g

from lti_tool.protocol.login import LoginRequest
from lti_tool.protocol.platform import Platform
from lti_tool.protocol.refusals import RefusalCode, Refused
from lti_tool.tool import Tool
from series.store.universities import PlatformRow


def platform_of_login(tool: Tool, wanted: LoginRequest, slug: str | None) -> Platform:
    """The platform that the path names, or the one with this issuer and client id."""
    if "\0" in (slug or wanted.issuer):  # PostgreSQL cannot even be asked for it
        raise Refused(RefusalCode.PLATFORM_UNKNOWN)
    if slug is not None:
        row = tool.known_platforms.of_slug(slug)
        candidates = [row] if row else []
    else:
        candidates = list(tool.known_platforms.of_issuer(wanted.issuer))
        if wanted.client_id is not None:
            candidates = [row for row in candidates if row.client_id == wanted.client_id]
    if not candidates:
        raise Refused(RefusalCode.PLATFORM_UNKNOWN, issuer=wanted.issuer[:255], path=slug and slug[:64])
    if len(candidates) > 1:  # one that was replaced, or switched off, stands back
        candidates = [row for row in candidates if row.state == "active"] or candidates
    if len(candidates) > 1:
        raise Refused(RefusalCode.PLATFORM_AMBIGUOUS, issuer=wanted.issuer)
    if slug is not None:
        g.named_platform_id, g.named_by_state = candidates[0].platform_id, False
    return _active(candidates[0])


def platform_of_state(tool: Tool, platform_id: int) -> Platform:
    """The platform that a sealed state of ours names."""
    row = tool.known_platforms.of_id(platform_id)
    if row is None:
        raise Refused(RefusalCode.PLATFORM_UNKNOWN)
    g.named_platform_id, g.named_by_state = row.platform_id, True
    return _active(row)


@dataclass(frozen=True, kw_only=True)
class Named:
    """A platform that this request is about. `by_state`: a login of ours has named it, and not only an address."""

    platform_id: int
    by_state: bool


def named_platform() -> Named | None:
    """The platform that our own state or the path of the login has named in this request. Only there a refusal is kept:
    what a form says of itself is anybody's claim."""
    if "named_platform_id" not in g:
        return None
    return Named(platform_id=g.named_platform_id, by_state=g.named_by_state)


def _active(row: PlatformRow) -> Platform:
    if row.state == "pending":
        raise Refused(RefusalCode.PLATFORM_PENDING, platform=row.slug)
    if row.state != "active":
        raise Refused(RefusalCode.PLATFORM_DISABLED, platform=row.slug)
    return Platform(
        platform_id=row.platform_id,
        university_id=row.university_id,
        slug=row.slug,
        issuer=row.issuer,
        client_id=row.client_id,
        authorization_endpoint=row.authorization_endpoint,
        jwks_uri=row.jwks_uri,
    )
