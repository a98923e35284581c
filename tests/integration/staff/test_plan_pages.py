"""The coordinator's pages: the plan of a series, what waits for a yes, and edits by hand."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from moodle_sync.import_series import import_series
from moodle_sync.services import Services, make_services
from series.rule import Rule
from series.sessions import Series, Session
from series.store.held_plans import find_held
from series.store.sessions import list_series, sessions_of
from tests.integration.coordinator import FIRST_AT, Entry, as_calendar, weekly
from tests.integration.staff.desk import LMS_ADMIN, OURS, Desk, Office, form_token

SERIES = Series(series_id=UUID(int=77), slug="plan", title="Spring series", time_zone="Europe/Berlin", source=None)
NEXT_YEAR = f"{FIRST_AT + timedelta(days=300):%Y-%m-%d}"
PLAN = "/coordinator/series/plan/"
HELD = "/coordinator/series/plan/held"


@pytest.fixture
def services(office: Office) -> Iterator[Services]:
    made = make_services(office.tool.settings)
    yield made
    made.http.close()
    made.database.dispose()


@pytest.fixture
def file(services: Services, tmp_path: Path) -> Path:
    """Six weeks, read once."""
    path = tmp_path / "series.ics"
    path.write_bytes(as_calendar(*weekly(6)))
    import_series(services, SERIES, str(path), rule_if_new=Rule(required=3))
    return path


@pytest.fixture
def desk(office: Office, file: Path) -> Desk:
    browser = office.new_browser()
    browser.sign_in()
    return browser


def changes_to(services: Services, file: Path, *entries: Entry) -> None:
    file.write_bytes(as_calendar(*entries))
    import_series(services, replace(SERIES, source=str(file)), str(file))


def sessions(office: Office) -> dict[str, Session]:
    with office.database.read() as connection:
        return {session.title: session for session in sessions_of(connection, SERIES.series_id)}


def page_of(office: Office, title: str) -> str:
    return f"/coordinator/series/plan/sessions/{sessions(office)[title].session_id}"


def send(desk: Desk, page: str, do: str, **fields: str) -> TestResponse:
    """The form `do` of a session's page."""
    shown = desk.get(page).text
    version = re.search(r'name="version" value="(\w+)"', shown)
    assert version
    data = {"form_token": form_token(shown, page), "version": version[1], "do": do} | fields
    return desk.post(page, data=data, headers=OURS)


def answer(desk: Desk, say: str) -> TestResponse:
    digest = re.search(r'name="digest" value="(\w+)"', desk.get(HELD).text)
    return desk.send(HELD, HELD, digest=digest[1] if digest else "", answer=say)


# Who may


@pytest.mark.parametrize("path", [PLAN, HELD, f"{PLAN}sessions/add"])
def test_only_a_coordinator_sees_the_plan(office: Office, file: Path, path: str) -> None:
    browser = office.new_browser()
    assert browser.get(path).status_code == 303
    browser.sign_in(LMS_ADMIN)
    assert browser.get(path).status_code == 403


@pytest.mark.parametrize(
    "path", ["/coordinator/series/nowhere/", "/coordinator/series/nowhere/held", f"{PLAN}sessions/{UUID(int=1)}"]
)
def test_what_is_not_there_is_not_found(desk: Desk, path: str) -> None:
    assert desk.get(path).status_code == 404


def test_a_session_of_another_series_is_not_edited_here(office: Office, desk: Desk) -> None:
    with office.database.read() as connection:
        first, *_ = list_series(connection)
        (other, *_) = sessions_of(connection, first.series_id)
    assert desk.get(f"{PLAN}sessions/{other.session_id}").status_code == 404


# The plan


def test_the_plan_shows_every_session_and_how_it_is_read(desk: Desk) -> None:
    page = desk.get(PLAN).text
    assert [f"Week {n}" in page for n in range(1, 7)] == [True] * 6
    assert "Last read whole on" in page
    assert "no join link yet" in page
    assert PLAN in desk.get("/admin/").text


def test_a_calendar_that_fails_is_shown_with_since_when_and_why(services: Services, file: Path, desk: Desk) -> None:
    file.write_bytes(b"<html>Please sign in</html>")
    with pytest.raises(Exception, match="calendar"):
        import_series(services, replace(SERIES, source=str(file)), str(file))
    page = desk.get(PLAN).text
    assert "It cannot be read since" in page
    assert "Week 1" in page


# What is held


def test_what_waits_is_listed_and_carried_out_on_yes(
    office: Office, services: Services, file: Path, desk: Desk
) -> None:
    changes_to(services, file, *weekly(6)[3:])
    assert "Changes wait for your yes" in desk.get(PLAN).text
    page = desk.get(HELD).text
    assert "It cancels several sessions." in page
    assert page.count('<span class="tag">Cancelled</span>') == 3
    done = answer(desk, "yes")
    assert (done.status_code, "accepted" in done.headers["Location"]) == (303, True)
    assert sum(session.is_cancelled for session in sessions(office).values()) == 3
    assert "Nothing waits" in desk.get(HELD).text
    assert office.audit()[-1][1] == "accept_plan"


def test_a_no_changes_nothing_and_can_be_taken_back(office: Office, services: Services, file: Path, desk: Desk) -> None:
    changes_to(services, file, *weekly(6)[3:])
    answer(desk, "no")
    assert not any(session.is_cancelled for session in sessions(office).values())
    assert "Changes wait" not in desk.get(PLAN).text
    assert "This was rejected" in desk.get(HELD).text
    answer(desk, "yes")
    assert sum(session.is_cancelled for session in sessions(office).values()) == 3


def test_a_guess_offers_both_ways_out(office: Office, services: Services, file: Path, desk: Desk) -> None:
    first, *others = weekly(6)
    changes_to(services, file, replace(first, uid="again", title="Something else"), *others)
    page = desk.get(HELD).text
    assert "The same session?" in page
    assert "If they are different sessions" in page
    answer(desk, "apart")
    assert sessions(office)["Week 1"].is_cancelled
    assert "Something else" in sessions(office)


def test_only_what_was_shown_is_accepted(office: Office, services: Services, file: Path, desk: Desk) -> None:
    changes_to(services, file, *weekly(6)[3:])
    refused = desk.send(HELD, HELD, digest="other", answer="yes")
    assert (refused.status_code, "please look at this list instead" in refused.text) == (409, True)
    office.jump(timedelta(days=8))
    desk.sign_in()
    refused = answer(desk, "yes")
    assert (refused.status_code, "Nothing was changed" in refused.text) == (409, True)
    with office.database.read() as connection:
        assert find_held(connection, SERIES.series_id)


@pytest.mark.parametrize("say", ["", "maybe"])
def test_an_answer_that_is_none_is_refused(services: Services, file: Path, desk: Desk, say: str) -> None:
    changes_to(services, file, *weekly(6)[3:])
    assert answer(desk, say).status_code == 400


def test_a_form_from_elsewhere_changes_nothing(office: Office, services: Services, file: Path, desk: Desk) -> None:
    changes_to(services, file, *weekly(6)[3:])
    data = {"digest": "x", "answer": "yes", "form_token": "x"}
    assert desk.post(HELD, data=data, headers=OURS).status_code == 403
    page = page_of(office, "Week 1")
    assert desk.post(page, data={"do": "cancel", "form_token": "x"}, headers=OURS).status_code == 403
    assert not any(session.is_cancelled for session in sessions(office).values())


# Edits by hand


def test_a_session_is_moved_cancelled_and_restored_by_hand(office: Office, desk: Desk) -> None:
    page = page_of(office, "Week 2")
    wall = sessions(office)["Week 2"].wall_start + timedelta(days=1)
    assert send(desk, page, "time", date=f"{wall:%Y-%m-%d}", start="18:30", end="20:00").status_code == 303
    moved = sessions(office)["Week 2"]
    assert (f"{moved.wall_start:%Y-%m-%d %H:%M}", moved.end_at - moved.start_at) == (
        f"{wall:%Y-%m-%d} 18:30",
        timedelta(minutes=90),
    )
    assert moved.moved_from_at is not None
    send(desk, page, "cancel")
    assert sessions(office)["Week 2"].is_cancelled
    send(desk, page, "restore")
    assert not sessions(office)["Week 2"].is_cancelled
    assert [action for _, action, _ in office.audit()[-3:]] == ["edit_time", "edit_cancel", "edit_restore"]
    shown = desk.get(PLAN).text
    assert '<span class="tag">By hand</span>' in shown
    assert '<span class="tag">Moved</span>' in shown


def test_what_was_edited_is_released_to_the_calendar(
    office: Office, services: Services, file: Path, desk: Desk
) -> None:
    page = page_of(office, "Week 2")
    send(desk, page, "cancel")
    changes_to(services, file, *weekly(6), Entry(title="Extra", start_at=FIRST_AT + timedelta(days=2)))
    assert sessions(office)["Week 2"].is_cancelled
    send(desk, page, "release", field="status")
    import_series(services, replace(SERIES, source=str(file)), str(file))
    assert not sessions(office)["Week 2"].is_cancelled


def test_universities_swap_their_sessions(office: Office, desk: Desk) -> None:
    one, other = page_of(office, "Week 1"), page_of(office, "Week 3")
    send(desk, one, "host", host="1")
    send(desk, other, "host", host="2")
    before = sessions(office)
    send(desk, one, "swap", other=str(before["Week 3"].session_id))
    after = sessions(office)
    assert after["Week 1"].hosting_university_id == before["Week 3"].hosting_university_id == 2
    assert after["Week 3"].hosting_university_id == before["Week 1"].hosting_university_id == 1


def test_words_and_join_link_are_saved(office: Office, desk: Desk) -> None:
    page = page_of(office, "Week 4")
    send(desk, page, "words", title="Διαπολιτισμικές προσεγγίσεις", description="Zwei\r\nZeilen <b>")
    send(desk, page, "join_url", join_url="https://meet.example/4")
    edited = sessions(office)["Διαπολιτισμικές προσεγγίσεις"]
    assert (edited.description, edited.join_url) == ("Zwei\nZeilen <b>", "https://meet.example/4")
    assert "Zeilen &lt;b&gt;" in desk.get(page).text


def test_co_hosts_and_guest_speakers_are_shown_to_everybody(
    office: Office, services: Services, file: Path, desk: Desk
) -> None:
    page = page_of(office, "Week 5")
    send(desk, page, "people", co_hosts="  Universität   Klagenfurt ", speakers="Dr. Ελένη <Παππά>")
    named = sessions(office)["Week 5"]
    assert (named.co_hosts, named.speakers) == ("Universität Klagenfurt", "Dr. Ελένη <Παππά>")
    public = office.new_browser().get(f"/s/{named.session_id}").text
    assert "Co-hosts: Universität Klagenfurt" in public
    assert "Guest speakers: Dr. Ελένη &lt;Παππά&gt;" in public
    changes_to(services, file, *weekly(6))
    assert sessions(office)["Week 5"].speakers == named.speakers


@pytest.mark.parametrize(
    ("do", "fields", "sentence"),
    [
        ("time", {"date": "2020-01-01", "start": "16:00", "end": "17:00"}, "in the past"),
        ("time", {"date": "soon", "start": "16:00", "end": "17:00"}, "a date and a start time"),
        ("time", {"date": NEXT_YEAR, "start": "16:00", "end": ""}, "an end time"),
        ("time", {"date": NEXT_YEAR, "start": "16:00", "end": "16:00"}, "lasts more than nothing"),
        ("time", {"date": "9999-12-31", "start": "16:00", "end": "17:00"}, "two years"),
        ("time", {"date": "0001-01-01", "start": "00:00", "end": "01:00"}, "in the past"),
        ("join_url", {"join_url": "javascript:alert(1)"}, "a whole https address"),
        ("words", {"title": " ", "description": ""}, "A title has"),
        ("host", {"host": "99"}, "no such university"),
        ("people", {"co_hosts": "x" * 501, "speakers": ""}, "at most 500"),
        ("swap", {"other": "x"}, "choose the session"),
    ],
)
def test_what_cannot_be_is_said_beside_its_form_and_keeps_what_was_typed(
    office: Office, desk: Desk, do: str, fields: dict[str, str], sentence: str
) -> None:
    before = sessions(office)
    refused = send(desk, page_of(office, "Week 1"), do, **fields)
    assert (refused.status_code, sentence in refused.text) == (422, True)
    assert sessions(office) == before


def test_an_edit_of_what_has_changed_meanwhile_is_not_saved(office: Office, desk: Desk) -> None:
    page = page_of(office, "Week 1")
    old = desk.get(page).text
    version = re.search(r'name="version" value="(\w+)"', old)
    assert version
    send(desk, page, "words", title="Newer", description="")
    data = {"form_token": form_token(old, page), "version": version[1], "do": "cancel"}
    refused = desk.post(page, data=data, headers=OURS)
    assert (refused.status_code, "Nothing was saved" in refused.text) == (409, True)
    assert not sessions(office)["Newer"].is_cancelled


def test_of_a_session_that_has_begun_only_the_link_and_the_hosts_can_be_changed(office: Office, desk: Desk) -> None:
    page = page_of(office, "Week 1")
    office.jump(timedelta(days=7, minutes=30))
    desk.sign_in()
    shown = desk.get(page).text
    assert "has begun" in shown
    assert re.findall(r'name="do" value="(\w+)"', shown) == ["join_url"]
    assert "Make a code to send" in shown
    office.jump(timedelta(days=7, hours=2))
    desk.sign_in()
    shown = desk.get(page).text
    assert "is over" in shown
    assert 'name="do"' not in shown
    assert "Make a code to send" not in shown


def test_a_session_is_edited_under_its_own_series_alone(office: Office, desk: Desk) -> None:
    with office.database.read() as connection:
        elsewhere = next(one.slug for one in list_series(connection) if one.slug != "plan")
    page = page_of(office, "Week 1")
    shown = desk.get(page).text
    version = re.search(r'name="version" value="(\w+)"', shown)
    assert version
    data = {"form_token": form_token(shown, page), "version": version[1], "do": "cancel"}
    refused = desk.post(page.replace("/plan/", f"/{elsewhere}/"), data=data, headers=OURS)
    assert refused.status_code == 404
    assert not sessions(office)["Week 1"].is_cancelled


def test_what_nobody_can_see_is_not_kept_in_a_title(office: Office, desk: Desk) -> None:
    send(desk, page_of(office, "Week 1"), "words", title="a\0b\u200ec", description="x\0\ny")
    assert sessions(office)["abc"].description == "x\ny"


def test_a_session_made_by_hand_cannot_be_released(office: Office, services: Services, file: Path, desk: Desk) -> None:
    add = f"{PLAN}sessions/add"
    desk.send(add, add, title="Extra", date=NEXT_YEAR, start="16:00", end="17:00")
    send(desk, page_of(office, "Extra"), "words", title="Extra 2", description="")
    assert 'value="release"' not in desk.get(page_of(office, "Extra 2")).text
    changes_to(services, file, *weekly(5))
    assert not sessions(office)["Extra 2"].is_cancelled


def test_an_unknown_edit_is_refused(office: Office, desk: Desk) -> None:
    assert send(desk, page_of(office, "Week 1"), "explode").status_code == 400


def test_a_session_is_added_by_hand(office: Office, desk: Desk) -> None:
    add = f"{PLAN}sessions/add"
    fields = {"title": "Extra", "date": NEXT_YEAR, "start": "23:00", "end": "00:30", "host": "1", "join_url": ""}
    assert desk.send(add, add, **fields).status_code == 303
    added = sessions(office)["Extra"]
    assert (added.end_at - added.start_at, added.hosting_university_id) == (timedelta(minutes=90), 1)
    refused = desk.send(add, add, **(fields | {"date": "2020-01-01"}))
    assert (refused.status_code, "in the past" in refused.text, 'value="Extra"' in refused.text) == (422, True, True)
