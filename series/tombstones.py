"""A tombstone says that somebody has had their data erased, so that no list of an LMS brings them back. It is an HMAC
of who they were: whoever is named to us can be compared with it, and nobody can be read from it.

Its key comes from the secret key of the installation and is not rotated by itself: with another secret key, the old
tombstones are none.
"""

from dataclasses import dataclass

from series.proofs import prove

PURPOSE = "erased person"


@dataclass(frozen=True, kw_only=True)
class Whom:
    """Somebody as their LMS names them."""

    university_id: int
    issuer: str
    sub: str


def tombstone_of(whom: Whom, *, secret_key: bytes) -> str:
    """64 hexadecimal digits."""
    return prove(f"{whom.university_id} {whom.issuer} {whom.sub}".encode(), PURPOSE, secret_key=secret_key).hex()
