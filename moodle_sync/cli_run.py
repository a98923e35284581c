"""moodle-sync run: one job of the worker, by hand."""

import sys
from collections import Counter
from typing import TYPE_CHECKING

import click

from config.command_line import Failure
from moodle_sync.cli_announce import run_announce
from moodle_sync.cli_calendars import run_mirror, run_sweep
from moodle_sync.cli_collect import run_collect
from moodle_sync.cli_common import print_report, services_or_exit
from moodle_sync.cli_pooled import run_pooled
from moodle_sync.cli_rosters import run_rosters
from moodle_sync.errors import NotACalendar, SourceUnreadable
from series.store import deliveries
from series.store.sessions import list_series
from series.store.universities import find_university
from series.store.uploads import TABLE_SOURCE

if TYPE_CHECKING:
    from moodle_sync.services import Services

MOST_BY_HAND = 10_000


@click.group("run")
def run_group() -> None:
    """Run one job now, and say what came of it."""


@run_group.command("calendar")
def run_calendar() -> None:
    """Read the calendars of all series again."""
    from moodle_sync.import_series import import_series  # noqa: PLC0415 - other commands should not wait for it

    services = services_or_exit()
    problems: list[str] = []
    with services.database.read() as connection:
        all_series = list_series(connection)
    for known in all_series:
        if known.source is None or known.source.startswith(TABLE_SOURCE):
            continue
        try:
            imported = import_series(services, known, known.source, by_hand=True)
        except (SourceUnreadable, NotACalendar) as error:
            problems.append(f"{known.slug}: {error}")
        else:
            click.echo(f"{known.slug}: ", nl=False)
            print_report(imported, known.slug)
    if problems:
        raise Failure(" ".join(problems))


@run_group.command("deliver")
@click.option("--university", "university_slug", help="Only this one.")
@click.option("--dry-run", is_flag=True, help="Say what is due, call nothing.")
def run_deliver(university_slug: str | None, *, dry_run: bool) -> None:
    """Send all scores that are due. A gradebook that does not answer is left alone until the worker's next try."""
    from moodle_sync.deliver_scores import Came, deliver  # noqa: PLC0415 - other commands should not wait for it

    services = services_or_exit()
    due = _due(services, university_slug)
    if dry_run:
        click.echo(f"{len(due)} due.")
        return
    came: Counter[Came | None] = Counter()
    tried: set[int] = set()
    while due:
        with click.progressbar(due, label="Sending", file=sys.stderr) as progress:
            came.update(deliver(services, delivery_id) for delivery_id in progress)
        tried.update(due)
        due = [one for one in _due(services, university_slug) if one not in tried]  # who answers again gets the rest
    counts = ", ".join(f"{came[outcome]} {outcome}" for outcome in Came if came[outcome])
    click.echo(counts or "Nothing to send.")


def _due(services: "Services", university_slug: str | None) -> list[int]:
    with services.database.read() as connection:
        if university_slug is not None:
            find_university(connection, university_slug)
        now = services.clock.now()
        return deliveries.due_ids(connection, now=now, limit=MOST_BY_HAND, university_slug=university_slug)


for command in (run_rosters, run_mirror, run_sweep, run_collect, run_announce, run_pooled):
    run_group.add_command(command)
