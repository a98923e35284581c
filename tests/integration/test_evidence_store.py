"""Evidence in, completion and deliveries out: one transaction, on both databases."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.people import Visit
from series.rule import Kind
from series.store import deliveries
from series.store.database import Database
from series.store.deliveries import DeliveryRow, list_deliveries
from series.store.evidence import record_evidence
from series.store.records import completions_of
from series.store.tables import completion, delivery, evidence
from tests.at_once import THREADS, at_once
from tests.conftest import NOW
from tests.examples import SERIES, weekly
from tests.seeds import LAUNCH, LINE_ITEM, Seeded, code_of, count, last_sent, launch, record, seed

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def student(database: Database, seeded: Seeded) -> Visit:
    return launch(database)


def rows(database: Database) -> list[DeliveryRow]:
    with database.read() as connection:
        return list_deliveries(connection, state=None)


def scores(database: Database) -> list[tuple[str, int, int, int]]:
    return [(row.state, row.version, row.score_given, row.score_maximum) for row in rows(database)]


def completed(database: Database, visit: Visit) -> set[UUID]:
    with database.read() as connection:
        return set(completions_of(connection, participant_id=visit.participant_id, series_id=SERIES.series_id))


# One transaction


def test_a_right_code_is_evidence_completion_and_delivery(database: Database, seeded: Seeded, student: Visit) -> None:
    (delivery_id,) = record(database, code_of(student, seeded.session_ids[0]))
    assert completed(database, student) == {seeded.session_ids[0]}
    (row,) = rows(database)
    assert (row.delivery_id, row.university, row.sub, row.line_item_url) == (delivery_id, "malta", "5", LINE_ITEM)
    assert scores(database) == [("due", 1, 1, 2)]
    assert row.next_attempt_at == NOW


def test_a_failure_after_it_leaves_nothing(database: Database, seeded: Seeded, student: Visit) -> None:
    def record_and_stop(connection: sa.Connection) -> None:
        assert record_evidence(connection, code_of(student, seeded.session_ids[0]), now=NOW)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), database.write() as connection:
        record_and_stop(connection)
    assert [count(database, table) for table in (evidence, completion, delivery)] == [0, 0, 0]


def test_evidence_for_a_session_that_is_not_there_leaves_nothing(database: Database, student: Visit) -> None:
    with pytest.raises(sa.exc.SQLAlchemyError):
        record(database, code_of(student, UUID(int=1)))
    assert [count(database, table) for table in (evidence, completion, delivery)] == [0, 0, 0]


def test_a_completion_has_the_time_of_the_earliest_fact(database: Database, seeded: Seeded, student: Visit) -> None:
    first = seeded.session_ids[0]
    record(database, code_of(student, first, at=LATER))
    record(database, code_of(student, first, source_id="2", at=NOW))
    with database.read() as connection:
        found = completions_of(connection, participant_id=student.participant_id, series_id=SERIES.series_id)
    assert found == {first: NOW}


def test_evidence_of_a_kind_that_the_rule_does_not_count_completes_nothing(
    database: Database, seeded: Seeded, student: Visit
) -> None:
    assert record(database, replace(code_of(student, seeded.session_ids[0]), kind=Kind.RECORDING)) == []
    assert [count(database, table) for table in (evidence, completion, delivery)] == [1, 0, 0]


# Repetition


def test_the_same_evidence_twice_is_one(database: Database, seeded: Seeded, student: Visit) -> None:
    new = code_of(student, seeded.session_ids[0])
    assert len(record(database, new)) == 1
    assert record(database, new, now=LATER) == []
    assert [count(database, table) for table in (evidence, completion, delivery)] == [1, 1, 1]


def test_the_same_evidence_many_times_at_once_is_one(database: Database, seeded: Seeded, student: Visit) -> None:
    new = code_of(student, seeded.session_ids[0])
    queued = at_once(database, lambda own, _: record(own, new))
    assert sorted(map(len, queued)) == [0] * (THREADS - 1) + [1]
    assert [count(database, table) for table in (evidence, completion, delivery)] == [1, 1, 1]


def test_a_second_fact_for_a_completed_session_is_kept_and_sends_no_new_version(
    database: Database, seeded: Seeded, student: Visit
) -> None:
    record(database, code_of(student, seeded.session_ids[0]))
    assert record(database, code_of(student, seeded.session_ids[0], source_id="2")) == []
    assert [count(database, table) for table in (evidence, completion, delivery)] == [2, 1, 1]


def test_more_sessions_than_required_send_no_new_version(database: Database, seeded: Seeded, student: Visit) -> None:
    queued = [record(database, code_of(student, session_id)) for session_id in seeded.session_ids]
    assert [len(ids) for ids in queued] == [1, 1, 0]
    assert scores(database)[-1] == ("due", 2, 2, 2)


# Who gets a delivery


def test_a_learner_without_a_line_item_gets_none(database: Database, seeded: Seeded) -> None:
    student = launch(database, structs.replace(LAUNCH, line_item_url=None))
    assert record(database, code_of(student, seeded.session_ids[0])) == []
    assert completed(database, student) == {seeded.session_ids[0]}


def test_whoever_is_no_learner_gets_none(database: Database, seeded: Seeded) -> None:
    teacher = launch(database, structs.replace(LAUNCH, sub="8", is_teacher=True, is_learner=False))
    assert record(database, code_of(teacher, seeded.session_ids[0])) == []


def test_whoever_has_become_a_teacher_gets_none(database: Database, seeded: Seeded, student: Visit) -> None:
    launch(database, structs.replace(LAUNCH, is_teacher=True, is_learner=False))
    assert record(database, code_of(student, seeded.session_ids[0])) == []


def test_each_line_item_of_the_learner_gets_its_own(database: Database, seeded: Seeded, student: Visit) -> None:
    first, second, _ = seeded.session_ids
    of_one_session = structs.replace(
        LAUNCH, resource_link_id="2", line_item_url=f"{LINE_ITEM}&2", custom_session_id=str(second)
    )
    assert launch(database, of_one_session).participant_id == student.participant_id
    assert len(record(database, code_of(student, second))) == 2
    assert {(row.line_item_url, row.score_given, row.score_maximum) for row in rows(database)} == {
        (LINE_ITEM, 1, 2),
        (f"{LINE_ITEM}&2", 1, 1),
    }
    record(database, code_of(student, first))
    assert [row.version for row in rows(database) if row.line_item_url == f"{LINE_ITEM}&2"] == [1]


def test_a_session_that_was_not_completed_gets_no_grade_of_nought(
    database: Database, seeded: Seeded, student: Visit
) -> None:
    first, _, third = seeded.session_ids
    launch(
        database,
        structs.replace(LAUNCH, resource_link_id="3", line_item_url=f"{LINE_ITEM}&3", custom_session_id=str(third)),
    )
    record(database, code_of(student, first))
    assert [row.line_item_url for row in rows(database)] == [LINE_ITEM]


def test_evidence_of_one_learner_sends_nothing_for_another(database: Database, seeded: Seeded, student: Visit) -> None:
    launch(database, structs.replace(LAUNCH, sub="6"))
    record(database, code_of(student, seeded.session_ids[0]))
    assert [row.sub for row in rows(database)] == ["5"]


# Versions


def test_a_newer_version_supersedes_the_waiting_one(database: Database, seeded: Seeded, student: Visit) -> None:
    for session_id in seeded.session_ids[:2]:
        record(database, code_of(student, session_id))
    assert scores(database) == [("superseded", 1, 1, 2), ("due", 2, 2, 2)]


def test_a_newer_version_leaves_the_one_in_flight_to_end(database: Database, seeded: Seeded, student: Visit) -> None:
    (first,) = record(database, code_of(student, seeded.session_ids[0]))
    with database.write() as connection:
        assert deliveries.claim(connection, first, now=NOW)
    record(database, code_of(student, seeded.session_ids[1]))
    assert scores(database) == [("due", 1, 1, 2), ("due", 2, 2, 2)]


def test_the_timestamps_of_versions_grow_by_whole_seconds(database: Database, seeded: Seeded, student: Visit) -> None:
    for session_id in seeded.session_ids[:2]:
        record(database, code_of(student, session_id), now=NOW + timedelta(milliseconds=400))
    with database.read() as connection:
        times = connection.execute(sa.select(delivery.c.score_at).order_by(delivery.c.version)).scalars().all()
    assert times == [NOW, NOW + timedelta(seconds=1)]


def test_many_sessions_at_once_end_in_one_row_of_versions_and_the_right_score(database: Database) -> None:
    seeded = seed(database, sessions=weekly(THREADS), required=THREADS)
    student = launch(database)
    at_once(database, lambda own, number: record(own, code_of(student, seeded.session_ids[number])))
    found = sorted(scores(database), key=lambda score: score[1])
    assert [(version, given) for _, version, given, _ in found] == [(n, n) for n in range(1, THREADS + 1)]
    assert [state for state, *_ in found] == ["superseded"] * (THREADS - 1) + ["due"]


def test_the_participant_reads_what_became_of_the_newest_version(
    database: Database, seeded: Seeded, student: Visit
) -> None:
    with database.read() as connection:
        assert last_sent(connection, student) is None
    (first,) = record(database, code_of(student, seeded.session_ids[0]))
    with database.write() as connection:
        deliveries.mark_delivered(connection, first, outcome="Delivered.", now=NOW)
        assert last_sent(connection, student) == ("delivered", "Delivered.")
    record(database, code_of(student, seeded.session_ids[1]))
    with database.read() as connection:
        assert last_sent(connection, student) == ("due", None)
