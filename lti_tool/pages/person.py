"""One account of staff, for the coordinator: a new link, off and on, and whose launches sign it in."""

from flask import Blueprint, Response, abort, make_response, render_template, request
from flask_babel import gettext

from lti_tool.pages.course_forms import ANY_ID
from lti_tool.pages.people import link_page, make_link, person_row
from lti_tool.pages.redirects import go_to
from lti_tool.pages.staff_proof import check_form, who, with_staff
from lti_tool.pages.times import moment
from lti_tool.tool import the_tool
from series.permissions import Action, may
from series.staff import INVITATION_LIFE, LINK_LIFE, Staff
from series.store.audit import append_audit
from series.store.bindings import bindings_of, undo_binding
from series.store.database import Connection
from series.store.people import LastCoordinator, Person, disable_person, find_person
from series.store.staff import enable_account, reset_account

blueprint = Blueprint("person", __name__, url_prefix=f"/admin/people/<{ANY_ID}:staff_id>")


@blueprint.get("/")
@with_staff
def show(staff: Staff, staff_id: int) -> Response:
    return _page(staff, staff_id)


@blueprint.get("/reset")
@with_staff
def confirm_reset(staff: Staff, staff_id: int) -> str:
    return _confirm_page(staff, staff_id, "reset")


@blueprint.get("/disable")
@with_staff
def confirm_disable(staff: Staff, staff_id: int) -> str:
    return _confirm_page(staff, staff_id, "disable")


@blueprint.post("/link")
@with_staff
def new_link(staff: Staff, staff_id: int) -> Response:
    """For who has not chosen a password so far; the link before is over."""
    check_form(f"link-staff {staff_id}")
    with the_tool().database.write() as connection:
        person = _person_or_404(connection, staff, staff_id, Action.EDIT_PEOPLE)
        if not person.account.is_active or person.account.password_hash is not None:
            abort(409)
        _note(connection, staff, staff_id, "link_staff")
        is_new = person.account.signed_in_at is None
        made = make_link(connection, staff_id, life=INVITATION_LIFE if is_new else LINK_LIFE, is_new=is_new)
    return link_page(staff, made)


@blueprint.post("/reset")
@with_staff
def reset(staff: Staff, staff_id: int) -> Response:
    """The old password works no longer, at once; what it has opened is over."""
    check_form(f"reset-staff {staff_id}")
    with the_tool().database.write() as connection:
        person = _person_or_404(connection, staff, staff_id, Action.EDIT_PEOPLE)
        if staff_id == staff.staff_id or not person.account.is_active:
            abort(409)
        reset_account(connection, staff_id)
        _note(connection, staff, staff_id, "reset_staff")
        made = make_link(connection, staff_id, life=LINK_LIFE, is_new=False)
    return link_page(staff, made)


@blueprint.post("/disable")
@with_staff
def disable(staff: Staff, staff_id: int) -> Response:
    check_form(f"disable-staff {staff_id}")
    if staff_id == staff.staff_id:
        return _page(staff, staff_id, gettext("You cannot disable your own account. Another coordinator can."), 409)
    try:
        with the_tool().database.write() as connection:
            _person_or_404(connection, staff, staff_id, Action.EDIT_PEOPLE)
            disable_person(connection, staff_id)
            _note(connection, staff, staff_id, "disable_staff")
    except LastCoordinator:
        words = gettext("This is the last coordinator. Invite another one first; then this account can be disabled.")
        return _page(staff, staff_id, words, 409)
    return go_to(f"/admin/people/{staff_id}/?saved=disabled")


@blueprint.post("/enable")
@with_staff
def enable(staff: Staff, staff_id: int) -> Response:
    check_form(f"enable-staff {staff_id}")
    with the_tool().database.write() as connection:
        _person_or_404(connection, staff, staff_id, Action.EDIT_PEOPLE)
        enable_account(connection, staff_id)
        _note(connection, staff, staff_id, "enable_staff")
    return go_to(f"/admin/people/{staff_id}/?saved=enabled")


@blueprint.post(f"/bindings/<{ANY_ID}:participant_id>/undo")
@with_staff
def undo(staff: Staff, staff_id: int, participant_id: int) -> Response:
    """Their LMS opens nothing for them any more."""
    check_form(f"undo-binding {participant_id}")
    with the_tool().database.write() as connection:
        _person_or_404(connection, staff, staff_id, Action.EDIT_PEOPLE)
        undo_binding(connection, staff_id, participant_id, actor=who(staff), now=the_tool().clock.now())
    return go_to(f"/admin/people/{staff_id}/?saved=unbound")


def _page(staff: Staff, staff_id: int, fault: str = "", status: int = 200) -> Response:
    with the_tool().database.read() as connection:
        person = _person_or_404(connection, staff, staff_id, Action.SEE_PEOPLE)
        bindings = bindings_of(connection, staff_id)
    page = render_template(
        "person.html",
        staff=staff,
        row=person_row(person),
        person=person,
        bindings=[(one, moment(one.bound_at, one.time_zone)) for one in bindings],
        fault=fault,
        saved=request.args.get("saved", ""),
    )
    return make_response(page, status)


def _confirm_page(staff: Staff, staff_id: int, what: str) -> str:
    with the_tool().database.read() as connection:
        person = _person_or_404(connection, staff, staff_id, Action.EDIT_PEOPLE)
    if staff_id == staff.staff_id or not person.account.is_active:
        abort(409)
    return render_template("person_confirm.html", staff=staff, person=person, what=what)


def _person_or_404(connection: Connection, staff: Staff, staff_id: int, action: Action) -> Person:
    """Whoever may not is told so (403), whether or not there is such an account."""
    if not may(staff, action):
        abort(403)
    person = find_person(connection, staff_id, now=the_tool().clock.now())
    if person is None:
        abort(404)
    return person


def _note(connection: Connection, staff: Staff, staff_id: int, action: str) -> None:
    append_audit(connection, actor=who(staff), action=action, thing=f"staff {staff_id}", now=the_tool().clock.now())
