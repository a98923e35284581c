"""Cases 90 to 97: what binds a launch to its login, and how often it may be used. Case 93 is in test_replay.py."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from lti_tool.protocol.login import open_state
from lti_tool.protocol.seal import seal
from lti_tool.tool import Tool
from tests.integration.lti.lms import Lms
from tests.integration.lti.tool import Browser, Login, ToolUnderTest

TEN_MINUTES = timedelta(minutes=10, seconds=5)


def test_lti_090_a_missing_nonce_is_refused(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    tool.refuses_token("claim_missing", login, browser, login.id_token(without=("nonce",)))


@pytest.mark.parametrize(
    ("nonce", "code"),
    [("unknown", "nonce_wrong"), ("", "claim_malformed"), (["unknown"], "claim_malformed"), (None, "claim_malformed")],
    ids=["unknown", "empty", "list", "null"],
)
def test_lti_090_a_wrong_nonce_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, nonce: object, code: str
) -> None:
    tool.refuses_token(code, login, browser, login.id_token({"nonce": nonce}))


def test_lti_091_the_nonce_of_login_a_with_the_state_of_login_b_is_refused(
    tool: ToolUnderTest, browser: Browser, malta: Lms
) -> None:
    a, b = browser.begin_login(malta), browser.begin_login(malta)
    tool.refuses_token("nonce_wrong", b, browser, a.id_token())
    browser.open_visit(a)
    browser.open_visit(b)


def test_lti_092_the_same_launch_twice_is_refused_the_second_time(
    tool: ToolUnderTest, browser: Browser, login: Login
) -> None:
    token = login.id_token()
    path = browser.open_visit(login, token)
    page = tool.refuses_token("nonce_spent", login, browser, token)
    assert f'href="{path}"' in page, "no way on to what the first one opened"


def test_lti_092_pitfall_20_a_double_click_that_lost_its_first_answer_gets_the_visits_cookie_again(
    tool: ToolUnderTest, browser: Browser, login: Login
) -> None:
    token = login.id_token()
    path = browser.open_visit(login, token)
    browser.delete_cookie("visit", domain="localhost", path=path)
    assert browser.get(path).status_code == 401
    tool.refuses_token("nonce_spent", login, browser, token)
    assert browser.get(path).status_code == 200


def test_lti_092_a_launch_whose_visit_was_signed_out_leads_to_the_course_alone(
    tool: ToolUnderTest, browser: Browser, login: Login
) -> None:
    token = login.id_token()
    path = browser.open_visit(login, token)
    browser.sign_out(path)
    page = tool.refuses_token("nonce_spent", login, browser, token)
    assert path not in page
    assert 'href="https://malta.lms.example/course/view.php?id=1"' in page, "no way back to the course"
    assert browser.get(path).status_code == 401


def test_lti_092_a_new_token_for_a_used_login_is_refused(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    browser.open_visit(login)
    tool.refuses_token("nonce_spent", login, browser, login.id_token({"sub": "student-6"}))


def test_lti_092_a_refused_launch_does_not_spend_its_login(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    tool.refuses_token("version_wrong", login, browser, login.id_token({"version": "1.2.0"}))
    browser.open_visit(login)


def test_lti_094_a_launch_from_another_browser_is_refused(tool: ToolUnderTest, login: Login) -> None:
    page = tool.refuses_token("browser_changed", login, tool.new_browser(), login.id_token())
    assert "another browser" in page


def test_lti_094_a_launch_from_another_browser_with_a_login_of_its_own_is_refused(
    tool: ToolUnderTest, login: Login, malta: Lms
) -> None:
    other = tool.new_browser()
    other.begin_login(malta)
    tool.refuses_token("browser_changed", login, other, login.id_token())


@pytest.mark.parametrize("form", [{}, {"state": ""}], ids=["missing", "empty"])
def test_lti_095_a_missing_state_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, form: dict[str, str]
) -> None:
    data = {"id_token": login.id_token(), **form}
    tool.refuses("state_missing", lambda: browser.post("/lti/launch", data=data))


@pytest.mark.parametrize("state", ["unknown", "gAAAAA", "…", "\0", "A" * 8_000])
def test_lti_095_a_state_that_is_not_ours_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, state: str
) -> None:
    data = {"id_token": login.id_token(), "state": state}
    tool.refuses("state_invalid", lambda: browser.post("/lti/launch", data=data))
    assert login.lms.times_asked_for_keys == 0, "keys were fetched for a state that is not ours"


@pytest.mark.parametrize("place", [10, 40, -10])
def test_lti_095_an_altered_state_is_refused(tool: ToolUnderTest, browser: Browser, login: Login, place: int) -> None:
    letters = list(login.state)
    letters[place] = "A" if letters[place] != "A" else "B"
    data = {"id_token": login.id_token(), "state": "".join(letters)}
    tool.refuses("state_invalid", lambda: browser.post("/lti/launch", data=data))


def test_lti_095_an_expired_state_is_refused(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    tool.jump(TEN_MINUTES)
    page = tool.refuses_token("state_expired", login, browser, login.id_token())
    assert "longer than ten minutes" in page


def test_lti_095_an_expired_state_is_refused_at_the_check_step(
    tool: ToolUnderTest, browser: Browser, malta: Lms
) -> None:
    started = browser.start_login(malta)
    tool.jump(TEN_MINUTES)
    tool.refuses("state_expired", lambda: browser.get(started.location))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_lti_096_a_launch_by_get_is_refused(tool: ToolUnderTest, browser: Browser, login: Login, method: str) -> None:
    query = {"state": login.state, "id_token": login.id_token()}
    if method == "GET":
        tool.refuses("method_not_post", lambda: browser.get("/lti/launch", query_string=query))
    answer = browser.open("/lti/launch", method=method, query_string=query)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_lti_096_parameters_in_the_address_of_a_post_do_not_count(
    tool: ToolUnderTest, browser: Browser, login: Login
) -> None:
    query = {"state": login.state, "id_token": login.id_token()}
    tool.refuses("state_missing", lambda: browser.post("/lti/launch", query_string=query))


def test_lti_097_an_error_of_the_lms_is_shown_and_nothing_is_stored(
    tool: ToolUnderTest, browser: Browser, login: Login
) -> None:
    form = {"state": login.state, "error": "login_required", "error_description": "Session timed out in Moodle"}
    page = tool.refuses("lms_error", lambda: browser.post("/lti/launch", data=form))
    assert "login_required: Session timed out in Moodle" in page


def test_lti_097_an_error_without_our_state_is_not_shown(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    form = {"error": "call_this_number", "error_description": "Your password was stolen"}
    assert "stolen" not in tool.refuses("state_missing", lambda: browser.post("/lti/launch", data=form))
    form["state"] = login.state
    page = tool.refuses("browser_changed", lambda: tool.new_browser().post("/lti/launch", data=form))
    assert "stolen" not in page


@pytest.mark.parametrize("id_token", [{}, {"id_token": ""}], ids=["missing", "empty"])
def test_lti_097_neither_token_nor_error_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, id_token: dict[str, str]
) -> None:
    form = {"state": login.state, **id_token}
    tool.refuses("token_missing", lambda: browser.post("/lti/launch", data=form))


def test_two_logins_in_two_tabs_do_not_take_each_others_cookie(browser: Browser, malta: Lms, vilnius: Lms) -> None:
    first, second = browser.begin_login(malta), browser.begin_login(vilnius)
    one, other = browser.open_visit(first), browser.open_visit(second)
    assert browser.get(one).status_code == browser.get(other).status_code == 200


def test_what_was_sealed_for_another_purpose_is_no_state(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    own: Tool = tool.app.extensions["shared_sessions"]
    key, now = own.settings.secret_key, own.clock.now()
    sealed = seal(open_state(login.state, secret_key=key, now=now), secret_key=key, purpose="ticket", now=now)
    data = {"id_token": login.id_token(), "state": sealed}
    tool.refuses("state_invalid", lambda: browser.post("/lti/launch", data=data))


def test_a_launch_is_logged_once_without_the_person(browser: Browser, login: Login) -> None:
    with capture_logs() as records:
        browser.open_visit(login)
    assert records == [{"event": "launched", "log_level": "info", "keeper": "cookie", "teacher": False}]
