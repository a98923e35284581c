"""The login: what the LMS may send, what the browser gets, and the check step between us and the LMS."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from series.store.universities import NewPlatform, add_platform
from tests.conftest import NOW, PUBLIC_URL
from tests.integration.lti.lms import Lms
from tests.integration.lti.tool import LAUNCH_URL, Browser, Login, ToolUnderTest, login_form

ALL_LMSS = "https://malta.lms.example https://vilnius.lms.example"


def attributes(answer: TestResponse) -> dict[str, str]:
    """Of the one cookie that the answer sets, by lower-case name (a flag is empty); `=` is the cookie itself."""
    (header,) = answer.headers.getlist("Set-Cookie")
    first, *rest = header.split("; ")
    return {"=": first, **{name.lower(): value for name, _, value in (part.partition("=") for part in rest)}}


@pytest.mark.parametrize("by", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/lti/login", "/lti/login/malta"])
def test_a_login_reaches_the_lms(tool: ToolUnderTest, browser: Browser, malta: Lms, by: str, path: str) -> None:
    form = login_form(malta)
    started = browser.get(path, query_string=form) if by == "GET" else browser.post(path, data=form)
    browser.open_visit(browser.pass_check(malta, started, form))


def test_pitfall_19_a_login_writes_nothing(tool: ToolUnderTest, browser: Browser, malta: Lms) -> None:
    before = tool.rows()
    with capture_logs() as records:
        browser.begin_login(malta)
    assert tool.rows() == before
    assert records == []
    assert malta.times_asked_for_keys == 0


def test_pitfall_6_the_redirect_has_the_parameters_of_the_specification_and_no_more(login: Login) -> None:
    parameters = dict(login.parameters)
    assert len(parameters.pop("nonce")) >= 32
    assert parameters.pop("state") == login.state
    assert parameters == {
        "site": "malta",  # the query that the endpoint has already
        "empty": "",
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": "client-of-malta",
        "redirect_uri": LAUNCH_URL,
        "login_hint": "hint-5",
        "lti_message_hint": "message-hint-7",
    }


def test_pitfall_6_the_redirect_goes_by_get_to_the_registered_endpoint(browser: Browser, malta: Lms) -> None:
    checked = browser.get(browser.start_login(malta).location)
    target = urlsplit(checked.location)
    assert checked.status_code == 302, "307 and 308 would repeat a POST"
    assert f"{target.scheme}://{target.netloc}{target.path}" == "https://malta.lms.example/auth.php"
    names = [name for name, _ in parse_qsl(target.query, keep_blank_values=True)]
    assert len(names) == len(set(names))


def test_a_login_without_message_hint_sends_none(browser: Browser, malta: Lms) -> None:
    form = {name: value for name, value in login_form(malta).items() if name != "lti_message_hint"}
    login = browser.pass_check(malta, browser.post("/lti/login/malta", data=form), form)
    assert "lti_message_hint" not in login.parameters


def test_every_login_has_a_state_and_a_nonce_of_its_own(browser: Browser, malta: Lms) -> None:
    logins = [browser.begin_login(malta) for _ in range(3)]
    assert len({login.state for login in logins}) == 3
    assert len({login.parameters["nonce"] for login in logins}) == 3


def test_the_state_tells_nothing(login: Login) -> None:
    for secret in (login.parameters["nonce"], "malta", "deployment"):
        assert secret not in login.state


def test_the_cookie_of_a_login_is_for_our_lti_pages_alone(browser: Browser, malta: Lms) -> None:
    cookie = attributes(browser.start_login(malta))
    assert cookie["="].startswith("lti-")
    assert {name: value for name, value in cookie.items() if name not in {"=", "expires"}} == {
        "secure": "",
        "httponly": "",
        "samesite": "None",
        "partitioned": "",
        "path": "/lti",
        "max-age": "600",
    }
    assert len(cookie["="]) <= 100


def test_pitfall_1_without_its_cookie_the_login_is_offered_in_a_new_tab(
    tool: ToolUnderTest, browser: Browser, malta: Lms
) -> None:
    started = browser.start_login(malta)
    before = tool.rows()
    page = tool.new_browser().get(started.location)
    assert (page.status_code, page.location) == (200, None), "the LMS's message hint is spent"
    assert 'target="_blank"' in page.text
    assert tool.rows() == before


def test_the_new_tab_has_the_same_login_and_goes_through(tool: ToolUnderTest, browser: Browser, malta: Lms) -> None:
    page = tool.new_browser().get(browser.start_login(malta).location)
    link = page.text.partition('href="http://localhost:8999/lti/login')[2].partition('"')[0].replace("&amp;", "&")
    path, _, query = link.partition("?")
    assert path == "/malta"
    assert dict(parse_qsl(query)) == login_form(malta)
    new_tab = tool.new_browser()
    login = new_tab.pass_check(malta, new_tab.get(f"/lti/login{link}"), login_form(malta))
    assert login.parameters["lti_message_hint"] == "message-hint-7"
    new_tab.open_visit(login)


def test_another_logins_cookie_does_not_pass_the_check(browser: Browser, malta: Lms) -> None:
    first, second = browser.start_login(malta), browser.start_login(malta)
    name, _, proof = attributes(first)["="].partition("=")
    other_proof = attributes(second)["="].partition("=")[2]
    bare = browser.application.test_client(use_cookies=False)
    assert bare.get(first.location, headers={"Cookie": f"{name}={proof}"}).status_code == 302
    assert bare.get(first.location, headers={"Cookie": f"{name}={other_proof}"}).status_code == 200


@pytest.mark.parametrize("location", ["/lti/check", "/lti/check?state=", "/lti/check?state=x", "/lti/check?state=%00"])
def test_a_check_without_our_state_is_refused(tool: ToolUnderTest, browser: Browser, location: str) -> None:
    code = "state_missing" if location.endswith(("check", "=")) else "state_invalid"
    tool.refuses(code, lambda: browser.get(location))


@pytest.mark.parametrize("missing", ["iss", "login_hint", "target_link_uri"])
@pytest.mark.parametrize("by", ["absent", "empty"])
def test_a_login_without_a_required_parameter_is_refused(
    tool: ToolUnderTest, browser: Browser, malta: Lms, missing: str, by: str
) -> None:
    form = login_form(malta) | {missing: ""}
    if by == "absent":
        del form[missing]
    page = tool.refuses("login_incomplete", lambda: browser.post("/lti/login/malta", data=form))
    assert f"Missing: {missing}" in page


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"&&&===%%%zz", "application/x-www-form-urlencoded"),
        (b"\xff\xfe\0", "application/x-www-form-urlencoded"),
        (b'{"iss": "https://malta.lms.example"}', "application/json"),
        (b"iss=https://malta.lms.example", "text/plain"),
        (b"--x\r\nContent-Disposition: nonsense", "multipart/form-data; boundary=x"),
        (b"--x", "multipart/form-data"),
    ],
)
def test_a_malformed_form_is_refused(tool: ToolUnderTest, browser: Browser, body: bytes, content_type: str) -> None:
    def post(path: str) -> TestResponse:
        return browser.post(path, data=body, content_type=content_type)

    tool.refuses("login_incomplete", lambda: post("/lti/login"))
    tool.refuses("login_incomplete", lambda: post("/lti/login/malta"))
    tool.refuses("state_missing", lambda: post("/lti/launch"))


def test_a_login_without_client_id_finds_the_only_platform_of_the_issuer(browser: Browser, malta: Lms) -> None:
    form = {name: value for name, value in login_form(malta).items() if name != "client_id"}
    browser.open_visit(browser.pass_check(malta, browser.post("/lti/login", data=form), form))


def test_pitfall_12_a_login_without_client_id_does_not_guess_between_two_platforms(
    tool: ToolUnderTest, browser: Browser, malta: Lms
) -> None:
    second = NewPlatform(
        slug="second",
        university_id=1,
        issuer=malta.issuer,
        client_id="second",
        authorization_endpoint=malta.authorization_endpoint,
        token_endpoint="https://malta.lms.example/token",
        jwks_uri=malta.jwks_uri,
        token_audience=None,
        deployment_ids=("1",),
    )
    with tool.database.write() as connection:
        add_platform(connection, second, now=NOW)
    form = login_form(malta)
    browser.open_visit(browser.pass_check(malta, browser.post("/lti/login", data=form), form))
    del form["client_id"]
    tool.refuses("platform_ambiguous", lambda: browser.post("/lti/login", data=form))
    browser.open_visit(browser.pass_check(malta, browser.post("/lti/login/malta", data=form), form))


def test_pitfall_12_the_old_name_of_the_deployment_is_understood(
    tool: ToolUnderTest, browser: Browser, malta: Lms
) -> None:
    form = login_form(malta)
    form["deployment_id"] = form.pop("lti_deployment_id")
    login = browser.pass_check(malta, browser.post("/lti/login", data=form), form)
    tool.refuses_token("deployment_mismatch", login, browser, login.id_token({"deployment_id": "another"}))
    browser.open_visit(login)


def test_a_login_just_under_ten_minutes_ago_is_still_good(tool: ToolUnderTest, browser: Browser, malta: Lms) -> None:
    login = browser.begin_login(malta)
    tool.jump(timedelta(minutes=9, seconds=30))
    browser.open_visit(login, login.id_token({name: login.claims()[name] + 570 for name in ("iat", "exp")}))


@pytest.mark.parametrize("path", ["/lti/login", "/lti/launch", "/lti/check"])
def test_pitfall_7_login_pages_may_be_framed_by_every_known_lms_and_nobody_else(browser: Browser, path: str) -> None:
    answer = browser.get(path)
    assert answer.headers["Content-Security-Policy"].endswith(f"; frame-ancestors {ALL_LMSS}")
    assert "X-Frame-Options" not in answer.headers


def test_the_new_tab_page_may_be_framed_by_every_known_lms(tool: ToolUnderTest, browser: Browser, malta: Lms) -> None:
    page = tool.new_browser().get(browser.start_login(malta).location)
    assert f"frame-ancestors {ALL_LMSS}" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"


def test_the_check_step_is_on_our_own_origin(browser: Browser, malta: Lms) -> None:
    assert browser.start_login(malta).location.startswith(f"{PUBLIC_URL}/lti/check?state=")
