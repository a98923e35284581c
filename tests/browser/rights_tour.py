"""What a person may demand, and what the coordinator records for it: the part of `make screenshots` that moves and
erases somebody."""

from collections.abc import Callable
from functools import partial
from itertools import cycle

from playwright.sync_api import FrameLocator, Page

from tests.browser.conftest import Demo
from tests.browser.people import open_in_frame, sign_in

Take = Callable[..., None]
MOVER, TYPIST, ERASED = "Živilė Žukauskienė", "Rūta Kazlauskaitė", "Luke Farrugia"
TAKERS = ("Ġorġ Ħaber", "Żaren Camilleri")  # in turn: each may try five codes
CONTRACT = (
    "Standardvertragsklauseln der Europäischen Kommission (Datenübermittlungsvereinbarungsentwurf, Fassung vom"
    " 3. November) · Τυποποιημένες συμβατικές ρήτρες, υπογεγραμμένες από όλα τα πανεπιστήμια"
)
DOCUMENTS = ("retention", "essence", "arrangement", "assessment", "record", "processors", "security")


def tour_of_rights(demo: Demo, take: Take, page: Page) -> None:
    """`take`: pictures at every width. `page`: in which things are done once."""
    frame = _my_data(page, demo.vilnius, MOVER)
    frame.get_by_role("button", name="Make a code here").click()
    code = frame.locator("#code-shown").inner_text()
    whole = partial(take, whole=True)
    whole("my-data-whole", lambda page: _my_data_in_a_tab(page, demo.vilnius, MOVER))
    takers = cycle(TAKERS)
    whole("my-data-move", lambda page: _types_code(_my_data_in_a_tab(page, demo.malta, next(takers)), code))
    take("my-data-code-wrong", lambda page: _types_code(_my_data_in_a_tab(page, demo.vilnius, TYPIST), "7KX2-M9QT"))
    page.context.clear_cookies()
    erasing = _my_data_in_a_tab(page, demo.malta, ERASED)
    erasing.get_by_role("link", name="Erase everything").click()
    erasing.get_by_role("checkbox").check()
    erasing.get_by_role("button", name="Erase everything").click()
    erasing.get_by_role("status").wait_for()
    take("start-again", lambda page: _open_in_a_tab(page, demo.malta, ERASED))
    for name in DOCUMENTS:
        whole(f"privacy-{name}", lambda page, at=name: page.goto(f"{demo.tool}/privacy/bundle/{at}/"))


def tour_of_borders(demo: Demo, open_at: Callable[[str, Page], None], take: Take, page: Page) -> None:
    """`open_at`: an address as the coordinator."""
    address = f"{demo.tool}/admin/partners/ankara/privacy/"
    take("staff-border-inside", partial(open_at, f"{demo.tool}/admin/partners/malta/privacy/"))
    take("staff-border", partial(open_at, address))
    open_at(address, page)
    page.get_by_label("Which contract").fill(CONTRACT)
    page.get_by_role("button", name="Record it").click()
    page.get_by_text("Recorded.").wait_for()
    take("staff-border-recorded", partial(open_at, address))
    take("staff-record-refused", partial(open_at, f"{demo.tool}/admin/audit/?since=yesterday"))


def _my_data(page: Page, lms: str, name: str) -> FrameLocator:
    sign_in(page, lms, name)
    frame = open_in_frame(page)
    frame.get_by_role("link", name="My data").click()
    frame.get_by_role("heading", name="Who you are here").wait_for()
    return frame


def _open_in_a_tab(page: Page, lms: str, name: str) -> None:
    page.context.clear_cookies()
    sign_in(page, lms, name)
    page.goto(f"{lms}/launch/2")


def _my_data_in_a_tab(page: Page, lms: str, name: str) -> Page:
    _open_in_a_tab(page, lms, name)
    page.get_by_role("link", name="My data").first.click()
    page.get_by_role("heading", name="Who you are here").wait_for()
    return page


def _types_code(page: Page, code: str) -> None:
    page.get_by_label("Or enter a code").fill(code)
    page.get_by_role("button", name="Show what would move").click()
    page.locator("#what-moves").or_(page.get_by_role("alert")).first.wait_for()
