"""Bytes of a CSV or XLSX file to rows of cells, numbered as a spreadsheet program numbers them.

Tables are bounded as calendars are. One with more rows than we read is refused as a whole: the rest would look as if it
had been taken away.
"""

import csv
import io
import warnings
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from openpyxl.reader.excel import ExcelReader
from openpyxl.utils.datetime import WINDOWS_EPOCH
from openpyxl.worksheet.worksheet import Worksheet

from moodle_sync.calendar_lines import MAX_BYTES, Problems
from moodle_sync.errors import NotACalendar

MAX_ROWS = 2_000  # that hold anything
MAX_ROW_NUMBER = 10_000  # how far down a sheet we look for them
MAX_COLUMNS = 60
MAX_SHEETS = 20
# A workbook is a zip archive, which may hold a thousand times its own size; openpyxl reads about 2 MB a second.
MAX_CELL = 32_767  # characters, as many as Excel lets into a cell
MAX_UNPACKED_BYTES = 5_000_000
MAX_PARTS = 1_000
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
UTF_8_MARK, UTF_16_MARKS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
SEPARATORS = "\t;,"
LAST_CELL = "\x1fend of the table\x1f"  # follows the text, to see whether an open quotation mark swallows it
OLD_EXCEL = "This is an old Excel workbook (.xls), or one with a password: save it as .xlsx without one, or as CSV."

Cell = object  # what openpyxl gives: text, number, date, time, length of time, truth, or None; of a CSV, text
Cells = tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True)
class Row:
    number: int  # from 1
    cells: Cells


@dataclass(frozen=True, kw_only=True)
class Table:
    rows: tuple[Row, ...]  # without the empty ones
    sheet: str = ""
    fault: str = ""  # why the rows are not all
    epoch: datetime = WINDOWS_EPOCH  # what a date as a bare number counts from


def read_cells(body: bytes, problems: Problems, *, rank: Callable[[Table], int]) -> Table:
    """The table in `body`. `rank` tells how much a table looks like ours: it decides between the separators of a CSV
    and between the sheets of a workbook. Raises NotACalendar."""
    if len(body) > MAX_BYTES:
        raise NotACalendar(f"The file is larger than {MAX_BYTES // 1_000_000} MB.")
    if body.startswith(OLE):
        raise NotACalendar(OLD_EXCEL)
    if body.startswith(ZIP):
        return _read_workbook(body, problems, rank)
    return _read_text(decode(body, problems), rank)


def decode(body: bytes, problems: Problems) -> str:
    """The text of a CSV. Excel writes "CSV" in the code page of its country and "Unicode text" in UTF-16."""
    if body.startswith(UTF_16_MARKS):
        return body.decode("utf-16", errors="replace")
    try:
        return body.removeprefix(UTF_8_MARK).decode()
    except UnicodeDecodeError:
        problems.report("the table", None, "is not written in UTF-8", "read as Windows-1252")
        return body.decode("cp1252", errors="replace")


def _read_text(text: str, rank: Callable[[Table], int]) -> Table:
    if not text.strip():
        raise NotACalendar("The file is empty.")
    if text.lstrip().startswith("<"):
        raise NotACalendar("This is a web page, not a table: perhaps the address asks for a sign-in first.")
    head, _, rest = text.partition("\n")
    if head.strip().lower().startswith("sep=") and len(head.strip()) == 5:  # a hint for Excel that Excel does not show
        best = _split(rest, head.strip()[-1])
    else:
        best = max((_split(text, separator) for separator in SEPARATORS), key=rank)
    if best.fault:
        raise NotACalendar(best.fault)
    return best


def _split(text: str, separator: str) -> Table:
    reader = csv.reader(io.StringIO(f"{text}\n{LAST_CELL}", newline=""), delimiter=separator)
    rows: list[Row] = []
    last = Row(number=0, cells=())
    fault = ""
    try:
        for number, cells in enumerate(reader, 1):
            last = Row(number=number, cells=tuple(cells[:MAX_COLUMNS]))
            if any(cell.strip() for cell in cells[:MAX_COLUMNS]):
                rows.append(last)
            if len(rows) > MAX_ROWS + 1:  # the last cell is a row, too
                fault = f"The table has more than {MAX_ROWS:,} rows."
                break
        else:
            if last.cells != (LAST_CELL,):
                fault = f"The table is cut off: a quotation mark that opens in row {last.number} is never closed."
    except csv.Error as error:
        fault = f"The table cannot be read: {error} in row {last.number + 1}."
    return Table(rows=tuple(rows if fault else rows[:-1]), fault=fault)


def _read_workbook(body: bytes, problems: Problems, rank: Callable[[Table], int]) -> Table:
    """The first of the sheets that look most like ours."""
    try:
        _refuse_a_bomb(body)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and checks that it does not keep
            reader = _BoundedReader(io.BytesIO(body), read_only=True, data_only=True, keep_links=False)
            reader.read()
            workbook = reader.wb
            try:
                sheets = islice(workbook.worksheets, MAX_SHEETS)
                tables = [_sheet(sheet, epoch=workbook.epoch) for sheet in sheets]
            finally:
                workbook.close()
    except NotACalendar:
        raise
    except Exception as error:  # openpyxl raises whatever Python raises on odd input
        raise NotACalendar(
            "The file cannot be read as an Excel workbook (.xlsx); save it as one, or as CSV."
        ) from error
    if not tables:
        raise NotACalendar("The workbook has no sheet with cells.")
    best = max(tables, key=rank)
    alike = [table.sheet for table in tables if rank(table) == rank(best)]
    if len(alike) > 1:
        problems.report("the workbook", None, f"has {len(alike)} sheets that look alike", f"“{best.sheet}” was read")
    return best


def _refuse_a_bomb(body: bytes) -> None:
    """The sizes that the archive states are those up to which zipfile unpacks."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        _refuse_too_much(part.file_size for part in archive.infolist())


def _refuse_too_much(sizes: Iterable[int]) -> None:
    listed = list(sizes)
    if len(listed) > MAX_PARTS or sum(listed) > MAX_UNPACKED_BYTES:
        raise NotACalendar(f"The workbook is larger than {MAX_UNPACKED_BYTES // 1_000_000} MB when it is unpacked.")


class _BoundedReader(ExcelReader):
    """Many sheets may be one and the same part of the archive, which is then read for each of them."""

    def read_worksheets(self) -> None:
        parts = [link.target for _, link in self.parser.find_sheets() if link.target in self.valid_files]
        _refuse_too_much(self.archive.getinfo(part).file_size for part in parts)
        super().read_worksheets()


def _sheet(sheet: Worksheet, *, epoch: datetime) -> Table:
    rows: list[Row] = []
    chars = 0  # one text of the archive may stand in every cell
    found = sheet.iter_rows(max_row=MAX_ROW_NUMBER, max_col=MAX_COLUMNS, values_only=True)
    for number, cells in enumerate(found, 1):
        row = Row(number=number, cells=tuple(cell[:MAX_CELL] if isinstance(cell, str) else cell for cell in cells))
        chars += sum(len(cell) for cell in row.cells if isinstance(cell, str))
        if chars > MAX_UNPACKED_BYTES:
            raise NotACalendar(f"The table has more than {MAX_UNPACKED_BYTES:,} characters.")
        if any(cell is not None and str(cell).strip() for cell in row.cells):
            rows.append(row)
        if len(rows) > MAX_ROWS:
            raise NotACalendar(f"The table has more than {MAX_ROWS:,} rows.")
    return Table(rows=tuple(rows), sheet=sheet.title, epoch=epoch)
