"""How somebody becomes a host: by a code, and by asking; what they then open and change, and who sees it."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from series.store.join_links import set_join_hosts
from series.store.sessions import change_session, rehearsals_of
from tests.browser.classroom import RUNNING, TITLES, Classroom
from tests.browser.people import NARROW, tool_looks_right
from tests.browser.world import GORG, MALTA, MARIA
from tests.examples import SERIES
from tests.integration.staff.desk import COORDINATOR, PASSWORD

pytestmark = pytest.mark.browser
(KARMENU,) = (person for person in MALTA.people if person.role == "teacher")
AHEAD = TITLES[2]
PLAN = f"/coordinator/series/{SERIES.slug}/"


@pytest.fixture
def coordinator(classroom: Classroom, new_page: Callable[..., Page]) -> Page:
    """On a phone, at the plan."""
    page = new_page(NARROW)
    page.goto(f"{classroom.tool_url}{PLAN}")
    page.get_by_label("E-mail").fill(COORDINATOR)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(SERIES.title)
    return page


def test_whom_the_coordinator_names_opens_the_check_in_and_changes_the_link(
    classroom: Classroom, coordinator: Page, new_page: Callable[..., Page]
) -> None:
    """A speaker whose account in the LMS is a student's."""
    coordinator.get_by_role("link", name=RUNNING).click()
    coordinator.get_by_label("Name a host: whom do you mean?").fill("Dr. Vella")
    coordinator.get_by_role("button", name="Make a code to send").click()
    expect(coordinator.get_by_role("status").first).to_contain_text("The code is made")
    tool_looks_right(coordinator)
    code = coordinator.locator("#code-1").inner_text()
    page = new_page(NARROW)
    frame = classroom.open_activity(page, GORG)
    frame.get_by_role("link", name="I host a session").click()
    frame.get_by_label("Code, for example").fill("1-00000-00000")
    frame.get_by_role("button", name="Become host").click()
    expect(frame.get_by_role("alert")).to_contain_text("not a code that we have sent")
    tool_looks_right(page)
    frame.get_by_label("Code, for example").fill(code.lower())
    frame.get_by_role("button", name="Become host").click()
    expect(frame.get_by_role("status")).to_contain_text("You are host now")
    tool_looks_right(page)
    frame.get_by_role("link", name=RUNNING).click()
    frame.get_by_role("button", name="Open the check-in").click()
    expect(frame.locator(".code-large")).to_have_text(re.compile(r"\d{3} \d{3}"))
    coordinator.reload()
    expect(coordinator.locator("#hosts")).to_contain_text("Dr. Vella · somebody at University of Malta")
    expect(coordinator.locator("#hosts")).to_contain_text("as a student")
    tool_looks_right(coordinator)
    _changes_the_link(classroom, page, frame)
    student = new_page(NARROW)
    shown = classroom.open_activity(student, MARIA)
    expect(shown.locator("#link-notice")).to_contain_text("by the host")
    tool_looks_right(student)
    coordinator.reload()
    coordinator.get_by_text("How the link was changed").click()
    expect(coordinator.locator("#join")).to_contain_text("from meet.example to uni.zoom.us")


def _changes_the_link(classroom: Classroom, page: Page, frame: FrameLocator) -> None:
    database = classroom.services.database
    with database.write() as connection:
        set_join_hosts(connection, SERIES.series_id, ("zoom.us",), by="staff 1", now=classroom.now)
    frame.get_by_text("Meeting link", exact=True).click()
    frame.get_by_label("Address of the meeting").fill("https://zoom.us.evil.example/j/1")
    frame.get_by_role("button", name="Save the link").click()
    expect(frame.get_by_role("alert")).to_contain_text("Meetings of this series are at zoom.us")
    tool_looks_right(page)
    frame.get_by_label("Address of the meeting").fill("https://uni.zoom.us/j/1?pwd=x")
    frame.get_by_role("button", name="Save the link").click()
    expect(frame.get_by_role("status")).to_contain_text("Saved")
    expect(frame.locator("#join-link")).to_contain_text("by the host: from meet.example to uni.zoom.us")
    tool_looks_right(page)


def test_a_teacher_who_asks_is_host_once_the_coordinator_says_yes(
    classroom: Classroom, coordinator: Page, new_page: Callable[..., Page]
) -> None:
    page = new_page(1280, "Europe/Malta")
    frame = classroom.open_activity(page, KARMENU)
    frame.get_by_role("link", name="My course").click()
    expect(frame.get_by_text("Are you hosting this session? Tell the coordinator").first).to_be_visible()
    tool_looks_right(page)
    frame.get_by_role("link", name="Are you hosting this session?").first.click()
    frame.get_by_role("listitem").filter(has_text=AHEAD).get_by_role("button").click()
    expect(frame.get_by_role("status")).to_contain_text("The coordinator is told")
    tool_looks_right(page)
    coordinator.goto(f"{classroom.tool_url}/admin/")
    waiting = coordinator.get_by_role("listitem").filter(has_text="says that they host")
    expect(waiting).to_contain_text(AHEAD)
    tool_looks_right(coordinator)
    waiting.get_by_role("link").click()
    tool_looks_right(coordinator)
    coordinator.get_by_role("button", name="Yes, they host it").click()
    expect(coordinator.locator("#hosts").get_by_role("status")).to_contain_text("Confirmed")
    frame.get_by_role("link", name="Back to the sessions").click()
    frame.get_by_role("link", name="I host a session").click()
    frame.get_by_role("region", name="Sessions that you host").get_by_role("link", name=AHEAD).click()
    expect(frame.get_by_role("heading", name="Check-in code")).to_be_visible()
    tool_looks_right(page)


def test_a_rehearsal_is_tried_and_counts_for_nothing(
    classroom: Classroom, coordinator: Page, new_page: Callable[..., Page]
) -> None:
    coordinator.get_by_role("link", name="Add a rehearsal").click()
    expect(coordinator.get_by_label("Title")).to_have_value("Rehearsal")
    tool_looks_right(coordinator)
    coordinator.get_by_label("Title").fill("Dress rehearsal")
    tomorrow = classroom.now + timedelta(days=1)
    coordinator.get_by_label("Date").fill(f"{tomorrow:%Y-%m-%d}")
    coordinator.get_by_label("Start").fill("16:00")
    coordinator.get_by_label("End").fill("17:00")
    coordinator.get_by_label("Hosting university").select_option(label="University of Malta")
    coordinator.get_by_role("button", name="Add the rehearsal").click()
    expect(coordinator.get_by_role("heading", level=1)).to_have_text("Dress rehearsal")
    tool_looks_right(coordinator)
    coordinator.goto(f"{classroom.tool_url}{PLAN}")
    expect(coordinator.get_by_role("listitem").filter(has_text="Dress rehearsal")).to_contain_text("counts for nothing")
    tool_looks_right(coordinator)
    _is_now(classroom)
    page = new_page(NARROW)
    frame = classroom.open_activity(page, MARIA)
    frame.get_by_role("region", name="Rehearsal").get_by_role("link").click()
    expect(frame.get_by_text("Rehearsal: counts for nothing", exact=True)).to_be_visible()
    tool_looks_right(page)
    coordinator.get_by_role("link", name="Dress rehearsal").click()
    coordinator.get_by_label("The rehearsal goes, with its hosts").check()
    coordinator.get_by_role("button", name="Remove the rehearsal").click()
    expect(coordinator.get_by_role("status").first).to_contain_text("The rehearsal is removed")


def _is_now(classroom: Classroom) -> None:
    """The rehearsal that was made begins at once."""
    with classroom.services.database.write() as connection:
        (made,) = rehearsals_of(connection, SERIES.series_id)
        begun = replace(
            made, start_at=classroom.now, end_at=classroom.now + timedelta(hours=1), join_url="https://zoom.us/j/1"
        )
        change_session(connection, begun, by="staff 1", now=classroom.now)
