"""Somebody who learns, and somebody who hosts."""

import pytest

from tests.integration.lti.course import CourseUnderTest, open_as
from tests.integration.lti.hosting.hosts import become_host
from tests.integration.lti.lms import INSTRUCTOR, LEARNER
from tests.integration.lti.tool import Browser


@pytest.fixture
def learner(course: CourseUnderTest) -> tuple[Browser, str]:
    return open_as(course.tool, course.tool.malta, roles=[LEARNER], sub="50")


@pytest.fixture
def of_vilnius(course: CourseUnderTest) -> tuple[Browser, str]:
    """A teacher there; Malta hosts all sessions."""
    return open_as(course.tool, course.tool.vilnius, roles=[INSTRUCTOR], sub="60")


@pytest.fixture
def host(course: CourseUnderTest) -> CourseUnderTest:
    """The teacher hosts the session that runs."""
    course.get()
    become_host(course, course.running)
    return course
