"""The instructor's page, when the LMS tells little or nothing of its people; and whose clock a page shows."""

from datetime import UTC, datetime, timedelta

import pytest

from lms.tool_keys import ensure_tool_key
from lti_tool.pages.times import times_of
from lti_tool.tool import Tool
from series.store.sessions import save_import
from tests.examples import SERIES, SESSION, moved
from tests.integration.lti.lms import INSTRUCTOR, Lms
from tests.integration.lti.tool import Browser, Login, ToolUnderTest

NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"


@pytest.fixture
def with_session(tool: ToolUnderTest) -> None:
    now = datetime.now(UTC)
    running = moved(SESSION, now - timedelta(minutes=10) - SESSION.start_at)
    with tool.database.write() as connection:
        save_import(connection, SERIES.series_id, new=[(running, ("uid", now))], changed=[], rekeyed=[], now=now)


def course_page(browser: Browser, login: Login, claims: dict[str, object]) -> str:
    path = browser.open_visit(login, login.lms.sign(login.claims({"roles": [INSTRUCTOR]}) | claims))
    answer = browser.get(f"{path}course/")
    assert answer.status_code == 200
    return answer.text


def test_a_roster_that_cannot_be_read_is_said_so_and_hides_no_names(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms, with_session: None
) -> None:
    own: Tool = tool.app.extensions["shared_sessions"]
    ensure_tool_key(tool.database, encryption_key=own.settings.encryption_key, now=own.clock.now())
    unreachable = {NRPS: {"context_memberships_url": f"{malta.issuer}/memberships"}}
    page = course_page(browser, login, unreachable)
    assert "cannot be had from your LMS right now" in page
    assert "tells us no names" not in page
    assert "0 completed" in page, "of how many is not known"


def test_without_a_roster_service_only_those_who_came_are_counted(
    browser: Browser, login: Login, with_session: None
) -> None:
    page = course_page(browser, login, {})
    assert "cannot be had" not in page
    assert "0 completed" in page


def test_the_series_clock_goes_by_the_series_zone_also_when_both_say_the_same() -> None:
    times = times_of(SESSION, "Europe/Malta")
    assert (times.differ, times.yours.place, times.series.place) == (False, "Malta", "Berlin")
    assert times_of(SESSION, "Europe/Vilnius").differ
