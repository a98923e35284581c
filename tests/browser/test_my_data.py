"""A student's rights in the frame of their LMS, 320 px wide: see, take along, object, move, erase and start again."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from series.store.check_ins import open_check_in
from tests.browser.classroom import RUNNING, Classroom
from tests.browser.people import NARROW, tool_looks_right, type_code
from tests.browser.world import GORG, LUKE

pytestmark = pytest.mark.browser
CODE = "042917"


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page(NARROW, "Europe/Malta")


def test_dpo_10_a_student_sees_what_is_held_and_takes_it_along(
    classroom: Classroom, page: Page, tmp_path: Path
) -> None:
    frame = my_data(classroom.open_activity(page, LUKE))
    expect(frame.get_by_role("heading", name="Who you are here")).to_be_visible()
    expect(frame.locator("#part-account")).to_contain_text("Kept: 12 months after the end of the last series")
    tool_looks_right(page)
    with page.expect_download() as download:
        frame.get_by_role("link", name="as a JSON file").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert json.loads(file.read_text())["parts"][0]["rows"][0]["number"] == LUKE.user_id
    with page.expect_download() as download:
        frame.get_by_role("link", name="as a PDF").click()
    assert download.value.suggested_filename == "my-data.pdf"


def test_dpo_13_a_student_objects_and_takes_it_back(classroom: Classroom, page: Page) -> None:
    frame = my_data(classroom.open_activity(page, LUKE))
    frame.get_by_role("button", name="Object", exact=True).click()
    expect(frame.get_by_role("status")).to_contain_text("You have objected")
    tool_looks_right(page)
    frame.get_by_role("button", name="Take my objection back").click()
    expect(frame.get_by_role("status")).to_contain_text("taken back")


def test_a_student_moves_their_progress_to_another_account(
    classroom: Classroom, page: Page, new_page: Callable[..., Page]
) -> None:
    check_in(classroom, page)
    frame = my_data(page.frame_locator("iframe.tool"))
    frame.get_by_role("button", name="Make a code here").click()
    expect(frame.locator("#code-shown")).to_be_in_viewport()
    expect(frame.get_by_role("heading", name="Move my progress")).to_be_focused()  # reading goes on there
    code = frame.locator("#code-shown").inner_text()
    tool_looks_right(page)
    other = new_page(NARROW, "Europe/Malta")
    there = my_data(classroom.open_activity(other, GORG))
    there.get_by_label("Or enter a code").fill("7KX2-M9QT")
    there.get_by_role("button", name="Show what would move").click()
    expect(there.get_by_role("alert")).to_contain_text("That code does not work")
    expect(there.get_by_role("alert")).to_be_in_viewport()
    tool_looks_right(other)
    there.get_by_label("Or enter a code").fill(code)
    there.get_by_role("button", name="Show what would move").click()
    expect(there.locator("#what-moves")).to_contain_text("for 1 session")
    tool_looks_right(other)
    there.get_by_role("button", name="Move it here").click()
    expect(there.get_by_role("status")).to_contain_text("Your progress is here now")
    expect(there.locator("#part-facts")).to_contain_text(RUNNING)


def test_dpo_12_a_student_erases_everything_and_starts_again(classroom: Classroom, page: Page) -> None:
    frame = my_data(classroom.open_activity(page, LUKE))
    frame.get_by_role("link", name="Erase everything").click()
    expect(frame.get_by_role("heading", name="What stays")).to_be_visible()
    tool_looks_right(page)
    frame.get_by_role("checkbox").check()
    frame.get_by_role("button", name="Erase everything").click()
    expect(frame.get_by_role("status")).to_contain_text("Nothing that was held about you here is left")
    tool_looks_right(page)
    frame = classroom.open_activity(page, LUKE)
    expect(frame.get_by_role("heading", name="Start again?")).to_be_visible()
    tool_looks_right(page)
    frame.get_by_role("button", name="Start again").click()
    expect(frame.locator("#own-standing")).to_contain_text("0 of 2")
    expect(my_data(frame).get_by_role("heading", name="Nothing is held of this")).to_be_visible()


def check_in(classroom: Classroom, page: Page) -> None:
    with classroom.services.database.write() as connection:
        open_check_in(connection, session_id=classroom.running, code=CODE, participant_id=None, now=classroom.now)
    frame = classroom.open_activity(page, LUKE)
    type_code(frame, CODE)
    expect(frame.get_by_role("status")).to_contain_text("You are checked in")


def my_data(frame: FrameLocator) -> FrameLocator:
    frame.get_by_role("link", name="My data").click()
    expect(frame.get_by_role("heading", name="My data")).to_be_visible()
    return frame
