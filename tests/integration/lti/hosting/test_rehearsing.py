"""A rehearsal on the pages of a launch: everything can be tried in it, and nothing of it counts."""

import re
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from series.sessions import Session
from series.store.reflections import hand_in
from series.store.sessions import add_session
from series.store.tables import completion, delivery, evidence
from tests.examples import moved
from tests.integration.lti.course import CourseUnderTest
from tests.integration.lti.hosting.hosts import become_host, made_token, session_now
from tests.integration.lti.tool import Browser, form_token
from tests.seeds import code_of, record


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
    token = made_token(browser, f"check-in {rehearsal.session_id}")
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
