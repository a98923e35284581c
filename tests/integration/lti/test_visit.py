"""What a launch opened: the proof in the browser, who may frame it, and its forms."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from lti_tool.tool import Tool
from series.store.check_ins import open_check_in
from series.store.sessions import save_import
from series.store.tables import evidence, participant, platform, visit
from tests.conftest import PUBLIC_URL
from tests.examples import SERIES, SESSION, moved
from tests.integration.lti.lms import Lms
from tests.integration.lti.test_login import attributes
from tests.integration.lti.tool import Browser, Login, ToolUnderTest, form_token

CSP = "Content-Security-Policy"
CODE = "042917"
CHECK_IN = f"sessions/{SESSION.session_id}/check-in"


@pytest.fixture
def path(tool: ToolUnderTest, browser: Browser, login: Login) -> str:
    """Of a student's visit, ten minutes into the session, with the check-in open."""
    now = datetime.now(UTC)
    running = moved(SESSION, now - timedelta(minutes=10) - SESSION.start_at)
    opened = browser.open_visit(login)
    with tool.database.write() as connection:
        save_import(connection, SERIES.series_id, new=[(running, ("uid", now))], changed=[], rekeyed=[], now=now)
        somebody = connection.execute(sa.select(participant.c.id)).scalar_one()
        open_check_in(connection, session_id=SESSION.session_id, code=CODE, participant_id=somebody, now=now)
    return opened


def evidence_rows(tool: ToolUnderTest) -> int:
    return tool.rows()[evidence.name]


def test_pitfall_9_the_cookie_of_a_visit_is_small_and_for_its_path_alone(browser: Browser, login: Login) -> None:
    answer = browser.launch(login)
    cookie = attributes(answer)
    path = answer.location.removeprefix(PUBLIC_URL)
    assert re.fullmatch(r"/visit/[\w-]{20,}/", path)
    assert {name: value for name, value in cookie.items() if name not in {"=", "expires"}} == {
        "secure": "",
        "httponly": "",
        "samesite": "None",
        "partitioned": "",
        "path": path,
        "max-age": str(36 * 3600),  # a day longer than the visit: who comes too late is shown the way back
    }
    assert len(cookie["="]) <= 100
    assert answer.status_code == 303


def test_the_proof_is_not_stored(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    proof = attributes(browser.launch(login))["="].partition("=")[2]
    with tool.database.read() as connection:
        assert proof not in str(connection.execute(sa.select(visit)).all())


@pytest.mark.parametrize("page", ["", "course/"])
def test_the_id_of_a_visit_is_worthless_without_its_cookie(tool: ToolUnderTest, path: str, page: str) -> None:
    answer = tool.new_browser().get(path + page)
    assert answer.status_code == 401
    assert "This page is closed" in answer.text
    assert SESSION.title not in answer.text


def test_the_cookie_of_one_visit_does_not_open_another(
    tool: ToolUnderTest, browser: Browser, path: str, malta: Lms
) -> None:
    other = attributes(browser.launch(browser.begin_login(malta)))["="]
    stranger = tool.app.test_client(use_cookies=False)
    for cookie in (other, "visit=", "visit=x", "visit=…"):
        assert stranger.get(path, headers={"Cookie": cookie}).status_code == 401


def test_a_visit_that_never_was_is_closed(browser: Browser, path: str) -> None:
    stranger = browser.application.test_client(use_cookies=False)
    for visit_id in ("x", "x" * 5_000, "%20", "é"):
        assert stranger.get(f"/visit/{visit_id}/", headers={"Cookie": "visit=x"}).status_code == 401


def test_a_visit_is_over_after_twelve_hours(tool: ToolUnderTest, browser: Browser, path: str) -> None:
    tool.jump(timedelta(hours=11, minutes=59))
    assert browser.get(path).status_code == 200
    tool.jump(timedelta(hours=12, seconds=5))
    assert browser.get(path).status_code == 401


def test_a_visit_may_be_framed_by_the_lms_of_its_launch_alone(browser: Browser, path: str) -> None:
    answer = browser.get(path)
    assert answer.headers[CSP].endswith("; frame-ancestors https://malta.lms.example")
    assert "X-Frame-Options" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "return_url",
    [
        "https://a.example; script-src *",
        "https://a.example,b",
        "https://u@a.example/",
        "https://*/",
        "https://a\x01b/",
        "https://a\x0c*/",
        "https://ä.example/",
        "https://",
    ],
)
def test_a_return_url_cannot_break_out_of_the_header(browser: Browser, login: Login, return_url: str) -> None:
    path = browser.open_visit(login, login.id_token({"launch_presentation": {"return_url": return_url}}))
    policy = browser.get(path).headers[CSP]
    assert policy.endswith("; frame-ancestors https://malta.lms.example https://vilnius.lms.example")
    assert policy.count("script-src") == 1


@pytest.fixture
def listed(tool: ToolUnderTest) -> str:
    """An origin that the operator lists besides."""
    own: Tool = tool.app.extensions["shared_sessions"]
    settings = replace(own.settings, frame_ancestors=("https://portal.example",))
    tool.app.extensions["shared_sessions"] = replace(own, settings=settings)
    return "https://portal.example"


def test_the_lms_of_a_visit_may_frame_it_also_when_it_is_over_and_others_are_listed(
    tool: ToolUnderTest, browser: Browser, path: str, listed: str
) -> None:
    assert browser.get(path).headers[CSP].endswith(f"; frame-ancestors https://malta.lms.example {listed}")
    tool.jump(timedelta(hours=13))
    over = browser.post(path + CHECK_IN, data={"code": "1"})
    assert (over.status_code, "What you had typed" in over.text) == (401, True)
    assert over.headers[CSP].endswith(f"; frame-ancestors https://malta.lms.example {listed}")


def test_a_visit_without_a_way_back_may_be_framed_by_the_lmss_that_we_know(
    browser: Browser, login: Login, listed: str
) -> None:
    path = browser.open_visit(login, login.id_token(without=("launch_presentation",)))
    both = "https://malta.lms.example https://vilnius.lms.example"
    assert browser.get(path).headers[CSP].endswith(f"; frame-ancestors {both} {listed}")


@pytest.mark.parametrize("state", ["pending", "rejected"])
def test_an_lms_that_nobody_has_let_in_frames_no_visit(
    tool: ToolUnderTest, browser: Browser, login: Login, state: str
) -> None:
    path = browser.open_visit(login, login.id_token(without=("launch_presentation",)))
    with tool.database.write() as connection:
        elsewhere = sa.update(platform).where(platform.c.slug == "vilnius")
        connection.execute(elsewhere.values(state=state))
    assert browser.get(path).headers[CSP].endswith("; frame-ancestors https://malta.lms.example")
    assert "https://vilnius.lms.example" in browser.get("/lti/login").headers[CSP]


def test_a_form_of_the_visit_is_taken(tool: ToolUnderTest, browser: Browser, path: str) -> None:
    form = {"form_token": form_token(browser.get(path).text, CHECK_IN), "code": CODE}
    for headers in ({"Origin": PUBLIC_URL}, {}):
        answer = browser.post(path + CHECK_IN, data=form, headers=headers)
        assert (answer.status_code, answer.location) == (303, PUBLIC_URL + path)
    assert evidence_rows(tool) == 1


def test_a_form_opened_at_the_start_can_be_sent_at_the_end(tool: ToolUnderTest, browser: Browser, path: str) -> None:
    form = {"form_token": form_token(browser.get(path).text, CHECK_IN), "code": CODE}
    tool.jump(timedelta(hours=2, minutes=30))
    answer = browser.post(path + CHECK_IN, data=form)
    assert answer.status_code == 422
    assert "That code was right, but its five minutes are over" in answer.text
    assert evidence_rows(tool) == 0


@pytest.mark.parametrize("wrong", ["", "0" * 64, "…", None])
def test_a_form_without_the_visits_token_is_refused(
    tool: ToolUnderTest, browser: Browser, path: str, wrong: str | None
) -> None:
    form = {"code": CODE} | ({} if wrong is None else {"form_token": wrong})
    answer = browser.post(path + CHECK_IN, data=form)
    assert answer.status_code == 403
    assert "Nothing was changed" in answer.text
    assert evidence_rows(tool) == 0


@pytest.mark.parametrize(
    "origin",
    ["https://malta.lms.example", "null", "", "http://localhost:8998", "https://localhost:8999", PUBLIC_URL + "/"],
)
def test_a_form_from_a_foreign_origin_is_refused(tool: ToolUnderTest, browser: Browser, path: str, origin: str) -> None:
    form = {"form_token": form_token(browser.get(path).text, CHECK_IN), "code": CODE}
    assert browser.post(path + CHECK_IN, data=form, headers={"Origin": origin}).status_code == 403
    assert evidence_rows(tool) == 0


def test_a_form_of_another_visit_is_refused(tool: ToolUnderTest, browser: Browser, path: str, malta: Lms) -> None:
    other = browser.open_visit(browser.begin_login(malta))
    form = {"form_token": form_token(browser.get(other).text, CHECK_IN), "code": CODE}
    assert browser.post(path + CHECK_IN, data=form).status_code == 403
    assert evidence_rows(tool) == 0


def test_a_form_for_another_action_is_refused(tool: ToolUnderTest, browser: Browser, path: str) -> None:
    other_action = (path + CHECK_IN).replace(str(SESSION.session_id), "5e551000-0000-4000-8000-000000000008")
    form = {"form_token": form_token(browser.get(path).text, CHECK_IN), "code": CODE}
    assert browser.post(other_action, data=form).status_code == 403


def test_a_form_without_the_visits_cookie_is_refused(tool: ToolUnderTest, browser: Browser, path: str) -> None:
    form = {"form_token": form_token(browser.get(path).text, CHECK_IN), "code": CODE}
    assert tool.new_browser().post(path + CHECK_IN, data=form).status_code == 401
    assert evidence_rows(tool) == 0


def test_the_text_that_was_typed_is_escaped(browser: Browser, path: str) -> None:
    form = {"form_token": form_token(browser.get(path).text, CHECK_IN), "code": '"><script>alert(1)</script>'}
    answer = browser.post(path + CHECK_IN, data=form)
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
