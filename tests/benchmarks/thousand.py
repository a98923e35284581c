"""A thousand universities on one worker: its memory, and whether anybody waits for the time-out of another."""

import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from series.moodle_jobs import MoodleJob
from series.rule import Rule
from series.store.database import Database
from series.store.mirrors import tie_course
from series.store.moodle_connections import NewConnection, save_connection
from series.store.moodle_tables import moodle_job
from series.store.sessions import add_series, add_session
from series.store.tables import mirror
from series.store.universities import add_university
from tests.benchmarks.servers import BIN, PROC, ROOT, serve
from tests.conftest import make_environment
from tests.examples import SERIES, SESSION, moved, weekly
from tests.ports import free_port
from tests.seeds import ENCRYPTION_KEY
from tests.waiting import until

SESSIONS = [replace(session, hosting_university=None, hosting_university_id=None) for session in weekly(13)]
PASSES = 4  # a session more each time, for all of them


@dataclass(frozen=True, kw_only=True)
class Pass:
    """`waited_s`: of each university that answers, from the change of the series to the event in its calendar."""

    waited_s: list[float]
    rss_mb: float

    @property
    def p95_s(self) -> float:
        return statistics.quantiles(self.waited_s, n=20)[-1]


@dataclass(frozen=True, kw_only=True)
class Thousand:
    """With and without `hanging` ones among `universities`."""

    universities: int
    hanging: int
    calm: list[Pass]
    troubled: list[Pass]

    def words(self) -> str:
        calm, troubled = self.calm[-1], self.troubled
        return (
            f"{self.universities} universities on one worker: a change is in all calendars after"
            f" {max(calm.waited_s):.1f} s (p95 {calm.p95_s:.1f}); while {self.hanging} take calls and never answer, in"
            f" those of the others after {max(troubled[0].waited_s):.1f} s (p95 {troubled[0].p95_s:.1f}) when that has"
            f" just begun, {max(troubled[-1].waited_s):.1f} s (p95 {troubled[-1].p95_s:.1f}) later; ratio of the p95"
            f" {troubled[0].p95_s / calm.p95_s:.1f} and {troubled[-1].p95_s / calm.p95_s:.1f}\n"
            f"  memory of the worker after each pass: {', '.join(f'{one.rss_mb:.0f}' for one in self.calm)} MB;"
            f" with hanging ones {', '.join(f'{one.rss_mb:.0f}' for one in troubled)} MB"
        )


def measure(folder: Path, *, universities: int, hanging: int) -> Thousand:
    return Thousand(
        universities=universities,
        hanging=hanging,
        calm=_passes(folder / "calm", universities, 0),
        troubled=_passes(folder / "troubled", universities, hanging),
    )


def _passes(folder: Path, universities: int, hanging: int) -> list[Pass]:
    folder.mkdir(parents=True)
    port, url = free_port(), f"sqlite:///{folder / 'thousand.db'}"
    _migrate(url)
    database = Database(url)
    _fill(database, port, universities)
    moodles = [sys.executable, "-m", "tests.benchmarks.thousand_moodles", str(port), str(hanging)]
    try:
        with serve(moodles, {}, port=port, log=folder / "moodles.log"), _worker(url, folder / "worker.log") as worker:
            return [
                _pass(database, worker, number, universities=universities, hanging=hanging) for number in range(PASSES)
            ]
    finally:
        database.dispose()


def _pass(database: Database, worker: subprocess.Popen[bytes], number: int, *, universities: int, hanging: int) -> Pass:
    """One session is new to everybody."""
    new = SESSIONS[number]
    begun_at = datetime.now(UTC)
    with database.write() as connection:
        add_session(connection, moved(new, begun_at + timedelta(days=7) - SESSION.start_at), now=begun_at)
    answering = universities - hanging
    made = sa.select(sa.func.count()).where(mirror.c.session_id == new.session_id, mirror.c.event_id.is_not(None))

    def is_everywhere() -> bool:
        with database.read() as connection:
            return int(connection.execute(made).scalar_one()) >= answering

    until(is_everywhere, f"session {number} in {answering} calendars", within_s=300)
    with database.read() as connection:
        times = connection.execute(
            sa.select(mirror.c.updated_at).where(mirror.c.session_id == new.session_id, mirror.c.event_id.is_not(None))
        ).scalars()
        waited = [(made_at - begun_at).total_seconds() for made_at in times]
    return Pass(waited_s=waited, rss_mb=_rss_mb(worker.pid))


def _fill(database: Database, port: int, universities: int) -> None:
    """Connected, and only to be mirrored: the other jobs would ask for what these Moodles do not have."""
    now = datetime.now(UTC)
    with database.write() as connection:
        add_series(connection, SERIES, rule=Rule(required=2), now=now)
        for number in range(1, universities + 1):
            university_id = add_university(
                connection, slug=f"u{number}", name=f"U {number}", country="MT", time_zone="Europe/Malta", language="en"
            )
            new = NewConnection(
                university_id=university_id, base_url=f"http://127.0.0.1:{port}/{number}", token="t", moodle_user_id=35
            )
            save_connection(connection, new, encryption_key=ENCRYPTION_KEY, now=now)
            tie_course(
                connection,
                university_id=university_id,
                moodle_course_id=2,
                title="",
                series_id=SERIES.series_id,
                now=now,
            )
        connection.execute(sa.delete(moodle_job).where(moodle_job.c.job != MoodleJob.MIRROR.value))


@contextmanager
def _worker(database_url: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = make_environment("http://localhost:9", database_url)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [BIN / "moodle-sync", "worker"], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(120)


def _migrate(url: str) -> None:
    environment = make_environment("http://localhost:9", url)
    subprocess.run([BIN / "lti-tool", "migrate"], env=environment, cwd=ROOT, check=True, capture_output=True)


def _rss_mb(pid: int) -> float:
    """https://man7.org/linux/man-pages/man5/proc_pid_status.5.html"""
    if not (PROC / str(pid)).exists():
        return float("nan")
    status = (PROC / str(pid) / "status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024
