"""What is collected, on both databases: evidence and what was said in one transaction, who waits, what is held."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.collecting import Key, Said, Source
from series.moodle_jobs import Level, MoodleJob
from series.rosters import RosterMember
from series.rule import Demand, Kind, Rule
from series.store.activity_states import (
    Outcome,
    Place,
    add_completed,
    forget,
    give_waiting,
    known_states,
    no_longer_waiting,
    people_with_something,
    take_back,
)
from series.store.connecting import connect_moodle, disconnect_moodle
from series.store.course_collects import courses_to_collect, note_reading, own_activities, sent_scores
from series.store.database import Database
from series.store.evidence import facts_of, retract_evidence
from series.store.held_completions import accept_held, held_completions, preview_held, reject_held, weigh
from series.store.mapped_activities import AlreadyMapped, NewMapping, map_activity, mapped_activities, note_problem
from series.store.merging import merge_courses
from series.store.mirrors import tie_course
from series.store.moodle_connections import NewConnection, save_connection
from series.store.moodle_jobs import planned_jobs
from series.store.moodle_tables import activity_state, course_collect
from series.store.records import completions_of
from series.store.rosters import save_roster
from series.store.rules import set_rule
from series.store.tables import audit, course, moodle_connection, participant, platform
from series.store.unmapping import unmap_activity
from tests.conftest import NOW
from tests.examples import MALTA, SERIES, SESSION
from tests.seeds import ENCRYPTION_KEY, ISSUER, LAUNCH, Seeded, launch, seed

READING, MARIA, UNKNOWN = 21, "5", "6"
DONE = Said(key=(READING, Source.ACTIVITY), session_id=SESSION.session_id, is_complete=True, changed_at=NOW)
NOT_DONE = replace(DONE, is_complete=False, changed_at=NOW + timedelta(hours=1))
MAPPING = NewMapping(cmid=READING, session_id=SESSION.session_id, module="page", name="Reading", by="participant 1")


@dataclass(frozen=True, kw_only=True)
class Store:
    """Malta's course 2, from which one reading counts for the first session; Maria has launched."""

    database: Database
    seeded: Seeded
    place: Place
    participant_id: int

    def add(self, said: Said = DONE, sub: str = MARIA, now: datetime = NOW) -> Outcome:
        with self.database.write() as connection:
            return add_completed(connection, self.place, sub, [said], now=now)

    def take(self, said: Said = NOT_DONE, sub: str = MARIA) -> Outcome:
        with self.database.write() as connection:
            return take_back(connection, self.place, sub, [said], now=NOW)

    def states(self, sub: str = MARIA) -> dict[Key, Any]:
        with self.database.read() as connection:
            return dict(known_states(connection, self.place.course_id, sub))

    def facts(self) -> list[tuple[str, str, datetime, str | None, str | None]]:
        """(source, source id, when, who withdrew it, name)."""
        with self.database.read() as connection:
            facts = facts_of(connection, participant_id=self.participant_id, series_id=SERIES.series_id)
        return [
            (
                one.source,
                one.recorded_by or "",
                one.evidence.observed_at,
                one.retraction and one.retraction.by,
                one.reason,
            )
            for one in facts
        ]

    def is_done(self) -> bool:
        who = {"participant_id": self.participant_id, "series_id": SERIES.series_id}
        with self.database.read() as connection:
            return SESSION.session_id in completions_of(connection, **who)

    def weigh(self, taken: dict[str, list[Said]], standing: dict[str, list[Said]] | None = None) -> list[str]:
        """Of whom something may be taken back."""
        with self.database.write() as connection:
            return sorted(weigh(connection, self.place.course_id, taken, standing or {}, now=NOW))

    def give_to(self, count: int) -> list[str]:
        subs = [str(number) for number in range(100, 100 + count)]
        with self.database.write() as connection:
            members = [RosterMember(sub=sub, is_learner=True) for sub in subs]
            save_roster(connection, self.place.course_id, members, now=NOW)
        for sub in subs:
            self.add(sub=sub)
        return subs


def connected_to(address: str, university_id: int = MALTA.university_id) -> NewConnection:
    return NewConnection(
        university_id=university_id, base_url=address, token="token", moodle_user_id=35, level=Level.COMPLETIONS
    )


@pytest.fixture
def store(database: Database) -> Store:
    seeded = seed(database)
    visit = launch(database)
    with database.write() as connection:
        save_connection(connection, connected_to(ISSUER), encryption_key=ENCRYPTION_KEY, now=NOW)
        there = {"university_id": MALTA.university_id, "moodle_course_id": 2}
        tie_course(connection, **there, title="Teaching STEM", series_id=SERIES.series_id, now=NOW)
        rule = Rule(ways=((Demand(kind=Kind.LMS),),), required=2)
        set_rule(connection, SERIES.series_id, rule, by="operator", now=NOW - timedelta(days=1))
        assert visit.course_id is not None
        map_activity(connection, visit.course_id, MAPPING, now=NOW)
    place = Place(course_id=visit.course_id, university_id=MALTA.university_id, base_url=ISSUER, knows_people=True)
    return Store(database=database, seeded=seeded, place=place, participant_id=visit.participant_id)


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
        forget(connection, store.place.course_id, "8", [NOT_DONE], now=NOW)
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


ELSEWHERE = "https://elsewhere.example"


def test_people_of_another_site_with_the_same_number_get_and_lose_nothing(store: Store) -> None:
    store.add()
    with store.database.write() as connection:
        connection.execute(sa.update(moodle_connection).values(base_url=ELSEWHERE))
    assert store.add(replace(DONE, key=(9, Source.OVERRIDE))) == Outcome()  # said by a site that is no longer connected
    assert store.take() == Outcome()
    elsewhere = replace(store.place, base_url=ELSEWHERE, knows_people=False)
    with store.database.write() as connection:
        assert take_back(connection, elsewhere, MARIA, [NOT_DONE], now=NOW) == Outcome()
        assert add_completed(connection, elsewhere, MARIA, [DONE], now=NOW).waiting == 1
    assert store.is_done()


@pytest.mark.parametrize("address", [ELSEWHERE, None])
def test_another_moodle_has_other_courses_people_and_activities(store: Store, address: str | None) -> None:
    subs = store.give_to(6)
    store.add()
    store.add(sub=UNKNOWN)
    store.weigh({sub: [NOT_DONE] for sub in subs})
    with store.database.write() as connection:
        (before,) = courses_to_collect(connection, MALTA.university_id)
        if address is None:
            disconnect_moodle(connection, MALTA.university_id, actor="staff 1", now=NOW)
        connect_moodle(connection, connected_to(ELSEWHERE), encryption_key=ENCRYPTION_KEY, actor="staff 1", now=NOW)
        assert held_completions(connection, store.place.course_id) is None
        assert connection.execute(sa.select(sa.func.count()).select_from(activity_state)).scalar_one() == 0
        assert courses_to_collect(connection, MALTA.university_id) == []
        note_reading(connection, before, results={}, began_at=NOW, of_all=True)  # of a run that is still under way
        assert connection.execute(sa.select(course_collect.c.read_at)).scalars().all() == [None]
        done = connection.execute(sa.select(audit.c.object).where(audit.c.action == "unmap_activity")).scalars().all()
    assert done == [f"course {store.place.course_id}"]
    assert store.is_done()


def test_courses_that_are_launched_from_the_new_address_stay(store: Store) -> None:
    store.add()
    with store.database.write() as connection:
        connection.execute(sa.update(platform).values(issuer=ELSEWHERE))  # as `platform replace` leaves it
        connection.execute(sa.update(participant).values(issuer=ELSEWHERE))
        save_connection(connection, connected_to(ELSEWHERE), encryption_key=ENCRYPTION_KEY, now=NOW)
        (found,) = courses_to_collect(connection, MALTA.university_id)
        assert (found.moodle_course_id, list(found.mapped), found.read_at) == (2, [READING], None)
        place = replace(store.place, base_url=ELSEWHERE)
        again = add_completed(connection, place, MARIA, [replace(DONE, changed_at=NOW - timedelta(days=1))], now=NOW)
        assert again.queued == ()
        assert take_back(connection, place, MARIA, [NOT_DONE], now=NOW).taken_back == 1
    assert not store.is_done()


def test_at_a_lower_level_nobody_waits(store: Store) -> None:
    subs = store.give_to(6)
    store.add(sub=UNKNOWN)
    store.weigh({sub: [NOT_DONE] for sub in subs})
    with store.database.write() as connection:
        lower = replace(connected_to(ISSUER), level=Level.CALENDAR)
        save_connection(connection, lower, encryption_key=ENCRYPTION_KEY, now=NOW)
        assert held_completions(connection, store.place.course_id) is None
        left = set(connection.execute(sa.select(activity_state.c.sub)).scalars())
        assert left == set(subs)
        assert [one.cmid for one in mapped_activities(connection, store.place.course_id)] == [READING]


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


def test_what_is_held_waits_for_a_yes_or_a_no(store: Store) -> None:
    subs = store.give_to(10)
    taken = {sub: [NOT_DONE] for sub in subs[:6]}
    with store.database.read() as connection:
        assert preview_held(connection, store.place.course_id, taken, {}, now=NOW) == {}
    assert store.weigh({sub: [NOT_DONE] for sub in subs[:5]}) == subs[:5]  # which nobody applies here
    assert store.weigh(taken) == []
    assert store.weigh({subs[0]: [NOT_DONE], subs[7]: [NOT_DONE]}) == []  # nor one at a time
    with store.database.write() as connection:
        held = held_completions(connection, store.place.course_id)
        assert held is not None
        assert (held.subs, held.of) == ((*subs[:6], subs[7]), 10)
        decide = {"by": "participant 1", "now": NOW}
        course_id = store.place.course_id
        assert reject_held(connection, course_id, held_at=NOW - timedelta(hours=1), **decide) is None
        assert reject_held(connection, course_id, held_at=NOW, **decide) == []
        assert accept_held(connection, course_id, held_at=NOW, **decide) is None
    assert store.weigh(taken) == []  # it stays
    anew = replace(NOT_DONE, changed_at=NOW + timedelta(hours=2))
    assert store.weigh({subs[0]: [anew]}) == [subs[0]]
    assert store.weigh({}, {subs[1]: [DONE]}) == []
    assert store.weigh(taken) == [subs[1]]  # Moodle has said something else in between


def test_a_yes_takes_all_of_it_back_at_once(store: Store) -> None:
    subs = store.give_to(6)
    store.weigh({sub: [NOT_DONE] for sub in subs})
    with store.database.write() as connection:
        queued = accept_held(connection, store.place.course_id, held_at=NOW, by="participant 1", now=NOW)
        assert queued is not None
        assert len(queued) == 6
        assert people_with_something(connection, store.place.course_id) == 0
        assert held_completions(connection, store.place.course_id) is None


def test_what_is_removed_is_held_no_more(store: Store) -> None:
    subs = store.give_to(6)
    store.weigh({sub: [NOT_DONE] for sub in subs})
    with store.database.write() as connection:
        queued = unmap_activity(connection, store.place.course_id, READING, withdraw=True, by="x", now=NOW)
        assert queued is not None
        assert len(queued) == 6
        assert held_completions(connection, store.place.course_id) is None


def test_a_course_that_becomes_one_with_another_keeps_its_activities(store: Store) -> None:
    store.add()
    other = launch(store.database, structs.replace(LAUNCH, context_id="other", resource_link_id="8"))
    assert other.course_id is not None
    with store.database.write() as connection:
        merge_courses(connection, kept=other.course_id, dropped=store.place.course_id)
        assert [one.cmid for one in mapped_activities(connection, other.course_id)] == [READING]
        assert connection.execute(sa.select(course.c.moodle_course_id)).scalars().all() == [2]
