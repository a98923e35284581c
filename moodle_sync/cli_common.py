"""What the commands of moodle-sync share."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from config.command_line import printable, settings_or_exit
from series.store.runs import slot_by_hand
from series.store.schema import open_current

if TYPE_CHECKING:  # both load all that we say to an LMS; a list should not wait for that
    from moodle_sync.import_series import Imported
    from moodle_sync.jobs import Report
    from moodle_sync.services import Services


def services_or_exit() -> "Services":
    """Everything a command may need. Raises NotMigrated when the tables are not up to date."""
    from config.logging import quiet_logging  # noqa: PLC0415 - as above
    from moodle_sync.services import make_services  # noqa: PLC0415 - as above

    quiet_logging()
    settings = settings_or_exit()
    open_current(settings.database_url).dispose()  # asked before the queue is opened, whose own errors are no sentences
    return make_services(settings)


def run_now(
    services: "Services", job: str, university_slug: str, work: "Callable[[Services, int], Report]"
) -> list[str]:
    """Run a job for one university and print its counts; the problems, each with the university before it."""
    from moodle_sync import jobs  # noqa: PLC0415 - as above

    run_id = jobs.begin(services, job, university_slug, slot=slot_by_hand())
    if run_id is None:
        return [f"{university_slug}: a run is under way; try again in a moment."]
    report = work(services, run_id)
    counts = ", ".join(f"{count} {what}" for what, count in sorted(report.counts.items()))
    if counts or not report.problems:
        click.echo(f"{university_slug}: {counts or 'nothing to do'}")
    return [f"{university_slug}: {problem}" for problem in report.problems]


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
