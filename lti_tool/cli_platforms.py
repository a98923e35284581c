"""lti-tool platform: registered LMSs."""

import json
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import click

from config.command_line import check_slug, check_text, json_option, print_rows, printable, settings_or_exit
from lms.products import Product, product_of
from lti_tool.cli_common import open_database
from lti_tool.cli_invite import platform_approve, platform_invite
from lti_tool.cli_replace import platform_replace
from series.store.audit import OPERATOR, append_audit
from series.store.deployments import DeploymentRow, list_deployments
from series.store.refusals import KeptRefusal, last_refusals
from series.store.universities import (
    NewPlatform,
    PlatformRow,
    add_platform,
    disable_platform,
    enable_platform,
    find_university,
    list_platforms,
    list_universities,
    require_platform,
    set_product,
    successor_of,
)


@click.group("platform")
def platform_group() -> None:
    """Registered LMSs."""


@platform_group.command("add")
@click.argument("slug")
@click.option("--university", "university_slug", required=True, help="Slug of the university.")
@click.option("--issuer", required=True, help="Exactly as the LMS writes it; a slash at the end counts.")
@click.option("--client-id", required=True)
@click.option("--authorization-endpoint", required=True, help="In Moodle: Authentication request URL.")
@click.option("--token-endpoint", required=True, help="In Moodle: Access token URL.")
@click.option("--jwks-uri", required=True, help="In Moodle: Public keyset URL.")
@click.option("--token-audience", help="If the LMS wants another audience than others of its product.")
@click.option(
    "--product",
    type=click.Choice([product.value for product in Product]),
    help="What the LMS is, if its addresses do not tell.",
)
@click.option(
    "--deployment",
    "deployment_ids",
    multiple=True,
    help="Approved at once; may be given several times. Others wait until `lti-tool deployment approve`.",
)
def platform_add(university_slug: str, deployment_ids: tuple[str, ...], product: str | None, **values: Any) -> None:
    """Register an LMS by hand. SLUG becomes part of its login address, /lti/login/SLUG."""
    check_slug(values["slug"])
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        _check_address(name, values[name])
    for name in ("issuer", "client_id"):
        values[name] = check_text(name, values[name])
    deployment_ids = tuple(check_text("deployment", deployment_id) for deployment_id in deployment_ids)
    chosen = Product(product) if product else product_of(values["issuer"], values["token_endpoint"])
    settings = settings_or_exit()
    now = settings.clock().now()
    with open_database().write() as connection:
        home = find_university(connection, university_slug)
        new = NewPlatform(
            university_id=home.university_id, deployment_ids=deployment_ids, product=chosen.value, **values
        )
        platform_id = add_platform(connection, new, now=now)
        append_audit(connection, actor=OPERATOR, action="add_platform", thing=f"platform {platform_id}", now=now)
    click.echo(f"Registered as {_in_words(chosen)}. Enter these addresses in the LMS:")
    click.echo(_addresses(settings.public_url, values["slug"]))
    if not deployment_ids:
        click.echo("Then open the activity once: its deployment waits in `lti-tool deployment list` for your approval.")


@platform_group.command("list")
@json_option
def platform_list(*, as_json: bool) -> None:
    """List all registered LMSs."""
    with open_database().read() as connection:
        homes = {home.university_id: home.slug for home in list_universities(connection)}
        rows = [
            {
                "slug": row.slug,
                "university": homes[row.university_id],
                "issuer": row.issuer,
                "client_id": row.client_id,
                "product": row.product,
                "state": row.state,
            }
            for row in list_platforms(connection)
        ]
    print_rows(rows, as_json=as_json, empty="No LMS yet; `lti-tool platform add --help` shows how.")


@platform_group.command("show")
@click.argument("slug")
@json_option
def platform_show(slug: str, *, as_json: bool) -> None:
    """Show one LMS: its endpoints, its deployments, our addresses for it, and the launches that were refused last.

    A refused person is shown a reference; below each reference is what to change in the LMS.
    """
    settings = settings_or_exit()
    with open_database().read() as connection:
        row = require_platform(connection, slug)
        successor = successor_of(connection, row.platform_id)
        homes = {home.university_id: home.slug for home in list_universities(connection)}
        deployments = list_deployments(connection, platform_id=row.platform_id)
        refusals = last_refusals(connection, row.platform_id)
    facts = _facts(row, homes[row.university_id], successor)
    if as_json:
        lists = {
            "deployments": [_deployment_as_json(one) for one in deployments],
            "refusals": [_refusal_as_json(one) for one in refusals],
        }
        click.echo(json.dumps({**facts, **lists}, indent=2))
        return
    for name, value in facts.items():
        if value is not None:
            click.echo(f"{name:24}{value}")
    click.echo(_addresses(settings.public_url, slug))
    for line in [*_deployment_lines(deployments), *_refusal_lines(refusals)]:
        click.echo(printable(line))


@platform_group.command("disable")
@click.argument("slug")
def platform_disable(slug: str) -> None:
    """Switch an LMS off: its launches are refused, and its scores wait until it is enabled.

    Nothing is forgotten. What people have open already closes, too.
    """
    now = settings_or_exit().clock().now()
    with open_database().write() as connection:
        row = require_platform(connection, slug)
        disable_platform(connection, row.platform_id)
        _note(connection, "disable_platform", row, now)
    click.echo(f"{slug} is disabled: its launches are refused, and its scores wait.")


@platform_group.command("enable")
@click.argument("slug")
def platform_enable(slug: str) -> None:
    """Switch an LMS on again: its launches open, and the scores that waited are sent."""
    now = settings_or_exit().clock().now()
    with open_database().write() as connection:
        row = require_platform(connection, slug)
        enable_platform(connection, row)
        _note(connection, "enable_platform", row, now)
    click.echo(f"{slug} is active: its launches open, and the scores that waited are sent within minutes.")


@platform_group.command("product")
@click.argument("slug")
@click.argument("product", type=click.Choice([product.value for product in Product]))
def platform_product(slug: str, product: str) -> None:
    """Say what an LMS is, where the guess at its registration was wrong: the gradebooks of each have ways of their own.

    From the next score on.
    """
    now = settings_or_exit().clock().now()
    chosen = Product(product)
    with open_database().write() as connection:
        row = require_platform(connection, slug)
        set_product(connection, row.platform_id, chosen.value)
        append_audit(
            connection,
            actor=OPERATOR,
            action="set_product",
            thing=f"platform {row.platform_id}",
            now=now,
            product=chosen.value,
        )
    click.echo(f"{slug} is {_in_words(chosen)} from the next score on.")


platform_group.add_command(platform_replace)
platform_group.add_command(platform_invite)
platform_group.add_command(platform_approve)


def _in_words(product: Product) -> str:
    return "an LMS of no product that we know" if product is Product.GENERIC else f"a {product.value.capitalize()}"


def _note(connection: Any, action: str, row: PlatformRow, now: datetime) -> None:
    append_audit(connection, actor=OPERATOR, action=action, thing=f"platform {row.platform_id}", now=now)


def _check_address(name: str, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise click.BadParameter(f"--{name.replace('_', '-')} must be a web address, not {url!r}.")


def _facts(row: PlatformRow, university: str, successor: PlatformRow | None) -> dict[str, str | None]:
    from lms.products.table import token_audience  # noqa: PLC0415 - brings all of requests, which few commands need

    return {
        "slug": row.slug,
        "university": university,
        "issuer": row.issuer,
        "client_id": row.client_id,
        "authorization_endpoint": row.authorization_endpoint,
        "token_endpoint": row.token_endpoint,
        "jwks_uri": row.jwks_uri,
        "token_audience": token_audience(Product(row.product), row.token_audience),
        "product": row.product,
        "state": row.state,
        "replaced_by": successor.slug if successor else None,
    }


def _addresses(public_url: str, slug: str) -> str:
    return "\n".join(
        f"  {label:22}{public_url}{path}"
        for label, path in (
            ("Tool URL", "/lti/launch"),
            ("Initiate login URL", f"/lti/login/{slug}"),
            ("Redirection URI", "/lti/launch"),
            ("Public keyset URL", "/lti/jwks.json"),
        )
    )


def _deployment_lines(deployments: list[DeploymentRow]) -> list[str]:
    if not deployments:
        return ["No deployment yet: the first launch names one, and it waits for `lti-tool deployment approve`."]
    lines = ["Deployments:"]
    for one in deployments:
        lines.append(f"  {one.deployment_id}  {one.state}")
        if one.state == "pending" and one.first_seen_at is not None:
            course = f"the course “{one.first_course}”" if one.first_course else "no course"
            lines.append(f"    first seen {_minute(one.first_seen_at)}, from {course}")
    return lines


def _deployment_as_json(one: DeploymentRow) -> dict[str, str | None]:
    return {
        "deployment_id": one.deployment_id,
        "state": one.state,
        "first_seen_at": one.first_seen_at.isoformat() if one.first_seen_at else None,
        "first_course": one.first_course,
    }


def _refusal_lines(refusals: list[KeptRefusal]) -> list[str]:
    if not refusals:
        return ["No launch was refused."]
    lines = [f"The last {len(refusals)} refusals:" if len(refusals) > 1 else "The last refusal:"]
    for one in refusals:
        lines.append(f"  {_minute(one.at)}  {one.code}  reference {one.reference}")
        if for_admin := _for_admin(one):
            lines.append(f"    {for_admin}")
    return lines


def _refusal_as_json(one: KeptRefusal) -> dict[str, str | None]:
    return {"at": one.at.isoformat(), "code": one.code, "reference": one.reference, "for_admin": _for_admin(one)}


def _for_admin(one: KeptRefusal) -> str | None:
    """In English, the language of the source; None for a code of an older version."""
    from lti_tool.pages.refusal_words import WORDS  # noqa: PLC0415 - brings all of Flask, which few commands need

    return next((str(words.for_admin) for code, words in WORDS.items() if code.value == one.code), None)


def _minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
