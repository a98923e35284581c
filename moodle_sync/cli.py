"""moodle-sync: the worker, and what it does, by hand."""

import click

from config.command_line import run_program
from lms.errors import LmsError
from moodle_sync.cli_common import services_or_exit
from moodle_sync.cli_connect import connect
from moodle_sync.cli_doctor import doctor
from moodle_sync.cli_lists import deliveries_group, runs_group
from moodle_sync.cli_run import run_group
from moodle_sync.cli_series import series
from moodle_sync.errors import NotACalendar, SourceUnreadable
from series.store.database import DatabaseBusy, DatabaseUnreachable
from series.store.keys import WrongEncryptionKey
from series.store.schema import NotMigrated
from series.store.taking_part import UniversityLeft
from series.store.universities import AlreadyThere, NotThere


def main() -> None:
    run_program(
        moodle_sync,
        (
            AlreadyThere,
            NotMigrated,
            NotThere,
            NotACalendar,
            SourceUnreadable,
            LmsError,
            UniversityLeft,
            DatabaseBusy,
            DatabaseUnreachable,
            WrongEncryptionKey,
        ),
    )


@click.group()
def moodle_sync() -> None:
    """The sync worker of Shared Sessions: calendars in, course calendars and gradebooks out.

    Settings come from SHARED_SESSIONS_… variables, the same as for lti-tool. A first set-up:

    \b
        moodle-sync series import https://calendar.example/series.ics --series spring --title "Spring series"
        moodle-sync connect malta --url https://moodle.example --course 42 --series spring --token-file token.txt
        moodle-sync doctor malta
        moodle-sync worker
    """


for command in (series, run_group, runs_group, deliveries_group, connect, doctor):
    moodle_sync.add_command(command)


@moodle_sync.command()
@click.option("--threads", default=4, show_default=True, type=click.IntRange(1, 64))
def worker(threads: int) -> None:
    """Deliver scores, read calendars and mirror sessions, until stopped (Ctrl-C or SIGTERM)."""
    from config.logging import configure_logging  # noqa: PLC0415 - a list should not wait for what the worker needs
    from moodle_sync.worker import work  # noqa: PLC0415 - as above

    services = services_or_exit()
    configure_logging()
    work(services, threads=threads)
