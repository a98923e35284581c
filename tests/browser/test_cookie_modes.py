"""The browsers of the test bed are what they claim to be."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.cookie_modes import CookieMode
from tests.browser.probe import serve_probe

pytestmark = pytest.mark.browser
BOTH = "plain=1; partitioned=1"


@pytest.mark.parametrize(
    ("mode", "in_frame"),
    [("allowed", BOTH), ("partitioned", "partitioned=1"), ("none", "none")],
)
def test_a_frame_keeps_the_cookies_of_its_mode_and_a_tab_keeps_all(
    new_person: Callable[[CookieMode], BrowserContext], mode: CookieMode, in_frame: str
) -> None:
    person = new_person(mode)
    with serve_probe() as port:
        page, tab = person.new_page(), person.new_page()
        page.goto(f"http://127.0.0.1:{port}/holder")
        expect(page.frame_locator("iframe").locator("p")).to_have_text(in_frame)
        tab.goto(f"http://localhost:{port}/set")
        expect(tab.locator("p")).to_have_text(BOTH)
        page.reload()  # what the tab was given is not shown to the frame
        expect(page.frame_locator("iframe").locator("p")).to_have_text(in_frame)
