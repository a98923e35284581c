"""lti-tool: run and set up the LTI tool."""

import json
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from config.command_line import Failure, check_slug, json_option, print_rows, run_program, settings_or_exit
from config.logging import configure_logging
from lms.tool_keys import ensure_tool_key
from lti_tool.cli_common import open_database as _database
from lti_tool.cli_keys import keys_group
from series.store.database import Database, DatabaseBusy, DatabaseUnreachable
from series.store.keys import WrongEncryptionKey
from series.store.migrate import is_current, migrate
from series.store.universities import (
    AlreadyThere,
    NewPlatform,
    NotThere,
    add_platform,
    add_university,
    deployments_of,
    find_platform,
    find_university,
    list_platforms,
    list_universities,
)


def main() -> None:
    run_program(lti_tool, (AlreadyThere, NotThere, DatabaseBusy, DatabaseUnreachable, WrongEncryptionKey))


@click.group()
def lti_tool() -> None:
    """The LTI 1.3 tool of Shared Sessions: what students and instructors open from their LMS.

    Settings come from SHARED_SESSIONS_… variables. A first set-up:

    \b
        lti-tool migrate
        lti-tool university add malta --name "University of Malta" --country MT --time-zone Europe/Malta --language en
        lti-tool platform add malta --university malta --issuer https://lms.example …
        lti-tool serve
    """


@lti_tool.command("migrate")
def migrate_command() -> None:
    """Create or upgrade the tables, and make the first signing key. May be repeated."""
    settings = settings_or_exit()
    database = Database(settings.database_url)
    migrate(database)
    ensure_tool_key(database, encryption_key=settings.encryption_key, now=settings.clock().now())
    click.echo("The database is up to date.")


@lti_tool.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes.")
def serve(host: str, port: int, workers: int) -> None:
    """Serve the tool with granian, behind a proxy that ends TLS."""
    from granian import Granian  # noqa: PLC0415 - only this command needs the server
    from granian.constants import Interfaces  # noqa: PLC0415 - as above

    settings = settings_or_exit()
    if not is_current(Database(settings.database_url)):
        raise Failure("The database is not up to date. Run `lti-tool migrate` first.")
    configure_logging()
    Granian(
        "lti_tool.wsgi:app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=2,
        backpressure=64,
        log_access=False,
    ).serve()


@lti_tool.group()
def university() -> None:
    """Partner universities."""


@university.command("add")
@click.argument("slug")
@click.option("--name", required=True)
@click.option("--country", required=True, help="Two letters, ISO 3166: MT.")
@click.option("--time-zone", required=True, help="IANA name: Europe/Malta.")
@click.option("--language", default="en", show_default=True)
def university_add(slug: str, name: str, country: str, time_zone: str, language: str) -> None:
    """Add a university. SLUG is its short name in commands and addresses."""
    check_slug(slug)
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise click.BadParameter(f"{time_zone!r} is not an IANA time zone such as Europe/Malta.") from error
    if len(country) != 2 or not country.isalpha():
        raise click.BadParameter("A country has two letters, such as MT.")
    with _database().write() as connection:
        add_university(
            connection, slug=slug, name=name, country=country.upper(), time_zone=time_zone, language=language
        )
    click.echo(f"Added {name}.")


@university.command("list")
@json_option
def university_list(*, as_json: bool) -> None:
    """List all universities."""
    with _database().read() as connection:
        rows = [
            {"slug": u.slug, "name": u.name, "country": u.country, "time_zone": u.time_zone, "language": u.language}
            for u in list_universities(connection)
        ]
    print_rows(rows, as_json=as_json, empty="No university yet; `lti-tool university add --help` shows how.")


@lti_tool.group()
def platform() -> None:
    """Registered LMSs."""


@platform.command("add")
@click.argument("slug")
@click.option("--university", "university_slug", required=True, help="Slug of the university.")
@click.option("--issuer", required=True, help="Exactly as the LMS writes it; a slash at the end counts.")
@click.option("--client-id", required=True)
@click.option("--authorization-endpoint", required=True, help="In Moodle: Authentication request URL.")
@click.option("--token-endpoint", required=True, help="In Moodle: Access token URL.")
@click.option("--jwks-uri", required=True, help="In Moodle: Public keyset URL.")
@click.option("--token-audience", help="If the LMS wants another audience than its token endpoint.")
@click.option("--deployment", "deployment_ids", multiple=True, required=True, help="May be given several times.")
def platform_add(university_slug: str, deployment_ids: tuple[str, ...], **values: Any) -> None:
    """Register an LMS by hand. SLUG becomes part of its login address, /lti/login/SLUG."""
    check_slug(values["slug"])
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        _check_address(name, values[name])
    settings = settings_or_exit()
    with _database().write() as connection:
        home = find_university(connection, university_slug)
        new = NewPlatform(university_id=home.university_id, deployment_ids=deployment_ids, **values)
        add_platform(connection, new, now=settings.clock().now())
    click.echo("Registered. Enter these addresses in the LMS:")
    click.echo(_addresses(settings.public_url, values["slug"]))


@platform.command("list")
@json_option
def platform_list(*, as_json: bool) -> None:
    """List all registered LMSs."""
    with _database().read() as connection:
        rows = [
            {"slug": row.slug, "issuer": row.issuer, "client_id": row.client_id, "state": row.state}
            for row in list_platforms(connection)
        ]
    print_rows(rows, as_json=as_json, empty="No LMS yet; `lti-tool platform add --help` shows how.")


@platform.command("show")
@click.argument("slug")
@json_option
def platform_show(slug: str, *, as_json: bool) -> None:
    """Show one LMS: its endpoints, its deployments, and our addresses for it."""
    settings = settings_or_exit()
    with _database().read() as connection:
        row = find_platform(connection, slug)
        if row is None:
            raise NotThere(f"There is no platform {slug!r}; `lti-tool platform list` shows all.")
        deployments = deployments_of(connection, row.platform_id)
    facts = {
        "slug": row.slug,
        "issuer": row.issuer,
        "client_id": row.client_id,
        "authorization_endpoint": row.authorization_endpoint,
        "token_endpoint": row.token_endpoint,
        "jwks_uri": row.jwks_uri,
        "state": row.state,
        "deployments": deployments,
    }
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    for name, value in facts.items():
        click.echo(f"{name:24}{value}")
    click.echo(_addresses(settings.public_url, slug))


lti_tool.add_command(keys_group)


def _check_address(name: str, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise click.BadParameter(f"--{name.replace('_', '-')} must be a web address, not {url!r}.")


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
