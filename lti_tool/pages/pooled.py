"""The series as a whole for an instructor: the own course, the own university, all others, and what stands out."""

from flask import Blueprint, Response, abort, render_template

from lti_tool.pages.course_people import note
from lti_tool.pages.pooled_files import csv_of, xlsx_of
from lti_tool.pages.pooled_filter import filter_choices, wanted_filter
from lti_tool.pages.pooled_reading import Results, read_results
from lti_tool.pages.pooled_table import table_of
from lti_tool.pages.pooled_trend import charts_of
from lti_tool.pages.pooled_words import findings_in_words, renewed
from lti_tool.pages.visit_proof import with_visit
from lti_tool.tool import the_tool
from series.people import Visit
from series.permissions import Action, may

blueprint = Blueprint("pooled", __name__, url_prefix="/visit/<visit_id>/course")
FILES = {"csv": csv_of, "xlsx": xlsx_of}


@blueprint.get("/series/")
@with_visit
def show(visit: Visit) -> str:
    results = _read(visit)
    note(visit, Action.SEE_POOLED, f"series {visit.series_id}")
    whole, wanted = table_of(results), wanted_filter()
    return render_template(
        "pooled.html",
        visit=visit,
        series=results.series,
        results=results,
        renewed=renewed(results, visit.university.time_zone),
        findings=findings_in_words(results),
        table=table_of(results, wanted),
        whole=whole,
        charts=charts_of(whole),
        wanted=wanted,
        choices=filter_choices(results),
    )


@blueprint.get("/series.<any(csv, xlsx):suffix>")
@with_visit
def download(visit: Visit, suffix: str) -> Response:
    """With the filter of the page."""
    results = _read(visit)
    note(visit, "export_pooled", f"series {visit.series_id}", format=suffix)
    return FILES[suffix](
        results.series, table_of(results, wanted_filter()), renewed(results, visit.university.time_zone)
    )


def _read(visit: Visit) -> Results:
    if not may(visit, Action.SEE_POOLED) or visit.course_id is None:
        abort(403)
    tool = the_tool()
    with tool.database.read() as connection:
        return read_results(
            connection,
            visit.series_id,
            viewer=visit.university,
            course_id=visit.course_id,
            now=tool.clock.now(),
        )
