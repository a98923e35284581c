"""Bytes of a calendar to the sessions in it, and to what is wrong with it.

Reading promises: a bad event never loses the good ones; all times are aware; nothing but NotACalendar is raised; the
same events give the same dates, in whatever order the file lists them; and no file keeps us busy. The steps: bytes are
cut into events (`calendar_lines`), each is checked by itself (`calendar_events`), the newest version of each counts,
and each series is expanded by itself (`calendar_series`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from moodle_sync.calendar_events import BadEvent, Entry, Zoning, read_event
from moodle_sync.calendar_lines import Block, Problem, Problems, RawCalendar, split_calendars
from moodle_sync.calendar_rules import MAX_STEPS, MAX_STEPS_PER_FILE
from moodle_sync.calendar_series import Date, Series, cost, expand, group_into_series
from moodle_sync.calendar_text import Words, read_words
from moodle_sync.calendar_zones import Zones, find_zone

__all__ = ["Occurrence", "Problem", "Reading", "read_calendar"]

MAX_OCCURRENCES = 500  # of one series
MAX_OCCURRENCES_PER_FILE = 10_000


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """One date of one event. (`source_uid`, `original_start_at`) names it for as long as the source keeps its UID."""

    source_uid: str
    original_start_at: datetime  # aware UTC; when the series would have had it, also after a move
    start_at: datetime  # aware UTC
    end_at: datetime  # aware UTC, after start_at
    wall_start: datetime  # naive, in `zone`
    zone: str  # IANA
    title: str  # may be empty
    description: str
    hosting_university: str | None
    join_url: str | None  # https
    cancelled: bool
    sequence: int
    co_hosts: str = ""
    speakers: str = ""
    silent_on: tuple[str, ...] = ()  # what of a session this source cannot say


@dataclass(frozen=True, kw_only=True)
class Reading:
    occurrences: tuple[Occurrence, ...]  # by start
    problems: tuple[Problem, ...]  # by line
    is_complete: bool  # nothing that may be a session was left out


def read_calendar(body: bytes, *, default_zone: str, window: tuple[datetime, datetime]) -> Reading:
    """The dates in `body` that touch `window` (two aware instants), at most 500 of one series.

    `default_zone` (IANA) is that of the series: for times without a zone or in an unknown one, and for the wall time
    of events in UTC. Raises NotACalendar when the file as a whole is none, is cut off, or is too large.
    """
    problems = Problems()
    calendars = split_calendars(body, problems)
    reader = _Reader(default_zone=default_zone, window=window, problems=problems)
    entries = [entry for calendar in calendars for entry in reader.read_entries(calendar)]
    occurrences = list(reader.read_occurrences(entries))
    occurrences.sort(key=lambda found: (found.start_at, found.source_uid, found.original_start_at))
    return Reading(
        occurrences=tuple(occurrences), problems=problems.in_order(), is_complete=not problems.has_lost_something
    )


@dataclass(frozen=True, kw_only=True)
class _Reader:
    """What the steps of one reading share; `problems` grows."""

    default_zone: str
    window: tuple[datetime, datetime]
    problems: Problems

    def read_entries(self, calendar: RawCalendar) -> Iterator[Entry]:
        zoning = self._zoning(calendar)
        method = calendar.properties.get("METHOD", "").upper()
        for block in calendar.events:
            try:
                entry = read_event(block, zoning, method=method)
            except BadEvent as bad:
                self.problems.report(block.label(), block.number, str(bad), _left_out(block), has_lost=True)
            except Exception:  # the libraries raise whatever Python raises on odd input; the other events go on
                self.problems.report(block.label(), block.number, "cannot be read", _left_out(block), has_lost=True)
            else:
                for fact, done in entry.remarks:
                    self.problems.report(block.label(), block.number, fact, done)
                yield entry

    def read_occurrences(self, entries: list[Entry]) -> Iterator[Occurrence]:
        all_series, repeated = group_into_series(entries)
        for entry in repeated:
            if not entry.cancelled:  # that a cancellation comes on top of the event is as it should be
                self._report_entry(entry, "is in the file more than once", "the newest version was read")
        spent = found = 0
        for series in sorted(all_series, key=lambda series: series.entries[0].uid):
            spent += cost(series, self.window)
            dates = self._dates(series, enough=spent > MAX_STEPS_PER_FILE or found > MAX_OCCURRENCES_PER_FILE)
            found += len(dates)
            words = {entry.block.number: read_words(entry.event) for entry in series.entries}
            for date in dates:
                yield _occurrence(date, words[date.entry.block.number], self.default_zone)

    def _dates(self, series: Series, *, enough: bool) -> list[Date]:
        """`enough` says that the series before this one took all the work that we spend on one file."""
        first = series.entries[0]
        if enough or cost(series, self.window) > MAX_STEPS:
            fact = "comes after too many other dates" if enough else "repeats too often or since too long ago"
            self._report_entry(first, fact, "left out", has_lost=True)
            return []
        try:
            dates = sorted(expand(series, self.window), key=lambda date: (date.start_at, date.original_start_at))
        except Exception:  # as above; one series must not lose the others
            self._report_entry(first, "has a rule that cannot be followed", "left out", has_lost=True)
            return []
        if len(dates) > MAX_OCCURRENCES:
            self._report_entry(
                first, f"has {len(dates):,} dates", f"the first {MAX_OCCURRENCES} were read", has_lost=True
            )
        return [date for date in dates[:MAX_OCCURRENCES] if date.start_at < date.end_at]

    def _zoning(self, calendar: RawCalendar) -> Zoning:
        name = calendar.properties.get("X-WR-TIMEZONE", "")
        written = find_zone(name)
        if name and written is None:
            fact = f"names the unknown time zone {name[:60]} (X-WR-TIMEZONE)"
            self.problems.report("the calendar", None, fact, f"read with the series' zone, {self.default_zone}")
        likely = [self.default_zone] if written is None else [self.default_zone, written]
        zones = Zones(calendar.zones, likely=likely, window=self.window)
        return Zoning(zones=zones, default=self.default_zone, written=written)

    def _report_entry(self, entry: Entry, fact: str, done: str, *, has_lost: bool = False) -> None:
        self.problems.report(entry.block.label(), entry.block.number, fact, done, has_lost=has_lost)


def _left_out(block: Block) -> str:
    if block.value("RECURRENCE-ID"):
        return "left out; if its series is in the file, the date stays as the series has it"
    return "left out"


def _occurrence(date: Date, words: Words, default_zone: str) -> Occurrence:
    zone = str(date.entry.start.tzinfo)
    if zone in {"UTC", "Etc/UTC"}:  # nobody's clock shows it
        zone = default_zone
    return Occurrence(
        source_uid=date.entry.uid,
        original_start_at=date.original_start_at,
        start_at=date.start_at,
        end_at=date.end_at,
        wall_start=date.start_at.astimezone(ZoneInfo(zone)).replace(tzinfo=None),
        zone=zone,
        title=words.title,
        description=words.description,
        hosting_university=words.hosting_university,
        join_url=words.join_url,
        cancelled=date.cancelled,
        sequence=date.entry.sequence,
        co_hosts=words.co_hosts,
        speakers=words.speakers,
    )
