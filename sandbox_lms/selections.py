"""Selections of content: a teacher chooses in the tool what this LMS puts into a course, and then saves it.

LTI Deep Linking 2.0: https://www.imsglobal.org/spec/lti-dl/v2p0
"""

import json
import secrets
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError

from sandbox_lms.campus import Person
from sandbox_lms.courses import Course, find_course
from sandbox_lms.id_tokens import CLAIM, CampusLaunch, describe_course
from sandbox_lms.site import Site
from sandbox_lms.tool_keys import ToolKeysUnreachable, tool_key_set

DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/"
BEGUN, ANSWERED, SAVED = "begun", "answered", "saved"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """`items`: what the tool has answered, until it is saved."""

    selection_id: str
    course_id: int
    user_id: str
    state: str
    items: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the tool's signed answer says to the person, and what it brings."""

    items: list[dict[str, Any]]
    message: str
    error: str


class BadResponse(Exception):
    """An answer that this LMS does not take; why."""


def begin_selection(site: Site, person: Person, course: Course) -> str:
    selection_id = secrets.token_hex(16)
    with site.database.write() as connection:
        connection.execute(
            "INSERT INTO selection (campus, selection_id, course_id, user_id, state, items)"
            " VALUES (?, ?, ?, ?, ?, '[]')",
            (site.slug, selection_id, course.course_id, person.user_id, BEGUN),
        )
    return selection_id


def find_selection(site: Site, selection_id: str) -> Selection | None:
    with site.database.read() as connection:
        row = connection.execute(
            "SELECT * FROM selection WHERE campus = ? AND selection_id = ?", (site.slug, selection_id)
        ).fetchone()
    if row is None:
        return None
    return Selection(
        selection_id=selection_id,
        course_id=row["course_id"],
        user_id=row["user_id"],
        state=row["state"],
        items=json.loads(row["items"]),
    )


def describe_selection(launch: CampusLaunch, site: Site, person: Person, selection: Selection) -> None:
    """The message that asks the tool for content, as Moodle sends it but for what the switches say."""
    describe_course(launch, site, person, find_course(site, selection.course_id))
    switches = site.switches.settings
    settings: dict[str, Any] = {
        "accept_types": list(switches.accept_types or ("ltiResourceLink",)),
        "accept_presentation_document_targets": ["frame", "iframe", "window"],
        "accept_copy_advice": False,
        "accept_multiple": not switches.selects_one,
        "accept_unsigned": False,
        "auto_create": False,
        "can_confirm": False,
        "title": "",
        "text": "",
    }
    if not switches.no_return_url:
        settings["deep_link_return_url"] = (
            f"{site.campus.url}/mod/lti/contentitem_return.php?course={selection.course_id}&id={selection.selection_id}"
        )
    if not switches.sends_no_data:
        settings["data"] = _data(selection)
    if switches.takes_line_items is not None:
        settings["accept_lineitem"] = switches.takes_line_items
    launch.set_extra_claims(
        {
            CLAIM + "message_type": "LtiDeepLinkingRequest",
            DEEP_LINKING + "deep_linking_settings": settings,
        }
    )


def take_answer(site: Site, selection: Selection, token: str) -> Answer:
    """Check the tool's answer and keep what it brings until the teacher saves it. Raises BadResponse."""
    claims = _verified(site, token)
    _check(site, selection, claims)
    items = claims.get(DEEP_LINKING + "content_items")
    if not isinstance(items, list) or not all(isinstance(item, dict) and item.get("type") for item in items):
        raise BadResponse("content_items is no list of content items")
    if site.switches.settings.selects_one and len(items) > 1:
        raise BadResponse("more than one item, though only one is accepted")
    with site.database.write() as connection:
        spent = connection.execute(
            "INSERT OR IGNORE INTO spent_response (campus, nonce) VALUES (?, ?) RETURNING nonce",
            (site.slug, str(claims["nonce"])),
        ).fetchone()
        if spent is None:
            raise BadResponse("the nonce was used before")
        _set_state(connection, site, selection, ANSWERED, items)
    said = (claims.get(DEEP_LINKING + name) for name in ("msg", "errormsg"))
    message, error = (text if isinstance(text, str) else "" for text in said)
    return Answer(items=items, message=message, error=error)


def end_selection(site: Site, selection: Selection) -> None:
    """It has been saved: once is enough."""
    with site.database.write() as connection:
        _set_state(connection, site, selection, SAVED, [])


def _data(selection: Selection) -> str:
    """With characters that a tool could spoil."""
    return f'{{"selection":"{selection.selection_id}","note":"ä & <b> %2B"}}'


def _verified(site: Site, token: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(token, tool_key_set(site), algorithms=["RS256"]).claims
    except ToolKeysUnreachable:
        raise BadResponse("the tool's keys cannot be had") from None
    except (JoseError, ValueError):
        raise BadResponse("the signature does not fit the tool's keys") from None
    return claims


def _check(site: Site, selection: Selection, claims: dict[str, Any]) -> None:
    campus, now_s = site.campus, site.now_s()
    data = None if site.switches.settings.sends_no_data else _data(selection)
    wanted = {
        "iss": campus.client_id,
        "aud": campus.issuer,
        CLAIM + "deployment_id": campus.deployment_id,
        CLAIM + "message_type": "LtiDeepLinkingResponse",
        CLAIM + "version": "1.3.0",
        DEEP_LINKING + "data": data,
    }
    for name, value in wanted.items():
        if claims.get(name) != value:
            raise BadResponse(f"{name} is not what it must be")
    if not isinstance(claims.get("nonce"), str) or not claims["nonce"]:
        raise BadResponse("there is no nonce")
    issued_at, expires_at = claims.get("iat"), claims.get("exp")
    if not isinstance(issued_at, int) or not isinstance(expires_at, int) or not issued_at <= now_s < expires_at:
        raise BadResponse("iat and exp are not around now")
    if selection.state == SAVED:
        raise BadResponse("this selection is over")


def _set_state(connection: Any, site: Site, selection: Selection, state: str, items: list[dict[str, Any]]) -> None:
    connection.execute(
        "UPDATE selection SET state = ?, items = ? WHERE campus = ? AND selection_id = ?",
        (state, json.dumps(items), site.slug, selection.selection_id),
    )
