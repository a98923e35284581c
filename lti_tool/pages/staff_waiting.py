"""What waits for who is signed in: the whole list on their first page, a number on all others."""

from dataclasses import dataclass

from flask import Blueprint, Response, abort, request

from lti_tool.pages.redirects import go_to
from lti_tool.pages.staff_proof import HOME, check_form, who, with_staff
from lti_tool.pages.times import moment
from lti_tool.pages.words import WORDS
from lti_tool.tool import the_tool
from series.permissions import Action, may
from series.staff import Staff
from series.store.audit import append_audit
from series.store.staff import choose_mail
from series.store.waiting import waiting_for_coordinator, waiting_for_university
from series.waiting import Waiting, sentence

blueprint = Blueprint("staff_waiting", __name__, url_prefix="/admin")


@dataclass(frozen=True, kw_only=True)
class WaitingRow:
    """`reason`: in a machine's words, in English."""

    sentence: str
    since: str
    reason: str
    path: str | None


def waiting_for(staff: Staff) -> list[Waiting]:
    """The longest first."""
    now = the_tool().clock.now()
    with the_tool().database.read() as connection:
        if may(staff, Action.SEE_PLAN):
            return waiting_for_coordinator(connection, now=now)
        if staff.university is None or not may(staff, Action.SEE_LMS, staff.university):
            return []
        return waiting_for_university(connection, staff.university.university_id, now=now)


def waiting_elsewhere(staff: Staff) -> int:
    """How many wait that the page on which this is asked does not show itself."""
    if request.path == HOME:
        return 0
    return sum(not (one.path or "").startswith(request.path) for one in waiting_for(staff))


def waiting_rows(staff: Staff) -> list[WaitingRow]:
    zone = staff.university.time_zone if staff.university else "UTC"
    return [
        WaitingRow(
            sentence=sentence(one, WORDS),
            since=moment(one.since_at, zone),
            reason=str(one.facts.get("reason", "")),
            path=one.path,
        )
        for one in waiting_for(staff)
    ]


@blueprint.post("/mail")
@with_staff
def choose(staff: Staff) -> Response:
    """Whether they are told by mail, too."""
    check_form("mail")
    wanted = request.form.get("wants_mail", "")
    if wanted not in {"yes", "no"}:
        abort(400)
    actor = who(staff)
    with the_tool().database.write() as connection:
        choose_mail(connection, staff.staff_id, is_wanted=wanted == "yes")
        append_audit(
            connection, actor=actor, action="choose_mail", thing=actor, now=the_tool().clock.now(), mail=wanted
        )
    return go_to(f"{HOME}?saved=mail")
