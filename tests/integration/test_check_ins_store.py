"""The check-in opens by itself, once, however many workers look; on both databases."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from msgspec import structs

from series.check_in import CODE_LIFE
from series.rule import CONFIRMED, SessionRule
from series.sessions import Session, Status
from series.store.check_ins import (
    check_ins_of,
    extended_check_ins,
    give_more_time,
    lock_check_ins,
    open_by_itself,
    open_check_in,
    sessions_to_open,
    turnout_of,
)
from series.store.database import Database
from series.store.evidence import facts_of, retract_evidence
from series.store.objecting import object_to_use
from series.store.rules import set_session_rule
from series.store.sessions import change_session
from series.store.tables import check_in
from tests.at_once import THREADS, at_once
from tests.conftest import NOW
from tests.examples import SERIES, SESSION, weekly
from tests.seeds import LAUNCH, Seeded, code_of, count, launch, record, seed

START, FIVE = SESSION.start_at, SESSION.start_at + timedelta(minutes=5)
SECOND = timedelta(seconds=1)


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


def to_open(database: Database, now: datetime) -> int:
    with database.read() as connection:
        return len(sessions_to_open(connection, now=now))


def open_now(database: Database, now: datetime) -> bool:
    with database.write() as connection:
        return open_by_itself(connection, SESSION.session_id, now=now)


def change(database: Database, session: Session) -> None:
    with database.write() as connection:
        change_session(connection, session, by="staff 1", now=NOW)


def open_by_host(database: Database, now: datetime) -> None:
    with database.write() as connection:
        lock_check_ins(connection, SESSION.session_id)
        open_check_in(connection, session_id=SESSION.session_id, code="042917", participant_id=None, now=now)


def test_it_opens_five_minutes_after_the_start_and_as_long_as_the_session_runs(
    database: Database, seeded: Seeded
) -> None:
    for now in (START, FIVE - SECOND, SESSION.end_at):
        assert (to_open(database, now), open_now(database, now)) == (0, False)
    assert to_open(database, FIVE) == 1
    late = SESSION.end_at - SECOND
    assert (to_open(database, late), open_now(database, late)) == (1, True)
    assert count(database, check_in) == 1


def test_it_does_not_open_once_a_host_has_opened_it_since_the_start(database: Database, seeded: Seeded) -> None:
    open_by_host(database, START)
    assert (to_open(database, FIVE + CODE_LIFE), open_now(database, FIVE + CODE_LIFE)) == (0, False)


def test_an_opening_before_the_session_was_moved_does_not_count(database: Database, seeded: Seeded) -> None:
    open_by_host(database, START - timedelta(days=1))
    assert (to_open(database, FIVE), open_now(database, FIVE)) == (1, True)


def test_it_does_not_open_for_a_cancelled_session(database: Database, seeded: Seeded) -> None:
    change(database, replace(SESSION, status=Status.CANCELLED))
    assert (to_open(database, FIVE), open_now(database, FIVE)) == (0, False)


def test_it_does_not_open_where_the_code_does_not_count(database: Database) -> None:
    before = START - timedelta(days=1)
    seed(database, sessions=weekly(1), now=before)
    with database.write() as connection:
        rule = SessionRule(ways=(CONFIRMED,))
        set_session_rule(connection, SESSION.session_id, rule, by="staff 1", now=before)
    assert to_open(database, FIVE) == 0


def test_many_workers_at_once_open_it_once(database: Database, seeded: Seeded) -> None:
    opened = at_once(database, lambda own, _: open_now(own, FIVE))
    assert (opened.count(True), len(opened)) == (1, THREADS)
    with database.read() as connection:
        (opening,) = check_ins_of(connection, SESSION.session_id)
    assert (opening.opens_at, opening.closes_at) == (FIVE, FIVE + CODE_LIFE)


def test_more_time_is_kept_once_and_for_one_participant(database: Database, seeded: Seeded) -> None:
    student, other = launch(database), launch(database, structs.replace(LAUNCH, sub="6"))
    open_now(database, FIVE)
    with database.write() as connection:
        (opening,) = check_ins_of(connection, SESSION.session_id)
        for _ in range(2):
            give_more_time(connection, check_in_id=opening.check_in_id, participant_id=student.participant_id, now=FIVE)
        of = {"session_id": SESSION.session_id}
        mine = extended_check_ins(connection, participant_id=student.participant_id, **of)
        assert mine == {opening.check_in_id}
        assert extended_check_ins(connection, participant_id=other.participant_id, **of) == frozenset()


def test_people_are_counted_once_and_without_what_was_withdrawn(database: Database, seeded: Seeded) -> None:
    students = [launch(database, structs.replace(LAUNCH, sub=sub)) for sub in ("5", "6", "7")]
    for student in students:
        for source_id in ("1", "2"):
            record(database, code_of(student, SESSION.session_id, source_id=source_id))
    with database.write() as connection:
        gone = facts_of(connection, participant_id=students[0].participant_id, series_id=SERIES.series_id)
        for fact in gone:
            retract_evidence(connection, fact.evidence.evidence_id, by="staff 1", reason="No.", now=NOW)
        found = turnout_of(connection, SESSION.session_id)
    assert (found.people, found.countries, found.largest) == (2, 1, 2)


def test_dpo_13_who_objects_is_not_in_the_live_number(database: Database, seeded: Seeded) -> None:
    students = [launch(database, structs.replace(LAUNCH, sub=sub)) for sub in ("5", "6")]
    for student in students:
        record(database, code_of(student, SESSION.session_id))
    with database.write() as connection:
        object_to_use(connection, students[0].participant_id, now=NOW)
        assert turnout_of(connection, SESSION.session_id).people == 1
