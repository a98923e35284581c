"""Whoever is signed in proves that they still know the password: the computer may be unlocked and somebody else's."""

import math
from dataclasses import dataclass

from flask import request

from lti_tool.tool import the_tool
from series.limits import STAFF_TRIES
from series.staff import Staff
from series.store.limits import take
from series.store.staff import Account, get_account


@dataclass(frozen=True, kw_only=True)
class Asked:
    """`account`: as it was when the password was right; None: it was not. `wait_s`: there were too many tries, and the
    next one may follow after that."""

    account: Account | None = None
    wait_s: int = 0


def ask_present_password(staff: Staff) -> Asked:
    """Of the field `current` of the form."""
    tool = the_tool()
    with tool.database.write() as connection:
        wait_s = take(connection, f"staff password {staff.staff_id}", STAFF_TRIES, now=tool.clock.now())
        account = get_account(connection, staff.staff_id)
    if wait_s:
        return Asked(wait_s=math.ceil(wait_s))
    is_right = tool.passwords.matches(account.password_hash, request.form.get("current", ""))
    return Asked(account=account if is_right else None)
