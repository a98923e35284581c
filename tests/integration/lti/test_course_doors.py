"""Who may open the pages of a course and send their forms: its teachers, and for their own people alone."""

import hmac

import pytest

from tests.integration.lti.course import CourseUnderTest, as_test_user, open_as
from tests.integration.lti.lms import INSTRUCTOR, LEARNER
from tests.integration.lti.test_course_grades import objects
from tests.integration.lti.test_course_reflections import write
from tests.integration.lti.tool import Browser

PAGES = [
    "",
    "people/{person}/",
    "people/{person}/sessions/{session}/",
    "people/{person}/facts/{fact}/withdraw",
    "sessions/{session}/confirm",
    "grades/",
    "inbox/",
    "inbox/reflections/{person}/{session}/",
    "count",
    "announcements/",
    "activities/",
]
FORMS = [
    "people/{person}/sessions/{session}/",
    "people/{person}/facts/{fact}/withdraw",
    "sessions/{session}/confirm",
    "grades/retry",
    "grades/people/{person}/lower/{placement}",
    "inbox/objections/{objection}/answer",
    "inbox/reflections/{person}/{session}/return",
    "inbox/reflections/{person}/{session}/read",
    "count",
    "announcements/switch",
    "announcements/{session}",
    "activities/",
    "activities/21/remove",
    "activities/held/accept",
]
NOT_ABOUT_PEOPLE = {"", "sessions/{session}/confirm", "grades/", "inbox/", "count", "announcements/", "activities/"}


def statuses(browser: Browser, path: str, pages: list[str], values: dict[str, object]) -> dict[str, int]:
    return {page: browser.get(f"{path}course/{page.format(**values)}").status_code for page in pages}


@pytest.fixture
def values(course: CourseUnderTest) -> dict[str, object]:
    course.check_in(course.maria, course.running)
    write(course, course.maria, course.running)
    return {
        "person": course.maria.participant_id,
        "session": course.running,
        "placement": course.maria.placement_id,
        "fact": 1,
        "objection": objects(course, course.maria),
    }


def test_exactly_the_teacher_of_the_course_opens_its_pages(course: CourseUnderTest, values: dict[str, object]) -> None:
    tool, malta = course.tool, course.tool.malta
    assert statuses(course.browser, course.path, PAGES, values) == dict.fromkeys(PAGES, 200)
    student = open_as(tool, malta, roles=[LEARNER], sub="5")
    for browser, path in (student, as_test_user(tool, malta)):
        assert statuses(browser, path, PAGES, values) == dict.fromkeys(PAGES, 403)
    other = open_as(tool, malta, roles=[INSTRUCTOR], sub="21", course="course-2")
    assert statuses(*other, PAGES, values) == {page: 200 if page in NOT_ABOUT_PEOPLE else 404 for page in PAGES}


def test_pages_of_another_course_do_not_tell_of_this_ones_people(
    course: CourseUnderTest, values: dict[str, object]
) -> None:
    browser, path = open_as(course.tool, course.tool.malta, roles=[INSTRUCTOR], sub="21", course="course-2")
    for page in NOT_ABOUT_PEOPLE:
        text = browser.get(f"{path}course/{page.format(**values)}").text
        assert "No. 5 in your LMS" not in text
        assert "I was there" not in text


def test_nobody_else_sends_its_forms(course: CourseUnderTest, values: dict[str, object]) -> None:
    """With the token of a form of their own visit, which anybody can make who holds it."""
    tool, malta = course.tool, course.tool.malta
    visits = {
        "student": open_as(tool, malta, roles=[LEARNER], sub="5"),
        "test user": as_test_user(tool, malta),
        "other teacher": open_as(tool, malta, roles=[INSTRUCTOR], sub="21", course="course-2"),
    }
    before = tool.rows()
    for who, (browser, path) in visits.items():
        for form, action in zip(FORMS, ACTIONS, strict=True):
            data = FILLED | {"form_token": token_of(browser, path, action.format(**values))}
            answer = browser.post(f"{path}course/{form.format(**values)}", data=data)
            allowed = {303, 422, 400} if who == "other teacher" and form in OWN_COURSE else {403, 404}
            assert answer.status_code in allowed, (who, form)
    after = tool.rows()
    assert {name for name in after if after[name] != before[name]} <= {"audit"}, "an own course's page was shown"


ACTIONS = [
    "record {person} {session}",
    "withdraw {fact}",
    "confirm {session}",
    "retry",
    "lower {person} {placement} 1/3 0/3",
    "answer {objection}",
    "return {person} {session}",
    "read {person} {session}",
    "count",
    "announcements switch",
    "announcement {session}",
    "map activity",
    "unmap 21",
    "accept completions 2026-11-24T15:00:00+00:00",
]
OWN_COURSE = {
    "sessions/{session}/confirm",
    "grades/retry",
    "count",
    "announcements/switch",
    "announcements/{session}",
    "activities/",
    "activities/21/remove",
    "activities/held/accept",
}
FILLED = {
    "do": "confirm",
    "reason": "Because.",
    "answer": "No.",
    "comment": "No.",
    "evidence_id": "2",
    "form_id": "0" * 32,
    "sub": "5",
    "told": "1/3",
    "counts": "0/3",
    "cmid": "21",
    "held_at": "2026-11-24T15:00:00+00:00",
}


def token_of(browser: Browser, path: str, action: str) -> str:
    """As the page of this visit would put it into a form."""
    cookie = browser.get_cookie("visit", path=path)
    assert cookie
    return hmac.digest(cookie.value.encode(), action.encode(), "sha256").hex()
