"""What only we can say of something: an HMAC-SHA256 under a key of its own for each purpose, so that the proof of one
thing is worthless for another, and nothing of it need be stored. https://www.rfc-editor.org/rfc/rfc2104
"""

import hmac
from functools import cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def prove(text: bytes, purpose: str, *, secret_key: bytes) -> bytes:
    """32 bytes, the same ones whenever it is asked."""
    return hmac.digest(_key(secret_key, purpose), text, "sha256")


@cache
def _key(secret_key: bytes, purpose: str) -> bytes:
    """One for each purpose: deriving it takes longer than proving."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(secret_key)
