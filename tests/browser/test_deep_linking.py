"""A teacher fills the course from the tool: the series, three sessions, a copied course, and the new round."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from sandbox_lms.activities import all_activities
from sandbox_lms.campus import Person
from tests.browser.classroom import OVER, RUNNING, TITLES, Classroom
from tests.browser.people import NARROW, no_axe_findings, tool_looks_right
from tests.browser.world import MALTA, MARIA
from tests.examples import SERIES
from tests.rounds import next_round

pytestmark = pytest.mark.browser
(KARMENU,) = (person for person in MALTA.people if person.role == "teacher")


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page(1280, "Europe/Malta")


def sign_in(classroom: Classroom, page: Page, who: Person) -> None:
    form: dict[str, str | float | bool] = {"username": who.username, "password": who.password}
    page.context.request.post(f"{classroom.campus.url}/sign-in", form=form, max_redirects=0)
    page.goto(f"{classroom.campus.url}/course")


def open_dialog(page: Page) -> FrameLocator:
    page.get_by_role("link", name="Add from Shared Sessions").click()
    dialog = page.frame_locator("iframe.tool")
    expect(dialog.get_by_role("heading", name="What would you like to add")).to_be_visible()
    return dialog


def save(page: Page, dialog: FrameLocator) -> None:
    """The LMS's own page in the frame, after the tool has sent its answer by itself."""
    dialog.get_by_role("button", name="Save and return to course").click()
    expect(page.get_by_role("heading", name="Activities")).to_be_visible()


def open_activity(page: Page, title: str) -> FrameLocator:
    page.get_by_role("link", name=title, exact=True).first.click()
    frame = page.frame_locator("iframe.tool")
    expect(frame.locator("#main h1, #main h2").first).to_be_visible()
    return frame


def test_a_teacher_adds_the_series_and_three_sessions(classroom: Classroom, page: Page) -> None:
    sign_in(classroom, page, KARMENU)
    no_axe_findings(page)
    dialog = open_dialog(page)
    expect(dialog.get_by_role("radio", name="The whole series")).to_be_checked()
    tool_looks_right(page)
    dialog.get_by_role("button", name="Show what will be made").click()
    expect(dialog.get_by_role("heading", name="This activity will be made")).to_be_visible()
    expect(dialog.locator("#will-be-made")).to_contain_text(SERIES.title)
    tool_looks_right(page)
    dialog.get_by_role("button", name="Add to my course").click()
    save(page, dialog)
    expect(page.get_by_role("link", name=SERIES.title, exact=True)).to_be_visible()

    dialog = open_dialog(page)
    for title in TITLES[:3]:
        dialog.get_by_role("checkbox", name=title).check()
    expect(dialog.get_by_role("radio", name="Single sessions")).to_be_checked()
    dialog.get_by_role("button", name="Show what will be made").click()
    expect(dialog.locator("#will-be-made li")).to_have_count(3)
    tool_looks_right(page)
    dialog.get_by_role("button", name="Add to my course").click()
    expect(dialog.get_by_role("listitem")).to_have_count(3)
    no_axe_findings(page)
    save(page, dialog)
    frame = open_activity(page, RUNNING)
    expect(frame.get_by_role("heading", name=RUNNING)).to_be_visible()
    assert len(all_activities(classroom.sandbox.sites["malta"])) == 6


def test_a_teacher_goes_back_without_adding(classroom: Classroom, new_page: Callable[..., Page]) -> None:
    """In a narrow frame, and without a script."""
    page = new_page(NARROW, "Europe/Malta")
    sign_in(classroom, page, KARMENU)
    before = len(all_activities(classroom.sandbox.sites["malta"]))
    dialog = open_dialog(page)
    tool_looks_right(page)
    dialog.get_by_role("button", name="Go back without adding anything").click()
    expect(dialog.get_by_text("Nothing was added.")).to_be_visible()
    assert len(all_activities(classroom.sandbox.sites["malta"])) == before


def test_a_student_who_opens_the_picker_is_told_so(classroom: Classroom, page: Page) -> None:
    sign_in(classroom, page, MARIA)
    expect(page.get_by_role("link", name="Add from Shared Sessions")).to_have_count(0)
    page.goto(f"{classroom.campus.url}/course/{classroom.campus.course_id}/add")
    frame = page.frame_locator("iframe.tool")
    expect(frame.get_by_role("alert")).to_contain_text("Only those who teach")
    tool_looks_right(page)


def test_a_copied_course_finds_its_sessions_and_takes_the_new_round(
    classroom: Classroom, page: Page, new_page: Callable[..., Page]
) -> None:
    sign_in(classroom, page, KARMENU)
    if page.get_by_role("link", name=OVER, exact=True).count() == 0:
        dialog = open_dialog(page)
        dialog.get_by_role("checkbox", name=OVER).check()
        dialog.get_by_role("button", name="Show what will be made").click()
        dialog.get_by_role("button", name="Add to my course").click()
        save(page, dialog)
    page.get_by_role("button", name="Copy this course").click()
    expect(page.get_by_role("heading", name="copy")).to_be_visible()
    copied = page.url
    new, _ = next_round(classroom.services.database, (classroom.now + timedelta(weeks=20)).date(), now=classroom.now)
    frame = open_activity(page, OVER)
    expect(frame.get_by_role("heading", name=OVER)).to_be_visible()
    expect(frame.locator("#new-round")).to_contain_text(new.title)
    tool_looks_right(page)
    frame.get_by_role("link", name="Use it in this course?").click()
    expect(frame.get_by_role("heading", name="Use the new round")).to_be_visible()
    expect(frame.locator("#effect")).to_contain_text("begin empty")
    tool_looks_right(page)
    frame.get_by_role("button", name="Yes, use the new round").click()
    expect(frame.locator("#shows")).to_contain_text(new.title)
    tool_looks_right(page)

    student = new_page(NARROW, "Europe/Malta")
    sign_in(classroom, student, MARIA)
    student.goto(copied)
    frame = open_activity(student, OVER)
    expect(frame.locator(".masthead .series")).to_contain_text(new.title)
    expect(frame.locator("#new-round")).to_have_count(0)
    tool_looks_right(student)
