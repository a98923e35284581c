"""The whole walk, as people take it: from the LMS to the gradebook, from the calendar to the course."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Demo
from tests.browser.people import (
    check_without_cookie,
    looks_right,
    no_axe_findings,
    open_in_frame,
    sign_in,
    tool_looks_right,
    type_code,
)
from tests.waiting import until

pytestmark = pytest.mark.browser
SESSION = "Multilingual STEM classrooms"
PASSWORD = "a pretend coordinator's password"
NEXT_WEEK = "Programming with micro:bit in technology"


def test_a_newcomer_finds_a_series_in_full_swing(demo: Demo, new_page: Callable[..., Page]) -> None:
    page = new_page(1280, "Europe/Malta")
    page.goto(demo.url)
    page.get_by_text("The eleven others").click()
    expect(page.locator("details li")).to_have_count(11)
    looks_right(page)
    sign_in(page, demo.malta, "Karmenu Żammit")
    frame = open_in_frame(page)
    frame.get_by_role("link", name="My course").click()
    frame.get_by_role("link", name="Whole series", exact=True).click()
    expect(frame.locator("#own-course")).to_have_text("5 people so far")
    expect(frame.locator("table.heat .line-university")).to_have_count(12)
    expect(frame.locator("table.heat .cell-with-others").first).to_have_text("with others")
    expect(frame.locator(".chart-others .bar")).to_have_count(6)
    tool_looks_right(page)


@pytest.fixture(scope="module")
def running_session(demo: Demo, browser: object) -> Demo:
    """The demo, after "Jump to the session"."""
    page = browser.new_page()  # type: ignore[attr-defined]
    page.goto(demo.url)
    page.get_by_role("button", name="Jump to the session").click()
    expect(page.get_by_text("is running")).to_be_visible()
    no_axe_findings(page)
    page.close()
    return demo


@pytest.mark.parametrize(("width", "student"), [(1280, "Rūta Kazlauskaitė"), (320, "Ąžuolas Šimkus")])
def test_from_the_lms_to_the_gradebook(
    running_session: Demo, new_page: Callable[..., Page], width: int, student: str
) -> None:
    code = _host_opens_the_check_in(running_session, new_page(width, "Europe/Malta"))
    page = new_page(width, "Europe/Vilnius")
    completed = _student_checks_in(running_session, page, student, code)
    _gradebook_has_the_grade(running_session, page, student, completed)
    _calendar_leads_to_the_session(running_session, page)
    _teacher_sees_the_count(running_session, new_page(width, "Europe/Vilnius"), student)


def _host_opens_the_check_in(demo: Demo, page: Page) -> str:
    sign_in(page, demo.malta, "Karmenu Żammit")
    frame = open_in_frame(page)
    expect(frame.get_by_role("heading", level=1)).to_have_text(SESSION)
    no_axe_findings(page)
    frame.get_by_role("link", name="You host this session").click()
    expect(frame.get_by_role("heading", name="Check-in code")).to_be_visible()
    if frame.get_by_role("button", name="Open the check-in").count():
        frame.get_by_role("button", name="Open the check-in").click()
    code = frame.locator(".code-large").inner_text()
    assert re.fullmatch(r"\d{3} \d{3}", code)
    looks_right(page)
    return code


def _student_checks_in(demo: Demo, page: Page, student: str, code: str) -> int:
    """On the student's own clock; a wrong code first. How many sessions that makes, with those of the weeks before."""
    sign_in(page, demo.vilnius, student)
    frame = open_in_frame(page)
    before = int(frame.locator("#own-standing").inner_text().split(" of 5")[0].split()[-1])
    assert before, "the weeks before count"
    expect(frame.get_by_text("17:00–19:00 your time (Vilnius)")).to_be_visible()
    expect(frame.locator("#now").get_by_text("16:00–18:00 in Berlin")).to_be_visible()
    expect(frame.get_by_role("link", name="Join the meeting")).to_be_visible()
    type_code(frame, "000000" if code != "000 000" else "111111")
    expect(frame.get_by_role("alert")).to_contain_text("not the code of this session")
    looks_right(page)
    type_code(frame, code)
    expect(frame.get_by_role("status")).to_contain_text("You are checked in")
    expect(frame.locator("#own-standing")).to_contain_text(f"{before + 1} of 5")
    looks_right(page)
    frame.locator(".sessions").get_by_role("link", name=SESSION).click()
    expect(frame.locator(".recorded")).to_contain_text("Checked in with the code, typed in by you")
    looks_right(page)
    return before + 1


def _gradebook_has_the_grade(demo: Demo, page: Page, student: str, completed: int) -> None:
    def has_grade() -> bool:
        page.goto(f"{demo.vilnius}/gradebook")
        cell = page.get_by_role("row", name=student).get_by_role("cell").first
        return cell.inner_text().strip() == str(20 * completed)  # of 5 sessions, in a column out of 100

    until(has_grade, f"the grade for {completed} of 5 sessions", within_s=30)
    looks_right(page)


def _calendar_leads_to_the_session(demo: Demo, page: Page) -> None:
    page.goto(f"{demo.vilnius}/calendar")
    expect(page.get_by_role("heading", name=SESSION)).to_be_visible()
    looks_right(page)
    page.get_by_role("listitem").filter(has_text=SESSION).get_by_role("link", name="Session page").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(SESSION)
    looks_right(page)


def _teacher_sees_the_count(demo: Demo, page: Page, student: str) -> None:
    """The own course by name, all others as one protected number."""
    sign_in(page, demo.vilnius, "Eglė Jankauskienė")
    frame = open_in_frame(page)
    frame.get_by_role("link", name="My course").click()
    expect(frame.get_by_role("row", name=student)).to_contain_text("completed")
    expect(frame.locator("#own-count")).to_contain_text("of 5 completed")
    expect(frame.locator("#others-count")).to_contain_text("not counted yet")
    looks_right(page)


def test_a_tab_of_its_own_works_like_the_frame(running_session: Demo, new_page: Callable[..., Page]) -> None:
    page = new_page(1280, "Europe/Malta")
    sign_in(page, running_session.malta, "Luke Farrugia")
    with page.expect_popup() as popup:
        page.get_by_role("link", name="Workshop series (new tab)").click()
    tab = popup.value
    expect(tab.get_by_role("heading", level=1)).to_have_text(SESSION)
    expect(tab.get_by_text("16:00–18:00 your time (Malta)").first).to_be_visible()
    tab.reload()
    expect(tab.get_by_role("heading", level=1)).to_have_text(SESSION)


def test_a_tab_that_has_lost_its_cookie_says_what_to_do_and_goes_on(
    running_session: Demo, new_page: Callable[..., Page]
) -> None:
    """The LMS's message hint is still good there, because the LMS was not asked yet."""
    page = new_page(320)
    sign_in(page, running_session.malta, "Luke Farrugia")
    page.goto(check_without_cookie(page, running_session))
    expect(page.get_by_text("Please allow cookies for localhost")).to_be_visible()
    looks_right(page)
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(SESSION)


def test_a_changed_calendar_reaches_both_courses(running_session: Demo, new_page: Callable[..., Page]) -> None:
    coordinator, student = new_page(), new_page(1280, "Europe/Malta")
    coordinator.goto(running_session.url)
    coordinator.get_by_role("button", name="Move it by an hour").click()
    expect(coordinator.get_by_text("17:00 in Berlin")).to_be_visible()
    for lms, name in (
        (running_session.malta, "Luke Farrugia"),
        (running_session.vilnius, "Živilė Žukauskienė"),
    ):
        sign_in(student, lms, name)
        _wait_for_event(student, lms, "17:00 to 19:00 (Europe/Berlin)")
        assert "Moved from" in _event(student, lms)
    coordinator.get_by_role("button", name="Cancel it").click()
    for lms in (running_session.malta, running_session.vilnius):
        _wait_for_event(student, lms, f"CANCELLED: {NEXT_WEEK}")


def _wait_for_event(page: Page, lms: str, words: str) -> None:
    until(lambda: words in _event(page, lms), f"{words!r} in the calendar of {lms}", within_s=60)


def _event(page: Page, lms: str) -> str:
    page.goto(f"{lms}/calendar")
    return page.get_by_role("listitem").filter(has_text=NEXT_WEEK).inner_text()


# The coordinator; last, because the whole plan moves


def test_the_coordinator_finds_results_and_a_report(running_session: Demo, new_page: Callable[..., Page]) -> None:
    page = new_page(1280, "Europe/Berlin")
    _coordinator_signs_in(running_session, page)
    page.get_by_role("link", name="Results").click()
    expect(page.locator("table.heat .line-university")).to_have_count(13)
    expect(page.locator("table.heat .line-group")).to_have_count(1)
    page.get_by_role("link", name="The report").click()
    expect(
        page.get_by_role("table", name="Universities with a course for the series").get_by_role("row")
    ).to_have_count(14)
    expect(page.get_by_role("row", name="Inquiry-based STEM learning")).to_contain_text("NTNU Trondheim")
    expect(page.locator(".report-facts").last).to_contain_text(re.compile(r"Schools of teachers in service\s*80"))
    tool_looks_right(page)


def test_the_coordinator_sees_what_would_change_and_says_yes(
    running_session: Demo, new_page: Callable[..., Page]
) -> None:
    page = new_page(320, "Europe/Berlin")
    _coordinator_signs_in(running_session, page)
    page.get_by_role("link", name=re.compile("^European STEM Workshop Series")).click()
    plan = page.url
    looks_right(page)
    (calendar,) = running_session.folder.glob("*/series.ics")
    calendar.write_bytes(calendar.read_bytes().replace(b"T160000", b"T170000"))

    def waits() -> bool:
        page.goto(plan)
        return page.get_by_text("Changes wait for your yes").count() > 0

    until(waits, "the change is held", within_s=60)
    page.get_by_role("link", name="Look at what would change").click()
    looks_right(page)
    page.get_by_role("button", name="Yes").first.click()
    expect(page.get_by_role("status")).to_contain_text("Done.")
    last = page.locator(".plan li").last
    expect(last).to_contain_text("17:00–")
    last.get_by_role("link").click()
    looks_right(page)
    page.get_by_role("button", name="Cancel the session").click()
    expect(page.get_by_role("button", name="Restore the session")).to_be_visible()
    expect(page.get_by_role("heading", name="Edited by hand")).to_be_visible()
    looks_right(page)
    page.goto(f"{plan}sessions/add")
    looks_right(page)


def _coordinator_signs_in(demo: Demo, page: Page) -> None:
    """With a password that they choose the first time."""
    page.goto(demo.url)
    page.get_by_role("link", name="Choose the coordinator's password").click()
    if page.locator("input[type=password]").count():
        looks_right(page)
        for field in page.locator("input[type=password]").all():
            field.fill(PASSWORD)
        page.get_by_role("button", name="Set the password").click()
    else:
        page.goto(f"{demo.tool}/admin/")
    looks_right(page)
    page.get_by_label("E-mail").fill("coordinator@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    looks_right(page)
