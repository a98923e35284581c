"""A calendar or a table becomes the sessions of a series: fetch, read, pair, then save or hold in one transaction."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from moodle_sync.calendar_lines import BYTE_ORDER_MARK
from moodle_sync.errors import NotACalendar, SourceUnreadable
from moodle_sync.fetch_source import failed, fetch
from moodle_sync.plan_import import ImportPlan, Known, plan_import
from moodle_sync.preview_import import Preview
from moodle_sync.read_calendar import Problem, Reading, read_calendar
from moodle_sync.read_table import looks_like_table, read_table
from moodle_sync.services import Services
from series.join_links import JoinPlaces
from series.plans import NOTHING, Plan, Reason, both, brake, disturbs, list_changes, without
from series.rule import Rule
from series.sessions import Series
from series.store.calendar_sources import CalendarSource, save_source, source_of
from series.store.database import Connection
from series.store.held_plans import HeldPlan, drop_held, find_held, find_rejected, hold, is_outdated, keep_refused
from series.store.join_links import join_hosts_of
from series.store.sessions import add_series, aliases_of, lock_series, save_plan, sessions_of, set_source
from series.store.universities import list_universities
from series.store.uploads import TABLE_SOURCE, Upload

TABLE_NAMES = (".csv", ".tsv", ".xlsx", ".xls")
BEFORE, AHEAD = timedelta(days=400), timedelta(days=800)


@dataclass(frozen=True, kw_only=True)
class Imported:
    """How many sessions are new, changed, and the same as before; what to look at; what waits for a yes; and what the
    calendar says in spite of a no."""

    new: int
    changed: int
    same: int
    problems: tuple[Problem, ...]
    held: HeldPlan | None = None
    refused: HeldPlan | None = None


def import_series(
    services: Services, series: Series, source: str, *, rule_if_new: Rule | None = None, by_hand: bool = False
) -> Imported:
    """Read the series' sessions from `source`, and remember it. With `rule_if_new` the series is made, too; `by_hand`
    reads also what is as it was.

    Raises SourceUnreadable or NotACalendar; then no session was changed and nothing made, but why and since when is
    kept. What the brake holds changes nothing either, until a person accepts it.
    """
    now = services.clock.now()
    with services.database.read() as connection:
        before = source_of(connection, series.series_id, source)
    try:
        fetched = fetch(services.http, CalendarSource(source=source) if by_hand else before, now=now)
        reading = None if fetched.body is None else _read(fetched.body, series, source, now)
        if reading is not None and not reading.occurrences:  # its sessions and its source stay
            raise SourceUnreadable(_why_nothing(reading, now))
    except (SourceUnreadable, NotACalendar) as error:
        if series.source == source:
            with services.database.write() as connection:
                save_source(connection, series.series_id, failed(before, error, now=now))
        raise
    if reading is None:
        return _as_before(services, series, fetched.state, before)
    with services.database.write() as connection:
        if rule_if_new is not None:
            add_series(connection, series, rule=rule_if_new, now=now)
        there = lock_series(connection, series.series_id)
        known = _known(services, connection, series)
        is_late = source_of(connection, series.series_id, source) != before or (there and there.source != source)
        if is_late and not by_hand and rule_if_new is None:  # somebody has read, or named another source, meanwhile
            return Imported(new=0, changed=0, same=len(known.sessions), problems=())
        found = _plan(reading, known, now)
        planned = _save_or_hold(connection, reading, known, found, source=source, by_hand=by_hand, now=now)
        if planned.held is None:
            set_source(connection, series.series_id, source)
            save_source(connection, series.series_id, fetched.state)
        elif there and there.source == source:  # what is held is read again at each fetch: it may have been mended
            save_source(connection, series.series_id, replace(fetched.state, read_at=None))
    changed = len(planned.saved.changed)
    return Imported(
        new=len(planned.saved.new),
        changed=changed,
        same=len(known.sessions) - changed,
        problems=(*reading.problems, *found.problems),
        held=planned.held,
        refused=planned.refused,
    )


def hold_table(services: Services, series: Series, upload: Upload) -> Imported:
    """Read a table that a coordinator has uploaded, and hold all that it would change: nothing counts before they have
    seen it. Raises SourceUnreadable or NotACalendar; then nothing is held."""
    now = services.clock.now()
    reading = _read(upload.body, series, upload.name, now)
    if not reading.occurrences:
        raise SourceUnreadable(_why_nothing(reading, now))
    with services.database.write() as connection:
        lock_series(connection, series.series_id)
        known = _known(services, connection, series)
        found = _plan(reading, known, now)
        held, waiting = None, find_held(connection, series.series_id)
        if not list_changes(found, known.sessions):
            if waiting and waiting.source.startswith(TABLE_SOURCE):
                drop_held(connection, series.series_id)
        else:
            apart = _apart(reading, known, found, now)
            reasons = (Reason.UPLOADED, *brake(found, known.sessions, now=now))
            held = hold(connection, series.series_id, found, apart, reasons, source=upload.source, now=now)
    problems = (*reading.problems, *found.problems)
    return Imported(new=0, changed=0, same=len(known.sessions), problems=problems, held=held)


def preview_import(services: Services, series: Series, source: str) -> Preview:
    """What import_series would do now, also for a series that is not there yet. Nothing is changed.

    Raises SourceUnreadable or NotACalendar.
    """
    now = services.clock.now()
    fetched = fetch(services.http, CalendarSource(source=source), now=now)
    assert fetched.body is not None  # nothing was known of the source
    reading = _read(fetched.body, series, source, now)
    with services.database.read() as connection:
        known = _known(services, connection, series)
    plan = _plan(reading, known, now)
    return Preview(series=series, reading=reading, known=known, plan=plan, now=now)


def is_table(body: bytes, source: str) -> bool:
    """By its first line, else by its name, else by the names of its columns."""
    if body.removeprefix(BYTE_ORDER_MARK).lstrip()[:15].upper() == b"BEGIN:VCALENDAR":
        return False
    return source.partition("?")[0].lower().endswith(TABLE_NAMES) or looks_like_table(body)


def _read(body: bytes, series: Series, source: str, now: datetime) -> Reading:
    read = read_table if is_table(body, source) else read_calendar
    return read(body, default_zone=series.time_zone, window=(now - BEFORE, now + AHEAD))


def _known(services: Services, connection: Connection, series: Series) -> Known:
    return Known(
        series_id=series.series_id,
        sessions={session.session_id: session for session in sessions_of(connection, series.series_id)},
        aliases=aliases_of(connection, series.series_id),
        universities=tuple(list_universities(connection)),
        join_places=JoinPlaces(
            hosts=join_hosts_of(connection, series.series_id), in_development=services.settings.on_loopback
        ),
    )


def _plan(reading: Reading, known: Known, now: datetime, *, may_guess: bool = True) -> ImportPlan:
    return plan_import(
        reading.occurrences,
        known,
        now=now,
        read_until=now + AHEAD,
        is_complete=reading.is_complete,
        may_guess=may_guess,
    )


def _apart(reading: Reading, known: Known, found: ImportPlan, now: datetime) -> Plan | None:
    """The plan without its guesses, where it has some."""
    return _plan(reading, known, now, may_guess=False) if found.paired else None


@dataclass(frozen=True, kw_only=True)
class _Planned:
    """What was saved, what waits for a yes, and what the calendar says in spite of a no."""

    saved: Plan
    held: HeldPlan | None
    refused: HeldPlan | None


def _save_or_hold(
    connection: Connection,
    reading: Reading,
    known: Known,
    found: ImportPlan,
    *,
    source: str,
    by_hand: bool,
    now: datetime,
) -> _Planned:
    apart = _apart(reading, known, found, now)
    rest: Plan = found
    refused = find_rejected(connection, known.series_id)
    if refused and refused.source != source:
        drop_held(connection, known.series_id, is_rejected=True)  # that one no longer says anything
        refused = None
    if refused:
        keep_refused(connection, refused, both(apart, found) if apart else found, now=now)
        refused = find_rejected(connection, known.series_id)
    if refused:
        rest, apart = without(rest, refused.refused), apart and without(apart, refused.refused)
    reasons = brake(rest, known.sessions, now=now)
    waiting = find_held(connection, known.series_id)
    if waiting and waiting.source == source and disturbs(rest, known.sessions) & waiting.disturbed:
        reasons = reasons or waiting.reasons  # fewer, because some have begun: nobody has said yes to the others
    is_looked_at = waiting and waiting.source != source and not is_outdated(connection, waiting, now=now)
    if reasons and is_looked_at and not by_hand:
        return _Planned(saved=NOTHING, held=waiting, refused=refused)  # somebody is looking at it, and has asked for it
    if reasons:
        held = hold(connection, known.series_id, rest, apart, reasons, source=source, now=now)
        return _Planned(saved=NOTHING, held=held, refused=refused)
    if waiting and waiting.source == source:
        drop_held(connection, known.series_id)
    save_plan(connection, known.series_id, rest, now=now)
    return _Planned(saved=rest, held=None, refused=refused)


def _as_before(services: Services, series: Series, state: CalendarSource, before: CalendarSource) -> Imported:
    if before.failing_since is not None:
        with services.database.write() as connection:
            save_source(connection, series.series_id, state)
    with services.database.read() as connection:
        same = len(sessions_of(connection, series.series_id))
    return Imported(new=0, changed=0, same=same, problems=())


def _why_nothing(reading: Reading, now: datetime) -> str:
    problems = [f"“{problem.event}” {problem.fact}." for problem in reading.problems[:3]]
    window = f"from {now - BEFORE:%B %Y} to {now + AHEAD:%B %Y}"
    return " ".join([f"The calendar has no session {window} that can be read. Nothing was changed.", *problems])
