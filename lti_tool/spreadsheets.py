"""Tables as files: XLSX by way of a file on disk, so that it grows no more in memory with its rows than CSV does.

No cell is a formula, whoever named a session or a university: https://owasp.org/www-community/attacks/CSV_Injection
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

from openpyxl import Workbook
from openpyxl.cell import Cell as XlsxCell
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from lti_tool.csv_files import Cell, csv_pieces

__all__ = ["Cell", "Sheet", "csv_pieces", "xlsx_pieces"]
Sheet = tuple[str, Iterable[Sequence[Cell]]]  # its name and its rows, the first of which are the heads
PIECE_BYTES = 64 * 1024
IN_MEMORY_BYTES = 1024 * 1024
MAX_SHEET_NAME = 31
NOT_IN_SHEET_NAME = str.maketrans(dict.fromkeys(r"[]:*?/\\", " "))


def xlsx_pieces(sheets: Iterable[Sheet]) -> Iterator[bytes]:
    """The rows are all read before the first piece."""
    workbook = Workbook(write_only=True)
    for name, rows in sheets:
        sheet = workbook.create_sheet(name.translate(NOT_IN_SHEET_NAME)[:MAX_SHEET_NAME])
        sheet.freeze_panes = "B2"
        for number, row in enumerate(rows):
            sheet.append([_xlsx_cell(sheet, cell, is_head=number == 0) for cell in row])
    made = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 - closed when it has been sent
    workbook.save(made)
    made.seek(0)
    return _pieces_of(made)


def _pieces_of(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def _xlsx_cell(sheet: WriteOnlyWorksheet, value: Cell, *, is_head: bool) -> XlsxCell:
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value)
    if isinstance(value, str):
        cell.data_type = "s"  # openpyxl takes what begins with "=" for a formula
    if is_head:
        cell.font = Font(bold=True)
    return cell
