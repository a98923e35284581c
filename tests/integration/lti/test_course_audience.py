"""An instructor says whom the course teaches."""

import pytest

from series.audience import Audience, CourseAudience
from series.store.course_audiences import audience_of
from tests.examples import SERIES
from tests.integration.lti.course import CourseUnderTest, as_test_user


def said(course: CourseUnderTest) -> CourseAudience | None:
    with course.database.read() as connection:
        return audience_of(connection, course.maria.course_id or 0, SERIES.series_id)


def say(course: CourseUnderTest, audience: str, schools: str = "", *, status: int = 303) -> str:
    return course.post("audience", {"audience": audience, "schools": schools}, on="audience", status=status)


def test_what_is_said_is_kept_shown_and_audited(course: CourseUnderTest) -> None:
    page = say(course, "in_service", "7")
    assert "Saved." in page
    assert 'value="in_service" id="audience-in_service" checked' in page
    assert said(course) == CourseAudience(audience=Audience.IN_SERVICE, schools=7)
    assert course.audited("set_audience")[0][1] == f"course {course.maria.course_id}"


def test_it_can_be_taken_back(course: CourseUnderTest) -> None:
    say(course, "both", "2")
    say(course, "")
    assert said(course) is None


@pytest.mark.parametrize(
    ("audience", "schools"),
    [("both", "many"), ("both", "-1"), ("both", "1001"), ("pre_service", "3"), ("", "3"), ("both", "9" * 200)],
)
def test_what_cannot_be_is_shown_once_more_and_not_kept(course: CourseUnderTest, audience: str, schools: str) -> None:
    page = say(course, audience, schools, status=422)
    assert 'role="alert"' in page
    assert 'aria-invalid="true"' in page
    assert said(course) is None


def test_another_word_is_refused(course: CourseUnderTest) -> None:
    say(course, "children", status=400)


def test_the_page_of_the_series_leads_to_it(course: CourseUnderTest) -> None:
    assert "/course/audience" in course.get("series/")


def test_a_test_student_says_nothing(course: CourseUnderTest) -> None:
    browser, path = as_test_user(course.tool, course.tool.malta)
    assert browser.get(f"{path}course/audience").status_code == 403
