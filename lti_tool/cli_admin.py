"""lti-tool admin: the accounts of coordinators and of universities' LMS admins."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

import click

from config.command_line import Failure, check_text, json_option, print_rows, settings_or_exit
from config.settings import Settings
from lti_tool.cli_common import open_database
from series.staff import INVITATION_LIFE, LINK_LIFE, Role, is_email, normal_email
from series.store.audit import OPERATOR, append_audit
from series.store.staff import (
    Account,
    add_link,
    add_staff,
    disable_account,
    enable_account,
    list_staff,
    require_account,
    reset_account,
)
from series.store.universities import find_university

ROLES = {"coordinator": Role.COORDINATOR, "lms-admin": Role.LMS_ADMIN}


@click.group("admin")
def admin_group() -> None:
    """Accounts for the pages of staff, /admin/ and /coordinator/ of the public address."""


@admin_group.command("create")
@click.argument("email")
@click.option("--name", required=True)
@click.option(
    "--role", "role_name", type=click.Choice(list(ROLES)), required=True, help="An LMS admin has one --university."
)
@click.option("--university", "university_slug", help="Slug of the LMS admin's university.")
def admin_create(email: str, name: str, role_name: str, university_slug: str | None) -> None:
    """Make an account, and print the link by which its owner chooses a password.

    The link works once, for 7 days, and is shown only now. Send it to the owner and to nobody else.
    """
    if not is_email(normal_email(email)):
        raise click.BadParameter(f"{email!r} is not an e-mail address.")
    name, role = check_text("name", name), ROLES[role_name]
    if (role is Role.LMS_ADMIN) != (university_slug is not None):
        raise click.UsageError("An LMS admin has one --university; a coordinator has none.")
    settings = settings_or_exit()
    now = settings.clock().now()
    with open_database().write() as connection:
        home = find_university(connection, university_slug) if university_slug else None
        university_id = home.university_id if home else None
        staff_id = add_staff(connection, email=email, name=name, role=role, university_id=university_id, now=now)
        _note(connection, "create_staff", staff_id, now)
        said = _new_link(connection, settings, staff_id, now, INVITATION_LIFE)
    click.echo(f"Made an account for {name}, {normal_email(email)}.\n{said}")


@admin_group.command("list")
@json_option
def admin_list(*, as_json: bool) -> None:
    """List all accounts: e-mail, name, role, university, state, whether there is a password, the last sign-in, and how
    many tries failed since."""
    with open_database().read() as connection:
        rows = [_row(account) for account in list_staff(connection)]
    print_rows(rows, as_json=as_json, empty="No account yet; `lti-tool admin create --help` shows how.")


@admin_group.command("reset")
@click.argument("email")
def admin_reset(email: str) -> None:
    """For a password that was forgotten or leaked: print a new link to choose one.

    The link works once, for 24 hours. The old password works no longer, and the account is signed out everywhere.
    """
    settings = settings_or_exit()
    now = settings.clock().now()
    with open_database().write() as connection:
        account = require_account(connection, email)
        if not account.is_active:
            raise Failure(f"{account.email} is disabled; `lti-tool admin enable {account.email}` first.")
        reset_account(connection, account.staff_id)
        _note(connection, "reset_staff", account.staff_id, now)
        said = _new_link(connection, settings, account.staff_id, now, LINK_LIFE)
    click.echo(f"{account.email} is signed out everywhere, and the old password works no longer.\n{said}")


@admin_group.command("disable")
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
def admin_disable(email: str, *, yes: bool) -> None:
    """Switch an account off: it is signed out everywhere at once, and can sign in no more.

    What its owner did stays. `lti-tool admin enable` brings it back.
    """
    now, database = settings_or_exit().clock().now(), open_database()
    with database.read() as connection:
        account = require_account(connection, email)
    if not yes and not click.confirm(f"Sign {account.name} ({account.email}) out everywhere, and let them in no more?"):
        raise Failure("Nothing was changed.")
    with database.write() as connection:
        disable_account(connection, account.staff_id)
        _note(connection, "disable_staff", account.staff_id, now)
    click.echo(f"{account.email} is disabled and signed out everywhere.")


@admin_group.command("enable")
@click.argument("email")
def admin_enable(email: str) -> None:
    """Switch an account on again. It signs in with the password that it had."""
    now = settings_or_exit().clock().now()
    with open_database().write() as connection:
        account = require_account(connection, email)
        enable_account(connection, account.staff_id)
        _note(connection, "enable_staff", account.staff_id, now)
    has_none = f"; it has no password, so `lti-tool admin reset {account.email}` next"
    click.echo(f"{account.email} is active{'.' if account.password_hash else has_none + '.'}")


def _new_link(connection: Any, settings: Settings, staff_id: int, now: datetime, life: timedelta) -> str:
    secret = secrets.token_urlsafe(32)
    expires_at = add_link(connection, staff_id, hashlib.sha256(secret.encode()).hexdigest(), now=now, life=life)
    return (
        f"To choose a password, once, until {_minute(expires_at)} (shown only now):\n"
        f"  {settings.public_url}/admin/set-up/{secret}"
    )


def _note(connection: Any, action: str, staff_id: int, now: datetime) -> None:
    append_audit(connection, actor=OPERATOR, action=action, thing=f"staff {staff_id}", now=now)


def _row(account: Account) -> dict[str, str | int | None]:
    return {
        "email": account.email,
        "name": account.name,
        "role": account.role.value.replace("_", "-"),
        "university": account.university_slug,
        "state": account.state.value,
        "password": "set" if account.password_hash else "none",
        "signed_in_at": account.signed_in_at.isoformat(timespec="seconds") if account.signed_in_at else None,
        "failed_tries": account.tries,
    }


def _minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
