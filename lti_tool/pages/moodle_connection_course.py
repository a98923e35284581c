"""Which course of a university's Moodle shows which series, chosen from what the token may see."""

from dataclasses import dataclass

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext

from lms.errors import LmsError
from lms.moodle import Course, Moodle
from lms.turnstile import TooManyWait
from lti_tool.pages.moodle_connection import connected_moodle
from lti_tool.pages.redirects import go_to
from lti_tool.pages.staff_proof import check_form, who, with_staff
from lti_tool.pages.staff_universities import university_or_404
from lti_tool.tool import LMS_WITHIN_S, the_tool
from series.moodle_typed import FRONT_PAGE
from series.people import University
from series.permissions import Action
from series.sessions import Series
from series.staff import Staff
from series.store.connecting import CourseOfAnother, choose_course
from series.store.moodle_connections import MoodleConnection
from series.store.sessions import list_series

blueprint = Blueprint("moodle_connection_course", __name__, url_prefix="/admin/moodle/<slug>/connection/course")
HIGHEST_NUMBER = 2**31 - 1


class NotChosen(Exception):
    """In words. `field`: course, number or series."""

    def __init__(self, words: str, field: str) -> None:
        super().__init__(words)
        self.field = field


@dataclass(frozen=True, kw_only=True)
class _Known:
    university: University
    connected: MoodleConnection
    series: list[Series]


@blueprint.get("/")
@with_staff
def show(staff: Staff, slug: str) -> Response:
    return _page(staff, slug)


@blueprint.post("/")
@with_staff
def choose(staff: Staff, slug: str) -> Response:
    check_form(f"moodle-course {slug}")
    known = _known(staff, slug)
    if known is None:
        return go_to(f"/admin/moodle/{slug}/connection/")
    try:
        series = next((one for one in known.series if one.slug == request.form.get("series")), None)
        if series is None:
            raise NotChosen(gettext("Please choose the series."), "series")
        course = _course_of_form(known)
    except NotChosen as error:
        return _page(staff, slug, fault=error)
    try:
        _choose(staff, known.university, series, course)
    except CourseOfAnother as error:
        words = gettext(
            "%(university)s shows a series in this very course. Two who write into one calendar would undo each"
            " other's work: please choose another course.",
            university=error.name,
        )
        return _page(staff, slug, fault=NotChosen(words, _field()))
    return go_to(f"/admin/moodle/{slug}/connection/?saved=course")


def _choose(staff: Staff, university: University, series: Series, course: Course) -> None:
    tool, now = the_tool(), the_tool().clock.now()
    with tool.database.write() as connection:
        choose_course(
            connection,
            university,
            series,
            moodle_course_id=course.course_id,
            title=course.fullname,
            actor=who(staff),
            now=now,
        )


def _known(staff: Staff, slug: str) -> _Known | None:
    """None: there is no connection, or its token cannot be read."""
    with the_tool().database.read() as connection:
        university = university_or_404(connection, staff, slug, Action.EDIT_LMS)
        connected = connected_moodle(connection, university)
        series = list_series(connection)
    return _Known(university=university, connected=connected, series=series) if connected and connected.token else None


def _field() -> str:
    """The one that counts."""
    return "number" if request.form.get("number", "").strip() else "course"


def _course_of_form(known: _Known) -> Course:
    """Raises NotChosen."""
    field = _field()
    text = request.form.get(field, "").strip()
    if text == str(FRONT_PAGE):
        words = gettext("Course 1 is Moodle's front page, where everybody would see the events: choose another.")
        raise NotChosen(words, field)
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and 1 < int(text) <= HIGHEST_NUMBER):
        raise NotChosen(gettext("Please choose a course, or enter its number: digits alone."), field)
    try:
        with the_tool().turnstile.place(-known.university.university_id):
            found = _moodle(known).courses_by_field("id", int(text))
    except (LmsError, TooManyWait) as error:
        raise NotChosen(str(error), field) from None
    if not found or not found[0].is_open:
        words = gettext(
            "The account may not open a course with this number. Please check it, or give the account its role there."
        )
        raise NotChosen(words, field)
    return found[0]


def _page(staff: Staff, slug: str, *, fault: NotChosen | None = None) -> Response:
    known = _known(staff, slug)
    if known is None:
        return go_to(f"/admin/moodle/{slug}/connection/")
    courses: tuple[Course, ...] = ()
    problem = ""
    try:
        with the_tool().turnstile.place(-known.university.university_id):
            courses = _moodle(known).courses()
    except (LmsError, TooManyWait) as error:
        problem = str(error)
    page = render_template(
        "moodle_course.html",
        staff=staff,
        university=known.university,
        connected=known.connected,
        series=known.series,
        courses=courses,
        problem=problem,
        fault=fault,
        typed={name: request.form.get(name, "")[:300] for name in ("course", "number", "series")},
        saved=request.args.get("saved", ""),
    )
    return make_response(page, 422 if fault else 200)


def _moodle(known: _Known) -> Moodle:
    connected = known.connected
    return Moodle(http=the_tool().http, base_url=connected.base_url, token=connected.token, within_s=LMS_WITHIN_S)
