"""A platform that does not answer is left alone and asked again by one delivery; what is due is shared out fairly."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from msgspec import structs

from series.deliveries import FIRST_PAUSE, LEASE, LONGEST_DELAY, LONGEST_PAUSE, LONGEST_PAUSE_FOR_ONE
from series.store import deliveries
from series.store.database import Database
from series.store.gradebook_pauses import list_pauses, pause, resume, resume_all
from series.store.universities import add_platform
from tests.at_once import at_once
from tests.conftest import NOW
from tests.examples import VILNIUS
from tests.seeds import LAUNCH, PLATFORM, Seeded, code_of, launch, record, seed

SECOND = timedelta(seconds=1)
AFTER = NOW + FIRST_PAUSE
VILNIUS_LMS = replace(
    PLATFORM, slug="vilnius", university_id=VILNIUS.university_id, issuer="https://learn.vilnius.example"
)


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def waiting(database: Database, seeded: Seeded) -> list[int]:
    """Three deliveries that are due, each of its own student."""
    return [check_in(database, seeded, sub) for sub in ("5", "6", "7")]


@pytest.fixture
def elsewhere(database: Database, seeded: Seeded, waiting: list[int]) -> int:
    """One that is due at another university's platform, as the last of all."""
    with database.write() as connection:
        platform_id = add_platform(connection, VILNIUS_LMS, now=NOW)
    new = structs.replace(
        LAUNCH,
        platform_id=platform_id,
        university_id=VILNIUS.university_id,
        issuer=VILNIUS_LMS.issuer,
        line_item_url=f"{VILNIUS_LMS.issuer}/lineitems/1",
    )
    (delivery_id,) = record(database, code_of(launch(database, new), seeded.session_ids[0]))
    return delivery_id


@pytest.fixture
def paused(database: Database, seeded: Seeded, waiting: list[int]) -> list[int]:
    """The same three, of a platform that has failed at NOW."""
    assert fail(database, seeded) == AFTER
    return waiting


def check_in(database: Database, seeded: Seeded, sub: str, session: int = 0) -> int:
    visit = launch(database, structs.replace(LAUNCH, sub=sub))
    (delivery_id,) = record(database, code_of(visit, seeded.session_ids[session]))
    return delivery_id


def fail(
    database: Database,
    seeded: Seeded,
    *,
    now: datetime = NOW,
    claimed_at: datetime | None = None,
    retry_after_s: int | None = None,
    by: str = "delivery 1",
) -> datetime:
    with database.write() as connection:
        return pause(
            connection,
            seeded.platform_id,
            by=by,
            claimed_at=claimed_at or now,
            reason="Nobody answers.",
            retry_after_s=retry_after_s,
            jitter=0,
            now=now,
        )


def claim(database: Database, delivery_id: int, *, now: datetime = NOW) -> bool:
    """Whether it was claimed."""
    with database.write() as connection:
        return deliveries.claim(connection, delivery_id, now=now) is not None


def due(
    database: Database, *, now: datetime = NOW, per_platform: int | None = None, but_not: Collection[int] = ()
) -> list[int]:
    with database.read() as connection:
        return deliveries.due_ids(connection, now=now, limit=100, per_platform=per_platform, but_not=but_not)


# The pause


def test_nothing_goes_to_a_platform_that_is_left_alone(database: Database, paused: list[int]) -> None:
    assert due(database, now=AFTER - SECOND) == []
    assert not any(claim(database, one, now=AFTER - SECOND) for one in paused)


def test_the_others_do_not_wait(database: Database, elsewhere: int, paused: list[int]) -> None:
    assert due(database) == [elsewhere]
    assert claim(database, elsewhere)


def test_after_the_pause_one_delivery_asks_again(database: Database, seeded: Seeded, paused: list[int]) -> None:
    assert due(database, now=AFTER) == paused[:1]
    with database.write() as connection:
        claimed = deliveries.claim(connection, paused[0], now=AFTER)
    assert claimed is not None
    assert claimed.is_probe
    assert not claim(database, paused[1], now=AFTER)
    assert due(database, now=AFTER) == []


def test_of_many_that_would_ask_again_at_once_one_does(database: Database, paused: list[int]) -> None:
    claimed = at_once(database, lambda own, number: claim(own, paused[number % 3], now=AFTER))
    assert sum(claimed) == 1


def test_when_it_answers_all_go_through(database: Database, seeded: Seeded, paused: list[int]) -> None:
    assert claim(database, paused[0], now=AFTER)
    with database.write() as connection:
        resume(connection, seeded.platform_id)
    assert all(claim(database, one, now=AFTER) for one in paused[1:])


def test_when_it_fails_again_the_pause_grows_up_to_an_hour(database: Database, seeded: Seeded) -> None:
    now, lengths = NOW, []
    for number in range(12):
        until = fail(database, seeded, now=now, by=f"delivery {number}")
        lengths.append(until - now)
        now = until
    assert lengths[:3] == [FIRST_PAUSE, FIRST_PAUSE * 2, FIRST_PAUSE * 4]
    assert lengths[-1] == LONGEST_PAUSE


def test_while_one_delivery_alone_has_failed_the_others_wait_less(database: Database, seeded: Seeded) -> None:
    now = NOW
    for _ in range(12):
        now, before = fail(database, seeded, now=now), now
    assert now - before == LONGEST_PAUSE_FOR_ONE
    assert fail(database, seeded, now=now, by="delivery 2") - now == LONGEST_PAUSE


def test_what_was_under_way_when_it_began_to_fail_makes_the_pause_no_longer(
    database: Database, seeded: Seeded, paused: list[int]
) -> None:
    assert fail(database, seeded, now=NOW + SECOND, claimed_at=NOW - SECOND) == AFTER + SECOND
    with database.read() as connection:
        (listed,) = list_pauses(connection)
    assert (listed.failures, listed.failing_since) == (1, NOW)


def test_the_lms_may_say_when_to_come_back_within_reason(database: Database, seeded: Seeded) -> None:
    assert fail(database, seeded, retry_after_s=600) == NOW + timedelta(minutes=10)
    assert fail(database, seeded, retry_after_s=10**8) == NOW + LONGEST_DELAY


def test_when_the_worker_that_asked_has_died_another_asks_after_its_lease(
    database: Database, paused: list[int]
) -> None:
    assert claim(database, paused[0], now=AFTER)
    assert not claim(database, paused[1], now=AFTER + LEASE - SECOND)
    assert claim(database, paused[1], now=AFTER + LEASE)


def test_a_person_may_end_the_pauses_of_one_university(database: Database, seeded: Seeded, paused: list[int]) -> None:
    with database.write() as connection:
        resume_all(connection, university_slug="vilnius")
    assert not claim(database, paused[0])
    with database.write() as connection:
        resume_all(connection, university_slug="malta")
    assert claim(database, paused[0])


def test_pauses_are_listed_with_their_reason(database: Database, paused: list[int]) -> None:
    with database.read() as connection:
        (listed,) = list_pauses(connection, university_slug="malta")
        assert list_pauses(connection, university_slug="vilnius") == []
    assert (listed.platform, listed.until, listed.reason) == ("malta", AFTER, "Nobody answers.")


# Fairness


def test_a_platform_with_few_does_not_wait_behind_one_with_many(
    database: Database, waiting: list[int], elsewhere: int
) -> None:
    assert due(database) == [waiting[0], elsewhere, *waiting[1:]]
    assert due(database, per_platform=1) == [waiting[0], elsewhere]


def test_platforms_that_can_take_no_more_are_left_out(
    database: Database, seeded: Seeded, waiting: list[int], elsewhere: int
) -> None:
    assert due(database, but_not=[seeded.platform_id]) == [elsewhere]


def test_what_is_due_at_one_platform_comes_in_its_order(
    database: Database, seeded: Seeded, waiting: list[int], elsewhere: int
) -> None:
    with database.read() as connection:
        assert deliveries.due_of_platform(connection, seeded.platform_id, now=NOW, limit=2) == waiting[:2]
        assert deliveries.platform_of(connection, waiting[0]) == seeded.platform_id


def test_a_university_can_be_tried_again_alone(database: Database, waiting: list[int], elsewhere: int) -> None:
    with database.write() as connection:
        assert deliveries.retry(connection, delivery_id=None, university_slug="vilnius", now=NOW) == 1
    with database.read() as connection:
        listed = deliveries.list_deliveries(connection, state=None, university_slug="vilnius")
    assert [row.delivery_id for row in listed] == [elsewhere]
