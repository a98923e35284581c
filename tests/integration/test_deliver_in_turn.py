"""Many scores over several LMSs, through the worker's own threads: nobody waits for an LMS that is down or slow."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from moodle_sync.deliver_in_turn import Turns
from moodle_sync.services import Services, make_services
from series.deliveries import LONGEST_AFTER_A_PAUSE, LONGEST_PAUSE
from series.limits import GRADEBOOK_CALLS
from series.store.deliveries import due_ids, list_deliveries, platform_of
from series.store.limits import take
from tests.benchmarks.soak import Plan, soak
from tests.benchmarks.thirteen import DOWN, HALF, SLOW, Student, Thirteen, open_thirteen
from tests.conftest import make_settings
from tests.waiting import until

FINE = "fine-1"
TICK = timedelta(minutes=10)
LONGEST_AFTER_THE_LAST_CALL = LONGEST_PAUSE * 1.25 + LONGEST_AFTER_A_PAUSE  # whoever made it lets the others go first


@dataclass(frozen=True, kw_only=True)
class Sending:
    """Two universities with four students each, and the threads of a worker; its ticks are ours."""

    scene: Thirteen
    services: Services
    turns: Turns

    def due(self) -> list[int]:
        """What a tick hands over."""
        with self.services.database.read() as connection:
            return due_ids(
                connection,
                now=self.services.clock.now(),
                limit=100,
                per_platform=self.turns.threads_per_platform,
                but_not=self.turns.busy(),
            )

    def tick(self) -> None:
        """And the ones after it, as long as there is more to do: on a busy machine a turn of a platform is over before
        it has got through."""
        due: list[int] | None = None
        while (still_due := self.due()) != due:
            due = still_due
            for delivery_id in due:
                self.turns.deliver(delivery_id)

    def states(self, slug: str) -> list[str]:
        with self.services.database.read() as connection:
            return [row.state for row in list_deliveries(connection, state=None, university_slug=slug)]

    def ids(self, slug: str) -> list[int]:
        with self.services.database.read() as connection:
            return [row.delivery_id for row in list_deliveries(connection, state="due", university_slug=slug)]

    def calls(self, slug: str) -> int:
        """How often the LMS was asked for anything, since the last look."""
        journal = self.scene.world.sandbox.journals[slug]
        count = len(journal.entries())
        journal.clear()
        return count

    def spend_limit(self, slug: str) -> None:
        """For half a minute."""
        at = self.services.clock.now() + timedelta(seconds=30)
        with self.services.database.write() as connection:
            platform_id = platform_of(connection, self.ids(slug)[0])
            while not take(connection, f"gradebook {platform_id}", GRADEBOOK_CALLS, now=at):
                pass

    def student(self, slug: str) -> Student:
        return next(student for student in self.scene.students if student.slug == slug)


@contextmanager
def sending(folder: Path, database_url: str, *slugs: str, students: int) -> Iterator[Sending]:
    with open_thirteen(folder, database_url, students=students, slugs=slugs) as scene:
        settings = make_settings(database_url)
        clock_file = scene.world.clock.offset_file
        services = make_services(replace(settings, public_url=scene.world.tool_url, clock_file=clock_file))
        try:
            yield Sending(scene=scene, services=services, turns=Turns(services, threads=4))
        finally:
            services.http.close()
            services.database.dispose()


@pytest.fixture
def down(tmp_path: Path, sqlite_url: str) -> Iterator[Sending]:
    """One of two LMSs is down."""
    with sending(tmp_path, sqlite_url, DOWN, FINE, students=8) as opened:
        opened.scene.world.sandbox.switches[DOWN].set(down=True)
        yield opened


@pytest.fixture
def slow(tmp_path: Path, sqlite_url: str) -> Iterator[Sending]:
    """One of two LMSs keeps every score waiting, after it has stored it."""
    with sending(tmp_path, sqlite_url, SLOW, FINE, students=8) as opened:
        opened.scene.world.sandbox.switches[SLOW].set(hold_score_after=True)
        yield opened
        opened.scene.world.sandbox.switches[SLOW].reset()


@pytest.mark.parametrize("chance", [0.0, 0.675, 0.99])  # 0.675: the last call comes at the end of the day
def test_an_lms_that_is_down_for_a_day_gets_everything_afterwards_and_the_others_never_wait(
    down: Sending, monkeypatch: pytest.MonkeyPatch, chance: float
) -> None:
    monkeypatch.setattr(random, "random", lambda: chance)
    down.tick()
    assert down.states(FINE) == ["delivered"] * 4
    assert down.states(DOWN) == ["due"] * 4
    assert down.calls(DOWN) == 1
    down.tick()
    assert down.calls(DOWN) == 0  # it is left alone

    for _ in range(timedelta(days=1) // TICK):
        down.scene.world.advance(TICK.total_seconds())
        down.tick()
    assert 20 <= down.calls(DOWN) <= 40  # about one an hour
    down.scene.world.sandbox.switches[DOWN].reset()
    for _ in range(LONGEST_AFTER_THE_LAST_CALL // TICK + 1):
        down.scene.world.advance(TICK.total_seconds())
        down.tick()
    assert down.states(DOWN) == ["delivered"] * 4
    assert set(down.scene.grades().values()) == {HALF}
    assert len(down.scene.grades()) == 8


def test_a_slow_lms_takes_half_of_the_threads_and_not_more(slow: Sending) -> None:
    switches = slow.scene.world.sandbox.switches[SLOW]
    with ThreadPoolExecutor(4) as threads:
        try:
            at_work = [threads.submit(slow.turns.deliver, one) for one in slow.ids(SLOW)]
            until(lambda: switches.held()["hold_score_after"] == 2, "two are held", within_s=10)
            until(lambda: sum(one.done() for one in at_work) == 2, "the others are free", within_s=10)
            assert len(slow.turns.busy()) == 1
            for delivery_id in slow.due():  # none of the slow one's
                slow.turns.deliver(delivery_id)
            assert slow.states(FINE) == ["delivered"] * 4
            assert slow.states(SLOW) == ["due"] * 4
        finally:
            switches.reset()
    assert slow.states(SLOW) == ["delivered"] * 4  # the two that were free of it came back to nothing


def test_a_change_while_the_score_before_is_under_way_ends_with_the_newer_one(slow: Sending) -> None:
    switches, student = slow.scene.world.sandbox.switches[SLOW], slow.student(SLOW)
    with ThreadPoolExecutor(1) as threads:
        try:
            (under_way, *_) = slow.ids(SLOW)
            threads.submit(slow.turns.deliver, under_way)
            assert switches.wait_until_held("hold_score_after", timeout_s=10)
            for one in [one for one in slow.scene.students if one.slug == SLOW]:
                slow.scene.check_in_again(one)
        finally:
            switches.reset()
    slow.tick()
    assert student in slow.scene.twice
    grades = slow.scene.grades()
    assert {grades[one.slug, one.user_id] for one in slow.scene.twice} == {100.0}
    assert set(slow.states(SLOW)) == {"delivered", "superseded"}


def test_a_platform_gets_no_more_at_once_than_its_limit(slow: Sending) -> None:
    slow.scene.world.sandbox.switches[SLOW].reset()
    for slug in (SLOW, FINE):
        slow.spend_limit(slug)
    slow.tick()
    assert slow.calls(SLOW) == slow.calls(FINE) == 0
    slow.scene.world.advance(60)
    slow.tick()
    assert slow.states(SLOW) == slow.states(FINE) == ["delivered"] * 4


def test_thirteen_universities_in_trouble_and_killed_workers_end_with_right_gradebooks(
    tmp_path: Path, sqlite_url: str
) -> None:
    """The ten thousand of `make bench`, in small."""
    with open_thirteen(tmp_path, sqlite_url, students=130) as scene:
        plan = Plan(kills=2, workers=1, slow_s=0.02, busy_times=1, stalled_s=1.5, within_s=120)
        soaked = soak(scene, plan, tmp_path / "worker.log")
    assert soaked.wrong == []
    assert (soaked.kills, soaked.unlike) == (2, 0)
    assert soaked.repeats <= soaked.kills
