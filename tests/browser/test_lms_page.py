"""The page of an LMS for whoever runs it: the board that fills itself while the worker checks, by axe and narrow."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from moodle_sync.preflights import Preflights
from series.store.deployments import note_pending
from series.store.lms_tables import platform_check
from series.store.refusals import note_refusal
from tests.browser.classroom import Classroom
from tests.browser.people import NARROW, tool_looks_right
from tests.browser.world import MARIA
from tests.integration.staff.desk import COORDINATOR, PASSWORD

pytestmark = pytest.mark.browser
PATH = "/admin/lms/malta/malta/"
WIDTHS = (320, 768, 1280)


@pytest.fixture
def page(classroom: Classroom, new_page: Callable[..., Page]) -> Page:
    """Of a coordinator who looks at the LMS of Malta."""
    return sign_in(classroom, new_page(NARROW))


@pytest.fixture
def worker(classroom: Classroom) -> Iterator[Callable[[], None]]:
    """One step of it."""
    preflights = Preflights(classroom.services)
    yield lambda: preflights.begin_due(classroom.now)
    preflights.stop()


def sign_in(classroom: Classroom, page: Page) -> Page:
    page.goto(f"{classroom.tool_url}{PATH}")
    page.get_by_label("E-mail").fill(COORDINATOR)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("malta")
    return page


def test_the_board_fills_itself_while_the_worker_checks(
    classroom: Classroom, page: Page, worker: Callable[[], None], new_page: Callable[..., Page]
) -> None:
    tool_looks_right(page)  # empty
    classroom.open_activity(new_page(), MARIA)
    classroom.sandbox.switches["malta"].set(hold_token=True)
    page.get_by_label("The number of a test student").fill(MARIA.user_id)
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("The worker begins within seconds.")).to_be_visible()
    worker()
    expect(page.get_by_text("It is being checked right now")).to_be_visible()
    tool_looks_right(page)
    classroom.sandbox.switches["malta"].set(hold_token=False)
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Service token"))
    expect(row).to_contain_text("works")
    expect(page.get_by_role("heading", level=2).first).to_have_text("Everything works")
    expect(page.get_by_text("It is being checked right now")).to_have_count(0)
    tool_looks_right(page)


def test_a_fragment_that_comes_as_its_last_ends_the_refreshing(page: Page) -> None:
    """As on the page of a student when there is nothing more to come."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.get_by_role("button", name="Check now").click()
    last = '<section id="board"><p>The last one.</p></section>'
    page.route(f"**{PATH}", lambda route: route.fulfill(body=last, content_type="text/html"))
    expect(page.get_by_text("The last one.")).to_be_visible()
    page.evaluate("new Promise((done) => setTimeout(done, 0))")
    assert errors == []


def test_what_waits_and_what_was_refused_is_dealt_with(classroom: Classroom, page: Page) -> None:
    platform_id, now = classroom.seeded.platform_id, classroom.now
    with classroom.services.database.write() as connection:
        note_pending(connection, platform_id=platform_id, deployment_id="a-course-of-9", course_title="STEM 9", now=now)
        for code in ("token_expired", "key_unknown", "token_expired"):
            note_refusal(connection, platform_id=platform_id, code=code, reference="0a1b2c3d", now=now)
    page.reload()
    expect(page.get_by_text("from the course “STEM 9”")).to_be_visible()
    expect(page.get_by_text("Set the clock of the LMS")).to_have_count(1)
    tool_looks_right(page)
    page.get_by_role("button", name="Attach a-course-of-9").click()
    expect(page.get_by_text("Attached: launches from it open from now on.")).to_be_visible()
    page.get_by_role("row", name="a-course-of-9").get_by_role("link").click()
    tool_looks_right(page)
    page.get_by_role("button", name="Switch it off").click()
    expect(page.get_by_text("Switched off: launches from it are refused.")).to_be_visible()
    page.get_by_role("button", name="Make the next key").click()
    expect(page.get_by_text("A rotation is under way")).to_be_visible()
    tool_looks_right(page)


def test_an_address_is_copied_by_one_click(classroom: Classroom, page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name=re.compile("Copy ?: Initiate login URL")).click()
    assert page.evaluate("navigator.clipboard.readText()") == f"{classroom.tool_url}/lti/login/malta"


def test_without_a_worker_it_says_so_and_without_javascript_it_is_complete(classroom: Classroom, page: Page) -> None:
    with classroom.services.database.write() as connection:
        connection.execute(sa.delete(platform_check))
    page.route("**/*.js", lambda route: route.abort())
    page.reload()
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_role("link", name="Look again")).to_be_visible()
    with classroom.services.database.write() as connection:
        earlier = sa.func.datetime(platform_check.c.asked_at, "-5 minutes")
        connection.execute(sa.update(platform_check).values(asked_at=earlier, next_at=earlier))
    page.get_by_role("link", name="Look again").click()
    page.reload()
    expect(page.get_by_text("the worker does not seem to run")).to_be_visible()


def test_the_lists_lead_to_it(page: Page) -> None:
    page.get_by_role("link", name="LMS of University of Malta").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("LMS of University of Malta")
    tool_looks_right(page)
    page.get_by_role("link", name="All universities").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("LMSs of the universities")
    tool_looks_right(page)
    page.get_by_role("link", name="Vilnius University").click()
    expect(page.get_by_role("link", name="Connect an LMS")).to_be_visible()
    tool_looks_right(page)


@pytest.mark.skipif("PICTURES" not in os.environ, reason="for whoever wants to look at the pages")
@pytest.mark.parametrize("width", WIDTHS)
def test_pictures(classroom: Classroom, new_page: Callable[..., Page], worker: Callable[[], None], width: int) -> None:
    with classroom.services.database.write() as connection:
        connection.execute(sa.delete(platform_check))
    classroom.sandbox.switches["malta"].set(date_ahead_s=90, score_status=403)
    worker()
    page = sign_in(classroom, new_page(width))
    folder = Path(os.environ["PICTURES"])
    expect(page.get_by_role("heading", level=2).first).to_contain_text("to do")
    classroom.sandbox.switches["malta"].reset()
    page.screenshot(path=folder / f"platform-{width}.png", full_page=True)
    page.locator("#board").screenshot(path=folder / f"board-{width}.png")
    page.goto(f"{classroom.tool_url}/admin/lms/")
    page.screenshot(path=folder / f"all-{width}.png", full_page=True)
