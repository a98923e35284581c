"""A teacher is asked whether the course goes over to the new round."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from series.sessions import Series
from series.store.lms_tables import round_answer
from series.store.tables import placement
from tests.examples import SERIES
from tests.integration.lti.course import CourseUnderTest, as_test_user, open_as
from tests.integration.lti.lms import INSTRUCTOR, LEARNER, TEST_USER
from tests.integration.lti.tool import form_token
from tests.rounds import next_round

ASKED = 'id="new-round"'


@pytest.fixture
def spring(course: CourseUnderTest) -> Series:
    """There is a new round, and the course is a copy."""
    new, _ = next_round(course.database, (course.now + timedelta(weeks=20)).date(), now=course.now)
    with course.database.write() as connection:
        connection.execute(sa.text("UPDATE course SET copied_from = 'course-0' WHERE context_id = 'course-1'"))
    return new


def ids(new: Series) -> dict[str, str]:
    return {"old": str(SERIES.series_id), "new": str(new.series_id)}


def series_of(course: CourseUnderTest) -> set[str]:
    """That the activity of the teacher's course shows."""
    with course.database.read() as connection:
        query = sa.select(placement.c.series_id).where(placement.c.resource_link_id == "activity of course-1")
        return {str(found) for found in connection.execute(query).scalars()}


def test_a_course_with_one_round_is_asked_nothing(course: CourseUnderTest) -> None:
    page = course.get()
    assert ASKED not in page
    assert "course/round" not in page
    assert "There is no other round" in course.get("round")


def test_the_teacher_is_asked_on_every_page_until_they_answer(course: CourseUnderTest, spring: Series) -> None:
    for page in ("", "grades", "inbox/"):
        answer = course.browser.get(f"{course.path}course/{page}", follow_redirects=True)
        assert ASKED in answer.text
    assert ASKED in course.browser.get(course.path).text
    page = course.get("round")
    assert ASKED not in page
    assert f"Use the new round, “{spring.title}”, in this course?" in page
    assert "1 activity that has been opened here so far changes" in page


def test_yes_shows_the_new_round(course: CourseUnderTest, spring: Series) -> None:
    page = course.post("round", {"do": "take", **ids(spring)}, on="round")
    assert f"Your course shows the new round, “{spring.title}”" in page
    assert series_of(course) == {str(spring.series_id)}
    assert ASKED not in course.get()
    assert spring.title in course.browser.get(course.path).text
    assert course.audited("take_round") == [("participant 1", "course 1")]


def test_no_keeps_the_old_one_and_can_be_changed(course: CourseUnderTest, spring: Series) -> None:
    page = course.post("round", {"do": "keep", **ids(spring)}, on="round")
    assert "You have chosen to keep it" in page
    assert series_of(course) == {str(SERIES.series_id)}
    assert ASKED not in course.get()
    assert "course/round" in course.get()
    course.post("round", {"do": "take", **ids(spring)}, on="round")
    assert series_of(course) == {str(spring.series_id)}
    course.post("round", {"do": "keep", **ids(spring)}, on="round")
    assert series_of(course) == {str(SERIES.series_id)}
    assert len(course.audited("keep_round")) == 2


def test_sent_grades_are_spoken_of(course: CourseUnderTest, spring: Series) -> None:
    assert "its grade columns begin empty" in course.get("round")
    course.check_in(course.maria, course.over)
    page = course.get("round")
    assert "none of them is lowered" in page
    assert "add the other round as a new activity" in page


def test_another_choice_than_was_seen_changes_nothing(course: CourseUnderTest, spring: Series) -> None:
    token = form_token(course.get("round"), "course/round")
    other = {"old": str(spring.series_id), "new": str(SERIES.series_id)}
    assert course.send("round", {"form_token": token, "do": "take", **other}).status_code == 409
    assert course.send("round", {"form_token": token, "do": "other", **ids(spring)}).status_code == 400
    assert course.send("round", {"form_token": token, "do": "take", "old": "x", "new": "y"}).status_code == 400
    assert course.send("round", {"form_token": "x", "do": "take", **ids(spring)}).status_code == 403
    assert course.tool.rows_of(round_answer) == 0


def test_a_student_sees_what_the_activity_shows_and_is_asked_nothing(course: CourseUnderTest, spring: Series) -> None:
    browser, path = open_as(course.tool, course.tool.malta, roles=[LEARNER], sub="77")
    assert ASKED not in browser.get(path).text
    assert browser.get(f"{path}course/round").status_code == 403


def test_test_users_decide_nothing(course: CourseUnderTest, spring: Series) -> None:
    browser, path = as_test_user(course.tool, course.tool.malta)
    assert browser.get(f"{path}course/round").status_code == 403
    browser, path = open_as(course.tool, course.tool.malta, roles=[INSTRUCTOR, TEST_USER], sub="98")
    page = browser.get(f"{path}course/round")
    assert page.status_code == 200
    assert "Yes, use the new round" not in page.text
