"""Times in words: in the viewer's zone, with the series' own zone beside it when the two differ."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time
from flask_babel import get_locale

from series.sessions import Session


@dataclass(frozen=True, kw_only=True)
class LocalTime:
    """One span of time on one wall clock."""

    day: str  # Tuesday 24 November 2026
    hours: str  # 17:00–19:00
    place: str  # Vilnius


@dataclass(frozen=True, kw_only=True)
class SessionTimes:
    """Both wall clocks, and whether they say different things."""

    yours: LocalTime
    series: LocalTime
    differ: bool


def times_of(session: Session, viewer_zone: str) -> SessionTimes:
    yours = local_time(session.start_at, session.end_at, viewer_zone)
    series = local_time(session.start_at, session.end_at, session.zone)
    differ = (yours.day, yours.hours) != (series.day, series.hours)
    return SessionTimes(yours=yours, series=series, differ=differ)


def moment(at: datetime, zone: str) -> str:
    """One instant on the wall clock of `zone`: 24 November 2026, 16:10 (Malta)."""
    there = at.astimezone(ZoneInfo(zone))
    return f"{format_datetime(there, 'd MMMM y, HH:mm', locale=get_locale())} ({_place(zone)})"


def local_time(start_at: datetime, end_at: datetime, zone: str) -> LocalTime:
    start, end = start_at.astimezone(ZoneInfo(zone)), end_at.astimezone(ZoneInfo(zone))
    locale = get_locale()
    return LocalTime(
        day=format_date(start, format="EEEE d MMMM y", locale=locale),
        hours=f"{format_time(start, 'HH:mm', locale=locale)}–{format_time(end, 'HH:mm', locale=locale)}",
        place=_place(zone),
    )


def _place(zone: str) -> str:
    return zone.rpartition("/")[2].replace("_", " ")
