"""What is collected, on both databases: evidence and what was said in one transaction, who waits, what is held."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.collecting import Source
from series.moodle_jobs import MoodleJob
from series.rosters import RosterMember
from series.store.activity_states import (
    Outcome,
    forget,
    give_waiting,
    known_states,
    no_longer_waiting,
    purge_waiting,
)
from series.store.course_collects import note_reading, own_activities, sent_scores
from series.store.database import Database
from series.store.evidence import facts_of, retract_evidence
from series.store.mapped_activities import AlreadyMapped, map_activity, mapped_activities, note_problem
from series.store.moodle_jobs import planned_jobs
from series.store.rosters import save_roster
from series.store.unmapping import unmap_activity
from tests.conftest import NOW
from tests.examples import MALTA, SERIES, SESSION
from tests.integration.collect_store import (
    DONE,
    MAPPING,
    MARIA,
    NOT_DONE,
    READING,
    UNKNOWN,
    Store,
    courses_to_collect,
    open_store,
)
from tests.seeds import LAUNCH, launch


@pytest.fixture
def store(database: Database) -> Store:
    return open_store(database)


def test_evidence_and_what_was_said_are_written_together_and_once(store: Store) -> None:
    outcome = store.add()
    assert (outcome.completed, len(outcome.queued)) == (1, 1)
    assert store.facts() == [("activity", "", NOW, None, "Reading")]
    assert store.is_done()
    state = store.states()[DONE.key]
    assert state.is_complete
    assert state.evidence_id is not None

    assert store.add().queued == ()  # as after a crash
    assert len(store.facts()) == 1
    assert store.states()[DONE.key] == state

    outcome = store.take()
    assert (outcome.taken_back, len(outcome.queued)) == (1, 1)
    assert store.facts()[0][3] == "moodle of university 1"
    assert store.take() == Outcome()
    store.add()  # restored, with the time of before
    assert store.is_done()


def test_moodles_clock_may_be_ahead(store: Store) -> None:
    store.add(replace(DONE, changed_at=NOW + timedelta(hours=1)))
    store.add(replace(DONE, key=(9, Source.OVERRIDE), changed_at=None, by="8"))
    assert [(fact[1], fact[2]) for fact in store.facts()] == [("", NOW), ("moodle user 8", NOW)]


def test_what_a_teacher_has_withdrawn_here_stays_withdrawn(store: Store) -> None:
    store.add()
    with store.database.write() as connection:
        evidence_id = known_states(connection, store.place.course_id, MARIA)[DONE.key].evidence_id
        assert evidence_id is not None
        retract_evidence(connection, evidence_id, by="participant 2", reason="Not hers.", now=NOW)
    store.add()
    assert not store.is_done()
    assert store.take().taken_back == 0
    assert len(store.facts()) == 1


def test_only_the_evidence_of_the_very_source_is_taken_back(store: Store) -> None:
    override = replace(DONE, key=(READING, Source.OVERRIDE), by="8")
    store.add()
    store.add(override)
    store.take(replace(override, is_complete=False))
    assert [fact[3] for fact in store.facts()] == [None, "moodle of university 1"]
    assert store.is_done()


def test_who_is_unknown_waits_until_roster_or_launch_names_them(store: Store) -> None:
    assert store.add(sub=UNKNOWN).waiting == 1
    assert store.add(sub="7").waiting == 1
    assert store.add(sub="8").waiting == 1
    with store.database.write() as connection:
        assert no_longer_waiting(connection, store.place) == []
        forget(connection, store.place.course_id, "8", [NOT_DONE])
        listed = [RosterMember(sub=UNKNOWN, is_learner=True), RosterMember(sub="8", is_learner=True)]
        save_roster(connection, store.place.course_id, listed, now=NOW)
    launch(store.database, structs.replace(LAUNCH, sub="7", context_id="another"))
    with store.database.write() as connection:
        assert no_longer_waiting(connection, store.place) == [UNKNOWN, "7"]
        assert give_waiting(connection, store.place, UNKNOWN, now=NOW).completed == 1
        assert give_waiting(connection, store.place, "7", now=NOW).completed == 1
        assert give_waiting(connection, store.place, "9", now=NOW) == Outcome()
        (found,) = mapped_activities(connection, store.place.course_id)
    assert (found.people, found.waiting) == (2, 0)


def test_nothing_is_given_for_what_was_taken_from_the_list_meanwhile(store: Store) -> None:
    with store.database.write() as connection:
        assert unmap_activity(connection, store.place.course_id, READING, withdraw=False, by="x", now=NOW) == []
        assert unmap_activity(connection, store.place.course_id, READING, withdraw=True, by="x", now=NOW) is None
    assert store.add() == Outcome()
    assert store.states() == {}


def test_an_activity_is_mapped_once_and_everybody_is_read_soon(store: Store) -> None:
    with store.database.write() as connection:
        (found,) = courses_to_collect(connection, MALTA.university_id)
        assert (found.moodle_course_id, found.mapped, found.read_at) == (2, {READING: SESSION.session_id}, None)
        assert found.knows_people
        assert found.own_of_sessions == []
        with pytest.raises(AlreadyMapped):
            map_activity(connection, store.place.course_id, MAPPING, now=NOW)
        (collect,) = (job for job in planned_jobs(connection, MALTA.university_id) if job.job is MoodleJob.COLLECT)
        assert collect.next_at <= NOW
        later = NOW + timedelta(minutes=1)
        note_reading(connection, found, results={"a": NOW}, began_at=later, of_all=True)
        (found,) = courses_to_collect(connection, MALTA.university_id)
        assert (found.read_at, found.results) == (later, {"a": NOW})
        note_problem(connection, store.place.course_id, READING, "unseen")
        map_activity(connection, store.place.course_id, replace(MAPPING, cmid=22), now=later + timedelta(minutes=1))
        note_reading(connection, found, results={}, began_at=later, of_all=False)  # which began before that
        (found,) = courses_to_collect(connection, MALTA.university_id)
    assert found.read_at is None
    assert found.problems == {READING: "unseen"}


def test_our_own_activities_are_known_by_their_site(store: Store) -> None:
    launch(store.database, structs.replace(LAUNCH, resource_link_id="9", context_id="3"))
    store.add()
    with store.database.write() as connection:
        own = own_activities(connection, store.place.course_id)
        assert [(one.resource_link_id, one.is_here) for one in own] == [("1", True), ("9", False)]
        assert sent_scores(connection, own[0]) == {}  # it waits to be sent
        connection.execute(sa.text("UPDATE delivery SET attempts = 1"))
        (sent,) = sent_scores(connection, own[0])[MARIA]
        connection.execute(sa.text("UPDATE platform SET state = 'disabled'"))
        assert {one.line_item_url for one in own_activities(connection, store.place.course_id)} == {None}
    assert (sent.part, sent.delivered_at) == (0.5, None)


def test_what_a_person_has_withdrawn_stays_so_when_it_is_mapped_once_more(store: Store) -> None:
    store.add()
    with store.database.write() as connection:
        evidence_id = known_states(connection, store.place.course_id, MARIA)[DONE.key].evidence_id
        assert evidence_id is not None
        retract_evidence(connection, evidence_id, by="participant 2", reason="Copied.", now=NOW)
        unmap_activity(connection, store.place.course_id, READING, withdraw=False, by="x", now=NOW)
        map_activity(connection, store.place.course_id, MAPPING, now=NOW)
    store.add(replace(DONE, changed_at=NOW - timedelta(seconds=3)))  # a better grade has moved its time
    assert not store.is_done()


def test_what_went_with_its_activity_comes_back_with_it(store: Store) -> None:
    store.add()
    with store.database.write() as connection:
        unmap_activity(connection, store.place.course_id, READING, withdraw=True, by="x", now=NOW)
        map_activity(connection, store.place.course_id, MAPPING, now=NOW)
    assert not store.is_done()
    store.add()
    assert store.is_done()


def test_what_has_waited_is_still_the_teachers_word(store: Store) -> None:
    store.add(replace(DONE, key=(9, Source.OVERRIDE), by="8"), sub=UNKNOWN)
    theirs = launch(store.database, structs.replace(LAUNCH, sub=UNKNOWN))
    with store.database.write() as connection:
        give_waiting(connection, store.place, UNKNOWN, now=NOW)
        facts = facts_of(connection, participant_id=theirs.participant_id, series_id=SERIES.series_id)
    assert [one.recorded_by for one in facts] == ["moodle user 8"]


def test_nobody_waits_long_after_the_series_has_ended(store: Store) -> None:
    store.add()
    store.add(sub=UNKNOWN)
    last_at = max(session.end_at for session in store.seeded.sessions)
    for now, waits in ((last_at + timedelta(days=59), 1), (last_at + timedelta(days=61), 0)):
        with store.database.write() as connection:
            purge_waiting(connection, now=now)
        assert len(store.states(UNKNOWN)) == waits
    assert store.add(sub=UNKNOWN, now=last_at + timedelta(days=61)) == Outcome()
    assert store.states(UNKNOWN) == {}
    assert store.is_done()
