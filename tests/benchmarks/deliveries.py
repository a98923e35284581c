"""Scores to gradebooks: how many a second and at what CPU, beside bare POSTs; and all of them right, whatever fails."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from lms.ags import SCOPE_SCORE, ActivityProgress, GradingProgress, Score, score_body, score_timestamp, service_url
from lms.service_tokens import ServicePlatform
from moodle_sync.services import make_services
from series.store.database import Database
from series.store.migrate import migrate
from series.store.tables import delivery, deployment, participant, placement, platform
from tests.benchmarks.servers import PROC, ROOT
from tests.benchmarks.soak import Plan, soak, workers
from tests.benchmarks.thirteen import Thirteen, open_thirteen
from tests.conftest import make_settings
from tests.databases import Databases
from tests.waiting import until

CONFIGURATIONS = (("sqlite", 1), ("sqlite", 2), ("postgresql", 2))  # and workers


@dataclass(frozen=True, kw_only=True)
class Rate:
    deliveries: int
    seconds: float
    cpu_s: float

    @property
    def cpu_ms(self) -> float:
        return self.cpu_s / self.deliveries * 1000

    def words(self) -> str:
        return f"{self.deliveries / self.seconds:.0f} a second, {self.cpu_ms:.2f} ms CPU each"


def measure_rate(folder: Path, *, deliveries: int) -> str:
    """One worker on SQLite that sends to thirteen LMSs without trouble, and the floor to the same ones."""
    template = _migrated(folder / "rate-template.db")
    with open_thirteen(folder / "rate", template, students=deliveries) as scene:
        posts = list(_posts(scene))
        ours = _rate(scene.afresh_in(_migrated(folder / "rate.db")), folder / "rate.log")
        scene.afresh_in(_migrated(folder / "bare.db")).database.dispose()  # the gradebooks are empty again
        floor = _floor(posts)
    return (
        f"deliveries: {ours.words()} (a worker with 4 threads, to 13 sandbox LMSs); bare POSTs, one after the other:"
        f" {floor.words()}; ratio of CPU {ours.cpu_ms / floor.cpu_ms:.1f}"
    )


def soak_all(folder: Path, *, deliveries: int, kills: int) -> bool:
    """A line for each configuration; whether all of them hold."""
    databases, holds = Databases(folder), True
    try:
        with open_thirteen(folder / "soak", _migrated(folder / "soak-template.db"), students=deliveries) as scene:
            for kind, count in CONFIGURATIONS:
                with databases.fresh(kind) as url:
                    once = scene.afresh_in(url)
                    done = soak(once, Plan(kills=kills, workers=count), folder / f"{kind}-{count}.log")
                    once.database.dispose()
                print(f"{kind}, {count} worker{'s' if count > 1 else ''}: {done.words()}", flush=True)
                holds &= done.holds
    finally:
        databases.stop()
    return holds


def _rate(scene: Thirteen, log: Path) -> Rate:
    """From the first that the running worker has delivered to the last."""
    with workers(scene, 1, log) as (worker,):
        first = until(lambda: _delivered(scene), "the worker delivers", within_s=60)
        begun, cpu_s = time.monotonic(), _cpu_s(worker.pid)
        until(lambda: _delivered(scene, of=("due",)) == 0, "all is delivered", within_s=600)
        seconds, cpu_s = time.monotonic() - begun, _cpu_s(worker.pid) - cpu_s
    scene.database.dispose()
    return Rate(deliveries=len(scene.students) - first or 1, seconds=seconds, cpu_s=cpu_s)


def _delivered(scene: Thirteen, of: tuple[str, ...] = ("delivered", "failed")) -> int:
    query = sa.select(sa.func.count()).where(delivery.c.state.in_(of))
    with scene.database.read() as connection:
        return int(connection.execute(query).scalar_one())


def _cpu_s(pid: int) -> float:
    """utime and stime of proc(5), of all threads: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html"""
    fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[14 - 3]) + int(fields[15 - 3])) / os.sysconf("SC_CLK_TCK")


def _floor(posts: list[tuple[str, str, str]]) -> Rate:
    command = [sys.executable, "-m", "tests.benchmarks.bare_posts"]
    done = subprocess.run(command, cwd=ROOT, input=json.dumps(posts), capture_output=True, text=True, check=True)
    spent = json.loads(done.stdout)
    return Rate(deliveries=len(posts), seconds=spent["seconds"], cpu_s=spent["cpu_s"])


def _posts(scene: Thirteen) -> Iterator[tuple[str, str, str]]:
    """(url, token, body) of all that is due."""
    services = make_services(make_settings(scene.database.url))
    rows = sa.select(
        delivery, participant.c.sub, platform.c.id.label("platform_pk"), platform.c.client_id, platform.c.token_endpoint
    ).select_from(
        delivery.join(participant)
        .join(placement, delivery.c.placement_id == placement.c.id)
        .join(deployment, placement.c.deployment_id == deployment.c.id)
        .join(platform, deployment.c.platform_id == platform.c.id)
    )
    with scene.database.read() as connection:
        for row in connection.execute(rows):
            lms = ServicePlatform(
                platform_id=row.platform_pk, client_id=row.client_id, token_endpoint=row.token_endpoint
            )
            score = Score(
                user_id=row.sub,
                score_given=row.score_given,
                score_maximum=row.score_maximum,
                activity_progress=ActivityProgress.COMPLETED,
                grading_progress=GradingProgress.FULLY_GRADED,
                timestamp=score_timestamp(row.score_at),
            )
            token = services.tokens.token(lms, [SCOPE_SCORE])
            yield service_url(row.line_item_url, "scores"), token, score_body(score).decode()
    services.http.close()
    services.database.dispose()


def _migrated(path: Path) -> str:
    url = f"sqlite:///{path}"
    database = Database(url)
    migrate(database)
    database.dispose()
    return url
