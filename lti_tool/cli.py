"""lti-tool: run and set up the LTI tool."""

import socket

import click

from config.command_line import (
    Failure,
    check_slug,
    check_text,
    check_time_zone,
    json_option,
    print_rows,
    run_program,
    settings_or_exit,
)
from lti_tool.cli_admin import admin_group
from lti_tool.cli_audit import audit_group
from lti_tool.cli_breach import breach_group
from lti_tool.cli_common import open_database as _database
from lti_tool.cli_deployments import deployment_group
from lti_tool.cli_doctor import doctor
from lti_tool.cli_dpo import dpo_group
from lti_tool.cli_export import export_group, pseudonyms_group
from lti_tool.cli_keys import keys_group
from lti_tool.cli_leaving import university_certificate, university_export, university_leave
from lti_tool.cli_person import person_group
from lti_tool.cli_platforms import platform_group
from lti_tool.cli_readiness import print_readiness
from lti_tool.cli_retention import retention_command
from series.store.database import Database, DatabaseBusy, DatabaseUnreachable
from series.store.keys import WrongEncryptionKey
from series.store.leaving import StillWritten
from series.store.schema import NotMigrated, open_current
from series.store.taking_part import UniversityLeft
from series.store.universities import (
    AlreadyThere,
    NotThere,
    PlatformNotApproved,
    PlatformReplaced,
    add_university,
    list_universities,
)
from series.succession import CannotReplace

KNOWN = (
    AlreadyThere,
    CannotReplace,
    DatabaseBusy,
    DatabaseUnreachable,
    NotMigrated,
    NotThere,
    PlatformNotApproved,
    PlatformReplaced,
    StillWritten,
    UniversityLeft,
    WrongEncryptionKey,
)


def main() -> None:
    run_program(lti_tool, KNOWN)


@click.group()
def lti_tool() -> None:
    """The LTI 1.3 tool of Shared Sessions: what students and instructors open from their LMS.

    Settings come from SHARED_SESSIONS_… variables. A first set-up:

    \b
        lti-tool migrate
        lti-tool admin create you@example.org --name "Your Name" --role coordinator
        lti-tool university add malta --name "University of Malta" --country MT --time-zone Europe/Malta --language en
        lti-tool platform add malta --university malta --issuer https://lms.example …
        lti-tool serve
    """


@lti_tool.command("migrate")
def migrate_command() -> None:
    """Create or upgrade the tables, and make the first signing key. May be repeated."""
    from lms.tool_keys import ensure_tool_key  # noqa: PLC0415 - see serve: a list should not wait for its imports
    from series.store.migrate import migrate  # noqa: PLC0415 - as above

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

    from config.logging import configure_logging  # noqa: PLC0415 - as above

    settings = settings_or_exit()
    open_current(settings.database_url).dispose()
    _check_port(host, port)
    configure_logging()
    Granian(
        "lti_tool.wsgi:app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=16,
        backpressure=64,
        log_access=False,
    ).serve()


def _check_port(host: str, port: int) -> None:
    """The server itself would share a port with another one without a word."""
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        raise Failure(f"Port {port} of {host} cannot be had ({error.strerror}); choose another: --port.") from error


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
    name, time_zone = check_text("name", name), check_time_zone(time_zone)
    if len(country) != 2 or not (country.isascii() and country.isalpha()):
        raise click.BadParameter("A country has two letters, such as MT.")
    with _database().write() as connection:
        add_university(
            connection, slug=slug, name=name, country=country.upper(), time_zone=time_zone, language=language
        )
    click.echo(f"Added {name}.")


@university.command("list")
@click.option("--readiness", "shows_readiness", is_flag=True, help="How ready each is, and what it still needs.")
@click.option("--series", "series_slug", help="With --readiness: for this series, and not the newest that runs.")
@json_option
def university_list(*, shows_readiness: bool, series_slug: str | None, as_json: bool) -> None:
    """List all universities."""
    if series_slug is not None and not shows_readiness:
        raise click.UsageError("--series belongs to --readiness.")
    if shows_readiness:
        print_readiness(series_slug, as_json=as_json)
        return
    with _database().read() as connection:
        rows = [
            {"slug": u.slug, "name": u.name, "country": u.country, "time_zone": u.time_zone, "language": u.language}
            for u in list_universities(connection)
        ]
    print_rows(rows, as_json=as_json, empty="No university yet; `lti-tool university add --help` shows how.")


for command in (university_export, university_leave, university_certificate):
    university.add_command(command)
lti_tool.add_command(admin_group)
lti_tool.add_command(platform_group)
lti_tool.add_command(person_group)
lti_tool.add_command(deployment_group)
lti_tool.add_command(keys_group)
lti_tool.add_command(dpo_group)
lti_tool.add_command(breach_group)
lti_tool.add_command(audit_group)
lti_tool.add_command(retention_command)
lti_tool.add_command(export_group)
lti_tool.add_command(pseudonyms_group)
lti_tool.add_command(doctor)
