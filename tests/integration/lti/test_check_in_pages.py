"""The check-in as students and hosts meet it: more time, opening once more, and what a room is shown."""

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from series.store.tables import audit, check_in, evidence, participant, session
from series.store.universities import add_university
from tests.examples import SESSION
from tests.integration.lti.lms import Lms
from tests.integration.lti.tool import Browser, Login, ToolUnderTest
from tests.integration.lti.workshop import CODE, OF_SESSION, Workshop, open_workshop, text_of

CHECK_IN, MORE_TIME, OPEN = f"{OF_SESSION}check-in", f"{OF_SESSION}more-time", f"{OF_SESSION}code/"


@pytest.fixture
def workshop(tool: ToolUnderTest, browser: Browser, login: Login) -> Workshop:
    opened = open_workshop(tool, browser, login)
    opened.open_check_in()
    return opened


def test_the_page_of_a_refusal_refreshes_from_an_address_that_can_be_fetched(workshop: Workshop) -> None:
    refused = workshop.send(CHECK_IN, at="", code="1")
    assert (refused.status_code, "data-refresh=" in refused.text) == (422, True)
    (address,) = re.findall(r'data-refresh-from="([^"]+)"', refused.text)
    assert workshop.browser.get(address).status_code == 200


# More time


def test_who_asks_for_more_time_may_type_the_code_twenty_minutes_longer(workshop: Workshop) -> None:
    token = workshop.token(CHECK_IN, at="")
    assert workshop.send(MORE_TIME, at="").status_code == 303
    assert "the code is accepted from you until" in workshop.page()
    workshop.tool.jump(timedelta(minutes=24))
    assert "the code is accepted from you until" in workshop.page()
    assert workshop.post(CHECK_IN, token, code=CODE).status_code == 303
    assert "You are checked in" in workshop.page()


def test_after_the_longer_time_the_code_is_late_for_them_as_well(workshop: Workshop) -> None:
    token = workshop.token(CHECK_IN, at="")
    workshop.send(MORE_TIME, at="")
    workshop.tool.jump(timedelta(minutes=25))
    answer = workshop.post(CHECK_IN, token, code=CODE)
    assert (answer.status_code, "its five minutes are over" in answer.text) == (422, True)


def test_asking_twice_for_more_time_changes_nothing(workshop: Workshop) -> None:
    token = workshop.token(MORE_TIME, at="")
    workshop.post(MORE_TIME, token)
    before = workshop.tool.rows()
    assert "I need more time" not in workshop.page()
    workshop.tool.jump(timedelta(minutes=4))
    assert workshop.post(MORE_TIME, token).status_code == 303
    workshop.tool.jump(timedelta(minutes=24))
    assert workshop.post(MORE_TIME, token).status_code == 303
    assert workshop.tool.rows() == before


def test_more_time_is_for_the_one_who_asked(workshop: Workshop, malta: Lms) -> None:
    workshop.send(MORE_TIME, at="")
    neighbour = workshop.tool.new_browser()
    login = neighbour.begin_login(malta)
    page = neighbour.get(neighbour.open_visit(login, login.id_token({"sub": "student-6"}))).text
    assert "the code is accepted from you until" not in page
    assert "I need more time" in page


def test_more_time_is_not_given_when_the_check_in_has_closed(workshop: Workshop) -> None:
    token, before = workshop.token(MORE_TIME, at=""), workshop.tool.rows()
    workshop.tool.jump(timedelta(minutes=6))
    answer = workshop.post(MORE_TIME, token)
    assert (answer.status_code, workshop.tool.rows()) == (422, before)
    assert "More time can be asked for while the check-in is open" in answer.text


# Cancelled, and moved


def change(workshop: Workshop, **values: Any) -> None:
    with workshop.tool.database.write() as connection:
        connection.execute(sa.update(session).values(**values))


@pytest.mark.parametrize("action", [CHECK_IN, MORE_TIME])
def test_nobody_checks_in_to_a_cancelled_session(workshop: Workshop, action: str) -> None:
    token = workshop.token(action, at="")
    change(workshop, status="cancelled")
    before = workshop.tool.rows()
    answer = workshop.post(action, token, code=CODE)
    assert (answer.status_code, workshop.tool.rows()) == (409, before)
    assert "This session was cancelled, so nobody can check in" in answer.text
    assert 'name="code"' not in workshop.page() + workshop.page(OF_SESSION)


@pytest.mark.parametrize("action", [CHECK_IN, MORE_TIME])
def test_a_check_in_from_before_the_session_was_moved_is_open_to_nobody(workshop: Workshop, action: str) -> None:
    workshop.become_host()
    token = workshop.token(action, at="")
    week = timedelta(days=7)
    change(workshop, start_at=workshop.began_at + week, end_at=workshop.began_at + week + timedelta(hours=2))
    before = workshop.tool.rows()
    answer = workshop.post(action, token, code=CODE)
    assert (answer.status_code, workshop.tool.rows()) == (422, before)
    assert "not open now" in answer.text
    assert 'name="code"' not in workshop.page() + workshop.page(OF_SESSION)
    assert f"{CODE[:3]} {CODE[3:]}" not in workshop.page(OPEN)


# The host


@pytest.fixture
def host(workshop: Workshop) -> Workshop:
    workshop.become_host()
    return workshop


def openings(workshop: Workshop) -> list[tuple[str, str | None]]:
    """(code, reason), the first first."""
    with workshop.tool.database.read() as connection:
        rows = connection.execute(sa.select(check_in).order_by(check_in.c.id)).all()
    return [(row.code, row.reason) for row in rows]


def test_the_room_sees_the_code_and_no_number_of_fewer_than_five(host: Workshop) -> None:
    page = host.page(OPEN)
    assert f"{CODE[:3]} {CODE[3:]}" in page
    assert text_of(page, "turnout") == (
        "How many people have checked in is hidden to protect small groups (fewer than 5)."
    )


@pytest.mark.parametrize(
    ("abroad", "words"),
    [
        (5, "At least 15 people have checked in · from at least 2 countries"),
        (1, "At least 10 people have checked in · from at least 1 country"),
    ],
)
def test_dpo_08_the_room_sees_how_many_in_steps_and_no_country_of_few(host: Workshop, abroad: int, words: str) -> None:
    with host.tool.database.write() as connection:
        third = add_university(
            connection, slug="third", name="Third", country="MT", time_zone="Europe/Malta", language="en"
        )
        for number in range(10 + abroad):
            of = 1 if number < 5 else third if number < 10 else 2
            person = {"university_id": of, "issuer": "i", "sub": f"s{number}", "created_at": host.began_at}
            added = connection.execute(sa.insert(participant).values(person).returning(participant.c.id)).scalar_one()
            fact = {"participant_id": added, "session_id": SESSION.session_id, "kind": "code", "source": "check-in"}
            times = {"observed_at": host.began_at, "recorded_at": host.began_at}
            connection.execute(sa.insert(evidence).values(**fact, **times, source_id="1"))
    assert text_of(host.page(OPEN), "turnout") == words


def test_a_second_opening_needs_a_reason_which_is_kept(host: Workshop) -> None:
    host.tool.jump(timedelta(minutes=6))
    token = host.page(OPEN).split('name="form_token" value="')[1].split('"')[0]
    for reason in ("", " \0 "):
        refused = host.post(OPEN, token, reason=reason)
        assert (refused.status_code, len(openings(host))) == (422, 1)
        assert "Please write why it is opened once more" in refused.text
    assert host.post(OPEN, token, reason="x" * 501).status_code == 422
    assert host.post(OPEN, token, reason="The sound was gone.").status_code == 303
    (_, (code, reason)) = openings(host)
    assert (code != CODE, reason) == (True, "The sound was gone.")
    with host.tool.database.read() as connection:
        (noted,) = connection.execute(sa.select(audit).where(audit.c.action == "open_check_in")).all()
    assert (noted.actor, "The sound was gone." in noted.detail) == (f"participant {host.participant_id}", True)
    assert f"{code[:3]} {code[3:]}" in host.page(OPEN)


@pytest.mark.parametrize(("minutes", "status"), [(110 + 59, 303), (110 + 61, 409)])
def test_it_may_be_opened_once_more_until_an_hour_after_the_end(host: Workshop, minutes: int, status: int) -> None:
    host.tool.jump(timedelta(minutes=6))
    token = host.page(OPEN).split('name="form_token" value="')[1].split('"')[0]
    host.tool.jump(timedelta(minutes=minutes))
    assert host.post(OPEN, token, reason="Late.").status_code == status
    assert len(openings(host)) == (2 if status == 303 else 1)


def test_pressing_while_it_is_open_opens_no_second_one(host: Workshop) -> None:
    host.tool.jump(timedelta(minutes=6))
    token = host.page(OPEN).split('name="form_token" value="')[1].split('"')[0]
    for _ in range(2):
        assert host.post(OPEN, token, reason="Again.").status_code == 303
    assert len(openings(host)) == 2


def test_who_does_not_host_opens_nothing(workshop: Workshop) -> None:
    assert workshop.browser.get(workshop.path + OPEN).status_code == 403


def test_a_code_after_the_end_is_taken_when_the_check_in_was_opened_once_more(workshop: Workshop) -> None:
    workshop.open_check_in("111222", at=timedelta(minutes=120))
    workshop.tool.jump(timedelta(minutes=121))
    assert workshop.send(CHECK_IN, at="", code="111 222").status_code == 303
    assert len(workshop.facts()) == 1
