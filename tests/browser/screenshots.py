"""`make screenshots`: every page at 320, 768 and 1280 px, light and dark, into build/screenshots.

With the real demo behind it, and long German and Greek names where a session's title comes from the calendar.
"""

import re
import shutil
import tempfile
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, FrameLocator, Page, sync_playwright

from sandbox_lms.campus import Person
from sandbox_lms.demo import PORTS
from tests.browser import what_counts
from tests.browser.conftest import Demo, free_ports, start_demo, stop_demo
from tests.browser.cookie_modes import browser_of, open_with_cookies
from tests.browser.coordinator_tour import LONG, tour_of_the_coordinator
from tests.browser.course_tour import tour_of_a_full_course
from tests.browser.people import PAINTED, check_without_cookie, open_in_frame, sign_in, type_code
from tests.browser.rights_tour import tour_of_rights
from tests.browser.world import MARIA, Kind, World, serve_world
from tests.waiting import until

OUT = Path("build/screenshots")
AZUOLAS = "6"  # his number at Vilnius
WIDTHS = (320, 768, 1280)


def main() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        demo = start_demo(Path(folder), free_ports(PORTS))
        executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
        browser = playwright.chromium.launch(executable_path=executable)
        try:
            _tour(demo, browser)
            tour_of_the_coordinator(demo, partial(_everywhere, browser), _page(browser, 1280, "light"))
            tour_of_rights(demo, partial(_everywhere, browser), _page(browser, 1280, "light"))
            tour_of_a_full_course(Path(folder) / "full", partial(_everywhere, browser), _page(browser, 1280, "light"))
        finally:
            browser.close()
            stop_demo(demo)
        opened = open_with_cookies(playwright, executable, "none", Path(folder) / "profile")
        at = Path(folder) / "world"
        at.mkdir()
        with closing(opened), serve_world(at) as world:
            _tour_without_cookies(world, browser_of(opened))
    print(f"{len(list(OUT.glob('*.png')))} pictures in {OUT}/")


def _tour(demo: Demo, browser: Browser) -> None:
    _everywhere(browser, "demo", lambda page: page.goto(demo.url))
    (calendar,) = demo.folder.glob("*/series.ics")
    as_it_was = calendar.read_bytes()
    calendar.write_bytes(re.sub(rb"(?<=\nSUMMARY:).*", LONG.encode(), as_it_was))  # what is over keeps its title
    _wait_for_titles(demo, browser, are_long=True)
    _everywhere(browser, "before-long", lambda page: _student(page, demo))
    calendar.write_bytes(as_it_was)
    _wait_for_titles(demo, browser, are_long=False)
    _everywhere(browser, "before", lambda page: _student(page, demo))
    what_counts.demand_more(demo)
    _jump(demo, browser)
    code = _open_check_in(demo, browser)
    for name, visit in {
        "host": lambda page: _host(page, demo),
        "student-open": lambda page: _student(page, demo),
        "student-wrong": lambda page: type_code(_student(page, demo), "12"),
        "closed": lambda page: _closed_while_typing(page, demo),
        "student-done": lambda page: _check_in(page, demo, code),
        "student-calendar": lambda page: _student(page, demo).get_by_text("Add to my calendar").click(),
        "instructor": lambda page: _instructor(page, demo),
        "instructor-series": lambda page: _whole_series(page, demo),
        "picker": lambda page: _picker(page, demo),
        "picker-made": lambda page: _picked(page, demo),
        "my-data": lambda page: _my_data(page, demo),
        "my-data-erase": lambda page: _erasing(page, demo),
        "hosting": lambda page: _student(page, demo).get_by_role("link", name="I host a session").click(),
        "gradebook": lambda page: _lms_page(page, demo, "gradebook"),
        "calendar": lambda page: _lms_page(page, demo, "calendar"),
        "sign-in": lambda page: page.goto(demo.malta),
        "front": lambda page: page.goto(demo.tool),
        "privacy-notice": lambda page: page.goto(f"{demo.tool}/privacy/"),
        "privacy-data-map": lambda page: page.goto(f"{demo.tool}/privacy/data/"),
        "privacy-bundle": lambda page: page.goto(f"{demo.tool}/privacy/bundle/"),
        "privacy-transfers": lambda page: page.goto(f"{demo.tool}/privacy/bundle/transfers/"),
        "refused": lambda page: page.goto(f"{demo.tool}/lti/login"),
        "over": lambda page: page.goto(f"{demo.tool}/visit/nobody/"),
        "not-found": lambda page: page.goto(f"{demo.tool}/nowhere"),
        "public-session": lambda page: _public_session(page, demo),
        "cookies-needed": lambda page: _without_cookies(page, demo),
        "signed-out": lambda page: _student(page, demo).get_by_role("button", name="Sign out").click(),
        "refused-details": lambda page: _refused(page, demo),
    }.items():
        _everywhere(browser, name, visit)
    _tour_of_what_counts(demo, browser)


def _tour_of_what_counts(demo: Demo, browser: Browser) -> None:
    """The whole pages of a student for whom much is recorded."""
    what_counts.fill(demo, AZUOLAS)
    details = {"student-record": "", "student-reflecting": "this week"}
    for name, session in details.items():
        _everywhere(browser, name, partial(what_counts.open_own_page, demo, session), whole=True)
    what_counts.to_the_evening(demo)
    _everywhere(browser, "student-recording", partial(what_counts.open_own_page, demo, "this week"), whole=True)
    _everywhere(browser, "host-again", lambda page: _host(page, demo))
    what_counts.declare(demo, AZUOLAS)
    _everywhere(browser, "student-declared", partial(what_counts.open_own_page, demo, "this week"), whole=True)
    _everywhere(browser, "student-too-short", partial(what_counts.hand_in_too_little, demo), whole=True)


def _tour_without_cookies(world: World, browser: Browser) -> None:
    """What the LMS's frame shows where the browser keeps no cookie in it."""
    _everywhere(browser, "frame-new-tab", partial(_button_in_frame, world, "plain"))
    _everywhere(browser, "frame-own-tab", partial(_button_in_frame, world, "parent"))


def _everywhere(browser: Browser, name: str, visit: Callable[[Page], object], *, whole: bool = False) -> None:
    """`whole`: also what is below the window's edge."""
    for scheme in ("light", "dark"):
        for width in WIDTHS:
            page = _page(browser, width, scheme)
            visit(page)
            page.wait_for_load_state("networkidle")
            page.evaluate(PAINTED)
            page.screenshot(path=OUT / f"{name}-{width}-{scheme}.png", full_page=whole)
            page.context.close()


def _page(browser: Browser, width: int, scheme: str) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 1500},
        timezone_id="Europe/Vilnius",
        locale="en-GB",
        color_scheme="dark" if scheme == "dark" else "light",
    )
    return context.new_page()


def _wait_for_titles(demo: Demo, browser: Browser, *, are_long: bool) -> None:
    """Until the tool shows what somebody has written into the coordinator's calendar."""
    page = _page(browser, 1280, "light")
    until(
        lambda: (LONG in _student(page, demo).locator("#main").inner_text()) == are_long, "the new titles", within_s=60
    )
    page.context.close()


def _jump(demo: Demo, browser: Browser) -> None:
    page = _page(browser, 1280, "light")
    page.goto(demo.url)
    page.get_by_role("button", name="Jump to the session").click()
    page.context.close()


def _open_check_in(demo: Demo, browser: Browser) -> str:
    page = _page(browser, 1280, "light")
    frame = _host(page, demo)
    if frame.get_by_role("button", name="Open the check-in").count():  # else it has opened by itself
        frame.get_by_role("button", name="Open the check-in").click()
    code = frame.locator(".code-large").inner_text()
    page.context.close()
    return code


def _host(page: Page, demo: Demo) -> FrameLocator:
    sign_in(page, demo.malta, "Karmenu Żammit")
    frame = open_in_frame(page)
    frame.get_by_role("link", name="You host this session").click()
    frame.get_by_role("heading", name="Check-in code").wait_for()
    return frame


def _picker(page: Page, demo: Demo) -> FrameLocator:
    sign_in(page, demo.malta, "Karmenu Żammit")
    page.get_by_role("link", name="Add from Shared Sessions").click()
    dialog = page.frame_locator("iframe.tool")
    dialog.get_by_role("radio", name="The whole series").wait_for()
    return dialog


def _picked(page: Page, demo: Demo) -> None:
    dialog = _picker(page, demo)
    for number in range(3):
        dialog.get_by_role("checkbox").nth(number).check()
    dialog.get_by_role("button", name="Show what will be made").click()
    dialog.locator("#will-be-made").wait_for()


def _student(page: Page, demo: Demo) -> FrameLocator:
    page.context.clear_cookies()
    sign_in(page, demo.vilnius, "Ąžuolas Šimkus")
    return open_in_frame(page)


def _check_in(page: Page, demo: Demo, code: str) -> None:
    sign_in(page, demo.vilnius, "Rūta Kazlauskaitė")
    frame = open_in_frame(page)
    if not frame.get_by_role("status").count():
        type_code(frame, code)
    frame.get_by_role("status").wait_for()


def _my_data(page: Page, demo: Demo) -> FrameLocator:
    frame = _student(page, demo)
    frame.get_by_role("link", name="My data").click()
    frame.get_by_role("heading", name="Who you are here").wait_for()
    return frame


def _erasing(page: Page, demo: Demo) -> None:
    frame = _my_data(page, demo)
    frame.get_by_role("link", name="Erase everything").click()
    frame.get_by_role("heading", name="What stays").wait_for()


def _instructor(page: Page, demo: Demo) -> None:
    sign_in(page, demo.vilnius, "Eglė Jankauskienė")
    frame = open_in_frame(page)
    frame.get_by_role("link", name="My course").click()
    frame.locator("#own-count").wait_for()


def _whole_series(page: Page, demo: Demo) -> None:
    """In a tab of its own: of thirteen universities."""
    page.context.clear_cookies()
    sign_in(page, demo.malta, "Karmenu Żammit")
    page.goto(f"{demo.malta}/launch/2")
    page.get_by_role("link", name="My course").click()
    page.get_by_role("link", name="Whole series", exact=True).click()
    page.get_by_role("heading", name="How the whole series goes").wait_for()


def _lms_page(page: Page, demo: Demo, path: str) -> None:
    sign_in(page, demo.vilnius, "Eglė Jankauskienė")
    page.goto(f"{demo.vilnius}/{path}")


def _public_session(page: Page, demo: Demo) -> None:
    _lms_page(page, demo, "calendar")
    page.get_by_role("link", name="Session page").first.click()


def _without_cookies(page: Page, demo: Demo) -> None:
    """The check step in a browser that kept no cookie."""
    sign_in(page, demo.malta, "Luke Farrugia")
    page.goto(check_without_cookie(page, demo))


def _closed_while_typing(page: Page, demo: Demo) -> None:
    frame = _student(page, demo)
    page.context.clear_cookies(domain="localhost")
    type_code(frame, "123456")
    frame.get_by_role("heading", name="This page is closed").wait_for()


def _refused(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.tool}/lti/login?iss=https://{'lms-' * 20}.example&login_hint=1&target_link_uri={demo.tool}/")
    page.get_by_text("For your LMS's administrator").click()


def _button_in_frame(world: World, kind: Kind, page: Page) -> None:
    page.context.request.post(f"{world.campus(kind).url}/sign-in", form=_form_of(MARIA), max_redirects=0)
    world.open_in_frame(page, kind).get_by_text("Open in a new tab").wait_for()


def _form_of(person: Person) -> dict[str, str | float | bool]:
    return {"username": person.username, "password": person.password}


if __name__ == "__main__":
    main()
