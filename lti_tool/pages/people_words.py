"""Accounts of staff in plain words."""

from datetime import datetime

from flask_babel import gettext, ngettext

from series.staff import Role
from series.store.people import Person
from series.store.staff import Account


def role_in_words(role: Role) -> str:
    return str({Role.COORDINATOR: gettext("Coordinator"), Role.LMS_ADMIN: gettext("LMS administrator")}[role])


def state_in_words(account: Account) -> str:
    if not account.is_active:
        return str(gettext("disabled"))
    if account.password_hash is None:
        return str(gettext("has no password yet"))
    return str(gettext("active"))


def link_in_words(person: Person, now: datetime) -> str:
    """That a link waits to be used, and for how long; empty without one."""
    if person.link_until is None:
        return ""
    hours = int((person.link_until - now).total_seconds() // 3600)
    if hours < 1:
        return str(gettext("a link waits, for less than an hour"))
    if hours < 48:
        return str(ngettext("a link waits, for %(num)d hour", "a link waits, for %(num)d hours", hours))
    return str(ngettext("a link waits, for %(num)d day", "a link waits, for %(num)d days", hours // 24))
