"""Bytes of a table, CSV or XLSX, to the sessions in it, and to what is wrong with it: what `read_calendar` gives, too.

Each row is one session. Its date, start and title are needed, all else may lack; columns are found by their names
(`table_columns`), values are read as people type them (`table_values`). Times are wall times of the zone that the row
names, else of the zone beside the time or in the header, else of the series. A bad row never loses the good ones, every
problem names the row, and nothing but NotACalendar is raised.

A table has no UIDs. A session is known by its title, whatever its case and punctuation, so that a row stays the same
session when it is moved to another date (`plan_import` pairs by UID what is there once before and once now) or gets
another hosting university. Rows of one title share the UID and are told apart by their start, as the dates of a
recurring event are; only if they share that, too, by the hosting university. We do not number them: when the first of
two is taken out, the other would become the first, and the wrong session would move. A changed title is another
session.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from moodle_sync.calendar_lines import Problems, plain_text
from moodle_sync.calendar_text import MAX_DESCRIPTION, MAX_TITLE, is_link
from moodle_sync.calendar_zones import find_zone
from moodle_sync.read_calendar import Occurrence, Reading
from moodle_sync.table_cells import OLE, SEPARATORS, ZIP, Row, Table, decode, read_cells
from moodle_sync.table_columns import HEADER_WITHIN, Column, Header, find_header, likeness, normalised, normalised_names
from moodle_sync.table_values import Span, is_ambiguous, order_of_dates, read_date, read_span

LOOKS_LIKE_ONE = 2  # columns known by name
SAMPLE_BYTES = 50_000
SHOWN = 40  # characters of a cell that a problem quotes
# English, German, French, Spanish, Italian, Greek, Polish, Lithuanian.
CANCELLED = """
    cancelled, canceled
    abgesagt, entfällt, ausgefallen
    annulé, annulée
    cancelado, cancelada, anulado, anulada
    annullato, annullata, cancellato, cancellata
    ακυρώθηκε
    odwołane, odwołany, odwołana
    atšaukta, atšauktas
"""
PLANNED = """
    planned, confirmed, scheduled, tentative, moved, held, ok
    geplant, bestätigt, verschoben
    prévu, prévue, confirmé, confirmée
    previsto, prevista, confirmado, confirmada
    confermato, confermata
    zaplanowane
    planuojama
"""


@dataclass(frozen=True, kw_only=True)
class _Line:
    """What one row says, before the missing ends are filled in. Times are on the clock of `zone`."""

    number: int
    start: datetime  # naive
    length: timedelta | None
    zone: str
    title: str
    description: str
    hosting_university: str | None
    join_url: str | None
    cancelled: bool

    @property
    def label(self) -> str:
        return self.title or f"row {self.number}"


class _BadRow(Exception):
    """The row cannot be read; the message is the end of a sentence that begins with its title."""


def looks_like_table(body: bytes) -> bool:
    """A workbook, or text that names two of our columns or more in one of its first lines."""
    if body.startswith((ZIP, OLE)):
        return True
    start = body if len(body) <= SAMPLE_BYTES else body[:SAMPLE_BYTES].rpartition(b"\n")[0]
    lines = decode(start, Problems()).splitlines()[:HEADER_WITHIN]
    rows = (Row(number=1, cells=tuple(line.split(separator))) for line in lines for separator in SEPARATORS)
    return any(likeness(Table(rows=(row,))) >= LOOKS_LIKE_ONE for row in rows)


def read_table(body: bytes, *, default_zone: str, window: tuple[datetime, datetime]) -> Reading:
    """The sessions in `body` that touch `window` (two aware instants).

    `default_zone` (IANA) is that of the series. Raises NotACalendar when the file as a whole is no table of sessions,
    is cut off, or is too large.
    """
    problems = Problems()
    table = read_cells(body, problems, rank=likeness)
    header = find_header(table)
    for name, fact, done in header.remarks:
        problems.report(f"column {name}", header.number, fact, done)
    reader = _Reader(table=table, header=header, default_zone=default_zone, problems=problems)
    occurrences = list(reader.occurrences(window))
    occurrences.sort(key=lambda found: (found.start_at, found.source_uid))
    return Reading(
        occurrences=tuple(occurrences), problems=problems.in_order(), is_complete=not problems.has_lost_something
    )


@dataclass(frozen=True, kw_only=True)
class _Reader:
    """What the steps of one reading share; `problems` grows."""

    table: Table
    header: Header
    default_zone: str
    problems: Problems

    def occurrences(self, window: tuple[datetime, datetime]) -> Iterator[Occurrence]:
        read: list[tuple[_Line, Occurrence]] = []
        for line in self._with_lengths(list(self._lines())):
            try:
                read.append((line, self._occurrence(line)))
            except _BadRow as bad:
                self._report(line, str(bad), "left out", has_lost=True)
        alike = Counter((found.source_uid, found.original_start_at) for _, found in read)
        seen: set[tuple[str, datetime]] = set()
        for line, found in read:
            if alike[found.source_uid, found.original_start_at] > 1:  # all of them, whatever their order
                found = replace(found, source_uid=_uid(line.title, normalised(line.hosting_university or "")))  # noqa: PLW2901
            key = found.source_uid, found.original_start_at
            if key in seen:
                self._report(line, "is in the table more than once", "the first one was read")
            elif found.end_at <= window[0] or found.start_at >= window[1]:
                self._report(line, f"is on {line.start:%d %B %Y}, too far from today", "left out", has_lost=True)
            else:
                yield found
            seen.add(key)

    def _lines(self) -> Iterator[_Line]:
        rows = [row for row in self.table.rows if row.number > self.header.number]
        rows = [row for row in rows if any(_text(self.header.cell(row, column)) for column in self.header.places)]
        dates = self._dates(rows)
        for row in rows:
            title = " ".join(self._text(row, Column.TITLE).split())[:MAX_TITLE]
            try:
                yield self._line(row, dates[row.number], title)
            except _BadRow as bad:
                self.problems.report(title or f"row {row.number}", row.number, str(bad), "left out", has_lost=True)

    def _dates(self, rows: list[Row]) -> dict[int, date | None]:
        """One order of day and month for the whole column."""
        cells = {row.number: self.header.cell(row, Column.DATE) for row in rows}
        order = order_of_dates(cells.values())
        doubtful = [number for number, cell in cells.items() if is_ambiguous(cell)]
        if doubtful and not order.certain:
            fact = f"has dates such as {_text(cells[doubtful[0]])}, and none that tells day from month"
            done = f"read with the day first, in {len(doubtful):,} rows"
            self.problems.report(f"column {Column.DATE.value}", doubtful[0], fact, done)
        epoch = self.table.epoch
        return {number: read_date(cell, day_first=order.day_first, epoch=epoch) for number, cell in cells.items()}

    def _line(self, row: Row, day: date | None, title: str) -> _Line:
        if day is None:
            raise _BadRow(self._fault(row, Column.DATE))
        span = read_span(self.header.cell(row, Column.START))
        if span is None:
            raise _BadRow(self._fault(row, Column.START))
        if not title:
            self.problems.report(f"row {row.number}", row.number, "has no title", "read without a title")
        start = datetime.combine(day, span.start)
        line = _Line(
            number=row.number,
            start=start,
            length=None,
            zone=self.default_zone,
            title=title,
            description=self._description(row),
            hosting_university=" ".join(self._text(row, Column.HOSTING_UNIVERSITY).split())[:MAX_TITLE] or None,
            join_url=None,
            cancelled=False,
        )
        return replace(
            line,
            length=self._length(row, line, span),
            zone=self._zone(row, line, span),
            join_url=self._join_url(row, line),
            cancelled=self._cancelled(row, line),
        )

    def _length(self, row: Row, line: _Line, span: Span) -> timedelta | None:
        cell = self.header.cell(row, Column.END)
        if not _text(cell):
            end = span.end
        else:
            written = read_span(cell)
            end = written.start if written and written.end is None else None
            if end is None:
                raise _BadRow(self._fault(row, Column.END))
            if span.end not in {None, end}:
                self._report(line, "has two ends", f"{end:%H:%M} was read")
        if end is None:
            return None
        length = datetime.combine(line.start.date(), end) - line.start
        if length <= timedelta(0):
            raise _BadRow("does not end after its start")
        return length

    def _zone(self, row: Row, line: _Line, span: Span) -> str:
        """What the row says in a column of its own goes before the label beside its time and before the header."""
        fallback = self.header.zone or self.default_zone
        named = self._text(row, Column.TIME_ZONE) or span.label
        if not named:
            return fallback
        zone = find_zone(named[:100])
        if zone is None:
            name = "the series' zone" if fallback == self.default_zone else "the header's zone"
            self._report(line, f"names the unknown time zone {_shown(named)}", f"read with {name}, {fallback}")
        return zone or fallback

    def _description(self, row: Row) -> str:
        abstract, materials = self._text(row, Column.ABSTRACT), self._text(row, Column.MATERIALS)
        parts = [abstract, f"Materials: {materials}" if materials else ""]
        return "\n\n".join(part for part in parts if part)[:MAX_DESCRIPTION]

    def _join_url(self, row: Row, line: _Line) -> str | None:
        link = self._text(row, Column.JOIN_LINK)
        if link and not is_link(link):
            self._report(line, "has a join link that is no https address", "read without it")
        return link if link and is_link(link) else None

    def _cancelled(self, row: Row, line: _Line) -> bool:
        status = normalised(self._text(row, Column.STATUS))
        cancelled = status in normalised_names(CANCELLED)
        if status and not cancelled and status not in normalised_names(PLANNED):
            fact = f"has the unknown status {_shown(self._text(row, Column.STATUS))}"
            self._report(line, fact, "read as planned; to cancel it, write: cancelled")
        return cancelled

    def _with_lengths(self, lines: list[_Line]) -> Iterator[_Line]:
        """A row without an end lasts as long as all the others, if they agree."""
        lengths = {line.length for line in lines if line.length is not None}
        usual = next(iter(lengths)) if len(lengths) == 1 else None
        for line in lines:
            if line.length is not None:
                yield line
            elif usual is None:
                self._report(
                    line, "has no end, and the other rows do not tell how long it lasts", "left out", has_lost=True
                )
            else:
                end = line.start + usual
                self._report(line, "has no end", f"read as ending at {end:%H:%M}, as long as all the others")
                yield replace(line, length=usual)

    def _occurrence(self, line: _Line) -> Occurrence:
        assert line.length is not None
        zone = self.default_zone if line.zone in {"UTC", "Etc/UTC"} else line.zone  # UTC is on nobody's clock
        try:
            start_at = line.start.replace(tzinfo=ZoneInfo(line.zone)).astimezone(UTC)
            end_at = (line.start + line.length).replace(tzinfo=ZoneInfo(line.zone)).astimezone(UTC)
            back = start_at.astimezone(ZoneInfo(line.zone)).replace(tzinfo=None)
            wall_start = start_at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        except OverflowError as error:  # at the ends of the calendar, in the years 1 and 9999
            raise _BadRow("has a date at the end of the calendar") from error
        if end_at <= start_at:  # both ends in a switch of daylight saving
            raise _BadRow("does not end after its start")
        if back != line.start:
            fact = f"begins at {line.start:%H:%M}, which the clocks skip on that day"
            self._report(line, fact, f"read as {back:%H:%M}")
        return Occurrence(
            source_uid=_uid(line.title),
            original_start_at=start_at,
            start_at=start_at,
            end_at=end_at,
            wall_start=wall_start,
            zone=zone,
            title=line.title,
            description=line.description,
            hosting_university=line.hosting_university,
            join_url=line.join_url,
            cancelled=line.cancelled,
            sequence=0,
            silent_on=self._silent_on(),
        )

    def _silent_on(self) -> tuple[str, ...]:
        """What has no column stays as it is."""
        silent = ["co_hosts", "speakers"]
        if Column.JOIN_LINK not in self.header.places:
            silent.append("join_url")
        if Column.HOSTING_UNIVERSITY not in self.header.places:
            silent += ["hosting_university", "hosting_university_id"]
        if not {Column.ABSTRACT, Column.MATERIALS} & self.header.places.keys():
            silent.append("description")
        return tuple(silent)

    def _fault(self, row: Row, column: Column) -> str:
        text = _shown(self._text(row, column))
        return f"has a {column.value} that cannot be read, {text}" if text else f"has no {column.value}"

    def _text(self, row: Row, column: Column) -> str:
        return _text(self.header.cell(row, column))

    def _report(self, line: _Line, fact: str, done: str, *, has_lost: bool = False) -> None:
        self.problems.report(line.label, line.number, fact, done, has_lost=has_lost)


def _text(cell: object) -> str:
    return "" if cell is None else plain_text(cell)


def _shown(text: str) -> str:
    return " ".join(text.split())[:SHOWN]


def _uid(*words: str) -> str:
    made_of = "\n".join(normalised(word) for word in words)
    return f"table:{hashlib.sha256(made_of.encode(errors='replace')).hexdigest()[:32]}"
