"""Dates and times as people type them into a spreadsheet, or as a spreadsheet keeps them.

A spreadsheet keeps a date as days since 30 December 1899 and a time as a part of a day; in a CSV, or in a cell without
a format, the bare number may show:
https://learn.microsoft.com/en-us/office/troubleshoot/excel/1900-and-1904-date-system
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

LONGEST = 100  # characters of a date or a time
SERIALS = range(20_000, 80_000)  # the years 1954 to 2119
DAY = timedelta(days=1)
ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
NUMBERS = re.compile(r"(\d{1,2})\s*([./-])\s*(\d{1,2})\s*[./-]\s*(\d{4}|\d{2})")
DAY_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th|\.)?[\s-]*([^\W\d_]+)\.?,?[\s-]*(\d{4})")
MONTH_DAY = re.compile(r"([^\W\d_]+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})")
WEEKDAY = re.compile(r"^[^\W\d_]{2,12}(?:\.?,?\s+(?=\d)|\.?,\s*)")  # Tue 10 Oct; Tuesday, October 10
MIDNIGHT = re.compile(r"[T\s]+0?0:00(:00(\.0+)?)?Z?$")  # how a date is exported as a moment
# The first letters tell: English, and German where it differs.
MONTHS = ("jan", "feb", "mar mär", "apr", "may mai", "jun", "jul", "aug", "sep", "oct okt", "nov", "dec dez")
MONTH_NUMBERS = {start: number for number, starts in enumerate(MONTHS, 1) for start in starts.split()}
TIME = re.compile(
    r"(\d{1,2})(?:\s*[:.h]\s*(\d{2})(?:[:.]\d{2}(?:\.\d+)?)?)?\s*(h|uhr|a\.?m\.?|p\.?m\.?)?", re.IGNORECASE
)
PART_OF_A_DAY = re.compile(r"0?\.\d{3,}")
LABEL = re.compile(r"(?<=[\d.mMrRhH])\s+\(?([A-Z]{2,5})\)?$")  # 16:00 CET
UNTIL = re.compile(r"\s*(?:-|–|—|\bto\b|\buntil\b|\bbis\b)\s*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Span:
    """What the cell of the start says: a start, perhaps an end, perhaps the label of a zone, such as CET."""

    start: time
    end: time | None = None
    label: str | None = None


@dataclass(frozen=True, kw_only=True)
class DateOrder:
    """How the column writes 3/4/2024. `certain` is False when no date in it tells."""

    day_first: bool
    certain: bool


def order_of_dates(cells: Iterable[object]) -> DateOrder:
    """Dates with dots are day first everywhere. Among the others one that can be read in one way only tells for all."""
    day_first = month_first = False
    for cell in cells:
        found = _numbers(cell)
        if found and found[2] != ".":
            day_first = day_first or int(found[1]) > 12
            month_first = month_first or int(found[3]) > 12
    if day_first == month_first:  # neither is there, or both
        return DateOrder(day_first=True, certain=False)
    return DateOrder(day_first=day_first, certain=True)


def is_ambiguous(cell: object) -> bool:
    found = _numbers(cell)
    return found is not None and found[2] != "." and found[1] != found[3] and max(int(found[1]), int(found[3])) <= 12


def read_date(cell: object, *, day_first: bool, epoch: datetime) -> date | None:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    try:
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            return _from_serial(float(cell), epoch)
        return _read_date(_date_text(cell), day_first=day_first, epoch=epoch)
    except (ValueError, OverflowError):  # 31 February, or a number that is none
        return None


def _read_date(text: str, *, day_first: bool, epoch: datetime) -> date | None:
    if re.fullmatch(r"\d{5}(\.\d+)?", text):
        return _from_serial(float(text), epoch)
    if found := ISO.fullmatch(text):
        return date(int(found[1]), int(found[2]), int(found[3]))
    if found := NUMBERS.fullmatch(text):
        day, month = int(found[1]), int(found[3])
        if month > 12 or not (day_first or day > 12 or found[2] == "."):
            day, month = month, day
        return date(int(found[4]) + (2000 if len(found[4]) == 2 else 0), month, day)
    if found := DAY_MONTH.fullmatch(text):
        return date(int(found[3]), _month(found[2]), int(found[1]))
    if found := MONTH_DAY.fullmatch(text):
        return date(int(found[3]), _month(found[1]), int(found[2]))
    return None


def read_span(cell: object) -> Span | None:
    """`16:00`, `4 pm`, `16:00–18:00`, `4–6 pm CET`."""
    if not isinstance(cell, str):
        return _only_start(read_time(cell))
    text, label = _without_label(cell.strip())
    if len(text) > LONGEST:
        return None
    first, *others = UNTIL.split(text)
    if not others:
        return _only_start(read_time(first), label)
    unit = _unit(others[0])
    start = read_time(first if _unit(first) else f"{first} {unit}".strip())  # 4–6 pm
    end = read_time(others[0])
    if start is None or end is None or len(others) > 1:
        return None
    return Span(start=start, end=end, label=label)


def read_time(cell: object) -> time | None:
    """To the minute. None for what is no time, and for a bare number of hours: 4 may be in the afternoon."""
    if isinstance(cell, datetime):
        return _to_the_minute(timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second))
    if isinstance(cell, time):
        return _to_the_minute(timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second))
    if isinstance(cell, timedelta):
        return _to_the_minute(cell)
    if isinstance(cell, float):
        return _to_the_minute(cell * DAY) if 0 <= cell < 1 else None
    return _time_of_text(cell.strip()) if isinstance(cell, str) else None


def _time_of_text(text: str) -> time | None:
    if len(text) > LONGEST:
        return None
    if PART_OF_A_DAY.fullmatch(text):
        return _to_the_minute(float(text) * DAY)
    found = TIME.fullmatch(text)
    if not found or not (found[2] or found[3]):
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    unit = (found[3] or "").lower().replace(".", "")
    if unit in {"am", "pm"} and 1 <= hour <= 12:
        hour = hour % 12 + (12 if unit == "pm" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _only_start(start: time | None, label: str | None = None) -> Span | None:
    return None if start is None else Span(start=start, label=label)


def _without_label(text: str) -> tuple[str, str | None]:
    found = LABEL.search(text) if len(text) <= LONGEST else None
    if found is None or found[1] in {"AM", "PM", "UHR"}:
        return text, None
    return text[: found.start()], found[1]


def _unit(text: str) -> str:
    found = TIME.fullmatch(text.strip())
    return (found and found[3]) or ""


def _to_the_minute(since_midnight: timedelta) -> time | None:
    minutes = round(since_midnight / timedelta(minutes=1))
    return time(minutes // 60, minutes % 60) if 0 <= minutes < 24 * 60 else None


def _from_serial(number: float, epoch: datetime) -> date | None:
    return (epoch + timedelta(days=int(number))).date() if int(number) in SERIALS else None


def _date_text(cell: object) -> str:
    text = MIDNIGHT.sub("", str(cell).strip()[:LONGEST])
    return text if MONTH_DAY.fullmatch(text) else WEEKDAY.sub("", text, count=1).strip()


def _numbers(cell: object) -> re.Match[str] | None:
    return NUMBERS.fullmatch(_date_text(cell)) if isinstance(cell, str) else None


def _month(name: str) -> int:
    """Raises ValueError."""
    number = MONTH_NUMBERS.get(name.casefold()[:3])
    if number is None:
        raise ValueError
    return number
