"""Many deliveries to LMSs in trouble, while workers are killed: in the end every cell of every gradebook is right."""

import random
import resource
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from sandbox_lms.journal import Entry
from series.deliveries import LEASE, LONGEST_PAUSE
from series.store.tables import delivery, participant, university
from tests.benchmarks.servers import BIN, ROOT
from tests.benchmarks.thirteen import BUSY, DOWN, NEWER, REFUSING, SLOW, Thirteen

POLL_S = 0.05
IN_TROUBLE = (DOWN, SLOW, BUSY)
_OF_UNIVERSITY = delivery.join(participant).join(university)
_DUE = (
    sa.select(university.c.slug, sa.func.count().label("due"))
    .select_from(_OF_UNIVERSITY)
    .where(delivery.c.state == "due")
    .group_by(university.c.slug)
)
_OTHERS_WAIT = (
    sa.select(delivery.c.id)
    .select_from(_OF_UNIVERSITY)
    .where(delivery.c.state == "due", sa.not_(delivery.c.in_flight), university.c.slug.not_in(IN_TROUBLE))
    .limit(1)
)


@dataclass(frozen=True, kw_only=True)
class Soaked:
    """`posts`: scores that arrived. A repeat is one that had been stored before; `unlike`: those that differ from the
    one before. `wrong`: cells of gradebooks, and ends of deliveries. `others_s`: when the last of the universities that
    are not down, slow or busy had all but what killed workers had left to wait for the ends of their leases, beside
    `seconds` for everything."""

    deliveries: int
    kills: int
    posts: int
    repeats: int
    unlike: int
    wrong: list[str]
    seconds: float
    others_s: float
    worker_cpu_s: float

    @property
    def holds(self) -> bool:
        return not self.wrong and not self.unlike and self.repeats <= self.kills

    def words(self) -> str:
        return (
            f"{self.deliveries} deliveries in {self.seconds:.0f} s, of untroubled LMSs in {self.others_s:.0f} s;"
            f" {self.kills} kills, {self.posts} POSTs, {self.repeats} repeats, of which {self.unlike} not byte for byte"
            f" the same; {len(self.wrong)} wrong; workers' CPU {self.worker_cpu_s / self.deliveries * 1000:.1f} ms a"
            f" delivery, {self.kills} starts included: {'holds' if self.holds else 'DOES NOT HOLD'}"
            + "".join(f"\n  {line}" for line in self.wrong[:10])
        )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`busy_times`: how often the busy LMS says so, anew with every kill. `stalled_s`: when nothing has ended for so
    long, all that is left waits for a lease, a pause or a delay, and the clock is moved on."""

    kills: int
    workers: int
    slow_s: float = 0.3
    busy_times: int = 3
    stalled_s: float = 2.5
    within_s: float = 900
    seed: int = 7


def soak(scene: Thirteen, plan: Plan, log: Path) -> Soaked:
    """Kill at moments by chance; then let time pass until all has ended, with the LMS that is down up at the last."""
    chance, begun, cpu = random.Random(plan.seed), time.monotonic(), _children_cpu_s()
    scene.be_in_trouble(slow_s=plan.slow_s, busy_times=plan.busy_times)
    killable = sum(student.slug not in IN_TROUBLE for student in scene.students)
    kill_at = sorted(chance.randint(1, int(killable * 0.9)) for _ in range(plan.kills))
    again = iter([one for one in scene.students if one.slug not in {NEWER, REFUSING}][: len(scene.students) // 20])
    others_s, ended, moved_at = 0.0, 0, time.monotonic()
    with workers(scene, plan.workers, log) as running:
        while due := _due_by_university(scene):
            assert time.monotonic() - begun < plan.within_s, f"not ended within {plan.within_s} s: {due}"
            others_s = others_s or (0.0 if _others_wait(scene) else time.monotonic() - begun)
            if ended != (now_ended := -sum(due.values())):
                ended, moved_at = now_ended, time.monotonic()
            if kill_at and len(scene.students) + ended >= kill_at[0]:
                kill_at.pop(0)
                _kill_and_replace(scene, running, chance, log)
                scene.be_busy(plan.busy_times)
            elif student := next(again, None):
                scene.check_in_again(student)
            elif due.keys() == {DOWN} and scene.world.sandbox.switches[DOWN].settings.down:
                scene.world.sandbox.switches[DOWN].reset()
                scene.world.advance((LONGEST_PAUSE * 2).total_seconds())
            elif time.monotonic() - moved_at > plan.stalled_s:
                scene.world.advance((LEASE + timedelta(seconds=1)).total_seconds())
                moved_at = time.monotonic()
            time.sleep(POLL_S)
        seconds = time.monotonic() - begun
    return _judge(scene, kills=plan.kills, seconds=seconds, others_s=others_s, worker_cpu_s=_children_cpu_s() - cpu)


def _judge(scene: Thirteen, *, kills: int, seconds: float, others_s: float, worker_cpu_s: float) -> Soaked:
    posts = repeats = unlike = 0
    for journal in scene.world.sandbox.journals.values():
        arrived = [entry for entry in journal.entries() if entry.path.endswith("/scores") and entry.body_sha256]
        posts += len(arrived)
        for same in _by_score(arrived).values():
            unlike += len({entry.body_sha256 for entry in same}) - 1
            repeats += sum(any(before.status == 200 for before in same[:place]) for place in range(1, len(same)))
    return Soaked(
        deliveries=len(scene.students) + len(scene.twice),
        kills=kills,
        posts=posts,
        repeats=repeats,
        unlike=unlike,
        wrong=[*_wrong_cells(scene), *_wrong_ends(scene)],
        seconds=seconds,
        others_s=others_s,
        worker_cpu_s=worker_cpu_s,
    )


def _by_score(entries: list[Entry]) -> dict[tuple[str | None, str | None], list[Entry]]:
    """By person and timestamp, which make one version in one line item."""
    found = defaultdict(list)
    for entry in entries:
        found[entry.user_id, entry.score_at].append(entry)
    return found


def _wrong_cells(scene: Thirteen) -> Iterator[str]:
    grades = scene.grades()
    for student in scene.students:
        grade, right = grades.get((student.slug, student.user_id)), scene.right_grade(student)
        if grade != right:
            yield f"{student.slug}, student {student.user_id}: the gradebook has {grade} in place of {right}"


def _wrong_ends(scene: Thirteen) -> Iterator[str]:
    ends: dict[int, str] = {}
    with scene.database.read() as connection:
        for row in connection.execute(sa.select(delivery).order_by(delivery.c.version)):
            ends[row.participant_id] = row.state
    for student in scene.students:
        state, right = ends[student.participant_id], scene.right_state(student)
        if state != right:
            yield f"{student.slug}, student {student.user_id}: the delivery is {state} in place of {right}"


def _due_by_university(scene: Thirteen) -> dict[str, int]:
    with scene.database.read() as connection:
        return {row.slug: row.due for row in connection.execute(_DUE)}


def _others_wait(scene: Thirteen) -> bool:
    with scene.database.read() as connection:
        return connection.execute(_OTHERS_WAIT).first() is not None


def _kill_and_replace(
    scene: Thirteen, running: list[subprocess.Popen[bytes]], chance: random.Random, log: Path
) -> None:
    victim = running.pop(chance.randrange(len(running)))
    victim.send_signal(signal.SIGKILL)
    assert victim.wait(10) == -signal.SIGKILL
    running.append(_start(scene, log))


@contextmanager
def workers(scene: Thirteen, count: int, log: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """`moodle-sync worker`, as often; whoever is in the list at the end is ended."""
    running = [_start(scene, log) for _ in range(count)]
    try:
        yield running
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(60)


def _start(scene: Thirteen, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        command = [BIN / "moodle-sync", "worker"]
        return subprocess.Popen(command, cwd=ROOT, env=scene.environment, stdout=output, stderr=output)


def _children_cpu_s() -> float:
    """Of processes that have been waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
