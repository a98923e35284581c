"""lti-tool dpo bundle: all that a data-protection officer reads before a university joins, as files."""

from pathlib import Path

import click

from config.command_line import Failure, settings_or_exit
from lti_tool.cli_common import opened_database
from lti_tool.privacy_facts import facts_of
from series.privacy.bundle import bundle_files


@click.group("dpo")
def dpo_group() -> None:
    """For data-protection officers."""


@dpo_group.command("bundle")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def dpo_bundle(directory: Path) -> None:
    """Write the documents for data-protection officers into DIR, each as Markdown and HTML; record and data map also
    as JSON and CSV. They are the same as at /privacy/bundle/, and hold no personal data of those who take part."""
    settings = settings_or_exit()
    with opened_database() as database, database.read() as connection:
        files = bundle_files(facts_of(connection, settings, now=settings.clock().now()))
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (directory / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(f"{directory} cannot be written ({error.strerror}).") from error
    click.echo(f"Wrote {len(files)} files to {directory}; begin with README.md.")
    missing = [
        name
        for name, value in (
            ("OPERATOR", settings.operator),
            ("PRIVACY_CONTACT", settings.privacy_contact),
            ("HOSTING", settings.hosting),
        )
        if not value
    ]
    if missing:
        click.echo(f"Still to be filled in: the settings {', '.join(f'SHARED_SESSIONS_{name}' for name in missing)}.")
