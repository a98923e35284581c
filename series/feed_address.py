"""The address of a calendar feed: it names whose it is and proves it, and can be shown again because nothing of it is
stored.

A calendar program sends no cookie and asks for no password, so the address is the key. It is an HMAC of kind, id and
generation, under a key of its own (RFC 2104); raising the generation makes it worthless. It goes into no log.
"""

import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from series.proofs import prove

PURPOSE = "calendar feed"
MAC_BYTES = 16
TOKEN = re.compile(r"([pc])([1-9][0-9]{0,17})-([0-9a-f]{32})", re.ASCII)


class OwnerKind(StrEnum):
    PARTICIPANT = "p"
    COURSE = "c"


@dataclass(frozen=True, kw_only=True)
class FeedOwner:
    """Whose feed it is. `since`: when the participant was first seen, because SQLite gives the id of a row that was
    erased to a later one; courses have none, and their feeds show nothing but the series."""

    kind: OwnerKind
    owner_id: int
    generation: int
    since: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class UnprovedToken:
    """A token in the right shape, which anybody can make."""

    kind: OwnerKind
    owner_id: int
    mac: str


def make_token(owner: FeedOwner, *, secret_key: bytes) -> str:
    """`p7-…` for participant 7, `c3-…` for course 3: letters, digits and one hyphen."""
    return f"{owner.kind}{owner.owner_id}-{_mac(owner, secret_key)}"


def read_token(text: str) -> UnprovedToken | None:
    found = TOKEN.fullmatch(text)
    return found and UnprovedToken(kind=OwnerKind(found[1]), owner_id=int(found[2]), mac=found[3])


def proves(token: UnprovedToken, owner: FeedOwner, *, secret_key: bytes) -> bool:
    """Whether the token is the owner's present one. Compared in constant time."""
    same = (token.kind, token.owner_id) == (owner.kind, owner.owner_id)
    return hmac.compare_digest(token.mac, _mac(owner, secret_key)) and same


def _mac(owner: FeedOwner, secret_key: bytes) -> str:
    since = owner.since.isoformat() if owner.since else ""
    text = f"{owner.kind} {owner.owner_id} {owner.generation} {since}"
    return prove(text.encode(), PURPOSE, secret_key=secret_key)[:MAC_BYTES].hex()
