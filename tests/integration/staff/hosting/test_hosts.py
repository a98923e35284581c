"""The coordinator's page of the hosts of a session."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from series.hosts import CameAs
from series.people import Visit
from series.sessions import Session
from series.store.borders import record_instrument
from series.store.host_invitations import invitations_of, use_invitation
from series.store.hosts import ask_to_host
from series.store.sessions import change_session
from series.store.tables import university
from series.store.visits import find_visit
from tests.examples import SERIES, VILNIUS
from tests.integration.staff.desk import LMS_ADMIN, OURS, Desk, Office, form_token
from tests.integration.staff.hosting.pages import follow, page_of


def is_host(office: Office, visit: Visit, session: Session) -> bool:
    with office.database.read() as connection:
        found = find_visit(connection, visit.visit_id, now=datetime.now(UTC))
    assert found is not None
    return session.session_id in found.visit.hosted_session_ids


def test_a_named_host_gets_a_text_with_a_code_that_is_shown_again(signed_in: Desk, ahead: Session) -> None:
    page = page_of(ahead)
    shown = follow(signed_in, signed_in.send(page, f"{page}/hosts/invite", label=" Prof.  Borg\x00 "))
    (code,) = re.findall(r'id="code-1">(1-[0-9A-Z]{5}-[0-9A-Z]{5})<', shown)
    assert "Prof. Borg" in shown
    assert "choose “I host a session”" in re.sub(r"\s+", " ", shown)
    assert f"enter this code: {code}" in re.sub(r"\s+", " ", shown)
    assert code in signed_in.get(page).text


@pytest.mark.parametrize("label", ["", "   ", "x" * 256, "\u200b"])
def test_a_host_must_be_called_something(office: Office, signed_in: Desk, ahead: Session, label: str) -> None:
    page = page_of(ahead)
    refused = signed_in.send(page, f"{page}/hosts/invite", label=label)
    assert (refused.status_code, "Please write whom you mean" in refused.text) == (422, True)
    with office.database.read() as connection:
        assert invitations_of(connection, ahead.session_id) == []


def test_a_code_is_taken_back(office: Office, signed_in: Desk, ahead: Session) -> None:
    page = page_of(ahead)
    signed_in.send(page, f"{page}/hosts/invite", label="Prof. Borg")
    shown = follow(signed_in, signed_in.send(page, f"{page}/hosts/invitations/1/revoke"))
    assert "taken back" in shown
    assert 'id="code-1"' not in shown
    assert [action for _, action, _ in office.audit()][-2:] == ["invite_host", "revoke_host_invitation"]


def test_who_has_used_a_code_is_shown_with_where_they_came_from(
    office: Office, signed_in: Desk, ahead: Session, teacher: Visit
) -> None:
    page = page_of(ahead)
    signed_in.send(page, f"{page}/hosts/invite", label="Prof. Borg")
    with office.database.write() as connection:
        use_invitation(
            connection, 1, participant_id=teacher.participant_id, came_as=CameAs.LEARNER, now=datetime.now(UTC)
        )
    shown = signed_in.get(page).text
    assert "Prof. Borg · somebody at University of Malta, No. 8 in its LMS" in shown
    assert re.search(r"entered the code on .*, as a student", shown)
    assert 'id="code-1"' not in shown


def test_dpo_20_a_host_from_outside_is_shown_without_number_until_an_instrument_is_recorded(
    office: Office, signed_in: Desk, ahead: Session, teacher: Visit
) -> None:
    ask(office, ahead, teacher)
    with office.database.write() as connection:
        connection.execute(sa.update(university).where(university.c.id == 1).values(country="TR"))
    assert "No. 8 in its LMS" not in signed_in.get(page_of(ahead)).text
    assert "somebody at University of Malta, course" in signed_in.get(page_of(ahead)).text
    with office.database.write() as connection:
        record_instrument(connection, 1, "Clauses of 1 October 2026", actor="staff 1", now=datetime.now(UTC))
    assert "No. 8 in its LMS" in signed_in.get(page_of(ahead)).text


def test_who_asks_waits_on_the_first_page_and_is_host_by_one_click(
    office: Office, signed_in: Desk, ahead: Session, teacher: Visit
) -> None:
    ask(office, ahead, teacher)
    home = signed_in.get("/admin/").text
    assert "says that they host" in home
    page = page_of(ahead)
    assert f'href="{page}"' in home
    assert "University of Malta, No. 8 in its LMS, course “Teaching STEM”" in signed_in.get(page).text
    assert not is_host(office, teacher, ahead)
    shown = follow(signed_in, signed_in.send(page, f"{page}/hosts/requests/{teacher.participant_id}", answer="yes"))
    assert "asked from “Teaching STEM”, confirmed on" in shown
    assert is_host(office, teacher, ahead)
    assert "says that they host" not in signed_in.get("/admin/").text


def test_a_host_is_marked_when_another_university_hosts_the_session(
    office: Office, signed_in: Desk, ahead: Session, teacher: Visit
) -> None:
    """They stay host until the coordinator removes them: guest speakers come from anywhere."""
    ask(office, ahead, teacher)
    page = page_of(ahead)
    signed_in.send(page, f"{page}/hosts/requests/{teacher.participant_id}", answer="yes")
    assert "not from the hosting university" not in signed_in.get(page).text
    other = replace(ahead, hosting_university=VILNIUS.name, hosting_university_id=VILNIUS.university_id)
    with office.database.write() as connection:
        change_session(connection, other, by="staff 1", now=datetime.now(UTC))
    assert "not from the hosting university" in signed_in.get(page).text


def test_a_no_is_shown_and_can_become_a_yes(office: Office, signed_in: Desk, ahead: Session, teacher: Visit) -> None:
    ask(office, ahead, teacher)
    page = page_of(ahead)
    action = f"{page}/hosts/requests/{teacher.participant_id}"
    assert "answered with no" in follow(signed_in, signed_in.send(page, action, answer="no"))
    assert not is_host(office, teacher, ahead)
    signed_in.send(page, action, answer="yes", seen="refused")
    assert is_host(office, teacher, ahead)


def test_what_another_has_answered_meanwhile_stands(
    office: Office, signed_in: Desk, ahead: Session, teacher: Visit
) -> None:
    ask(office, ahead, teacher)
    page = page_of(ahead)
    action = f"{page}/hosts/requests/{teacher.participant_id}"
    data = {"form_token": form_token(signed_in.get(page).text, action)}
    signed_in.post(action, data=data | {"answer": "yes"}, headers=OURS)
    late = signed_in.post(action, data=data | {"answer": "no"}, headers=OURS)
    assert "Nothing was changed" in follow(signed_in, late)
    assert is_host(office, teacher, ahead)
    assert signed_in.post(action, data=data | {"answer": "perhaps"}, headers=OURS).status_code == 400


def test_a_yes_does_not_take_back_the_no_that_another_has_said_meanwhile(
    office: Office, signed_in: Desk, ahead: Session, teacher: Visit
) -> None:
    ask(office, ahead, teacher)
    page = page_of(ahead)
    action = f"{page}/hosts/requests/{teacher.participant_id}"
    data = {"form_token": form_token(signed_in.get(page).text, action)}
    signed_in.post(action, data=data | {"answer": "no"}, headers=OURS)
    late = signed_in.post(action, data=data | {"answer": "yes"}, headers=OURS)
    assert "Nothing was changed" in follow(signed_in, late)
    assert not is_host(office, teacher, ahead)
    assert 'name="seen" value="refused"' in signed_in.get(page).text


def test_a_host_is_removed_only_with_the_box_ticked(
    office: Office, signed_in: Desk, ahead: Session, teacher: Visit
) -> None:
    ask(office, ahead, teacher)
    page = page_of(ahead)
    signed_in.send(page, f"{page}/hosts/requests/{teacher.participant_id}", answer="yes")
    action = f"{page}/hosts/{teacher.participant_id}/remove"
    refused = signed_in.send(page, action)
    assert (refused.status_code, "Nobody was removed" in refused.text) == (422, True)
    assert is_host(office, teacher, ahead)
    assert "Removed: they can open nothing" in follow(signed_in, signed_in.send(page, action, confirmed="yes"))
    assert not is_host(office, teacher, ahead)


def ask(office: Office, session: Session, visit: Visit) -> None:
    with office.database.write() as connection:
        ask_to_host(
            connection,
            session_id=session.session_id,
            participant_id=visit.participant_id,
            course_id=visit.course_id,
            now=datetime.now(UTC),
        )


FORMS = ("hosts/invite", "hosts/invitations/1/revoke", "hosts/requests/1", "hosts/1/remove", "remove")


@pytest.mark.parametrize("form", FORMS)
def test_only_a_coordinator_with_a_form_of_ours_decides_of_hosts_and_rehearsals(
    office: Office, signed_in: Desk, ahead: Session, form: str
) -> None:
    action = f"{page_of(ahead)}/{form}"
    assert office.new_browser().post(action, headers=OURS).status_code == 401, "signed out"
    assert signed_in.post(action, headers=OURS).status_code == 403, "no token"
    admin = office.new_browser()
    admin.sign_in(LMS_ADMIN)
    assert admin.get(page_of(ahead)).status_code == 403
    assert admin.post(action, headers=OURS).status_code == 403


def test_a_session_of_another_series_is_not_decided_of_here(office: Office, signed_in: Desk, ahead: Session) -> None:
    page = page_of(ahead)
    data = {"form_token": form_token(signed_in.get(page).text, f"{page}/hosts/invite"), "label": "x"}
    elsewhere = page.replace(f"/{SERIES.slug}/", "/nowhere/")
    assert signed_in.post(f"{elsewhere}/hosts/invite", data=data, headers=OURS).status_code == 404
