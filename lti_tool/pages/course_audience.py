"""Whom the own course teaches: its instructor says it once, for the report to the funder."""

import re

from flask import Blueprint, Response, abort, make_response, render_template, request

from lti_tool.pages.course_forms import NO_FAULT, Fault, NotAccepted, fault_of
from lti_tool.pages.course_people import actor, require_course
from lti_tool.pages.redirects import go_to
from lti_tool.pages.visit_proof import check_form, with_visit
from lti_tool.pages.words import WORDS
from lti_tool.tool import the_tool
from series.audience import MAX_SCHOOLS, Audience, CourseAudience
from series.people import Visit
from series.store.course_audiences import audience_of, set_audience
from series.store.sessions import get_series

gettext = WORDS.gettext
blueprint = Blueprint("course_audience", __name__, url_prefix="/visit/<visit_id>/course/audience")


def audience_words() -> dict[Audience, str]:
    return {
        Audience.PRE_SERVICE: gettext("Teachers before service: they study to become teachers"),
        Audience.IN_SERVICE: gettext("Teachers in service: they teach at a school"),
        Audience.BOTH: gettext("Both"),
    }


@blueprint.get("")
@with_visit
def show(visit: Visit) -> Response:
    return _page(visit, NO_FAULT)


@blueprint.post("")
@with_visit
def save(visit: Visit) -> Response:
    check_form("audience")
    course_id, tool = require_course(visit), the_tool()
    if visit.is_test_user:
        abort(403)
    try:
        said = _typed()
    except NotAccepted as error:
        return _page(visit, fault_of(error))
    with tool.database.write() as connection:
        set_audience(connection, course_id, visit.series_id, said, by=actor(visit), now=tool.clock.now())
    return go_to(f"/visit/{visit.visit_id}/course/audience?saved=1")


def _typed() -> CourseAudience | None:
    """None: it is taken back. Raises NotAccepted."""
    chosen = request.form.get("audience", "")
    if chosen not in {"", *Audience}:
        abort(400)
    schools = _typed_schools()
    if not chosen and schools is not None:
        raise NotAccepted(gettext("Please choose whom your course teaches, too."), "audience")
    if not chosen:
        return None
    if chosen == Audience.PRE_SERVICE and schools:
        raise NotAccepted(
            gettext("Schools are counted of teachers in service: please leave them out, or choose another answer."),
            "schools",
        )
    return CourseAudience(audience=Audience(chosen), schools=schools)


def _typed_schools() -> int | None:
    """Raises NotAccepted."""
    text = request.form.get("schools", "").strip()
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) > MAX_SCHOOLS:
        words = gettext(
            "Please give the number of schools as a whole number up to %(most)s, or nothing.", most=MAX_SCHOOLS
        )
        raise NotAccepted(words, "schools")
    return int(text)


def _page(visit: Visit, fault: Fault) -> Response:
    course_id = require_course(visit)
    with the_tool().database.read() as connection:
        series = get_series(connection, visit.series_id)
        said = audience_of(connection, course_id, visit.series_id)
    schools = "" if said is None or said.schools is None else str(said.schools)
    page = render_template(
        "course_audience.html",
        visit=visit,
        series=series,
        choices=audience_words(),
        chosen=fault.typed.get("audience", "") if fault.words else said.audience.value if said else "",
        schools=fault.typed.get("schools", "")[:10] if fault.words else schools,
        fault=fault,
        saved="saved" in request.args,
    )
    return make_response(page, fault.status)
