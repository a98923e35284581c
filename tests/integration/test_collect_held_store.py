"""What Moodle takes back from many at once: held, decided by a person, and weighed over a day."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from series.collecting import BRAKE_WITHIN
from series.store.activity_states import (
    people_with_something,
)
from series.store.database import Database
from series.store.held_completions import accept_held, held_completions, preview_held, reject_held
from series.store.moodle_tables import activity_state
from series.store.unmapping import unmap_activity
from tests.conftest import NOW
from tests.integration.collect_store import DONE, NOT_DONE, READING, Store, open_store


@pytest.fixture
def store(database: Database) -> Store:
    return open_store(database)


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


def test_a_reset_that_is_seen_one_by_one_is_held_in_the_end(store: Store) -> None:
    subs = store.give_to(8)
    for sub in subs[:5]:
        assert store.weigh({sub: [NOT_DONE]}) == [sub]
        store.take(sub=sub)
    assert store.weigh({subs[5]: [NOT_DONE]}) == []
    with store.database.write() as connection:
        decide = {"held_at": NOW, "by": "participant 1", "now": NOW}
        assert accept_held(connection, store.place.course_id, **decide) is not None
        by_moodle = activity_state.c.taken_at.is_not(None)
        yesterday = NOW - BRAKE_WITHIN - timedelta(seconds=1)
        connection.execute(sa.update(activity_state).where(by_moodle).values(taken_at=yesterday))
    assert store.weigh({subs[6]: [NOT_DONE]}) == [subs[6]]  # another day, and of a person's yes nothing is counted


def test_a_small_course_that_loses_all_is_held(store: Store) -> None:
    subs = store.give_to(3)
    assert store.weigh({sub: [NOT_DONE] for sub in subs[:2]}) == subs[:2]
    assert store.weigh({sub: [NOT_DONE] for sub in subs}) == []
