"""lti-tool platform invite and approve: an administrator registers their LMS, and a person here lets it in."""

import json
from datetime import timedelta

import click

from config.command_line import Failure, json_option, settings_or_exit
from lti_tool.cli_common import open_database
from series.lms_invitations import DAYS, MAX_DAYS, MIN_DAYS, make_token
from series.store.audit import OPERATOR, append_audit
from series.store.lms_invitations import make_invitation
from series.store.universities import approve_platform, find_university, require_platform


@click.command("invite")
@click.argument("university_slug", metavar="UNIVERSITY")
@click.option("--approve", is_flag=True, help="What registers by it works at once; else it waits for your approval.")
@click.option(
    "--days", default=DAYS, show_default=True, type=click.IntRange(MIN_DAYS, MAX_DAYS), help="How long it is good."
)
@json_option
def platform_invite(university_slug: str, *, approve: bool, days: int, as_json: bool) -> None:
    """Make a link by which the administrator of a university's LMS connects it alone. It is good for one LMS.

    Send it to that person and to nobody else. The console shows it again, and can take it back.
    """
    settings = settings_or_exit()
    now = settings.clock().now()
    with open_database().write() as connection:
        home = find_university(connection, university_slug)
        made = make_invitation(connection, home, approves=approve, life=timedelta(days=days), actor=OPERATOR, now=now)
    link = f"{settings.public_url}/lti/register/{make_token(made, secret_key=settings.secret_key)}"
    if as_json:
        facts = {
            "university": home.slug,
            "link": link,
            "expires_at": made.expires_at.isoformat(),
            "approves": made.approves,
        }
        click.echo(json.dumps(facts, indent=2))
        return
    click.echo(f"For the LMS administrator of {home.name}, until {made.expires_at:%Y-%m-%d %H:%M} UTC:")
    click.echo(f"  {link}")
    if not approve:
        click.echo("Once it is used, the LMS waits for `lti-tool platform approve`.")


@click.command("approve")
@click.argument("slug")
def platform_approve(slug: str) -> None:
    """Let in an LMS that has registered itself, with the deployments that its registration named.

    Look at its addresses before, with `platform show`: whoever has its keys comes in as any person of the university.
    """
    now = settings_or_exit().clock().now()
    with open_database().write() as connection:
        row = require_platform(connection, slug)
        if not approve_platform(connection, row.platform_id):
            raise Failure(f"{slug!r} does not wait for an approval: it is {row.state}; see `lti-tool platform list`.")
        append_audit(
            connection, actor=OPERATOR, action="approve_platform", thing=f"platform {row.platform_id}", now=now
        )
    click.echo(f"{slug} is approved: its launches open.")
