"""An LMS administrator comes by the activity in the LMS's frame to the pages of staff, in a tab of their own."""

from collections.abc import Callable

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from series.staff import Role
from tests.browser.classroom import Classroom
from tests.browser.people import keep, tool_looks_right
from tests.integration.staff.desk import PASSWORD, add_account

pytestmark = pytest.mark.browser
EMAIL = "rita@example.org"


def open_activity(classroom: Classroom, page: Page) -> FrameLocator:
    (rita,) = (person for person in classroom.campus.people if person.role == "administrator")
    return classroom.open_activity(page, rita)


def test_an_administrator_is_bound_once_and_comes_without_a_password(
    classroom: Classroom, new_page: Callable[..., Page]
) -> None:
    services = classroom.services
    add_account(services.database, EMAIL, "Rita Azzopardi", Role.LMS_ADMIN, services.settings, university_id=1)
    page = new_page(1280)
    frame = open_activity(classroom, page)
    expect(frame.get_by_role("complementary")).to_contain_text("You administer this LMS. Sign in once")
    tool_looks_right(page)
    keep(page, "partners-administrator")
    frame.get_by_role("button", name="How to do that").click()
    expect(frame.get_by_role("heading", level=1)).to_have_text("Reach the connection pages from here")
    tool_looks_right(page)
    with page.context.expect_page() as opened:
        frame.get_by_role("button", name="Sign in in a new tab").click()
    tab = opened.value
    tab.get_by_label("E-mail").fill(EMAIL)
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Sign in").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Is this you?")
    tool_looks_right(tab)
    keep(tab, "partners-bind")
    tab.get_by_label("Present password").fill(PASSWORD)
    tab.get_by_role("button", name="Yes, this is me").click()
    expect(tab.get_by_role("status")).to_contain_text("without a password")
    tool_looks_right(tab)
    keep(tab, "partners-bound")
    tab.get_by_role("button", name="Sign out", exact=True).click()
    expect(tab.get_by_role("status")).to_contain_text("You are signed out.")
    tab.close()
    _comes_again(classroom, page)


def _comes_again(classroom: Classroom, page: Page) -> None:
    frame = open_activity(classroom, page)
    frame.get_by_role("button", name="Open the connection pages").click()
    expect(frame.get_by_role("heading", level=1)).to_have_text("Open the connection pages")
    tool_looks_right(page)
    with page.context.expect_page() as opened:
        frame.get_by_role("button", name="Open in a new tab").click()
    tab = opened.value
    expect(tab.get_by_role("banner")).to_contain_text("LMS administrator of University of Malta")
    tab.get_by_role("link", name="Overview").first.click()
    tab.get_by_role("button", name="Undo").click()
    expect(tab.get_by_role("status")).to_contain_text("Undone.")
    frame = open_activity(classroom, page)
    expect(frame.get_by_role("complementary")).to_contain_text("Sign in once")
