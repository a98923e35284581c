"""What a teacher does to a course: add from the tool, say what completes an activity, copy the course."""

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request

from sandbox_lms.activities import (
    AUTOMATIC_TRACKING,
    NO_TRACKING,
    add_activities,
    copy_course,
    course_of,
    find_activity,
    switch_tracking,
)
from sandbox_lms.campus import Person
from sandbox_lms.login_initiation import begin_login
from sandbox_lms.message_hints import make_selection_hint
from sandbox_lms.pages import check_origin, course_or_404, course_path, go_to_own_address
from sandbox_lms.selections import (
    ANSWERED,
    BadResponse,
    Selection,
    begin_selection,
    end_selection,
    find_selection,
    take_answer,
)
from sandbox_lms.sign_ins import with_person
from sandbox_lms.site import Site

blueprint = Blueprint("selection_pages", __name__)
blueprint.before_request(go_to_own_address)


@blueprint.get("/course/<int:course_id>/add")
@with_person
def choose(site: Site, person: Person, course_id: int) -> str:
    """The dialog: the tool in a frame. A student gets it, too, if they guess the address; the tool must refuse."""
    return render_template("select.html", course=course_or_404(site, course_id))


@blueprint.get("/course/<int:course_id>/add/launch")
@with_person
def launch_selection(site: Site, person: Person, course_id: int) -> Any:
    selection_id = begin_selection(site, person, course_or_404(site, course_id))
    return begin_login(site, person, make_selection_hint(site, person, selection_id))


@blueprint.post("/mod/lti/contentitem_return.php")
@with_person
def take(site: Site, person: Person) -> Any:
    """The tool's answer arrives in the dialog's frame; nothing is made before the teacher saves it."""
    selection = _own_selection(site, person, request.args.get("id", ""))
    try:
        answer = take_answer(site, selection, request.form.get("JWT", ""))
    except BadResponse as error:
        return render_template("selected.html", selection=selection, answer=None, problem=str(error)), 400
    return render_template("selected.html", selection=selection, answer=answer, problem="")


@blueprint.post("/course/<int:course_id>/add")
@with_person
def save(site: Site, person: Person, course_id: int) -> Any:
    """Save and return to course."""
    check_origin(site)
    _check_teacher(person)
    selection = _own_selection(site, person, request.form.get("id", ""))
    if selection.state != ANSWERED or selection.course_id != course_id:
        abort(400)
    add_activities(site, course_or_404(site, course_id), selection.items)
    end_selection(site, selection)
    return redirect(course_path(course_id), 303)


@blueprint.post("/course/<int:course_id>/copy")
@with_person
def copy(site: Site, person: Person, course_id: int) -> Any:
    check_origin(site)
    _check_teacher(person)
    made = copy_course(site, course_or_404(site, course_id))
    return redirect(course_path(made.course_id), 303)


@blueprint.get("/activity/<int:activity_id>/settings")
@with_person
def show_settings(site: Site, person: Person, activity_id: int) -> str:
    _check_teacher(person)
    found = find_activity(site, activity_id)
    if found is None or found.course_id is None:
        abort(404)
    is_tracked = found.tracking == AUTOMATIC_TRACKING
    return render_template("activity_settings.html", activity=found, is_tracked=is_tracked)


@blueprint.post("/activity/<int:activity_id>/settings")
@with_person
def change_settings(site: Site, person: Person, activity_id: int) -> Any:
    check_origin(site)
    _check_teacher(person)
    found = find_activity(site, activity_id)
    if found is None or found.course_id is None:
        abort(404)
    switch_tracking(site, activity_id, AUTOMATIC_TRACKING if request.form.get("completion") else NO_TRACKING)
    return redirect(course_path(course_of(site, found)), 303)


def _own_selection(site: Site, person: Person, selection_id: str) -> Selection:
    found = find_selection(site, selection_id)
    if found is None or found.user_id != person.user_id:
        abort(404)
    return found


def _check_teacher(person: Person) -> None:
    if person.role == "student":
        abort(403)
