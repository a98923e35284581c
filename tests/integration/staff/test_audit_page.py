"""The record of who saw and did what, on the coordinator's page."""

import pytest

from series.store.audit import append_audit
from tests.conftest import NOW
from tests.integration.staff.desk import LMS_ADMIN, Desk, Office

AUDIT = "/admin/audit/"


def append(office: Office, actor: str, thing: str, **detail: str | int) -> None:
    with office.database.write() as connection:
        append_audit(connection, actor=actor, action="see_course", thing=thing, now=NOW, **detail)


def test_dpo_15_the_coordinator_sees_who_did_what(office: Office, signed_in: Desk) -> None:
    append(office, "participant 7", "course 3", people=12)
    page = signed_in.get(AUDIT).text
    for words in ("participant 7", "course 3", "see course", "people: 12", "24 November 2026, 15:10"):
        assert words in page
    assert "Maria Borg (staff " in page  # who has signed in


def test_dpo_15_who_looks_is_written_down_too(office: Office, signed_in: Desk) -> None:
    signed_in.get(AUDIT)
    assert [row[1] for row in office.audit()][-1] == "see_audit"


def test_only_what_is_asked_for_is_shown(office: Office, signed_in: Desk) -> None:
    append(office, "participant 7", "course 3")
    append(office, "participant 8", "course 4")
    page = signed_in.get(AUDIT, query_string={"about": "course 4", "since": "2026-11-24", "until": "2026-11-24"}).text
    assert "participant 8" in page
    assert '<td role="cell" data-label="By whom" lang="en">participant 7' not in page
    none = signed_in.get(AUDIT, query_string={"about": "course 4", "until": "2026-11-23"}).text
    assert "Nothing of this is there." in none


def test_long_records_are_shown_in_pages(office: Office, signed_in: Desk) -> None:
    for number in range(60):
        append(office, "participant 7", f"course {number}")
    newest = signed_in.get(AUDIT).text
    assert "course 59<" in newest
    assert "course 3<" not in newest
    before = newest.rpartition("before=")[2].partition('"')[0].partition("&")[0]
    assert "course 3<" in signed_in.get(AUDIT, query_string={"before": before}).text


@pytest.mark.parametrize("name", ["since", "until"])
@pytest.mark.parametrize("day", ["tomorrow", "2026-13-01", "9999-12-31x", "\0"])
def test_a_day_that_is_none_is_said_to_be_so(signed_in: Desk, name: str, day: str) -> None:
    answer = signed_in.get(AUDIT, query_string={name: day})
    assert answer.status_code == (200 if day == "\0" else 422)


@pytest.mark.parametrize(
    "query", [{"before": "x"}, {"before": "-1"}, {"before": "9" * 40}, {"until": "9999-12-31"}, {"action": "'; --"}]
)
def test_no_address_breaks_the_page(signed_in: Desk, query: dict[str, str]) -> None:
    assert signed_in.get(AUDIT, query_string=query).status_code in {200, 422}


def test_an_lms_admin_does_not_see_it(office: Office) -> None:
    browser = office.new_browser()
    browser.sign_in(LMS_ADMIN)
    assert browser.get(AUDIT).status_code == 403
    assert "/admin/audit/" not in browser.get("/admin/").text
