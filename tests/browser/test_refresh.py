"""The part of a page that moves is fetched again, without taking anything from who uses it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route

APP = Path(__file__).parents[2] / "lti_tool/static/app.js"
TOOL = "http://tool.example"
A_WHILE = 16_000  # ms on the page's clock: longer than from one refresh to the next
BODY = """<!doctype html><html lang="en"><body>
<section id="now" data-refresh="{number}" data-refresh-from="/week/">
  <a class="join" href="#meeting">Join</a><input id="code" value="12">
  <form method="post" action="/check-in"><button>Check in</button></form><p id="number">{number}</p>
</section><p id="outside">Outside</p><script>{script}</script>"""


class Pages:
    """A site whose fragment is another one each time."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def answer(self, route: Route) -> None:
        self.asked.append(f"{route.request.method} {route.request.url.removeprefix(TOOL)}")
        body = BODY.format(number=len(self.asked), script=APP.read_text())
        status = 422 if route.request.method == "POST" else 200
        route.fulfill(status=status, content_type="text/html", body=body)


@pytest.fixture
def pages() -> Pages:
    return Pages()


@pytest.fixture
def page(browser: Browser, pages: Pages) -> Iterator[Page]:
    with browser.new_context() as context:
        opened = context.new_page()
        opened.clock.install()
        opened.route("**/*", pages.answer)
        opened.goto(f"{TOOL}/week/")
        yield opened


def wait_for_refresh(page: Page, pages: Pages) -> None:
    with page.expect_response("**/week/"):
        page.clock.run_for(A_WHILE)
    page.locator("#number", has_text=str(len(pages.asked))).wait_for()


@pytest.mark.parametrize("focused", [".join", "form button"])
def test_a_link_or_button_that_has_the_focus_keeps_it(page: Page, pages: Pages, focused: str) -> None:
    page.focus(focused)
    wait_for_refresh(page, pages)
    assert page.evaluate("selector => document.activeElement === document.querySelector(selector)", focused)


@pytest.mark.parametrize("use", [lambda page: page.focus("#code"), lambda page: page.fill("#code", "123")])
def test_where_somebody_types_nothing_is_replaced(page: Page, pages: Pages, use: Callable[[Page], None]) -> None:
    use(page)
    page.clock.run_for(A_WHILE)
    page.evaluate("fetch('/the-next-request')")
    assert pages.asked[1:] == ["GET /the-next-request"]


def test_the_answer_to_a_form_is_refreshed_from_the_page_that_has_it(page: Page, pages: Pages) -> None:
    page.click("form button")
    page.wait_for_url(f"{TOOL}/check-in")
    wait_for_refresh(page, pages)
    assert pages.asked[-2:] == ["POST /check-in", "GET /week/"]
