"""Calendar feeds: what a calendar program fetches, and the forms that make a new address."""

import hashlib
import math

from flask import Blueprint, Response, abort, request
from flask_babel import gettext

from lti_tool.pages.redirects import go_to
from lti_tool.pages.visit_proof import check_form, with_visit
from lti_tool.tool import Tool, the_tool
from series.feed import Reader, write_feed
from series.feed_address import FeedOwner, OwnerKind, proves, read_token
from series.limits import COURSE_FEED_READS, FEED_READS
from series.people import Visit
from series.permissions import Action, may
from series.store.audit import append_audit
from series.store.feeds import feed_owner, note_feed_read, renew_feed, series_of_owner
from series.store.limits import take
from series.store.sessions import dated_sessions_of

blueprint = Blueprint("feeds", __name__)

FRESH_FOR_S = 300
NOBODY = {kind: FeedOwner(kind=kind, owner_id=0, generation=0) for kind in OwnerKind}


@blueprint.get("/calendar/<token>.ics")
def feed(token: str) -> Response:
    """The feed of whom the token names. `?for=moodle` is for Moodle's own importer."""
    tool = the_tool()
    owner = _proved_owner(tool, token)
    if owner is None:
        words = gettext(
            "This calendar address does not work, or not any more. "
            "Please open the workshop series in your course: the present address is shown there."
        )
        return _plain(words, 404)
    wait_s = _take(tool, owner)
    if wait_s:
        response = _plain(gettext("This calendar is fetched too often. Please wait a moment."), 429)
        response.headers["Retry-After"] = str(math.ceil(wait_s))
        return response
    return _calendar(_write(tool, owner))


@blueprint.post("/visit/<visit_id>/calendar/<int:generation>/new-address")
@with_visit
def renew_own(visit: Visit, generation: int) -> Response:
    _renew(visit, OwnerKind.PARTICIPANT, visit.participant_id, generation)
    return go_to(f"/visit/{visit.visit_id}/?calendar=new#calendar")


@blueprint.post("/visit/<visit_id>/course/calendar/<int:generation>/new-address")
@with_visit
def renew_of_course(visit: Visit, generation: int) -> Response:
    if not may(visit, Action.SEE_COURSE) or visit.course_id is None:
        abort(403)
    _renew(visit, OwnerKind.COURSE, visit.course_id, generation)
    return go_to(f"/visit/{visit.visit_id}/course/?calendar=new#calendar")


def _renew(visit: Visit, kind: OwnerKind, owner_id: int, generation: int) -> None:
    """The form says which address it replaces, so that a double click makes one new address and not two."""
    check_form(f"new-address {kind} {generation}")
    tool = the_tool()
    with tool.database.write() as connection:
        owner = feed_owner(connection, kind, owner_id)
        if owner is None or owner.generation != generation or not renew_feed(connection, owner):
            return
        append_audit(
            connection,
            actor=f"participant {visit.participant_id}",
            action="renew_feed_address",
            thing=f"{kind.name.lower()} {owner_id}",
            now=tool.clock.now(),
        )


def _proved_owner(tool: Tool, text: str) -> FeedOwner | None:
    """Whether there is such a person does not show: also for nobody a token is compared."""
    token = read_token(text)
    if token is None:
        return None
    with tool.database.read() as connection:
        owner = feed_owner(connection, token.kind, token.owner_id)
    return owner if proves(token, owner or NOBODY[token.kind], secret_key=tool.settings.secret_key) else None


def _take(tool: Tool, owner: FeedOwner) -> float:
    """Only for who has proved the address, so that nobody else can use it up; a new address starts anew."""
    limit = COURSE_FEED_READS if owner.kind is OwnerKind.COURSE else FEED_READS
    with tool.database.write(wait_for_disk=False) as connection:
        key = f"feed {owner.kind}{owner.owner_id} {owner.generation}"
        wait_s = take(connection, key, limit, now=tool.clock.now())
        if owner.kind is OwnerKind.COURSE and not wait_s:
            note_feed_read(connection, owner.owner_id, now=tool.clock.now())
        return wait_s


def _write(tool: Tool, owner: FeedOwner) -> bytes:
    with tool.database.read() as connection:
        series = series_of_owner(connection, owner)
        sessions = dated_sessions_of(connection, [one.series_id for one in series])
    return write_feed(
        sessions,
        name=" · ".join(one.title for one in series) or gettext("Shared Sessions"),
        public_url=tool.settings.public_url,
        now=tool.clock.now(),
        reader=Reader.MOODLE if request.args.get("for") == "moodle" else Reader.CALENDAR,
    )


def _calendar(body: bytes) -> Response:
    """Or 304, when the program has these very bytes. https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2"""
    response = Response(body, content_type="text/calendar; charset=utf-8")
    response.headers["Cache-Control"] = f"private, max-age={FRESH_FOR_S}"
    response.headers["Content-Disposition"] = 'inline; filename="sessions.ics"'  # and not the address's name
    response.set_etag(hashlib.sha256(body).hexdigest()[:32])
    response.make_conditional(request)
    return response


def _plain(words: str, status: int) -> Response:
    return Response(f"{words}\n", status, content_type="text/plain; charset=utf-8")
