"""Launches from a real Moodle: as teacher and as student, in each container, with each way a browser keeps cookies."""

import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Request, expect

from tests.browser.cookie_modes import COOKIE_MODES, CookieMode
from tests.live.world import (
    GIVEN,
    NEEDS_MOODLE,
    PATIENCE_MS,
    NewPerson,
    World,
    activity,
    frame_of,
    link_in_course,
    new_tab_control,
    open_in_frame,
    person,
    picture,
    shows_the_page_of,
    sign_in,
    visit_in,
)

pytestmark = NEEDS_MOODLE
ROLES = ("STUDENT", "TEACHER")
SignedIn = Callable[[str, CookieMode], BrowserContext]


@pytest.fixture(scope="module")
def sessions(browsers: Callable[[CookieMode], Browser]) -> dict[str, Any]:
    """Moodle's cookies of each person, from one sign-in."""
    cookies = {}
    for role in ROLES:
        context = browsers("allowed").new_context()
        sign_in(context.new_page(), person(role))
        cookies[role] = context.cookies()
        context.close()
    return cookies


@pytest.fixture
def signed_in(sessions: dict[str, Any], new_person: NewPerson) -> SignedIn:
    def make(role: str, mode: CookieMode) -> BrowserContext:
        context = new_person(mode)
        context.set_default_timeout(PATIENCE_MS)
        context.add_cookies(sessions[role])
        return context

    return make


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("mode", ["allowed", "partitioned"])
def test_with_cookies_the_frame_shows_the_own_page(
    shared_world: World, signed_in: SignedIn, mode: CookieMode, role: str
) -> None:
    page = signed_in(role, mode).new_page()
    link = link_in_course(page, activity(""))
    clicked_at = time.monotonic()
    link.click()
    shows_the_page_of(role, frame_of(page))
    _say("from click to page", clicked_at)
    assert shared_world.whose(visit_in(page)) == ("malta", person(role).user_id)
    picture(page, f"frame-{mode}-{role.lower()}")


@pytest.mark.parametrize("role", ROLES)
def test_without_cookies_a_new_tab_is_offered_before_moodle_is_asked_and_opens_the_own_page(
    shared_world: World, signed_in: SignedIn, role: str
) -> None:
    context = signed_in(role, "none")
    page = context.new_page()
    asked = _requests(context, "/mod/lti/auth.php")
    link = link_in_course(page, activity(""))
    clicked_at = time.monotonic()
    link.click()
    button = new_tab_control(frame_of(page))
    expect(button).to_have_count(1, timeout=PATIENCE_MS)
    _say("from click to button", clicked_at)
    assert asked == []  # Moodle forgets a launch at the first visit of its auth page
    picture(page, f"frame-none-{role.lower()}")
    clicked_at = time.monotonic()
    with page.expect_popup() as popup:
        button.click()
    shows_the_page_of(role, popup.value)
    _say("from button to page", clicked_at)
    assert len(asked) == 1
    assert shared_world.whose(popup.value.url) == ("malta", person(role).user_id)
    picture(popup.value, f"tab-from-frame-none-{role.lower()}")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("mode", COOKIE_MODES)
def test_a_new_window_shows_the_own_page_in_every_browser(
    shared_world: World, signed_in: SignedIn, mode: CookieMode, role: str
) -> None:
    page = signed_in(role, mode).new_page()
    link = link_in_course(page, activity("WINDOW"))
    clicked_at = time.monotonic()
    with page.expect_popup() as popup:
        link.click()
    window = popup.value
    shows_the_page_of(role, window)
    _say("from click to page", clicked_at)
    assert shared_world.whose(window.url) == ("malta", person(role).user_id)
    picture(window, f"window-{mode}-{role.lower()}")
    visit = window.url
    window.reload()
    shows_the_page_of(role, window)
    assert window.url == visit


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("mode", COOKIE_MODES)
def test_the_existing_window_shows_the_own_page_in_every_browser(
    shared_world: World, signed_in: SignedIn, mode: CookieMode, role: str
) -> None:
    page = signed_in(role, mode).new_page()
    link = link_in_course(page, activity("EXISTING"))
    clicked_at = time.monotonic()
    link.click()
    shows_the_page_of(role, page)
    _say("from click to page", clicked_at)
    assert shared_world.whose(page.url) == ("malta", person(role).user_id)


@pytest.mark.parametrize("mode", ["allowed", "partitioned"])
def test_reloading_and_going_back_lead_to_the_own_page(
    shared_world: World, signed_in: SignedIn, mode: CookieMode
) -> None:
    page = signed_in("STUDENT", mode).new_page()
    link_in_course(page, activity("")).click()
    shows_the_page_of("STUDENT", frame_of(page))
    page.reload()
    shows_the_page_of("STUDENT", frame_of(page))
    page.goto(f"{GIVEN['URL']}/course/view.php?id={GIVEN['COURSE']}")
    page.go_back()
    shows_the_page_of("STUDENT", frame_of(page))
    assert shared_world.whose(visit_in(page)) == ("malta", person("STUDENT").user_id)


@pytest.mark.parametrize("mode", COOKIE_MODES)
def test_going_back_from_moodle_leads_to_the_page_in_the_existing_window(
    shared_world: World, signed_in: SignedIn, mode: CookieMode
) -> None:
    page = signed_in("STUDENT", mode).new_page()
    link_in_course(page, activity("EXISTING")).click()
    shows_the_page_of("STUDENT", page)
    visit = page.url
    page.goto(f"{GIVEN['URL']}/course/view.php?id={GIVEN['COURSE']}")
    page.go_back()
    shows_the_page_of("STUDENT", page)
    assert page.url == visit
    page.go_back()
    expect(page).to_have_url(f"{GIVEN['URL']}/course/view.php?id={GIVEN['COURSE']}")


@pytest.mark.parametrize("mode", ["allowed", "partitioned"])
def test_a_double_click_on_the_activity_shows_the_page_in_the_frame(
    shared_world: World, signed_in: SignedIn, mode: CookieMode
) -> None:
    page = signed_in("STUDENT", mode).new_page()
    link_in_course(page, activity("")).dblclick()
    shows_the_page_of("STUDENT", frame_of(page))
    assert shared_world.whose(visit_in(page)) == ("malta", person("STUDENT").user_id)


def test_a_double_click_on_the_activity_shows_the_page_in_every_window_that_opens(
    shared_world: World, signed_in: SignedIn
) -> None:
    context = signed_in("STUDENT", "partitioned")
    page = context.new_page()
    link = link_in_course(page, activity("WINDOW"))
    with page.expect_popup():
        link.dblclick()
    windows = [window for window in context.pages if window is not page]
    for window in windows:
        shows_the_page_of("STUDENT", window)
        assert shared_world.whose(window.url) == ("malta", person("STUDENT").user_id)


@pytest.mark.parametrize("mode", COOKIE_MODES)
def test_two_tabs_and_a_window_that_launch_at_once_all_arrive(
    shared_world: World, signed_in: SignedIn, mode: CookieMode
) -> None:
    context = signed_in("STUDENT", mode)
    module_ids = [activity("WINDOW"), activity("EXISTING"), activity("EXISTING")]
    tabs = [context.new_page() for _ in module_ids]
    for tab, module_id in zip(tabs, module_ids, strict=True):
        tab.goto(f"{GIVEN['URL']}/mod/lti/launch.php?id={module_id}", wait_until="commit")
    for tab in tabs:
        shows_the_page_of("STUDENT", tab)
    assert len({visit_in(tab) for tab in tabs}) == len(tabs)


@pytest.mark.parametrize("mode", ["allowed", "partitioned"])
def test_two_frames_that_launch_at_once_both_arrive(shared_world: World, signed_in: SignedIn, mode: CookieMode) -> None:
    context = signed_in("STUDENT", mode)
    tabs = [context.new_page() for _ in range(2)]
    for tab in tabs:
        tab.goto(f"{GIVEN['URL']}/mod/lti/view.php?id={activity('')}", wait_until="commit")
    for tab in tabs:
        shows_the_page_of("STUDENT", frame_of(tab))
    assert len({visit_in(tab) for tab in tabs}) == len(tabs)


def test_signing_out_in_the_frame_closes_the_page_and_leads_back_to_the_course(
    shared_world: World, signed_in: SignedIn
) -> None:
    page = signed_in("STUDENT", "partitioned").new_page()
    frame = open_in_frame(page)
    shows_the_page_of("STUDENT", frame)
    visit = visit_in(page)
    frame.get_by_role("button", name="Sign out").press("Enter")
    expect(frame.get_by_role("heading", name="You are signed out here")).to_be_visible()
    frame.get_by_role("link", name="Back to your course").press("Enter")
    expect(page).to_have_url(f"{GIVEN['URL']}/course/view.php?id={GIVEN['COURSE']}")
    tab = page.context.new_page()
    tab.goto(visit)
    expect(tab.get_by_role("heading", name="This page is closed")).to_be_visible()
    shows_the_page_of("STUDENT", open_in_frame(page))
    frame.get_by_role("button", name="Sign out").press("Enter")
    expect(frame.get_by_role("heading", name="You are signed out here")).to_be_visible()
    picture(page, "signed-out-in-frame")


def _say(what: str, clicked_at: float) -> None:
    """`pytest --log-cli-level=INFO` shows it."""
    logging.getLogger(__name__).info("%.2f s %s", time.monotonic() - clicked_at, what)


def _requests(context: BrowserContext, part: str) -> list[Request]:
    seen: list[Request] = []
    context.on("request", lambda request: seen.append(request) if part in request.url else None)
    return seen
