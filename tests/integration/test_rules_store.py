"""What counts, with versions: changed until a session starts, then frozen, on both databases."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from series.rule import CHECK_IN, Demand, Kind, Rule, SessionRule
from series.store.database import Database
from series.store.rules import (
    RuleFrozen,
    RuleImpossible,
    RuleTooHard,
    freeze_started,
    history_of,
    rule_of,
    rules_of,
    set_rule,
    set_session_rule,
)
from series.store.tables import series
from tests.at_once import at_once
from tests.conftest import NOW
from tests.examples import SERIES
from tests.seeds import Seeded, code_of, launch, record, seed

BEFORE = NOW - timedelta(days=1)  # no session has started
RECORDING = (Demand(kind=Kind.RECORDING, within_days=14),)
OR_RECORDING = Rule(ways=(CHECK_IN, RECORDING), required=2)
OWN = SessionRule(ways=(RECORDING,))


@pytest.fixture
def seeded(database: Database) -> Seeded:
    """Three sessions, of which the first runs at NOW; two are required."""
    return seed(database, now=BEFORE)


def change(database: Database, rule: Rule, *, now: datetime = BEFORE) -> bool:
    with database.write() as connection:
        return set_rule(connection, SERIES.series_id, rule, by="staff 1", now=now)


def change_session(database: Database, session_id: UUID, rule: SessionRule | None, *, now: datetime = BEFORE) -> bool:
    with database.write() as connection:
        return set_session_rule(connection, session_id, rule, by="staff 1", now=now)


def in_force(database: Database, session_id: UUID) -> tuple[SessionRule, int, bool, bool]:
    with database.read() as connection:
        found = rules_of(connection, SERIES.series_id).of_sessions[session_id]
    return found.rule, found.version, found.is_own, found.is_frozen


def is_stale(database: Database) -> bool:
    with database.read() as connection:
        return connection.execute(series.select()).one().scores_stale_at is not None


def test_a_series_begins_with_its_first_version(database: Database, seeded: Seeded) -> None:
    rule = SessionRule(ways=Rule().ways)
    assert {in_force(database, one) for one in seeded.session_ids} == {(rule, 1, False, False)}


def test_a_change_counts_for_all_sessions_to_come(database: Database, seeded: Seeded) -> None:
    assert change(database, OR_RECORDING)
    assert in_force(database, seeded.session_ids[0]) == (SessionRule(ways=OR_RECORDING.ways), 2, False, False)


def test_the_same_rule_again_is_no_version(database: Database, seeded: Seeded) -> None:
    assert not change(database, Rule(required=2))
    with database.read() as connection:
        assert [one.version for one in history_of(connection, SERIES.series_id)] == [1]


def test_a_session_keeps_the_rule_that_it_started_with(database: Database, seeded: Seeded) -> None:
    change(database, OR_RECORDING, now=NOW)
    started, to_come, _ = seeded.session_ids
    assert in_force(database, started) == (SessionRule(ways=Rule().ways), 1, False, True)
    assert in_force(database, to_come)[1:] == (2, False, False)


def test_a_session_is_frozen_by_the_first_evidence_after_its_start(database: Database, seeded: Seeded) -> None:
    record(database, code_of(launch(database), seeded.session_ids[0]))
    assert in_force(database, seeded.session_ids[0])[3]


def test_evidence_before_the_start_freezes_nothing(database: Database, seeded: Seeded) -> None:
    record(database, code_of(launch(database), seeded.session_ids[0]), now=BEFORE)
    assert not in_force(database, seeded.session_ids[0])[3]


def test_freezing_may_be_repeated(database: Database, seeded: Seeded) -> None:
    for _ in range(2):
        with database.write() as connection:
            assert freeze_started(connection, SERIES.series_id, now=NOW)
    assert [in_force(database, one)[3] for one in seeded.session_ids] == [True, False, False]


def test_a_session_can_have_a_rule_of_its_own_and_lose_it_again(database: Database, seeded: Seeded) -> None:
    first = seeded.session_ids[0]
    assert change_session(database, first, OWN)
    assert in_force(database, first) == (OWN, 2, True, False)
    change(database, OR_RECORDING)
    assert in_force(database, first)[0] == OWN
    assert change_session(database, first, None)
    assert in_force(database, first) == (SessionRule(ways=OR_RECORDING.ways), 3, False, False)


def test_a_session_that_has_started_keeps_a_rule_of_its_own(database: Database, seeded: Seeded) -> None:
    first = seeded.session_ids[0]
    change_session(database, first, OWN)
    change(database, OR_RECORDING, now=NOW)
    assert in_force(database, first) == (OWN, 2, True, True)


@pytest.mark.parametrize("rule", [OWN, None])
def test_what_counts_for_a_session_that_has_started_cannot_be_changed(
    database: Database, seeded: Seeded, rule: SessionRule | None
) -> None:
    with pytest.raises(RuleFrozen):
        change_session(database, seeded.session_ids[0], rule, now=NOW)


@pytest.mark.parametrize("rule", [Rule(required=3), Rule(required=2, at_most_by_recording=1)])
def test_the_numbers_become_no_harder_once_somebody_has_done_anything_by_them(
    database: Database, seeded: Seeded, rule: Rule
) -> None:
    record(database, code_of(launch(database), seeded.session_ids[0]))
    with pytest.raises(RuleTooHard):
        change(database, rule, now=NOW)
    with database.read() as connection:
        assert rule_of(connection, SERIES.series_id) == Rule(required=2)


@pytest.mark.parametrize("rule", [Rule(required=3), Rule(required=2, at_most_by_recording=1)])
def test_the_numbers_may_become_harder_while_nobody_has_done_anything_by_them(
    database: Database, seeded: Seeded, rule: Rule
) -> None:
    assert change(database, rule, now=NOW)


def test_the_numbers_may_become_easier_at_any_time(database: Database, seeded: Seeded) -> None:
    assert change(database, Rule(required=1), now=NOW)


@pytest.mark.parametrize("rule", [Rule(ways=()), Rule(ways=((),))])
def test_a_rule_that_nothing_meets_is_refused(database: Database, seeded: Seeded, rule: Rule) -> None:
    with pytest.raises(RuleImpossible):
        change(database, rule)


def test_a_change_makes_the_scores_stale(database: Database, seeded: Seeded) -> None:
    with database.write() as connection:
        connection.execute(series.update().values(scores_stale_at=None))
    change(database, Rule(required=2))
    assert not is_stale(database)
    change(database, Rule(required=1))
    assert is_stale(database)


def test_changes_at_once_have_versions_of_their_own(database: Database, seeded: Seeded) -> None:
    at_once(database, lambda own, number: change(own, Rule(required=3 + number)))
    with database.read() as connection:
        versions = [one.version for one in history_of(connection, SERIES.series_id)]
    assert versions == sorted(set(versions), reverse=True)
    assert len(versions) > 2


def test_the_history_says_who_and_when(database: Database, seeded: Seeded) -> None:
    change_session(database, seeded.session_ids[1], OWN)
    change_session(database, seeded.session_ids[1], None)
    with database.read() as connection:
        history = history_of(connection, SERIES.series_id)
    found = [(one.version, one.session_id, one.rule, one.set_by) for one in history]
    assert found[0] == (3, seeded.session_ids[1], None, "staff 1")
    assert found[1] == (2, seeded.session_ids[1], OWN, "staff 1")
    assert found[2] == (1, None, Rule(required=2), "command line")
    assert {one.set_at for one in history} == {BEFORE}
