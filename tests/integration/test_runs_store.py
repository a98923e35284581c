"""Sync runs: a slot runs once over all workers, and a worker that died makes room, on both databases."""

from datetime import datetime, timedelta

import pytest

from series.store import runs
from series.store.database import Database
from series.store.runs import ABANDONED_AFTER, SyncRun
from tests.at_once import THREADS, at_once
from tests.conftest import NOW

SECOND = timedelta(seconds=1)


def begin(
    database: Database, *, job: str = "mirror", scope: str = "malta", slot: str = "1", now: datetime = NOW
) -> int | None:
    with database.write() as connection:
        return runs.begin_run(connection, job=job, scope=scope, slot=slot, now=now)


def end(database: Database, run_id: int, *, now: datetime = NOW) -> None:
    with database.write() as connection:
        runs.end_run(connection, run_id, outcome="done", counts={"created": 3}, calls=2, reason=None, now=now)


def listed(database: Database) -> list[SyncRun]:
    with database.read() as connection:
        return runs.list_runs(connection, limit=100)


@pytest.fixture
def running(database: Database) -> int:
    run_id = begin(database)
    assert run_id is not None
    return run_id


def test_a_run_is_begun_and_ended(database: Database, running: int) -> None:
    end(database, running, now=NOW + SECOND)
    assert listed(database) == [
        SyncRun(
            run_id=running,
            job="mirror",
            scope="malta",
            started_at=NOW,
            alive_at=NOW,
            finished_at=NOW + SECOND,
            outcome="done",
            counts={"created": 3},
            calls=2,
            reason=None,
        )
    ]


def test_a_slot_runs_once_however_many_workers_begin_it_at_once(database: Database) -> None:
    begun = at_once(database, lambda own, _: begin(own))
    assert len([run_id for run_id in begun if run_id is not None]) == 1
    assert len(listed(database)) == 1


def test_a_slot_that_has_run_does_not_run_again(database: Database, running: int) -> None:
    end(database, running)
    assert begin(database) is None


def test_while_a_run_is_under_way_no_other_slot_begins(database: Database, running: int) -> None:
    assert begin(database, slot="2") is None


def test_of_many_slots_begun_at_once_one_runs(database: Database) -> None:
    begun = at_once(database, lambda own, number: begin(own, slot=str(number)))
    assert len([run_id for run_id in begun if run_id is not None]) == 1


def test_when_a_run_has_ended_the_next_slot_begins(database: Database, running: int) -> None:
    end(database, running)
    assert begin(database, slot="2") is not None
    assert [run.outcome for run in listed(database)] == ["running", "done"]


def test_universities_do_not_wait_for_each_other(database: Database, running: int) -> None:
    assert begin(database, scope="vilnius") is not None


def test_an_abandoned_run_makes_room(database: Database, running: int) -> None:
    assert begin(database, slot="2", now=NOW + ABANDONED_AFTER) is None
    assert begin(database, slot="3", now=NOW + ABANDONED_AFTER + SECOND) is not None
    new, old = listed(database)
    assert (old.outcome, old.finished_at) == ("failed", NOW + ABANDONED_AFTER + SECOND)
    assert old.reason is not None
    assert new.outcome == "running"


def test_an_abandoned_run_makes_room_for_exactly_one(database: Database, running: int) -> None:
    late = NOW + ABANDONED_AFTER + SECOND
    begun = at_once(database, lambda own, number: begin(own, slot=str(2 + number), now=late))
    assert len([run_id for run_id in begun if run_id is not None]) == 1
    assert THREADS > 1


def test_a_run_that_says_that_it_is_alive_keeps_its_place(database: Database, running: int) -> None:
    with database.write() as connection:
        runs.still_alive(connection, running, now=NOW + ABANDONED_AFTER)
    assert begin(database, slot="2", now=NOW + ABANDONED_AFTER + SECOND) is None


def test_a_run_that_was_given_up_has_no_scope(database: Database, running: int) -> None:
    begin(database, slot="2", now=NOW + 2 * ABANDONED_AFTER)
    with database.read() as connection:
        assert runs.scope_of(connection, running) is None
        assert runs.scope_of(connection, running + 1) == "malta"


def test_old_runs_are_purged(database: Database, running: int) -> None:
    end(database, running)
    with database.write() as connection:
        runs.purge_runs(connection, before=NOW, uneventful_before=NOW)
    assert len(listed(database)) == 1
    with database.write() as connection:
        runs.purge_runs(connection, before=NOW + SECOND, uneventful_before=NOW)
    assert listed(database) == []


@pytest.mark.parametrize(
    ("outcome", "counts", "reason", "stays"),
    [
        ("done", {}, None, False),
        ("done", {"created": 1}, None, True),
        ("done", {}, "“Week 7” was refused.", True),
        ("failed", {}, "No answer.", True),
    ],
)
def test_runs_that_changed_nothing_go_sooner(
    database: Database, running: int, outcome: str, counts: dict[str, int], reason: str | None, *, stays: bool
) -> None:
    with database.write() as connection:
        runs.end_run(connection, running, outcome=outcome, counts=counts, reason=reason, now=NOW)
        runs.purge_runs(connection, before=NOW, uneventful_before=NOW + SECOND)
    assert bool(listed(database)) == stays


def test_runs_are_listed_by_university_and_job(database: Database, running: int) -> None:
    for job, scope in (("calendar", "malta"), ("rosters", "malta"), ("mirror", "vilnius")):
        begin(database, job=job, scope=scope)
    with database.read() as connection:
        of_malta = runs.list_runs(connection, limit=9, university_slug="malta")
        assert [(run.job, run.scope) for run in of_malta] == [("rosters", "malta"), ("mirror", "malta")]
        assert [run.scope for run in runs.list_runs(connection, limit=9, job="mirror")] == ["vilnius", "malta"]
