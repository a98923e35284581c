"""What can be taken back, and since when a gap stands, when a Moodle moves, goes, or comes back."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from series.checks import Check, Code, Outcome, encode_checks
from series.collecting import changes_of
from series.store.activity_states import known_states
from series.store.course_ties import let_go_what_is_over
from series.store.database import Database
from series.store.mirrors import hide_series
from series.store.moodle_connections import disconnect, save_checks, save_connection
from series.store.tables import moodle_connection, participant, platform
from series.store.taking_back import take_back
from tests.conftest import NOW
from tests.examples import MALTA, SERIES
from tests.integration.collect_store import (
    ELSEWHERE,
    MARIA,
    NOT_DONE,
    Store,
    connected_to,
    courses_to_collect,
    open_store,
)
from tests.seeds import ENCRYPTION_KEY, ISSUER

DAY = timedelta(days=1)


@pytest.fixture
def store(database: Database) -> Store:
    """Maria has completed the activity."""
    opened = open_store(database)
    opened.add()
    return opened


def can_be_taken_back(store: Store) -> bool:
    with store.database.read() as connection:
        return bool(changes_of([NOT_DONE], known_states(connection, store.place.course_id, MARIA)).taken_back)


def test_what_is_taken_back_before_the_people_have_moved_with_their_site_is_so_afterwards(store: Store) -> None:
    with store.database.write() as connection:
        new = replace(connected_to(ELSEWHERE), is_same_site=True)
        save_connection(connection, new, encryption_key=ENCRYPTION_KEY, now=NOW)
        there = replace(store.place, base_url=ELSEWHERE, knows_people=False)
        assert not take_back(connection, there, MARIA, [NOT_DONE], now=NOW).taken_back
        for table in (platform, participant):
            connection.execute(sa.update(table).values(issuer=ELSEWHERE))
    assert can_be_taken_back(store)


def test_what_was_given_can_be_taken_back_when_the_same_moodle_is_connected_again(store: Store) -> None:
    with store.database.write() as connection:
        disconnect(connection, MALTA.university_id)
        save_connection(connection, connected_to(ISSUER), encryption_key=ENCRYPTION_KEY, now=NOW)
    assert can_be_taken_back(store)


@pytest.mark.parametrize(("address", "is_old"), [(ISSUER, True), (ELSEWHERE, False)])
def test_a_gap_is_as_old_as_it_is_at_this_very_moodle(store: Store, address: str, is_old: bool) -> None:  # noqa: FBT001
    gaps = encode_checks([Check(code=Code.FORUM, outcome=Outcome.GAP)])
    with store.database.write() as connection:
        save_checks(connection, MALTA.university_id, gaps, now=NOW)
        save_connection(connection, connected_to(address), encryption_key=ENCRYPTION_KEY, now=NOW + DAY)
        save_checks(connection, MALTA.university_id, gaps, now=NOW + 2 * DAY)
        since = connection.execute(sa.select(moodle_connection.c.gaps_since)).scalar_one()
    assert (NOW.isoformat() in since) is is_old


def test_what_counts_goes_on_counting_when_the_calendar_shows_no_series_any_more(store: Store) -> None:
    with store.database.write() as connection:
        hide_series(connection, store.place.course_id, SERIES.series_id, now=NOW)
        let_go_what_is_over(connection, MALTA.university_id)
        (course,) = courses_to_collect(connection, MALTA.university_id)
    assert course.course_id == store.place.course_id
