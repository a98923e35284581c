"""What a person does in the sandbox LMS and in the tool, in their own words."""

import os
from pathlib import Path
from typing import Literal

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Frame, FrameLocator, Page, expect

from tests.browser.conftest import Demo

NARROW = 320
WIDTHS = (NARROW, 768, 1280)
# What is off the screen is not painted: then nobody need wait for it.
PAINTED = """Promise.race([
    new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))),
    new Promise(done => setTimeout(done, 500 /* ms */)),
])"""


def sign_in(page: Page, lms: str, name: str) -> None:
    page.goto(lms)
    page.get_by_role("button", name=f"Sign in as {name}").first.click()
    expect(page.get_by_role("heading", name="Activities")).to_be_visible()


def open_in_frame(page: Page) -> FrameLocator:
    """The activity inside the course page; the tool is another site than the LMS."""
    page.get_by_role("link", name="Course", exact=True).click()
    page.get_by_role("link", name="Workshop series", exact=True).click()
    frame = page.frame_locator("iframe.tool")
    expect(frame.locator("#main h1")).to_be_visible()  # the LMS's own page in between has no #main
    return frame


def type_code(frame: FrameLocator, code: str) -> None:
    frame.get_by_label("The six digits").fill(code)
    frame.get_by_role("button", name="Check in").click()


def no_axe_findings(page: Page) -> None:
    """In the page and in every frame of it: axe sees only the document that it runs in."""
    for frame in page.frames:
        _no_findings(frame, {"resultTypes": ["violations"]})


def _no_findings(document: Frame, options: dict[str, list[str]]) -> None:
    document.wait_for_load_state()  # a click waits until the next page begins, not until all of it is there
    if not document.evaluate("'axe' in window"):
        document.evaluate(AXE_SCRIPT)
    found = AxeResults(document.evaluate("options => axe.run(options)", options))
    assert found.violations_count == 0, f"{document.url}: {found.generate_report()}"


def fits(page: Page) -> None:
    """No sideways scrolling, in the page or in the tool's frame."""
    for frame in page.frames:
        width = frame.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width[0] <= width[1], f"{frame.url} is {width[0]} px wide in {width[1]} px"


def looks_right(page: Page) -> None:
    no_axe_findings(page)
    fits(page)


def check_without_cookie(page: Page, demo: Demo) -> str:
    """The address of our check step for a login that the LMS has just begun, after the browser lost its cookie."""
    begun = page.request.get(f"{demo.malta}/launch/1", max_redirects=0)
    logged_in = page.request.get(begun.headers["location"], max_redirects=0)
    page.context.clear_cookies(domain="localhost")
    return logged_in.headers["location"]


def tool_looks_right(page: Page) -> None:
    """The tool's own document, in a frame or not, light and dark; and narrow as in an LMS's column or on a phone."""
    size = page.viewport_size
    assert size is not None
    document = page.frames[-1]
    _no_findings(document, {"resultTypes": ["violations"]})
    _paint(page, "dark")
    _no_findings(document, {"resultTypes": ["violations"], "runOnly": ["color-contrast"]})
    _paint(page, "light")
    fits(page)
    if size["width"] > NARROW:
        _resize(page, NARROW)
        fits(page)
        _resize(page, size["width"])


def tool_looks_right_at_every_width(page: Page) -> None:
    """As `tool_looks_right`, at each of WIDTHS; the colours of the dark are the same at each."""
    size = page.viewport_size
    assert size is not None
    tool_looks_right(page)
    for width in WIDTHS:
        if width != size["width"]:
            _resize(page, width)
            _no_findings(page.frames[-1], {"resultTypes": ["violations"]})
            fits(page)
    _resize(page, size["width"])


def _resize(page: Page, width: int) -> None:
    """Until it is painted: a click goes by where things were painted last, and one into a frame that has moved since is
    lost without an error."""
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": width, "height": size["height"]})
    for frame in {page.main_frame, page.frames[-1]}:
        frame.evaluate(PAINTED)


def _paint(page: Page, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # else colours take a while to change
    page.frames[-1].locator(f"html[data-bs-theme={scheme}]").wait_for()


def keep(page: Page, name: str) -> None:
    """The tool's own document as a picture, for who wants to look at it: SCREENSHOTS names a folder."""
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        width = (page.viewport_size or {"width": 0})["width"]
        page.frames[-1].locator("body").screenshot(path=Path(folder) / f"{name}-{width}.png")
