"""The privacy notice and the documents of a data-protection officer, as anybody finds them; and the coordinator's page
of named data that would cross a border."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.classroom import Classroom
from tests.browser.people import NARROW, tool_looks_right, tool_looks_right_at_every_width
from tests.browser.test_partners import sign_in

pytestmark = pytest.mark.browser


def test_dpo_02_from_the_first_page_to_the_data_map(classroom: Classroom, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto(f"{classroom.tool_url}/")
    with page.expect_popup() as opened:
        page.get_by_role("contentinfo").get_by_role("link", name="Privacy").click()
    notice = opened.value
    expect(notice.get_by_role("heading", level=1)).to_have_text("Privacy notice")
    tool_looks_right_at_every_width(notice)
    notice.get_by_role("link", name="Data map").click()
    expect(notice.get_by_role("rowheader", name="participant.sub", exact=True)).to_be_visible()
    tool_looks_right_at_every_width(notice)
    notice.get_by_role("link", name="For data-protection officers").click()
    expect(notice.get_by_role("heading", level=1)).to_have_text("For data-protection officers")
    tool_looks_right_at_every_width(notice)
    documents = notice.locator("main a[href^='/privacy/bundle/']").filter(has_not_text=re.compile("JSON|CSV"))
    titles = [title.strip() for title in documents.all_inner_texts()]
    assert len(titles) >= 8, titles
    for title in titles:
        notice.get_by_role("main").get_by_role("link", name=title, exact=True).click()
        expect(notice.get_by_role("heading", level=1)).to_have_text(title)
        tool_looks_right_at_every_width(notice)
        notice.go_back()


def test_dpo_20_the_page_of_the_instrument_says_what_holds(classroom: Classroom, new_page: Callable[..., Page]) -> None:
    page = new_page(NARROW)
    sign_in(page, classroom)
    page.goto(f"{classroom.tool_url}/admin/partners/malta/privacy/")
    expect(page.get_by_role("main")).to_contain_text("Nothing needs to be recorded.")
    tool_looks_right(page)
