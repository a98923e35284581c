"""Of a pre-flight, the services: an access token and what it is good for, the roster, a line item."""

from collections.abc import Collection

from lms.ags import SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READONLY, SCOPE_RESULT_READONLY, SCOPE_SCORE
from lms.errors import LmsError, NotAllowed, NotGranted
from lms.line_items import is_line_item_there
from lms.nrps import SCOPE_MEMBERSHIPS, read_memberships
from lms.preflight_findings import CALL_S, Findings
from lms.service_tokens import GrantedToken, ask_for_token
from series.preflight import Code

ROSTER_S = 30.0  # with all its pages
ALL_SCOPES = (SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READONLY, SCOPE_SCORE, SCOPE_RESULT_READONLY, SCOPE_MEMBERSHIPS)


def look_at_token(found: Findings) -> None:
    try:
        found.granted = _granted(found)
    except NotAllowed as error:
        # https://www.rfc-editor.org/rfc/rfc6749#section-5.2
        case = "scope" if error.reason == "invalid_scope" else "refused"
        found.failed(Code.TOKEN, error, case=case, said=error.reason or str(error.status))
        return
    except LmsError as error:
        found.failed(Code.TOKEN, error)
        return
    found.has_token = True
    if usable := found.granted & set(ALL_SCOPES):
        found.ok(Code.TOKEN, scopes=" ".join(sorted(usable)))
    else:
        found.gap(Code.TOKEN, case="scope", said="-")


def _granted(found: Findings) -> frozenset[str]:
    """Of all scopes at once; an LMS that refuses them for one of them is asked for each alone."""
    try:
        return _ask(found, ALL_SCOPES).scopes
    except NotAllowed as error:
        if error.reason != "invalid_scope":
            raise
        first = error
    granted: set[str] = set()
    for scope in ALL_SCOPES:
        try:
            granted |= _ask(found, [scope]).scopes
        except NotAllowed as error:
            if error.reason != "invalid_scope":
                raise
    if not granted:
        raise first
    return frozenset(granted)


def _ask(found: Findings, scopes: Collection[str]) -> GrantedToken:
    setting = found.setting
    token = ask_for_token(
        setting.http,
        found.platform,
        scopes,
        signing_key=setting.signer(),
        now=setting.clock.now(),
        within_s=CALL_S,
    )
    found.hear_time(token.sent_at)
    return token


def look_at_roster(found: Findings) -> None:
    """Nobody's name or number is kept of it."""
    placed = found.facts.placed
    if placed is None:
        found.skipped(Code.ROSTER, case="no_launch")
    elif placed.memberships_url is None:
        found.unknown(Code.ROSTER, case="not_offered", course=placed.course_title)
    elif not found.has_token:
        found.skipped(Code.ROSTER)
    else:
        _read_roster(found, placed.memberships_url, placed.course_title)


def _read_roster(found: Findings, memberships_url: str, course: str) -> None:
    try:
        members = read_memberships(found.http, found.tokens, found.platform, memberships_url, within_s=ROSTER_S)
    except LmsError as error:
        found.failed(Code.ROSTER, error, course=course)
        return
    named = sum(member.name is not None for member in members)
    facts: dict[str, str | int] = {"course": course, "people": len(members), "named": named}
    if not members:
        found.unknown(Code.ROSTER, case="empty", **facts)
    else:
        found.ok(Code.ROSTER, case="" if named else "no_names", **facts)


def look_at_line_item(found: Findings) -> None:
    placed = found.facts.placed
    if placed is None:
        found.skipped(Code.LINE_ITEM, case="no_launch")
    elif placed.line_item_url is None and (placed.line_items_url is None or SCOPE_LINE_ITEM not in placed.ags_scopes):
        found.gap(Code.LINE_ITEM, case="not_offered", course=placed.course_title)
    elif placed.line_item_url is None:
        found.skipped(Code.LINE_ITEM, case="none_yet", course=placed.course_title)
    elif not found.has_token:
        found.skipped(Code.LINE_ITEM)
    else:
        _read_line_item(found, placed.line_item_url, placed.ags_scopes, placed.course_title)


def _read_line_item(found: Findings, line_item_url: str, scopes: frozenset[str], course: str) -> None:
    try:
        is_there = is_line_item_there(found.http, found.tokens, found.platform, line_item_url, scopes=scopes)
    except NotGranted:
        found.skipped(Code.LINE_ITEM, case="not_granted", course=course)
    except LmsError as error:
        found.failed(Code.LINE_ITEM, error, course=course)
    else:
        if is_there:
            found.ok(Code.LINE_ITEM, course=course)
        else:
            found.gap(Code.LINE_ITEM, case="gone", course=course)
