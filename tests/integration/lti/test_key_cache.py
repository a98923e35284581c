"""The cache of platform keys over two processes, on both databases: who fetches, who waits, who is served what."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from config.clock import Clock
from lms.guarded import GuardedSession
from lms.key_cache import COOL_DOWN, FRESH, LEASE, TRUSTED, KeysUnreachable, PlatformKeys
from lms.turnstile import Turnstile
from series.store.database import Database
from series.store.keys import claim_key_fetch
from tests.at_once import at_once
from tests.integration.lti.lms import KeySetAnswer, Lms, public_jwk, rsa_key
from tests.integration.lti.tool import prepare
from tests.waiting import until

PLATFORM_ID = 1
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Processes:
    """Two processes with one database and one clock; `malta` is the platform."""

    one: PlatformKeys
    other: PlatformKeys
    databases: tuple[Database, Database]
    malta: Lms
    clock: Clock

    def kids(self, process: PlatformKeys, wanted_kid: str) -> set[str | None]:
        return {key.kid for key in process.key_set(PLATFORM_ID, self.malta.jwks_uri, wanted_kid=wanted_kid).keys}

    def publish(self, *kids: str, not_before: threading.Event | None = None) -> None:
        keys = [public_jwk(rsa_key(kid), kid) for kid in kids]
        self.malta.answer_with(KeySetAnswer(body=json.dumps({"keys": keys}).encode(), not_before=not_before))

    def fail(self) -> None:
        self.malta.answer_with(KeySetAnswer(status=500, body=b""))

    def jump(self, by: timedelta) -> None:
        assert self.clock.offset_file is not None
        self.clock.offset_file.write_text(str((self.clock.offset() + by).total_seconds()))

    def claim(self, database: Database) -> bool:
        with database.write() as connection:
            return claim_key_fetch(connection, PLATFORM_ID, now=self.clock.now(), lease=LEASE, cool_down=COOL_DOWN)

    @property
    def fetches(self) -> int:
        return self.malta.times_asked_for_keys


@pytest.fixture
def processes(database_url: str, malta: Lms, tmp_path: Path) -> Iterator[Processes]:
    prepare(database_url, malta)
    clock = Clock(offset_file=tmp_path / "clock")
    databases = Database(database_url), Database(database_url)
    with GuardedSession(allowed_networks=(), allow_loopback=True) as http:
        one, other = (PlatformKeys(database, http, clock, Turnstile(places=4)) for database in databases)
        yield Processes(one=one, other=other, databases=databases, malta=malta, clock=clock)
    for database in databases:
        database.dispose()


def statements(database: Database, do: Callable[[], object]) -> int:
    """How many statements it takes."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    do()
    sa.event.remove(database.engine, "before_cursor_execute", note)
    return len(seen)


def test_lti_076_a_flood_of_unknown_kids_over_two_processes_causes_one_fetch_in_a_cool_down(
    processes: Processes,
) -> None:
    processes.publish("known")

    def flood(_: Database, number: int) -> set[str | None]:
        return processes.kids((processes.one, processes.other)[number % 2], f"unknown-{number}")

    for fetches in (1, 2, 3):
        assert at_once(processes.databases[0], flood) == [{"known"}] * 8
        assert processes.fetches == fetches
        processes.jump(COOL_DOWN + SECOND)


def test_lti_075_a_class_that_comes_after_a_rotation_gets_the_new_key_from_one_fetch(processes: Processes) -> None:
    processes.publish("old")
    for process in (processes.one, processes.other):
        assert processes.kids(process, "old") == {"old"}
    processes.publish("old", "new")
    processes.jump(COOL_DOWN + SECOND)

    def launch(_: Database, number: int) -> set[str | None]:
        return processes.kids((processes.one, processes.other)[number % 2], "new")

    assert at_once(processes.databases[0], launch) == [{"old", "new"}] * 8
    assert processes.fetches == 2


def test_another_process_waits_for_the_fetch_that_is_under_way(processes: Processes) -> None:
    go_on = threading.Event()
    processes.publish("key", not_before=go_on)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(processes.kids, processes.one, "key")
        until(lambda: processes.fetches, "the keys are asked for", within_s=10)
        second = pool.submit(processes.kids, processes.other, "key")
        assert not wait_for([second], timeout=0.3).done
        go_on.set()
        assert first.result() == second.result() == {"key"}
    assert processes.fetches == 1


def test_while_new_keys_are_on_their_way_known_ones_are_served(processes: Processes) -> None:
    processes.publish("known")
    for process in (processes.one, processes.other):
        processes.kids(process, "known")
    go_on = threading.Event()
    processes.publish("known", "new", not_before=go_on)
    processes.jump(COOL_DOWN + SECOND)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(processes.kids, processes.one, "new")
        until(lambda: processes.fetches == 2, "the keys are asked for", within_s=10)
        for process in (processes.one, processes.other):
            assert processes.kids(process, "known") == {"known"}
        go_on.set()
        assert waiting.result() == {"known", "new"}


def test_a_known_key_is_served_without_a_look_into_the_database(processes: Processes) -> None:
    processes.publish("known")
    processes.kids(processes.one, "known")
    database = processes.databases[0]
    assert statements(database, lambda: processes.kids(processes.one, "known")) == 0
    processes.jump(TRUSTED + SECOND)
    assert statements(database, lambda: processes.kids(processes.one, "known")) > 0
    assert statements(database, lambda: processes.kids(processes.one, "known")) == 0
    assert processes.fetches == 1


def test_a_key_that_another_process_saw_withdrawn_is_served_no_longer_than_the_trust_lasts(
    processes: Processes,
) -> None:
    processes.publish("old")
    for process in (processes.one, processes.other):
        processes.kids(process, "old")
    processes.publish("new")
    processes.jump(COOL_DOWN + SECOND)
    assert processes.kids(processes.one, "new") == {"new"}
    processes.jump(TRUSTED + SECOND)
    assert processes.kids(processes.other, "old") == {"new"}


def test_a_withdrawn_key_is_served_for_an_hour_at_most(processes: Processes) -> None:
    processes.publish("old")
    processes.kids(processes.one, "old")
    processes.publish("new")
    processes.jump(FRESH + SECOND)
    assert processes.kids(processes.one, "old") == {"new"}


def test_a_platform_that_publishes_no_key_any_more_has_withdrawn_them_all(processes: Processes) -> None:
    processes.publish("old")
    processes.kids(processes.one, "old")
    processes.publish()
    processes.jump(FRESH + SECOND)
    with pytest.raises(KeysUnreachable):
        processes.kids(processes.one, "old")


def test_lti_074_while_the_fetch_fails_known_keys_are_served_and_one_launch_in_an_hour_tries_again(
    processes: Processes,
) -> None:
    processes.publish("known")
    processes.kids(processes.one, "known")
    processes.fail()
    for fetches in (2, 3):
        processes.jump(FRESH + SECOND)
        for process in (processes.one, processes.other, processes.one):
            assert processes.kids(process, "known") == {"known"}
        assert processes.fetches == fetches


def test_lti_074_after_a_failed_first_fetch_nobody_asks_in_the_cool_down(processes: Processes) -> None:
    processes.fail()
    for fetches in (1, 2):
        for process in (processes.one, processes.other, processes.one):
            with pytest.raises(KeysUnreachable):
                processes.kids(process, "any")
        assert processes.fetches == fetches
        processes.jump(COOL_DOWN + SECOND)


def test_of_many_that_claim_the_fetch_one_gets_it(processes: Processes) -> None:
    for _ in range(3):
        claims = at_once(processes.databases[0], lambda database, _: processes.claim(database))
        assert sorted(claims) == [False] * 7 + [True]
        processes.jump(LEASE + COOL_DOWN + SECOND)


def test_a_process_that_died_while_it_fetched_holds_others_up_until_the_cool_down(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lms.key_cache.FETCH_WITHIN_S", 0.2)
    processes.publish("key")
    assert processes.claim(processes.databases[0])
    with pytest.raises(KeysUnreachable):
        processes.kids(processes.other, "key")
    processes.jump(LEASE + COOL_DOWN + SECOND)
    assert processes.kids(processes.other, "key") == {"key"}


def test_a_clock_that_was_put_back_does_not_stop_the_fetches(processes: Processes) -> None:
    processes.jump(timedelta(days=7))
    processes.publish("old")
    processes.kids(processes.one, "old")
    processes.jump(timedelta(days=-7))
    processes.publish("old", "new")
    assert processes.kids(processes.one, "new") == {"old", "new"}
