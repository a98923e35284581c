"""A student's walk in the frame of their LMS, 320 px wide: what counts, what is recorded, and what they can say."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import FrameLocator, Locator, Page, expect

from sandbox_lms.campus import Person
from series.store.check_ins import open_check_in
from series.store.objections import answer_objection
from series.store.tables import objection
from tests.browser.classroom import OVER, Classroom
from tests.browser.people import NARROW, tool_looks_right, type_code
from tests.browser.world import GORG, LUKE

pytestmark = pytest.mark.browser
CODE = "042917"
WRONG = "I stayed until the end, but my connection was lost twice."
ANSWER = "You were there; I have confirmed it."
REFLECTION = "I learned that wind and waves are good questions for a lesson."
DRAFT = "Wind and waves."


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page(NARROW, "Europe/Malta")


def test_a_student_with_more_time_checks_in_after_the_others(classroom: Classroom, page: Page) -> None:
    _open_check_in(classroom)
    frame = classroom.open_activity(page, LUKE)
    expect(standing(frame)).to_contain_text("0 of 2")
    expect(frame.get_by_text("A session is completed by its check-in code, or by").first).to_be_visible()
    tool_looks_right(page)
    frame.get_by_role("button", name="more time").click()
    expect(frame.get_by_text("You have more time")).to_be_visible()
    classroom.advance(timedelta(minutes=6))
    frame = classroom.open_activity(page, LUKE)
    tool_looks_right(page)
    type_code(frame, CODE)
    expect(frame.get_by_role("status")).to_contain_text("You are checked in")
    expect(standing(frame)).to_contain_text("1 of 2")
    tool_looks_right(page)


def test_a_student_declares_writes_and_objects(classroom: Classroom, page: Page) -> None:
    frame = classroom.open_activity(page, GORG)
    open_session(frame, OVER)
    expect(frame.get_by_text("Nothing yet.")).to_be_visible()
    tool_looks_right(page)
    _declares_the_recording_and_takes_it_back(frame, page)
    _writes_a_reflection(frame, page)
    _says_that_something_is_wrong(frame, page)
    _teacher_answers(classroom, GORG)
    frame.get_by_role("link", name="Back to the sessions").click()
    expect(standing(frame)).to_contain_text("1 of 2")
    tool_looks_right(page)
    open_session(frame, OVER)
    expect(section(frame, "objection")).to_contain_text(ANSWER)
    expect(section(frame, "objection")).not_to_contain_text("waits for an answer")
    tool_looks_right(page)


def _declares_the_recording_and_takes_it_back(frame: FrameLocator, page: Page) -> None:
    recording = section(frame, "recording")
    recording.get_by_role("combobox").select_option("80")
    recording.get_by_role("button", name="I have watched").click()
    expect(recording.get_by_role("status")).to_be_visible()
    expect(recorded(frame)).to_contain_text("self-declared")
    expect(frame.get_by_text("✓ This session counts for you")).to_be_visible()
    tool_looks_right(page)
    recording.get_by_role("checkbox").check()
    recording.get_by_role("button", name="Take it back").click()
    expect(recording.get_by_role("status")).to_contain_text("Taken back")
    expect(frame.get_by_text("does not count for you so far")).to_be_visible()
    tool_looks_right(page)


def _writes_a_reflection(frame: FrameLocator, page: Page) -> None:
    reflection = section(frame, "reflection")
    field(frame).fill(DRAFT)
    reflection.get_by_role("button", name="Save draft").click()
    expect(reflection.get_by_role("status")).to_contain_text("draft is saved")
    reflection.get_by_role("button", name="Hand in").click()
    expect(reflection.get_by_role("alert")).to_contain_text("3 words; at least 8")
    expect(field(frame)).to_have_value(DRAFT)
    tool_looks_right(page)
    field(frame).fill(REFLECTION)
    reflection.get_by_role("button", name="Hand in").click()
    expect(reflection.get_by_role("status")).to_contain_text("Handed in")
    expect(recorded(frame)).to_contain_text("Reflection")
    expect(field(frame)).to_have_count(0)
    tool_looks_right(page)


def _says_that_something_is_wrong(frame: FrameLocator, page: Page) -> None:
    said = section(frame, "objection")
    said.locator("summary").click()
    said.get_by_role("textbox").fill(WRONG)
    tool_looks_right(page)
    said.get_by_role("button", name="Send").click()
    expect(said.get_by_role("status")).to_contain_text("Sent")
    expect(said).to_contain_text(WRONG)
    expect(said).to_contain_text("waits for an answer")
    tool_looks_right(page)


def _open_check_in(classroom: Classroom) -> None:
    with classroom.services.database.write() as connection:
        open_check_in(connection, session_id=classroom.running, code=CODE, participant_id=None, now=classroom.now)


def _teacher_answers(classroom: Classroom, who: Person) -> None:
    """The page for it has a walk of its own."""
    visit, now = classroom.came(who), classroom.now
    assert visit.course_id is not None
    with classroom.services.database.write() as connection:
        raised = sa.select(objection.c.id).where(objection.c.participant_id == visit.participant_id)
        to = {"objection_id": connection.execute(raised).scalar_one(), "course_id": visit.course_id}
        answer_objection(connection, **to, answer=ANSWER, by="participant 0", now=now)


# Where things are


def standing(frame: FrameLocator) -> Locator:
    return frame.locator("#own-standing")


def session(frame: FrameLocator, title: str) -> Locator:
    return frame.locator(".sessions > li").filter(has_text=title)


def open_session(frame: FrameLocator, title: str) -> None:
    session(frame, title).get_by_role("link", name=title).click()
    expect(frame.locator("#session-title")).to_have_text(title)


def section(frame: FrameLocator, name: str) -> Locator:
    return frame.locator(f"section#{name}")


def recorded(frame: FrameLocator) -> Locator:
    return frame.locator("ul.recorded")


def field(frame: FrameLocator) -> Locator:
    return section(frame, "reflection").get_by_role("textbox")
