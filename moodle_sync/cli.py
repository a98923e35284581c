"""moodle-sync: the worker, and what it does, by hand."""

from typing import Any

import click

from config.command_line import Failure, run_program
from lms.errors import LmsError
from moodle_sync.cli_common import services_or_exit
from moodle_sync.cli_lists import deliveries_group, runs_group
from moodle_sync.cli_run import run_group
from moodle_sync.cli_series import series
from moodle_sync.errors import NotACalendar, SourceUnreadable
from series.store.database import DatabaseBusy, DatabaseUnreachable
from series.store.keys import WrongEncryptionKey
from series.store.mirrors import tie_course
from series.store.moodle_connections import NewConnection, save_connection
from series.store.schema import NotMigrated
from series.store.sessions import find_series
from series.store.universities import AlreadyThere, NotThere, find_university


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
        moodle-sync worker
    """


for group in (series, run_group, runs_group, deliveries_group):
    moodle_sync.add_command(group)


@moodle_sync.command()
@click.option("--threads", default=4, show_default=True, type=click.IntRange(1, 64))
def worker(threads: int) -> None:
    """Deliver scores, read calendars and mirror sessions, until stopped (Ctrl-C or SIGTERM)."""
    from config.logging import configure_logging  # noqa: PLC0415 - a list should not wait for what the worker needs
    from moodle_sync.worker import work  # noqa: PLC0415 - as above

    services = services_or_exit()
    configure_logging()
    work(services, threads=threads)


@moodle_sync.command()
@click.argument("university_slug", metavar="UNIVERSITY")
@click.option("--url", required=True, help="Address of the Moodle, as in its own links.")
@click.option(
    "--course", "course_id", required=True, type=click.IntRange(1), help="Course id (the number in its link)."
)
@click.option("--series", "slug", required=True, help="The series that the course shows.")
@click.option(
    "--token-file", required=True, type=click.File(), help="File with the service account's token; - reads it."
)
def connect(university_slug: str, url: str, course_id: int, slug: str, token_file: Any) -> None:
    """Connect a university's Moodle by a web service token, and mirror the series into one course."""
    from lms.moodle import Moodle  # noqa: PLC0415 - a list should not wait for it

    services = services_or_exit()
    try:
        token = token_file.read().strip()
    except UnicodeDecodeError:
        raise Failure("The token file holds something else than a token.") from None
    if not token:
        raise Failure("The token file is empty.")
    moodle = Moodle(http=services.http, base_url=url.rstrip("/"), token=token)
    site = moodle.site_info()
    courses = moodle.courses_by_field("id", course_id)
    if not courses:
        raise Failure(f"{site.site_name} shows this account no course {course_id}: check the number and its rights.")
    with services.database.write() as connection:
        university = find_university(connection, university_slug)
        shown = find_series(connection, slug)
        new = NewConnection(
            university_id=university.university_id,
            base_url=site.site_url,
            token=token,
            moodle_user_id=site.user_id,
            site_name=site.site_name,
        )
        now = services.clock.now()
        save_connection(connection, new, encryption_key=services.settings.encryption_key, now=now)
        tie_course(
            connection,
            university_id=university.university_id,
            moodle_course_id=course_id,
            title=courses[0].fullname,
            series_id=shown.series_id,
            now=now,
        )
    click.echo(f"Connected {site.site_name}: “{shown.title}” is mirrored into “{courses[0].fullname}”.")
