"""What the instructor's and the coordinator's page of the pooled results show alike, and their files."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response

from lti_tool.pages.pooled_cells import Filter, PooledTable
from lti_tool.pages.pooled_files import csv_of, xlsx_of
from lti_tool.pages.pooled_filter import Choices, filter_choices, wanted_filter
from lti_tool.pages.pooled_reading import Results
from lti_tool.pages.pooled_table import table_of, week_by_week
from lti_tool.pages.pooled_trend import Chart, charts_of
from lti_tool.pages.pooled_words import Renewed, findings_in_words, renewed
from series.pooled import PooledBy

FILES = {"csv": csv_of, "xlsx": xlsx_of}


@dataclass(frozen=True, kw_only=True)
class View:
    """`table`: with the filter that the address asks for; `weeks`: session by session, without any cell."""

    by_month: bool
    renewed: Renewed
    findings: Sequence[str]
    table: PooledTable
    weeks: PooledTable
    charts: Sequence[Chart]
    wanted: Filter
    choices: Choices


def view_of(results: Results, zone: str) -> View:
    """`zone`: of who looks."""
    weeks, wanted = week_by_week(results), wanted_filter()
    return View(
        by_month=results.by is PooledBy.MONTH,
        renewed=renewed(results, zone),
        findings=findings_in_words(results),
        table=table_of(results, wanted),
        weeks=weeks,
        charts=charts_of(weeks),
        wanted=wanted,
        choices=filter_choices(results),
    )


def file_of(results: Results, suffix: str, zone: str) -> Response:
    """The table as a file (`suffix`: csv, xlsx), with the filter of the page."""
    weeks = week_by_week(results) if results.by is PooledBy.MONTH else None
    return FILES[suffix](results.series, table_of(results, wanted_filter()), renewed(results, zone), weeks)
