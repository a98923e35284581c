"""The coordinator's calendar of the demo: one file, and the edits that the demo page makes in it."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from icalendar import Calendar

MOVABLE = "Programming with micro:bit in technology"  # week 8, the one after the demo's session


def session_start(path: Path, title: str) -> datetime:
    """The aware start of the session with this title."""
    start: datetime = _find(_read(path), title).start
    return start


def is_cancelled(path: Path) -> bool:
    event = _find(_read(path), MOVABLE)
    return str(event.get("STATUS", "")).upper() == "CANCELLED"


def move_by_an_hour(path: Path) -> None:
    """As a coordinator would drag it in a calendar program."""
    calendar = _read(path)
    event = _find(calendar, MOVABLE)
    for name in ("DTSTART", "DTEND"):
        event[name].dt += timedelta(hours=1)
    _save(path, calendar, event)


def toggle_cancelled(path: Path) -> None:
    """Cancel the session, or bring it back."""
    calendar = _read(path)
    event = _find(calendar, MOVABLE)
    status = "CONFIRMED" if str(event.get("STATUS", "")).upper() == "CANCELLED" else "CANCELLED"
    event.pop("STATUS", None)
    event.add("STATUS", status)
    _save(path, calendar, event)


def _read(path: Path) -> Any:
    """A VCALENDAR. Its library's types are wider than what our own file holds."""
    return Calendar.from_ical(path.read_bytes())


def _find(calendar: Any, title: str) -> Any:
    return next(event for event in calendar.walk("VEVENT") if str(event.get("SUMMARY", "")) == title)


def _save(path: Path, calendar: Any, event: Any) -> None:
    sequence = int(event.get("SEQUENCE", 0)) + 1
    event.pop("SEQUENCE", None)
    event.add("SEQUENCE", sequence)
    fresh = path.with_suffix(".new")  # the worker may read at any moment: it sees the old file or the new one
    fresh.write_bytes(calendar.to_ical())
    fresh.replace(path)
