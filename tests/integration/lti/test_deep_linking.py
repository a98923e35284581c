"""Cases 34 to 40 and 110: a teacher picks activities in the LMS's dialog, and the LMS gets our signed answer."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from series.store.tables import audit, course, course_series, participant, placement, spent_nonce, visit
from tests.examples import MALTA, SERIES
from tests.integration.lti.lms import INSTITUTION, INSTRUCTOR, LEARNER, TEST_USER, Lms, claim
from tests.integration.lti.picking import (
    DATA,
    DEEP_LINKING,
    ITEMS,
    OWN,
    SETTINGS,
    all_hidden,
    answered,
    form_of,
    hidden,
    open_dialog,
    request_claims,
    verified,
)
from tests.integration.lti.tool import LAUNCH_URL, Browser, Login, ToolUnderTest

CSP = "Content-Security-Policy"


def test_lti_034_a_request_is_answered_by_the_picker_at_the_launch_address(
    tool: ToolUnderTest, browser: Browser, login: Login
) -> None:
    before = tool.rows()
    dialog = open_dialog(tool, login, browser)
    assert "What would you like to add" in dialog.page
    assert dialog.page.index("The whole series as one activity") < dialog.page.index("Single sessions")
    assert tool.rows_of(spent_nonce) == 1
    after = tool.rows()
    assert [after[name] - before[name] for name in ("participant", "course", "placement", "visit")] == [1, 1, 0, 0]


def test_pitfall_31_the_request_brings_the_courses_roster_address(
    tool: ToolUnderTest, browser: Browser, login: Login
) -> None:
    open_dialog(tool, login, browser)
    with tool.database.read() as connection:
        row = connection.execute(sa.select(course.c.memberships_url, course.c.title)).one()
    assert row == ("https://malta.lms.example/memberships/course-1", "Physics teaching")


def test_lti_035_the_answer_is_posted_to_the_return_url_as_jwt(
    tool: ToolUnderTest, browser: Browser, login: Login
) -> None:
    made = open_dialog(tool, login, browser).make(what="series")
    assert made.action == "https://malta.lms.example/mod/lti/contentitem_return.php?course=2&sesskey=x"
    assert [name for name, _ in all_hidden(made.page.text)] == ["JWT"]
    assert "<button" in made.page.text  # without a script, too
    policy = made.page.headers[CSP]
    assert "form-action 'self' https://malta.lms.example" in policy
    assert policy.endswith("; frame-ancestors https://malta.lms.example")


def test_lti_036_lti_037_lti_038_lti_039_the_answer_has_the_required_claims(
    tool: ToolUnderTest, browser: Browser, login: Login
) -> None:
    """lti_036 type and version, lti_037 times, lti_038 signature by our key set, lti_039 parties, nonce and data."""
    made = open_dialog(tool, login, browser).make(what="series")
    header, claims = verified(tool, made.token)
    now = datetime.now(UTC).timestamp()
    assert header["kid"]
    assert claims[claim("message_type")] == "LtiDeepLinkingResponse"
    assert claims[claim("version")] == "1.3.0"
    assert claims["iat"] <= now < claims["exp"]
    assert (claims["iss"], claims["aud"]) == ("client-of-malta", "https://malta.lms.example")
    assert claims["nonce"]
    assert claims[claim("deployment_id")] == "deployment-of-malta"
    assert claims[DEEP_LINKING + "data"] == DATA
    assert isinstance(claims[ITEMS], list)


def test_two_answers_have_two_nonces(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    dialog = open_dialog(tool, login, browser)
    nonces = {verified(tool, dialog.make(what="series").token)[1]["nonce"] for _ in range(2)}
    assert len(nonces) == 2


def test_the_whole_series_is_one_activity_with_one_column(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    made = open_dialog(tool, login, browser).make(what="series")
    (item,) = verified(tool, made.token)[1][ITEMS]
    assert item["type"] == "ltiResourceLink"
    assert item["title"] == SERIES.title
    assert item["url"] == LAUNCH_URL
    assert item["custom"] == {"shared_sessions_series": str(SERIES.series_id)}
    assert item["lineItem"] == {
        "scoreMaximum": 10,
        "label": SERIES.title,
        "resourceId": f"series {SERIES.series_id}",
        "tag": "shared-sessions",
    }


def test_sessions_are_activities_of_their_own(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    dialog = open_dialog(tool, login, browser)
    first, second, *_ = (one.session_id for one in dialog.sessions)
    items = verified(tool, dialog.make(what="sessions", session=[str(second), str(first)]).token)[1][ITEMS]
    assert [item["custom"]["shared_sessions_session"] for item in items] == [str(first), str(second)]
    assert [item["lineItem"]["resourceId"] for item in items] == [f"session {first}", f"session {second}"]
    assert {item["lineItem"]["scoreMaximum"] for item in items} == {1}
    assert "2026" not in "".join(item["title"] + item["text"] for item in items)


def test_a_cancelled_session_is_shown_and_not_offered(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    dialog = open_dialog(tool, login, browser)
    gone = dialog.sessions[3].session_id
    assert "Cancelled" in dialog.page
    assert str(gone) not in dialog.page
    assert dialog.send("make", what="sessions", session=str(gone)).status_code == 422


def test_a_session_of_another_series_is_not_picked(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    dialog = open_dialog(tool, login, browser)
    assert dialog.send("make", what="sessions", session="5e551000-0000-4000-8000-00000000ffff").status_code == 422


def test_the_picker_says_what_the_lms_will_not_do(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    with tool.database.write() as connection:
        connection.execute(sa.text("UPDATE platform SET product = 'moodle'"))
    shown = open_dialog(tool, login, browser).send("show", what="series").text
    assert "Completion is off for new activities in Moodle" in shown
    assert "10 points" in shown
    assert "open from" not in shown


def test_windows_go_where_the_lms_takes_them(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    dialog = open_dialog(tool, login, browser)
    one = dialog.sessions[1]
    made = dialog.make(what="sessions", session=str(one.session_id))
    (item,) = verified(tool, made.token)[1][ITEMS]
    assert item["submission"] == {
        "startDateTime": one.start_at.isoformat(),
        "endDateTime": one.end_at.isoformat(),
    }


def test_moodle_gets_no_window(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    with tool.database.write() as connection:
        connection.execute(sa.text("UPDATE platform SET product = 'moodle'"))
    (item,) = verified(tool, open_dialog(tool, login, browser).make(what="series").token)[1][ITEMS]
    assert "submission" not in item
    assert item["lineItem"]


def test_going_back_adds_nothing(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    dialog = open_dialog(tool, login, browser)
    claims = verified(tool, answered(dialog.send("cancel")).token)[1]
    assert claims[ITEMS] == []
    assert claims[DEEP_LINKING + "msg"] == "Nothing was added."
    assert claims[DEEP_LINKING + "data"] == DATA


def test_what_is_picked_is_in_the_audit(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    open_dialog(tool, login, browser).make(what="series")
    with tool.database.read() as connection:
        rows = [tuple(row) for row in connection.execute(sa.select(audit.c.actor, audit.c.action, audit.c.object))]
    assert rows == [("participant 1", "pick", "course 1")]


def test_lti_040_a_link_so_made_launches(tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms) -> None:
    dialog = open_dialog(tool, login, browser)
    wanted = dialog.sessions[1].session_id
    (item,) = verified(tool, dialog.make(what="sessions", session=str(wanted)).token)[1][ITEMS]
    again = browser.begin_login(malta)
    custom = {
        claim("custom"): item["custom"] | {"context_history": "", "resource_link_history": "$ResourceLink.id.history"}
    }
    path = browser.open_visit(again, malta.sign(again.claims({"resource_link": {"id": "77"}}) | custom))
    assert browser.get(path).status_code == 200
    with tool.database.read() as connection:
        row = connection.execute(sa.select(placement.c.series_id, placement.c.session_id)).one()
    assert row == (SERIES.series_id, wanted)


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
