"""Where staff begin: who they are here, the series, their password, and the ways out."""

from flask import Blueprint, Response, make_response, render_template, request

from lti_tool.pages.present_password import ask_present_password
from lti_tool.pages.redirects import go_to
from lti_tool.pages.staff_proof import (
    SIGN_IN,
    NotSignedIn,
    check_form,
    drop_staff_cookie,
    session_hash_of_browser,
    who,
    with_staff,
)
from lti_tool.pages.staff_waiting import waiting_rows
from lti_tool.pages.staff_words import fault_in_words, wait_in_words
from lti_tool.pages.times import moment
from lti_tool.tool import the_tool
from series.permissions import Action, may
from series.staff import Staff, password_fault
from series.store.audit import append_audit
from series.store.bindings import bindings_of
from series.store.sessions import list_series
from series.store.staff import AccountChanged, change_password, end_sign_ins, wants_mail
from series.store.staff_sessions import close_session

blueprint = Blueprint("staff", __name__, url_prefix="/admin")


@blueprint.get("/")
@with_staff
def home(staff: Staff) -> str:
    series = []
    if may(staff, Action.SEE_PLAN):
        with the_tool().database.read() as connection:
            series = list_series(connection)
    zone = staff.university.time_zone if staff.university else "UTC"
    last_time = moment(staff.seen_before_at, zone) if staff.seen_before_at else None
    with the_tool().database.read() as connection:
        mailed = wants_mail(connection, staff.staff_id)
        bindings = bindings_of(connection, staff.staff_id)
    return render_template(
        "staff_home.html",
        staff=staff,
        series=series,
        last_time=last_time,
        waiting=waiting_rows(staff),
        sends_mail=the_tool().settings.smtp_url is not None,
        wants_mail=mailed,
        bindings=[(one, moment(one.bound_at, one.time_zone)) for one in bindings],
        saved=request.args.get("saved", ""),
    )


@blueprint.post("/sign-out")
@with_staff
def sign_out(staff: Staff) -> Response:
    check_form("sign-out")
    with the_tool().database.write() as connection:
        close_session(connection, session_hash_of_browser() or "")
    return _out("signed-out")


@blueprint.post("/sign-out-everywhere")
@with_staff
def sign_out_everywhere(staff: Staff) -> Response:
    check_form("sign-out-everywhere")
    actor = who(staff)
    with the_tool().database.write() as connection:
        end_sign_ins(connection, staff.staff_id)
        append_audit(connection, actor=actor, action="sign_out_everywhere", thing=actor, now=the_tool().clock.now())
    return _out("everywhere")


@blueprint.get("/password")
@with_staff
def show_password(staff: Staff) -> Response:
    return _password_page(staff)


@blueprint.post("/password")
@with_staff
def set_password(staff: Staff) -> Response:
    check_form("password")
    tool, password = the_tool(), request.form.get("password", "")
    now = tool.clock.now()
    fault = fault_in_words(
        password_fault(password, email=staff.email, name=staff.name), repeated=password == request.form.get("again", "")
    )
    if fault:
        return _password_page(staff, fault=fault, status=422)
    asked = ask_present_password(staff)
    if asked.wait_s:
        response = _password_page(staff, wait_s=asked.wait_s, status=429)
        response.headers["Retry-After"] = str(asked.wait_s)
        return response
    if asked.account is None:
        return _password_page(staff, is_wrong=True, status=422)
    password_hash, actor = tool.passwords.make_hash(password), who(staff)
    try:
        with tool.database.write() as connection:
            change_password(connection, asked.account, password_hash=password_hash)
            append_audit(connection, actor=actor, action="set_password", thing=actor, now=now, by="page")
    except AccountChanged as changed:
        raise NotSignedIn from changed
    return _out("password")


def _password_page(
    staff: Staff, *, fault: str = "", is_wrong: bool = False, wait_s: int = 0, status: int = 200
) -> Response:
    wait = wait_in_words(wait_s) if wait_s else ""
    page = render_template("staff_password.html", staff=staff, fault=fault, is_wrong=is_wrong, wait=wait)
    return make_response(page, status)


def _out(done: str) -> Response:
    response = go_to(f"{SIGN_IN}?done={done}")
    drop_staff_cookie(response)
    return response
