"""“I host a session”: codes, asking; and who must not. In the words of a launch."""

from dataclasses import replace
from uuid import UUID

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from series.hosts import RequestState, make_code
from series.store.host_invitations import find_invitation, invite_host, revoke_invitation
from series.store.hosts import answer_request
from series.store.lms_tables import host_request
from series.store.sessions import change_session, get_session
from series.store.tables import session_host
from tests.conftest import make_settings
from tests.examples import VILNIUS
from tests.integration.lti.course import CourseUnderTest, as_test_user
from tests.integration.lti.hosting.hosts import STAFF, code_page, made_token, session_now, teacher_of
from tests.integration.lti.tool import Browser, form_token

HOST = "host/"
SECRET_KEY = make_settings("sqlite://").secret_key


def invite(course: CourseUnderTest, session_id: UUID) -> tuple[int, str]:
    """Its id and its code."""
    with course.database.write() as connection:
        session = get_session(connection, session_id)
        assert session is not None
        invitation_id = invite_host(connection, session, "Prof. Borg", by=STAFF, now=course.now)
        found = find_invitation(connection, invitation_id)
    assert found is not None
    return invitation_id, make_code(found, secret_key=SECRET_KEY)


def enter(who: tuple[Browser, str], code: str) -> TestResponse:
    browser, path = who
    token = form_token(browser.get(f"{path}{HOST}").text, "host/code")
    return browser.post(f"{path}{HOST}code", data={"form_token": token, "code": code})


def ask(who: tuple[Browser, str], session_id: UUID) -> TestResponse:
    browser, path = who
    token = form_token(browser.get(f"{path}{HOST}").text, f"ask/{session_id}")
    return browser.post(f"{path}{HOST}ask/{session_id}", data={"form_token": token})


def hosts(course: CourseUnderTest) -> int:
    return course.tool.rows_of(session_host)


# Codes


def test_who_enters_the_code_can_open_the_check_in(course: CourseUnderTest, of_vilnius: tuple[Browser, str]) -> None:
    """A guest speaker, from whichever university."""
    assert code_page(of_vilnius, course.running).status_code == 403
    _, code = invite(course, course.running)
    assert enter(of_vilnius, code.lower().replace("-", " ")).status_code == 303
    assert "You are host now" in of_vilnius[0].get(f"{of_vilnius[1]}{HOST}?saved=code").text
    assert code_page(of_vilnius, course.running).status_code == 200
    assert code_page(of_vilnius, course.ahead).status_code == 403, "and of no other session"


def test_a_speaker_with_a_learners_account_may_be_named_too(
    course: CourseUnderTest, learner: tuple[Browser, str]
) -> None:
    assert enter(learner, invite(course, course.running)[1]).status_code == 303
    assert code_page(learner, course.running).status_code == 200


def test_sent_twice_by_the_same_person_it_is_done_once(course: CourseUnderTest, learner: tuple[Browser, str]) -> None:
    _, code = invite(course, course.running)
    assert [enter(learner, code).status_code for _ in range(2)] == [303, 303]
    assert hosts(course) == 1


def test_a_code_that_somebody_else_has_used_is_refused(
    course: CourseUnderTest, learner: tuple[Browser, str], of_vilnius: tuple[Browser, str]
) -> None:
    _, code = invite(course, course.running)
    enter(of_vilnius, code)
    refused = enter(learner, code)
    assert (refused.status_code, "used already" in refused.text) == (422, True)
    assert hosts(course) == 1


def test_a_code_that_was_taken_back_is_refused(course: CourseUnderTest, learner: tuple[Browser, str]) -> None:
    invitation_id, code = invite(course, course.running)
    with course.database.write() as connection:
        revoke_invitation(connection, course.running, invitation_id, by=STAFF, now=course.now)
    refused = enter(learner, code)
    assert (refused.status_code, "taken this code back" in refused.text) == (422, True)
    assert hosts(course) == 0


def test_a_code_is_over_with_its_session(course: CourseUnderTest, learner: tuple[Browser, str]) -> None:
    _, code = invite(course, course.over)
    refused = enter(learner, code)
    assert (refused.status_code, "This code is over" in refused.text) == (422, True)
    assert hosts(course) == 0


@pytest.mark.parametrize("typed", ["", "1-00000-00000", "99-00000-00000", "nonsense", "9" * 64, "<script>", "1-\x00"])
def test_a_wrong_code_is_refused_and_noted(course: CourseUnderTest, learner: tuple[Browser, str], typed: str) -> None:
    invite(course, course.running)
    refused = enter(learner, typed)
    assert (refused.status_code, "not a code that we have sent" in refused.text) == (422, True)
    assert hosts(course) == 0
    assert "<script>" not in refused.text.replace("<script src", "").replace("<script>\n", "")
    assert len(course.audited("wrong_host_code")) == 1


def test_codes_cannot_be_guessed(course: CourseUnderTest, learner: tuple[Browser, str]) -> None:
    """After five tries they wait, also with the right one."""
    _, code = invite(course, course.running)
    for _ in range(5):
        assert enter(learner, "1-00000-00000").status_code == 422
    refused = enter(learner, code)
    assert (refused.status_code, "Too many tries" in refused.text) == (429, True)
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert hosts(course) == 0


def test_a_test_student_can_become_nothing(course: CourseUnderTest) -> None:
    browser, path = as_test_user(course.tool, course.tool.malta)
    shown = browser.get(f"{path}{HOST}").text
    assert "host/code" not in shown
    token = form_token(browser.get(path).text, "sign-out")
    assert browser.post(f"{path}{HOST}code", data={"form_token": token, "code": "x"}).status_code == 403


def test_a_code_cannot_be_sent_from_elsewhere(course: CourseUnderTest, learner: tuple[Browser, str]) -> None:
    browser, path = learner
    _, code = invite(course, course.running)
    assert browser.post(f"{path}{HOST}code", data={"code": code}).status_code == 403
    assert hosts(course) == 0


def test_a_host_of_vilnius_keeps_hosting_when_the_university_changes(
    course: CourseUnderTest, of_vilnius: tuple[Browser, str]
) -> None:
    """Whom the coordinator has named is named."""
    enter(of_vilnius, invite(course, course.ahead)[1])
    now_theirs = replace(session_now(course, course.ahead), hosting_university=VILNIUS.name, hosting_university_id=2)
    with course.database.write() as connection:
        change_session(connection, now_theirs, by=STAFF, now=course.now)
    assert code_page(of_vilnius, course.ahead).status_code == 200


# Asking


def test_a_teacher_of_the_hosting_university_tells_the_coordinator(course: CourseUnderTest) -> None:
    page = course.get()
    assert "Are you hosting this session? Tell the coordinator" in page
    assert "Are you hosting" in course.browser.get(f"{course.path}sessions/{course.running}/").text
    assert ask(teacher_of(course), course.running).status_code == 303
    assert hosts(course) == 0
    assert code_page(teacher_of(course), course.running).status_code == 403
    assert "waits for the coordinator's answer" in course.browser.get(f"{course.path}{HOST}").text


def test_the_asker_sees_what_became_of_it(course: CourseUnderTest) -> None:
    ask(teacher_of(course), course.running)
    ask(teacher_of(course), course.ahead)
    with course.database.write() as connection:
        participant_id = connection.execute(sa.select(host_request.c.participant_id)).scalars().first()
        assert participant_id is not None
        for session_id, said in ((course.running, RequestState.CONFIRMED), (course.ahead, RequestState.REFUSED)):
            answer_request(
                connection,
                session_id=session_id,
                participant_id=participant_id,
                seen=RequestState.WAITING,
                answer=said,
                by=STAFF,
                now=course.now,
            )
    shown = course.browser.get(f"{course.path}{HOST}").text
    assert f"sessions/{course.running}/code/" in shown
    assert "The coordinator has not confirmed that you host this session" in shown
    assert code_page(teacher_of(course), course.running).status_code == 200
    assert code_page(teacher_of(course), course.ahead).status_code == 403


def refused_to_ask(who: tuple[Browser, str], session_id: UUID) -> int:
    """The token is that of a form which they do have."""
    browser, path = who
    return browser.post(
        f"{path}{HOST}ask/{session_id}", data={"form_token": made_token(browser, f"ask to host {session_id}")}
    ).status_code


def test_nobody_else_can_ask(
    course: CourseUnderTest, learner: tuple[Browser, str], of_vilnius: tuple[Browser, str]
) -> None:
    for who in (learner, of_vilnius):
        assert "ask/" not in who[0].get(f"{who[1]}{HOST}").text
        assert refused_to_ask(who, course.running) == 403
    assert course.tool.rows_of(host_request) == 0


def test_nobody_asks_for_a_session_that_is_over_or_not_there(course: CourseUnderTest) -> None:
    assert refused_to_ask(teacher_of(course), course.over) == 409
    assert refused_to_ask(teacher_of(course), UUID(int=1)) == 404
    assert course.tool.rows_of(host_request) == 0
