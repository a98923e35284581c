"""Who hosts a session: somebody whom the coordinator has named, or who has said so and was confirmed.

Whom the coordinator names gets a code. It is made anew from its row and our key whenever it is shown, so that nothing
of it is stored: `12-7KX2M-9QTRB` is the twelfth invitation, and ten signs of 32 (50 bits) that prove it.
"""

import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from series.proofs import prove

INVITATION_LIFE = timedelta(days=30)
MAX_LABEL_CHARS = 255
PURPOSE = "host invitation"
PROOF_CHARS = 10
SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # without I, L, O and U: https://www.crockford.com/base32.html
MISREAD = str.maketrans("ILO", "110")
CODE = re.compile(rf"([1-9][0-9]{{0,17}})([{SIGNS}]{{{PROOF_CHARS}}})", re.ASCII)


class CameAs(StrEnum):
    """In what the person who used a code had come."""

    TEACHER = "teacher"
    LEARNER = "learner"
    OTHER = "other"


class RequestState(StrEnum):
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


class InvitationState(StrEnum):
    OPEN = "open"
    USED = "used"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True)
class HostInvitation:
    """`label`: who is meant, in the coordinator's words. `used_by`: the participant who was the first to enter it."""

    invitation_id: int
    session_id: UUID
    label: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None
    used_by: int | None

    def state(self, now: datetime) -> InvitationState:
        if self.used_at is not None:
            return InvitationState.USED
        if self.revoked_at is not None:
            return InvitationState.REVOKED
        return InvitationState.EXPIRED if now >= self.expires_at else InvitationState.OPEN


@dataclass(frozen=True, kw_only=True)
class UnprovedCode:
    """A code in the right shape, which anybody can type."""

    invitation_id: int
    proof: str


def make_code(invitation: HostInvitation, *, secret_key: bytes) -> str:
    proof = _proof(invitation, secret_key)
    return f"{invitation.invitation_id}-{proof[:5]}-{proof[5:]}"


def read_code(typed: str) -> UnprovedCode | None:
    """However its signs were typed or read out."""
    text = "".join(sign for sign in typed.upper() if sign.isalnum()).translate(MISREAD)
    found = CODE.fullmatch(text)
    return found and UnprovedCode(invitation_id=int(found[1]), proof=found[2])


def proves(code: UnprovedCode, invitation: HostInvitation, *, secret_key: bytes) -> bool:
    """Whether it is the invitation's code. Compared in constant time."""
    same = code.invitation_id == invitation.invitation_id
    return hmac.compare_digest(code.proof, _proof(invitation, secret_key)) and same


def _proof(invitation: HostInvitation, secret_key: bytes) -> str:
    """With the session and the time, because SQLite gives the id of a row that was deleted to a later one."""
    text = f"{invitation.invitation_id} {invitation.session_id} {invitation.created_at.isoformat()}"
    number = int.from_bytes(prove(text.encode(), PURPOSE, secret_key=secret_key)[:8])
    return "".join(SIGNS[(number >> 5 * place) & 31] for place in range(PROOF_CHARS))
