"""Pseudonyms: what stands for a person of another university wherever rows are of persons.

An HMAC-SHA256 of (issuer, sub) under a key of the university's own, which is derived from our key outside the database
and a salt inside it (HKDF, https://www.rfc-editor.org/rfc/rfc5869): neither alone gives the key, and a new salt makes
all pseudonyms new. So a person has another pseudonym at each university, and nobody without both can try out numbers.
The data stay personal; see the EDPB's Guidelines 01/2025 on pseudonymisation.
"""

import hmac
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SALT_BYTES = 32
_PURPOSE = b"pseudonyms of a university"
_SIGNS = 32  # 128 bits: no two people share one by chance


@dataclass(frozen=True, kw_only=True)
class PseudonymKey:
    """Of one university, until it is rotated."""

    key: bytes

    def of(self, issuer: str, sub: str) -> str:
        """The same one for the same person, as long as the key is in force."""
        return hmac.digest(self.key, f"{issuer}|{sub}".encode(), "sha256").hex()[:_SIGNS]


def pseudonym_key(*, encryption_key: bytes, salt: bytes) -> PseudonymKey:
    made = HKDF(algorithm=SHA256(), length=32, salt=salt, info=_PURPOSE).derive(encryption_key)
    return PseudonymKey(key=made)
