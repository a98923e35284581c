"""moodle-sync: the worker, and what it does, by hand."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from config.command_line import Failure, json_option, run_program, settings_or_exit
from config.logging import configure_logging
from lms.errors import LmsError
from lms.moodle import Moodle
from moodle_sync import jobs
from moodle_sync.import_series import Imported, SourceUnreadable, import_series
from moodle_sync.mirror_sessions import CoursePlan, plan_university
from moodle_sync.read_calendar import NotACalendar
from moodle_sync.services import Services, make_services
from moodle_sync.worker import work
from series.rule import Rule
from series.sessions import Series
from series.store import deliveries, runs
from series.store.database import DatabaseBusy, DatabaseUnreachable
from series.store.launches import upsert_participant
from series.store.migrate import is_current
from series.store.mirrors import save_connection, tie_course
from series.store.sessions import (
    find_series,
    list_series,
    name_host,
    session_as_json,
    sessions_of,
)
from series.store.universities import AlreadyThere, NotThere, find_university, platforms_of_university

DEFAULT_REQUIRED = 10


def main() -> None:
    run_program(
        moodle_sync,
        (AlreadyThere, NotThere, NotACalendar, SourceUnreadable, LmsError, DatabaseBusy, DatabaseUnreachable),
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


@moodle_sync.command()
@click.option("--threads", default=4, show_default=True, type=click.IntRange(1, 64))
def worker(threads: int) -> None:
    """Deliver scores, read calendars and mirror sessions, until stopped (Ctrl-C or SIGTERM)."""
    services = _services()
    configure_logging()
    work(services, threads=threads)


@moodle_sync.group()
def series() -> None:
    """Workshop series and their sessions."""


@series.command("import")
@click.argument("source")
@click.option("--series", "slug", required=True, help="Short name of the series; made when it is new.")
@click.option("--title", help="Needed when the series is new.")
@click.option("--time-zone", default="Europe/Berlin", show_default=True, help="Of the series, when it is new.")
@click.option("--required", default=DEFAULT_REQUIRED, show_default=True, help="Sessions that complete a new series.")
def series_import(source: str, slug: str, title: str | None, time_zone: str, required: int) -> None:
    """Read the sessions from SOURCE, an iCalendar file or an https or webcal address.

    The worker reads it again now and then. A second import of the same calendar changes nothing; an event that cannot
    be read is reported, and the others are kept.
    """
    services = _services()
    if "://" not in source:
        source = str(Path(source).absolute())  # the worker may run elsewhere
    with services.database.read() as connection:
        known = next((known for known in list_series(connection) if known.slug == slug), None)
    if known is not None:
        _report(import_series(services, known, source))
        return
    new = _new_series(slug, title, time_zone)
    _report(import_series(services, new, source, rule_if_new=Rule(required=required)))


@series.command("list")
@json_option
def series_list(*, as_json: bool) -> None:
    """List all series."""
    with _services().database.read() as connection:
        found = list_series(connection)
    rows = [{"slug": s.slug, "title": s.title, "time_zone": s.time_zone, "source": s.source} for s in found]
    _print(rows, as_json=as_json, empty="No series yet; `moodle-sync series import --help` shows how.")


@series.command("show")
@click.argument("slug")
@json_option
def series_show(slug: str, *, as_json: bool) -> None:
    """Show the sessions of one series, in its own time zone."""
    with _services().database.read() as connection:
        shown = find_series(connection, slug)
        sessions = sessions_of(connection, shown.series_id)
    if as_json:
        click.echo(json.dumps([session_as_json(session) for session in sessions], indent=2, ensure_ascii=False))
        return
    click.echo(f"{shown.title} ({shown.time_zone})")
    for session in sessions:
        start = session.start_at.astimezone(ZoneInfo(shown.time_zone))
        remark = "  CANCELLED" if session.is_cancelled else "  moved" if session.moved_from_at else ""
        click.echo(f"  {start:%a %d %b %Y %H:%M}  {session.title} · {session.hosting_university or 'no host'}{remark}")


@series.command("host")
@click.argument("slug")
@click.option("--university", "university_slug", required=True, help="Whose sessions the person hosts.")
@click.option("--sub", required=True, help="The person's user id in that university's LMS.")
def series_host(slug: str, university_slug: str, sub: str) -> None:
    """Name a person of the hosting university as host of all its sessions in the series SLUG."""
    services = _services()
    with services.database.write() as connection:
        home = find_university(connection, university_slug)
        platforms = platforms_of_university(connection, home.university_id)
        if not platforms:
            raise NotThere(f"{home.name} has no registered LMS yet; `lti-tool platform add --help` shows how.")
        participant_id = upsert_participant(
            connection,
            university_id=home.university_id,
            issuer=platforms[0].issuer,
            sub=sub,
            now=services.clock.now(),
        )
        hosted = [
            session
            for session in sessions_of(connection, find_series(connection, slug).series_id)
            if session.hosting_university_id == home.university_id
        ]
        for session in hosted:
            name_host(connection, session_id=session.session_id, participant_id=participant_id)
    click.echo(f"Named as host of {len(hosted)} session(s) of {home.name}.")


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
    services = _services()
    token = token_file.read().strip()
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
    services = _services()
    for slug in jobs.calendar_scopes(services):
        with services.database.read() as connection:
            known = find_series(connection, slug)
        click.echo(f"{slug}:", nl=False)
        _report(import_series(services, known, known.source or ""))


@run_group.command("mirror")
@click.option("--university", "university_slug", help="Only this one.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, call nothing.")
def run_mirror(university_slug: str | None, *, dry_run: bool) -> None:
    """Bring the connected Moodle calendars up to date."""
    services = _services()
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
        counts = ", ".join(f"{count} {what}" for what, count in sorted(report.counts.items())) or "nothing to do"
        click.echo(f"{connection.university_slug}: {counts}")
        problems += [f"{connection.university_slug}: {problem}" for problem in report.problems]
    if problems:
        raise Failure(" ".join(problems))


@run_group.command("deliver")
def run_deliver() -> None:
    """Send all scores that are due."""
    from moodle_sync.deliver_scores import deliver  # noqa: PLC0415

    services = _services()
    with services.database.read() as connection:
        due = deliveries.due_ids(connection, now=services.clock.now(), limit=10_000)
    with click.progressbar(due, label="Sending") as progress:
        for delivery_id in progress:
            deliver(services, delivery_id)


@moodle_sync.group("runs")
def runs_group() -> None:
    """What the worker did."""


@runs_group.command("list")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@json_option
def runs_list(limit: int, *, as_json: bool) -> None:
    """The last runs, the newest first."""
    with _services().database.read() as connection:
        found = runs.list_runs(connection, limit=limit)
    rows = [
        {
            "started_at": _iso(run.started_at),
            "job": run.job,
            "scope": run.scope,
            "outcome": run.outcome,
            "counts": run.counts,
            "reason": run.reason,
        }
        for run in found
    ]
    _print(rows, as_json=as_json, empty="Nothing has run yet; start `moodle-sync worker`.")


@moodle_sync.group("deliveries")
def deliveries_group() -> None:
    """Scores on their way to gradebooks."""


@deliveries_group.command("list")
@click.option("--state", type=click.Choice(["due", "delivered", "failed", "superseded"]))
@json_option
def deliveries_list(state: str | None, *, as_json: bool) -> None:
    """List deliveries and what came of them."""
    with _services().database.read() as connection:
        found = deliveries.list_deliveries(connection, state=state)
    rows = [
        {
            "id": row.delivery_id,
            "university": row.university,
            "sub": row.sub,
            "version": row.version,
            "score": f"{row.score_given}/{row.score_maximum}",
            "state": row.state,
            "attempts": row.attempts,
            "next_attempt_at": _iso(row.next_attempt_at) if row.state == "due" else None,
            "outcome": row.outcome,
        }
        for row in found
    ]
    _print(rows, as_json=as_json, empty="No deliveries.")


@deliveries_group.command("retry")
@click.argument("delivery_id", type=int, required=False)
@click.option("--all", "retry_all", is_flag=True, help="All that failed or wait.")
def deliveries_retry(delivery_id: int | None, *, retry_all: bool) -> None:
    """Try one delivery again now, or --all; the worker takes them up within seconds."""
    if (delivery_id is None) != retry_all:
        raise click.UsageError("Name one delivery, or --all.")
    services = _services()
    with services.database.write() as connection:
        count = deliveries.retry(connection, delivery_id=delivery_id, now=services.clock.now())
    if delivery_id is not None and not count:
        raise Failure(f"Delivery {delivery_id} is not waiting and has not failed; `moodle-sync deliveries list`.")
    click.echo(f"{count} due now.")


def _services() -> Services:
    services = make_services(settings_or_exit())
    if not is_current(services.database):
        raise Failure("The database is not up to date. Run `lti-tool migrate` first.")
    return services


def _new_series(slug: str, title: str | None, time_zone: str) -> Series:
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise click.BadParameter(f"{time_zone!r} is not an IANA time zone such as Europe/Berlin.") from error
    if not title:
        raise click.UsageError(f"The series {slug!r} is new: give it a --title.")
    return Series(series_id=uuid4(), slug=slug, title=title, time_zone=time_zone, source=None)


def _report(imported: Imported) -> None:
    click.echo(f"{imported.new} new, {imported.changed} changed, {imported.same} as before.")
    for problem in imported.problems:
        line = f" (line {problem.line})" if problem.line else ""
        click.echo(f"  “{problem.event}”{line} {problem.fact}: {problem.done}", err=True)


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


def _print(rows: list[dict[str, Any]], *, as_json: bool, empty: str) -> None:
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif not rows:
        click.echo(empty)
    else:
        for row in rows:
            click.echo("  ".join("-" if value is None else str(value) for value in row.values()))


def _iso(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds")
