"""The whole series before an instructor and the coordinator: in a frame 320 px wide and full screen, light and dark,
with long names, printed, and as files."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import Frame, FrameLocator, Locator, Page, expect

from sandbox_lms.campus import Person
from series.store.sessions import change_session, sessions_of
from tests.browser.classroom import Classroom
from tests.browser.people import NARROW, keep, tool_looks_right
from tests.browser.test_partners import sign_in
from tests.browser.world import GORG, LUKE, MALTA, MARIA
from tests.examples import SERIES
from tests.integration.whole_series import OTHERS, fill, publish_step
from tests.seeds import code_of, record

pytestmark = pytest.mark.browser
(KARMENU,) = (person for person in MALTA.people if person.role == "teacher")
LONG = (
    "Mathematisch-naturwissenschaftliche Unterrichtsentwicklung",
    "Διαπολιτισμικές προσεγγίσεις της εκπαίδευσης για την ενέργεια",
    "Robots in the kindergarten",
    "Mathematics in the museum",
)
PEOPLE = {
    "zagreb": (18, 16, 15, 7),
    "athens": (21, 19, 16, 8),
    "kiel": (3, 4, 2, 3),
    "oslo": (6, 2, 4, 5),
    "porto": (9, 8, 11, 6),
}
SIZES = (NARROW, 768, 1280)


@pytest.fixture(scope="module")
def whole(classroom: Classroom) -> Classroom:
    """All four sessions are over, and the numbers of others have been counted."""
    came = [classroom.came(who) for who in (GORG, MARIA, LUKE)]
    classroom.advance(timedelta(weeks=3, hours=3))
    now, database = classroom.now, classroom.services.database
    with database.write() as connection:
        for session, title in zip(sessions_of(connection, SERIES.series_id), LONG, strict=True):
            change_session(connection, replace(session, title=title), by="staff 1", now=now)
    for number, session_id in enumerate(classroom.seeded.session_ids):
        for visit in came[: 3 - number % 2]:
            record(database, code_of(visit, session_id, at=now), now=now)
    fill(database, classroom.seeded.session_ids, PEOPLE, now=now)
    publish_step(database, now=now)
    return classroom


@pytest.mark.parametrize("width", SIZES)
def test_an_instructor_sees_how_the_whole_series_goes(
    whole: Classroom, new_page: Callable[..., Page], width: int
) -> None:
    page = new_page(width, "Europe/Malta")
    frame = open_series(whole, page, KARMENU)
    expect(frame.locator("#own-course")).to_have_text("3 people so far")
    expect(frame.locator("#renewed")).to_contain_text("for everybody at once")
    expect(frame.get_by_role("region", name="People who completed a session, by university")).to_be_visible()
    expect(row(frame, OTHERS["zagreb"][0])).to_contain_text("18")
    expect(row(frame, OTHERS["kiel"][0])).to_contain_text("with others")
    expect(frame.get_by_role("listitem").filter(has_text="Fewer each time")).to_have_count(1)
    tool_looks_right(page)
    keep(page, "instructor")
    frame.get_by_text("The same as a table").click()
    tool_looks_right(page)
    frame.get_by_label("Country").select_option("GR")
    frame.get_by_role("button", name="Show").click()
    expect(row(frame, OTHERS["zagreb"][0])).to_have_count(0)
    expect(row(frame, OTHERS["athens"][0])).to_have_count(1)
    tool_looks_right(page)


def test_heads_stay_in_sight_and_the_table_scrolls_by_keyboard(whole: Classroom, new_page: Callable[..., Page]) -> None:
    page = new_page(NARROW, "Europe/Malta")
    frame = open_series(whole, page, KARMENU)
    region = frame.get_by_role("region", name="People who completed a session, by university")
    region.focus()
    expect(region).to_be_focused()
    head = row(frame, OTHERS["zagreb"][0]).get_by_role("rowheader")
    region.evaluate("region => { region.scrollLeft = region.scrollWidth }")
    box, of_region = head.bounding_box(), region.bounding_box()
    assert box
    assert of_region
    assert abs(box["x"] - of_region["x"]) < 2, "the university's name stands where it was"


def test_the_files_are_downloaded_from_inside_the_frame(whole: Classroom, new_page: Callable[..., Page]) -> None:
    page = new_page(1280, "Europe/Malta")
    frame = open_series(whole, page, KARMENU)
    for name, ending in (("CSV", ".csv"), ("Excel", ".xlsx")):
        with page.expect_download() as download:
            frame.get_by_role("link", name=name).click()
        assert download.value.suggested_filename == f"autumn-results{ending}"


def test_printed_it_shows_the_whole_table_and_no_buttons(whole: Classroom, new_page: Callable[..., Page]) -> None:
    page = new_page(1280, "Europe/Malta")
    frame = open_series(whole, page, KARMENU)
    page.emulate_media(media="print")
    expect(frame.get_by_role("link", name="CSV")).to_be_hidden()
    expect(frame.get_by_label("Country")).to_be_hidden()
    expect(row(frame, OTHERS["porto"][0])).to_be_visible()
    tool: Frame = page.frames[-1]
    hidden = "[...document.querySelectorAll('.heat-scroll')].map(one => one.scrollWidth > one.clientWidth)"
    assert not any(tool.evaluate(hidden)), "nothing of the table is cut off on paper"


def test_an_instructor_says_whom_the_course_teaches(whole: Classroom, new_page: Callable[..., Page]) -> None:
    page = new_page(NARROW, "Europe/Malta")
    frame = open_series(whole, page, KARMENU)
    frame.get_by_role("link", name="Whom your course teaches").click()
    expect(frame.get_by_role("heading", level=1)).to_have_text("Whom your course teaches")
    tool_looks_right(page)
    frame.get_by_label("Teachers in service").check()
    frame.get_by_label("In how many schools").fill("many")
    frame.get_by_role("button", name="Save").click()
    expect(frame.get_by_role("alert")).to_contain_text("whole number")
    tool_looks_right(page)
    frame.get_by_label("In how many schools").fill("12")
    frame.get_by_role("button", name="Save").click()
    expect(frame.get_by_role("status")).to_have_text("Saved.")
    tool_looks_right(page)


@pytest.mark.parametrize("width", SIZES)
def test_the_coordinator_sees_the_results_and_takes_the_report(
    whole: Classroom, new_page: Callable[..., Page], width: int
) -> None:
    page = new_page(width)
    sign_in(page, whole)
    page.get_by_role("link", name="Results").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("How the series goes")
    expect(page.get_by_text("Your course")).to_have_count(0)
    tool_looks_right(page)
    keep(page, "results")
    page.get_by_label("Smallest group").fill("2")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("from 3 to 20")
    tool_looks_right(page)
    page.get_by_label("Smallest group").fill("6")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("from the next count on")
    page.get_by_role("link", name="The report").click()
    expect(page.get_by_role("table", name="Sessions that were held")).to_contain_text(LONG[1])
    tool_looks_right(page)
    keep(page, "report")
    with page.expect_download() as download:
        page.get_by_role("link", name="As PDF").click()
    assert download.value.path().read_bytes().startswith(b"%PDF-")


def open_series(whole: Classroom, page: Page, person: Person) -> FrameLocator:
    frame = whole.open_activity(page, person)
    frame.get_by_role("link", name="My course").click()
    frame.get_by_role("navigation", name="Pages of my course").get_by_role("link", name="Whole series").click()
    expect(frame.get_by_role("heading", level=1)).to_have_text("How the whole series goes")
    return frame


def row(frame: FrameLocator, name: str) -> Locator:
    return frame.locator("table.heat").get_by_role("row").filter(has_text=name)
