"""Taking a series out of a course's Moodle calendar again: a wrong course, or before all is disconnected."""

from flask import Blueprint, Response, render_template

from lti_tool.pages.redirects import go_to
from lti_tool.pages.staff_proof import check_form, who, with_staff
from lti_tool.pages.staff_universities import university_or_404
from lti_tool.tool import the_tool
from series.people import University
from series.permissions import Action
from series.staff import Staff
from series.store.connecting import untie_course
from series.store.course_ties import ShownSeries, shown_series
from series.store.database import Connection

blueprint = Blueprint("moodle_connection_untie", __name__, url_prefix="/admin/moodle/<slug>/connection/untie")


@blueprint.get("/<number>/<series>")
@with_staff
def show(staff: Staff, slug: str, number: str, series: str) -> str | Response:
    with the_tool().database.read() as connection:
        university = university_or_404(connection, staff, slug, Action.EDIT_LMS)
        shown = _shown(connection, university, number, series)
    if shown is None:
        return go_to(f"/admin/moodle/{slug}/connection/")
    return render_template("moodle_untie.html", staff=staff, university=university, shown=shown)


@blueprint.post("/<number>/<series>")
@with_staff
def untie(staff: Staff, slug: str, number: str, series: str) -> Response:
    check_form(f"untie-moodle {slug} {number} {series}")
    with the_tool().database.write() as connection:
        university = university_or_404(connection, staff, slug, Action.EDIT_LMS)
        shown = _shown(connection, university, number, series)
        if shown is not None:  # else somebody else was faster
            untie_course(connection, university, shown, actor=who(staff), now=the_tool().clock.now())
    return go_to(f"/admin/moodle/{slug}/connection/?saved=untied")


@blueprint.post("/all")
@with_staff
def untie_all(staff: Staff, slug: str) -> Response:
    """So that nothing of ours is left there when it is disconnected."""
    check_form(f"untie-moodle {slug}")
    with the_tool().database.write() as connection:
        university = university_or_404(connection, staff, slug, Action.EDIT_LMS)
        for shown in shown_series(connection, university.university_id):
            untie_course(connection, university, shown, actor=who(staff), now=the_tool().clock.now())
    return go_to(f"/admin/moodle/{slug}/connection/disconnect")


def _shown(connection: Connection, university: University, number: str, series: str) -> ShownSeries | None:
    known = shown_series(connection, university.university_id)
    return next((one for one in known if (str(one.moodle_course_id), one.series_slug) == (number, series)), None)
