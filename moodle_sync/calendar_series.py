"""The events of one UID to its dates."""

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import icalendar
import recurring_ical_events

from moodle_sync.calendar_events import Entry
from moodle_sync.calendar_rules import has_a_date, steps

OUR_LINE = "X-SHARED-SESSIONS-LINE"  # tells which VEVENT an expanded date came from
DATES = ("UID", "SEQUENCE", "DTSTART", "RECURRENCE-ID", "RRULE", "RDATE", "EXDATE")
AROUND = timedelta(days=31)  # "this and future" may move dates into the window by so much


@dataclass(frozen=True, kw_only=True)
class Date:
    """One date of a series; all three are aware. `original_start_at` is when the series would have had it."""

    entry: Entry
    original_start_at: datetime
    start_at: datetime
    end_at: datetime
    cancelled: bool


@dataclass(frozen=True, kw_only=True)
class Series:
    """A master with its overrides, or overrides whose master is not in the file."""

    master: Entry | None
    overrides: tuple[Entry, ...]

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self.overrides if self.master is None else (self.master, *self.overrides)


def group_into_series(entries: Iterable[Entry]) -> tuple[list[Series], list[Entry]]:
    """The newest version of every event, by UID; and those newest ones that stood in the file more than once.
    Which one is newest does not depend on the order of the file."""
    versions: dict[tuple[str, datetime | None], list[Entry]] = {}
    for entry in entries:
        versions.setdefault(entry.key, []).append(entry)
    newest = [_newest(same) for same in versions.values()]
    repeated = [entry for entry, same in zip(newest, versions.values(), strict=True) if len(same) > 1]
    by_uid: dict[str, list[Entry]] = {}
    for entry in newest:
        by_uid.setdefault(entry.uid, []).append(entry)
    return [_series(group) for group in by_uid.values()], repeated


def _newest(same: list[Entry]) -> Entry:
    """By SEQUENCE, then by the time of the change, then the cancelled one."""
    if len(same) == 1:  # nearly all
        return same[0]
    ranked = sorted(same, key=lambda entry: (entry.sequence, entry.changed, entry.cancelled, entry.event.to_ical()))
    newest = ranked[-1]
    told = [entry for entry in ranked if not entry.cancelled]
    if newest.cancelled and told:  # a cancellation need not repeat the rule and the words of what it cancels
        return replace(told[-1], cancelled=True, sequence=newest.sequence)
    return newest


def _series(group: list[Entry]) -> Series:
    overrides = (entry for entry in group if entry.recurrence_id is not None)
    return Series(
        master=next((entry for entry in group if entry.recurrence_id is None), None),
        overrides=tuple(sorted(overrides, key=lambda entry: entry.key[1] or entry.start)),
    )


def cost(series: Series, window: tuple[datetime, datetime]) -> int:
    """How many dates the expansion looks at, at most."""
    if series.master is None or series.master.rule is None:
        return 0
    return steps(series.master.rule, series.master.start.date(), (window[1] + AROUND).date())


def expand(series: Series, window: tuple[datetime, datetime]) -> Iterator[Date]:
    """The dates that touch `window`. To be called only if `cost` is bearable; may raise what the library raises."""
    by_line = {str(entry.block.number): entry for entry in series.entries}
    calendar = icalendar.Calendar()
    for entry in series.entries:
        calendar.add_component(_expandable(entry, series, window))
    with warnings.catch_warnings():
        # COUNT beside UNTIL: the earlier one ends the series, as we want it; dateutil would rather not.
        warnings.filterwarnings("ignore", "Using both 'count' and 'until'", DeprecationWarning)
        found = recurring_ical_events.of(calendar).between(*window)
    for event in found:
        yield _date(event, by_line[str(event.get(OUR_LINE))], series)


def _expandable(entry: Entry, series: Series, window: tuple[datetime, datetime]) -> icalendar.Event:
    """Its dates alone. It lasts as long as the series where it does not say, and has no rule that would be searched in
    vain."""
    event = icalendar.Event()
    for name in DATES:
        if name in entry.event:
            event[name] = entry.event.get(name)
    usual = series.master.length if series.master is not None else None
    event["DTEND"] = icalendar.vDDDTypes(entry.start + (entry.length or usual or timedelta(hours=1)))
    event[OUR_LINE] = icalendar.vText(str(entry.block.number))
    start, last = (window[0] - AROUND).date(), (window[1] + AROUND).date()
    if entry.rule is not None and not has_a_date(entry.rule, entry.start.date(), start, last):
        event.pop("RRULE")
    return event


def _date(event: icalendar.Event, entry: Entry, series: Series) -> Date:
    start: datetime = event.get("DTSTART").dt
    end: datetime = event.get("DTEND").dt
    return Date(
        entry=entry,
        original_start_at=_original_start(start, entry).astimezone(UTC),
        start_at=start.astimezone(UTC),
        end_at=end.astimezone(UTC),
        cancelled=entry.cancelled or (series.master is not None and series.master.cancelled),
    )


def _original_start(start: datetime, entry: Entry) -> datetime:
    """Computed by us: behind RANGE=THISANDFUTURE the library gives every later date the same RECURRENCE-ID."""
    if entry.recurrence_id is None:
        return start
    if not entry.this_and_future:
        return entry.recurrence_id
    return start - (entry.start - entry.recurrence_id)  # on the clock, as the expansion moved it
