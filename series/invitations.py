"""What a coordinator sends to somebody who is to choose a password: plain text in English, ready for a mail."""

from dataclasses import dataclass
from datetime import datetime

from series.staff import Role
from series.staff_mail import moment_in_mail

LMSS = "Moodle, Canvas, Brightspace, Blackboard, Sakai, or another one with LTI 1.3"


@dataclass(frozen=True, kw_only=True)
class Invited:
    """`university` None: a coordinator. `is_new`: they never had a password; else it was reset."""

    name: str
    email: str
    role: Role
    university: str | None
    is_new: bool


def subject_of(invited: Invited) -> str:
    if not invited.is_new:
        return "Shared Sessions: choose a new password"
    if invited.role is Role.COORDINATOR:
        return "Shared Sessions: your account as coordinator"
    return f"Connecting the LMS of {invited.university} to our shared workshop series"


def text_of(invited: Invited, *, link: str, until: datetime, zone: str, sender: str) -> str:
    """`until`: when the link is over; `zone`: of the reader."""
    parts = [f"Dear {invited.name},"]
    if not invited.is_new:
        parts += [f"your password for Shared Sessions was reset. Please choose a new one here:\n\n{link}"]
    elif invited.role is Role.COORDINATOR:
        parts += [_TO_COORDINATOR, f"Please choose a password here:\n\n{link}"]
    else:
        parts += [
            _TO_LMS_ADMIN.format(university=invited.university),
            f"Please begin here, by choosing a password:\n\n{link}",
        ]
    parts += [_how_long(until, zone), f"Afterwards you sign in with your e-mail address, {invited.email}."]
    if invited.is_new and invited.role is Role.LMS_ADMIN:
        parts += [_AT_HAND, _WHAT_THEY_SEE]
    parts += ["If anything is unclear, please just answer this mail.", f"Kind regards\n{sender}"]
    return "\n\n".join(parts) + "\n"


_TO_COORDINATOR = (
    "you are to coordinate our workshop series with us. Shared Sessions is the tool behind it: many universities teach"
    " one series together, and every student takes part from their own university's LMS. There you see the plan, the"
    " universities and how ready each of them is."
)
_TO_LMS_ADMIN = (
    "{university} takes part in a workshop series that many universities teach together. Students of yours open it"
    " from their own course in your LMS, without a new account. For that, somebody who administers your LMS connects"
    " it once, and we would like to ask you for that."
)
_AT_HAND = f"What you need: about ten minutes, and administrator's rights in your LMS ({LMSS})."
_WHAT_THEY_SEE = (
    "What you will see: the pages of your own university alone. They lead you through the connection step by step, in"
    " the words of your LMS's own menus, then check whether everything works, and say what to change if something does"
    " not. You see no student's results there, and nothing of any other university."
)


def _how_long(until: datetime, zone: str) -> str:
    day = moment_in_mail(until, zone)
    return f"The link works once, until {day}. If it is over, tell me, and I will send you a new one."
