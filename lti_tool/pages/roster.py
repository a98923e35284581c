"""What an instructor says to a list of people that is held: they have left, or they are still here."""

from collections.abc import Callable

from flask import Blueprint, Response, abort, request

from lti_tool.pages.course_forms import instant_of_form
from lti_tool.pages.redirects import go_to
from lti_tool.pages.times import moment
from lti_tool.pages.visit_proof import check_form, with_visit
from lti_tool.tool import the_tool
from series.people import Visit
from series.permissions import Action, may
from series.rosters import RosterChanges
from series.store.audit import append_audit
from series.store.rosters import accept_roster, reject_roster

blueprint = Blueprint("roster", __name__, url_prefix="/visit/<visit_id>/course/roster")
blueprint.add_app_template_global(moment)  # for _roster.html


@blueprint.post("/accept")
@with_visit
def accept(visit: Visit) -> Response:
    """They have left: shown as no longer in the course, with all that they have done."""
    return _decide(visit, "accept_roster", accept_roster)


@blueprint.post("/reject")
@with_visit
def reject(visit: Visit) -> Response:
    """They are still here, whatever the LMS lists."""
    return _decide(visit, "reject_roster", reject_roster)


def _decide(visit: Visit, action: str, decide: Callable[..., RosterChanges | None]) -> Response:
    """Only what the page has shown is decided. Whoever comes too late, or twice, is shown how it stands by now."""
    if not may(visit, Action.SEE_COURSE) or visit.course_id is None:
        abort(403)
    shown = request.form.get("held_at", "")
    check_form(f"{action} {shown}")
    tool, now = the_tool(), the_tool().clock.now()
    with tool.database.write() as connection:
        changes = decide(connection, visit.course_id, now=now, held_at=instant_of_form(shown))
        if changes is not None:
            append_audit(
                connection,
                actor=f"participant {visit.participant_id}",
                action=action,
                thing=f"course {visit.course_id}",
                now=now,
                gone=len(changes.gone),
                of=changes.of,
            )
    answer = f"?roster={action}" if changes is not None else ""
    return go_to(f"/visit/{visit.visit_id}/course/{answer}#roster")
