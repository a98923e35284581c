"""The objection: no grade goes out while it stands, and all as before when it is taken back."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.people import Visit
from series.pooled import TERM
from series.store.database import Database
from series.store.deliveries import claim, due_ids, mark_delivered, postpone, retry
from series.store.merging import merge_participants
from series.store.objecting import object_to_use, objected_at, take_objection_back
from series.store.pooled import take_step
from series.store.rescoring import rescore
from series.store.sent_grades import grades_of_participant
from series.store.tables import audit, delivery
from tests.conftest import NOW
from tests.examples import SERIES
from tests.seeds import LAUNCH, Seeded, code_of, launch, record, seed

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def maria(database: Database, seeded: Seeded) -> Visit:
    return launch(database)


def object_now(database: Database, visit: Visit) -> None:
    with database.write() as connection:
        object_to_use(connection, visit.participant_id, now=LATER)


def take_back(database: Database, visit: Visit) -> list[int]:
    with database.write() as connection:
        return take_objection_back(connection, visit.participant_id, now=LATER)


def due(database: Database) -> list[int]:
    with database.read() as connection:
        return due_ids(connection, now=LATER + timedelta(days=1), limit=99)


def test_dpo_13_a_grade_that_waits_is_stopped_and_none_is_made(
    database: Database, seeded: Seeded, maria: Visit
) -> None:
    record(database, code_of(maria, seeded.session_ids[0]))
    object_now(database, maria)
    assert due(database) == []
    assert record(database, code_of(maria, seeded.session_ids[1])) == []
    launch(database)
    with database.write() as connection:
        assert rescore(connection, [maria.participant_id], SERIES.series_id, now=LATER) == set()
        assert retry(connection, delivery_id=None, now=LATER) == 0
    assert due(database) == []


def test_dpo_13_taken_back_the_grade_goes_out_with_all_that_was_done_meanwhile(
    database: Database, seeded: Seeded, maria: Visit
) -> None:
    record(database, code_of(maria, seeded.session_ids[0]))
    object_now(database, maria)
    record(database, code_of(maria, seeded.session_ids[1]))
    queued = take_back(database, maria)
    assert due(database) == queued
    with database.read() as connection:
        (grade,) = grades_of_participant(connection, participant_id=maria.participant_id, series_id=SERIES.series_id)
    assert (grade.score_given, grade.score_maximum) == (2, 2)


def test_dpo_13_what_is_in_flight_is_not_tried_again(database: Database, seeded: Seeded, maria: Visit) -> None:
    (delivery_id,) = record(database, code_of(maria, seeded.session_ids[0]))
    with database.write() as connection:
        assert claim(connection, delivery_id, now=NOW)
    object_now(database, maria)
    with database.write() as connection:
        postpone(connection, delivery_id, outcome="The LMS did not answer.", next_attempt_at=LATER)
        assert claim(connection, delivery_id, now=LATER) is None
        state = connection.execute(sa.select(delivery.c.state).where(delivery.c.id == delivery_id)).scalar_one()
    assert state == "superseded"


def test_dpo_13_a_grade_that_has_arrived_stays_known_as_sent(database: Database, seeded: Seeded, maria: Visit) -> None:
    (delivery_id,) = record(database, code_of(maria, seeded.session_ids[0]))
    with database.write() as connection:
        claim(connection, delivery_id, now=NOW)
        mark_delivered(connection, delivery_id, outcome="Delivered.", now=NOW)
    object_now(database, maria)
    assert take_back(database, maria) == []


def test_dpo_13_the_numbers_are_without_them_until_they_take_it_back(
    database: Database, seeded: Seeded, maria: Visit
) -> None:
    record(database, code_of(maria, seeded.session_ids[0]))
    object_now(database, maria)
    assert people(database, weeks=5) == 0
    take_back(database, maria)
    assert people(database, weeks=6) == 1


def people(database: Database, *, weeks: int) -> int:
    """Distinct ones of the term in Malta, as a step finds them."""
    at = NOW + timedelta(weeks=weeks)
    with database.write() as connection:
        step = take_step(connection, SERIES.series_id, due_at=at, now=at)
    assert step is not None
    return step.counts[TERM][1]


def test_nobody_elses_grade_is_stopped(database: Database, seeded: Seeded, maria: Visit) -> None:
    other = launch(database, structs.replace(LAUNCH, sub="6"))
    object_now(database, maria)
    assert record(database, code_of(other, seeded.session_ids[0])) == due(database) != []


def test_objecting_twice_is_objecting_once(database: Database, maria: Visit) -> None:
    object_now(database, maria)
    with database.write() as connection:
        object_to_use(connection, maria.participant_id, now=LATER + timedelta(days=1))
        assert objected_at(connection, maria.participant_id) == LATER
        actions = connection.execute(sa.select(audit.c.action)).scalars().all()
    assert list(actions) == ["object"]


def test_two_accounts_that_become_one_keep_the_objection(database: Database, maria: Visit) -> None:
    other = launch(database, structs.replace(LAUNCH, sub="6"))
    object_now(database, other)
    with database.write() as connection:
        merge_participants(connection, kept=maria.participant_id, dropped=other.participant_id)
        assert objected_at(connection, maria.participant_id) == LATER
