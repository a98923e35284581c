"""moodle-sync: the worker, and what it does, by hand."""

from typing import Any

import click

from config.command_line import Failure, run_program
from config.logging import configure_logging
from lms.errors import LmsError
from lms.moodle import Moodle
from moodle_sync import jobs
from moodle_sync.cli_common import print_report, services_or_exit
from moodle_sync.cli_lists import deliveries_group, runs_group
from moodle_sync.cli_series import series
from moodle_sync.deliver_scores import deliver
from moodle_sync.import_series import SourceUnreadable, import_series
from moodle_sync.mirror_sessions import CoursePlan, plan_university
from moodle_sync.read_calendar import NotACalendar
from moodle_sync.worker import work
from series.store import deliveries
from series.store.database import DatabaseBusy, DatabaseUnreachable
from series.store.keys import WrongEncryptionKey
from series.store.mirrors import save_connection, tie_course
from series.store.sessions import find_series
from series.store.universities import AlreadyThere, NotThere, find_university


def main() -> None:
    run_program(
        moodle_sync,
        (
            AlreadyThere,
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


for group in (series, runs_group, deliveries_group):
    moodle_sync.add_command(group)


@moodle_sync.command()
@click.option("--threads", default=4, show_default=True, type=click.IntRange(1, 64))
def worker(threads: int) -> None:
    """Deliver scores, read calendars and mirror sessions, until stopped (Ctrl-C or SIGTERM)."""
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
        save_connection(
            connection,
            university_id=university.university_id,
            base_url=site.site_url,
            token=token,
            moodle_user_id=site.user_id,
            encryption_key=services.settings.encryption_key,
        )
        tie_course(
            connection,
            university_id=university.university_id,
            moodle_course_id=course_id,
            title=courses[0].fullname,
            series_id=shown.series_id,
        )
    click.echo(f"Connected {site.site_name}: “{shown.title}” is mirrored into “{courses[0].fullname}”.")


@moodle_sync.group("run")
def run_group() -> None:
    """Run one job now, and say what came of it."""


@run_group.command("calendar")
def run_calendar() -> None:
    """Read the calendars of all series again."""
    services = services_or_exit()
    problems: list[str] = []
    for slug in jobs.calendar_scopes(services):
        with services.database.read() as connection:
            known = find_series(connection, slug)
        try:
            imported = import_series(services, known, known.source or "")
        except (SourceUnreadable, NotACalendar) as error:
            problems.append(f"{slug}: {error}")
        else:
            click.echo(f"{slug}: ", nl=False)
            print_report(imported)
    if problems:
        raise Failure(" ".join(problems))


@run_group.command("mirror")
@click.option("--university", "university_slug", help="Only this one.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, call nothing.")
def run_mirror(university_slug: str | None, *, dry_run: bool) -> None:
    """Bring the connected Moodle calendars up to date."""
    services = services_or_exit()
    chosen = [c for c in jobs.all_connections(services) if university_slug in {None, c.university_slug}]
    if not chosen:
        raise Failure("No such university is connected; `moodle-sync connect --help` shows how.")
    problems: list[str] = []
    for connection in chosen:
        plans = plan_university(services, connection)
        if dry_run:
            _print_plans(connection.university_slug, plans)
            continue
        run_id = jobs.begin(services, "mirror", connection.university_slug, slot=jobs.slot_by_hand())
        if run_id is None:
            problems.append(f"{connection.university_slug}: a run is under way; try again in a moment.")
            continue
        report = jobs.run_mirror(services, run_id)
        counts = ", ".join(f"{count} {what}" for what, count in sorted(report.counts.items()))
        if counts or not report.problems:
            click.echo(f"{connection.university_slug}: {counts or 'nothing to do'}")
        problems += [f"{connection.university_slug}: {problem}" for problem in report.problems]
    if problems:
        raise Failure(" ".join(problems))


@run_group.command("deliver")
def run_deliver() -> None:
    """Send all scores that are due."""
    services = services_or_exit()
    with services.database.read() as connection:
        due = deliveries.due_ids(connection, now=services.clock.now(), limit=10_000)
    with click.progressbar(due, label="Sending") as progress:
        for delivery_id in progress:
            deliver(services, delivery_id)


def _print_plans(university_slug: str, plans: list[CoursePlan]) -> None:
    for course_plan in plans:
        click.echo(f"{university_slug}, course {course_plan.course.moodle_course_id}:")
        if course_plan.plan.is_empty:
            click.echo("  nothing to do")
        for wanted in course_plan.plan.create:
            click.echo(f"  create  {wanted.draft.start_at:%Y-%m-%d %H:%M} UTC  {wanted.draft.name}")
        for adoption in course_plan.plan.adopt:
            click.echo(f"  look for, or create  {adoption.wanted.draft.name}")
        for update in course_plan.plan.update:
            draft = update.wanted.draft
            click.echo(f"  update event {update.event_id}: {draft.start_at:%Y-%m-%d %H:%M} UTC  {draft.name}")
        for mirror in course_plan.plan.delete:
            click.echo(f"  delete event {mirror.event_id}")
