"""A tombstone says that somebody has had their data erased, so that no list of an LMS brings them back. It is an HMAC
of who they were: whoever is named to us can be compared with it, and nobody can be read from it.

Its key comes from the secret key of the installation and is not rotated by itself: with another secret key, the old
tombstones are none.
"""

from collections.abc import Collection
from dataclasses import dataclass

from series.proofs import prove

PURPOSE = "erased person"


class NobodyThere(Exception):
    """Nothing is held about this person: they have had it erased, perhaps a moment ago, or were never here."""


@dataclass(frozen=True, kw_only=True)
class Whom:
    """Somebody as their LMS names them."""

    university_id: int
    issuer: str
    sub: str


def tombstone_of(whom: Whom, *, secret_key: bytes) -> str:
    """64 hexadecimal digits."""
    return prove(f"{whom.university_id} {whom.issuer} {whom.sub}".encode(), PURPOSE, secret_key=secret_key).hex()


@dataclass(frozen=True, kw_only=True)
class Registration:
    """A registered LMS of a university, as far as it matters for who its people are."""

    platform_id: int
    issuer: str
    is_active: bool
    succeeds_platform_id: int | None


def issuers_alike(registered: Collection[Registration], issuer: str) -> tuple[str, ...]:
    """`issuer`, and those of the university under which the same number means the same person, so that a tombstone made
    under one holds under all.

    A platform that has taken the place of one with another issuer (`lti-tool platform replace`) keeps the numbers: the
    operator has said so, and everybody who was known was moved by their number. It says so of what that one has
    replaced, too. An LMS that is merely registered beside another one has people of its own, whatever their numbers.
    What has taken the place of `issuer` itself counts while nothing is at the old address any more (a Moodle connection
    that still names it); an LMS that is put there later has other people. That who was erased at the old address
    may then have the number of somebody new there is borne: they are asked one question more, and nobody who was erased
    comes back unasked.
    """
    issuer_of = {one.platform_id: one.issuer for one in registered}
    in_use = {one.issuer for one in registered if one.is_active}
    pairs = {
        (one.issuer, issuer_of[one.succeeds_platform_id]) for one in registered if one.succeeds_platform_id in issuer_of
    }
    found, left = [issuer], [issuer]
    while left:
        at = left.pop()
        earlier = [old for new, old in pairs if new == at]
        later = [new for new, old in pairs if old == at and at not in in_use]
        fresh = sorted({*earlier, *later}.difference(found))
        left += fresh
        found += fresh
    return tuple(found)


def issuers_of_the_same(registered: Collection[Registration], issuer: str) -> tuple[str, ...]:
    """Of `issuers_alike`, those at which nobody else can be by now: whose marks, rosters and people are theirs. Left
    out is an old address at which another LMS has been put since."""
    return tuple(one for one in issuers_alike(registered, issuer) if issuer in issuers_alike(registered, one))
