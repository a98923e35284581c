"""Cases 34 to 40: a teacher picks activities in the LMS's dialog, and the LMS gets our signed answer."""

from datetime import UTC, datetime

import sqlalchemy as sa

from series.store.tables import audit, course, placement, spent_nonce
from tests.examples import SERIES
from tests.integration.lti.lms import Lms, claim
from tests.integration.lti.picking import (
    DATA,
    DEEP_LINKING,
    ITEMS,
    all_hidden,
    answered,
    open_dialog,
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
