"""A teacher's walk through their course: confirming, withdrawing, answering, grades, and what the course demands."""

from collections.abc import Callable

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, expect

from sandbox_lms.campus import Person
from series.store.evidence import record_evidence
from series.store.reflections import hand_in
from tests.browser.classroom import OVER, RUNNING, Classroom
from tests.browser.people import NARROW, tool_looks_right
from tests.browser.world import GORG, LUKE, MALTA, MARIA, ZAREN
from tests.seeds import code_of

pytestmark = pytest.mark.browser
(KARMENU,) = (person for person in MALTA.people if person.role == "teacher")
REASON = "I saw you all in the meeting."
WRONG_PERSON = "This was somebody else with your name."
QUESTION = "Why does the session of last week not count for me?"
ANSWER = "It does now; I have confirmed it."
COMMENT = "Please add an example from your own teaching."
REFLECTION = "I learned that wind and waves are good questions for a lesson."


@pytest.fixture(scope="module")
def course(classroom: Classroom) -> Classroom:
    """Ġorġ has checked in twice and Maria once, Luke has handed in a reflection, and Żaren has done nothing."""
    gorg, maria, luke, _ = (classroom.came(who) for who in (GORG, MARIA, LUKE, ZAREN))
    now = classroom.now
    with classroom.services.database.write() as connection:
        for new in (
            code_of(gorg, classroom.over, at=now),
            code_of(gorg, classroom.running, at=now),
            code_of(maria, classroom.over, at=now),
        ):
            record_evidence(connection, new, now=now)
        written = {"participant_id": luke.participant_id, "session_id": classroom.over, "text": REFLECTION}
        hand_in(connection, **written, at_least=8, now=now)
    classroom.work()
    assert [classroom.grade(who) for who in (GORG, MARIA, LUKE, ZAREN)] == [100, 50, 50, None]
    return classroom


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page(1280, "Europe/Malta")


@pytest.fixture
def frame(course: Classroom, page: Page) -> FrameLocator:
    frame = course.open_activity(page, KARMENU)
    frame.get_by_role("link", name="My course").click()
    expect(person(frame, GORG)).to_be_visible()
    return frame


def test_what_a_teacher_confirms_and_withdraws_is_in_the_gradebook(
    course: Classroom, page: Page, frame: FrameLocator
) -> None:
    expect(person(frame, GORG)).to_contain_text("2 of 2")
    expect(person(frame, ZAREN)).to_contain_text("0 of 2")
    expect(frame.get_by_role("row").filter(has_text="not yet started")).to_have_count(1)
    tool_looks_right(page)
    _confirms_the_class(frame, page)
    course.work()
    assert [course.grade(who) for who in (GORG, ZAREN)] == [100, 50]
    _withdraws_the_check_in(frame, page)
    course.work()
    assert course.grade(GORG) == 50


def _confirms_the_class(frame: FrameLocator, page: Page) -> None:
    frame.locator("summary").filter(has_text="Confirm or excuse").click()
    frame.get_by_role("link", name=OVER).click()
    frame.get_by_role("link", name="everybody").click()
    expect(frame.get_by_role("checkbox", name=ZAREN.name)).to_be_checked()
    expect(frame.get_by_role("checkbox", name=GORG.name)).to_have_count(0)
    tool_looks_right(page)
    frame.get_by_label("Reason").fill(REASON)
    frame.get_by_role("button", name="Confirm").click()
    expect(frame.get_by_role("status")).to_contain_text("2 people")  # Żaren, and the other Maria
    tool_looks_right(page)


def _withdraws_the_check_in(frame: FrameLocator, page: Page) -> None:
    open_person(frame, GORG)
    expect(frame.locator("#standing")).to_contain_text("2 of 2")
    session(frame, OVER).get_by_role("link", name="Withdraw").click()
    so_far = frame.locator("table#effect").get_by_role("row", name="So far").get_by_role("cell")
    expect(so_far).to_contain_text(["2 of 2", "1 of 2"])
    tool_looks_right(page)
    frame.get_by_label("Reason").fill(WRONG_PERSON)
    frame.get_by_role("button", name="Withdraw").click()
    expect(frame.get_by_role("status")).to_contain_text("Withdrawn")
    expect(frame.locator("#standing")).to_contain_text("1 of 2")
    expect(session(frame, OVER)).to_contain_text(WRONG_PERSON)
    tool_looks_right(page)


def test_a_teacher_answers_and_returns(
    course: Classroom, page: Page, frame: FrameLocator, new_page: Callable[..., Page]
) -> None:
    _student_asks(course, new_page(NARROW, "Europe/Malta"))
    to(frame, "Inbox")
    expect(frame.get_by_text(QUESTION)).to_be_visible()
    tool_looks_right(page)
    frame.get_by_label("Your answer").fill(ANSWER)
    frame.get_by_role("button", name="Send the answer").click()
    expect(frame.get_by_role("status")).to_contain_text("with the student")
    expect(frame.get_by_text("Nobody waits for an answer")).to_be_visible()
    frame.get_by_role("link", name=LUKE.name).click()
    expect(frame.get_by_text(REFLECTION)).to_be_visible()
    tool_looks_right(page)
    frame.get_by_label("comment").fill(COMMENT)
    frame.get_by_role("button", name="Return it").click()
    expect(frame.get_by_role("status")).to_contain_text("Returned")
    tool_looks_right(page)
    before = course.grade(LUKE)
    course.work()
    assert (before, course.grade(LUKE)) == (50, None)
    _writer_goes_on(course, new_page(NARROW, "Europe/Malta"))


def _student_asks(course: Classroom, page: Page) -> None:
    objection = course.open_activity(page, ZAREN).locator("#objection")
    objection.locator("summary").click()
    objection.get_by_role("textbox").fill(QUESTION)
    objection.get_by_role("button", name="Send").click()
    expect(objection).to_contain_text("waits for an answer")


def _writer_goes_on(course: Classroom, page: Page) -> None:
    """From the teacher's comment, with the own text."""
    frame = course.open_activity(page, LUKE)
    expect(frame.locator("#own-standing")).to_contain_text("0 of 2")
    expect(frame.get_by_text("Returned to you", exact=True)).to_be_visible()
    tool_looks_right(page)
    frame.get_by_role("link", name=OVER).click()
    expect(frame.locator("#reflection")).to_contain_text(COMMENT)
    expect(frame.locator("#reflection").get_by_role("textbox")).to_have_value(REFLECTION)
    tool_looks_right(page)


def test_a_grade_that_was_not_sent_is_sent_again(course: Classroom, page: Page, frame: FrameLocator) -> None:
    before = course.grade(LUKE) or 0
    open_person(frame, LUKE)
    session(frame, RUNNING).get_by_role("link", name="Confirm").click()
    confirm = frame.get_by_role("region", name="Confirm")
    confirm.get_by_role("textbox").fill(REASON)
    tool_looks_right(page)
    confirm.get_by_role("button", name="Confirm").click()
    expect(frame.get_by_role("status")).to_contain_text("Saved")
    course.work_while(left=(LUKE.user_id,))
    to(frame, "Grades")
    expect(person(frame, LUKE)).to_contain_text("not sent")
    expect(person(frame, LUKE)).to_contain_text("no longer")
    tool_looks_right(page)
    person(frame, LUKE).get_by_role("button", name="Send again now").click()
    expect(frame.get_by_role("status")).to_contain_text("on their way")
    assert (course.grade(LUKE) or 0) == before
    course.work()
    assert course.grade(LUKE) == before + 50
    to(frame, "Grades")
    expect(frame.get_by_role("status")).to_have_count(0)
    expect(frame.get_by_role("button", name="Send again now")).to_have_count(0)


def test_a_course_demands_a_number_of_its_own(course: Classroom, new_page: Callable[..., Page]) -> None:
    """In a narrow frame; last, because all grades change."""
    page = new_page(NARROW, "Europe/Malta")
    frame = course.open_activity(page, KARMENU)
    frame.get_by_role("link", name="My course").click()
    to(frame, "What is needed")
    expect(frame.locator("#in-force")).to_contain_text("2 sessions")
    tool_looks_right(page)
    frame.get_by_label("How many sessions").fill("1")
    frame.get_by_role("button", name="Show what it would change").click()
    full = frame.locator("table#effect").get_by_role("row", name="100 %").get_by_role("cell")
    expect(full).to_have_count(2)
    now, then = full.all_inner_texts()
    assert int(now) < int(then)
    tool_looks_right(page)
    frame.get_by_role("button", name="save it").click()
    expect(frame.get_by_role("status")).to_contain_text("Saved")
    expect(frame.locator("#in-force")).to_contain_text("1 session")
    tool_looks_right(page)
    before = course.grade(MARIA)
    course.work()
    assert (before, course.grade(MARIA)) == (50, 100)


# Where things are


def to(frame: FrameLocator, part: str) -> None:
    frame.get_by_role("navigation").get_by_role("link", name=part).click()
    expect(frame.get_by_role("navigation").get_by_role("link", name=part)).to_have_attribute("aria-current", "page")


def open_person(frame: FrameLocator, who: Person) -> None:
    to(frame, "People")
    person(frame, who).get_by_role("link", name=who.name).click()
    expect(frame.get_by_role("heading", level=1)).to_contain_text(who.name)


def person(frame: FrameLocator, who: Person) -> Locator:
    return frame.get_by_role("row").filter(has_text=who.name)


def session(frame: FrameLocator, title: str) -> Locator:
    return frame.locator(".plan > li").filter(has_text=title)
