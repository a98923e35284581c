"""Bytes of a calendar file to its components as numbered lines.

We cut the file ourselves before any library sees it: the parser of icalendar gives up on a whole file for one bad
event, forgets line numbers, damages characters that a fold cuts in two, and keeps foreign time zones for the rest of
the process.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from moodle_sync.errors import NotACalendar

MAX_BYTES = 5_000_000
MAX_EVENTS = 2_000
MAX_LINES = 200_000
MAX_LINE = 100_000  # characters
MAX_DATES = 20_000  # in the EXDATE and RDATE lines of all events
MAX_PROBLEMS = 500
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # category Cc but for tabs and line breaks
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# A content line begins with a name; RFC 5545 section 3.1, https://www.rfc-editor.org/rfc/rfc5545#section-3.1
NAME = re.compile(r"\s*([A-Za-z0-9-]+)\s*[;:]")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing in the file that a person should look at."""

    event: str  # its title, else its UID, else where it is
    line: int | None  # in the file, from 1
    fact: str  # what is wrong
    done: str  # what we did about it


class Problems:
    """Collects the first 500 of a file; the rest is a number."""

    def __init__(self) -> None:
        self._kept: list[Problem] = []
        self._dropped = 0
        self.has_lost_something = False  # that may have been a session

    def report(self, event: str, line: int | None, fact: str, done: str, *, has_lost: bool = False) -> None:
        self.has_lost_something |= has_lost
        if len(self._kept) < MAX_PROBLEMS:
            self._kept.append(Problem(event=event, line=line, fact=fact, done=done))
        else:
            self._dropped += 1

    def in_order(self) -> tuple[Problem, ...]:
        kept = sorted(self._kept, key=lambda problem: (problem.line or 0, problem.event, problem.fact))
        if self._dropped:
            fact = f"has {self._dropped:,} more problems"
            kept.append(Problem(event="the calendar", line=None, fact=fact, done="not listed"))
        return tuple(kept)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One content line, unfolded. `number` is where it begins in the file, from 1."""

    number: int
    name: str  # in capitals
    text: str  # the whole line, name included

    @property
    def value(self) -> str:
        """What follows the first colon: right for lines whose parameters hold no colon."""
        return self.text.partition(":")[2].strip()


@dataclass(frozen=True, kw_only=True)
class Block:
    """A VEVENT (without what is nested in it) or a VTIMEZONE (with it)."""

    name: str
    number: int
    lines: list[Line] = field(default_factory=list)

    def value(self, name: str) -> str:
        return next((line.value for line in self.lines if line.name == name), "")

    def count(self, name: str) -> int:
        return sum(line.name == name for line in self.lines)

    def count_dates(self) -> int:
        """How many single dates it lists beside its rule."""
        return sum(line.text.count(",") + 1 for line in self.lines if line.name in {"EXDATE", "RDATE"})

    def label(self) -> str:
        """The event in words that a person recognises."""
        text = self.value("SUMMARY") or self.value("UID")
        return plain_text(text).replace("\\,", ",").replace("\\;", ";")[:100] or f"the event in line {self.number}"


@dataclass(frozen=True, kw_only=True)
class RawCalendar:
    """One VCALENDAR."""

    properties: dict[str, str] = field(default_factory=dict)
    events: list[Block] = field(default_factory=list)
    zones: list[Block] = field(default_factory=list)


def plain_text(value: object) -> str:
    """Without control characters, which a database or a page would refuse; tabs and line breaks stay."""
    return CONTROL.sub("", str(value).replace("\r\n", "\n")).strip()


def split_calendars(body: bytes, problems: Problems) -> list[RawCalendar]:
    """The VCALENDARs in `body`, one after the other. Raises NotACalendar; a file cut short is none, because what is
    missing from it would look cancelled."""
    _refuse_what_is_no_calendar(body)
    splitter = _Splitter(problems)
    for line in _lines(body, problems):
        splitter.take(line)
    if splitter.calendar is not None or not splitter.calendars:
        raise NotACalendar("The calendar is cut off: its last line, END:VCALENDAR, is missing.")
    _refuse_what_is_too_much([event for calendar in splitter.calendars for event in calendar.events])
    return splitter.calendars


def _refuse_what_is_no_calendar(body: bytes) -> None:
    if len(body) > MAX_BYTES:
        raise NotACalendar(f"The file is larger than {MAX_BYTES // 1_000_000} MB.")
    start = body.removeprefix(BYTE_ORDER_MARK).lstrip()[:100].upper()
    if not start:
        raise NotACalendar("The file is empty.")
    if start.startswith(b"<"):
        raise NotACalendar("This is a web page, not a calendar: perhaps the address asks for a sign-in first.")
    if not start.startswith(b"BEGIN:VCALENDAR"):
        raise NotACalendar("This is not a calendar: it does not begin with BEGIN:VCALENDAR.")


def _refuse_what_is_too_much(events: list[Block]) -> None:
    """As a whole: were only a part of it read, the rest would look cancelled."""
    if len(events) > MAX_EVENTS:
        raise NotACalendar(f"The calendar has {len(events):,} events; at most {MAX_EVENTS:,} are read.")
    if sum(event.count_dates() for event in events) > MAX_DATES:
        raise NotACalendar(f"The calendar lists more than {MAX_DATES:,} single dates (EXDATE, RDATE).")


def _lines(body: bytes, problems: Problems) -> Iterator[Line]:
    for count, (number, content) in enumerate(_unfold(body.removeprefix(BYTE_ORDER_MARK)), 1):
        if count > MAX_LINES:
            raise NotACalendar(f"The calendar has more than {MAX_LINES:,} lines.")
        try:
            text = content.decode()
        except UnicodeDecodeError:
            text = content.decode("cp1252", errors="replace")
            problems.report(f"line {number}", number, "is not written in UTF-8", "read as Windows-1252")
        name = NAME.match(text)
        if name is None:
            problems.report(f"line {number}", number, "is not a line of a calendar", "the line was left out")
        elif len(text) > MAX_LINE:
            problems.report(f"line {number}", number, "is too long", "the line was left out", has_lost=True)
        else:
            yield Line(number=number, name=name[1].upper(), text=text.strip())


def _unfold(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Logical lines with their numbers. On bytes, because a fold may cut a character of several bytes in two."""
    start, parts = 0, list[bytes]()
    for number, content in enumerate(re.split(rb"\r?\n", body), 1):
        if content[:1] in {b" ", b"\t"} and parts:
            parts.append(content[1:])
        elif content.strip():
            if parts:
                yield start, b"".join(parts)
            start, parts = number, [content]
    if parts:
        yield start, b"".join(parts)


class _Splitter:
    """Takes line after line and sorts it into calendars, events and zones."""

    def __init__(self, problems: Problems) -> None:
        self.calendars: list[RawCalendar] = []
        self.problems = problems
        self.calendar: RawCalendar | None = None
        self.block: Block | None = None
        self.depth = 0  # of components that we do not read, such as an alarm

    def take(self, line: Line) -> None:
        component = line.value.upper()
        if line.name == "BEGIN":
            self._begin(component, line)
        elif line.name == "END":
            self._end(component, line)
        elif self.block is not None:
            if not self.depth or self.block.name == "VTIMEZONE":
                self.block.lines.append(line)
        elif self.calendar is not None and not self.depth:
            self.calendar.properties.setdefault(line.name, line.value)

    def _begin(self, component: str, line: Line) -> None:
        if component == "VCALENDAR":
            self._drop_unfinished()
            self.calendar, self.depth = RawCalendar(), 0
        elif component in {"VEVENT", "VTIMEZONE"}:
            self._drop_unfinished()
            self.block, self.depth = Block(name=component, number=line.number), 0
        else:
            self.depth += 1
            if self.block is not None and self.block.name == "VTIMEZONE":
                self.block.lines.append(line)

    def _end(self, component: str, line: Line) -> None:
        if component == "VCALENDAR":
            self._drop_unfinished()
            if self.calendar is not None:
                self.calendars.append(self.calendar)
            self.calendar, self.depth = None, 0
        elif self.block is not None and component == self.block.name:
            self._finish_block()
        else:
            self.depth = max(0, self.depth - 1)
            if self.block is not None and self.block.name == "VTIMEZONE":
                self.block.lines.append(line)

    def _finish_block(self) -> None:
        assert self.block is not None
        if self.calendar is not None:
            kept = self.calendar.events if self.block.name == "VEVENT" else self.calendar.zones
            kept.append(self.block)
        self.block, self.depth = None, 0

    def _drop_unfinished(self) -> None:
        if self.block is not None:
            fact = f"has no END:{self.block.name}"
            self.problems.report(self.block.label(), self.block.number, fact, "left out", has_lost=True)
        self.block = None
