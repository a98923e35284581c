"""A rehearsal: a session to try everything with, which counts for nothing. Added and removed by the coordinator."""

from uuid import UUID

from flask import Blueprint, Response, abort, request
from flask_babel import gettext

from lti_tool.pages.plan import require, series_or_404
from lti_tool.pages.plan_edit import NO_FAULT, Fault, add_page, edit_page, session_of_form
from lti_tool.pages.redirects import go_to
from lti_tool.pages.staff_proof import check_form, who, with_staff
from lti_tool.tool import the_tool
from series.hand_edits import NotPossible
from series.permissions import Action
from series.staff import Staff
from series.store.hand_edits import add_by_hand
from series.store.rehearsals import NoRehearsal, remove_rehearsal

blueprint = Blueprint("plan_rehearsal", __name__, url_prefix="/coordinator/series/<slug>/sessions")


@blueprint.get("/rehearse")
@with_staff
def show_add(staff: Staff, slug: str) -> Response:
    return add_page(staff, slug, NO_FAULT, is_rehearsal=True)


@blueprint.post("/rehearse")
@with_staff
def add(staff: Staff, slug: str) -> Response:
    check_form(f"rehearse {slug}")
    require(staff, Action.EDIT_PLAN)
    now = the_tool().clock.now()
    try:
        with the_tool().database.write() as connection:
            made = session_of_form(connection, series_or_404(connection, slug), now=now, is_rehearsal=True)
            add_by_hand(connection, made, actor=who(staff), now=now)
    except NotPossible as error:
        fault = Fault(words=str(error), typed=request.form.to_dict(), status=422)
        return add_page(staff, slug, fault, is_rehearsal=True)
    return go_to(f"/coordinator/series/{slug}/sessions/{made.session_id}?saved=rehearsal")


@blueprint.post("/<uuid:session_id>/remove")
@with_staff
def remove(staff: Staff, slug: str, session_id: UUID) -> Response:
    """Only a rehearsal: on anything else, grades may rest."""
    check_form(f"remove {session_id}")
    require(staff, Action.EDIT_PLAN)
    if request.form.get("confirmed") != "yes":
        words = gettext("Nothing was removed. Tick the box as well, if you are sure.")
        return edit_page(staff, slug, session_id, Fault(words=words, typed={"do": "remove"}, status=422))
    try:
        with the_tool().database.write() as connection:
            series_id = series_or_404(connection, slug).series_id
            remove_rehearsal(connection, series_id, session_id, by=who(staff), now=the_tool().clock.now())
    except NoRehearsal:
        abort(404)
    return go_to(f"/coordinator/series/{slug}/?saved=removed")
