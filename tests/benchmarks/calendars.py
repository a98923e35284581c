"""A calendar of 2,000 events with recurrence: our reader beside recurring-ical-events alone, in time and memory."""

import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import icalendar
import recurring_ical_events

from moodle_sync.read_calendar import read_calendar

SERIES, DATES, OVERRIDES = 500, 10, 3  # so that there are 2,000 events and 5,000 dates
FIRST = datetime(2026, 9, 1, 16, tzinfo=UTC)
WINDOW = (FIRST - timedelta(days=400), FIRST + timedelta(days=800))
AIM = 1.5  # times the library's time


@dataclass(frozen=True, kw_only=True)
class Work:
    """Medians in s, and the most memory that was in use at once in MB."""

    time_s: float
    memory_mb: float


@dataclass(frozen=True, kw_only=True)
class Comparison:
    events: int
    ours: Work
    library: Work

    def words(self) -> str:
        ratio = self.ours.time_s / self.library.time_s
        return (
            f"A calendar of {self.events:,} events: read in {self.ours.time_s:.2f} s and {self.ours.memory_mb:.0f} MB; "
            f"recurring-ical-events alone takes {self.library.time_s:.2f} s and {self.library.memory_mb:.0f} MB. "
            f"{ratio:.2f} times its time (aim {AIM}): this {'holds' if ratio <= AIM else 'does not hold'}."
        )


def measure(*, rounds: int, series: int = SERIES) -> Comparison:
    body = make_calendar(series)
    assert len(_read(body)) == len(_expand(body)) == series * DATES
    times: dict[Callable[[bytes], Sequence[object]], list[float]] = {_read: [], _expand: []}
    for _ in range(rounds):
        for work, taken in times.items():
            begun = time.perf_counter()
            work(body)
            taken.append(time.perf_counter() - begun)
    ours, library = (
        Work(time_s=statistics.median(taken), memory_mb=_most_memory(work, body)) for work, taken in times.items()
    )
    return Comparison(events=series * (1 + OVERRIDES), ours=ours, library=library)


def make_calendar(series: int = SERIES) -> bytes:
    """Weekly series, each with moved dates; every second one in a zone."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:benchmark"]
    for number in range(series):
        start = FIRST + timedelta(minutes=number)
        zone = ";TZID=Europe/Berlin" if number % 2 else ""
        end = "" if number % 2 else "Z"
        lines += [
            *_begin(number),
            f"DTSTART{zone}:{start:%Y%m%dT%H%M%S}{end}",
            f"RRULE:FREQ=WEEKLY;COUNT={DATES}",
            *_end(),
        ]
        for week in range(1, OVERRIDES + 1):
            date = start + timedelta(weeks=week)
            lines += [
                *_begin(number),
                f"RECURRENCE-ID{zone}:{date:%Y%m%dT%H%M%S}{end}",
                f"DTSTART{zone}:{date + timedelta(hours=1):%Y%m%dT%H%M%S}{end}",
                *_end(),
            ]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def _begin(number: int) -> list[str]:
    return [
        "BEGIN:VEVENT",
        f"UID:{number}@benchmark",
        "DTSTAMP:20260801T000000Z",
        f"SUMMARY:Session {number}",
        "DESCRIPTION:Bring a ruler\\, and a pen.",
    ]


def _end() -> list[str]:
    return ["DURATION:PT2H", "END:VEVENT"]


def _read(body: bytes) -> Sequence[object]:
    return read_calendar(body, default_zone="Europe/Berlin", window=WINDOW).occurrences


def _expand(body: bytes) -> Sequence[object]:
    return recurring_ical_events.of(icalendar.Calendar.from_ical(body)).between(*WINDOW)


def _most_memory(work: Callable[[bytes], Sequence[object]], body: bytes) -> float:
    tracemalloc.start()
    try:
        work(body)
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
