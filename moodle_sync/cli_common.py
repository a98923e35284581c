"""What the commands of moodle-sync share."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import click

from config.command_line import Failure, printable, settings_or_exit
from series.moodle_jobs import MoodleJob
from series.store.moodle_connections import MoodleConnection, connections, find_connection
from series.store.runs import slot_by_hand
from series.store.schema import open_current
from series.store.universities import find_university

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
    if report.counts or not report.problems:
        click.echo(f"{university_slug}: {counts_in_words(report.counts)}")
    return [f"{university_slug}: {problem}" for problem in report.problems]


def counts_in_words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "nothing to do"


def calls_in_words(calls: int) -> str:
    return f"{calls} call{'' if calls == 1 else 's'}"


def chosen_connections(services: "Services", university_slug: str | None) -> list[MoodleConnection]:
    """All, or that of one university. Raises Failure when there is none, NotThere for an unknown university."""
    key = services.settings.encryption_key
    with services.database.read() as connection:
        if university_slug is None:
            chosen = connections(connection, encryption_key=key)
        else:
            found = find_connection(connection, find_university(connection, university_slug).slug, encryption_key=key)
            chosen = [] if found is None else [found]
    if not chosen:
        whose = "No Moodle" if university_slug is None else f"No Moodle of {university_slug}"
        raise Failure(f"{whose} is connected; `moodle-sync connect --help` shows how.")
    return chosen


def run_at_moodles(services: "Services", job: MoodleJob, university_slug: str | None) -> None:
    """Run a job now for one university or all, and print its counts. Raises Failure with what went wrong."""
    from moodle_sync import moodle_runs  # noqa: PLC0415 - as above

    problems: list[str] = []
    for connected in chosen_connections(services, university_slug):
        slug = connected.university_slug
        run_id = moodle_runs.begin(services, connected, job, slot=slot_by_hand())
        if run_id is None:
            problems.append(f"{slug}: a run is under way at its Moodle; try again in a moment.")
            continue
        came = moodle_runs.run_job(services, job, run_id, keep_quiet_runs=True)
        if came.counts or not came.problems:
            click.echo(f"{slug}: {counts_in_words(came.counts)} ({calls_in_words(came.calls)})")
        for note in came.notes:
            click.echo(printable(f"{slug}: {note}"))
        problems += [f"{slug}: {problem}" for problem in came.problems]
    if problems:
        raise Failure(" ".join(problems))


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
