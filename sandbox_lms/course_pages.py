"""What people see and do in the activities that are not the tool's: read, mark as done, hand in, override."""

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request
from markupsafe import Markup

from sandbox_lms.announcements import all_discussions
from sandbox_lms.campus import Person
from sandbox_lms.cleaning import clean_html, escaped_name
from sandbox_lms.completion import COMPLETE, FAILED, INCOMPLETE, PASSED, all_completions, complete, override
from sandbox_lms.course_modules import AUTOMATIC, MANUAL, NONE, CourseModule, all_modules, find_module, lti_cmid
from sandbox_lms.pages import check_origin, go_to_own_address
from sandbox_lms.sign_ins import with_person
from sandbox_lms.site import Site

blueprint = Blueprint("course_pages", __name__)
blueprint.before_request(go_to_own_address)

STATE_NAMES = {INCOMPLETE: "Not done", COMPLETE: "Done", PASSED: "Done, passed", FAILED: "Not done, failed"}
_CHOICES = {
    "assign": ((COMPLETE, "Hand in the essay"),),
    "quiz": ((PASSED, "Take the quiz and pass"), (FAILED, "Take the quiz and fail")),
}


@blueprint.get("/mod/<modname>/view.php")
@with_person
def view(site: Site, person: Person, modname: str) -> Any:
    """Each activity at the address that Moodle gives it. To open a page that tracks by itself completes it."""
    module = _module(site, modname)
    if modname == "lti":
        return redirect(f"/activity/{module.cmid - lti_cmid(0)}", 303)
    if modname == "forum":
        return render_template("announcements.html", module=module, discussions=_announcements(site))
    if modname == "page" and module.tracking == AUTOMATIC and person.role == "student":
        complete(site, module, person.user_id, COMPLETE)
    state = completion_state(site, person, module)
    return render_template(
        "module.html", module=module, state=STATE_NAMES[state], choices=_choices(module, person, state)
    )


@blueprint.post("/mod/<modname>/view.php")
@with_person
def act(site: Site, person: Person, modname: str) -> Any:
    """What a student does in the activity."""
    check_origin(site)
    module = _module(site, modname)
    state = request.form.get("state", type=int)
    if state not in {choice for choice, _ in _choices(module, person, completion_state(site, person, module))}:
        abort(400)
    complete(site, module, person.user_id, int(state or 0))
    return redirect(f"/mod/{modname}/view.php?id={module.cmid}", 303)


@blueprint.get("/completion")
@with_person
def report(site: Site, person: Person) -> str:
    """Every student's state in every activity that tracks it."""
    _check_teacher(person)
    modules = [module for module in all_modules(site) if module.tracking != NONE]
    return render_template(
        "completion.html", modules=modules, completions=all_completions(site), state_names=STATE_NAMES
    )


@blueprint.post("/completion")
@with_person
def override_state(site: Site, person: Person) -> Any:
    """One button of the report: `change` is course module, student, and 1 or 0."""
    _check_teacher(person)
    check_origin(site)
    cmid, _, rest = request.form.get("change", "").partition(" ")
    user_id, _, wanted = rest.partition(" ")
    module = find_module(site, int(cmid)) if cmid.isdecimal() and len(cmid) < 10 else None
    is_student = any(student.user_id == user_id for student in site.campus.students)
    if module is None or module.tracking == NONE or not is_student or wanted not in {"0", "1"}:
        abort(400)
    override(site, module, user_id, is_done=wanted == "1", teacher=person)
    return redirect("/completion", 303)


def completion_state(site: Site, person: Person, module: CourseModule) -> int:
    found = all_completions(site, person.user_id).get((module.cmid, person.user_id))
    return found.state if found else INCOMPLETE


def _module(site: Site, modname: str) -> CourseModule:
    cmid = request.args.get("id", "")
    module = find_module(site, int(cmid)) if cmid.isdecimal() and len(cmid) < 10 else None
    if module is None or module.modname != modname:
        abort(404)
    return module


def _choices(module: CourseModule, person: Person, state: int) -> tuple[tuple[int, str], ...]:
    """What can be done here now, as the state it leads to and the words on its button."""
    if person.role != "student":
        return ()
    if module.tracking == MANUAL:
        return ((INCOMPLETE, "Mark as not done"),) if state == COMPLETE else ((COMPLETE, "Mark as done"),)
    return _CHOICES.get(module.modname, ())


def _announcements(site: Site) -> list[dict[str, Any]]:
    return [
        {
            "subject": Markup(escaped_name(one.subject)),  # noqa: S704  # escaped just now, as Moodle does it
            "message": Markup(clean_html(one.message)),  # noqa: S704  # cleaned; the page's policy forbids scripts too
            "created_at": site.at(one.created_at_s),
        }
        for one in all_discussions(site)
    ]


def _check_teacher(person: Person) -> None:
    if person.role == "student":
        abort(403)
