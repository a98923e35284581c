"""The session's public page: opens for everybody, and holds no personal data."""

import hmac
import math
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response, abort, make_response, render_template, request

from lti_tool.pages.times import times_of
from lti_tool.pages.words import WORDS
from lti_tool.tool import the_tool
from series.limits import PASSPHRASES
from series.rule_words import session_sentence
from series.sessions import Session, may_join, same_passphrase_form, without_join_link
from series.store.limits import take
from series.store.rules import rules_of
from series.store.sessions import get_series, get_session, has_passphrase, passphrase_of

blueprint = Blueprint("public", __name__)


@blueprint.get("/")
def front() -> str:
    """Somebody came by the bare address: say what this is and how to get in."""
    return render_template("front.html")


@blueprint.get("/s/<uuid:session_id>")
def session(session_id: UUID) -> Response:
    return _page(session_id)


@blueprint.post("/s/<uuid:session_id>")
def join(session_id: UUID) -> Response:
    """The meeting, for who knows the series' passphrase and cannot come from an LMS. Gives no evidence: nobody is known
    here. A link and no redirect: our policy lets no form lead elsewhere."""
    tool, typed = the_tool(), request.form.get("passphrase", "")[:200]
    now = tool.clock.now()
    with tool.database.write(wait_for_disk=False) as connection:
        shown = get_session(connection, session_id)
        if shown is None:
            abort(404)
        wait_s = math.ceil(take(connection, f"passphrase {shown.series_id}", PASSPHRASES, now=now))
        passphrase = passphrase_of(connection, shown.series_id, tool.settings.encryption_key)
    if wait_s:
        response = _page(session_id, fault="wait", status=429)
        response.headers["Retry-After"] = str(wait_s)
        return response
    if passphrase is None or not _is_it(typed, passphrase):
        return _page(session_id, fault="wrong", status=422)
    if not may_join(shown, now) or not shown.join_url:
        return _page(session_id, fault="closed", status=409)
    return _page(session_id, join_url=shown.join_url)


def _page(session_id: UUID, *, fault: str = "", join_url: str = "", status: int = 200) -> Response:
    tool = the_tool()
    now = tool.clock.now()
    with tool.database.read() as connection:
        shown = get_session(connection, session_id)
        if shown is None:
            abort(404)
        series = get_series(connection, shown.series_id)
        asks = has_passphrase(connection, shown.series_id)
        rule = rules_of(connection, shown.series_id).of_sessions[session_id].rule
    page = render_template(
        "public_session.html",
        session=_for_everybody(shown),
        series=series,
        times=times_of(shown, shown.zone),
        what_counts=session_sentence(rule, WORDS),
        asks_passphrase=asks and _has_meeting(shown, now),
        fault=fault,
        join_url=join_url,
    )
    return make_response(page, status)


def _for_everybody(shown: Session) -> Session:
    """Without the meeting's address, wherever somebody has written it."""
    return replace(
        shown,
        title=without_join_link(shown.title, shown, "…"),
        description=without_join_link(shown.description, shown, "…"),
        co_hosts=without_join_link(shown.co_hosts, shown, "…"),
        speakers=without_join_link(shown.speakers, shown, "…"),
    )


def _has_meeting(shown: Session, now: datetime) -> bool:
    return bool(shown.join_url) and not shown.is_cancelled and not shown.is_over(now)


def _is_it(typed: str, passphrase: str) -> bool:
    return hmac.compare_digest(same_passphrase_form(typed).encode(), same_passphrase_form(passphrase).encode())
