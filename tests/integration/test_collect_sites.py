"""Whose word it is: another Moodle, two Moodles, people and courses that become one."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.collecting import Source
from series.moodle_jobs import Level
from series.rule import Kind
from series.store.activity_states import (
    Outcome,
    Place,
    add_completed,
)
from series.store.connecting import connect_moodle, disconnect_moodle
from series.store.course_collects import note_reading
from series.store.database import Database
from series.store.evidence import NewEvidence, record_evidence
from series.store.held_completions import held_completions
from series.store.launch_values import NewVisit
from series.store.mapped_activities import map_activity, mapped_activities
from series.store.merging import merge_courses, merge_participants
from series.store.mirrors import tie_course
from series.store.moodle_connections import disconnect, save_connection
from series.store.moodle_tables import activity_state, course_collect
from series.store.tables import audit, course, moodle_connection, participant, platform
from series.store.taking_back import take_back
from series.store.universities import add_platform
from tests.conftest import NOW
from tests.examples import MALTA, SERIES, SESSION, VILNIUS
from tests.integration.collect_store import (
    DONE,
    ELSEWHERE,
    MAPPING,
    MARIA,
    NOT_DONE,
    READING,
    UNKNOWN,
    Store,
    connected_to,
    courses_to_collect,
    open_store,
)
from tests.seeds import ENCRYPTION_KEY, ISSUER, LAUNCH, PLATFORM, launch


@pytest.fixture
def store(database: Database) -> Store:
    return open_store(database)


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


def test_a_course_that_becomes_one_with_another_keeps_its_activities(store: Store) -> None:
    store.add()
    other = launch(store.database, structs.replace(LAUNCH, context_id="other", resource_link_id="8"))
    assert other.course_id is not None
    with store.database.write() as connection:
        merge_courses(connection, kept=other.course_id, dropped=store.place.course_id)
        assert [one.cmid for one in mapped_activities(connection, other.course_id)] == [READING]
        assert connection.execute(sa.select(course.c.moodle_course_id)).scalars().all() == [2]


def test_what_two_courses_gave_before_they_became_one_is_one_thing(store: Store) -> None:
    store.add()
    other = launch(store.database, structs.replace(LAUNCH, context_id="other", resource_link_id="8"))
    assert other.course_id is not None
    with store.database.write() as connection:
        merge_courses(connection, kept=other.course_id, dropped=store.place.course_id)
        place = replace(store.place, course_id=other.course_id)
        better = replace(DONE, changed_at=NOW - timedelta(minutes=1))  # Moodle has moved its time since
        assert add_completed(connection, place, MARIA, [better], now=NOW).queued == ()
        assert take_back(connection, place, MARIA, [NOT_DONE], now=NOW).taken_back == 1
    assert not store.is_done()


def launch_elsewhere(database: Database, university_id: int = MALTA.university_id) -> NewVisit:
    """Of somebody with Maria's number, in a course and an activity with the same numbers."""
    platform = replace(PLATFORM, slug="elsewhere", university_id=university_id, issuer=ELSEWHERE, client_id="other")
    with database.write() as connection:
        platform_id = add_platform(connection, platform, now=NOW)
    return structs.replace(LAUNCH, platform_id=platform_id, university_id=university_id, issuer=ELSEWHERE)


def test_what_two_accounts_had_before_they_became_one_is_taken_back_from_both(store: Store) -> None:
    store.add()
    twin = launch(store.database, launch_elsewhere(store.database))
    new = NewEvidence(
        participant_id=twin.participant_id,
        session_id=SESSION.session_id,
        kind=Kind.LMS,
        source=Source.ACTIVITY,
        source_id=f"{READING}:1",
        observed_at=NOW,
    )
    with store.database.write() as connection:
        record_evidence(connection, new, now=NOW)
        merge_participants(connection, kept=store.participant_id, dropped=twin.participant_id)
    assert [fact[3] for fact in store.facts()] == [None, None]
    assert store.take().taken_back == 1
    assert not store.is_done()


def test_two_universities_may_use_the_same_numbers(store: Store) -> None:
    here, there = store.place, VILNIUS.university_id
    theirs = launch(store.database, launch_elsewhere(store.database, university_id=there))
    assert theirs.course_id is not None
    with store.database.write() as connection:
        save_connection(connection, connected_to(ELSEWHERE, there), encryption_key=ENCRYPTION_KEY, now=NOW)
        tie_course(connection, university_id=there, moodle_course_id=2, title="", series_id=SERIES.series_id, now=NOW)
        map_activity(connection, theirs.course_id, MAPPING, now=NOW)
        place = Place(course_id=theirs.course_id, university_id=there, base_url=ELSEWHERE, knows_people=True)
        assert add_completed(connection, place, MARIA, [DONE], now=NOW).completed == 1
    assert theirs.participant_id != store.participant_id
    assert not store.is_done()
    store.add()
    with store.database.write() as connection:
        assert take_back(connection, place, MARIA, [NOT_DONE], now=NOW).taken_back == 1
        disconnect(connection, there)
        assert [one.course_id for one in courses_to_collect(connection, MALTA.university_id)] == [here.course_id]
    assert store.is_done()
