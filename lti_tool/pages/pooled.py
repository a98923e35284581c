"""The series as a whole for an instructor: the own course, the own university, all others, and what stands out."""

from flask import Blueprint, Response, abort, render_template

from lti_tool.pages.course_people import note
from lti_tool.pages.pooled_reading import Results, read_results
from lti_tool.pages.pooled_view import file_of, view_of
from lti_tool.pages.visit_proof import with_visit
from lti_tool.tool import the_tool
from series.people import Visit
from series.permissions import Action, may

blueprint = Blueprint("pooled", __name__, url_prefix="/visit/<visit_id>/course")


@blueprint.get("/series/")
@with_visit
def show(visit: Visit) -> str:
    results = _read(visit)
    note(visit, Action.SEE_POOLED, f"series {visit.series_id}")
    view = view_of(results, visit.university.time_zone)
    return render_template("pooled.html", visit=visit, series=results.series, results=results, view=view)


@blueprint.get("/series.<any(csv, xlsx):suffix>")
@with_visit
def download(visit: Visit, suffix: str) -> Response:
    """With the filter of the page."""
    results = _read(visit)
    note(visit, "export_pooled", f"series {visit.series_id}", format=suffix)
    return file_of(results, suffix, visit.university.time_zone)


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
