"""“I host a session”: codes, asking, the meeting link; and who must not. In the words of a launch."""

import hmac
import re
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from series.hosts import RequestState, make_code
from series.sessions import Session
from series.store.host_invitations import find_invitation, invite_host, revoke_invitation
from series.store.hosts import answer_request
from series.store.join_links import set_join_hosts
from series.store.lms_tables import host_request, join_link_change
from series.store.reflections import hand_in
from series.store.sessions import add_session, change_session, get_session, name_host
from series.store.tables import audit, completion, delivery, evidence, session_host
from tests.conftest import make_settings
from tests.examples import SERIES, VILNIUS, moved
from tests.integration.lti.course import CourseUnderTest, as_test_user, open_as
from tests.integration.lti.lms import INSTRUCTOR, LEARNER
from tests.integration.lti.tool import Browser, form_token
from tests.seeds import code_of, record

HOST = "host/"
SECRET_KEY = make_settings("sqlite://").secret_key
STAFF = "staff 1"


@pytest.fixture
def learner(course: CourseUnderTest) -> tuple[Browser, str]:
    return open_as(course.tool, course.tool.malta, roles=[LEARNER], sub="50")


@pytest.fixture
def of_vilnius(course: CourseUnderTest) -> tuple[Browser, str]:
    """A teacher there; Malta hosts all sessions."""
    return open_as(course.tool, course.tool.vilnius, roles=[INSTRUCTOR], sub="60")


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


def teacher_of(course: CourseUnderTest) -> tuple[Browser, str]:
    return course.browser, course.path


def code_page(who: tuple[Browser, str], session_id: UUID) -> TestResponse:
    browser, path = who
    return browser.get(f"{path}sessions/{session_id}/code/")


def hosts(course: CourseUnderTest) -> int:
    return course.tool.rows_of(session_host)


def session_now(course: CourseUnderTest, session_id: UUID) -> Session:
    with course.database.read() as connection:
        found = get_session(connection, session_id)
    assert found is not None
    return found


def become_host(course: CourseUnderTest, session_id: UUID) -> None:
    with course.database.write() as connection:
        actor = connection.execute(sa.select(audit.c.actor).order_by(audit.c.id.desc())).scalars().first()
        assert actor is not None
        name_host(connection, session_id=session_id, participant_id=int(actor.removeprefix("participant ")))


@pytest.fixture
def host(course: CourseUnderTest) -> CourseUnderTest:
    """The teacher hosts the session that runs."""
    course.get()
    become_host(course, course.running)
    return course


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
        f"{path}{HOST}ask/{session_id}", data={"form_token": _token_of(browser, f"ask to host {session_id}")}
    ).status_code


def _token_of(browser: Browser, action: str) -> str:
    """As the page would have made it: no page of theirs has such a form."""
    (cookie,) = [one for one in browser._cookies.values() if one.key == "visit"]
    return hmac.digest(cookie.value.encode(), action.encode(), "sha256").hex()


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


# The meeting link


def change_link(course: CourseUnderTest, join_url: str, session_id: UUID | None = None) -> TestResponse:
    page = f"{course.path}sessions/{session_id or course.running}/code/"
    shown = course.browser.get(page).text
    version = re.search(r'name="version" value="(\w+)"', shown)
    assert version
    data = {"form_token": form_token(shown, "code/join-link"), "version": version[1], "join_url": join_url}
    return course.browser.post(f"{page}join-link", data=data)


def test_a_host_changes_the_link_and_everybody_sees_that(
    host: CourseUnderTest, learner: tuple[Browser, str], of_vilnius: tuple[Browser, str]
) -> None:
    assert change_link(host, "https://zoom.us/j/1?pwd=x").status_code == 303
    assert session_now(host, host.running).join_url == "https://zoom.us/j/1?pwd=x"
    words = re.compile(r"The meeting link was changed on [^<]* by the host\.")
    for browser, path in (learner, of_vilnius, teacher_of(host)):
        assert words.search(browser.get(path).text)
        assert words.search(browser.get(f"{path}sessions/{host.running}/").text)
    assert words.search(host.get())
    log = re.sub(r"\s+", " ", code_page(teacher_of(host), host.running).text)
    assert "by the host: from meet.example to zoom.us" in log
    assert len(host.audited("change_join_link")) == 1


def test_the_link_of_another_session_is_not_the_hosts_to_change(host: CourseUnderTest) -> None:
    page = f"{host.path}sessions/{host.ahead}/code/join-link"
    token = _token_of(host.browser, f"join-link {host.ahead}")
    refused = host.browser.post(page, data={"form_token": token, "join_url": "https://evil.example/", "version": "x"})
    assert refused.status_code == 403
    assert host.tool.rows_of(join_link_change) == 0


def test_a_student_cannot_change_a_link(course: CourseUnderTest, learner: tuple[Browser, str]) -> None:
    browser, path = learner
    token = _token_of(browser, f"join-link {course.running}")
    page = f"{path}sessions/{course.running}/code/join-link"
    assert browser.post(page, data={"form_token": token, "join_url": "https://evil.example/"}).status_code == 403
    assert course.tool.rows_of(join_link_change) == 0


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "http://zoom.us/j/1",
        "https://zoom.us.evil.example/",
        "https://evilzoom.us/",
        "https://zoom.us@evil.example/",
        "https://zoom.us\\@evil.example/",
        "https://zoom.us:8443/",
        "https://z\u043e\u043em.us/",
        "https://xn--zm-bmaa.us/",
    ],
)
def test_a_hosts_link_to_where_no_meeting_may_be_is_refused_in_words(host: CourseUnderTest, link: str) -> None:
    with host.database.write() as connection:
        set_join_hosts(connection, SERIES.series_id, ("zoom.us",), by=STAFF, now=host.now)
    refused = change_link(host, link)
    assert refused.status_code == 422
    assert "Meetings of this series are at" in refused.text
    assert session_now(host, host.running).join_url == "https://meet.example/beach"
    assert host.tool.rows_of(join_link_change) == 0


def test_what_was_changed_meanwhile_is_not_overwritten(host: CourseUnderTest) -> None:
    page = f"{host.path}sessions/{host.running}/code/"
    shown = host.browser.get(page).text
    version = re.search(r'name="version" value="(\w+)"', shown)
    assert version
    changed = replace(session_now(host, host.running), join_url="https://zoom.us/j/2")
    with host.database.write() as connection:
        change_session(connection, changed, by=STAFF, now=host.now)
    data = {"form_token": form_token(shown, "code/join-link"), "version": version[1], "join_url": "https://a.example/"}
    refused = host.browser.post(f"{page}join-link", data=data)
    assert (refused.status_code, "was changed meanwhile" in refused.text) == (409, True)
    assert 'value="https://a.example/"' in refused.text
    assert session_now(host, host.running).join_url == "https://zoom.us/j/2"


def test_a_link_that_was_taken_away_is_told_so(host: CourseUnderTest, learner: tuple[Browser, str]) -> None:
    assert change_link(host, "").status_code == 303
    assert "The meeting link was taken away on" in learner[0].get(learner[1]).text


def test_after_the_end_the_link_is_nobodys_to_change(host: CourseUnderTest) -> None:
    become_host(host, host.over)
    shown = code_page(teacher_of(host), host.over).text
    assert "code/join-link" not in shown


def test_a_host_of_vilnius_keeps_hosting_when_the_university_changes(
    course: CourseUnderTest, of_vilnius: tuple[Browser, str]
) -> None:
    """Whom the coordinator has named is named."""
    enter(of_vilnius, invite(course, course.ahead)[1])
    now_theirs = replace(session_now(course, course.ahead), hosting_university=VILNIUS.name, hosting_university_id=2)
    with course.database.write() as connection:
        change_session(connection, now_theirs, by=STAFF, now=course.now)
    assert code_page(of_vilnius, course.ahead).status_code == 200


# Rehearsals


@pytest.fixture
def rehearsal(course: CourseUnderTest) -> Session:
    """It has begun ten minutes ago, beside the session of the week."""
    return add_rehearsal(course)


def add_rehearsal(course: CourseUnderTest, *, by: timedelta = timedelta(0)) -> Session:
    made = replace(
        moved(session_now(course, course.running), by),
        session_id=UUID(int=99),
        title="Dress rehearsal",
        is_own=True,
        is_rehearsal=True,
    )
    with course.database.write() as connection:
        add_session(connection, made, now=course.now)
    return made


def test_a_student_sees_it_on_its_day_beside_the_session_of_the_week(
    course: CourseUnderTest, learner: tuple[Browser, str], rehearsal: Session
) -> None:
    shown = learner[0].get(learner[1]).text
    assert "Dress rehearsal" in shown
    (first,) = re.findall(r'<h1 id="now-title" lang="en">([^<]*)</h1>', shown)
    assert first == session_now(course, course.running).title
    listed = shown[shown.index('id="all-title"') :]
    assert "Dress rehearsal" not in listed


def test_before_its_day_it_is_for_teachers_alone(course: CourseUnderTest, learner: tuple[Browser, str]) -> None:
    add_rehearsal(course, by=timedelta(days=2))
    assert "Dress rehearsal" not in learner[0].get(learner[1]).text
    assert "Dress rehearsal" in course.browser.get(course.path).text
    assert "Dress rehearsal" in course.get()


def test_everything_can_be_tried_in_it_and_counts_for_nothing(
    host: CourseUnderTest, learner: tuple[Browser, str], rehearsal: Session
) -> None:
    become_host(host, rehearsal.session_id)
    browser, path = learner
    before = browser.get(path).text
    page = f"{path}sessions/{rehearsal.session_id}/"
    assert "Join the meeting" in browser.get(page).text
    at = f"{host.path}sessions/{rehearsal.session_id}/code/"
    token = form_token(host.browser.get(at).text.replace('method="post" class="narrow">', 'action="open">'), "open")
    assert host.browser.post(at, data={"form_token": token}).status_code == 303
    (code,) = re.findall(r'class="code-large">(\d{3}) (\d{3})', host.browser.get(at).text)
    data = {"form_token": form_token(browser.get(page).text, "check-in"), "code": "".join(code)}
    done = browser.post(f"{page}check-in", data=data)
    assert done.location.endswith(page)
    shown = browser.get(page).text
    assert "It is a rehearsal, so this counts for nothing." in shown
    assert "rehearsal: counts for nothing" in shown
    assert "Check-in code" in shown or "check-in" in shown
    assert host.tool.rows_of(evidence) == 1
    assert host.tool.rows_of(completion) == host.tool.rows_of(delivery) == 0
    standing = re.compile(r'id="own-standing"[^>]*>([^<]*)<')
    assert standing.findall(browser.get(path).text) == standing.findall(before)


def test_a_wrong_code_in_it_shows_the_rehearsal_and_not_the_session(
    course: CourseUnderTest, learner: tuple[Browser, str], rehearsal: Session
) -> None:
    browser, path = learner
    page = f"{path}sessions/{rehearsal.session_id}/"
    token = _token_of(browser, f"check-in {rehearsal.session_id}")
    refused = browser.post(f"{page}check-in", data={"form_token": token, "code": "1"})
    assert (refused.status_code, "Dress rehearsal" in refused.text) == (422, True)


COURSE_PAGES = ("", "count", "grades/", "activities/", "announcements/", "inbox/")


@pytest.mark.parametrize("page", COURSE_PAGES)
def test_the_pages_of_the_course_stand_with_it_and_offer_nothing_of_it(
    course: CourseUnderTest, rehearsal: Session, page: str
) -> None:
    shown = course.get(page)
    offered = re.findall(r'(?:name="session"|<option)[^>]*value="([^"]*)"|sessions/([0-9a-f-]{36})/confirm', shown)
    assert str(rehearsal.session_id) not in str(offered)
    if page != "":
        assert "Dress rehearsal" not in shown


def test_nobody_is_confirmed_in_it(course: CourseUnderTest, rehearsal: Session) -> None:
    course.get(f"sessions/{rehearsal.session_id}/confirm", status=404)
    course.get(course.record_page(course.maria, rehearsal.session_id), status=404)


def test_a_persons_page_is_about_what_counts(course: CourseUnderTest, rehearsal: Session) -> None:
    record(course.database, code_of(course.maria, rehearsal.session_id, at=course.now), now=course.now)
    shown = course.get(course.person(course.maria))
    assert "Dress rehearsal" not in shown


def test_what_was_tried_in_it_is_not_withdrawn(course: CourseUnderTest, rehearsal: Session) -> None:
    """There is nothing that it counts for."""
    record(course.database, code_of(course.maria, rehearsal.session_id, at=course.now), now=course.now)
    with course.database.read() as connection:
        query = sa.select(evidence.c.id).where(evidence.c.session_id == rehearsal.session_id)
        fact = connection.execute(query).scalar_one()
    course.get(f"{course.person(course.maria)}facts/{fact}/withdraw", status=404)


def test_a_reflection_of_it_is_read_as_one_of_a_rehearsal(course: CourseUnderTest, rehearsal: Session) -> None:
    with course.database.write() as connection:
        who = {"participant_id": course.maria.participant_id, "session_id": rehearsal.session_id}
        hand_in(connection, **who, text="Wind and waves", at_least=1, now=course.now)  # type: ignore[arg-type]
    assert "Dress rehearsal (rehearsal, counts for nothing)" in course.get("inbox/")
    (read,) = re.findall(rf'href="[^"]*course/([^"]*{rehearsal.session_id}[^"]*)"', course.get("inbox/"))
    assert "Wind and waves" in course.get(read)
    assert course.tool.rows_of(completion) == course.tool.rows_of(delivery) == 0


def test_the_public_page_says_that_it_is_a_rehearsal(course: CourseUnderTest, rehearsal: Session) -> None:
    shown = course.browser.get(f"/s/{rehearsal.session_id}").text
    assert "Rehearsal: counts for nothing" in shown
    assert "What counts" not in shown
