"""The pooled results in a full store: how long their page takes, and what a check-in pays for them."""

import base64
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from lti_tool.app import create_app
from lti_tool.pages.visit_proof import COOKIE, hash_proof
from series.step_times import step_due_at
from series.store.database import Database
from series.store.launches import NewVisit, open_visit
from series.store.pooled import take_step
from tests.benchmarks import exports
from tests.benchmarks.check_ins import CheckIns
from tests.benchmarks.crowd import Crowd, set_on_server
from tests.benchmarks.crowd import measure as measure_crowd
from tests.benchmarks.exports import Grown
from tests.benchmarks.full_store import COURSES, NOW, UNIVERSITIES, ZONE, Full, fill
from tests.benchmarks.servers import CAN_COUNT_CPU
from tests.conftest import make_settings
from tests.databases import Databases

PAGE_AIM_MS, CHECK_IN_AIM_MS = 100.0, 1.0
PROOF = base64.urlsafe_b64encode(b"p" * 32).rstrip(b"=").decode()


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Milliseconds, but for `filled_s`."""

    kind: str
    completions: int
    pages_ms: list[float]
    pages_cpu_ms: float  # of this process, on average
    first_page_ms: float
    step_ms: float
    check_ins_ms: list[float]
    in_small_ms: list[float]
    statements: int  # of a check-in that name a pooled table
    crowd: Crowd
    exported: Grown | None  # on Linux
    filled_s: float

    @property
    def page_p95_ms(self) -> float:
        return statistics.quantiles(self.pages_ms, n=20)[-1]

    @property
    def more_ms(self) -> float:
        return statistics.median(self.check_ins_ms) - statistics.median(self.in_small_ms)

    @property
    def holds(self) -> bool:
        return (
            self.page_p95_ms < PAGE_AIM_MS
            and self.more_ms < CHECK_IN_AIM_MS
            and self.crowd.holds
            and self.statements == 0
        )

    def words(self) -> str:
        return (
            f"pooled results, {self.kind}, {self.completions:,} completions: page p95 {self.page_p95_ms:.0f} ms, median"
            f" {statistics.median(self.pages_ms):.0f} (aim {PAGE_AIM_MS:.0f}; the very first {self.first_page_ms:.0f};"
            f" CPU without the database's own {self.pages_cpu_ms:.0f});"
            f" a step of one series {self.step_ms:.0f} ms\n"
            f"  a check-in {statistics.median(self.check_ins_ms):.2f} ms, in a store of one series"
            f" {statistics.median(self.in_small_ms):.2f}: {self.more_ms:+.2f} ms (aim under {CHECK_IN_AIM_MS:.0f});"
            f" statements of it that name a pooled table: {self.statements}\n"
            f"  {self.crowd.words()}\n"
            f"  {self.exported.words() if self.exported else 'the memory of a process can be told on Linux only'}\n"
            f"  this {'holds' if self.holds else 'does not hold'}; the store was filled in {self.filled_s:.0f} s"
        )


def measure_all(folder: Path, *, series: int, completions: int, times: int, people: int) -> Iterator[Measured]:
    databases = Databases(folder)
    try:
        for kind in ("sqlite", "postgresql"):
            with databases.fresh(kind) as url, databases.fresh(kind) as small_url, _durable(url):
                yield _measure(
                    folder, kind, url, small_url, series=series, completions=completions, times=times, people=people
                )
    finally:
        databases.stop()


def _measure(
    folder: Path, kind: str, url: str, small_url: str, *, series: int, completions: int, times: int, people: int
) -> Measured:
    database, small = Database(url), Database(small_url)
    begun = time.perf_counter()
    full = fill(database, series=series, completions=completions)
    filled_s = time.perf_counter() - begun
    fill(small, series=1, completions=(times + 60) * 12)
    first_page_ms, pages_ms, pages_cpu_ms = _pages(folder, url, full, times)
    here, there = CheckIns(database), CheckIns(small)
    check_ins_ms, in_small_ms = _in_turns(here.one, there.one, times)
    statements = here.statements
    crowd = measure_crowd(database, people=people)
    exported = exports.measure_stores(kind, (small_url, url), folder) if CAN_COUNT_CPU else None
    step_ms = _step_ms(database, full)
    database.dispose()
    small.dispose()
    return Measured(
        kind=kind,
        completions=full.completions,
        pages_ms=pages_ms,
        pages_cpu_ms=pages_cpu_ms,
        first_page_ms=first_page_ms,
        step_ms=step_ms,
        check_ins_ms=check_ins_ms,
        in_small_ms=in_small_ms,
        statements=statements,
        crowd=crowd,
        exported=exported,
        filled_s=filled_s,
    )


def _pages(folder: Path, url: str, full: Full, times: int) -> tuple[float, list[float], float]:
    """Of the very first one, which compiles the templates, and of others, each of another instructor; CPU of these."""
    clock_file = folder / f"clock-{uuid4().hex}"
    clock_file.write_text(str((NOW - datetime.now(UTC)).total_seconds()))
    app = create_app(replace(make_settings(url), clock_file=clock_file))
    tool = app.extensions["shared_sessions"]
    visits = [_instructor(tool.database, full, number) for number in range(times + 1)]
    client = app.test_client()
    taken, cpu_s = [], 0.0
    for visit_id in visits:
        client.set_cookie(COOKIE, PROOF, path=f"/visit/{visit_id}/")
        begun, cpu_begun_s = time.perf_counter(), time.process_time()
        answer = client.get(f"/visit/{visit_id}/course/series/")
        taken.append((time.perf_counter() - begun) * 1000)
        cpu_s += time.process_time() - cpu_begun_s if len(taken) > 1 else 0.0
        assert answer.status_code == 200, answer.text
        assert "University 4" in answer.text
    tool.database.dispose()
    tool.http.close()
    tool.queue.huey.storage.close()
    return taken[0], taken[1:], cpu_s / times * 1000


def _instructor(database: Database, full: Full, number: int) -> str:
    """The visit of somebody who teaches one of the courses, chosen by chance that is the same each time."""
    chance = random.Random(number)
    of, home = chance.randrange(len(full.series)), chance.randrange(UNIVERSITIES)
    placement = (of * UNIVERSITIES + home) * COURSES + 1 + chance.randrange(COURSES)
    new = NewVisit(
        visit_id=uuid4().hex,
        proof_hash=hash_proof(PROOF),
        nonce=uuid4().hex,
        nonce_expires_at=NOW + timedelta(minutes=20),
        platform_id=home + 1,
        university_id=home + 1,
        issuer="https://lms.example",
        deployment_id="1",
        sub=f"teacher {number}",
        is_teacher=True,
        is_learner=False,
        is_test_user=False,
        is_administrator=False,
        resource_link_id=str(placement),
        context_id=str(placement),
        context_title="Course",
        return_url=None,
        locale=None,
        line_item_url=None,
        line_items_url=None,
        ags_scopes=(),
        memberships_url=None,
        custom_series_id=None,
        custom_session_id=None,
    )
    with database.write() as connection:
        open_visit(connection, new, now=NOW, secret_key=b"a key")
    return new.visit_id


def _step_ms(database: Database, full: Full) -> float:
    now = NOW + timedelta(weeks=1)
    begun = time.perf_counter()
    with database.write() as connection:
        assert take_step(connection, full.series[0].series_id, due_at=step_due_at(now, ZONE), now=now) is not None
    return (time.perf_counter() - begun) * 1000


def _in_turns(thing: Callable[[], None], floor: Callable[[], None], times: int) -> tuple[list[float], list[float]]:
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(times + 5):
        for work, into in zip((thing, floor), taken, strict=True):
            begun = time.perf_counter()
            work()
            if number >= 5:  # statements are compiled by then
                into.append((time.perf_counter() - begun) * 1000)
    return taken


@contextmanager
def _durable(url: str) -> Iterator[None]:
    """The tests' PostgreSQL does not wait for its disk; here it does, as in life."""
    waiting = ("fsync", "full_page_writes", "synchronous_commit")
    is_server = not url.startswith("sqlite")
    if is_server:
        set_on_server(url, **dict.fromkeys(waiting, "on"))
    try:
        yield
    finally:
        if is_server:
            set_on_server(url, **dict.fromkeys(waiting, "off"))
