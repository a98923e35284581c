"""The results of a series for the coordinator: as an instructor sees them, by who belongs to no university; and how
small a group may be that is shown."""

import re

from flask import Blueprint, Response, make_response, render_template, request

from lti_tool.pages.plan import require, series_or_404
from lti_tool.pages.pooled_reading import Results, read_results
from lti_tool.pages.pooled_view import file_of, view_of
from lti_tool.pages.redirects import go_to
from lti_tool.pages.staff_proof import check_form, who, with_staff
from lti_tool.tool import the_tool
from series.permissions import Action
from series.pooled import SMALLEST_GROUPS
from series.staff import Staff
from series.store.audit import append_audit
from series.store.pooled_settings import SmallestGroupImpossible, set_smallest_group, smallest_group_of

blueprint = Blueprint("results", __name__, url_prefix="/coordinator/series/<slug>")


@blueprint.get("/results/")
@with_staff
def show(staff: Staff, slug: str) -> Response:
    return _page(staff, slug)


@blueprint.get("/results.<any(csv, xlsx):suffix>")
@with_staff
def download(staff: Staff, slug: str, suffix: str) -> Response:
    """With the filter of the page."""
    results = _read(staff, slug, "export_pooled", format=suffix)
    return file_of(results, suffix, results.series.time_zone)


@blueprint.post("/results/smallest-group")
@with_staff
def set_k(staff: Staff, slug: str) -> Response:
    """From the next count on."""
    check_form(f"smallest-group {slug}")
    require(staff, Action.RUN_PRIVACY)
    tool, typed = the_tool(), request.form.get("smallest_group", "").strip()
    try:
        k = int(typed) if re.fullmatch(r"[0-9]{1,3}", typed) else 0
        with tool.database.write() as connection:
            series_id = series_or_404(connection, slug).series_id
            set_smallest_group(connection, series_id, k, by=who(staff), now=tool.clock.now())
    except SmallestGroupImpossible:
        return _page(staff, slug, wrong=typed[:10] or "-")
    return go_to(f"/coordinator/series/{slug}/results/?saved=1#groups")


def _page(staff: Staff, slug: str, *, wrong: str = "") -> Response:
    results = _read(staff, slug, Action.SEE_POOLED)
    with the_tool().database.read() as connection:
        k = smallest_group_of(connection, results.series.series_id)
    page = render_template(
        "results.html",
        staff=staff,
        series=results.series,
        results=results,
        view=view_of(results, results.series.time_zone),
        smallest_group=k,
        sizes=SMALLEST_GROUPS,
        wrong=wrong,
        saved="saved" in request.args,
    )
    return make_response(page, 422 if wrong else 200)


def _read(staff: Staff, slug: str, action: str, **detail: str) -> Results:
    require(staff, Action.SEE_POOLED)
    tool = the_tool()
    now = tool.clock.now()
    with tool.database.read() as connection:
        series_id = series_or_404(connection, slug).series_id
        results = read_results(connection, series_id, viewer=None, course_id=None, now=now)
    with tool.database.write() as connection:
        append_audit(connection, actor=who(staff), action=action, thing=f"series {series_id}", now=now, **detail)
    return results
