"""What the commands of moodle-sync share."""

from typing import TYPE_CHECKING

import click

from config.command_line import printable, settings_or_exit
from series.store.schema import open_current

if TYPE_CHECKING:  # both load all that we say to an LMS; a list should not wait for that
    from moodle_sync.import_series import Imported
    from moodle_sync.services import Services


def services_or_exit() -> "Services":
    """Everything a command may need. Raises NotMigrated when the tables are not up to date."""
    from config.logging import quiet_logging  # noqa: PLC0415 - as above
    from moodle_sync.services import make_services  # noqa: PLC0415 - as above

    quiet_logging()
    settings = settings_or_exit()
    open_current(settings.database_url).dispose()  # asked before the queue is opened, whose own errors are no sentences
    return make_services(settings)


def print_report(imported: "Imported", slug: str) -> None:
    from moodle_sync.preview_import import problem_line  # noqa: PLC0415 - as above

    if imported.held is None:
        click.echo(f"{imported.new} new, {imported.changed} changed, {imported.same} as before.")
    else:
        click.echo(f"Held, nothing was changed: see `moodle-sync series show {slug} --held`.")
    if imported.refused:
        click.echo("The calendar still says what was rejected; that was left out.")
    for problem in imported.problems:
        click.echo(printable(f"  {problem_line(problem)}"), err=True)
