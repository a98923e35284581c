"""The coordinator sets what counts, on a phone: the effect first, then the rule."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.classroom import TITLES, Classroom
from tests.browser.people import NARROW, tool_looks_right
from tests.browser.world import GORG
from tests.examples import SERIES
from tests.integration.staff.desk import COORDINATOR, PASSWORD
from tests.seeds import somebody_takes_part

pytestmark = pytest.mark.browser
NEXT_WEEK = TITLES[2]


@pytest.fixture
def page(classroom: Classroom, new_page: Callable[..., Page]) -> Page:
    """Of a coordinator who has signed in and looks at the rule."""
    page = new_page(NARROW)
    page.goto(f"{classroom.tool_url}/coordinator/series/{SERIES.slug}/")
    page.get_by_label("E-mail").fill(COORDINATOR)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("region", name="What counts").get_by_role("link").click()
    expect(page.get_by_role("heading", name="The rule in force")).to_be_visible()
    return page


def test_a_coordinator_sees_the_effect_of_a_rule_and_saves_it(
    classroom: Classroom, page: Page, new_page: Callable[..., Page]
) -> None:
    somebody_takes_part(classroom.services.database, classroom.over, now=classroom.now)  # and relies on the numbers
    tool_looks_right(page)
    page.get_by_role("checkbox", name="A reflection alone").uncheck()
    page.get_by_label("Sessions that complete it").fill("9")
    _show_effect(page)
    expect(page.get_by_role("alert")).to_be_visible()
    tool_looks_right(page)
    page.get_by_label("Sessions that complete it").fill("1")
    _show_effect(page)
    expect(page.get_by_role("heading", level=1, name="What this changes")).to_be_visible()
    tool_looks_right(page)
    page.get_by_role("button", name="Save this rule").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    expect(page.get_by_label("Sessions that complete it")).to_have_value("1")
    tool_looks_right(page)
    page.get_by_role("link", name=NEXT_WEEK).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(NEXT_WEEK)
    tool_looks_right(page)
    _gives_it_a_rule_of_its_own(page)
    student = new_page(NARROW)
    expect(classroom.open_activity(student, GORG).locator("#own-standing")).to_contain_text("0 of 1")


def _gives_it_a_rule_of_its_own(page: Page) -> None:
    page.get_by_role("checkbox", name="Watching the recording").uncheck()
    _show_effect(page)
    expect(page.get_by_role("heading", level=1, name="What this changes")).to_be_visible()
    tool_looks_right(page)
    page.get_by_role("button", name="Save for this session").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    expect(page.get_by_text("this session's own")).to_be_visible()
    tool_looks_right(page)


def _show_effect(page: Page) -> None:
    page.get_by_role("button", name="Show what this changes").click()
