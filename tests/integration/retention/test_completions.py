"""Completions, and who took part: nothing goes that a series still needs, nor a grade that is to be sent."""

from dataclasses import replace
from datetime import datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.people import Visit
from series.retention import WAITS_FOR_A_GRADEBOOK, Kept, period
from series.rule import Rule
from series.store.activity_states import Outcome
from series.store.database import Database
from series.store.moodle_tables import activity_state
from series.store.sessions import add_series, save_import
from series.store.tables import (
    completion,
    delivery,
    evidence,
    participant,
)
from tests.conftest import NOW
from tests.examples import SERIES, weekly
from tests.integration.collect_store import UNKNOWN, open_store
from tests.integration.retention.kept import DAY, RUNNING, SECOND, YEAR, counts, run
from tests.replacing import REGISTERED_AGAIN, register, succeed
from tests.seeds import LAUNCH, code_of, count, launch, record

KEPT_FOR_IT = ("evidence", "excuse", "reflection", "delivery", "membership")


def test_dpo_09_before_its_time_nothing_of_a_person_goes(database: Database, student: Visit, end: datetime) -> None:
    before = counts(database)
    assert set(run(database, end + YEAR - SECOND)) <= {Kept.TRANSFER}
    assert counts(database) == before


def test_dpo_09_a_year_after_its_end_all_of_a_series_goes(database: Database, student: Visit, end: datetime) -> None:
    done = run(database, end + YEAR)
    assert counts(database) == dict.fromkeys(counts(database), 0)
    assert done[Kept.COMPLETION] == 6  # two facts, a completion or none, an excuse, an objection, a grade
    assert done[Kept.REFLECTION] == 1
    with database.read() as connection:
        there = connection.execute(sa.select(participant.c.sub)).scalars().all()
    assert there == ["9"]  # the newest number is not given out again


def test_dpo_09_what_a_running_series_needs_stays(database: Database, student: Visit, end: datetime) -> None:
    last = replace(weekly(1)[0], session_id=uuid4(), series_id=SERIES.series_id, start_at=end, end_at=end + DAY)
    with database.write() as connection:
        save_import(
            connection, SERIES.series_id, new=[(last, ("late@example", last.start_at))], changed=(), rekeyed=(), now=NOW
        )
    before = counts(database)
    assert not set(run(database, end + YEAR)) - {Kept.TRANSFER, Kept.ATTENDANCE}
    assert counts(database) == before


def test_dpo_09_who_takes_part_in_a_newer_series_stays_there(database: Database, student: Visit, end: datetime) -> None:
    later = replace(weekly(1)[0], session_id=uuid4(), series_id=RUNNING.series_id, end_at=end + YEAR + 2 * DAY)
    with database.write() as connection:
        add_series(connection, RUNNING, rule=Rule(required=1), now=NOW)
        save_import(connection, RUNNING.series_id, new=[(later, ("new@example", end))], changed=(), rekeyed=(), now=NOW)
    record(database, code_of(student, later.session_id, source_id="new"))
    run(database, end + YEAR + DAY)
    with database.read() as connection:
        assert connection.execute(sa.select(completion.c.session_id)).scalars().all() == [later.session_id]
        assert student.participant_id in connection.execute(sa.select(participant.c.id)).scalars().all()


def test_dpo_09_who_has_the_number_of_a_university_goes_like_others(
    database: Database, student: Visit, end: datetime
) -> None:
    later = replace(weekly(1)[0], session_id=uuid4(), series_id=RUNNING.series_id, end_at=end + YEAR + 2 * DAY)
    with database.write() as connection:
        add_series(connection, RUNNING, rule=Rule(required=1), now=NOW)
        save_import(connection, RUNNING.series_id, new=[(later, ("new@example", end))], changed=(), rekeyed=(), now=NOW)
    newer = launch(database, structs.replace(LAUNCH, sub="newer"))
    record(database, code_of(newer, later.session_id, source_id="new"))
    with database.read() as connection:
        assert student.participant_id in connection.execute(sa.select(completion.c.university_id)).scalars().all()
    run(database, end + YEAR + DAY)
    with database.read() as connection:
        assert student.participant_id not in connection.execute(sa.select(participant.c.id)).scalars().all()


@pytest.mark.parametrize("values", [{"state": "due"}, {"state": "superseded", "in_flight": True}])
def test_dpo_09_a_grade_that_is_due_keeps_what_it_stands_on(
    database: Database, student: Visit, end: datetime, values: dict[str, object]
) -> None:
    with database.write() as connection:
        connection.execute(sa.update(delivery).values(values))
    before = counts(database)
    run(database, end + YEAR)
    kept = {name: number for name, number in counts(database).items() if number}
    assert {"evidence", "delivery", "reflection"} <= set(kept)
    assert all(before[name] == number for name, number in kept.items() if name != "membership")


def test_dpo_09_a_grade_that_waits_for_another_lms_is_owed_for_six_months(
    database: Database, student: Visit, end: datetime
) -> None:
    with database.write() as connection:
        connection.execute(sa.update(delivery).values(state="due"))
    register(database, REGISTERED_AGAIN)
    replaced_at = end + YEAR - 30 * DAY
    succeed(database, now=replaced_at)
    run(database, end + YEAR)
    assert all(counts(database)[name] for name in KEPT_FOR_IT)
    run(database, replaced_at + WAITS_FOR_A_GRADEBOOK - SECOND)
    assert counts(database)["delivery"] == 1
    run(database, replaced_at + WAITS_FOR_A_GRADEBOOK)
    assert counts(database) == dict.fromkeys(counts(database), 0)


def test_dpo_09_what_moodle_says_of_a_series_that_was_deleted_is_not_taken_in_again(database: Database) -> None:
    """Moodle remembers longer than we do, and is asked about everybody once a day."""
    store = open_store(database)
    assert store.add().completed == 1
    after = max(one.end_at for one in store.seeded.sessions) + YEAR
    with database.write() as connection:
        connection.execute(sa.update(delivery).values(state="delivered"))
    assert run(database, after)[Kept.COMPLETION] == 4  # what Moodle said, the fact, the completion, the grade
    assert store.add(now=after) == Outcome()
    assert (count(database, evidence), count(database, activity_state)) == (0, 0)


def test_dpo_09_who_waits_to_be_known_goes_sixty_days_after_the_end(database: Database) -> None:
    store = open_store(database)
    assert store.add(sub=UNKNOWN).waiting == 1
    after = max(one.end_at for one in store.seeded.sessions) + period(Kept.ACTIVITY)
    assert Kept.ACTIVITY not in run(database, after - SECOND)
    assert run(database, after)[Kept.ACTIVITY] == 1
