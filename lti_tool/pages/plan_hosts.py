"""The coordinator names the hosts of a session: by a code to send, or by a yes to who says that they host."""

from uuid import UUID

from flask import Blueprint, Response, abort, request
from flask_babel import gettext

from lti_tool.pages.course_forms import ANY_ID
from lti_tool.pages.plan import require, series_or_404, session_in
from lti_tool.pages.plan_edit import Fault, edit_page
from lti_tool.pages.plan_hosting import Saved
from lti_tool.pages.redirects import go_to
from lti_tool.pages.staff_proof import check_form, who, with_staff
from lti_tool.tool import the_tool
from series.hosts import MAX_LABEL_CHARS, RequestState
from series.permissions import Action
from series.staff import Staff
from series.store.host_invitations import invite_host, revoke_invitation
from series.store.hosts import NotToBeConfirmed, answer_request, remove_host

blueprint = Blueprint("plan_hosts", __name__, url_prefix="/coordinator/series/<slug>/sessions/<uuid:session_id>/hosts")
ANSWERS = {"yes": RequestState.CONFIRMED, "no": RequestState.REFUSED}


@blueprint.post("/invite")
@with_staff
def invite(staff: Staff, slug: str, session_id: UUID) -> Response:
    _begin(staff, session_id)
    now, label = the_tool().clock.now(), _typed_label()
    if not 0 < len(label) <= MAX_LABEL_CHARS:
        words = gettext("Please write whom you mean, in at most %(n)s characters.", n=MAX_LABEL_CHARS)
        return edit_page(
            staff, slug, session_id, Fault(words=words, typed={"do": "invite", "label": label}, status=422)
        )
    with the_tool().database.write() as connection:
        session = session_in(connection, series_or_404(connection, slug), session_id)
        if session.is_over(now):
            words = gettext("This session is over: nobody can host it any more.")
            return edit_page(staff, slug, session_id, Fault(words=words, typed={"do": "invite"}, status=409))
        invite_host(connection, session, label, by=who(staff), now=now)
    return _back(slug, session_id, Saved.INVITED)


@blueprint.post(f"/invitations/<{ANY_ID}:invitation_id>/revoke")
@with_staff
def revoke(staff: Staff, slug: str, session_id: UUID, invitation_id: int) -> Response:
    _begin(staff, session_id)
    with the_tool().database.write() as connection:
        session_in(connection, series_or_404(connection, slug), session_id)
        done = revoke_invitation(connection, session_id, invitation_id, by=who(staff), now=the_tool().clock.now())
    return _back(slug, session_id, Saved.REVOKED if done else Saved.OUTDATED)


@blueprint.post(f"/requests/<{ANY_ID}:participant_id>")
@with_staff
def answer(staff: Staff, slug: str, session_id: UUID, participant_id: int) -> Response:
    """Yes or no, in one click. What another coordinator has answered meanwhile stands."""
    _begin(staff, session_id)
    said = ANSWERS.get(request.form.get("answer", ""))
    if said is None:
        abort(400)
    seen = RequestState.REFUSED if request.form.get("seen") == RequestState.REFUSED else RequestState.WAITING
    now = the_tool().clock.now()
    try:
        with the_tool().database.write() as connection:
            session_in(connection, series_or_404(connection, slug), session_id)
            answer_request(
                connection,
                session_id=session_id,
                participant_id=participant_id,
                seen=seen,
                answer=said,
                by=who(staff),
                now=now,
            )
    except NotToBeConfirmed:
        return _back(slug, session_id, Saved.OUTDATED)
    return _back(slug, session_id, Saved.CONFIRMED if said is RequestState.CONFIRMED else Saved.REFUSED)


@blueprint.post(f"/<{ANY_ID}:participant_id>/remove")
@with_staff
def remove(staff: Staff, slug: str, session_id: UUID, participant_id: int) -> Response:
    _begin(staff, session_id)
    if request.form.get("confirmed") != "yes":
        typed = {"do": f"remove {participant_id}"}
        words = gettext("Nobody was removed. Tick the box as well, if you are sure.")
        return edit_page(staff, slug, session_id, Fault(words=words, typed=typed, status=422))
    now = the_tool().clock.now()
    with the_tool().database.write() as connection:
        session_in(connection, series_or_404(connection, slug), session_id)
        done = remove_host(connection, session_id=session_id, participant_id=participant_id, by=who(staff), now=now)
    return _back(slug, session_id, Saved.REMOVED if done else Saved.OUTDATED)


def _begin(staff: Staff, session_id: UUID) -> None:
    check_form(f"hosts {session_id}")
    require(staff, Action.NAME_HOSTS)


def _typed_label() -> str:
    text = "".join(sign for sign in request.form.get("label", "") if sign.isprintable())
    return " ".join(text.split())


def _back(slug: str, session_id: UUID, saved: Saved) -> Response:
    return go_to(f"/coordinator/series/{slug}/sessions/{session_id}?hosts={saved}#hosts")
