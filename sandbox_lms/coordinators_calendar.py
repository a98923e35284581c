"""The coordinator's calendar of the demo: one file, and the edits that the demo page makes in it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from icalendar import Calendar

THIS_WEEK, NEXT_WEEK = 7, 8  # of the sample series; the demo shifts it so that week 7 is now


class CalendarUnreadable(Exception):
    """Somebody edited the file so that the demo's sessions are no longer in it."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    title: str
    start: datetime
    is_cancelled: bool


def entry(path: Path, week: int) -> Entry:
    """The session of this week of the series, whatever it is called by now. Raises CalendarUnreadable."""
    event = _find(_read(path), week)
    return Entry(title=str(event.get("SUMMARY", "")), start=event.start, is_cancelled=_is_cancelled(event))


def move_by_an_hour(path: Path) -> None:
    """As a coordinator would drag it in a calendar program."""
    calendar = _read(path)
    event = _find(calendar, NEXT_WEEK)
    for name in ("DTSTART", "DTEND"):
        event[name].dt += timedelta(hours=1)
    _save(path, calendar, event)


def toggle_cancelled(path: Path) -> None:
    """Cancel the session, or bring it back."""
    calendar = _read(path)
    event = _find(calendar, NEXT_WEEK)
    status = "CONFIRMED" if _is_cancelled(event) else "CANCELLED"
    event.pop("STATUS", None)
    event.add("STATUS", status)
    _save(path, calendar, event)


def _read(path: Path) -> Any:
    """A VCALENDAR. Its library's types are wider than what our own file holds."""
    try:
        return Calendar.from_ical(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CalendarUnreadable from error


def _find(calendar: Any, week: int) -> Any:
    """Each week is an override of the one weekly event."""
    weeks = [event for event in calendar.walk("VEVENT") if event.get("RECURRENCE-ID") is not None]
    weeks.sort(key=lambda event: event["RECURRENCE-ID"].dt)
    if len(weeks) < week:
        raise CalendarUnreadable
    return weeks[week - 1]


def _is_cancelled(event: Any) -> bool:
    return str(event.get("STATUS", "")).upper() == "CANCELLED"


def _save(path: Path, calendar: Any, event: Any) -> None:
    sequence = int(event.get("SEQUENCE", 0)) + 1
    event.pop("SEQUENCE", None)
    event.add("SEQUENCE", sequence)
    fresh = path.with_suffix(".new")  # the worker may read at any moment: it sees the old file or the new one
    fresh.write_bytes(calendar.to_ical())
    fresh.replace(path)
