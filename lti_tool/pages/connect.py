"""Connecting the LMS of a university: invitations to register it, what has registered, and who lets it in.

For whoever runs that LMS, and the coordinator. An LMS admin's invitation never approves what registers by it.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, Response, abort, make_response, render_template, request
from flask_babel import gettext

from lti_tool.pages.course_forms import ANY_ID
from lti_tool.pages.redirects import go_to
from lti_tool.pages.register_invitation import link_of
from lti_tool.pages.staff_proof import check_form, who, with_staff
from lti_tool.pages.staff_universities import university_or_404
from lti_tool.pages.times import moment
from lti_tool.tool import the_tool
from series.lms_invitations import DAYS, MAX_DAYS, MIN_DAYS, LmsInvitation, Standing
from series.people import University
from series.permissions import Action, may
from series.staff import Staff
from series.store.audit import append_audit
from series.store.database import Connection
from series.store.lms_invitations import find_invitation, list_invitations, make_invitation, revoke_invitation
from series.store.universities import approve_platform, disable_platform, find_platform, platforms_of_university

blueprint = Blueprint("connect", __name__, url_prefix="/admin/lms/<slug>/connect")
DIGITS = re.compile(r"[0-9]{1,4}", re.ASCII)
SHOWN_WHEN_OVER = 10  # of those that are over: the newest


@dataclass(frozen=True, kw_only=True)
class InvitationRow:
    """`link`: only while it is good for something. `problem`: in English, with its time."""

    number: int
    standing: str
    is_open: bool
    link: str
    made: str
    expires: str
    approves: bool
    platform: str | None
    problem: str
    problem_at: str


@blueprint.get("/")
@with_staff
def show(staff: Staff, slug: str) -> Response:
    with the_tool().database.read() as connection:
        university = university_or_404(connection, staff, slug, Action.SEE_LMS)
    return _page(staff, university)


@blueprint.post("/invite")
@with_staff
def invite(staff: Staff, slug: str) -> Response:
    check_form(f"invite-lms {slug}")
    tool, now = the_tool(), the_tool().clock.now()
    days = request.form.get("days", "")
    with tool.database.write() as connection:
        university = university_or_404(connection, staff, slug, Action.EDIT_LMS)
        if not (DIGITS.fullmatch(days) and MIN_DAYS <= int(days) <= MAX_DAYS):
            fault = gettext("Please give a number of days from %(min)s to %(max)s.", min=MIN_DAYS, max=MAX_DAYS)
            return _page(staff, university, fault=fault, days=days, status=422)
        approves = request.form.get("approves") == "yes" and may(staff, Action.APPROVE_LMS, university)
        life = timedelta(days=int(days))
        make_invitation(connection, university, approves=approves, life=life, actor=who(staff), now=now)
    return go_to(f"/admin/lms/{slug}/connect/?saved=invited")


@blueprint.get(f"/revoke/<{ANY_ID}:number>")
@with_staff
def show_revoke(staff: Staff, slug: str, number: int) -> str | Response:
    with the_tool().database.read() as connection:
        university = university_or_404(connection, staff, slug, Action.EDIT_LMS)
        invitation = _invitation(connection, university, number)
    if not invitation.standing(the_tool().clock.now()).is_open:
        return go_to(f"/admin/lms/{slug}/connect/")
    return render_template(
        "connect_revoke.html",
        staff=staff,
        university=university,
        number=number,
        made=moment(invitation.created_at, university.time_zone),
    )


@blueprint.post(f"/revoke/<{ANY_ID}:number>")
@with_staff
def revoke(staff: Staff, slug: str, number: int) -> Response:
    check_form(f"revoke-lms {slug} {number}")
    with the_tool().database.write() as connection:
        university = university_or_404(connection, staff, slug, Action.EDIT_LMS)
        invitation = _invitation(connection, university, number)
        revoke_invitation(connection, invitation, actor=who(staff), now=the_tool().clock.now())
    return go_to(f"/admin/lms/{slug}/connect/?saved=revoked")


@blueprint.post("/approve/<platform>")
@with_staff
def approve(staff: Staff, slug: str, platform: str) -> Response:
    """Let it in, or turn it down; `do` says which. Either may be changed later."""
    check_form(f"approve-lms {slug} {platform}")
    wanted = request.form.get("do", "")
    if wanted not in {"approve", "reject"}:
        abort(400)
    with the_tool().database.write() as connection:
        university = university_or_404(connection, staff, slug, Action.APPROVE_LMS)
        row = find_platform(connection, platform)
        if row is None or row.university_id != university.university_id:
            abort(404)
        if wanted == "approve":
            changed = approve_platform(connection, row.platform_id)
        elif changed := row.state == "pending":
            disable_platform(connection, row.platform_id)
        if not changed:
            abort(409)
        _note(connection, f"{wanted}_platform", f"platform {row.platform_id}", staff)
    return go_to(f"/admin/lms/{slug}/connect/?saved={'approved' if wanted == 'approve' else 'rejected'}")


def _note(connection: Connection, action: str, thing: str, staff: Staff) -> None:
    append_audit(connection, actor=who(staff), action=action, thing=thing, now=the_tool().clock.now())


def _invitation(connection: Connection, university: University, number: int) -> LmsInvitation:
    found = find_invitation(connection, number)
    if found is None or found.university.university_id != university.university_id:
        abort(404)
    return found


def _page(staff: Staff, university: University, *, fault: str = "", days: str = "", status: int = 200) -> Response:
    tool, now = the_tool(), the_tool().clock.now()
    with tool.database.read() as connection:
        invitations = list_invitations(connection, university.university_id)
        platforms = platforms_of_university(connection, university.university_id)
    rows = [_row(one, now) for one in invitations]
    page = render_template(
        "connect.html",
        staff=staff,
        university=university,
        open_ones=[row for row in rows if row.is_open],
        over=[row for row in rows if not row.is_open][:SHOWN_WHEN_OVER],
        platforms=platforms,
        fault=fault,
        days=days or str(DAYS),
        max_days=MAX_DAYS,
        saved=request.args.get("saved", ""),
    )
    return make_response(page, status)


def _row(one: LmsInvitation, now: datetime) -> InvitationRow:
    zone, standing = one.university.time_zone, one.standing(now)
    return InvitationRow(
        number=one.invitation_id,
        standing=_in_words(standing),
        is_open=standing.is_open,
        link=link_of(one, the_tool()) if standing.is_open else "",
        made=moment(one.created_at, zone),
        expires=moment(one.expires_at, zone),
        approves=one.approves,
        platform=one.platform_slug,
        problem=one.problem or "",
        problem_at=moment(one.problem_at, zone) if one.problem_at else "",
    )


def _in_words(standing: Standing) -> str:
    words: dict[Standing, str] = {
        Standing.OPEN: gettext("not used yet"),
        Standing.UNDER_WAY: gettext("being used at this moment"),
        Standing.USED: gettext("used"),
        Standing.EXPIRED: gettext("expired"),
        Standing.REVOKED: gettext("taken back"),
    }
    return words[standing]
