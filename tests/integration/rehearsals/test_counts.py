"""A rehearsal counts for nothing: each place that lists or counts sessions, on both databases."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.course_counts import CountProblem
from series.people import Visit
from series.pooled import Block
from series.rounds import copy_round
from series.rule import CHECK_IN, Demand, Kind, Rule, SessionRule
from series.sessions import Status, this_weeks_session
from series.standing import CourseCount, score_of, standing
from series.store import tables
from series.store.check_ins import open_by_itself, sessions_to_open
from series.store.course_counts import CountRefused, check_count
from series.store.database import Database
from series.store.evidence import derive_completion, early_evidence, facts_of, retract_evidence
from series.store.line_items import due_placements
from series.store.pooled import take_step
from series.store.proposals import effect_of, proposal_of
from series.store.records import completions_of, records_of
from series.store.rescoring import people_to_rescore, rescore
from series.store.rules import course_count_of, rule_of, set_session_rule, somebody_relies_on
from series.store.scores import queue_missing_scores
from series.store.sessions import add_session, change_session, dated_sessions_of, rehearsals_of, sessions_of
from tests.conftest import NOW
from tests.examples import SERIES, SESSION, moved
from tests.integration.rehearsals.examples import AHEAD, DAY, REHEARSAL, change
from tests.seeds import LAUNCH, Seeded, code_of, count, launch, record

# Lists


def test_the_sessions_of_a_series_are_those_that_count(database: Database, seeded: Seeded) -> None:
    with database.read() as connection:
        assert [one.session_id for one in sessions_of(connection, SERIES.series_id)] == seeded.session_ids
        assert rehearsals_of(connection, SERIES.series_id) == [REHEARSAL, AHEAD]
        everything = sessions_of(connection, SERIES.series_id, with_rehearsals=True)
        assert {one.session_id for one in everything} == {*seeded.session_ids, UUID(int=98), UUID(int=99)}


def test_it_is_in_no_feed(database: Database, seeded: Seeded) -> None:
    with database.read() as connection:
        dated = dated_sessions_of(connection, [SERIES.series_id])
    assert {one.session.session_id for one in dated} == set(seeded.session_ids)


def test_it_is_never_the_session_of_the_week(database: Database, seeded: Seeded) -> None:
    with database.read() as connection:
        found = this_weeks_session(sessions_of(connection, SERIES.series_id), now=NOW, zone=SERIES.time_zone)
    assert found == SESSION


def test_it_is_not_copied_into_the_next_round(seeded: Seeded) -> None:
    copies = copy_round([REHEARSAL, *seeded.sessions], UUID(int=5), starts_on=datetime(2027, 3, 1).date(), hosts=[])  # noqa: DTZ001 - a date
    assert [one.title for one in copies] == [SESSION.title] * 3
    assert not any(one.is_rehearsal for one in copies)


# What is done in it


def test_a_code_entered_in_it_is_kept_and_completes_nothing(database: Database, tried: Visit) -> None:
    with database.read() as connection:
        (fact,) = facts_of(connection, participant_id=tried.participant_id, series_id=SERIES.series_id)
        assert (fact.session_id, fact.retraction) == (REHEARSAL.session_id, None)
        assert completions_of(connection, participant_id=tried.participant_id, series_id=SERIES.series_id) == {}
    assert count(database, tables.completion) == 0
    assert count(database, tables.delivery) == 0


@pytest.mark.parametrize("kind", list(Kind))
def test_no_kind_of_evidence_completes_it_or_excuses_from_it(database: Database, student: Visit, kind: Kind) -> None:
    ways = tuple((Demand(kind=one),) for one in Kind if one is not Kind.EXCUSED)
    with database.write() as connection:
        set_session_rule(connection, AHEAD.session_id, SessionRule(ways=ways), by="test", now=NOW)
    record(database, replace(code_of(student, AHEAD.session_id), kind=kind, amount=100))
    assert count(database, tables.evidence) == 1
    assert count(database, tables.completion) == count(database, tables.excuse) == count(database, tables.delivery) == 0


def test_withdrawing_and_deriving_anew_make_nothing_of_it(database: Database, tried: Visit) -> None:
    with database.write() as connection:
        (fact,) = facts_of(connection, participant_id=tried.participant_id, series_id=SERIES.series_id)
        derive_completion(
            connection, participant_id=tried.participant_id, session_id=REHEARSAL.session_id, now=NOW + DAY
        )
        assert not retract_evidence(connection, fact.evidence.evidence_id, by="staff 1", reason="no", now=NOW + DAY)
    assert count(database, tables.completion) == count(database, tables.delivery) == 0


def test_its_check_in_opens_by_itself_as_that_of_any_session(database: Database, seeded: Seeded) -> None:
    with database.write() as connection:
        assert REHEARSAL.session_id in sessions_to_open(connection, now=NOW)
        assert open_by_itself(connection, REHEARSAL.session_id, now=NOW)


# Counts


def test_standing_and_scores_are_those_without_it(database: Database, tried: Visit) -> None:
    record(database, code_of(tried, SESSION.session_id))
    with database.read() as connection:
        records = records_of(connection, [tried.participant_id], SERIES.series_id)[tried.participant_id]
        rule = rule_of(connection, SERIES.series_id)
    assert len(records) == 3
    found = standing(records, rule, NOW)
    assert (found.done, found.required, found.live) == (1, 2, 2)
    assert score_of(records, None, rule, NOW, None).given == 1
    assert score_of(records, REHEARSAL.session_id, rule, NOW, None).given == 0
    counting_it = CourseCount(required=2, session_ids=frozenset({SESSION.session_id, REHEARSAL.session_id}))
    found = standing(records, rule, NOW, counting_it)
    assert (found.done, found.required) == (1, 1)


def test_it_does_not_raise_the_number_that_there_are(database: Database, seeded: Seeded, student: Visit) -> None:
    """Of three sessions two are cancelled: one is demanded, and a rehearsal does not make it two."""
    for one in seeded.sessions[1:]:
        change(database, replace(one, status=Status.CANCELLED))
    with database.read() as connection:
        records = records_of(connection, [student.participant_id], SERIES.series_id)[student.participant_id]
        assert standing(records, rule_of(connection, SERIES.series_id), NOW).required == 1


def test_a_course_cannot_count_it(database: Database, student: Visit) -> None:
    assert student.course_id
    new = CourseCount(required=1, session_ids=frozenset({AHEAD.session_id}))
    with database.read() as connection, pytest.raises(CountRefused) as refused:
        check_count(connection, student.course_id, SERIES.series_id, new, now=NOW - DAY)
    assert refused.value.problem is not CountProblem.HARDER
    with database.read() as connection:
        assert course_count_of(connection, student.course_id, SERIES.series_id) is None


def test_other_universities_see_nobody_more_for_it(database: Database, tried: Visit) -> None:
    at = max(SESSION.end_at, REHEARSAL.end_at) + DAY
    with database.write() as connection:
        step = take_step(connection, SERIES.series_id, due_at=at, now=at)
    assert step is not None
    assert Block(session_id=REHEARSAL.session_id) not in step.counts
    assert all(people == 0 for cells in step.counts.values() for people in cells.values())


def test_no_gradebook_is_asked_for_a_place_because_of_it(database: Database, seeded: Seeded) -> None:
    lacking = structs.replace(LAUNCH, line_item_url=None)
    visit = launch(database, lacking)
    record(database, code_of(visit, REHEARSAL.session_id))
    with database.write() as connection:
        assert due_placements(connection, scopes=LAUNCH.ags_scopes, now=NOW, limit=9) == []
        missing = queue_missing_scores(
            connection, participant_id=visit.participant_id, placement_id=visit.placement_id, now=NOW
        )
    assert missing == []


def test_working_out_all_scores_anew_finds_nothing_of_it(database: Database, tried: Visit) -> None:
    early = code_of(tried, AHEAD.session_id, source_id="2")
    record(database, early)
    with database.write() as connection:
        assert early_evidence(connection, SERIES.series_id, now=NOW) == {}
        assert people_to_rescore(connection, SERIES.series_id) == []
        assert rescore(connection, [tried.participant_id], SERIES.series_id, now=NOW + 2 * DAY) == set()
    assert count(database, tables.completion) == count(database, tables.delivery) == 0


def test_neither_adding_nor_changing_it_makes_anybody_work(database: Database, seeded: Seeded) -> None:
    with database.write() as connection:
        connection.execute(sa.update(tables.series).values(scores_stale_at=None))
        add_session(connection, replace(AHEAD, session_id=UUID(int=97)), now=NOW)
        change_session(connection, moved(AHEAD, DAY), by="staff 1", now=NOW)
        assert connection.execute(sa.select(tables.series.c.scores_stale_at)).scalar_one() is None


# The rule


def test_what_was_tried_in_it_fixes_no_rule(database: Database, tried: Visit) -> None:
    with database.read() as connection:
        assert not somebody_relies_on(connection, SERIES.series_id)
        proposal = proposal_of(connection, SERIES.series_id, Rule(required=1), now=NOW)
        effect = effect_of(connection, SERIES.series_id, proposal, now=NOW)
    assert (effect.complete_now, effect.complete_then) == (0, 0)


def test_a_proposed_rule_shows_the_sessions_that_count(database: Database, seeded: Seeded) -> None:
    """Also when a rehearsal has a rule of its own."""
    with database.write() as connection:
        set_session_rule(connection, AHEAD.session_id, SessionRule(ways=(CHECK_IN,)), by="test", now=NOW)
        proposal = proposal_of(connection, SERIES.series_id, Rule(ways=(CHECK_IN,), required=1), now=NOW)
    shown = proposal.followers | proposal.frozen | proposal.own
    assert not shown & {REHEARSAL.session_id, AHEAD.session_id}
