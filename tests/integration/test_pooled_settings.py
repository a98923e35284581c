"""What coordinators and instructors say about the pooled numbers; on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from series.audience import MAX_SCHOOLS, Audience, CourseAudience
from series.pooled import SMALLEST_GROUPS, PooledBy
from series.store import tables
from series.store.course_audiences import audience_of, set_audience, taught_courses
from series.store.database import Database
from series.store.merging import merge_courses
from series.store.pooled_settings import (
    SmallestGroupImpossible,
    keep_pooled_by,
    pooled_by_of,
    set_smallest_group,
    smallest_group_of,
)
from tests.conftest import NOW
from tests.examples import MALTA, SERIES, VILNIUS
from tests.integration.pooled import MONDAY, Crowd, complete, gather, step

IN_SERVICE = CourseAudience(audience=Audience.IN_SERVICE, schools=12)
MIXED = CourseAudience(audience=Audience.BOTH)


@pytest.fixture
def crowd(database: Database) -> Crowd:
    made = gather(database, malta=1, vilnius=1)
    complete(database, made.sessions[0], made.malta)
    return made


def course_of(crowd: Crowd) -> int:
    found = crowd.malta[0].course_id
    assert found is not None
    return found


def audited(database: Database, action: str) -> list[tuple[str, str, str]]:
    columns = (tables.audit.c.actor, tables.audit.c.object, tables.audit.c.detail)
    with database.read() as connection:
        rows = connection.execute(
            sa.select(*columns).where(tables.audit.c.action == action).order_by(tables.audit.c.id)
        )
        return [(row.actor, row.object, row.detail) for row in rows]


def test_groups_under_five_are_hidden_where_nobody_said_anything(database: Database, crowd: Crowd) -> None:
    with database.read() as connection:
        assert smallest_group_of(connection, SERIES.series_id) == 5


def test_another_k_holds_from_the_next_step_on_and_is_in_the_audit(database: Database, crowd: Crowd) -> None:
    before = step(database)
    with database.write() as connection:
        assert set_smallest_group(connection, SERIES.series_id, 10, by="staff 1", now=NOW)
        assert not set_smallest_group(connection, SERIES.series_id, 10, by="staff 1", now=NOW)
    after = step(database, at=MONDAY + timedelta(weeks=1))
    assert [taken and taken.smallest_group for taken in (before, after)] == [5, 10]
    thing = f"series {SERIES.series_id}"
    assert audited(database, "set_smallest_group") == [("staff 1", thing, '{"smallest_group": 10, "before": 5}')]


@pytest.mark.parametrize("k", [-1, 0, 2, 21, 10**9])
def test_a_k_that_protects_nobody_or_shows_nothing_is_refused(database: Database, crowd: Crowd, k: int) -> None:
    with database.write() as connection, pytest.raises(SmallestGroupImpossible):
        set_smallest_group(connection, SERIES.series_id, k, by="staff 1", now=NOW)
    assert (min(SMALLEST_GROUPS), max(SMALLEST_GROUPS)) == (3, 20)


def test_by_which_columns_is_decided_once(database: Database, crowd: Crowd) -> None:
    with database.write() as connection:
        assert pooled_by_of(connection, SERIES.series_id) is None
        keep_pooled_by(connection, SERIES.series_id, PooledBy.MONTH)
        keep_pooled_by(connection, SERIES.series_id, PooledBy.SESSION)
        assert pooled_by_of(connection, SERIES.series_id) is PooledBy.MONTH


def test_nobody_has_said_whom_a_new_course_teaches(database: Database, crowd: Crowd) -> None:
    with database.read() as connection:
        assert audience_of(connection, course_of(crowd), SERIES.series_id) is None
        taught = taught_courses(connection, SERIES.series_id)
    assert [(one.university_id, one.said) for one in taught] == [
        (MALTA.university_id, None),
        (VILNIUS.university_id, None),
    ]


def test_what_an_instructor_says_is_kept_and_in_the_audit(database: Database, crowd: Crowd) -> None:
    course_id = course_of(crowd)
    with database.write() as connection:
        for said in (IN_SERVICE, IN_SERVICE, MIXED):
            set_audience(connection, course_id, SERIES.series_id, said, by="participant 9", now=NOW)
        assert audience_of(connection, course_id, SERIES.series_id) == MIXED
        assert taught_courses(connection, SERIES.series_id)[0].said == MIXED
    assert audited(database, "set_audience") == [
        ("participant 9", f"course {course_id}", '{"audience": "in_service", "schools": 12}'),
        ("participant 9", f"course {course_id}", '{"audience": "both"}'),
    ]


def test_what_was_said_can_be_taken_back(database: Database, crowd: Crowd) -> None:
    course_id = course_of(crowd)
    with database.write() as connection:
        set_audience(connection, course_id, SERIES.series_id, IN_SERVICE, by="participant 9", now=NOW)
        assert set_audience(connection, course_id, SERIES.series_id, None, by="participant 9", now=NOW)
        assert not set_audience(connection, course_id, SERIES.series_id, None, by="participant 9", now=NOW)
        assert audience_of(connection, course_id, SERIES.series_id) is None


@pytest.mark.parametrize("schools", [-1, MAX_SCHOOLS + 1])
def test_there_are_not_so_many_schools(schools: int) -> None:
    with pytest.raises(ValueError, match="schools"):
        replace(IN_SERVICE, schools=schools)


def test_a_course_that_turns_out_to_be_another_one_keeps_what_was_said(database: Database, crowd: Crowd) -> None:
    course_id, other = course_of(crowd), crowd.vilnius[0].course_id
    assert other is not None
    with database.write() as connection:
        set_audience(connection, other, SERIES.series_id, IN_SERVICE, by="participant 9", now=NOW)
        merge_courses(connection, kept=course_id, dropped=other)
        assert audience_of(connection, course_id, SERIES.series_id) == IN_SERVICE
