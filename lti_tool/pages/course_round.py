"""The new round of a series: a teacher says whether the own course goes over to it."""

from uuid import UUID

from flask import Blueprint, Response, abort, g, make_response, render_template, request

from lti_tool.pages.course_people import actor, require_course
from lti_tool.pages.redirects import go_to
from lti_tool.pages.visit_proof import check_form, with_visit
from lti_tool.tool import the_tool
from series.people import Visit
from series.permissions import Action, may
from series.store.round_choices import RoundChoice, round_choice, round_effect, take_round
from series.store.sessions import get_series

blueprint = Blueprint("course_round", __name__, url_prefix="/visit/<visit_id>/course/round")


def round_to_choose(visit: Visit) -> RoundChoice | None:
    """What the pages of the visit ask about, or tell. Looked up once for a page."""
    if not may(visit, Action.CHOOSE_ROUND):
        return None
    if "round_choice" not in g:
        with the_tool().database.read() as connection:
            g.round_choice = round_choice(connection, visit, now=the_tool().clock.now())
    found: RoundChoice | None = g.round_choice
    return found


@blueprint.get("")
@with_visit
def show(visit: Visit) -> Response:
    course_id, tool = require_course(visit), the_tool()
    effect = None
    with tool.database.read() as connection:
        series = get_series(connection, visit.series_id)
        choice = round_choice(connection, visit, now=tool.clock.now())
        if choice is not None:
            is_back = bool(choice.is_taken)
            here, there = (choice.new, choice.old) if is_back else (choice.old, choice.new)
            effect = round_effect(connection, course_id, from_id=here.series_id, to_id=there.series_id, is_back=is_back)
    page = render_template(
        "course_round.html",
        visit=visit,
        series=series,
        choice=choice,
        effect=effect,
        may_choose=may(visit, Action.CHOOSE_ROUND),
        saved="saved" in request.args,
        is_asking=True,
    )
    return make_response(page)


@blueprint.post("")
@with_visit
def choose(visit: Visit) -> Response:
    """`do`: take the new round, or keep (go back to) the old one. A choice that is no more changes nothing."""
    check_form("round")
    require_course(visit)
    if not may(visit, Action.CHOOSE_ROUND):
        abort(403)
    do, tool = request.form.get("do", ""), the_tool()
    if do not in {"take", "keep"}:
        abort(400)
    seen = (_uuid("old"), _uuid("new"))
    now = tool.clock.now()
    with tool.database.write() as connection:
        choice = round_choice(connection, visit, now=now)
        if choice is None or (choice.old.series_id, choice.new.series_id) != seen:
            abort(409)
        take_round(connection, visit, choice, is_taken=do == "take", by=actor(visit), now=now)
    return go_to(f"/visit/{visit.visit_id}/course/round?saved=1")


def _uuid(name: str) -> UUID:
    try:
        return UUID(request.form.get(name, ""))
    except ValueError:
        abort(400)
