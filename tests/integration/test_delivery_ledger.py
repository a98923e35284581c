"""The ledger of scores on their way: claimed once, whoever asks and however many at once, on both databases."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.deliveries import LEASE, Delivery
from series.people import Visit
from series.store import deliveries
from series.store.database import Database
from series.store.tables import delivery
from tests.at_once import THREADS, at_once
from tests.conftest import NOW
from tests.seeds import LAUNCH, LINE_ITEM, Seeded, code_of, launch, record, seed

SECOND = timedelta(seconds=1)


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def student(database: Database, seeded: Seeded) -> Visit:
    return launch(database)


@pytest.fixture
def due(database: Database, seeded: Seeded, student: Visit) -> int:
    """A delivery that waits."""
    (delivery_id,) = record(database, code_of(student, seeded.session_ids[0]))
    return delivery_id


@pytest.fixture
def newer(database: Database, seeded: Seeded, student: Visit, in_flight: int) -> int:
    """The next version beside the one in flight."""
    (delivery_id,) = record(database, code_of(student, seeded.session_ids[1]))
    return delivery_id


@pytest.fixture
def in_flight(database: Database, due: int) -> int:
    assert claim(database, due)
    return due


def claim(database: Database, delivery_id: int, *, now: datetime = NOW) -> Delivery | None:
    with database.write() as connection:
        return deliveries.claim(connection, delivery_id, now=now)


def postpone(database: Database, delivery_id: int, *, to: datetime) -> None:
    with database.write() as connection:
        deliveries.postpone(connection, delivery_id, outcome="Later.", next_attempt_at=to)


def fail(database: Database, delivery_id: int) -> None:
    with database.write() as connection:
        deliveries.mark_failed(connection, delivery_id, outcome="Never.")


def retry(database: Database, delivery_id: int | None, *, now: datetime = NOW) -> int:
    with database.write() as connection:
        return deliveries.retry(connection, delivery_id=delivery_id, now=now)


def due_ids(database: Database, *, now: datetime = NOW, limit: int = 100) -> list[int]:
    with database.read() as connection:
        return deliveries.due_ids(connection, now=now, limit=limit)


def state(database: Database, delivery_id: int) -> tuple[str, bool]:
    with database.read() as connection:
        row = connection.execute(
            sa.select(delivery.c.state, delivery.c.in_flight).where(delivery.c.id == delivery_id)
        ).one()
    return row.state, row.in_flight


# Claiming


def test_a_claimed_delivery_has_all_that_the_worker_needs(database: Database, seeded: Seeded, due: int) -> None:
    assert claim(database, due) == Delivery(
        delivery_id=due,
        platform_id=seeded.platform_id,
        line_item_url=LINE_ITEM,
        version=1,
        ags_scopes=frozenset(LAUNCH.ags_scopes),
        sub="5",
        score_given=1,
        score_maximum=2,
        score_at=NOW,
        attempts=1,
    )


def test_a_delivery_is_claimed_once(database: Database, in_flight: int) -> None:
    assert claim(database, in_flight) is None
    assert due_ids(database) == []


def test_of_many_that_claim_at_once_exactly_one_gets_it(database: Database, due: int) -> None:
    claimed = at_once(database, lambda own, _: claim(own, due))
    assert [one.attempts for one in claimed if one] == [1]


def test_of_many_that_claim_after_a_crash_exactly_one_gets_it(database: Database, in_flight: int) -> None:
    claimed = at_once(database, lambda own, _: claim(own, in_flight, now=NOW + LEASE))
    assert [one.attempts for one in claimed if one] == [2]


def test_a_lease_that_ended_may_be_claimed_again(database: Database, in_flight: int) -> None:
    assert claim(database, in_flight, now=NOW + LEASE - SECOND) is None
    assert due_ids(database, now=NOW + LEASE) == [in_flight]
    again = claim(database, in_flight, now=NOW + LEASE)
    assert again is not None
    assert again.score_at == NOW  # the same bytes as before


def test_a_delivery_whose_time_has_not_come_is_not_claimed(database: Database, due: int) -> None:
    assert claim(database, due, now=NOW - SECOND) is None
    assert due_ids(database, now=NOW - SECOND) == []


def test_a_delivery_that_is_not_there_is_not_claimed(database: Database, due: int) -> None:
    assert claim(database, due + 1) is None


@pytest.mark.parametrize("end", ["delivered", "failed"])
def test_what_has_ended_is_not_claimed_again(database: Database, in_flight: int, end: str) -> None:
    with database.write() as connection:
        if end == "delivered":
            deliveries.mark_delivered(connection, in_flight, outcome="Delivered.", now=NOW)
        else:
            deliveries.mark_failed(connection, in_flight, outcome="Never.")
    assert claim(database, in_flight, now=NOW + LEASE) is None
    assert state(database, in_flight) == (end, False)


def test_the_oldest_of_those_that_are_due_come_first(database: Database, seeded: Seeded, student: Visit) -> None:
    ids = [record(database, code_of(launch_of(database, sub), seeded.session_ids[0]))[0] for sub in ("6", "7", "8")]
    postpone(database, ids[0], to=NOW + 2 * SECOND)
    assert due_ids(database, now=NOW + 2 * SECOND)[-1] == ids[0]
    assert len(due_ids(database, now=NOW + 2 * SECOND, limit=2)) == 2


# Versions


def test_beside_a_version_in_flight_no_second_one_is_claimed(database: Database, newer: int) -> None:
    assert claim(database, newer) is None
    assert state(database, newer) == ("due", False)


def test_when_the_older_version_has_ended_the_newer_one_is_claimed(
    database: Database, in_flight: int, newer: int
) -> None:
    with database.write() as connection:
        deliveries.mark_delivered(connection, in_flight, outcome="Delivered.", now=NOW)
    claimed = claim(database, newer)
    assert claimed is not None
    assert claimed.score_at == NOW + SECOND


def test_an_older_version_that_was_postponed_is_superseded(database: Database, in_flight: int, newer: int) -> None:
    postpone(database, in_flight, to=NOW)
    assert claim(database, in_flight) is None
    assert state(database, in_flight) == ("superseded", False)
    assert claim(database, newer)


def test_an_older_version_whose_worker_died_gives_way(database: Database, in_flight: int, newer: int) -> None:
    assert claim(database, newer, now=NOW + LEASE)
    assert state(database, in_flight) == ("superseded", False)


def test_a_worker_that_comes_back_changes_nothing_of_a_superseded_version(
    database: Database, in_flight: int, newer: int
) -> None:
    assert claim(database, newer, now=NOW + LEASE)
    fail(database, in_flight)
    assert state(database, in_flight) == ("superseded", False)
    assert state(database, newer) == ("due", True)


def test_of_both_versions_claimed_at_once_at_most_one_is_in_flight(
    database: Database, in_flight: int, newer: int
) -> None:
    postpone(database, in_flight, to=NOW)
    claimed = at_once(database, lambda own, number: claim(own, (in_flight, newer)[number % 2]))
    assert len([one for one in claimed if one]) <= 1
    assert claim(database, newer, now=NOW + LEASE)
    assert [state(database, one) for one in (in_flight, newer)] == [("superseded", False), ("due", True)]


def test_a_queue_of_many_deliveries_is_shared_out_without_doubles(database: Database, seeded: Seeded) -> None:
    ids = []
    for number in range(THREADS):
        ids += record(database, code_of(launch_of(database, f"s{number}"), seeded.session_ids[0]))
    claimed = at_once(database, lambda own, _: [one for one in ids if claim(own, one)])
    assert sorted(one for share in claimed for one in share) == ids


# Trying again by hand


def test_a_failed_delivery_can_be_tried_again(database: Database, in_flight: int) -> None:
    fail(database, in_flight)
    assert retry(database, in_flight) == 1
    assert due_ids(database) == [in_flight]
    assert claim(database, in_flight)


def test_a_waiting_delivery_can_be_tried_now(database: Database, in_flight: int) -> None:
    postpone(database, in_flight, to=NOW + timedelta(hours=6))
    assert due_ids(database) == []
    assert retry(database, in_flight) == 1
    assert due_ids(database) == [in_flight]


def test_what_is_in_flight_is_not_sent_twice_by_a_retry(database: Database, in_flight: int) -> None:
    assert retry(database, in_flight) == 0
    assert retry(database, None) == 0
    assert claim(database, in_flight) is None


def test_what_was_delivered_is_not_sent_again(database: Database, in_flight: int) -> None:
    with database.write() as connection:
        deliveries.mark_delivered(connection, in_flight, outcome="Delivered.", now=NOW)
    assert retry(database, in_flight) == 0


def test_all_that_failed_can_be_tried_again(database: Database, seeded: Seeded) -> None:
    ids = [record(database, code_of(launch_of(database, sub), seeded.session_ids[0]))[0] for sub in ("6", "7", "8")]
    for delivery_id in ids[:2]:
        fail(database, delivery_id)
    assert retry(database, None) == 3
    assert sorted(due_ids(database)) == ids


def test_deliveries_are_listed_by_their_state(database: Database, in_flight: int, newer: int) -> None:
    fail(database, in_flight)
    with database.read() as connection:
        failed = deliveries.list_deliveries(connection, state="failed")
        waiting = deliveries.list_deliveries(connection, state="due")
        everything = deliveries.list_deliveries(connection, state=None)
    assert [(row.delivery_id, row.outcome) for row in failed] == [(in_flight, "Never.")]
    assert [row.delivery_id for row in waiting] == [newer]
    assert [row.delivery_id for row in everything] == [in_flight, newer]


def launch_of(database: Database, sub: str) -> Visit:
    return launch(database, structs.replace(LAUNCH, sub=sub))
