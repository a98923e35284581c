"""Who runs the series, and what a password may be. Pure values and rules; the rows are the truth."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from series.people import University

SESSION_LIFE = timedelta(hours=12)  # from the sign-in, however busy
SESSION_IDLE = timedelta(minutes=30)
LAUNCH_SIGNS_IN_FOR = timedelta(minutes=30)  # after it; its visit lasts for hours, also after they have left the LMS
SEEN_EVERY = timedelta(minutes=1)  # a page within it is not noted, so that idleness is known to the minute
LINK_LIFE = timedelta(hours=24)  # of a link for another password
INVITATION_LIFE = timedelta(days=7)  # of the first one: the mail with it may be read on another day
MAX_EMAIL_CHARS = 254  # https://www.rfc-editor.org/errata/eid1690
MIN_PASSWORD_CHARS = 12
MAX_PASSWORD_CHARS = 128


class Role(StrEnum):
    COORDINATOR = "coordinator"
    LMS_ADMIN = "lms_admin"


class AccountState(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, kw_only=True)
class Staff:
    """Somebody who is signed in. An LMS admin has exactly one university, a coordinator none.

    `seen_before_at` is the sign-in before this one, None for the first.
    """

    staff_id: int
    email: str
    name: str
    role: Role
    university: University | None
    epoch: int  # of the account: whatever was begun under an older one is over
    seen_before_at: datetime | None


class PasswordFault(StrEnum):
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    IS_THE_PERSON = "is_the_person"


def normal_email(typed: str) -> str:
    """As accounts are known by: one spelling for all ways to type it."""
    return unicodedata.normalize("NFKC", typed).strip().lower()


def is_email(address: str) -> bool:
    """Whether it could be one. It is the name for signing in, and where mail goes to if that is set up."""
    local, at, domain = address.rpartition("@")
    plain = address.isprintable() and not any(sign.isspace() for sign in address)
    return bool(plain and local and at and "." in domain.strip(".") and len(address) <= MAX_EMAIL_CHARS)


def normal_password(typed: str) -> str:
    """One spelling of the same signs, as keyboards differ: https://pages.nist.gov/800-63-4/sp800-63b.html#passwordver"""
    return unicodedata.normalize("NFKC", typed)


def password_fault(password: str, *, email: str, name: str) -> PasswordFault | None:
    """What is wrong with a new password. Length counts and nothing about its composition, as NIST advises:
    https://pages.nist.gov/800-63-4/sp800-63b.html#passwordver"""
    password = normal_password(password)
    if len(password) < MIN_PASSWORD_CHARS:
        return PasswordFault.TOO_SHORT
    if len(password) > MAX_PASSWORD_CHARS:
        return PasswordFault.TOO_LONG
    about = {email, email.partition("@")[0], name}
    if _bare(password) in {_bare(word) for word in about}:
        return PasswordFault.IS_THE_PERSON
    return None


def _bare(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
