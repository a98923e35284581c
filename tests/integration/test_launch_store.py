"""One validated launch becomes one visit: what it shows, and which course it belongs to, on both databases."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.people import VISIT_LIFE
from series.rule import Rule
from series.store.database import Database
from series.store.known import DeploymentDisabled, DeploymentPending
from series.store.launch_values import NewVisit
from series.store.launches import NonceSpent, open_visit
from series.store.mirrors import mirrored_courses, tie_course
from series.store.moodle_connections import NewConnection, save_connection
from series.store.placements import NoSeries
from series.store.sessions import add_series
from series.store.tables import course, course_series, deployment, participant, placement, spent_nonce, visit
from series.store.universities import add_platform, add_university
from series.store.visits import KEEP_OVER, find_visit, purge_expired
from tests.at_once import THREADS, at_once
from tests.conftest import NOW
from tests.examples import MALTA, SERIES
from tests.seeds import ENCRYPTION_KEY, ISSUER, LAUNCH, PLATFORM, SECRET_KEY, Seeded, count, launch, seed

LATER = NOW + timedelta(days=100)
NEXT_SERIES = replace(SERIES, series_id=UUID(int=77), slug="spring", title="The next series")


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def next_series(database: Database, seeded: Seeded) -> UUID:
    """A newer series beside the first one."""
    with database.write() as connection:
        add_series(connection, NEXT_SERIES, rule=Rule(), now=LATER)
    return NEXT_SERIES.series_id


def connect_moodle(database: Database, *, base_url: str = ISSUER, moodle_course_id: int = 2) -> None:
    """What `moodle-sync connect` saves."""
    with database.write() as connection:
        new = NewConnection(university_id=MALTA.university_id, base_url=base_url, token="token", moodle_user_id=35)
        save_connection(connection, new, encryption_key=ENCRYPTION_KEY, now=NOW)
        tie_course(
            connection,
            university_id=MALTA.university_id,
            moodle_course_id=moodle_course_id,
            title="In Moodle",
            series_id=SERIES.series_id,
            now=NOW,
        )


def mirrored(database: Database) -> list[tuple[int, int]]:
    """(our id, Moodle's id) of the courses that are mirrored into."""
    with database.read() as connection:
        return [(one.course_id, one.moodle_course_id) for one in mirrored_courses(connection, MALTA.university_id)]


# One transaction


def test_a_launch_that_fails_leaves_nothing(database: Database, seeded: Seeded) -> None:
    with pytest.raises(DeploymentPending):
        launch(database, structs.replace(LAUNCH, deployment_id="unknown"))
    assert [count(database, table) for table in (spent_nonce, participant, course, placement, visit)] == [0] * 5


def test_without_a_series_nothing_is_opened(database: Database) -> None:
    with database.write() as connection:
        add_university(connection, slug="malta", name="Malta", country="MT", time_zone="Europe/Malta", language="en")
        add_platform(connection, PLATFORM, now=NOW)
    with pytest.raises(NoSeries):
        launch(database)
    assert [count(database, table) for table in (spent_nonce, participant, course, placement, visit)] == [0] * 5


@pytest.mark.parametrize(("state", "error"), [("pending", DeploymentPending), ("disabled", DeploymentDisabled)])
def test_a_deployment_that_is_not_approved_opens_nothing(
    database: Database, seeded: Seeded, state: str, error: type[Exception]
) -> None:
    with database.write() as connection:
        connection.execute(sa.update(deployment).values(state=state))
    with pytest.raises(error):
        launch(database)


def test_of_many_launches_with_one_nonce_exactly_one_opens_a_visit(database: Database, seeded: Seeded) -> None:
    def try_to_open(own: Database, number: int) -> bool:
        new: NewVisit = structs.replace(LAUNCH, visit_id=f"visit {number}", nonce="the same")
        try:
            with own.write() as connection:
                open_visit(connection, new, now=NOW, secret_key=SECRET_KEY)
        except NonceSpent:
            return False
        return True

    assert sorted(at_once(database, try_to_open)) == [False] * (THREADS - 1) + [True]
    assert count(database, visit) == 1


def test_many_first_launches_of_one_course_at_once_make_one_course(database: Database, seeded: Seeded) -> None:
    visits = at_once(database, lambda own, number: launch(own, structs.replace(LAUNCH, sub=f"student {number}")))
    assert len({one.placement_id for one in visits}) == 1
    assert [count(database, table) for table in (course, placement, participant)] == [1, 1, THREADS]


# People


def test_the_same_person_is_one_participant_with_visits_of_their_own(database: Database, seeded: Seeded) -> None:
    one, other = launch(database), launch(database)
    assert one.participant_id == other.participant_id
    assert one.visit_id != other.visit_id


def test_a_registered_anew_platform_keeps_its_people(database: Database, seeded: Seeded) -> None:
    before = launch(database)
    with database.write() as connection:
        again = add_platform(connection, replace(PLATFORM, slug="malta-2", client_id="another"), now=NOW)
    assert launch(database, structs.replace(LAUNCH, platform_id=again)).participant_id == before.participant_id


def test_roles_belong_to_the_visit(database: Database, seeded: Seeded) -> None:
    as_teacher = launch(database, structs.replace(LAUNCH, is_teacher=True, is_learner=False))
    as_student = launch(database)
    assert as_teacher.participant_id == as_student.participant_id
    assert (as_teacher.is_teacher, as_student.is_teacher) == (True, False)


def test_a_visit_lives_twelve_hours(database: Database, seeded: Seeded) -> None:
    opened = launch(database)
    with database.read() as connection:
        for now, is_open in ((NOW + VISIT_LIFE - timedelta(seconds=1), True), (NOW + VISIT_LIFE, False)):
            found = find_visit(connection, opened.visit_id, now=now)
            assert found is not None
            assert (found.visit, found.is_open) == (opened, is_open)


def test_what_has_had_its_time_is_purged(database: Database, seeded: Seeded) -> None:
    launch(database)
    with database.write() as connection:
        purge_expired(connection, now=NOW)
    assert [count(database, table) for table in (spent_nonce, visit)] == [1, 1]
    with database.write() as connection:
        purge_expired(connection, now=NOW + VISIT_LIFE + KEEP_OVER + timedelta(seconds=1))
    assert [count(database, table) for table in (spent_nonce, visit, participant)] == [0, 0, 1]


# What it shows


def test_a_launch_shows_the_only_series(database: Database, seeded: Seeded) -> None:
    opened = launch(database)
    assert (opened.series_id, opened.session_id) == (SERIES.series_id, None)


def test_a_new_course_shows_the_newest_series(database: Database, next_series: UUID) -> None:
    assert launch(database).series_id == next_series


def test_a_course_keeps_the_series_that_it_is_tied_to(database: Database, seeded: Seeded) -> None:
    launch(database)
    with database.write() as connection:
        add_series(connection, NEXT_SERIES, rule=Rule(), now=LATER)
    another_activity = structs.replace(LAUNCH, resource_link_id="2")
    assert launch(database, another_activity).series_id == SERIES.series_id


def test_our_own_series_id_comes_before_everything(database: Database, next_series: UUID) -> None:
    opened = launch(database, structs.replace(LAUNCH, custom_series_id=str(SERIES.series_id)))
    assert (opened.series_id, opened.session_id) == (SERIES.series_id, None)
    assert count(database, course_series) == 1


def test_our_own_session_id_shows_one_session(database: Database, seeded: Seeded, next_series: UUID) -> None:
    opened = launch(database, structs.replace(LAUNCH, custom_session_id=str(seeded.session_ids[1])))
    assert (opened.series_id, opened.session_id) == (SERIES.series_id, seeded.session_ids[1])


@pytest.mark.parametrize("wrong", ["", "7", "not an id", str(UUID(int=1)), "$Unresolved.variable"])
def test_an_id_that_is_none_of_ours_is_passed_over(database: Database, seeded: Seeded, wrong: str) -> None:
    opened = launch(database, structs.replace(LAUNCH, custom_series_id=wrong, custom_session_id=wrong))
    assert (opened.series_id, opened.session_id) == (SERIES.series_id, None)


def test_a_launch_without_a_course_opens_without_one(database: Database, seeded: Seeded) -> None:
    opened = launch(database, structs.replace(LAUNCH, context_id=None))
    assert opened.course_id is None
    assert count(database, course) == 0


def test_pitfall_31_a_later_launch_without_services_keeps_the_known_line_item(
    database: Database, seeded: Seeded
) -> None:
    launch(database)
    launch(database, structs.replace(LAUNCH, line_item_url=None, line_items_url=None))
    with database.read() as connection:
        assert connection.execute(sa.select(placement.c.line_item_url)).scalar_one() == LAUNCH.line_item_url


# A Moodle course that the worker was told of


def test_the_first_launch_adopts_the_mirrored_course(database: Database, seeded: Seeded) -> None:
    connect_moodle(database)
    opened = launch(database)
    assert mirrored(database) == [(opened.course_id, 2)]
    assert count(database, course) == 1


def test_a_course_that_was_launched_before_is_the_one_that_is_mirrored(database: Database, seeded: Seeded) -> None:
    opened = launch(database)
    connect_moodle(database)
    assert mirrored(database) == [(opened.course_id, 2)]
    assert count(database, course) == 1


def test_connecting_a_course_again_changes_nothing(database: Database, seeded: Seeded) -> None:
    connect_moodle(database)
    launch(database)
    connect_moodle(database)
    assert [count(database, table) for table in (course, course_series)] == [1, 1]


def test_another_course_is_not_adopted(database: Database, seeded: Seeded) -> None:
    connect_moodle(database, moodle_course_id=7)
    opened = launch(database)
    assert opened.course_id not in [course_id for course_id, _ in mirrored(database)]


@pytest.mark.parametrize("context_id", ["two", "٢", "2 ", "9" * 30])
def test_a_context_that_is_no_course_number_adopts_nothing(database: Database, seeded: Seeded, context_id: str) -> None:
    connect_moodle(database)
    opened = launch(database, structs.replace(LAUNCH, context_id=context_id))
    assert opened.course_id not in [course_id for course_id, _ in mirrored(database)]


def test_a_course_of_the_same_number_in_another_lms_of_the_university_is_another_course(
    database: Database, seeded: Seeded
) -> None:
    connect_moodle(database, base_url="https://moodle.malta.example")
    opened = launch(database)
    connect_moodle(database, base_url="https://moodle.malta.example")
    assert opened.course_id not in [course_id for course_id, _ in mirrored(database)]
    assert count(database, course) == 2


def test_a_course_of_another_lms_that_was_launched_first_is_not_mirrored(database: Database, seeded: Seeded) -> None:
    opened = launch(database)
    connect_moodle(database, base_url="https://moodle.malta.example")
    assert opened.course_id not in [course_id for course_id, _ in mirrored(database)]
