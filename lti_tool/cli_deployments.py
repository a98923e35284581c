"""lti-tool deployment: from where in an LMS launches may come."""

import click

from config.command_line import json_option, print_rows, settings_or_exit
from lti_tool.cli_common import open_database
from series.store.audit import OPERATOR, append_audit
from series.store.deployments import approve_deployment, disable_deployment, list_deployments
from series.store.universities import require_platform


@click.group("deployment")
def deployment_group() -> None:
    """Deployments: the places in an LMS at which the tool was installed.

    \b
    approved  its launches open
    pending   a launch has named it, and was refused; it waits for `deployment approve`
    disabled  its launches are refused, and its scores wait
    """


@deployment_group.command("list")
@click.option("--platform", "slug", help="Only those of this LMS.")
@json_option
def deployment_list(slug: str | None, *, as_json: bool) -> None:
    """List all deployments; pending ones with the course from which the first launch came."""
    with open_database().read() as connection:
        platform_id = require_platform(connection, slug).platform_id if slug else None
        found = list_deployments(connection, platform_id=platform_id)
    rows = [
        {
            "platform": one.platform,
            "university": one.university,
            "deployment_id": one.deployment_id,
            "state": one.state,
            "first_seen_at": one.first_seen_at.isoformat(timespec="seconds") if one.first_seen_at else None,
            "first_course": one.first_course,
        }
        for one in found
    ]
    print_rows(rows, as_json=as_json, empty="No deployment yet; the first launch from an LMS names one.")


@deployment_group.command("approve")
@click.argument("platform")
@click.argument("deployment_id")
def deployment_approve(platform: str, deployment_id: str) -> None:
    """Let launches from DEPLOYMENT_ID of PLATFORM open.

    Compare the id and the course with what the LMS's administrator tells you: whoever is a teacher there sees the
    people of their course here.
    """
    now = settings_or_exit().clock().now()
    with open_database().write() as connection:
        home = require_platform(connection, platform)
        pk = approve_deployment(connection, home, deployment_id)
        append_audit(connection, actor=OPERATOR, action="approve_deployment", thing=f"deployment {pk}", now=now)
    click.echo(f"Approved: launches from {deployment_id!r} of {platform} open.")
    if home.state != "active":
        click.echo(f"But {platform} itself is {home.state}; see `lti-tool platform show {platform}`.")


@deployment_group.command("disable")
@click.argument("platform")
@click.argument("deployment_id")
def deployment_disable(platform: str, deployment_id: str) -> None:
    """Refuse launches from DEPLOYMENT_ID of PLATFORM; its scores wait. A pending one asks no more."""
    now = settings_or_exit().clock().now()
    with open_database().write() as connection:
        home = require_platform(connection, platform)
        pk = disable_deployment(connection, home, deployment_id)
        append_audit(connection, actor=OPERATOR, action="disable_deployment", thing=f"deployment {pk}", now=now)
    click.echo(f"Disabled: launches from {deployment_id!r} of {platform} are refused, and its scores wait.")
