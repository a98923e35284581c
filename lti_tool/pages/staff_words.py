"""What staff are told about passwords and tries."""

import math

from flask_babel import gettext, ngettext

from series.staff import MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS, PasswordFault


def wait_in_words(wait_s: int) -> str:
    """Never shorter than the wait is."""
    if wait_s <= 90:
        return str(ngettext("%(num)d second", "%(num)d seconds", wait_s))
    return str(ngettext("%(num)d minute", "%(num)d minutes", math.ceil(wait_s / 60)))


def fault_in_words(fault: PasswordFault | None, *, repeated: bool) -> str:
    """One sentence on a new password; empty when it may be taken. `repeated`: it was typed twice the same."""
    match fault:
        case PasswordFault.TOO_SHORT:
            return str(
                gettext("Please take at least %(n)s characters. A few words are easier to keep.", n=MIN_PASSWORD_CHARS)
            )
        case PasswordFault.TOO_LONG:
            return str(gettext("Please take at most %(n)s characters.", n=MAX_PASSWORD_CHARS))
        case PasswordFault.IS_THE_PERSON:
            return str(gettext("Please take something else than your name or e-mail address."))
        case None:
            return "" if repeated else str(gettext("The two fields differ. Please type the same password in both."))
