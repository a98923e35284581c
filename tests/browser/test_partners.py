"""The coordinator adds a university and invites who connects its LMS; that person sees the own university alone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.classroom import Classroom
from tests.browser.people import NARROW, keep, tool_looks_right
from tests.integration.staff.desk import COORDINATOR, PASSWORD

pytestmark = pytest.mark.browser
NEW_PASSWORD = "a walk along the harbour"


def sign_in(page: Page, classroom: Classroom, email: str = COORDINATOR, password: str = PASSWORD) -> None:
    page.goto(f"{classroom.tool_url}/admin/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()


@pytest.fixture(params=[NARROW, 768, 1280])
def page(request: pytest.FixtureRequest, classroom: Classroom, new_page: Callable[..., Page]) -> Page:
    """Of the coordinator."""
    page = new_page(request.param)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_in(page, classroom)
    return page


def test_from_the_board_to_an_admin_who_sees_the_own_university_alone(
    classroom: Classroom, page: Page, new_page: Callable[..., Page]
) -> None:
    width = (page.viewport_size or {"width": 0})["width"]
    name, slug = f"University of Zagreb {width}", f"zagreb-{width}"
    tool_looks_right(page)
    page.get_by_role("navigation").get_by_role("link", name="Universities").click()
    _the_board_shows_gaps(page)
    _adds(page, name, slug)
    link = _invites(page, f"ivana-{width}@example.org", name)
    person = new_page(NARROW)
    person.goto(link)
    person.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    person.get_by_label("New password once more").fill(NEW_PASSWORD)
    person.get_by_role("button", name="Set the password").click()
    expect(person.get_by_role("status")).to_contain_text("Your password is set.")
    sign_in(person, classroom, f"ivana-{width}@example.org", NEW_PASSWORD)
    expect(person.get_by_role("banner")).to_contain_text(f"LMS administrator of {name}")
    expect(person.get_by_role("link", name="Universities", exact=True)).to_have_count(0)
    tool_looks_right(person)
    for path in ("partners/", "partners/malta/", "people/", "audit/", "moodle/malta/"):
        person.goto(f"{classroom.tool_url}/admin/{path}")
        expect(person.get_by_role("heading", level=1)).to_have_text("Not for this account")
    _is_switched_off(page, name)
    person.goto(f"{classroom.tool_url}/admin/")
    expect(person.get_by_role("heading", level=1)).to_have_text("Sign in")


def _the_board_shows_gaps(page: Page) -> None:
    expect(page.get_by_role("heading", name="ready", exact=False).nth(1)).to_contain_text("of")
    row = page.get_by_role("row").filter(has_text="University of Malta").first
    expect(row).to_contain_text("nobody is invited")
    tool_looks_right(page)
    page.get_by_text("things to do").first.click()
    page.get_by_text("Text to send").first.click()
    text = page.locator("textarea").first
    expect(text).to_be_visible()
    page.get_by_role("button", name="Copy the text").first.click()
    expect(page.get_by_role("button", name="Copied").first).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith("Dear colleagues at University of Malta,")
    tool_looks_right(page)
    keep(page, "partners-board")


def _adds(page: Page, name: str, slug: str) -> None:
    page.get_by_role("link", name="Add a university").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Country").select_option("HR")
    page.get_by_label("Time zone").fill("Zagreb")
    page.get_by_label("Language").fill("hr")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_contain_text("Please choose a time zone")
    tool_looks_right(page)
    page.get_by_label("Time zone").fill("Europe/Zagreb")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_label("Short name in addresses")).to_have_value(slug)
    tool_looks_right(page)
    keep(page, "partners-add")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("status")).to_contain_text("Added.")
    tool_looks_right(page)
    keep(page, "partners-one")


def _invites(page: Page, email: str, university: str) -> str:
    """The link."""
    page.get_by_role("link", name="Invite an LMS administrator").click()
    page.get_by_label("Name", exact=True).fill("Ivana Horvat")
    page.get_by_label("E-mail").fill(email)
    expect(page.get_by_role("radio", name="LMS administrator")).to_be_checked()
    expect(page.get_by_label("University, for an LMS administrator").locator("option:checked")).to_have_text(university)
    tool_looks_right(page)
    keep(page, "partners-invite")
    page.get_by_role("button", name="Make the account and the link").click()
    expect(page.get_by_role("status")).to_contain_text("It is shown only now.")
    tool_looks_right(page)
    keep(page, "partners-link")
    return page.get_by_label("Link to choose a password").input_value()


def _is_switched_off(page: Page, university: str) -> None:
    page.get_by_role("link", name="I have sent it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ivana Horvat")
    tool_looks_right(page)
    keep(page, "partners-person")
    page.get_by_role("link", name="Disable").click()
    tool_looks_right(page)
    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_role("status")).to_contain_text("Disabled, and signed out everywhere.")
    page.get_by_role("navigation").get_by_role("link", name="People").click()
    expect(page.get_by_role("row").filter(has_text=university)).to_contain_text("disabled")
    tool_looks_right(page)
    keep(page, "partners-people")
