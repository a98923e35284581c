"""The table as CSV and XLSX: the same cells as on the page, and what there is to know about them."""

import re
from collections.abc import Iterable

from flask import Response

from lti_tool.pages.pooled_cells import PooledTable, hidden_words, rows_of
from lti_tool.pages.pooled_words import Renewed
from lti_tool.pages.words import WORDS
from lti_tool.spreadsheets import Cell, Sheet, csv_pieces, xlsx_pieces
from series.sessions import Series

gettext = WORDS.gettext
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def csv_of(series: Series, table: PooledTable, renewed: Renewed, weeks: PooledTable | None) -> Response:
    """`weeks`: where the table is of months, the sessions below it."""
    rows = [*rows_of(table), [], *([*rows_of(weeks), []] if weeks else [])]
    return csv_answer([*rows, *notes(series, table.smallest_group, renewed)], f"{series.slug}-results")


def xlsx_of(series: Series, table: PooledTable, renewed: Renewed, weeks: PooledTable | None) -> Response:
    """`weeks`: where the table is of months, the sessions on a sheet of their own."""
    about: list[list[Cell]] = [[gettext("About these numbers")], *notes(series, table.smallest_group, renewed)]
    by_session: list[Sheet] = [(gettext("Sessions"), rows_of(weeks))] if weeks else []
    sheets: list[Sheet] = [(gettext("Results"), rows_of(table)), *by_session, (gettext("About"), about)]
    return xlsx_answer(sheets, f"{series.slug}-results")


def notes(series: Series, smallest_group: int, renewed: Renewed) -> list[list[Cell]]:
    found: list[list[Cell]] = [[gettext("Series"), series.title]]
    if renewed.at:
        found.append([gettext("Numbers of others were counted"), renewed.at])
        found.append([gettext("Hidden cells"), hidden_words(smallest_group)])
    if renewed.next_at:
        found.append([gettext("They are counted again"), renewed.next_at])
    return found


def csv_answer(rows: Iterable[list[Cell]], name: str) -> Response:
    return file_answer(csv_pieces(rows), "text/csv; charset=utf-8", f"{name}.csv")


def xlsx_answer(sheets: Iterable[Sheet], name: str) -> Response:
    return file_answer(xlsx_pieces(sheets), XLSX, f"{name}.xlsx")


def file_answer(content: Iterable[bytes] | bytes, content_type: str, name: str) -> Response:
    """To be saved under `name`, which may hold a slug of ours."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "-", name)
    return Response(
        content, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{safe}"'}
    )
