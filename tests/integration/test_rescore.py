"""All scores worked out anew after a change of the rule or the plan, on both databases."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from moodle_sync import jobs, rescore
from moodle_sync.services import Services, make_services
from moodle_sync.worker import Tick
from series.people import Visit
from series.rule import CHECK_IN, CONFIRMED, Kind, Rule
from series.sessions import Status
from series.store import rescoring, runs
from series.store.database import Database
from series.store.deliveries import list_deliveries
from series.store.evidence import NewEvidence, record_evidence
from series.store.records import completions_of
from series.store.rules import RuleTooHard, mark_scores_stale, rules_of, set_rule
from series.store.runs import ABANDONED_AFTER, slot_by_hand
from series.store.sessions import change_session
from series.store.tables import course_count, delivery, placement, series
from series.store.work_queue import WorkQueue
from tests.conftest import NOW, make_settings
from tests.examples import SERIES, weekly
from tests.seeds import LAUNCH, Seeded, code_of, launch, record, seed

SESSIONS = weekly(5)
LATER = NOW + timedelta(minutes=1)
FIRST, *_, AHEAD = (session.session_id for session in SESSIONS)


@dataclass(frozen=True, kw_only=True)
class Office:
    """Five sessions, of which the first runs at NOW and three complete the series, and the worker's services."""

    services: Services
    seeded: Seeded
    clock_file: Path

    @property
    def database(self) -> Database:
        return self.services.database

    def goes_on_to(self, now: datetime) -> None:
        self.clock_file.write_text(str((now - datetime.now(UTC)).total_seconds()))

    def launch(self, sub: str = "5") -> Visit:
        return launch(self.database, structs.replace(LAUNCH, sub=sub))

    def come(self, *subs: str) -> list[Visit]:
        """Each with one session checked in."""
        visits = [self.launch(sub) for sub in subs]
        for visit in visits:
            record(self.database, code_of(visit, FIRST))
        return visits

    def sets(self, rule: Rule, *, now: datetime = NOW) -> None:
        with self.database.write() as connection:
            set_rule(connection, SERIES.series_id, rule, by="staff 1", now=now)

    def cancels(self, number: int) -> None:
        with self.database.write() as connection:
            cancelled = replace(SESSIONS[number], status=Status.CANCELLED)
            change_session(connection, cancelled, by="staff 1", now=NOW)

    def begin(self) -> int:
        run_id = jobs.begin(self.services, "rescore", SERIES.slug, slot=slot_by_hand())
        assert run_id is not None
        return run_id

    def runs_the_job(self) -> dict[str, int]:
        report = jobs.run_rescore(self.services, self.begin())
        assert report.problems == []
        return report.counts

    def stale_at(self) -> datetime | None:
        with self.database.read() as connection:
            return connection.execute(sa.select(series.c.scores_stale_at)).scalar_one()

    def scores(self) -> list[tuple[str, int, int]]:
        """Of every version: whose, and how many of how many."""
        with self.database.read() as connection:
            rows = list_deliveries(connection, state=None)
        return [(row.sub, row.score_given, row.score_maximum) for row in rows]


def open_office(url: str, folder: Path) -> Office:
    settings = replace(make_settings(url), clock_file=folder / "clock")
    queue = WorkQueue(f"sqlite:///{folder}/x.db", settings.secret_key)  # PostgreSQL would have to make its tables first
    services = replace(make_services(settings), queue=queue)
    seeded = seed(services.database, sessions=SESSIONS, required=3, now=NOW - timedelta(days=1))
    office = Office(services=services, seeded=seeded, clock_file=folder / "clock")
    office.goes_on_to(NOW)
    return office


def close(office: Office) -> None:
    office.services.queue.huey.storage.close()
    office.services.http.close()
    office.database.dispose()


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    opened = open_office(database_url, tmp_path)
    yield opened
    close(opened)


@pytest.fixture
def sqlite_office(sqlite_url: str, tmp_path: Path) -> Iterator[Office]:
    opened = open_office(sqlite_url, tmp_path)
    yield opened
    close(opened)


# What it does


def test_another_number_is_sent_to_everybody_who_has_something(office: Office) -> None:
    office.come("5", "6")
    office.launch("7")
    office.sets(Rule(required=2))
    assert office.runs_the_job() == {"people": 2, "changed": 2}
    assert office.scores() == [("5", 1, 3), ("6", 1, 3), ("5", 1, 2), ("6", 1, 2)]
    assert office.stale_at() is None
    assert office.services.queue.huey.pending_count() == 2


def test_what_is_wrong_with_one_person_keeps_no_other_from_theirs(sqlite_office: Office) -> None:
    office = sqlite_office
    elsewhere = structs.replace(
        LAUNCH, sub="6", context_id="3", resource_link_id="2", line_item_url="https://lms.malta.example/2"
    )
    broken = launch(office.database, elsewhere)
    record(office.database, code_of(broken, FIRST))
    office.come("7")
    with office.database.write() as connection:
        unreadable = {"required": 1, "session_ids": "[", "set_by": "x", "set_at": NOW}
        connection.execute(
            sa.insert(course_count).values(course_id=broken.course_id, series_id=SERIES.series_id, **unreadable)
        )
    office.sets(Rule(required=2))
    report = jobs.run_rescore(office.services, office.begin())
    assert report.problems == ["People whose scores could not be worked out: 1; it has been noted."]
    assert office.scores() == [("6", 1, 3), ("7", 1, 3), ("7", 1, 2)]
    assert office.stale_at() is not None
    assert jobs.rescore_scopes(office.services) == {}
    office.goes_on_to(LATER)
    assert jobs.rescore_scopes(office.services) == {SERIES.slug: jobs.RESCORE_AGAIN_S}


def test_a_second_run_finds_nothing_to_do(sqlite_office: Office) -> None:
    sqlite_office.come("5")
    sqlite_office.sets(Rule(required=2))
    sqlite_office.runs_the_job()
    assert sqlite_office.runs_the_job() == {"people": 0, "changed": 0}
    with sqlite_office.database.write() as connection:
        mark_scores_stale(connection, SERIES.series_id, now=LATER)
    assert sqlite_office.runs_the_job() == {"people": 1, "changed": 0}
    assert len(sqlite_office.scores()) == 2


def test_a_cancellation_that_leaves_fewer_than_are_needed_lowers_the_demand(sqlite_office: Office) -> None:
    sqlite_office.come("5")
    for number in (2, 3, 4):
        sqlite_office.cancels(number)
    sqlite_office.runs_the_job()
    assert sqlite_office.scores()[-1] == ("5", 1, 2)


def test_a_course_with_a_number_of_its_own_is_scored_by_that(sqlite_office: Office) -> None:
    sqlite_office.come("5")
    with sqlite_office.database.write() as connection:
        course_id = connection.execute(sa.select(placement.c.course_id)).scalar_one()
        connection.execute(
            sa.insert(course_count).values(
                course_id=course_id, series_id=SERIES.series_id, required=1, set_by="x", set_at=NOW
            )
        )
        mark_scores_stale(connection, SERIES.series_id, now=NOW)
    sqlite_office.runs_the_job()
    assert sqlite_office.scores()[-1] == ("5", 1, 1)


def test_a_confirmation_before_the_start_counts_when_the_rule_comes_to_take_it(office: Office) -> None:
    visit = office.launch()
    office.sets(Rule(ways=(CHECK_IN,), required=3))
    office.runs_the_job()
    record(office.database, replace(code_of(visit, AHEAD), kind=Kind.APPROVAL))
    office.sets(Rule(ways=(CHECK_IN, CONFIRMED), required=3), now=LATER)
    assert office.runs_the_job() == {"people": 1, "changed": 1}
    with office.database.read() as connection:
        assert completions_of(connection, participant_id=visit.participant_id, series_id=SERIES.series_id) == {
            AHEAD: NOW
        }


def test_it_counts_also_when_the_session_starts_before_the_worker_comes(office: Office) -> None:
    office.sets(Rule(ways=(CHECK_IN,), required=3))
    office.runs_the_job()
    visit = office.launch()
    record(office.database, replace(code_of(visit, AHEAD), kind=Kind.APPROVAL))
    office.sets(Rule(ways=(CHECK_IN, CONFIRMED), required=3), now=LATER)
    office.goes_on_to(SESSIONS[-1].start_at + timedelta(minutes=1))
    assert office.runs_the_job() == {"people": 1, "changed": 1}


def test_a_session_that_has_started_is_not_judged_anew(sqlite_office: Office) -> None:
    sqlite_office.sets(Rule(ways=(CHECK_IN,), required=3), now=NOW - timedelta(hours=1))
    (visit,) = sqlite_office.come("5")
    record(sqlite_office.database, replace(code_of(visit, SESSIONS[0].session_id), kind=Kind.APPROVAL))
    before = sqlite_office.scores()
    sqlite_office.sets(Rule(ways=(CONFIRMED,), required=3), now=LATER)
    sqlite_office.runs_the_job()
    assert sqlite_office.scores() == before
    with sqlite_office.database.read() as connection:
        assert rules_of(connection, SERIES.series_id).of_sessions[FIRST].rule.ways == (CHECK_IN,)


# Changes meanwhile, and the end of a worker


class Between(WorkQueue):
    """Once, `what` happens when the first batch has been handed over and the second is to come."""

    def __init__(self, office: "Office", what: Callable[[], None]) -> None:
        super().__init__(f"sqlite:///{office.clock_file}.db", office.services.settings.secret_key)
        self._what = [what]

    def enqueue(self, name: str, row_id: int) -> None:
        if self._what:
            self._what.pop()()


def run_and_meanwhile(office: Office, what: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescore, "AT_ONCE", 1)
    jobs.run_rescore(replace(office.services, queue=Between(office, what)), office.begin())


def test_a_change_while_it_runs_is_not_lost(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.come("5", "6")
    office.sets(Rule(required=2))
    run_and_meanwhile(office, lambda: office.sets(Rule(required=1)), monkeypatch)  # at the very same instant
    assert office.scores()[2:] == [("5", 1, 2), ("6", 1, 1)]
    assert office.stale_at() is not None
    assert office.runs_the_job() == {"people": 2, "changed": 1}
    assert office.scores()[4:] == [("5", 1, 1)]
    assert office.stale_at() is None


class Killed(BaseException):
    """As by kill -9: nothing of ours runs any more."""


def test_what_a_killed_worker_left_is_gone_on_with(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def die() -> None:
        raise Killed

    office.come("5", "6")
    office.sets(Rule(required=2))
    with pytest.raises(Killed):
        run_and_meanwhile(office, die, monkeypatch)
    assert office.scores()[2:] == [("5", 1, 2)], "what was done is kept"
    assert jobs.begin(office.services, "rescore", SERIES.slug, slot="soon") is None
    office.goes_on_to(NOW + ABANDONED_AFTER + timedelta(minutes=1))
    assert office.runs_the_job() == {"people": 2, "changed": 1}
    assert office.scores()[3:] == [("6", 1, 2)]
    assert office.stale_at() is None


# When it runs


def states(office: Office) -> list[tuple[str, str]]:
    with office.database.read() as connection:
        return [(run.job, run.outcome) for run in runs.list_runs(connection, limit=10)]


def test_a_change_is_left_to_settle(sqlite_office: Office) -> None:
    """One that lies ahead was made before the clock was put back."""
    sqlite_office.sets(Rule(required=2))
    with sqlite_office.database.read() as connection:
        found = {s: rescoring.stale_series(connection, now=NOW + timedelta(seconds=s)) for s in (-1, 0, 14.9, 15)}
    assert {seconds: len(series) for seconds, series in found.items()} == {-1: 1, 0: 0, 14.9: 0, 15: 1}


def test_two_workers_begin_one_run(sqlite_office: Office) -> None:
    sqlite_office.sets(Rule(required=2))
    sqlite_office.goes_on_to(LATER)
    for tick in [Tick(sqlite_office.services), Tick(sqlite_office.services)] * 2:
        tick()
    assert states(sqlite_office) == [("rescore", "running")]


def test_after_a_failure_it_waits_longer(sqlite_office: Office) -> None:
    sqlite_office.goes_on_to(LATER)
    assert jobs.rescore_scopes(sqlite_office.services) == {SERIES.slug: jobs.RESCORE_INTERVAL_S}
    with sqlite_office.database.write() as connection:
        run_id = runs.begin_run(connection, job="rescore", scope=SERIES.slug, slot="1", now=NOW)
        assert run_id is not None
        runs.end_run(connection, run_id, outcome="failed", counts={}, reason="x", now=NOW)
    assert jobs.rescore_scopes(sqlite_office.services) == {SERIES.slug: jobs.RESCORE_AGAIN_S}


def test_a_rule_is_fixed_at_the_start_though_nobody_checks_in(office: Office) -> None:
    office.goes_on_to(SESSIONS[1].start_at + timedelta(seconds=1))
    jobs.freeze_rules(office.services)
    with office.database.read() as connection:
        rules = rules_of(connection, SERIES.series_id).of_sessions
    assert [rules[session.session_id].is_frozen for session in SESSIONS] == [True, True, False, False, False]


# Nobody is lowered


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("come"), st.integers(0, 4)),
        st.tuples(st.just("require"), st.integers(1, 6)),
        st.tuples(st.just("cancel"), st.integers(0, 4)),
        st.tuples(st.just("restore"), st.integers(0, 4)),
        st.tuples(st.just("wait"), st.integers(1, 3)),
    ),
    min_size=4,
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_a_rescore_lowers_no_share(unbegun: Database, steps: list[tuple[str, int]]) -> None:
    with unbegun.write() as connection:
        undone, now = connection.begin_nested(), NOW - timedelta(weeks=1)
        for what, number in steps:
            if what == "wait":
                now += timedelta(weeks=number)
            do(connection, what, number, now)
            people = rescoring.people_to_rescore(connection, SERIES.series_id)
            rescoring.rescore(connection, people, SERIES.series_id, now=now)
        shares = [row.score_given / row.score_maximum for row in versions(connection)]
        undone.rollback()  # so that each example begins with the same series
    assert all(one <= two for one, two in pairwise(shares)), shares


@pytest.fixture
def unbegun(sqlite_url: str) -> Iterator[Database]:
    """Before its beginning; one student who may come to any session."""
    opened = Database(sqlite_url)
    seed(opened, sessions=SESSIONS, required=3, now=NOW - timedelta(weeks=1))
    launch(opened, now=NOW - timedelta(weeks=1))
    yield opened
    opened.dispose()


def do(connection: sa.Connection, what: str, number: int, now: datetime) -> None:
    if what == "come":
        new = NewEvidence(
            participant_id=1,
            session_id=SESSIONS[number].session_id,
            kind=Kind.APPROVAL,
            source="a person",
            source_id="1",
            observed_at=now,
        )
        record_evidence(connection, new, now=now)
    elif what == "require":
        with suppress(RuleTooHard):
            set_rule(connection, SERIES.series_id, Rule(required=number), by="staff 1", now=now)
    elif what in {"cancel", "restore"}:
        status = Status.CANCELLED if what == "cancel" else Status.PLANNED
        change_session(connection, replace(SESSIONS[number], status=status), by="staff 1", now=now)


def versions(connection: sa.Connection) -> Sequence[Any]:
    """As the gradebook heard them, one after the other."""
    return connection.execute(sa.select(delivery).order_by(delivery.c.version)).all()
