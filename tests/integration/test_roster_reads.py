"""Which rosters are due, on both databases."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.people import Visit
from series.store.database import Database
from series.store.roster_reads import FRESH_FOR, courses_to_read, note_failure, universities_due
from series.store.rosters import RosterMember, roster_of, save_roster
from series.store.tables import course, deployment
from series.store.universities import disable_platform
from tests.conftest import NOW
from tests.examples import MALTA
from tests.seeds import LAUNCH, launch, seed

URL = "https://lms.malta.example/memberships?x=1"
HERE = structs.replace(LAUNCH, memberships_url=URL)
SOON, NEXT = NOW + timedelta(minutes=1), NOW + timedelta(hours=6)
STALE = NOW + FRESH_FOR + timedelta(minutes=1)


@pytest.fixture
def visit(database: Database) -> Visit:
    """Somebody has come to a course that tells where its roster is."""
    seed(database)
    return launch(database, HERE)


def read(database: Database, *subs: str) -> None:
    with database.write() as connection:
        people = [RosterMember(sub=sub, is_learner=True) for sub in subs]
        save_roster(connection, 1, people, now=NOW, next_read_at=NEXT)


def fail(database: Database, *, hours: int = 0) -> None:
    at = NOW + timedelta(hours=hours)
    with database.write() as connection:
        note_failure(connection, 1, reason="It is down.", next_read_at=at + timedelta(hours=1), now=at)


def is_due(database: Database, *, now: datetime = NOW) -> bool:
    with database.read() as connection:
        universities = universities_due(connection, now=now)
        courses = courses_to_read(connection, MALTA.slug, due_at=now)
    assert (list(universities) == [MALTA.slug]) is bool(courses)
    return bool(courses)


def test_a_course_that_was_never_read_is_due(database: Database, visit: Visit) -> None:
    assert is_due(database)


def test_a_course_that_was_read_is_due_when_its_time_has_come(database: Database, visit: Visit) -> None:
    read(database, "5")
    assert [is_due(database, now=at) for at in (SOON, STALE, NEXT)] == [False, False, True]


def test_somebody_new_makes_a_list_due_unless_it_is_fresh(database: Database, visit: Visit) -> None:
    read(database, "5")
    launch(database, structs.replace(HERE, sub="9"), now=SOON)
    assert [is_due(database, now=at) for at in (SOON, STALE)] == [False, True]


def test_somebody_who_is_on_the_list_makes_nothing_due(database: Database, visit: Visit) -> None:
    read(database, "5", "9")
    launch(database, structs.replace(HERE, sub="9"), now=SOON)
    assert not is_due(database, now=STALE)


def test_a_list_that_fails_or_is_held_waits_for_its_time(database: Database, visit: Visit) -> None:
    read(database, "5")
    read(database)
    launch(database, structs.replace(HERE, sub="9"), now=SOON)
    assert [is_due(database, now=at) for at in (STALE, NEXT)] == [False, True]
    fail(database)
    assert [is_due(database, now=at) for at in (STALE, NOW + timedelta(hours=1))] == [False, True]


def test_failures_are_counted_since_the_first_and_end_with_a_reading(database: Database, visit: Visit) -> None:
    fail(database)
    fail(database, hours=2)
    with database.read() as connection:
        roster = roster_of(connection, 1)
        (found,) = courses_to_read(connection, MALTA.slug)
    assert (roster.failing_since, roster.reason, roster.read_at, found.failures) == (NOW, "It is down.", None, 2)
    read(database, "5")
    with database.read() as connection:
        after = roster_of(connection, 1)
    assert (after.failing_since, after.reason) == (None, None)


def test_courses_that_failed_come_last(database: Database, visit: Visit) -> None:
    launch(database, structs.replace(HERE, context_id="9", resource_link_id="9"))
    fail(database)
    with database.read() as connection:
        assert [found.course_id for found in courses_to_read(connection, MALTA.slug)] == [2, 1]


@pytest.mark.parametrize("why", ["no roster", "deployment pending", "platform disabled", "another university"])
def test_a_course_that_cannot_or_may_not_be_asked_is_not_due(database: Database, visit: Visit, why: str) -> None:
    with database.write() as connection:
        match why:
            case "no roster":
                connection.execute(sa.update(course).values(memberships_url=None))
            case "deployment pending":
                connection.execute(sa.update(deployment).values(state="pending"))
            case "platform disabled":
                disable_platform(connection, visit.platform_id)
            case _:
                connection.execute(sa.update(course).values(university_id=2))
    with database.read() as connection:
        assert courses_to_read(connection, MALTA.slug, due_at=NOW) == []
