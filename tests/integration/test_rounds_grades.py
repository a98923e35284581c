"""A course that goes over to a new round with its old columns: no better grade is lowered by it, or asked about."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.people import Visit
from series.sessions import Session
from series.store.database import Database
from series.store.evidence import retract_evidence
from series.store.gradebook_gaps import gaps_of_course
from series.store.round_choices import round_choice, take_round
from series.store.tables import delivery, evidence
from tests.conftest import NOW
from tests.rounds import next_round
from tests.seeds import LAUNCH, code_of, launch, record, seed

AFTER = NOW + timedelta(weeks=10)
TEACHER = structs.replace(LAUNCH, sub="8", is_teacher=True, is_learner=False)


@pytest.fixture
def student(database: Database) -> Visit:
    """Has completed the old round, two of two; the column was told."""
    seeded = seed(database)
    student = launch(database)
    for number in (0, 1):
        record(database, code_of(student, seeded.session_ids[number], source_id=str(number)))
    return student


@pytest.fixture
def copies(database: Database, student: Visit) -> list[Session]:
    """Of the new round, to which the course has gone over."""
    visit = launch(database, TEACHER)
    _, copies = next_round(database, date(2027, 3, 16))
    answer(database, visit, is_taken=True)
    launch(database, now=AFTER)
    return copies


def answer(database: Database, visit: Visit, *, is_taken: bool) -> None:
    with database.write() as connection:
        choice = round_choice(connection, visit, now=AFTER)
        assert choice is not None
        take_round(connection, visit, choice, is_taken=is_taken, by="participant 8", now=AFTER)


def withdraw_the_last(database: Database) -> list[int]:
    with database.write() as connection:
        last = connection.execute(sa.select(sa.func.max(evidence.c.id))).scalar_one()
        return retract_evidence(connection, last, by="participant 8", reason="Was not there.", now=AFTER)


def told(database: Database) -> list[tuple[int, int]]:
    query = sa.select(delivery.c.score_given, delivery.c.score_maximum).order_by(delivery.c.version)
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(query)]


def gaps(database: Database) -> list[tuple[int, int]]:
    visit = launch(database, TEACHER, now=AFTER)
    assert visit.course_id is not None
    with database.read() as connection:
        found = gaps_of_course(connection, course_id=visit.course_id, series_id=visit.series_id, now=AFTER)
    return [(gap.told.given, gap.counts.given) for gap in found]


def test_a_withdrawal_in_the_new_round_leaves_the_better_grade_of_the_old_one(
    database: Database, student: Visit, copies: list[Session]
) -> None:
    record(database, code_of(student, copies[0].session_id, source_id="9", at=AFTER), now=AFTER)
    assert withdraw_the_last(database) == []
    assert told(database) == [(1, 2), (2, 2)]


def test_a_withdrawal_never_takes_less_than_the_old_round_had_left(
    database: Database, student: Visit, copies: list[Session]
) -> None:
    """Also where the new round has come as far: two of two, one withdrawn."""
    for number in (0, 1):
        at = AFTER + timedelta(weeks=number)
        record(database, code_of(student, copies[number].session_id, source_id=f"9{number}", at=at), now=at)
    assert withdraw_the_last(database) == []
    assert told(database)[-1] == (2, 2)


def test_without_another_round_a_withdrawal_lowers(database: Database, student: Visit) -> None:
    """Also after a plan that asks for more: what counts is said, as the teacher was promised."""
    assert len(withdraw_the_last(database)) == 1
    assert told(database)[-1] == (1, 2)


def test_a_withdrawal_after_going_back_leaves_the_better_grade_of_the_new_round(
    database: Database, student: Visit, copies: list[Session]
) -> None:
    with database.read() as connection:
        older = list(connection.execute(sa.select(evidence.c.id).order_by(evidence.c.id)).scalars())
    answer(database, launch(database, TEACHER, now=AFTER), is_taken=False)
    with database.write() as connection:
        assert len(retract_evidence(connection, older[0], by="participant 8", reason="No.", now=AFTER)) == 1
    assert told(database)[-1] == (1, 2), "it was the old round's own"


def test_a_better_grade_of_the_old_round_is_no_gap(database: Database, student: Visit, copies: list[Session]) -> None:
    assert gaps(database) == []
