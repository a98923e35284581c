"""The check-in code: six digits, valid for five minutes, said or shown in the meeting."""

import secrets
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from series.sessions import Session

CODE_DIGITS = 6
CODE_LIFE = timedelta(minutes=5)
EXTRA_TIME = timedelta(minutes=20)  # after the code has closed, for who said in time that they need it
OPENS_BY_ITSELF_AFTER = timedelta(minutes=5)  # from the start, when no host has opened it
MAY_OPEN_AFTER_END = timedelta(minutes=60)
MAX_REASON_CHARS = 500
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

    def is_open_longer(self, now: datetime) -> bool:
        """For those who need more time."""
        return self.opens_at <= now < self.closes_at + EXTRA_TIME


class MayOpen(StrEnum):
    """What a host may do about the check-in of a session at one moment."""

    IS_OPEN = "is_open"
    TOO_EARLY = "too_early"
    YES = "yes"
    WITH_REASON = "with_reason"  # it was open already, or the session is over
    TOO_LATE = "too_late"


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
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"  # right, and counted before; but a person has withdrawn that


def new_code(taken: Collection[str] = ()) -> str:
    """None of those that were `taken`: in one session, a code belongs to one opening."""
    while True:
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
        if code not in taken:
            return code


def that_count(session: Session, check_ins: Iterable[CheckIn]) -> list[CheckIn]:
    """None of a cancelled session; and openings from before the start are of a time from which it was moved."""
    return [opening for opening in check_ins if opening.opens_at >= session.start_at and not session.is_cancelled]


def may_open(session: Session, check_ins: Iterable[CheckIn], now: datetime) -> MayOpen:
    openings = that_count(session, check_ins)
    if any(opening.is_open(now) for opening in openings):
        return MayOpen.IS_OPEN
    if now < session.start_at:
        return MayOpen.TOO_EARLY
    if now >= session.end_at + MAY_OPEN_AFTER_END:
        return MayOpen.TOO_LATE
    return MayOpen.WITH_REASON if openings or session.is_over(now) else MayOpen.YES


def opens_by_itself(session: Session, check_ins: Iterable[CheckIn], now: datetime) -> bool:
    """Also late, while the session runs: a worker may have been down."""
    is_time = session.is_running(now) and now >= session.start_at + OPENS_BY_ITSELF_AFTER
    return is_time and may_open(session, check_ins, now) is MayOpen.YES


def is_open_for(opening: CheckIn, now: datetime, extended: Collection[int] = ()) -> bool:
    """For a participant who has asked for more time in the openings `extended`."""
    return opening.is_open(now) or (opening.check_in_id in extended and opening.is_open_longer(now))


def match_code(typed: str, check_ins: Iterable[CheckIn], now: datetime, extended: Collection[int] = ()) -> CheckIn:
    """The opening that `typed` belongs to, of those `that_count`. Raises CodeRefused.

    Spaces and dashes are forgiven, and so are other scripts' digits. A code that was right until a moment ago gets
    another sentence than a wrong one. `extended`: openings in which this participant has asked for more time.
    """
    signs = (sign for sign in typed if unicodedata.category(sign) not in FORGIVEN)
    code = "".join(str(int(sign)) if sign.isdecimal() else sign for sign in signs)
    if len(code) != CODE_DIGITS or not code.isascii() or not code.isdigit():
        raise CodeRefused(CodeReason.NOT_SIX_DIGITS)
    openings = list(check_ins)
    matching = [opening for opening in openings if secrets.compare_digest(opening.code, code)]
    for opening in matching:
        if is_open_for(opening, now, extended):
            return opening
    if any(opening.closes_at <= now for opening in matching):
        raise CodeRefused(CodeReason.LATE)
    is_open = any(is_open_for(opening, now, extended) for opening in openings)
    raise CodeRefused(CodeReason.WRONG if is_open else CodeReason.NOT_OPEN)
