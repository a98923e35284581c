"""Connecting a university's Moodle at one level: the role files, the clicks, and the form for address and token."""

import math
from dataclasses import dataclass, field

from flask import Blueprint, Response, abort, make_response, render_template, request
from flask_babel import gettext

from lms.errors import LmsError
from lms.moodle import Moodle, SiteInfo
from lms.moodle_introduction import FunctionsMissing, introduce
from lms.moodle_levels import functions_of
from lms.moodle_role import RoleKind, role_capabilities, role_file_name, role_xml
from lms.turnstile import TooManyWait
from lti_tool.pages.moodle_connection import connected_moodle
from lti_tool.pages.moodle_connection_words import level_words, steps_of
from lti_tool.pages.redirects import go_to
from lti_tool.pages.staff_proof import check_form, who, with_staff
from lti_tool.pages.staff_universities import university_or_404
from lti_tool.pages.staff_words import wait_in_words
from lti_tool.pages.words import WORDS
from lti_tool.tool import LMS_WITHIN_S, the_tool
from series.check_words import check_line
from series.checks import Check, Code, Outcome
from series.limits import STAFF_TRIES
from series.moodle_jobs import Level
from series.moodle_typed import Mistyped, typed_address, typed_token
from series.people import University
from series.permissions import Action
from series.staff import Staff
from series.store.check_facts import has_announcements
from series.store.connecting import connect_moodle
from series.store.course_ties import shown_series
from series.store.limits import take
from series.store.moodle_accounts import last_address
from series.store.moodle_connections import NewConnection

blueprint = Blueprint("moodle_connection_set_up", __name__, url_prefix="/admin/moodle/<slug>/connection/<level>")
MAX_KEPT_CHARS = 300


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong with the form. `name`: of the field."""

    words: str = ""
    name: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


NO_FAULT = Fault()


@blueprint.get("/")
@with_staff
def show(staff: Staff, slug: str, level: str) -> Response:
    return _page(staff, slug, _level_or_404(level), NO_FAULT)


@blueprint.get("/role-<kind>.xml")
@with_staff
def role_file(staff: Staff, slug: str, level: str, kind: str) -> Response:
    if kind not in list(RoleKind):
        abort(404)
    with the_tool().database.read() as connection:
        university_or_404(connection, staff, slug, Action.SEE_LMS)
    role, wanted, announcements = RoleKind(kind), _level_or_404(level), _wants_announcements()
    response = Response(role_xml(role, wanted, announcements=announcements), mimetype="application/xml")
    name = role_file_name(role, wanted, announcements=announcements)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@blueprint.post("/")
@with_staff
def connect(staff: Staff, slug: str, level: str) -> Response:
    """Stores nothing before the Moodle has said who it is and what our token may call."""
    wanted = _level_or_404(level)
    check_form(f"connect-moodle {slug} {wanted}")
    tool, now = the_tool(), the_tool().clock.now()
    with tool.database.write() as connection:
        university = university_or_404(connection, staff, slug, Action.EDIT_LMS)
        wait_s = math.ceil(take(connection, f"staff moodle {staff.staff_id}", STAFF_TRIES, now=now))
    if wait_s:
        words = gettext("There were too many tries. Please wait %(wait)s, then try again.", wait=wait_in_words(wait_s))
        return _page(staff, slug, wanted, Fault(words=words, status=429, headers={"Retry-After": str(wait_s)}))
    try:
        address = typed_address(request.form.get("address", ""), WORDS)
        token = typed_token(request.form.get("token", ""), WORDS)
        site = _introduced(university, address, token, wanted)
    except Mistyped as error:
        return _page(staff, slug, wanted, Fault(words=str(error), name=error.field, status=422))
    with tool.database.write() as connection:
        new = NewConnection(
            university_id=university.university_id,
            base_url=site.site_url,
            token=token,
            moodle_user_id=site.user_id,
            level=wanted,
            site_name=site.site_name.replace("\0", ""),
            is_same_site=request.form.get("same_site") == "1",
        )
        key = tool.settings.encryption_key
        left = connect_moodle(connection, new, encryption_key=key, actor=who(staff), now=now)
        has_course = bool(shown_series(connection, university.university_id))
    onward = "?saved=connected" if has_course else "course?saved=connected"
    path = "course?saved=elsewhere" if left.needs_courses else onward
    return go_to(f"/admin/moodle/{slug}/connection/{path}")


def _introduced(university: University, address: str, token: str, level: Level) -> SiteInfo:
    """Raises Mistyped, in words for the field that is to be mended."""
    tool = the_tool()
    moodle = Moodle(http=tool.http, base_url=address, token=token, within_s=LMS_WITHIN_S)
    try:
        with tool.turnstile.place(-university.university_id):  # platforms have the numbers above 0
            return introduce(moodle, level, WORDS)
    except FunctionsMissing as error:
        facts: dict[str, str | int] = {"functions": ", ".join(error.functions)}
        gap = Check(code=Code.FUNCTIONS, outcome=Outcome.GAP, facts=facts)
        raise Mistyped(check_line(gap, WORDS), "token") from None
    except LmsError as error:
        # An answer of Moodle's own is about our token; everything else is about where we have asked.
        is_about_token = getattr(error, "status", 0) == 200
        raise Mistyped(str(error), "token" if is_about_token else "address") from None
    except TooManyWait as error:
        raise Mistyped(str(error), "address") from None


def _page(staff: Staff, slug: str, level: Level, fault: Fault) -> Response:
    with the_tool().database.read() as connection:
        university = university_or_404(connection, staff, slug, Action.SEE_LMS)
        connected = connected_moodle(connection, university)
        announcements = _wants_announcements() or has_announcements(connection, university.university_id)
        before = last_address(connection, university.university_id)
    page = render_template(
        "moodle_set_up.html",
        staff=staff,
        university=university,
        connected=connected,
        words=level_words(level),
        level=level,
        announcements=announcements,
        steps=steps_of(level, announcements=announcements),
        minutes=sum(step.minutes for step in steps_of(level, announcements=announcements)),
        functions=functions_of(level, announcements=announcements),
        roles=[(kind, role_capabilities(kind, level, announcements=announcements)) for kind in RoleKind],
        fault=fault,
        before=before,
        is_same_site=request.form.get("same_site") == "1",
        address=request.form.get("address", "")[:MAX_KEPT_CHARS] or (connected.base_url if connected else ""),
    )
    return make_response(page, fault.status, fault.headers)


def _level_or_404(level: str) -> Level:
    try:
        return Level(level)
    except ValueError:
        abort(404)


def _wants_announcements() -> bool:
    return request.args.get("announcements") == "1"
