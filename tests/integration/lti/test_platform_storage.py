"""A browser that keeps no cookies in frames: the LMS keeps the proof, and the visit moves to a tab by a ticket.

The scripts of the pages are played here by `read` and `post`; tests/browser/test_every_browser.py runs them for real.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from werkzeug.test import TestResponse

from tests.conftest import PUBLIC_URL
from tests.integration.lti.lms import Lms
from tests.integration.lti.picking import request_claims
from tests.integration.lti.tool import Browser, Login, ToolUnderTest, login_form

OWN = {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "same-origin"}
STORAGE = {"lti_storage_target": "storage_frame"}


@dataclass(frozen=True, kw_only=True)
class StoredLogin:
    """A login that has come as far as the LMS; the LMS keeps `value` under `key`."""

    login: Login
    key: str
    value: str


def read(page: str, name: str) -> str:
    """A data attribute of the page."""
    found = re.search(rf'data-{name}="([^"]*)"', page)
    assert found, page
    return unescape(found[1])


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, page
    return unescape(found[1])


def check_page(browser: Browser, lms: Lms) -> TestResponse:
    """The page of the check step, in a frame that has dropped the login's cookie."""
    started = browser.start_login(lms, STORAGE)
    return browser.application.test_client(use_cookies=False).get(started.location)


def begin(browser: Browser, lms: Lms) -> StoredLogin:
    page = check_page(browser, lms).text
    parameters = dict(parse_qsl(urlsplit(read(page, "next")).query))
    login = Login(lms=lms, parameters=parameters, target_link_uri=login_form(lms)["target_link_uri"])
    return StoredLogin(login=login, key=read(page, "key"), value=read(page, "value"))


@pytest.fixture
def frame(tool: ToolUnderTest) -> Browser:
    """It keeps no cookies."""
    return Browser(tool.app, tool.app.response_class, use_cookies=False)


@pytest.fixture
def stored(browser: Browser, malta: Lms) -> StoredLogin:
    return begin(browser, malta)


def launch(
    frame: Browser, stored: StoredLogin, *, proof: str | None = None, id_token: str | None = None
) -> TestResponse:
    """What our page posts after the LMS has told it the value."""
    data = {
        "state": stored.login.state,
        "id_token": id_token or stored.login.id_token(),
        "proof": stored.value if proof is None else proof,
    }
    return frame.post("/lti/launch", data=data, headers=OWN)


def ticket_of(launched: TestResponse) -> tuple[str, str]:
    """(address, ticket) of the button."""
    assert launched.status_code == 200, launched.text
    (action,) = re.findall(r'action="(/visit/[^"]+/open)"', launched.text)
    return action, hidden(launched.text, "ticket")


def test_pitfall_4_the_proof_goes_to_the_frame_and_origin_of_the_lms(browser: Browser, malta: Lms) -> None:
    page = check_page(browser, malta)
    assert page.status_code == 200
    assert read(page.text, "step") == "store"
    assert read(page.text, "target") == "storage_frame"
    assert read(page.text, "origin") == "https://malta.lms.example"
    assert read(page.text, "next").startswith("https://malta.lms.example/auth.php?")
    assert len(read(page.text, "value")) >= 32
    assert page.headers["Cache-Control"] == "no-store"
    assert 'target="_blank"' in page.text, "no way out when the LMS does not answer"


def test_with_a_cookie_the_storage_is_not_needed(browser: Browser, malta: Lms) -> None:
    checked = browser.get(browser.start_login(malta, STORAGE).location)
    assert checked.status_code == 302


def test_the_new_tab_does_not_try_the_storage_again(browser: Browser, malta: Lms) -> None:
    page = check_page(browser, malta).text
    link = unescape(re.findall(r'href="(http://localhost:8999/lti/login[^"]+)"', page)[0])
    sent = dict(parse_qsl(urlsplit(link).query))
    assert "lti_storage_target" not in sent
    assert sent["lti_message_hint"] == "message-hint-7"


@pytest.mark.parametrize("target", ["", "x" * 129])
def test_a_storage_target_that_is_none_is_ignored(browser: Browser, malta: Lms, target: str) -> None:
    started = browser.start_login(malta, {"lti_storage_target": target})
    page = browser.application.test_client(use_cookies=False).get(started.location)
    assert "platform-storage" not in page.text


def test_the_launch_first_asks_the_lms_for_the_proof(frame: Browser, stored: StoredLogin) -> None:
    token = stored.login.id_token()
    page = frame.post("/lti/launch", data={"state": stored.login.state, "id_token": token})
    assert page.status_code == 200
    assert read(page.text, "step") == "fetch"
    assert (read(page.text, "key"), read(page.text, "origin")) == (stored.key, "https://malta.lms.example")
    assert (hidden(page.text, "state"), hidden(page.text, "id_token")) == (stored.login.state, token)
    assert hidden(page.text, "proof") == ""
    assert stored.value not in page.text


def test_asking_for_the_proof_believes_and_writes_nothing(
    tool: ToolUnderTest, frame: Browser, stored: StoredLogin
) -> None:
    before = tool.rows()
    hostile = '"><script>alert(1)</script>'
    page = frame.post("/lti/launch", data={"state": stored.login.state, "id_token": hostile, "error": hostile})
    assert "<script>alert" not in page.text
    assert tool.rows() == before
    assert stored.login.lms.times_asked_for_keys == 0


def test_a_proved_launch_offers_one_button_and_no_cookie(frame: Browser, stored: StoredLogin) -> None:
    launched = launch(frame, stored)
    ticket_of(launched)
    assert launched.text.count("<button") == 1
    assert "Set-Cookie" not in launched.headers


def test_a_proved_request_for_content_is_answered_in_the_frame_itself(
    frame: Browser, stored: StoredLogin, malta: Lms
) -> None:
    """The LMS's dialog waits there: a tab of its own would leave it."""
    answer = launch(frame, stored, id_token=malta.sign(request_claims(stored.login)))
    assert answer.status_code == 200
    assert "What would you like to add" in answer.text
    assert "Set-Cookie" not in answer.headers
    form = {"picking": hidden(answer.text, "picking"), "do": "show", "what": "series"}
    assert "will be made" in frame.post("/lti/pick", data=form, headers=OWN).text


def test_the_ticket_opens_the_visit_in_a_tab_and_shows_whose_it_is(
    tool: ToolUnderTest, frame: Browser, stored: StoredLogin
) -> None:
    action, ticket = ticket_of(launch(frame, stored))
    tab = tool.new_browser()
    opened = tab.post(action, data={"ticket": ticket}, headers=OWN)
    assert (opened.status_code, opened.location) == (303, f"{PUBLIC_URL}{action.removesuffix('open')}")
    page = tab.get(opened.location)
    assert page.status_code == 200
    assert "University of Malta" in page.text
    assert "you are here as a student" in page.text
    assert "Physics teaching" in page.text


def test_the_button_pressed_twice_shows_the_same_visit(
    tool: ToolUnderTest, frame: Browser, stored: StoredLogin
) -> None:
    action, ticket = ticket_of(launch(frame, stored))
    tab, before = tool.new_browser(), tool.rows()
    first = tab.post(action, data={"ticket": ticket}, headers=OWN)
    second = tab.post(action, data={"ticket": ticket}, headers=OWN)
    assert (second.status_code, second.location) == (303, first.location)
    assert tab.get(second.location).status_code == 200
    assert tool.rows()["visit"] == before["visit"]


def test_a_ticket_is_good_for_one_browser(tool: ToolUnderTest, frame: Browser, stored: StoredLogin) -> None:
    action, ticket = ticket_of(launch(frame, stored))
    tab = tool.new_browser()
    tab.post(action, data={"ticket": ticket}, headers=OWN)
    other = tool.new_browser()
    page = tool.refuses("ticket_spent", lambda: other.post(action, data={"ticket": ticket}, headers=OWN))
    assert "open in another tab already" in page
    assert tab.get(action.removesuffix("open")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://malta.lms.example"},
        {"Origin": "null"},
        {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "cross-site"},
        {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "none"},
    ],
    ids=str,
)
def test_a_ticket_from_elsewhere_is_refused(
    tool: ToolUnderTest, frame: Browser, stored: StoredLogin, headers: dict[str, str]
) -> None:
    action, ticket = ticket_of(launch(frame, stored))
    tab = tool.new_browser()
    tool.refuses("ticket_invalid", lambda: tab.post(action, data={"ticket": ticket}, headers=headers))
    assert tab.post(action, data={"ticket": ticket}, headers=OWN).status_code == 303, "the ticket is spent"


def test_a_ticket_expires_and_cannot_be_made_up(
    tool: ToolUnderTest, frame: Browser, stored: StoredLogin, browser: Browser, malta: Lms
) -> None:
    action, ticket = ticket_of(launch(frame, stored))
    other_action, _ = ticket_of(launch(frame, begin(browser, malta)))
    tab = tool.new_browser()
    for wrong in ("", "x", ticket[:-4] + "AAAA", stored.login.state, "é", "A" * 5_000):
        tool.refuses("ticket_invalid", lambda: tab.post(action, data={"ticket": wrong}, headers=OWN))  # noqa: B023
    tool.refuses("ticket_invalid", lambda: tab.post(other_action, data={"ticket": ticket}, headers=OWN))
    tool.jump(timedelta(minutes=10, seconds=5))
    tool.refuses("ticket_expired", lambda: tab.post(action, data={"ticket": ticket}, headers=OWN))


@pytest.mark.parametrize("proof", ["", "x", "é"])
def test_pitfall_2_a_launch_without_the_stored_proof_is_refused(
    tool: ToolUnderTest, frame: Browser, stored: StoredLogin, proof: str
) -> None:
    page = tool.refuses("browser_changed", lambda: launch(frame, stored, proof=proof))
    assert 'href="https://malta.lms.example/course/view.php?id=1"' in page, "no way back to the course"


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "https://malta.lms.example"}, {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "cross-site"}],
    ids=str,
)
def test_the_right_proof_from_a_page_elsewhere_is_refused(
    tool: ToolUnderTest, frame: Browser, stored: StoredLogin, headers: dict[str, str]
) -> None:
    """Login CSRF: whoever began the login knows the proof, and would have somebody else's browser post it."""
    data = {"state": stored.login.state, "id_token": stored.login.id_token(), "proof": stored.value}
    tool.refuses("browser_changed", lambda: frame.post("/lti/launch", data=data, headers=headers))


def test_the_proof_of_another_login_is_refused(
    tool: ToolUnderTest, frame: Browser, stored: StoredLogin, browser: Browser, malta: Lms
) -> None:
    other = begin(browser, malta)
    assert other.key != stored.key
    tool.refuses("browser_changed", lambda: launch(frame, stored, proof=other.value))


def test_a_cookie_login_cannot_be_proved_by_a_form(tool: ToolUnderTest, login: Login, browser: Browser) -> None:
    (cookie,) = [value for name, value in _cookies(browser).items() if name.startswith("lti-")]
    data = {"state": login.state, "id_token": login.id_token(), "proof": cookie}
    other = tool.new_browser()
    tool.refuses("browser_changed", lambda: other.post("/lti/launch", data=data, headers=OWN))


def test_a_frame_that_is_reloaded_shows_the_button_again_and_opens_nothing_new(
    tool: ToolUnderTest, frame: Browser, stored: StoredLogin
) -> None:
    token = stored.login.id_token()
    first = ticket_of(launch(frame, stored, id_token=token))
    before = tool.rows()
    second = ticket_of(launch(frame, stored, id_token=token))
    assert second[0] == first[0]
    assert tool.rows() == before
    tab, other = tool.new_browser(), tool.new_browser()
    assert tab.post(second[0], data={"ticket": second[1]}, headers=OWN).status_code == 303
    tool.refuses("ticket_spent", lambda: other.post(first[0], data={"ticket": first[1]}, headers=OWN))


def test_a_proved_launch_whose_visit_was_signed_out_is_refused(
    tool: ToolUnderTest, frame: Browser, stored: StoredLogin
) -> None:
    token = stored.login.id_token()
    action, ticket = ticket_of(launch(frame, stored, id_token=token))
    tab = tool.new_browser()
    tab.post(action, data={"ticket": ticket}, headers=OWN)
    tab.sign_out(action.removesuffix("open"))
    tool.refuses("nonce_spent", lambda: launch(frame, stored, id_token=token))


def test_an_error_of_the_lms_comes_through_the_storage_too(
    tool: ToolUnderTest, frame: Browser, stored: StoredLogin
) -> None:
    data = {"state": stored.login.state, "error": "login_required", "proof": stored.value}
    page = tool.refuses("lms_error", lambda: frame.post("/lti/launch", data=data, headers=OWN))
    assert "login_required" in page


def test_a_tab_without_cookies_is_told_so_and_not_sent_into_another_tab(browser: Browser, malta: Lms) -> None:
    started = browser.start_login(malta)
    without_cookies = browser.application.test_client(use_cookies=False)
    framed = without_cookies.get(started.location, headers={"Sec-Fetch-Dest": "iframe"})
    alone = without_cookies.get(started.location, headers={"Sec-Fetch-Dest": "document"})
    assert 'target="_blank"' in _above_the_footer(framed.text)
    assert 'target="_blank"' not in _above_the_footer(alone.text)
    assert "allow cookies for localhost" in alone.text


def _above_the_footer(page: str) -> str:
    return page.partition("<footer")[0]


def _cookies(browser: Browser) -> dict[str, str]:
    return {cookie.key: cookie.value for cookie in browser._cookies.values()}
