"""The last refusals of each platform, on both databases."""

from datetime import timedelta

import pytest

from series.store.database import Database
from series.store.refusals import KEPT, KeptRefusal, last_refusals, note_refusal
from series.store.tables import refusal
from tests.at_once import THREADS, at_once
from tests.conftest import NOW
from tests.replacing import REGISTERED_AGAIN, register
from tests.seeds import count, seed


@pytest.fixture(autouse=True)
def platforms(database: Database) -> None:
    """Malta with platforms 1 and 2."""
    seed(database)
    register(database, REGISTERED_AGAIN)


def note(database: Database, number: int, *, platform_id: int = 1) -> None:
    with database.write() as connection:
        note_refusal(
            connection,
            platform_id=platform_id,
            code="key_unknown",
            reference=f"{number:08x}",
            now=NOW + timedelta(seconds=number),
        )


def last(database: Database, platform_id: int = 1) -> list[KeptRefusal]:
    with database.read() as connection:
        return last_refusals(connection, platform_id)


def test_the_newest_come_first(database: Database) -> None:
    assert last(database) == []
    note(database, 1)
    note(database, 2)
    assert last(database)[0] == KeptRefusal(at=NOW + timedelta(seconds=2), code="key_unknown", reference="00000002")
    assert [one.reference for one in last(database)] == ["00000002", "00000001"]


def test_fifty_of_each_platform_are_kept(database: Database) -> None:
    note(database, 0, platform_id=2)
    for number in range(KEPT + 5):
        note(database, number)
    assert count(database, refusal) == KEPT + 1
    assert [one.reference for one in last(database)] == [f"{n:08x}" for n in reversed(range(5, KEPT + 5))]
    assert len(last(database, platform_id=2)) == 1


def test_many_at_once_are_all_noted(database: Database) -> None:
    at_once(database, note)
    assert sorted(one.reference for one in last(database)) == [f"{n:08x}" for n in range(THREADS)]
