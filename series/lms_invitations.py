"""Invitations to register one LMS of a university: how one stands, and its address.

The address names the invitation and proves it, and can be shown again because nothing of it is stored: an HMAC of id
and time of making, under a key of its own (RFC 2104). It goes into no log.
"""

import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from series.people import University
from series.proofs import prove

PURPOSE = "lms invitation"
DAYS, MIN_DAYS, MAX_DAYS = 7, 1, 30
MAC_BYTES = 16
TOKEN = re.compile(r"([1-9][0-9]{0,17})-([0-9a-f]{32})", re.ASCII)


class Standing(StrEnum):
    OPEN = "open"
    UNDER_WAY = "under_way"  # somebody registers by it just now
    USED = "used"
    EXPIRED = "expired"
    REVOKED = "revoked"

    @property
    def is_open(self) -> bool:
        """Its link is good for something, now or if the registration that is under way comes to nothing."""
        return self in {Standing.OPEN, Standing.UNDER_WAY}


@dataclass(frozen=True, kw_only=True)
class LmsInvitation:
    """`approves`: what registers by it works at once. `problem`: why the last try came to nothing, in English."""

    invitation_id: int
    university: University
    approves: bool
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    claimed_until: datetime | None
    used_at: datetime | None
    platform_id: int | None
    platform_slug: str | None
    problem: str | None
    problem_at: datetime | None

    def standing(self, now: datetime) -> Standing:
        if self.used_at is not None:
            return Standing.USED
        if self.revoked_at is not None:
            return Standing.REVOKED
        if self.expires_at <= now:
            return Standing.EXPIRED
        return Standing.UNDER_WAY if self.claimed_until is not None and self.claimed_until > now else Standing.OPEN


@dataclass(frozen=True, kw_only=True)
class UnprovedToken:
    """A token in the right shape, which anybody can make."""

    invitation_id: int
    mac: str


def make_token(invitation: LmsInvitation, *, secret_key: bytes) -> str:
    """`7-…`: digits, one hyphen, and letters."""
    return f"{invitation.invitation_id}-{_mac(invitation, secret_key)}"


def read_token(text: str) -> UnprovedToken | None:
    found = TOKEN.fullmatch(text)
    return found and UnprovedToken(invitation_id=int(found[1]), mac=found[2])


def proves(token: UnprovedToken, invitation: LmsInvitation, *, secret_key: bytes) -> bool:
    """Compared in constant time."""
    same = token.invitation_id == invitation.invitation_id
    return hmac.compare_digest(token.mac, _mac(invitation, secret_key)) and same


def _mac(invitation: LmsInvitation, secret_key: bytes) -> str:
    text = f"{invitation.invitation_id} {invitation.created_at.isoformat()}"
    return prove(text.encode(), PURPOSE, secret_key=secret_key)[:MAC_BYTES].hex()
