"""The meeting on the public page, behind the coordinator's passphrase."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from series.limits import PASSPHRASES
from series.sessions import Series, Session
from series.store.limits import take
from series.store.sessions import change_session, find_series, list_series, passphrase_of, sessions_of
from series.store.tables import evidence, series, visit
from tests.integration.staff.desk import LMS_ADMIN, Desk, Office

PASSPHRASE = "Quiet mountain  lake"
JOIN_URL = "https://meet.example/fallback"


@pytest.fixture
def shown(office: Office) -> Series:
    with office.database.read() as connection:
        return list_series(connection)[0]


@pytest.fixture
def running(office: Office, shown: Series) -> Session:
    """One that runs now, by the tool's clock."""
    now = office.tool.clock.now()
    with office.database.write() as connection:
        session = replace(
            sessions_of(connection, shown.series_id)[0],
            start_at=now - timedelta(minutes=5),
            end_at=now + timedelta(hours=1),
            join_url=JOIN_URL,
        )
        change_session(connection, session, by="staff 1", now=now)
    return session


@pytest.fixture
def desk(office: Office) -> Desk:
    browser = office.new_browser()
    browser.sign_in()
    return browser


def set_it(desk: Desk, shown: Series, passphrase: str = PASSPHRASE) -> TestResponse:
    page = f"/coordinator/series/{shown.slug}/"
    return desk.send(page, f"{page}passphrase", passphrase=passphrase)


def says(office: Office, session: Session, passphrase: str) -> TestResponse:
    return office.new_browser().post(f"/s/{session.session_id}", data={"passphrase": passphrase})


def test_without_a_passphrase_the_page_leads_to_no_meeting(office: Office, running: Session) -> None:
    page = office.new_browser().get(f"/s/{running.session_id}").text
    assert "passphrase" not in page
    assert JOIN_URL not in page
    answer = says(office, running, "")
    assert (answer.status_code, JOIN_URL in answer.text) == (422, False)


@pytest.mark.parametrize("typed", [PASSPHRASE, "quiet MOUNTAIN lake", "  quiet mountain lake "])
def test_who_knows_it_is_shown_the_meeting_and_is_not_checked_in(
    office: Office, desk: Desk, shown: Series, running: Session, typed: str
) -> None:
    assert set_it(desk, shown).status_code == 303
    page = office.new_browser().get(f"/s/{running.session_id}").text
    assert 'name="passphrase"' in page
    assert JOIN_URL not in page
    answer = says(office, running, typed)
    assert (answer.status_code, f'href="{JOIN_URL}"' in answer.text) == (200, True)
    assert answer.headers["Cache-Control"] == "no-store"
    with office.database.read() as connection:
        counts = [
            connection.execute(sa.select(sa.func.count()).select_from(each)).scalar_one() for each in (evidence, visit)
        ]
    assert counts == [0, 0]


@pytest.mark.parametrize("typed", ["", "quiet mountain", "quiet mountain lakes", "\0", "x" * 10_000])
def test_another_word_is_refused(office: Office, desk: Desk, shown: Series, running: Session, typed: str) -> None:
    set_it(desk, shown)
    answer = says(office, running, typed)
    assert (answer.status_code, JOIN_URL in answer.text) == (422, False)


def test_the_meetings_address_is_shown_nowhere_else(office: Office, running: Session) -> None:
    """Zoom, Google and Teams write it into the description, with its passcode."""
    link = "https://zoom.example/j/123?pwd=secret"
    invitation = replace(
        running,
        join_url=link,
        title=f"Workshop {link}",
        description=f"Bring a pen.\nJoin Zoom Meeting\n{link}\nzoom.example/j/123?pwd=secret",
        speakers=f"Bob, {link}",
    )
    with office.database.write() as connection:
        change_session(connection, invitation, by="staff 1", now=office.tool.clock.now())
    page = office.new_browser().get(f"/s/{running.session_id}").text
    assert "Bring a pen." in page
    assert "zoom.example" not in page


def test_before_and_after_the_session_there_is_no_meeting(
    office: Office, desk: Desk, shown: Series, running: Session
) -> None:
    set_it(desk, shown)
    office.jump(timedelta(hours=-1))
    early = says(office, running, PASSPHRASE)
    assert (early.status_code, "15 minutes before" in early.text, JOIN_URL in early.text) == (409, True, False)
    office.jump(timedelta(hours=2))
    assert JOIN_URL not in says(office, running, PASSPHRASE).text
    assert 'name="passphrase"' not in office.new_browser().get(f"/s/{running.session_id}").text


def test_guesses_are_counted(office: Office, desk: Desk, shown: Series, running: Session) -> None:
    set_it(desk, shown)
    assert says(office, running, "wrong").status_code == 422
    in_a_minute = office.tool.clock.now() + timedelta(minutes=1)  # however long a busy machine takes for the rest
    with office.database.write() as connection:
        others = 0
        while not take(connection, f"passphrase {shown.series_id}", PASSPHRASES, now=in_a_minute):
            others += 1
    assert others == 600
    assert says(office, running, "wrong").status_code == 429
    limited = says(office, running, PASSPHRASE)
    assert (limited.status_code, JOIN_URL in limited.text) == (429, False)
    assert limited.headers["Retry-After"]


def test_it_is_sealed_in_the_database_and_taken_away_by_an_empty_one(office: Office, desk: Desk, shown: Series) -> None:
    set_it(desk, shown)
    with office.database.read() as connection:
        assert "mountain" not in connection.execute(sa.select(series.c.passphrase_sealed)).scalars().all()[0]
        kept = passphrase_of(connection, shown.series_id, office.tool.settings.encryption_key)
    assert kept == "Quiet mountain lake"
    assert f'value="{kept}"' in desk.get(f"/coordinator/series/{shown.slug}/").text
    set_it(desk, shown, "")
    with office.database.read() as connection:
        assert passphrase_of(connection, shown.series_id, office.tool.settings.encryption_key) is None
        assert find_series(connection, shown.slug) == shown
    assert [action for _, action, _ in office.audit()[-2:]] == ["set_passphrase", "drop_passphrase"]


@pytest.mark.parametrize("typed", ["short", "x" * 101, "\u200b" * 20])
def test_a_bad_passphrase_is_refused(desk: Desk, shown: Series, typed: str) -> None:
    refused = set_it(desk, shown, typed)
    assert (refused.status_code, "10 to 100 characters" in refused.text) == (422, True)


def test_only_a_coordinator_sets_it(office: Office, shown: Series) -> None:
    browser = office.new_browser()
    browser.sign_in(LMS_ADMIN)
    assert browser.get(f"/coordinator/series/{shown.slug}/").status_code == 403


def test_a_session_that_is_not_there_is_not_found(office: Office) -> None:
    assert office.new_browser().post(f"/s/{UUID(int=1)}", data={"passphrase": "x"}).status_code == 404
