"""The report for the funder adds up what was held and said, and takes people from published totals alone."""

from dataclasses import replace
from datetime import timedelta

from series.audience import Audience, CourseAudience, TaughtCourse
from series.pooled import TERM, Block, PooledBy, Step
from series.protection import publish_totals
from series.report import Report, make_report
from series.sessions import Status
from tests.conftest import NOW
from tests.examples import MALTA, SERIES, VILNIUS, weekly

SESSIONS = weekly(4)
COURSES = (
    TaughtCourse(course_id=1, university_id=1, said=CourseAudience(audience=Audience.PRE_SERVICE)),
    TaughtCourse(course_id=2, university_id=1, said=CourseAudience(audience=Audience.IN_SERVICE, schools=4)),
    TaughtCourse(course_id=3, university_id=2, said=None),
)
LATER = NOW + timedelta(weeks=2)


def report(**changes: object) -> Report:
    facts: dict[str, object] = {
        "sessions": SESSIONS,
        "courses": COURSES,
        "universities": {1: MALTA, 2: VILNIUS},
        "totals": None,
        "now": LATER,
    }
    return make_report(SERIES, **(facts | changes))  # type: ignore[arg-type]


def test_universities_countries_and_courses_are_counted() -> None:
    made = report()
    assert ([one.university for one in made.partners], made.courses) == ([VILNIUS, MALTA], 3)
    assert made.countries == {"MT", "LT"}


def test_courses_are_counted_by_whom_they_teach() -> None:
    of = report().audiences
    assert (of.pre_service, of.in_service, of.both, of.not_said) == (1, 1, 0, 1)
    assert (of.schools, of.said_schools) == (4, 1)


def test_a_university_that_has_said_no_school_has_not_said_nought() -> None:
    assert [one.schools for one in report().partners] == [None, 4]


def test_only_sessions_that_are_over_and_took_place_were_held() -> None:
    cancelled = replace(SESSIONS[0], status=Status.CANCELLED)
    made = report(sessions=[cancelled, *SESSIONS[1:]])
    assert (len(made.held), made.cancelled, made.to_come) == (1, 1, 2)
    assert made.length == timedelta(hours=2)


def test_people_are_those_of_the_published_totals() -> None:
    block = Block(session_id=SESSIONS[0].session_id)
    cells = {1: 9, 2: 8, 3: 7}
    totals = publish_totals([Step(at=LATER, smallest_group=5, counts={block: cells, TERM: cells})], by=PooledBy.SESSION)
    made = report(totals=totals)
    assert made.people_in(block) == 24
    assert not made.is_counted(Block(session_id=SESSIONS[1].session_id))


def test_before_anything_is_counted_nobody_is_told() -> None:
    assert report().people_in(Block(session_id=SESSIONS[0].session_id)) is None
