"""The coordinator reads who saw and did what, and records the contract by which named data may cross a border."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from series.store.audit import append_audit
from series.store.universities import add_university
from tests.browser.classroom import Classroom
from tests.browser.people import NARROW, keep, tool_looks_right
from tests.browser.test_partners import sign_in

pytestmark = pytest.mark.browser
SIZES = (NARROW, 768, 1280)
LONG_NAME = "Donaudampfschifffahrtsgesellschaftshochschule · Πανεπιστήμιο Διαπολιτισμικών Σπουδών"


@pytest.fixture(scope="module")
def busy(classroom: Classroom) -> Classroom:
    """More lines than one page has, the newest with much to say."""
    with classroom.services.database.write() as connection:
        for number in range(60):
            thing = f"series {classroom.running}" if number % 2 else f"participant {number}"
            append_audit(connection, actor=f"participant {number}", action="see_pooled", thing=thing, now=classroom.now)
        append_audit(
            connection,
            actor="operator",
            action="export_completions",
            thing=f"series {classroom.running}",
            now=classroom.now,
            left_out="jonkoping-university-of-applied-sciences,ankara",
            university="mathematisch-naturwissenschaftliche-hochschule",
        )
        add_university(
            connection, slug="ankara", name=LONG_NAME, country="TR", time_zone="Europe/Istanbul", language="tr"
        )
    return classroom


@pytest.mark.parametrize("width", SIZES)
def test_dpo_15_the_coordinator_finds_who_saw_what(busy: Classroom, new_page: Callable[..., Page], width: int) -> None:
    page = new_page(width)
    sign_in(page, busy)
    page.get_by_role("link", name="Record", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Who saw and did what")
    expect(page.get_by_role("table")).to_contain_text("export completions")
    tool_looks_right(page)
    keep(page, "record")
    page.get_by_label("By whom or to what").fill("participant 12")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("table").get_by_role("row")).to_have_count(2)
    tool_looks_right(page)
    page.get_by_label("By whom or to what").fill("nobody")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Show all").click()
    page.get_by_role("link", name="Older lines").click()
    expect(page.get_by_role("link", name="The newest lines")).to_be_visible()
    tool_looks_right(page)
    page.goto(f"{busy.tool_url}/admin/audit/?since=yesterday")
    expect(page.get_by_role("alert")).to_be_visible()
    tool_looks_right(page)


@pytest.mark.parametrize("width", SIZES)
def test_dpo_20_a_contract_is_recorded_and_withdrawn(
    busy: Classroom, new_page: Callable[..., Page], width: int
) -> None:
    page = new_page(width)
    sign_in(page, busy)
    page.goto(f"{busy.tool_url}/admin/partners/ankara/privacy/")
    expect(page.get_by_role("main")).to_contain_text("Named data do not cross the border.")
    tool_looks_right(page)
    keep(page, "instrument")
    page.get_by_label("Which contract").fill(" x ")
    page.get_by_role("button", name="Record it").click()
    expect(page.get_by_role("alert")).to_be_visible()
    tool_looks_right(page)
    page.get_by_label("Which contract").fill("Standardvertragsklauseln-Unterzeichnungsniederschrift, " * 5)
    page.get_by_role("button", name="Record it").click()
    expect(page.get_by_role("status")).to_contain_text("Named data may cross the border")
    tool_looks_right(page)
    page.get_by_role("button", name="Withdraw it").click()
    expect(page.get_by_role("status")).to_contain_text("stay within the country")
    tool_looks_right(page)
