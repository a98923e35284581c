"""Staff register an LMS by hand. A coordinator's works at once; an LMS admin's waits for the coordinator."""

from flask import Blueprint, Response, make_response, render_template, request

from lti_tool.foreign_clients import refuse_foreign_client
from lti_tool.pages.manual_registration import Typed, blank, checked, form_values, looked_up, new_platform, read_typed
from lti_tool.pages.redirects import go_to
from lti_tool.pages.register_words import problem_words
from lti_tool.pages.staff_proof import check_form, form_token, who, with_staff
from lti_tool.pages.staff_universities import university_or_404
from lti_tool.tool import the_tool
from series.people import University
from series.permissions import Action, may
from series.staff import Staff
from series.store.audit import append_audit
from series.store.universities import AlreadyThere, NewPlatform, add_platform, free_slug

blueprint = Blueprint("connect_manual", __name__, url_prefix="/admin/lms/<slug>/connect/manual")


@blueprint.get("")
@with_staff
def show(staff: Staff, slug: str) -> Response:
    university, free = _university(staff, slug)
    return _page(staff, university, blank(free))


@blueprint.post("")
@with_staff
def send(staff: Staff, slug: str) -> Response:
    """Look the addresses up in the LMS, or save them; `do` says which."""
    check_form(f"connect-lms {slug}")
    university, free = _university(staff, slug)
    typed = read_typed(university, free)
    if request.form.get("do") == "look_up":
        typed = looked_up(typed)
        return _page(staff, university, typed, status=422 if typed.faults else 200)
    typed = checked(typed)
    if typed.faults:
        return _page(staff, university, typed, status=422)
    is_approved = may(staff, Action.APPROVE_LMS, university)
    try:
        _save(staff, new_platform(typed, university, is_approved=is_approved))
    except AlreadyThere as problem:
        words = problem_words(problem)
        return _page(staff, university, typed, problem=f"{words.what} {words.next}", status=words.status)
    return go_to(f"/admin/lms/{slug}/connect/?saved={'connected' if is_approved else 'waits'}")


def _save(staff: Staff, new: NewPlatform) -> None:
    now = the_tool().clock.now()
    with the_tool().database.write() as connection:
        refuse_foreign_client(connection, new)
        platform_id = add_platform(connection, new, now=now)
        append_audit(
            connection,
            actor=who(staff),
            action="add_platform",
            thing=f"platform {platform_id}",
            now=now,
            approved=int(new.is_approved),
        )


def _university(staff: Staff, slug: str) -> tuple[University, str]:
    """With the name of its next platform."""
    with the_tool().database.read() as connection:
        university = university_or_404(connection, staff, slug, Action.EDIT_LMS)
        return university, free_slug(connection, university.slug)


def _page(staff: Staff, university: University, typed: Typed, *, problem: str = "", status: int = 200) -> Response:
    page = render_template(
        "connect_manual.html",
        staff=staff,
        university=university,
        problem=problem,
        action=f"/admin/lms/{university.slug}/connect/manual",
        form_token=form_token(f"connect-lms {university.slug}"),
        **form_values(typed),
    )
    return make_response(page, status)
