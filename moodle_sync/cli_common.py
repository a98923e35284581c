"""What the commands of moodle-sync share."""

import click

from config.command_line import Failure, settings_or_exit
from config.logging import quiet_logging
from moodle_sync.import_series import Imported
from moodle_sync.services import Services, make_services
from series.store.migrate import is_current


def services_or_exit() -> Services:
    """Everything a command needs. Raises Failure when the tables are not up to date."""
    quiet_logging()
    services = make_services(settings_or_exit())
    if not is_current(services.database):
        raise Failure("The database is not up to date. Run `lti-tool migrate` first.")
    return services


def print_report(imported: Imported) -> None:
    click.echo(f"{imported.new} new, {imported.changed} changed, {imported.same} as before.")
    for problem in imported.problems:
        line = f" (line {problem.line})" if problem.line else ""
        click.echo(f"  “{problem.event}”{line} {problem.fact}: {problem.done}", err=True)
