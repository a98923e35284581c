"""The code by which somebody moves their progress to another account of theirs: `7KX2-M9QT-RB4D-05WZ`, 80 bits.

Whoever has it can take the progress, so it is shown once, works once, and only its hash is kept.
"""

import hashlib
import secrets
from datetime import timedelta

from series.hosts import MISREAD, SIGNS

CODE_LIFE = timedelta(days=14)
CODE_CHARS = 16
GROUP = 4


def new_transfer_code() -> str:
    signs = "".join(secrets.choice(SIGNS) for _ in range(CODE_CHARS))
    return "-".join(signs[at : at + GROUP] for at in range(0, CODE_CHARS, GROUP))


def hash_of_code(typed: str) -> str | None:
    """None for what is no code. Blanks, dashes, small letters and signs that look like another one are forgiven."""
    signs = "".join(sign for sign in typed.upper() if sign.isalnum()).translate(MISREAD)
    if len(signs) != CODE_CHARS or any(sign not in SIGNS for sign in signs):
        return None
    return hashlib.sha256(signs.encode("ascii")).hexdigest()
