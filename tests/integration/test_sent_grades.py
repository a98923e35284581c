"""What the pages say of grades: the newest version of each, and trying again within one course; on both databases."""

from datetime import timedelta

import pytest
from msgspec import structs

from series.people import Visit
from series.store import deliveries
from series.store.database import Database
from series.store.sent_grades import SentGrade, grades_of_course, grades_of_participant, retry_of_course
from tests.conftest import NOW
from tests.examples import SERIES
from tests.seeds import LAUNCH, Seeded, code_of, launch, record, seed

SECOND = timedelta(seconds=1)
ANOTHER_COURSE = structs.replace(
    LAUNCH,
    sub="6",
    context_id="3",
    resource_link_id="2",
    line_item_url="https://lms.malta.example/lineitems/5/lineitem",
)


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def student(database: Database, seeded: Seeded) -> Visit:
    return launch(database)


@pytest.fixture
def first(database: Database, seeded: Seeded, student: Visit) -> int:
    (delivery_id,) = record(database, code_of(student, seeded.session_ids[0]))
    return delivery_id


def of_participant(database: Database, visit: Visit) -> list[SentGrade]:
    with database.read() as connection:
        return grades_of_participant(connection, participant_id=visit.participant_id, series_id=SERIES.series_id)


def of_course(database: Database, visit: Visit) -> list[SentGrade]:
    assert visit.course_id is not None
    with database.read() as connection:
        return grades_of_course(connection, course_id=visit.course_id, series_id=SERIES.series_id)


def retry(database: Database, visit: Visit, delivery_id: int | None) -> list[int]:
    assert visit.course_id is not None
    with database.write() as connection:
        return retry_of_course(connection, course_id=visit.course_id, delivery_id=delivery_id, now=NOW + SECOND)


def fail(database: Database, delivery_id: int) -> None:
    with database.write() as connection:
        assert deliveries.claim(connection, delivery_id, now=NOW)
        deliveries.mark_failed(connection, delivery_id, outcome="Never.")


def test_a_grade_says_where_it_is_on_its_way(database: Database, student: Visit, first: int) -> None:
    wanted = SentGrade(
        delivery_id=first,
        participant_id=student.participant_id,
        sub="5",
        placement_id=student.placement_id,
        session_id=None,
        score_given=1,
        score_maximum=2,
        state="due",
        outcome=None,
        attempts=0,
        next_attempt_at=NOW,
        score_at=NOW,
        delivered_at=None,
    )
    assert of_participant(database, student) == [wanted]
    assert of_course(database, student) == [wanted]


def test_only_the_newest_version_is_shown(database: Database, seeded: Seeded, student: Visit, first: int) -> None:
    fail(database, first)
    (newer,) = record(database, code_of(student, seeded.session_ids[1]))
    assert [grade.delivery_id for grade in of_participant(database, student)] == [newer]
    assert [(grade.delivery_id, grade.score_given) for grade in of_course(database, student)] == [(newer, 2)]


def test_another_course_is_shown_apart(database: Database, seeded: Seeded, student: Visit, first: int) -> None:
    elsewhere = launch(database, ANOTHER_COURSE)
    (other,) = record(database, code_of(elsewhere, seeded.session_ids[0]))
    assert [grade.delivery_id for grade in of_course(database, student)] == [first]
    assert [grade.delivery_id for grade in of_course(database, elsewhere)] == [other]


def test_all_of_a_course_that_failed_or_wait_are_tried_again(
    database: Database, seeded: Seeded, student: Visit, first: int
) -> None:
    elsewhere = launch(database, ANOTHER_COURSE)
    (other,) = record(database, code_of(elsewhere, seeded.session_ids[0]))
    (waiting,) = record(database, code_of(launch(database, structs.replace(LAUNCH, sub="7")), seeded.session_ids[0]))
    for delivery_id in (first, other):
        fail(database, delivery_id)
    assert retry(database, student, None) == [first, waiting]
    assert [grade.state for grade in of_course(database, student)] == ["due", "due"]
    assert [grade.state for grade in of_course(database, elsewhere)] == ["failed"]


def test_one_is_tried_again(database: Database, student: Visit, first: int) -> None:
    fail(database, first)
    assert retry(database, student, first) == [first]


def test_the_delivery_of_another_course_is_not_tried_again(
    database: Database, seeded: Seeded, student: Visit, first: int
) -> None:
    elsewhere = launch(database, ANOTHER_COURSE)
    fail(database, first)
    assert retry(database, elsewhere, first) == []
    assert [grade.state for grade in of_course(database, student)] == ["failed"]


def test_a_version_that_a_newer_one_has_replaced_is_not_tried_again(
    database: Database, seeded: Seeded, student: Visit, first: int
) -> None:
    fail(database, first)
    (newer,) = record(database, code_of(student, seeded.session_ids[1]))
    assert retry(database, student, None) == [newer]
    assert retry(database, student, first) == []


def test_what_was_delivered_is_not_sent_again(database: Database, student: Visit, first: int) -> None:
    with database.write() as connection:
        assert deliveries.claim(connection, first, now=NOW)
        deliveries.mark_delivered(connection, first, outcome="Delivered.", now=NOW)
    assert retry(database, student, None) == []
    assert [(grade.state, grade.delivered_at) for grade in of_participant(database, student)] == [("delivered", NOW)]
