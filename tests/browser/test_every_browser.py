"""A launch works in every browser: whatever cookies it keeps, however the LMS frames us, however many tabs are open."""

import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from playwright.sync_api import BrowserContext, Frame, FrameLocator, Locator, Page, Request, Route, expect

from tests.browser.cookie_modes import CookieMode
from tests.browser.people import looks_right
from tests.browser.world import GORG, KINDS, LUKE, MARIA, OTHER_MARIA, VISIT, ZAREN, Kind, World
from tests.waiting import until

pytestmark = pytest.mark.browser
NewPerson = Callable[[CookieMode], BrowserContext]
PATIENCE_MS = 15_000  # for a whole launch on a busy machine
SOON_MS = 5_000  # the tool waits at most about 3 s for an LMS that does not answer; the rest is a busy machine's
SEND_FORM = """([action, fields]) => {
  const form = Object.assign(document.createElement("form"), { method: "post", action });
  for (const [name, value] of fields) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  document.body.append(form);
  form.submit();
}"""


def shows_the_students_page(place: Page | Frame | FrameLocator) -> None:
    expect(place.locator("#own-standing")).to_be_visible(timeout=PATIENCE_MS)


def new_tab_control(place: Page | FrameLocator) -> Locator:
    return place.locator("a, button").filter(has_text="Open in a new tab")


def visit_in(page: Page) -> str:
    """The address of the tool's frame, after it has shown the visit."""
    return next(frame.url for frame in page.frames if VISIT.search(frame.url))


# Cookies, whole or partitioned


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["allowed", "partitioned"])
def test_with_cookies_the_frame_shows_the_students_page(
    world: World, new_person: NewPerson, mode: CookieMode, kind: Kind
) -> None:
    page = world.sign_in(new_person(mode), kind)
    shows_the_students_page(world.open_in_frame(page, kind))
    assert world.whose(visit_in(page)) == (kind, MARIA.user_id)


# No cookie in a frame


def test_without_cookies_and_storage_a_new_tab_is_offered_while_the_launch_can_still_be_made(
    world: World, new_person: NewPerson
) -> None:
    page = world.sign_in(new_person("none"), "plain")
    begun, visits = world.waiting_launches("plain"), world.visits()
    frame = world.open_in_frame(page, "plain")
    expect(new_tab_control(frame)).to_have_count(1, timeout=PATIENCE_MS)
    looks_right(page)
    assert (world.waiting_launches("plain"), world.visits()) == (begun + 1, visits)
    with page.expect_popup() as popup:
        new_tab_control(frame).click()
    shows_the_students_page(popup.value)
    assert world.whose(popup.value.url) == ("plain", MARIA.user_id)
    assert world.waiting_launches("plain") == begun


@pytest.mark.parametrize("kind", ["parent", "frame", "legacy", "nested"])
def test_pitfall_5_without_cookies_the_lmss_storage_proves_the_launch_and_one_button_opens_it(
    world: World, new_person: NewPerson, kind: Kind
) -> None:
    page = world.sign_in(new_person("none"), kind)
    frame, tab = _opened_from_the_frame(world, page, kind)
    looks_right(page)
    expect(tab.get_by_text(world.campus(kind).name)).to_be_visible()
    assert world.whose(tab.url) == (kind, MARIA.user_id)
    tab.reload()
    shows_the_students_page(tab)
    expect(new_tab_control(frame)).to_have_count(1)


def test_an_lms_whose_storage_is_still_loading_is_asked_again(world: World, new_person: NewPerson) -> None:
    page = world.sign_in(new_person("none"), "frame")

    def hold_up(route: Route) -> None:
        if route.request.frame != page.main_frame:
            time.sleep(1)
        route.continue_()

    page.route("**/static/storage.js", hold_up)
    _, tab = _opened_from_the_frame(world, page, "frame")
    assert world.whose(tab.url) == ("frame", MARIA.user_id)


def test_a_button_that_is_sent_twice_opens_one_visit(world: World, new_person: NewPerson) -> None:
    page = world.sign_in(new_person("none"), "parent")
    frame, first = _opened_from_the_frame(world, page, "parent")
    visits = world.visits()
    with page.expect_popup() as popup:
        frame.locator("form[method=post][target=_blank]").evaluate(
            "form => HTMLFormElement.prototype.submit.call(form)"
        )
    second = popup.value
    expect(second.get_by_role("heading", level=1)).to_be_visible()
    assert world.visits() == visits
    first.reload()
    shows_the_students_page(first)


def test_pitfall_3_an_lms_that_never_answers_for_its_storage_costs_a_moment_and_no_launch(
    world: World, new_person: NewPerson
) -> None:
    page = world.sign_in(new_person("none"), "silent")
    frame = world.open_in_frame(page, "silent")
    expect(new_tab_control(frame)).to_be_visible(timeout=SOON_MS)
    with page.expect_popup() as popup:
        new_tab_control(frame).click()
    shows_the_students_page(popup.value)
    assert world.whose(popup.value.url) == ("silent", MARIA.user_id)


def _opened_from_the_frame(world: World, page: Page, kind: Kind) -> tuple[FrameLocator, Page]:
    """The frame after its launch was proved, and the tab that its one button opened.

    On a busy machine the LMS may answer too late, and then a link to a new login is right; so it is opened up to three
    times.
    """
    for _ in range(3):
        begun = world.waiting_launches(kind)
        frame = world.open_in_frame(page, kind)
        button = frame.get_by_role("button", name="Open in a new tab")
        with suppress(AssertionError):
            expect(button).to_be_visible(timeout=SOON_MS)
            break
    expect(button).to_be_visible()
    expect(new_tab_control(frame)).to_have_count(1)
    assert world.waiting_launches(kind) == begun  # the launch is made already: nothing waits at the LMS
    with page.expect_popup() as popup:
        button.click()
    shows_the_students_page(popup.value)
    return frame, popup.value


# Many tabs


@pytest.mark.parametrize("mode", ["allowed", "partitioned"])
def test_first_logins_at_the_same_time_never_mix(world: World, new_person: NewPerson, mode: CookieMode) -> None:
    """Two people, each with a frame and a tab. All logins are over before a launch is sent; the last goes first."""
    held: list[Route] = []
    opened: list[tuple[Page, str]] = []

    def hold(route: Route) -> None:
        held.append(route)

    for who in (GORG, ZAREN):
        person = new_person(mode)
        page = world.sign_in(person, "plain", who)
        for path in ("/activity/1", "/launch/2"):
            tab = person.new_page()
            tab.route("**/lti/launch", hold)
            tab.goto(f"{world.campus('plain').url}{path}", wait_until="commit")
            opened.append((tab, who.user_id))
    until(lambda: page.title() == "" and len(held) == 4, "four launches on their way", within_s=20)
    for route in reversed(held):
        route.continue_()
    for (tab, user_id), is_frame in zip(opened, (True, False, True, False), strict=True):
        shows_the_students_page(tab.frame_locator("iframe.tool") if is_frame else tab)
        assert world.whose(visit_in(tab)) == ("plain", user_id)
    assert len({visit_in(tab) for tab, _ in opened}) == 4


def test_twenty_tabs_are_all_kept(world: World, new_person: NewPerson) -> None:
    person = new_person("partitioned")
    world.sign_in(person, "plain", LUKE)
    tabs = [person.new_page() for _ in range(20)]
    for tab in tabs:
        tab.goto(f"{world.campus('plain').url}/launch/2", wait_until="commit")
    for tab in tabs:
        shows_the_students_page(tab)
    assert len({tab.url for tab in tabs}) == 20
    for tab in (tabs[0], tabs[-1]):
        tab.reload()
        shows_the_students_page(tab)


def test_reloading_and_going_back_lead_to_the_own_page(world: World, new_person: NewPerson) -> None:
    person = new_person("partitioned")
    page = world.sign_in(person, "plain", OTHER_MARIA)
    shows_the_students_page(world.open_in_frame(page, "plain"))
    page.reload()
    shows_the_students_page(page.frame_locator("iframe.tool"))
    page.get_by_role("link", name="Back to the course").click()
    expect(page.get_by_role("heading", name="Activities")).to_be_visible()
    page.go_back()
    shows_the_students_page(page.frame_locator("iframe.tool"))
    assert world.whose(visit_in(page)) == ("plain", OTHER_MARIA.user_id)
    with page.expect_popup() as popup:
        page.get_by_role("link", name="Open in a new tab").click()
    tab = popup.value
    shows_the_students_page(tab)
    visit = tab.url
    tab.goto(f"{world.campus('plain').url}/course")
    tab.go_back()
    shows_the_students_page(tab)
    assert tab.url == visit


def test_a_double_click_at_the_lms_loses_no_launch(world: World, new_person: NewPerson) -> None:
    person = new_person("partitioned")
    page = world.sign_in(person, "plain", GORG)
    page.goto(f"{world.campus('plain').url}/course")
    tabs: list[Page] = []

    def is_second(tab: Page) -> bool:
        tabs.append(tab)
        return len(tabs) == 2

    with person.expect_page(is_second):
        page.get_by_role("link", name="Workshop series (new tab)").dblclick()
    for tab in tabs:
        shows_the_students_page(tab)
        assert world.whose(tab.url) == ("plain", GORG.user_id)
    page.get_by_role("link", name="Workshop series", exact=True).dblclick()
    shows_the_students_page(page.frame_locator("iframe.tool"))


# Needs the tool's page that leads to what a used launch has opened.
def test_a_launch_form_that_is_sent_twice_leads_to_what_it_opened(world: World, new_person: NewPerson) -> None:
    person = new_person("partitioned")
    page = world.sign_in(person, "plain", ZAREN)
    with page.expect_request("**/lti/launch") as sent:
        page.goto(f"{world.campus('plain').url}/launch/2")
    shows_the_students_page(page)
    visit, visits = page.url, world.visits()
    page.goto(f"{world.campus('plain').url}/course")
    page.evaluate(SEND_FORM, [sent.value.url, _fields(sent.value)])
    way_on = page.locator(f'a[href*="/visit/{VISIT.search(visit)[1]}/"]')  # type: ignore[index]
    way_on.click()
    shows_the_students_page(page)
    assert (page.url, world.visits()) == (visit, visits)


def _fields(request: Request) -> list[tuple[str, str]]:
    return list((request.post_data_json or {}).items())
