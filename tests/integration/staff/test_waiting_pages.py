"""What waits for staff: the list on their first page, a line on the others, and whether it comes by mail."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from config.mail_server import read_mail_server
from series.plans import NOTHING
from series.store.held_plans import hold
from series.store.staff import wants_mail
from series.store.tables import gradebook_pause
from tests.conftest import NOW, make_settings
from tests.examples import SERIES
from tests.integration.staff.desk import LMS_ADMIN, Desk, Office, open_office

PLAN = "/coordinator/series/autumn/"


@pytest.fixture
def office(sqlite_url: str, tmp_path: Path) -> Iterator[Office]:
    """With a mail server."""
    settings = replace(
        make_settings(sqlite_url),
        clock_file=tmp_path / "clock",
        smtp_url=read_mail_server("smtp://localhost:25"),
        mail_from="sessions@example.org",
    )
    with open_office(settings) as opened:
        yield opened


def break_gradebook(office: Office) -> None:
    """Malta's."""
    values = {"platform_id": 1, "failures": 9, "failing_since": NOW.replace(year=2020), "until": NOW, "reason": "<No.>"}
    with office.database.write() as connection:
        connection.execute(sa.insert(gradebook_pause).values(**values))


def hold_plan(office: Office) -> None:
    with office.database.write() as connection:
        hold(connection, SERIES.series_id, NOTHING, None, (), source="", now=NOW)


def test_where_nothing_waits_the_first_page_says_so_and_the_others_nothing(signed_in: Desk) -> None:
    assert "Nothing waits for you." in signed_in.get("/admin/").text
    assert 'id="waits"' not in signed_in.get(PLAN).text


def test_the_first_page_lists_what_waits_with_the_way_there(office: Office, signed_in: Desk) -> None:
    break_gradebook(office)
    hold_plan(office)
    page = signed_in.get("/admin/").text
    assert "University of Malta: the gradebook of its LMS does not answer (malta)." in page
    assert '<span lang="en">&lt;No.&gt;</span>' in page
    assert f'href="{PLAN}held"' in page
    assert 'id="waits"' not in page, "the page itself shows all of it"


def test_other_pages_say_how_many_wait_elsewhere(office: Office, signed_in: Desk) -> None:
    break_gradebook(office)
    hold_plan(office)
    assert "2 things wait for you." in signed_in.get("/admin/password").text
    page = signed_in.get(f"{PLAN}rule/").text
    assert "2 things wait for you." in page
    assert 'href="/admin/#waiting"' in page
    assert "1 thing waits for you." in signed_in.get(PLAN).text, "the page shows the held plan itself"


def test_an_lms_admin_is_told_of_the_own_university_alone(office: Office, browser: Desk) -> None:
    """Of Vilnius."""
    browser.sign_in(LMS_ADMIN)
    break_gradebook(office)
    hold_plan(office)
    page = browser.get("/admin/").text
    assert "Nothing waits for you." in page
    assert "University of Malta" not in page


def test_mail_is_switched_off_and_on_by_who_gets_it(office: Office, signed_in: Desk) -> None:
    for wanted, words in (("no", "No mail is sent to you"), ("yes", "is also sent to you by mail")):
        assert signed_in.send("/admin/", "/admin/mail", wants_mail=wanted).status_code == 303
        assert words in signed_in.get("/admin/").text
        with office.database.read() as connection:
            assert wants_mail(connection, 1) is (wanted == "yes")
            assert wants_mail(connection, 2), "somebody else"
    assert signed_in.send("/admin/", "/admin/mail", wants_mail="perhaps").status_code == 400
    assert [actor for actor, action, _ in office.audit() if action == "choose_mail"] == ["staff 1"] * 2


def test_without_a_mail_server_mail_is_no_matter(sqlite_url: str, tmp_path: Path) -> None:
    with open_office(replace(make_settings(sqlite_url), clock_file=tmp_path / "clock")) as office:
        browser = office.new_browser()
        browser.sign_in()
        assert "by mail" not in browser.get("/admin/").text
