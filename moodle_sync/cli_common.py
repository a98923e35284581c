"""What the commands of moodle-sync share."""

import click

from config.command_line import Failure, settings_or_exit
from config.logging import quiet_logging
from moodle_sync.import_series import Imported
from moodle_sync.services import Services, make_services
from series.store.database import Database
from series.store.migrate import is_current


def services_or_exit() -> Services:
    """Everything a command needs. Raises Failure when the tables are not up to date."""
    quiet_logging()
    settings = settings_or_exit()
    database = Database(settings.database_url)
    if not is_current(database):  # asked before the queue is opened, whose own errors are no sentences
        raise Failure("The database is not up to date. Run `lti-tool migrate` first.")
    database.dispose()
    return make_services(settings)


def print_report(imported: Imported) -> None:
    click.echo(f"{imported.new} new, {imported.changed} changed, {imported.same} as before.")
    for problem in imported.problems:
        line = f" (line {problem.line})" if problem.line else ""
        click.echo(f"  “{problem.event}”{line} {problem.fact}: {problem.done}", err=True)
