"""The picker: a teacher chooses, inside the LMS's own dialog, what to put into the course.

It keeps nothing: what the launch has proved is sealed into the forms, so that it works in a frame without cookies.
LTI Deep Linking 2.0: https://www.imsglobal.org/spec/lti-dl/v2p0#deep-linking-workflow
"""

import secrets
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import structlog
from flask import Blueprint, Response, g, make_response, render_template, request
from flask_babel import gettext
from joserfc import jwt

from lms.products import Product
from lms.products.deep_linking import DeepLinking
from lms.products.table import DEEP_LINKING
from lms.tool_keys import current_signing_key
from lti_tool.pages.login import read_form
from lti_tool.pages.pick_items import WHOLE, Planned, planned_items
from lti_tool.pages.platforms import platform_of_state
from lti_tool.pages.times import moment, times_of
from lti_tool.pages.visit_proof import is_our_own_form
from lti_tool.protocol.deep_linking import ContentItem, Picking, open_picking, response_claims, seal_picking
from lti_tool.protocol.refusals import RefusalCode, Refused
from lti_tool.tool import Tool, the_tool
from series.people import University
from series.sessions import Series, Session
from series.store.audit import append_audit
from series.store.picks import Offer, is_open, offer_of, offered_series, university_of
from series.store.universities import get_platform

blueprint = Blueprint("pick", __name__, url_prefix="/lti")
blueprint.before_request(read_form)
log = structlog.get_logger()
STEPS = {"choose", "show", "make", "cancel"}


@dataclass(frozen=True, kw_only=True)
class Desk:
    """All that the picker's pages show. `offered`: the series among which can be chosen; `offer`: the one that is."""

    picking: Picking
    offered: list[Series]
    offer: Offer
    university: University
    product: DeepLinking


@dataclass(frozen=True, kw_only=True)
class Choice:
    """`is_whole`: the whole series as one activity, and not the sessions that are ticked. `fault`: why that cannot be
    made, in words."""

    is_whole: bool = True
    ticked: frozenset[UUID] = frozenset()
    fault: str = ""


@blueprint.post("/pick")
def pick() -> Response | str:
    """One step of the picker: choose, show what would be made, make it, or go back without."""
    tool = the_tool()
    if not is_our_own_form():
        raise Refused(RefusalCode.PICKING_INVALID)
    picking = open_picking(request.form.get("picking", ""), secret_key=tool.settings.secret_key, now=tool.clock.now())
    g.return_url = picking.deep_link_return_url
    step = request.form.get("do", "")
    if step not in STEPS:
        raise Refused(RefusalCode.PICKING_INVALID)
    desk = _desk(tool, picking)
    if step == "cancel":
        return answer(tool, picking, [], message=gettext("Nothing was added."))
    choice = _choice(desk)
    if step == "choose":  # perhaps of another series, where nothing is ticked yet
        return choose(desk, replace(choice, fault=""))
    if choice.fault:
        return make_response(choose(desk, choice), 422)
    chosen = None if choice.is_whole else choice.ticked
    planned = planned_items(desk.offer, chosen, picking, desk.product, public_url=tool.settings.public_url)
    return _show(desk, choice, planned) if step == "show" else _make(tool, desk, planned)


def begin(tool: Tool, picking: Picking) -> str:
    """The first page, which answers the launch itself."""
    g.return_url = picking.deep_link_return_url
    return choose(_desk(tool, picking), Choice())


def choose(desk: Desk, choice: Choice) -> str:
    return render_template("pick.html", choice=choice, now=the_tool().clock.now(), rows=_rows(desk), **_shown(desk))


def answer(tool: Tool, picking: Picking, items: list[ContentItem], *, message: str = "", error: str = "") -> str:
    """The page that posts our signed answer to the LMS; by itself, unless it has something to say first."""
    platform = platform_of_state(tool, picking.platform_id)
    g.return_url = g.form_action_url = picking.deep_link_return_url
    signing = current_signing_key(tool.database, tool.settings.encryption_key, tool.clock.now)()
    claims = response_claims(
        picking,
        items,
        client_id=platform.client_id,
        issuer=platform.issuer,
        nonce=secrets.token_urlsafe(24),
        now=tool.clock.now(),
        message=message,
        error=error,
    )
    log.info("picked", platform=platform.slug, activities=len(items), with_error=bool(error))
    return render_template(
        "pick_answer.html",
        action=picking.deep_link_return_url,
        signed=jwt.encode({"alg": "RS256", "kid": signing.kid}, claims, signing.key),
        error=error,
    )


def _make(tool: Tool, desk: Desk, planned: list[Planned]) -> str:
    with tool.database.write() as connection:
        append_audit(
            connection,
            actor=f"participant {desk.picking.participant_id}",
            action="pick",
            thing=f"course {desk.picking.course_id or '-'}",
            now=tool.clock.now(),
            series=str(desk.offer.series.series_id),
            activities=len(planned),
        )
    added = gettext("Chosen in Shared Sessions: %(titles)s", titles=", ".join(one.item.title for one in planned))
    return answer(tool, desk.picking, [one.item for one in planned], message=added[:500])


def _show(desk: Desk, choice: Choice, planned: list[Planned]) -> str:
    zone = desk.university.time_zone
    rows = [
        {
            "item": one.item,
            "session": one.session,
            "points": one.points,
            "times": times_of(one.session, zone) if one.session else None,
            "opens": moment(one.opens_at, zone) if one.opens_at else "",
            "closes": moment(one.closes_at, zone) if one.closes_at else "",
        }
        for one in planned
    ]
    return render_template("pick_made.html", choice=choice, rows=rows, **_shown(desk))


def _desk(tool: Tool, picking: Picking) -> Desk:
    """Raises Refused when the LMS is switched off meanwhile, or there is no series."""
    with tool.database.read() as connection:
        if not is_open(connection, picking.platform_id, picking.deployment_id):
            raise Refused(RefusalCode.DEPLOYMENT_DISABLED, deployment_id=picking.deployment_id)
        platform = get_platform(connection, picking.platform_id)
        assert platform is not None
        offered = offered_series(connection, picking.course_id, now=tool.clock.now())
        if not offered:
            raise Refused(RefusalCode.NO_SERIES)
        wanted = request.form.get("series", "")
        chosen = next((one for one in offered if str(one.series_id) == wanted), offered[0])
        offer = offer_of(connection, chosen, picking.course_id)
        university = university_of(connection, picking.platform_id)
    return Desk(
        picking=picking,
        offered=offered,
        offer=offer,
        university=university,
        product=DEEP_LINKING[Product(platform.product)],
    )


def _choice(desk: Desk) -> Choice:
    """What the form says. A radio button is named `what`, a tick `session`."""
    what = request.form.get("what", WHOLE)
    allowed = {session.session_id for session in desk.offer.sessions if not session.is_cancelled}
    texts = request.form.getlist("session") + ([what] if what not in {WHOLE, "sessions"} else [])
    ticked = frozenset(found for text in texts if (found := _uuid(text)) in allowed and found is not None)
    if what == WHOLE:
        both = gettext("You have ticked single sessions, and the whole series as well. Which of the two do you want?")
        return Choice(ticked=ticked, fault=both if ticked else "")
    if not ticked:
        none = gettext("Please choose at least one session, or the whole series.")
        return Choice(is_whole=False, fault=none)
    if len(ticked) > 1 and not desk.picking.accepts_multiple:
        many = gettext("Your LMS takes one activity at a time from here: please choose one.")
        return Choice(is_whole=False, ticked=ticked, fault=many)
    return Choice(is_whole=False, ticked=ticked)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _rows(desk: Desk) -> list[tuple[Session, Any]]:
    return [(session, times_of(session, desk.university.time_zone)) for session in desk.offer.sessions]


def _shown(desk: Desk) -> dict[str, Any]:
    """What both pages have. Sealed anew, so that each step has its twelve hours."""
    tool = the_tool()
    sealed = seal_picking(desk.picking, secret_key=tool.settings.secret_key, now=tool.clock.now())
    return {
        "desk": desk,
        "series": desk.offer.series,
        "zone": desk.university.time_zone,
        "sealed": sealed,
        "WHOLE": WHOLE,
    }
