"""Limits per participant and per platform, never per address; many visits; sign-out; what an ended visit keeps."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from lti_tool.tool import Tool
from series.limits import CODE_TRIES, LAUNCHES, Limit, Pace
from series.people import MAX_VISITS
from series.store.database import Database
from series.store.limits import purge_full, take
from series.store.tables import deployment, platform, rate_limit, refusal
from tests.at_once import at_once
from tests.conftest import NOW, PUBLIC_URL
from tests.integration.lti.lms import Lms
from tests.integration.lti.test_visit import CHECK_IN, CODE, evidence_rows, path
from tests.integration.lti.tool import Browser, Login, ToolUnderTest, form_token

__all__ = ["path"]  # the fixture

THREE = Limit(burst=3, every_s=10)


@pytest.fixture
def slow_logins(tool: ToolUnderTest) -> list[float]:
    """Three logins of a platform at once, and the second that the tool reads."""
    clock = [1_000.0]
    own: Tool = tool.app.extensions["shared_sessions"]
    tool.app.extensions["shared_sessions"] = replace(own, login_pace=Pace(THREE, lambda: clock[0]))
    return clock


def test_a_flood_of_logins_slows_its_platform_alone(
    tool: ToolUnderTest, browser: Browser, malta: Lms, vilnius: Lms, slow_logins: list[float]
) -> None:
    for _ in range(3):
        browser.begin_login(malta)
    page = tool.refuses("logins_too_fast", lambda: browser.start_login(malta))
    assert "wait half a minute" in page
    assert browser.start_login(malta).headers["Retry-After"] == "10"
    browser.open_visit(browser.begin_login(vilnius))
    slow_logins[0] += 10
    browser.open_visit(browser.begin_login(malta))


def test_a_participant_who_guesses_codes_is_slowed_and_a_neighbour_is_not(
    tool: ToolUnderTest, browser: Browser, path: str, malta: Lms
) -> None:
    def guess(who: Browser, at: str, code: str) -> int:
        form = {"form_token": form_token(who.get(at).text, CHECK_IN), "code": code}
        return who.post(at + CHECK_IN, data=form).status_code

    assert [guess(browser, path, "000000") for _ in range(CODE_TRIES.burst + 2)] == [422] * CODE_TRIES.burst + [429] * 2
    assert guess(browser, path, CODE) == 429, "the right code is not tried either"
    neighbour = tool.new_browser()
    login = neighbour.begin_login(malta)
    assert guess(neighbour, neighbour.open_visit(login, login.id_token({"sub": "student-6"})), CODE) == 303
    tool.jump(timedelta(seconds=CODE_TRIES.every_s + 1))
    assert guess(browser, path, CODE) == 303


def test_the_page_says_how_long_to_wait_and_keeps_the_code(browser: Browser, path: str) -> None:
    form = {"form_token": form_token(browser.get(path).text, CHECK_IN), "code": "000 000"}
    answers = [browser.post(path + CHECK_IN, data=form) for _ in range(CODE_TRIES.burst + 1)]
    assert answers[-1].headers["Retry-After"].isdigit()
    assert "Too many tries. Please wait" in answers[-1].text
    assert 'value="000 000"' in answers[-1].text


def test_a_new_visit_does_not_bring_new_tries(browser: Browser, path: str, malta: Lms) -> None:
    form = {"form_token": form_token(browser.get(path).text, CHECK_IN), "code": "000000"}
    for _ in range(CODE_TRIES.burst):
        browser.post(path + CHECK_IN, data=form)
    again = browser.open_visit(browser.begin_login(malta))
    form["form_token"] = form_token(browser.get(again).text, CHECK_IN)
    assert browser.post(again + CHECK_IN, data=form).status_code == 429


def test_tries_while_nothing_is_open_are_not_counted(tool: ToolUnderTest, browser: Browser, path: str) -> None:
    form = {"form_token": form_token(browser.get(path).text, CHECK_IN), "code": "000000"}
    tool.jump(timedelta(minutes=6))
    for _ in range(CODE_TRIES.burst + 2):
        assert browser.post(path + CHECK_IN, data=form).status_code == 422
    assert tool.rows()[rate_limit.name] == 0


def test_of_many_tries_at_once_no_more_than_the_burst_is_let_through(database: Database) -> None:
    def one_try(own: Database, _number: int) -> bool:
        with own.write() as connection:
            return take(connection, "key", THREE, now=NOW) == 0

    assert sum(at_once(database, one_try)) == THREE.burst


def test_a_bucket_fills_steadily_and_is_dropped_when_it_is_full(database: Database) -> None:
    def take_at(seconds: float) -> float:
        with database.write() as connection:
            return take(connection, "key", THREE, now=NOW + timedelta(seconds=seconds))

    assert [take_at(second) for second in (0, 0, 0, 0, 9, 10, 10, 20)] == [0, 0, 0, 10, 1, 0, 10, 0]
    for minutes, rows in ((1, 1), (3, 0)):
        with database.write() as connection:
            purge_full(connection, now=NOW + timedelta(minutes=minutes))
            count = connection.execute(sa.select(sa.func.count()).select_from(rate_limit)).scalar_one()
        assert count == rows


def test_nobody_waits_for_a_time_to_which_the_clock_was_put_back(database: Database) -> None:
    limit = Limit(burst=2, every_s=10)
    with database.write() as connection:
        assert [take(connection, "k", limit, now=NOW) for _ in range(3)] == [0, 0, 10]
        before = NOW - timedelta(days=2)
        assert [take(connection, "k", limit, now=before) for _ in range(3)] == [0, 0, 10]
        assert take(connection, "k", limit, now=before - timedelta(seconds=30)) > 0  # as far as clocks may differ


def test_twenty_visits_of_one_person_are_open_and_the_oldest_makes_room(
    tool: ToolUnderTest, browser: Browser, malta: Lms
) -> None:
    paths = [browser.open_visit(browser.begin_login(malta)) for _ in range(MAX_VISITS)]
    assert [browser.get(each).status_code for each in paths] == [200] * MAX_VISITS
    answer = browser.launch(browser.begin_login(malta))
    assert answer.status_code == 303
    dropped = [header for header in answer.headers.getlist("Set-Cookie") if "Max-Age=0" in header]
    closed = [each for each in paths if browser.get(each).status_code == 401]
    assert len(dropped) == len(closed) == 1
    assert f"Path={closed[0]}" in dropped[0]


def test_a_page_that_launches_without_end_is_slowed(tool: ToolUnderTest, browser: Browser, malta: Lms) -> None:
    for _ in range(MAX_VISITS + LAUNCHES.burst):
        browser.open_visit(browser.begin_login(malta))
    login = browser.begin_login(malta)
    tool.refuses("launches_too_fast", lambda: browser.launch(login))
    assert browser.launch(login).headers["Retry-After"].isdigit()
    neighbour = tool.new_browser()
    other = neighbour.begin_login(malta)
    neighbour.open_visit(other, other.id_token({"sub": "student-6"}))
    tool.jump(timedelta(seconds=LAUNCHES.every_s + 1))
    browser.open_visit(browser.begin_login(malta))


def test_a_campus_behind_one_address_is_not_slowed(tool: ToolUnderTest, malta: Lms) -> None:
    for number in range(60):
        browser = tool.new_browser()
        login = browser.begin_login(malta)
        browser.open_visit(login, login.id_token({"sub": f"student-{number}"}))


def test_many_logins_leave_no_more_than_twenty_cookies(browser: Browser, malta: Lms) -> None:
    logins = [browser.begin_login(malta) for _ in range(30)]
    assert sum(cookie.key.startswith("lti-") for cookie in browser._cookies.values()) == 20
    browser.open_visit(logins[-1])


def test_sign_out_closes_the_visit_in_this_browser(
    tool: ToolUnderTest, browser: Browser, path: str, malta: Lms
) -> None:
    other = browser.open_visit(browser.begin_login(malta))
    page = browser.sign_out(path)
    assert page.status_code == 200
    assert "You are signed out here" in page.text
    assert 'href="https://malta.lms.example/course/view.php?id=1"' in page.text
    assert any("Max-Age=0" in header for header in page.headers.getlist("Set-Cookie"))
    assert [browser.get(each).status_code for each in (path, other)] == [401, 200]


def test_sign_out_needs_the_visits_own_form(browser: Browser, path: str) -> None:
    assert browser.post(f"{path}sign-out", data={"form_token": "0" * 64}).status_code == 403
    assert browser.get(path).status_code == 200


def test_a_visit_that_is_over_keeps_what_was_typed_and_shows_the_way_back(
    tool: ToolUnderTest, browser: Browser, path: str
) -> None:
    form = {"form_token": form_token(browser.get(path).text, CHECK_IN), "code": "</textarea>my long <b>answer"}
    tool.jump(timedelta(hours=12, minutes=1))
    page = browser.post(path + CHECK_IN, data=form)
    assert page.status_code == 401
    assert "my long &lt;b&gt;answer" in page.text
    assert "It was not sent" in page.text
    assert 'href="https://malta.lms.example/course/view.php?id=1"' in page.text
    assert form["form_token"] not in page.text
    assert evidence_rows(tool) == 0


def test_a_stranger_is_not_shown_the_way_back(tool: ToolUnderTest, browser: Browser, path: str) -> None:
    tool.jump(timedelta(hours=12, minutes=1))
    assert "malta.lms.example" not in tool.new_browser().get(path).text


@pytest.mark.parametrize("table", [deployment, platform], ids=lambda table: table.name)
def test_visits_of_a_disabled_connection_are_closed(
    tool: ToolUnderTest, browser: Browser, path: str, table: sa.Table
) -> None:
    with tool.database.write() as connection:
        connection.execute(sa.update(table).values(state="disabled"))
    assert browser.get(path).status_code == 401


def test_refusals_are_kept_for_the_platform_that_our_own_state_names(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms
) -> None:
    tool.refuses_token("version_wrong", login, browser, login.id_token({"version": "1.2.0"}))
    tool.refuses("platform_mismatch", lambda: browser.start_login(malta, {"client_id": "another"}))
    form = {"iss": malta.issuer, "client_id": malta.client_id}
    tool.refuses("login_incomplete", lambda: browser.post("/lti/login", data=form))
    with tool.database.read() as connection:
        kept = connection.execute(sa.select(refusal).order_by(refusal.c.id)).all()
    assert [row.code for row in kept] == ["version_wrong", "platform_mismatch"]
    assert abs(kept[0].at - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_flood_of_refusals_is_no_flood_of_writing(tool: ToolUnderTest, browser: Browser, malta: Lms) -> None:
    for _ in range(40):
        assert browser.start_login(malta, {"client_id": "another"}).status_code == 400
    assert 0 < tool.rows_of(refusal) <= 21


def test_our_own_form_is_known_by_its_origin(browser: Browser, path: str) -> None:
    form = {"form_token": form_token(browser.get(path).text, CHECK_IN), "code": CODE}
    foreign = {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "same-site"}
    assert browser.post(path + CHECK_IN, data=form, headers=foreign).status_code == 403
