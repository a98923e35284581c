"""The picker as a browser in the LMS's dialog meets it, and the LMS's side of the answer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from series.sessions import Session, Status
from series.store.sessions import save_import
from tests.conftest import PUBLIC_URL
from tests.examples import SERIES, SESSION, moved, weekly
from tests.integration.lti.course import give_key
from tests.integration.lti.lms import INSTRUCTOR, Claims, Lms, claim
from tests.integration.lti.tool import Browser, Login, ToolUnderTest

DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
SETTINGS = DEEP_LINKING + "deep_linking_settings"
ITEMS = DEEP_LINKING + "content_items"
OWN = {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "same-origin"}
DATA = '{"a": "ä & <b> %2B"}'


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What the last page posts to the LMS."""

    action: str
    token: str
    page: TestResponse


@dataclass(frozen=True, kw_only=True)
class Dialog:
    """A picker that is open. `sessions` of the series: the first is over, the last one is cancelled."""

    browser: Browser
    page: str
    sessions: tuple[Session, ...]

    def send(self, do: str, *, page: str | None = None, **fields: Any) -> TestResponse:
        """The form of the page, with these fields filled in."""
        form = {**hidden(page or self.page), "do": do, **fields}
        return self.browser.post("/lti/pick", data=form, headers=OWN)

    def make(self, **fields: Any) -> Answered:
        """Choose, look at what will be made, and make it."""
        shown = self.send("show", **fields)
        assert shown.status_code == 200, shown.text
        return answered(self.browser.post("/lti/pick", data=form_of(shown.text, "make"), headers=OWN))


def settings(lms: Lms, changes: Mapping[str, Any] | None = None, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    made = {
        "deep_link_return_url": f"{lms.issuer}/mod/lti/contentitem_return.php?course=2&sesskey=x",
        "accept_types": ["ltiResourceLink"],
        "accept_presentation_document_targets": ["frame", "iframe", "window"],
        "accept_multiple": True,
        "auto_create": False,
        "data": DATA,
    } | dict(changes or {})
    return {name: value for name, value in made.items() if name not in without}


def request_claims(
    login: Login, changes: Mapping[str, Any] | None = None, *, without: tuple[str, ...] = (), **of_message: Any
) -> Claims:
    """A teacher wants to add something to the course; `changes` and `without` are of the settings."""
    message = {
        "message_type": "LtiDeepLinkingRequest",
        "roles": [INSTRUCTOR],
        "sub": "teacher-8",
        SETTINGS: settings(login.lms, changes, without=without),
        NRPS: {"context_memberships_url": f"{login.lms.issuer}/memberships/course-1"},
    }
    made = login.claims(without=("resource_link",))
    for name, value in (message | of_message).items():
        made[claim(name) if claim(name) in made else name] = value
    return made


def add_sessions(tool: ToolUnderTest) -> tuple[Session, ...]:
    """Four weeks; the first one is over, and the last one is cancelled."""
    now = datetime.now(UTC).replace(microsecond=0)
    begin = now - timedelta(weeks=1) - SESSION.start_at
    sessions = [moved(session, begin) for session in weekly(4)]
    sessions[3] = replace(sessions[3], status=Status.CANCELLED)
    with tool.database.write() as connection:
        new = [(one, (f"{one.session_id}", one.start_at)) for one in sessions]
        save_import(connection, SERIES.series_id, new=new, changed=[], rekeyed=[], now=now)
    return tuple(sessions)


def open_dialog(
    tool: ToolUnderTest, login: Login, browser: Browser, changes: Mapping[str, Any] | None = None, **rest: Any
) -> Dialog:
    give_key(tool)
    sessions = add_sessions(tool)
    answer = browser.launch(login, login.lms.sign(request_claims(login, changes, **rest)))
    assert answer.status_code == 200, answer.text
    return Dialog(browser=browser, page=answer.text, sessions=sessions)


def hidden(page: str) -> dict[str, str]:
    return dict(all_hidden(page))


def all_hidden(page: str) -> list[tuple[str, str]]:
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return [(name, unescape(value)) for name, value in found]


def form_of(page: str, do: str) -> MultiDict[str, str]:
    """Its hidden fields, and the button that is pressed."""
    return MultiDict([*all_hidden(page), ("do", do)])


def answered(page: TestResponse) -> Answered:
    assert page.status_code == 200, page.text
    action = re.search(r'<form method="post" action="([^"]*)"', page.text)
    assert action, page.text
    return Answered(action=unescape(action[1]), token=hidden(page.text)["JWT"], page=page)


def verified(tool: ToolUnderTest, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """(header, claims), as the LMS reads them with our key set."""
    keys = KeySet.import_key_set(tool.new_browser().get("/lti/jwks.json").json)
    decoded = jwt.decode(token, keys, algorithms=["RS256"])
    return decoded.header, decoded.claims
