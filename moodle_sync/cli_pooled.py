"""moodle-sync run pooled: renew the pooled numbers that are due."""

from typing import TYPE_CHECKING

import click

from config.command_line import Failure
from moodle_sync.cli_common import run_now, services_or_exit
from series.step_times import next_step_at
from series.store.sessions import list_series

if TYPE_CHECKING:
    from moodle_sync.services import Services


@click.command("pooled")
@click.option("--dry-run", is_flag=True, help="Say which series are due, count nothing.")
def run_pooled(*, dry_run: bool) -> None:
    """Renew the pooled numbers of all series that are due.

    They are renewed once a week for everybody, on Monday at 04:00 on the clocks of the series. This does what a worker
    that was down on Monday has not done; it renews nothing for a second time, since two moments could be compared.
    """
    from moodle_sync import jobs  # noqa: PLC0415 - other commands should not wait for it
    from moodle_sync.publish_pooled import pooled_scopes  # noqa: PLC0415 - as above

    services = services_or_exit()
    due = pooled_scopes(services)
    if not due:
        click.echo(_nothing_due(services))
        return
    problems: list[str] = []
    for slug, due_at in due.items():
        if dry_run:
            click.echo(f"{slug}: due since {due_at:%Y-%m-%d %H:%M} UTC.")
        else:
            problems += run_now(services, "pooled", slug, jobs.run_pooled)
    if problems:
        raise Failure(" ".join(problems))


def _nothing_due(services: "Services") -> str:
    now = services.clock.now()
    with services.database.read() as connection:
        nexts = [next_step_at(now, series.time_zone) for series in list_series(connection)]
    if not nexts:
        return "There is no series yet; `moodle-sync series import` makes one."
    return f"Nothing is due; the next time is {min(nexts):%Y-%m-%d %H:%M} UTC."
