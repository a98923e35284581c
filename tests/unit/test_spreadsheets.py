"""Files of tables: no cell is a formula, every letter survives, and memory does not grow with the rows."""

import csv
import io
import tracemalloc
from collections.abc import Iterator

import openpyxl
import pytest

from lti_tool.spreadsheets import Cell, csv_pieces, xlsx_pieces

GREEK = "Διαπολιτισμικές προσεγγίσεις"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("http://x")'])
def test_a_cell_of_a_csv_is_never_a_formula(text: str) -> None:
    (row,) = read_csv([[text]])
    assert row == [f"'{text}"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_a_cell_of_an_xlsx_is_never_a_formula(text: str) -> None:
    sheet = read_xlsx([[text]])
    cell = sheet.cell(1, 1)
    assert (cell.value, cell.data_type) == (text, "s")


def test_numbers_stay_numbers_and_what_is_empty_stays_empty() -> None:
    assert read_csv([[5, None, -2]]) == [["5", "", "-2"]]
    assert [cell.value for cell in read_xlsx([[5, None, -2]])[1]] == [5, None, -2]


def test_other_letters_and_quotes_and_lines_survive() -> None:
    text = f'{GREEK}, "zwei"\nZeilen'
    assert read_csv([[text]]) == [[text]]
    assert read_xlsx([[text]]).cell(1, 1).value == text


def test_what_xml_cannot_hold_is_left_out() -> None:
    assert read_xlsx([["a\x00b\x0bc"]]).cell(1, 1).value == "abc"


def test_a_csv_says_that_it_is_utf_8() -> None:
    assert b"".join(csv_pieces([["a"]])).startswith(b"\xef\xbb\xbf")


def test_a_sheet_may_have_any_name() -> None:
    made = b"".join(xlsx_pieces([("Sessions: [all] / of the series with a long name", [["a"]])]))
    (name,) = openpyxl.load_workbook(io.BytesIO(made)).sheetnames
    assert name.startswith("Sessions")


@pytest.mark.parametrize("pieces", [csv_pieces, lambda rows: xlsx_pieces([("a", rows)])], ids=["csv", "xlsx"])
def test_ten_times_the_rows_take_no_more_memory(pieces) -> None:  # type: ignore[no-untyped-def]
    peaks = []
    for rows in (300, 3_000):
        tracemalloc.start()
        for _ in pieces(made_up(rows)):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 500_000, peaks


def made_up(rows: int) -> Iterator[list[Cell]]:
    for number in range(rows):
        yield [f"University {number}", *range(number, number + 10)]


def read_csv(rows: list[list[Cell]]) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(csv_pieces(rows)).decode("utf-8-sig"), newline="")))


def read_xlsx(rows: list[list[Cell]]):  # type: ignore[no-untyped-def]
    return openpyxl.load_workbook(io.BytesIO(b"".join(xlsx_pieces([("a", rows)])))).active
