"""moodle-sync series: workshop series and their sessions."""

import json
from datetime import datetime
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import click

from config.command_line import (
    Failure,
    check_slug,
    check_time_zone,
    json_option,
    print_rows,
    printable,
    settings_or_exit,
)
from moodle_sync.cli_common import print_report, services_or_exit
from moodle_sync.cli_hosting import series_host, series_join_hosts, series_rehearse
from moodle_sync.cli_plans import accept, reject, show_held
from moodle_sync.cli_rule import series_rule
from series.hand_edits import NotPossible
from series.rounds import copy_round
from series.rule import MAX_REQUIRED, Rule
from series.sessions import Series
from series.store.calendar_sources import source_of
from series.store.held_plans import find_held, find_rejected
from series.store.rules import rule_of
from series.store.schema import open_current
from series.store.sessions import (
    add_series,
    add_session,
    find_series,
    list_series,
    session_as_json,
    sessions_of,
)
from series.store.universities import find_university

DEFAULT_REQUIRED = 10


@click.group()
def series() -> None:
    """Workshop series and their sessions."""


series.add_command(accept)
series.add_command(reject)
series.add_command(series_rule)
series.add_command(series_host)
series.add_command(series_rehearse)
series.add_command(series_join_hosts)


@series.command("import")
@click.argument("source")
@click.option("--series", "slug", required=True, help="Short name of the series; made when it is new.")
@click.option("--title", help="Needed when the series is new.")
@click.option("--time-zone", default="Europe/Berlin", show_default=True, help="Of the series, when it is new.")
@click.option(
    "--required",
    default=DEFAULT_REQUIRED,
    show_default=True,
    type=click.IntRange(1, MAX_REQUIRED),
    help="Sessions that complete a new series; `series rule` says what else counts.",
)
@click.option("--preview", is_flag=True, help="Show what would be new, changed or gone; change nothing.")
def series_import(source: str, slug: str, title: str | None, time_zone: str, required: int, *, preview: bool) -> None:
    """Read the sessions from SOURCE, an iCalendar file or a table (CSV, XLSX), or the https or webcal address of one.

    The worker reads it again now and then. A second import of the same source changes nothing; an event or row that
    cannot be read is reported, and the others are kept.

    A table has one session in a row, and names its columns in the first: date, start and title must be there; end,
    hosting university, abstract, materials, join link, status and time zone may be. Their order does not matter, and
    their names may be German, French, Spanish, Italian, Greek, Polish or Lithuanian. Times are those of the series'
    zone, unless a row says otherwise; the status “cancelled” cancels.

    \b
    date,start,end,title,hosting university,join link
    2026-11-24,16:00,18:00,Inquiry at the beach,University of Malta,https://…
    1 Dec 2026,4 pm,6 pm,Measuring and geometry,Vilnius University,https://…
    """
    from moodle_sync.import_series import import_series, preview_import  # noqa: PLC0415 - a list should not wait for it
    from moodle_sync.preview_import import preview_lines  # noqa: PLC0415 - as above

    services = services_or_exit()
    if "://" not in source:
        source = str(Path(source).absolute())  # the worker may run elsewhere
    with services.database.read() as connection:
        known = next((known for known in list_series(connection) if known.slug == slug), None)
    if preview:
        shown = known or _new_series(slug, title or slug, time_zone)
        for line in preview_lines(preview_import(services, shown, source)):
            click.echo(printable(line))
        return
    if known is not None:
        print_report(import_series(services, known, source, by_hand=True), slug)
        return
    new = _new_series(slug, title, time_zone)
    print_report(import_series(services, new, source, rule_if_new=Rule(required=required)), slug)


@series.command("copy")
@click.argument("slug")
@click.argument("new_slug")
@click.option("--title", required=True, help="Of the new round.")
@click.option(
    "--starts", "starts_on", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Date of its first session."
)
@click.option("--hosts", default="", help="Hosting universities by their short names, in turn: malta,vilnius,…")
def series_copy(slug: str, new_slug: str, title: str, starts_on: datetime, hosts: str) -> None:
    """Make the next round of SLUG: the same sessions, as far apart and at the same time of the day.

    Cancelled sessions are left out, moved ones come where they were planned, join links are made anew. Without --hosts
    each session keeps its hosting university. A calendar can be imported into the new round later: its entries are then
    taken for these sessions, once you have confirmed it.

    Teachers whose course shows SLUG are asked whether it should show the new round, once SLUG is over or their course
    is a copy.
    """
    settings = settings_or_exit()
    database, now = open_current(settings.database_url), settings.clock().now()
    with database.write() as connection:
        known = find_series(connection, slug)
        turns = [find_university(connection, name.strip()) for name in hosts.split(",") if name.strip()]
        new = _new_series(new_slug, title, known.time_zone)
        try:
            copies = copy_round(
                sessions_of(connection, known.series_id), new.series_id, starts_on=starts_on.date(), hosts=turns
            )
        except NotPossible as error:
            raise Failure(str(error)) from error
        rule = rule_of(connection, known.series_id)
        add_series(connection, new, rule=rule, now=now, copied_from_id=known.series_id)
        for copy in copies:
            add_session(connection, copy, now=now)
    click.echo(f"{title}: {len(copies)} session(s). `moodle-sync series show {new_slug}` shows them.")


@series.command("list")
@json_option
def series_list(*, as_json: bool) -> None:
    """List all series."""
    with open_current(settings_or_exit().database_url).read() as connection:
        found = list_series(connection)
    rows = [{"slug": s.slug, "title": s.title, "time_zone": s.time_zone, "source": s.source} for s in found]
    print_rows(rows, as_json=as_json, empty="No series yet; `moodle-sync series import --help` shows how.")


@series.command("show")
@click.argument("slug")
@click.option("--held", "show_what_is_held", is_flag=True, help="What the calendar would change, and waits for a yes.")
@json_option
def series_show(slug: str, *, show_what_is_held: bool, as_json: bool) -> None:
    """Show the sessions of one series, in its own time zone."""
    with open_current(settings_or_exit().database_url).read() as connection:
        shown = find_series(connection, slug)
        sessions = sessions_of(connection, shown.series_id, with_rehearsals=True)
        held, rejected = find_held(connection, shown.series_id), find_rejected(connection, shown.series_id)
        source = source_of(connection, shown.series_id, shown.source) if shown.source else None
    if show_what_is_held:
        show_held(shown, held, rejected)
        return
    if as_json:
        click.echo(json.dumps([session_as_json(session) for session in sessions], indent=2, ensure_ascii=False))
        return
    click.echo(f"{shown.title} ({shown.time_zone})")
    if source and source.failing_since:
        click.echo(f"  The calendar has not been read since {source.failing_since:%d %b %Y %H:%M} UTC: {source.reason}")
    if held:
        click.echo(f"  Changes wait for a yes: `moodle-sync series show {slug} --held`.")
    for session in sessions:
        start = session.start_at.astimezone(ZoneInfo(shown.time_zone))
        remark = "  CANCELLED" if session.is_cancelled else "  moved" if session.moved_from_at else ""
        remark += "  REHEARSAL, counts for nothing" if session.is_rehearsal else ""
        click.echo(f"  {start:%a %d %b %Y %H:%M}  {session.title} · {session.hosting_university or 'no host'}{remark}")


def _new_series(slug: str, title: str | None, time_zone: str) -> Series:
    check_slug(slug)
    check_time_zone(time_zone)
    if not title:
        raise click.UsageError(f"The series {slug!r} is new: give it a --title.")
    if len(title) > 255:
        raise click.BadParameter("A title has at most 255 characters.")
    return Series(series_id=uuid4(), slug=slug, title=title, time_zone=time_zone, source=None)
