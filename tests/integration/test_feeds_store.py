"""Whose feed shows which series, on both databases."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.feed_address import FeedOwner, OwnerKind
from series.people import Visit
from series.rule import Rule
from series.store.database import Database
from series.store.feeds import feed_owner, renew_feed, series_of_owner
from series.store.sessions import add_series, dated_sessions_of, save_import
from series.store.tables import participant
from tests.at_once import at_once
from tests.conftest import NOW
from tests.examples import SERIES
from tests.seeds import LAUNCH, Seeded, launch, seed

LATER = NOW + timedelta(hours=1)
OTHER = replace(SERIES, series_id=UUID(int=2), slug="other", title="Another series")


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def student(database: Database, seeded: Seeded) -> Visit:
    return launch(database)


def owner_of(database: Database, visit: Visit, kind: OwnerKind = OwnerKind.PARTICIPANT) -> FeedOwner:
    owner_id = visit.course_id if kind is OwnerKind.COURSE else visit.participant_id
    assert owner_id is not None
    with database.read() as connection:
        owner = feed_owner(connection, kind, owner_id)
    assert owner is not None
    return owner


def titles(database: Database, owner: FeedOwner) -> list[str]:
    with database.read() as connection:
        return [series.title for series in series_of_owner(connection, owner)]


@pytest.mark.parametrize("kind", OwnerKind)
def test_an_owner_begins_with_the_first_address_and_the_series_of_the_launch(
    database: Database, student: Visit, kind: OwnerKind
) -> None:
    owner = owner_of(database, student, kind)
    assert owner.generation == 0
    assert owner.since == (NOW if kind is OwnerKind.PARTICIPANT else None)
    assert titles(database, owner) == [SERIES.title]


@pytest.mark.parametrize("kind", OwnerKind)
def test_nobody_has_no_feed(database: Database, student: Visit, kind: OwnerKind) -> None:
    with database.read() as connection:
        assert feed_owner(connection, kind, 10**18 - 1) is None


def test_a_participant_has_the_series_of_all_their_activities_and_a_course_its_own(
    database: Database, student: Visit
) -> None:
    with database.write() as connection:
        add_series(connection, OTHER, rule=Rule(), now=LATER)
    elsewhere = structs.replace(LAUNCH, resource_link_id="9", context_id="9", custom_series_id=str(OTHER.series_id))
    again = launch(database, elsewhere)
    assert again.participant_id == student.participant_id
    assert titles(database, owner_of(database, student)) == [SERIES.title, OTHER.title]
    assert titles(database, owner_of(database, student, OwnerKind.COURSE)) == [SERIES.title]
    assert titles(database, owner_of(database, again, OwnerKind.COURSE)) == [OTHER.title]
    somebody = launch(database, structs.replace(LAUNCH, sub="6"))
    assert titles(database, owner_of(database, somebody)) == [SERIES.title]


@pytest.mark.parametrize("kind", OwnerKind)
def test_a_new_address_is_the_next_generation_of_one_owner(database: Database, student: Visit, kind: OwnerKind) -> None:
    owner = owner_of(database, student, kind)
    somebody = launch(database, structs.replace(LAUNCH, sub="6", resource_link_id="9", context_id="9"))
    with database.write() as connection:
        assert renew_feed(connection, owner)
    assert owner_of(database, student, kind) == replace(owner, generation=1)
    assert owner_of(database, somebody, kind).generation == 0


def test_of_many_who_replace_one_address_at_once_one_does(database: Database, student: Visit) -> None:
    owner = owner_of(database, student)

    def renew(one: Database, _: int) -> bool:
        with one.write() as connection:
            return renew_feed(connection, owner)

    assert at_once(database, renew).count(True) == 1
    assert owner_of(database, student).generation == 1


def test_who_gets_the_id_of_an_erased_person_is_another_owner(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    row = {"university_id": 1, "issuer": "https://lms.malta.example"}
    seed(database)
    owners = []
    for sub, at in (("1", NOW), ("2", LATER)):
        with database.write() as connection:
            connection.execute(sa.delete(participant))
            made = sa.insert(participant).values(**row, sub=sub, created_at=at).returning(participant.c.id)
            owners.append(feed_owner(connection, OwnerKind.PARTICIPANT, connection.execute(made).scalar_one()))
    database.dispose()
    first, second = owners
    assert first is not None
    assert second is not None
    assert first.owner_id == second.owner_id
    assert first != second


def test_a_session_has_the_time_of_the_sessions_last_change(database: Database, seeded: Seeded) -> None:
    first, second, third = seeded.sessions
    renamed = replace(second, title="Another title")
    with database.write() as connection:
        save_import(connection, SERIES.series_id, new=(), changed=[renamed], rekeyed=(), now=LATER)
    with database.read() as connection:
        dated = dated_sessions_of(connection, [SERIES.series_id])
        assert dated_sessions_of(connection, []) == []
        assert dated_sessions_of(connection, [OTHER.series_id]) == []
    assert {one.session.session_id: one.changed_at for one in dated} == {
        first.session_id: NOW,
        second.session_id: LATER,
        third.session_id: NOW,
    }
    assert renamed in [one.session for one in dated]
