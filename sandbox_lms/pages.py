"""What people see of the LMS: sign-in, course, activity, gradebook, calendar."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request
from markupsafe import Markup

from sandbox_lms.activities import all_activities, course_of, find_activity
from sandbox_lms.calendar import Event, events_of_course
from sandbox_lms.campus import Person
from sandbox_lms.cleaning import clean_html, escaped_name
from sandbox_lms.completion import all_completions
from sandbox_lms.course_modules import all_modules
from sandbox_lms.courses import Course, NoSuchCourse, all_courses, find_course
from sandbox_lms.gradebook import all_grades
from sandbox_lms.sign_ins import sign_in, sign_out, signed_in_person, with_person
from sandbox_lms.site import Site, the_site

blueprint = Blueprint("pages", __name__)


@dataclass(frozen=True, kw_only=True)
class ShownEvent:
    """An event in the campus's own time."""

    name: Markup
    description: Markup
    location: str
    start: datetime
    end: datetime


@blueprint.before_request
def go_to_own_address() -> Any:
    """Another name of this machine, such as localhost, would have cookies and an origin of its own."""
    url = the_site().campus.url
    if request.method == "GET" and request.host_url.rstrip("/") != url:
        return redirect(url + request.full_path.rstrip("?"), 302)
    return None


@blueprint.get("/")
def front() -> Any:
    return redirect("/course" if signed_in_person(the_site()) else "/sign-in", 303)


@blueprint.get("/sign-in")
def sign_in_form() -> str:
    return render_template("sign_in.html", next_path=_own_path(request.args.get("next", "")), wrong=False)


@blueprint.post("/sign-in")
def sign_in_person() -> Any:
    site, form = the_site(), request.form
    check_origin(site)
    next_path = _own_path(form.get("next", ""))
    wanted = (form.get("username", "").strip().lower(), form.get("password", ""))
    person = next((one for one in site.campus.people if (one.username, one.password) == wanted), None)
    if person is None:
        return render_template("sign_in.html", next_path=next_path, wrong=True), 403
    response = make_response(redirect(next_path, 303))
    sign_in(site, person, response)
    return response


@blueprint.post("/sign-out")
def sign_out_person() -> Response:
    site = the_site()
    check_origin(site)
    response = make_response(redirect("/sign-in", 303))
    sign_out(site, response)
    return response


@blueprint.get("/course")
@blueprint.get("/course/<int:course_id>")
@with_person
def course(site: Site, person: Person, course_id: int | None = None) -> str:
    """The campus's own course, with all that Moodle has in one; or a copy, with its activities alone."""
    shown = course_or_404(site, course_id)
    if shown.course_id != site.campus.course_id:
        copied = all_activities(site, shown.course_id)
        return render_template(
            "course.html", course=shown, activities=copied, others=[], done=set(), events=[], copies=[]
        )
    done = {cmid for (cmid, _), one in all_completions(site, person.user_id).items() if one.is_done}
    others = [module for module in all_modules(site) if module.modname != "lti"]
    return render_template(
        "course.html",
        course=shown,
        activities=all_activities(site),
        others=others,
        done=done,
        events=_coming_up(site)[:3],
        copies=all_courses(site)[1:],
    )


@blueprint.get("/activity/<int:activity_id>")
@with_person
def activity(site: Site, person: Person, activity_id: int) -> str:
    found = find_activity(site, activity_id)
    if found is None:
        abort(404)
    return render_template("activity.html", activity=found, course_id=course_of(site, found))


@blueprint.get("/activity/<int:activity_id>/inner")
@with_person
def inner_activity(site: Site, person: Person, activity_id: int) -> str:
    """The page between the activity's page and the tool, at an LMS that nests frames."""
    found = find_activity(site, activity_id)
    if found is None or not site.campus.nests_frames:
        abort(404)
    return render_template("inner_activity.html", activity=found)


@blueprint.get("/gradebook")
@with_person
def gradebook(site: Site, person: Person) -> str:
    """Teachers and administrators see every student, a student the own row."""
    rows = (person,) if person.role == "student" else site.campus.students
    grades = {(grade.user_id, grade.line_item_id): grade for grade in all_grades(site)}
    shown = course_or_404(site, request.args.get("course", type=int))
    activities = [one for one in all_activities(site, shown.course_id) if one.is_graded]
    return render_template("gradebook.html", course=shown, activities=activities, rows=rows, grades=grades)


@blueprint.get("/calendar")
@with_person
def calendar(site: Site, person: Person) -> str:
    now = site.now()
    shown = [_shown(site, event) for event in events_of_course(site)]
    earlier = [event for event in reversed(shown) if event.end < now]
    return render_template("calendar.html", coming_up=_coming_up(site), earlier=earlier)


@blueprint.get("/mod/lti/return.php")
@with_person
def left_activity(site: Site, person: Person) -> str:
    """The return_url of every launch: where a tool sends people who leave it, perhaps with a message."""
    message = request.args.get("lti_errormsg") or request.args.get("lti_msg") or ""
    return render_template("left_activity.html", message=message)


@blueprint.get("/accent.css")
def accent() -> Response:
    campus = the_site().campus
    css = (
        f":root {{ --accent: {campus.accent}; }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ --accent: {campus.accent_in_the_dark}; }} }}\n"
    )
    return Response(css, mimetype="text/css")


def shown_number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def shown_date(at: datetime) -> str:
    return f"{at:%A}, {at.day} {at:%B %Y}"


def course_path(course_id: int) -> str:
    return "/course" if course_id == the_site().campus.course_id else f"/course/{course_id}"


def course_or_404(site: Site, course_id: int | None) -> Course:
    """Without a number, the campus's own."""
    try:
        return find_course(site, site.campus.course_id if course_id is None else course_id)
    except NoSuchCourse:
        abort(404)


def _coming_up(site: Site) -> list[ShownEvent]:
    now = site.now()
    shown = [_shown(site, event) for event in events_of_course(site)]
    return [event for event in shown if event.end >= now]


def _shown(site: Site, event: Event) -> ShownEvent:
    start = datetime.fromtimestamp(event.timestart, site.zone)
    end = datetime.fromtimestamp(event.timestart, site.zone) + timedelta(seconds=max(event.timeduration, 0))
    description = clean_html(event.description) if event.format == 1 else Markup.escape(event.description)
    return ShownEvent(
        name=Markup(escaped_name(event.name)),  # noqa: S704  # escaped just now, as Moodle does it
        description=Markup(description),  # noqa: S704  # cleaned just now; the page's policy forbids scripts as well
        location=event.location,
        start=start,
        end=end,
    )


def _own_path(path: str) -> str:
    """A path on this site to go on to; anything else becomes the course."""
    parts = urlsplit(path)
    is_path = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc
    return path if is_path else "/course"


def check_origin(site: Site) -> None:
    """Our cookies are sent from other sites, too; a form is taken only from our own pages (or from no browser)."""
    origin = request.headers.get("Origin")
    if origin is not None and origin != site.campus.url:
        abort(403)
