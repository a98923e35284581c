"""The sample series and its thirteen universities, which the demo, the rehearsals and the tests share."""

import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

SAMPLE = Path(__file__).parent / "sample"
ZONE = ZoneInfo("Europe/Berlin")  # of every time in series.ics, except UNTIL, which iCalendar demands in UTC
EVENT = re.compile(rb"BEGIN:VEVENT\r\n.*?END:VEVENT\r\n", re.DOTALL)
MASTER_START = re.compile(rb"^DTSTART;TZID=Europe/Berlin:(\d{8})T", re.MULTILINE)
EXCLUDED = re.compile(rb"^EXDATE;TZID=Europe/Berlin:([\dT,]+)", re.MULTILINE)
DATE_LINE = re.compile(rb"^(?:DTSTART|DTEND|EXDATE|RECURRENCE-ID);TZID=Europe/Berlin:[\dT,]+", re.MULTILINE)
LOCAL_DATE = re.compile(rb"\d{8}(?=T)")
UNTIL = re.compile(rb"(?<=;UNTIL=)\d{8}T\d{6}Z")


@dataclass(frozen=True, kw_only=True)
class SampleUniversity:
    slug: str
    name: str
    country: str  # ISO 3166-1 alpha-2
    time_zone: str  # IANA
    language: str  # ISO 639-1


def read_sample_universities() -> tuple[SampleUniversity, ...]:
    tables = tomllib.loads((SAMPLE / "universities.toml").read_text(encoding="utf-8"))["university"]
    return tuple(SampleUniversity(**table) for table in tables)


def read_sample_series() -> bytes:
    """The series as an iCalendar file, in autumn 2023."""
    return (SAMPLE / "series.ics").read_bytes()


def shift_sample_series(body: bytes, *, this_week: date, week: int = 7) -> bytes:
    """The sample series, moved by whole weeks until its week number `week` (from 1, as the series planned it) lies in
    the ISO week of `this_week`. The clock in Berlin stays at 16:00. Works on the bytes of `read_sample_series` only.
    """
    planned = _planned_days(body)[week - 1]
    shift = _monday(this_week) - _monday(planned)
    return EVENT.sub(lambda event: _shift_event(event[0], shift), body)


def _planned_days(body: bytes) -> list[date]:
    """The days of the weekly rule without those left out: week 1, 2, …; moves and cancellations do not count."""
    master = next(event for event in EVENT.findall(body) if b"\r\nRRULE:" in event)
    (start,), (excluded,), (until,) = (found.findall(master) for found in (MASTER_START, EXCLUDED, UNTIL))
    first, last, left_out = _day(start), _day(until), {_day(day) for day in LOCAL_DATE.findall(excluded)}
    days = [first + timedelta(weeks=number) for number in range((last - first).days // 7 + 1)]
    return [day for day in days if day not in left_out]


def _shift_event(event: bytes, shift: timedelta) -> bytes:
    shifted = DATE_LINE.sub(lambda line: LOCAL_DATE.sub(lambda day: _written(_day(day[0]) + shift), line[0]), event)
    return UNTIL.sub(lambda until: _shift_instant(until[0], shift), shifted)


def _shift_instant(text: bytes, shift: timedelta) -> bytes:
    """In UTC, but moved on the clock in Berlin, where a switch of daylight saving may lie between."""
    instant = datetime.strptime(text.decode(), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).astimezone(ZONE)
    return (instant + shift).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ").encode()


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _day(text: bytes) -> date:
    return datetime.strptime(text[:8].decode(), "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone


def _written(day: date) -> bytes:
    return day.strftime("%Y%m%d").encode()
