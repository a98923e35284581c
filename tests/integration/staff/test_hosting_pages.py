"""The coordinator's pages of hosts, rehearsals and join links."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs
from werkzeug.test import TestResponse

from series.hosts import CameAs
from series.people import Visit
from series.sessions import Session
from series.store.host_invitations import invitations_of, use_invitation
from series.store.hosts import ask_to_host
from series.store.join_links import set_join_hosts
from series.store.sessions import change_session, rehearsals_of, sessions_of
from series.store.visits import find_visit
from tests.examples import SERIES, VILNIUS, moved
from tests.integration.staff.desk import LMS_ADMIN, OURS, Desk, Office, form_token, path_of
from tests.integration.staff.test_plan_pages import send
from tests.seeds import LAUNCH, launch

PLAN = f"/coordinator/series/{SERIES.slug}/"
TEACHER = structs.replace(LAUNCH, sub="8", is_teacher=True, is_learner=False)


@pytest.fixture
def ahead(office: Office) -> Session:
    """A session of Malta, tomorrow."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    with office.database.write() as connection:
        first = sessions_of(connection, SERIES.series_id)[0]
        tomorrow = moved(first, now + timedelta(days=1) - first.start_at)
        change_session(connection, tomorrow, by="staff 1", now=now)
    return tomorrow


@pytest.fixture
def teacher(office: Office) -> Visit:
    return launch(office.database, TEACHER, now=datetime.now(UTC))


def page_of(session: Session) -> str:
    return f"{PLAN}sessions/{session.session_id}"


def is_host(office: Office, visit: Visit, session: Session) -> bool:
    with office.database.read() as connection:
        found = find_visit(connection, visit.visit_id, now=datetime.now(UTC))
    assert found is not None
    return session.session_id in found.visit.hosted_session_ids


def follow(desk: Desk, answer: TestResponse) -> str:
    return desk.get(path_of(answer)).text


# Hosts


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


def test_who_asks_waits_on_the_first_page_and_is_host_by_one_click(
    office: Office, signed_in: Desk, ahead: Session, teacher: Visit
) -> None:
    ask(office, ahead, teacher)
    home = signed_in.get("/admin/").text
    assert "says that they host" in home
    page = page_of(ahead)
    assert f'href="{page}"' in home
    assert "University of Malta, course “Teaching STEM”, No. 8 in its LMS" in signed_in.get(page).text
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


# Rehearsals


def add_rehearsal(desk: Desk, **fields: str) -> TestResponse:
    day = datetime.now(UTC) + timedelta(days=3)
    form = {"title": "Rehearsal", "date": f"{day:%Y-%m-%d}", "start": "16:00", "end": "17:00", "host": "1"}
    return desk.send(f"{PLAN}sessions/rehearse", f"{PLAN}sessions/rehearse", **(form | fields))


def test_a_rehearsal_is_added_marked_and_removed_again(office: Office, signed_in: Desk) -> None:
    assert 'value="Rehearsal"' in signed_in.get(f"{PLAN}sessions/rehearse").text
    shown = follow(signed_in, add_rehearsal(signed_in))
    assert "It counts for nothing" in shown
    assert "Cancel it" not in shown
    assert "Or swap it" not in shown
    assert "Rehearsal: counts for nothing" in signed_in.get(PLAN).text
    with office.database.read() as connection:
        (made,) = rehearsals_of(connection, SERIES.series_id)
    assert (made.is_own, made.is_rehearsal, made.hosting_university_id) == (True, True, 1)
    page = page_of(made)
    assert "Nothing was removed" in signed_in.send(page, f"{page}/remove").text
    gone = follow(signed_in, signed_in.send(page, f"{page}/remove", confirmed="yes"))
    assert "The rehearsal is removed" in gone
    assert "Rehearsal: counts for nothing" not in gone
    assert signed_in.get(page).status_code == 404
    assert [action for _, action, _ in office.audit()][-2:] == ["add_session", "remove_rehearsal"]


def test_what_is_wrong_with_a_rehearsal_is_said_and_what_was_typed_stays(signed_in: Desk) -> None:
    refused = add_rehearsal(signed_in, title="Try it", join_url="http://meet.example")
    assert (refused.status_code, "whole https address" in refused.text) == (422, True)
    assert 'value="Try it"' in refused.text
    assert "Add the rehearsal" in refused.text


def test_a_session_that_counts_offers_no_removal(signed_in: Desk, ahead: Session) -> None:
    page = page_of(ahead)
    assert f"{page}/remove" not in signed_in.get(page).text


def test_the_pages_of_the_rule_know_no_rehearsal(office: Office, signed_in: Desk) -> None:
    add_rehearsal(signed_in, title="Try it")
    with office.database.read() as connection:
        (made,) = rehearsals_of(connection, SERIES.series_id)
    assert "Try it" not in signed_in.get(f"{PLAN}rule/").text
    assert signed_in.get(f"{PLAN}rule/sessions/{made.session_id}").status_code == 404


# Where meetings may be


def set_places(desk: Desk, hosts: str) -> TestResponse:
    return desk.send(PLAN, f"{PLAN}join-hosts", join_hosts=hosts)


def test_places_are_set_and_links_to_elsewhere_shown_and_not_removed(
    office: Office, signed_in: Desk, ahead: Session
) -> None:
    shown = follow(signed_in, set_places(signed_in, "https://Zoom.us/\r\nbbb.uni.example:8443"))
    assert ">zoom.us\nbbb.uni.example:8443</textarea>" in shown
    assert "have a join link to elsewhere" in shown or "has a join link to elsewhere" in shown
    page = signed_in.get(page_of(ahead)).text
    assert "It stays until you change it." in page
    assert "https://meet.example/beach" in page
    assert office.audit()[-1][1] == "set_join_hosts"


def test_what_is_no_host_is_refused_and_stays_typed(signed_in: Desk) -> None:
    refused = set_places(signed_in, "zoom.us\nus")
    assert (refused.status_code, "allow far too much" in refused.text) == (422, True)
    assert ">zoom.us\nus</textarea>" in refused.text


@pytest.mark.parametrize(
    "link", ["https://evilzoom.us/", "https://zoom.us.evil.example/", "https://zoom.us@evil.example/"]
)
def test_a_coordinators_link_to_elsewhere_is_refused(
    office: Office, signed_in: Desk, ahead: Session, link: str
) -> None:
    with office.database.write() as connection:
        set_join_hosts(connection, SERIES.series_id, ("zoom.us",), by="staff 1", now=datetime.now(UTC))
    refused = send(signed_in, page_of(ahead), "join_url", join_url=link)
    assert refused.status_code == 422
    assert f'value="{link}"' in refused.text
    assert send(signed_in, page_of(ahead), "join_url", join_url="https://uni.zoom.us/j/1?pwd=x").status_code == 303
    shown = signed_in.get(page_of(ahead)).text
    assert "by the coordinator: from meet.example to uni.zoom.us" in re.sub(r"\s+", " ", shown)
