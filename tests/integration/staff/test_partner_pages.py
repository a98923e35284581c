"""The readiness board and the page of one university, for the coordinator."""

import re
from dataclasses import replace
from html import unescape
from uuid import UUID

import pytest
import sqlalchemy as sa

from series.rule import Rule
from series.store.sessions import add_series, save_import
from series.store.tables import deployment, platform, university
from series.store.universities import find_university
from tests.conftest import NOW, PUBLIC_URL
from tests.examples import SERIES, SESSION
from tests.integration.lti.workshop import text_of
from tests.integration.staff.desk import LMS_ADMIN, OURS, Desk, Office, path_of

BOARD, ADD = "/admin/partners/", "/admin/partners/add"
MALTA, VILNIUS = f"{BOARD}malta/", f"{BOARD}vilnius/"
FACTS = {"name": "Università ta' Malta", "country": "MT", "time_zone": "Europe/Malta", "language": "mt"}
NEW = {"name": "University of Zagreb", "country": "HR", "time_zone": "Europe/Zagreb", "language": "hr"}


@pytest.fixture
def office(office: Office) -> Office:
    """On the day of the first session."""
    office.jump(NOW - office.tool.clock.now())
    return office


def change(office: Office, statement: sa.Executable) -> None:
    with office.database.write() as connection:
        connection.execute(statement)


# The board


def test_the_board_says_of_every_university_what_it_has_and_lacks(signed_in: Desk) -> None:
    page = signed_in.get(BOARD).text
    words = " ".join(re.sub(r"<[^>]*>", " ", unescape(page)).split())
    assert "0 of 2 ready" in words
    assert "University of Malta ✗ missing nobody is invited ✗ missing registered, nobody has opened it yet" in words
    assert "Vilnius University ✓ ready Jonas Petraitis" in words
    assert "– nothing needed hosts nothing" in words


def test_what_the_coordinator_holds_up_comes_first(office: Office, signed_in: Desk) -> None:
    change(office, sa.update(platform).values(state="pending"))
    page = signed_in.get(BOARD).text
    first = re.search(r"What to do first:.*?<li>(.*?)</li>", page, re.DOTALL)
    assert first
    assert "Look at its registration, and approve it" in first[1]
    assert 'href="/admin/lms/malta/connect/"' in first[1]
    assert "registered, waits for your approval" in page


def test_every_gap_has_a_page_where_it_is_mended_and_a_text(signed_in: Desk) -> None:
    page = unescape(signed_in.get(BOARD).text)
    assert 'href="/admin/people/invite?university=malta"' in page
    assert f'href="/coordinator/series/autumn/sessions/{SESSION.session_id}"' in page
    assert signed_in.get(f"/coordinator/series/autumn/sessions/{SESSION.session_id}").status_code == 200
    assert "Dear colleagues at University of Malta,\n\nyour university takes part in “European STEM" in page
    assert "Dear Jonas Petraitis,\n\nyour LMS is not connected for “European STEM" in page
    assert f"{PUBLIC_URL}/admin/" in page
    assert re.findall(r'<button type="button" class="[^"]*" data-copy="text-malta-\w+"', page)


def test_the_invitation_from_the_board_is_filled_in(signed_in: Desk) -> None:
    page = signed_in.get("/admin/people/invite?university=malta").text
    assert '<option value="malta" selected>' in page
    assert re.search(r'value="lms_admin"[^>]* checked', page)


def test_only_those_that_are_not_ready_and_only_those_that_are_looked_for(signed_in: Desk) -> None:
    assert "Vilnius University</a>" not in signed_in.get(BOARD, query_string={"q": "MALTA"}).text
    assert "No university was found here." in signed_in.get(BOARD, query_string={"q": "nowhere"}).text
    assert "2 universities" in signed_in.get(BOARD, query_string={"gaps": "1"}).text


def test_where_several_series_run_one_is_chosen(office: Office, signed_in: Desk) -> None:
    newer = replace(SERIES, series_id=UUID(int=5), slug="spring", title="The spring series")
    session = replace(SESSION, session_id=UUID(int=6), series_id=newer.series_id, hosting_university_id=2)
    with office.database.write() as connection:
        add_series(connection, newer, rule=Rule(), now=NOW)
        new = [(session, ("uid", session.start_at))]
        save_import(connection, newer.series_id, new=new, changed=(), rekeyed=(), now=NOW)
    assert "The spring series" in text_of(signed_in.get(BOARD).text, "series")
    assert "Vilnius University: Name who hosts" in unescape(signed_in.get(BOARD).text)
    of_autumn = unescape(signed_in.get(BOARD, query_string={"series": "autumn"}).text)
    assert "Vilnius University: Name who hosts" not in of_autumn
    assert 'href="/admin/partners/vilnius/?series=autumn"' in of_autumn


def test_a_thousand_universities_are_shown_in_pages(office: Office, signed_in: Desk) -> None:
    row = {"country": "MT", "time_zone": "Europe/Malta", "language": "en"}
    many = [{"slug": f"u-{n}", "name": f"Another University {n:04}", **row} for n in range(1_000)]
    with office.database.write() as connection:
        connection.execute(sa.insert(university), many)
    page = signed_in.get(BOARD).text
    assert "0 of 1002 ready" in page
    assert "page 1 of 21" in page
    assert page.count("Another University") == signed_in.get(BOARD, query_string={"page": 2}).text.count("Another")
    assert "Vilnius University" in signed_in.get(BOARD, query_string={"page": 21}).text
    assert signed_in.get(BOARD, query_string={"page": 10**30}).status_code == 200


def test_a_series_that_is_not_there_is_the_newest_one(signed_in: Desk) -> None:
    page = signed_in.get(BOARD, query_string={"series": "nowhere"}).text
    assert "European STEM Workshop Series" in page


# Adding


def test_a_university_is_added_under_the_short_name_that_is_proposed(office: Office, signed_in: Desk) -> None:
    proposed = signed_in.send(ADD, ADD, **NEW, slug="")
    assert "Nothing is saved yet." in proposed.text
    assert 'id="slug" name="slug" type="text" value="zagreb"' in proposed.text
    assert path_of(signed_in.send(ADD, ADD, **NEW, slug="zagreb")) == f"{BOARD}zagreb/?saved=added"
    page = signed_in.get(f"{BOARD}zagreb/?saved=added").text
    assert "Added. Next, invite who administers its LMS." in page
    assert "University of Zagreb" in signed_in.get(BOARD).text
    assert ("staff 1", "add_university", '{"slug": "zagreb"}') in office.audit()


def test_another_short_name_is_taken_as_it_is_typed(office: Office, signed_in: Desk) -> None:
    assert path_of(signed_in.send(ADD, ADD, **NEW, slug="unizg")) == f"{BOARD}unizg/?saved=added"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"name": ""}, "Please enter the name"),
        ({"name": "a\0b"}, "Please enter the name"),
        ({"country": "Croatia"}, "Please choose the country."),
        ({"country": ""}, "Please choose the country."),
        ({"time_zone": "Europe"}, "Please choose a time zone"),
        ({"time_zone": "Mars/Phobos"}, "Please choose a time zone"),
        ({"time_zone": "../etc/passwd"}, "Please choose a time zone"),
        ({"time_zone": "\0"}, "Please choose a time zone"),
        ({"language": "croatian"}, "Please enter the letters of the language"),
        ({"slug": "Zagreb!"}, "Please use small letters"),
        ({"slug": "-"}, "Please use small letters"),
        ({"slug": "x" * 65}, "Please use small letters"),
        ({"slug": "malta"}, "Another university has this short name already."),
    ],
    ids=str,
)
def test_what_does_not_do_is_explained_and_nothing_is_added(
    office: Office, signed_in: Desk, changes: dict[str, str], fault: str
) -> None:
    before = office.audit()
    answer = signed_in.send(ADD, ADD, **(NEW | {"slug": "zagreb"} | changes))
    assert (answer.status_code, fault in answer.text) == (422, True)
    assert office.audit() == before


# One university


def test_the_page_of_a_university_shows_its_people_its_lmss_and_where_to_go(signed_in: Desk) -> None:
    page = signed_in.get(VILNIUS).text
    for words in ("Jonas Petraitis", LMS_ADMIN, "None is registered yet.", "Not ready yet"):
        assert words in page
    for path in ("/admin/lms/vilnius/", "/admin/lms/vilnius/connect/", "/admin/people/invite?university=vilnius"):
        assert f'href="{path}"' in page
    page = signed_in.get(MALTA).text
    assert "https://lms.malta.example" in page
    assert "None has an account yet." in page


@pytest.mark.parametrize(
    ("state", "words"),
    [("active", "works"), ("pending", "waits for your approval"), ("disabled", "switched off"), ("rejected", "turned")],
)
def test_the_state_of_an_lms_is_said_in_words(office: Office, signed_in: Desk, state: str, words: str) -> None:
    change(office, sa.update(platform).values(state=state))
    listed = re.search(r'id="lms-title".*?</ul>', signed_in.get(MALTA).text, re.DOTALL)
    assert listed
    assert words in listed[0]


def test_facts_are_changed_and_written_down(office: Office, signed_in: Desk) -> None:
    assert path_of(signed_in.send(MALTA, f"{MALTA}facts", **FACTS)) == f"{MALTA}?saved=facts"
    with office.database.read() as connection:
        home = find_university(connection, "malta")
    assert (home.name, home.language) == (FACTS["name"], "mt")
    actor, action, detail = office.audit()[-1]
    assert (actor, action) == ("staff 1", "change_university")
    assert "time_zone" not in detail
    signed_in.send(MALTA, f"{MALTA}facts", **FACTS)
    assert office.audit()[-1][2] == detail, "what changes nothing is not written down"


def test_facts_that_do_not_do_are_explained(office: Office, signed_in: Desk) -> None:
    answer = signed_in.send(MALTA, f"{MALTA}facts", **(FACTS | {"time_zone": "Malta"}))
    assert (answer.status_code, "Please choose a time zone" in answer.text) == (422, True)
    with office.database.read() as connection:
        assert find_university(connection, "malta").name == "University of Malta"


def test_a_part_of_an_lms_that_waits_is_approved_by_one_click(office: Office, signed_in: Desk) -> None:
    change(office, sa.update(deployment).values(state="pending", first_seen_at=NOW, first_course="Physics <1>"))
    page = signed_in.get(MALTA).text
    assert "Physics &lt;1&gt;" in page
    assert path_of(signed_in.send(MALTA, f"{MALTA}deployments/1/approve")) == f"{MALTA}?saved=approved"
    assert "Waits for your approval" not in signed_in.get(MALTA).text
    assert office.audit()[-1][:2] == ("staff 1", "approve_deployment")


@pytest.mark.parametrize(("slug", "number"), [("vilnius", 1), ("malta", 99), ("malta", 10**30)])
def test_no_part_of_another_universitys_lms_is_approved(
    office: Office, signed_in: Desk, slug: str, number: int
) -> None:
    change(office, sa.update(deployment).values(state="pending", first_seen_at=NOW))
    data = {"form_token": signed_in.token(f"approve-deployment {number}")}
    answer = signed_in.post(f"{BOARD}{slug}/deployments/{number}/approve", data=data, headers=OURS)
    assert answer.status_code == 404
    with office.database.read() as connection:
        assert connection.execute(sa.select(deployment.c.state)).scalar_one() == "pending"


@pytest.mark.parametrize("slug", ["nowhere", "%00", "a%2Fb"])
def test_a_university_that_is_not_there_is_said_so(signed_in: Desk, slug: str) -> None:
    assert signed_in.get(f"{BOARD}{slug}/").status_code == 404
