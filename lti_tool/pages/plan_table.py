"""A table, pasted or uploaded: the worker reads it, and what it would change waits for a yes like everything else."""

from flask import Blueprint, Response, abort, make_response, render_template, request

from lti_tool.pages.plan import require, series_or_404
from lti_tool.pages.redirects import go_to
from lti_tool.pages.staff_proof import check_form, who, with_staff
from lti_tool.tool import the_tool
from series.permissions import Action
from series.staff import Staff
from series.store.audit import append_audit
from series.store.held_plans import find_held
from series.store.runs import ABANDONED_AFTER, begin_run, find_run, slot_by_hand
from series.store.uploads import TABLE_SOURCE, Upload, save_upload

blueprint = Blueprint("plan_table", __name__, url_prefix="/coordinator/series/<slug>/table")
JOB = "table"


@blueprint.get("/")
@with_staff
def show(staff: Staff, slug: str) -> Response:
    return _page(staff, slug)


@blueprint.post("/")
@with_staff
def upload(staff: Staff, slug: str) -> Response:
    """Keep the table, and have the worker read it."""
    check_form(f"table {slug}")
    require(staff, Action.EDIT_PLAN)
    tool, file = the_tool(), request.files.get("file")
    now, pasted = tool.clock.now(), request.form.get("pasted", "").strip("\r\n")
    body, name = (file.read(), file.filename or "") if file and file.filename else (pasted.encode(), "pasted.tsv")
    if not body.strip():
        return _page(staff, slug, pasted=pasted, fault="empty", status=422)
    name = "".join(character for character in name if character.isprintable())[-100:]
    with tool.database.write() as connection:
        series = series_or_404(connection, slug)
        run_id = begin_run(connection, job=JOB, scope=series.slug, slot=slot_by_hand(), now=now)
        if run_id is not None:
            save_upload(connection, Upload(series_id=series.series_id, run_id=run_id, name=name, body=body), now=now)
            thing = f"series {series.series_id}"
            append_audit(connection, actor=who(staff), action="upload_table", thing=thing, now=now)
    if run_id is None:
        return _page(staff, slug, pasted=pasted, fault="busy", status=409)
    tool.queue.enqueue(JOB, run_id)
    return go_to(f"/coordinator/series/{slug}/table/{run_id}")


@blueprint.get("/<int(max=9999999999):run_id>")
@with_staff
def follow(staff: Staff, slug: str, run_id: int) -> Response:
    """How the reading goes; then what came of it."""
    require(staff, Action.SEE_PLAN)
    with the_tool().database.read() as connection:
        series = series_or_404(connection, slug)
        run, held = find_run(connection, run_id), find_held(connection, series.series_id)
    if run is None or (run.job, run.scope) != (JOB, series.slug):
        abort(404)
    is_running = run.outcome == "running"
    is_abandoned = is_running and run.alive_at < the_tool().clock.now() - ABANDONED_AFTER
    page = render_template(
        "plan_table_read.html",
        staff=staff,
        series=series,
        run=run,
        problems=run.reason.split("\n") if run.reason else [],
        held=held if held and held.source.startswith(TABLE_SOURCE) else None,
        is_abandoned=is_abandoned,
    )
    response = make_response(page)
    if is_running and not is_abandoned:
        response.headers["Refresh"] = "2"
    return response


def _page(staff: Staff, slug: str, *, pasted: str = "", fault: str = "", status: int = 200) -> Response:
    require(staff, Action.EDIT_PLAN)
    with the_tool().database.read() as connection:
        series = series_or_404(connection, slug)
    page = render_template("plan_table.html", staff=staff, series=series, pasted=pasted, fault=fault)
    return make_response(page, status)
