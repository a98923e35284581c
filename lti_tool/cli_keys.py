"""lti-tool keys: the keys with which the tool signs what it asks of LMSs."""

from datetime import datetime, timedelta
from functools import partial

import click

from config.command_line import Failure, json_option, print_rows, settings_or_exit
from lti_tool.cli_common import open_database
from series.store.keys import tool_keys
from series.tool_keys import (
    SIGNS_AFTER,
    NextKeyWaits,
    Rotation,
    ToolKey,
    key_state,
    plan_rotation,
    plan_rotation_at_once,
)

_BEFORE_AT_ONCE = """\
LMSs that keep a copy of our key set will refuse us until they read it anew: some do at once, others only after a day.
Meanwhile scores wait and are sent later, and instructors see no names; launches go on. If the key did not leak, rotate
without --at-once, and nobody notices. If it did, first close the leak: who can read the database and ENCRYPTION_KEY can
read the new key too."""


@click.group("keys")
def keys_group() -> None:
    """The keys with which the tool signs its requests to LMSs."""


@keys_group.command("list")
@json_option
def keys_list(*, as_json: bool) -> None:
    """List our keys, the newest first.

    \b
    next      published, so that LMSs know it when it signs
    signing   signs our requests to LMSs now
    retiring  replaced, and still published
    retired   not published any more
    """
    settings = settings_or_exit()
    with open_database().read() as connection:
        keys = tool_keys(connection, encryption_key=settings.encryption_key)
    now = settings.clock().now()
    rows = [
        {
            "kid": key.kid,
            "state": key_state(key, keys, now).value,
            "created_at": _iso(key.created_at),
            "signs_from": _iso(key.signs_from),
            "retires_at": None if key.retires_at is None else _iso(key.retires_at),
        }
        for key in keys
    ]
    print_rows(rows, as_json=as_json, empty="No key yet; `lti-tool migrate` makes the first one.")


@keys_group.command("rotate")
@click.option(
    "--hours",
    type=click.IntRange(1, 24 * 30),
    help=f"How long the new key is published before it signs.  [default: {SIGNS_AFTER // timedelta(hours=1)}]",
)
@click.option("--at-once", is_flag=True, help="For a leaked key: the new key signs now, no older one is published.")
@click.option("--yes", is_flag=True, help="Do not ask before --at-once.")
def keys_rotate(hours: int | None, *, at_once: bool, yes: bool) -> None:
    """Make the next signing key.

    It is published at once and signs a day later, because LMSs keep copies of our key set; the key that it replaces is
    published for a week more. Nothing needs a restart.
    """
    if at_once and hours is not None:
        raise click.UsageError("A key that signs at once waits no --hours.")
    from lms.tool_keys import NoToolKey, rotate_tool_key  # noqa: PLC0415 - a list should not wait for what makes keys

    settings, database = settings_or_exit(), open_database()
    if at_once and not yes:
        click.echo(_BEFORE_AT_ONCE)
        if not click.confirm("Replace all keys at once?"):
            raise Failure("Nothing was changed.")
    now = settings.clock().now()
    signs_after = SIGNS_AFTER if hours is None else timedelta(hours=hours)
    plan = plan_rotation_at_once if at_once else partial(plan_rotation, signs_after=signs_after)
    try:
        kid, rotation = rotate_tool_key(
            database, partial(plan, now=now), encryption_key=settings.encryption_key, now=now
        )
    except NoToolKey as error:
        raise Failure(str(error)) from error
    except NextKeyWaits as error:
        raise Failure(_waits(error.waiting)) from error
    say = _say_at_once if at_once else _say
    click.echo(say(kid, rotation, f"{settings.public_url}/lti/jwks.json"))


def _say(kid: str, rotation: Rotation, key_set_url: str) -> str:
    signs_from, replaced = _minute(rotation.signs_from), " and ".join(rotation.retiring_kids)
    return (
        f"The new key {kid} is published from now on, at {key_set_url}.\n"
        f"It signs from {signs_from} on. Until then the LMSs have read it, and {replaced} goes on signing.\n"
        f"From {_minute(rotation.retires_at)} on, {replaced} is no longer published.\n"
        "There is nothing else to do, but for an LMS into which somebody pasted our key by hand: enter the address"
        " above there instead, before the new key signs."
    )


def _say_at_once(kid: str, rotation: Rotation, key_set_url: str) -> str:
    replaced = " and ".join(rotation.retiring_kids)
    return (
        f"The new key {kid} is published at {key_set_url} and signs from now on.\n"
        f"No longer published: {replaced}. Access tokens that somebody got with a leaked key end by themselves, most"
        " within an hour.\n"
        "Scores that an LMS refuses meanwhile wait: `moodle-sync deliveries list --state due` shows them. Where this"
        " lasts beyond a day, ask the LMS's administrator to save the tool's settings there once more, so that our"
        " key set is read anew."
    )


def _waits(key: ToolKey) -> str:
    return (
        f"The next key {key.kid} waits already and signs from {_minute(key.signs_from)} on; nothing was changed. For a"
        " leaked key there is `lti-tool keys rotate --at-once`."
    )


def _minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _iso(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds")
