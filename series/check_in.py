"""The check-in code: six digits, valid for five minutes, said or shown in the meeting."""

import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

CODE_DIGITS = 6
CODE_LIFE = timedelta(minutes=5)
FORGIVEN = {"Zs", "Pd", "Cc", "Cf"}  # spaces, dashes, and the marks that come along when text is copied


@dataclass(frozen=True, kw_only=True)
class CheckIn:
    """One opening of the check-in of one session."""

    check_in_id: int
    code: str
    opens_at: datetime
    closes_at: datetime

    def is_open(self, now: datetime) -> bool:
        return self.opens_at <= now < self.closes_at


class CodeRefused(Exception):
    """The code was not taken, and nothing was written. `reason` says why."""

    def __init__(self, reason: "CodeReason") -> None:
        super().__init__(reason.value)
        self.reason = reason


class CodeReason(StrEnum):
    NOT_SIX_DIGITS = "not_six_digits"
    NOT_OPEN = "not_open"
    WRONG = "wrong"
    LATE = "late"


def new_code() -> str:
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def match_code(typed: str, check_ins: Iterable[CheckIn], now: datetime) -> CheckIn:
    """The opening that `typed` belongs to. Raises CodeRefused.

    Spaces and dashes are forgiven, and so are other scripts' digits. A code that was right until a moment ago gets
    another sentence than a wrong one.
    """
    signs = (sign for sign in typed if unicodedata.category(sign) not in FORGIVEN)
    code = "".join(str(int(sign)) if sign.isdecimal() else sign for sign in signs)
    if len(code) != CODE_DIGITS or not code.isascii() or not code.isdigit():
        raise CodeRefused(CodeReason.NOT_SIX_DIGITS)
    openings = list(check_ins)
    matching = [opening for opening in openings if secrets.compare_digest(opening.code, code)]
    for opening in matching:
        if opening.is_open(now):
            return opening
    if any(opening.closes_at <= now for opening in matching):
        raise CodeRefused(CodeReason.LATE)
    raise CodeRefused(CodeReason.WRONG if any(o.is_open(now) for o in openings) else CodeReason.NOT_OPEN)
