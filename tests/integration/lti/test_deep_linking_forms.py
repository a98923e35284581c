"""Who may pick, what the picker's forms take, and case 110: what an LMS leaves out or cannot take."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from series.store.tables import course, course_series, participant, spent_nonce, visit
from tests.examples import MALTA
from tests.integration.lti.lms import INSTITUTION, INSTRUCTOR, LEARNER, TEST_USER, Lms
from tests.integration.lti.picking import (
    DEEP_LINKING,
    ITEMS,
    OWN,
    SETTINGS,
    form_of,
    hidden,
    open_dialog,
    request_claims,
    verified,
)
from tests.integration.lti.tool import Browser, Login, ToolUnderTest

# Who may


@pytest.mark.parametrize(
    "roles",
    [[LEARNER], [], [f"{INSTITUTION}Instructor"], [LEARNER, f"{INSTITUTION}Administrator"], [INSTRUCTOR, TEST_USER]],
    ids=str,
)
def test_who_does_not_teach_gets_a_clear_page(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms, roles: list[str]
) -> None:
    before = tool.rows()
    answer = browser.launch(login, malta.sign(request_claims(login, roles=roles)))
    assert answer.status_code == 403
    assert "(not_a_teacher)" in answer.text
    assert "Only those who teach" in answer.text
    assert "https://malta.lms.example/course/view.php?id=1" in answer.text
    assert tool.rows() == before | {"spent_nonce": before["spent_nonce"] + 1}


@pytest.mark.parametrize(
    "roles",
    [
        [INSTRUCTOR],
        ["ContentDeveloper"],
        ["http://purl.imsglobal.org/vocab/lis/v2/membership#Administrator"],
        [f"{INSTITUTION}Administrator"],
    ],
    ids=str,
)
def test_who_builds_the_course_may_pick(tool: ToolUnderTest, browser: Browser, login: Login, roles: list[str]) -> None:
    assert "What would you like" in open_dialog(tool, login, browser, roles=roles).page


def test_a_pending_deployment_gets_no_picker(tool: ToolUnderTest, browser: Browser, malta: Lms) -> None:
    login = browser.begin_login(malta, {"lti_deployment_id": "new"})
    answer = browser.launch(login, malta.sign(request_claims(login, deployment_id="new")))
    assert "(deployment_pending)" in answer.text
    assert tool.rows_of(spent_nonce) == 0


def test_a_request_is_good_for_one_picker(tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms) -> None:
    id_token = malta.sign(request_claims(login))
    assert browser.launch(login, id_token).status_code == 200
    tool.refuses_token("nonce_spent", login, browser, id_token)


def test_a_request_from_another_browser_is_refused(tool: ToolUnderTest, login: Login, malta: Lms) -> None:
    tool.refuses_token("browser_changed", login, tool.new_browser(), malta.sign(request_claims(login)))


# The forms


def test_the_forms_need_no_cookie(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    dialog = open_dialog(tool, login, browser)
    fresh = tool.new_browser()
    form = hidden(dialog.page) | {"do": "show", "what": "series"}
    assert fresh.post("/lti/pick", data=form, headers=OWN).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "https://evil.example"}, OWN | {"Sec-Fetch-Site": "cross-site"}],
    ids=["no origin", "another origin", "cross-site"],
)
def test_only_our_own_page_posts_the_forms(
    tool: ToolUnderTest, browser: Browser, login: Login, headers: dict[str, str]
) -> None:
    form = hidden(open_dialog(tool, login, browser).page) | {"do": "make", "what": "series"}
    tool.refuses("picking_invalid", lambda: browser.post("/lti/pick", data=form, headers=headers))


@pytest.mark.parametrize("picking", ["", "x", "ä", "x" * 200_000])
def test_a_picking_that_is_not_ours_is_refused(tool: ToolUnderTest, browser: Browser, picking: str) -> None:
    form = {"picking": picking, "do": "make"}
    tool.refuses("picking_invalid", lambda: browser.post("/lti/pick", data=form, headers=OWN))


def test_a_picking_waits_for_twelve_hours(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    dialog = open_dialog(tool, login, browser)
    tool.jump(timedelta(hours=11, minutes=59))
    assert dialog.send("show", what="series").status_code == 200
    tool.jump(timedelta(hours=12, minutes=1))
    tool.refuses("picking_expired", lambda: dialog.send("show", what="series"))


def test_an_lms_that_is_switched_off_meanwhile_gets_no_answer(
    tool: ToolUnderTest, browser: Browser, login: Login
) -> None:
    dialog = open_dialog(tool, login, browser)
    with tool.database.write() as connection:
        connection.execute(sa.text("UPDATE deployment SET state = 'disabled'"))
    tool.refuses("deployment_disabled", lambda: dialog.send("make", what="series"))


def test_ticks_beside_the_whole_series_are_asked_about(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    dialog = open_dialog(tool, login, browser)
    answer = dialog.send("show", what="series", session=str(dialog.sessions[1].session_id))
    assert answer.status_code == 422
    assert "Which of the two" in answer.text
    assert f'value="{dialog.sessions[1].session_id}"' in answer.text


def test_no_session_is_asked_about(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    answer = open_dialog(tool, login, browser).send("show", what="sessions")
    assert answer.status_code == 422
    assert "at least one session" in answer.text


def test_what_is_chosen_can_be_changed(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    dialog = open_dialog(tool, login, browser)
    shown = dialog.send("show", what="sessions", session=str(dialog.sessions[1].session_id))
    back = browser.post("/lti/pick", data=form_of(shown.text, "choose"), headers=OWN)
    assert f'value="{dialog.sessions[1].session_id}" id="pick-2" data-chooses="what-sessions" checked' in back.text


def test_another_series_can_be_looked_at_with_sessions_ticked(
    tool: ToolUnderTest, browser: Browser, login: Login
) -> None:
    dialog = open_dialog(tool, login, browser)
    page = dialog.send("choose", what="sessions", session="5e551000-0000-4000-8000-00000000ffff")
    assert page.status_code == 200
    assert 'id="fault"' not in page.text


def test_times_are_in_the_universitys_zone_and_the_series(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    page = open_dialog(tool, login, browser).page
    assert f'data-zone="{MALTA.time_zone}" data-series-zone="Europe/Berlin"' in page
    assert "Over</span>" in page
    assert MALTA.name in page


# Case 110


@pytest.mark.parametrize(
    ("changes", "without"),
    [
        ({}, ("deep_link_return_url",)),
        ({"deep_link_return_url": "javascript:alert(1)"}, ()),
        ({"deep_link_return_url": ""}, ()),
        ({"deep_link_return_url": "https://a b"}, ()),
    ],
    ids=str,
)
def test_lti_110_without_a_return_url_there_is_a_clear_page(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms, changes: dict[str, Any], without: tuple[str, ...]
) -> None:
    id_token = malta.sign(request_claims(login, changes, without=without))
    page = tool.refuses_token("no_way_back", login, browser, id_token)
    assert "deep_link_return_url" in page


@pytest.mark.parametrize(
    "changes",
    [{"accept_types": ["link", "file"]}, {"accept_types": []}, {"accept_presentation_document_targets": ["embed"]}],
    ids=str,
)
def test_lti_110_what_the_lms_cannot_take_is_told_to_it(
    tool: ToolUnderTest, browser: Browser, login: Login, changes: dict[str, Any]
) -> None:
    page = open_dialog(tool, login, browser, changes).page
    assert "takes no activities" in page
    assert "data-send-at-once" not in page
    claims = verified(tool, hidden(page)["JWT"])[1]
    assert claims[ITEMS] == []
    assert "takes no activities" in claims[DEEP_LINKING + "errormsg"]


def test_lti_110_one_at_a_time_and_two_picked(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    dialog = open_dialog(tool, login, browser, {"accept_multiple": False})
    ids = [str(one.session_id) for one in dialog.sessions[:2]]
    assert 'type="checkbox"' not in dialog.page
    answer = dialog.send("make", what=ids[0], session=ids)
    assert answer.status_code == 422
    assert "one activity at a time" in answer.text
    (item,) = verified(tool, dialog.make(what=ids[1]).token)[1][ITEMS]
    assert item["custom"]["shared_sessions_session"] == ids[1]


def test_lti_110_an_lms_that_takes_no_line_items_gets_none(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    dialog = open_dialog(tool, login, browser, {"accept_lineitem": False})
    assert "No grade" in dialog.send("show", what="series").text
    (item,) = verified(tool, dialog.make(what="series").token)[1][ITEMS]
    assert "lineItem" not in item


def test_lti_110_without_data_none_goes_back(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    made = open_dialog(tool, login, browser, without=("data", "accept_multiple")).make(what="series")
    assert DEEP_LINKING + "data" not in verified(tool, made.token)[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"accept_types": "ltiResourceLink"},
        {"accept_types": None},
        {"accept_multiple": "yes"},
        {"data": {"a": 1}},
        {"deep_link_return_url": 5},
    ],
    ids=str,
)
def test_lti_110_settings_of_wrong_types_are_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms, changes: dict[str, Any]
) -> None:
    tool.refuses_token("claim_malformed", login, browser, malta.sign(request_claims(login, changes)))


def test_lti_110_a_request_without_settings_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms
) -> None:
    claims = request_claims(login)
    del claims[SETTINGS]
    tool.refuses_token("claim_missing", login, browser, malta.sign(claims))


def test_a_picker_with_no_series_says_so(tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms) -> None:
    with tool.database.write() as connection:
        connection.execute(sa.text("DELETE FROM rule_version"))
        connection.execute(sa.text("DELETE FROM series"))
    answer = browser.launch(login, malta.sign(request_claims(login)))
    assert (answer.status_code, "(no_series)" in answer.text) == (404, True)


def test_nothing_personal_is_sealed_or_stored(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    dialog = open_dialog(tool, login, browser)
    assert "Marija" not in dialog.page
    with tool.database.read() as connection:
        stored = [str(connection.execute(sa.select(table)).all()) for table in (participant, course, course_series)]
        assert connection.execute(sa.select(sa.func.count()).select_from(visit)).scalar_one() == 0
    assert "Marija" not in str(stored)
