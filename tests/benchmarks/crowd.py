"""Two hundred people who check in at once: whether they queue on one row.

On PostgreSQL a row that everybody writes is locked until the commit of whoever wrote it, and a commit waits for the
disk. Here each commit waits COMMIT_S, as for a disk or a second server that is far away, so that a queue can be seen:
beside our check-ins go the same ones that also write a row of their own (nobody queues), and the same ones that all
write one row (everybody does). SQLite has one writer for the whole database, whatever it writes: there is no such
question, and what counts is how long all of them take.
https://www.postgresql.org/docs/current/runtime-config-wal.html#GUC-COMMIT-DELAY
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from series.store.database import Database
from tests.benchmarks.check_ins import add_late_session, check_in, people_of_first_series

AT_ONCE = 32  # connections of one process
ROUNDS = 3
COMMIT_S = 0.02
QUEUES_FROM = 1.5  # times as long as where nobody queues
Also = Callable[[sa.Connection, int], None]  # what else a check-in writes
COUNT = sa.text("UPDATE counter SET people = people + 1 WHERE id = :id")


@dataclass(frozen=True, kw_only=True)
class Waited:
    """Milliseconds until all were through, and of the slowest person."""

    all_ms: float
    slowest_ms: float


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """`own_row` and `one_row`: none on SQLite."""

    people: int
    ours: Waited
    own_row: Waited | None = None
    one_row: Waited | None = None

    @property
    def holds(self) -> bool:
        return self.own_row is None or self.ours.all_ms < QUEUES_FROM * self.own_row.all_ms

    @property
    def can_tell(self) -> bool:
        """Whether a queue would have been seen."""
        return bool(self.own_row and self.one_row and self.one_row.all_ms >= QUEUES_FROM * self.own_row.all_ms)

    def words(self) -> str:
        ours = (
            f"{self.people} check-ins at once over {AT_ONCE} connections: {self.ours.all_ms:.0f} ms,"
            f" {self.people / self.ours.all_ms * 1000:.0f} a second, the slowest {self.ours.slowest_ms:.0f} ms"
        )
        if self.own_row is None or self.one_row is None:
            return f"{ours}; SQLite has one writer for everything, a counter row would change nothing"
        return (
            f"{ours}; each commit waits {COMMIT_S * 1000:.0f} ms\n"
            f"    each with a counter row of its own: {self.own_row.all_ms:.0f} ms, so that ours is"
            f" {self.ours.all_ms / self.own_row.all_ms:.2f} times that"
            f" ({'nobody queues' if self.holds else 'IT QUEUES'}; a queue is {QUEUES_FROM} and more)\n"
            f"    all with one counter row: {self.one_row.all_ms:.0f} ms, the slowest {self.one_row.slowest_ms:.0f} ms,"
            f" {self.one_row.all_ms / self.own_row.all_ms:.2f} times"
            f" ({'so a queue can be seen' if self.can_tell else 'A QUEUE COULD NOT BE SEEN IN THIS RUN'})"
        )


def measure(database: Database, *, people: int) -> Crowd:
    crowd = people_of_first_series(database)[: min(AT_ONCE, people) + people]
    _add_counters(database, crowd)
    ways: dict[str, Also] = {"ours": lambda _connection, _one: None}
    if not database.is_sqlite:
        ways["own_row"] = _count
        ways["one_row"] = lambda connection, _one: _count(connection, 0)
    waited: dict[str, list[Waited]] = {name: [] for name in ways}
    with _slow_commits(database):
        for number, name in enumerate([*ways] * ROUNDS, start=1):
            session_id = add_late_session(database, number=number)
            waited[name].append(_let_in(database, crowd[:-people], crowd[-people:], session_id, ways[name]))
    return Crowd(people=people, **{name: _median(rounds) for name, rounds in waited.items()})


def _add_counters(database: Database, crowd: Sequence[int]) -> None:
    with database.write() as connection:
        connection.execute(sa.text("CREATE TABLE counter (id bigint PRIMARY KEY, people integer NOT NULL)"))
        connection.execute(sa.text("INSERT INTO counter VALUES (:id, 0)"), [{"id": one} for one in (0, *crowd)])


def _count(connection: sa.Connection, counter: int) -> None:
    connection.execute(COUNT, {"id": counter})


def _let_in(database: Database, first: Sequence[int], crowd: Sequence[int], session_id: UUID, also: Also) -> Waited:
    """The first ones open the connections, and freeze the session's rule; the others are measured."""

    def come(participant_id: int) -> float:
        begun = time.perf_counter()
        with database.write() as connection:
            check_in(connection, participant_id, session_id)
            also(connection, participant_id)
        return time.perf_counter() - begun

    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(come, first))
        begun = time.perf_counter()
        each = list(threads.map(come, crowd))
        return Waited(all_ms=(time.perf_counter() - begun) * 1000, slowest_ms=max(each) * 1000)


def _median(rounds: Sequence[Waited]) -> Waited:
    return Waited(
        all_ms=statistics.median(one.all_ms for one in rounds),
        slowest_ms=statistics.median(one.slowest_ms for one in rounds),
    )


@contextmanager
def _slow_commits(database: Database) -> Iterator[None]:
    """PostgreSQL's own delay, in which commits of others join. For who waits for the disk only: see `durable`."""
    if database.is_sqlite:
        yield
        return
    set_on_server(database.url, commit_delay=str(round(COMMIT_S * 1e6)), commit_siblings="0")
    try:
        yield
    finally:
        set_on_server(database.url, commit_delay="0", commit_siblings="5")


def set_on_server(url: str, **settings: str) -> None:
    """For all of its databases, and for connections that are open, too."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for name, value in settings.items():
            connection.execute(sa.text(f"ALTER SYSTEM SET {name} = {value}"))
        connection.execute(sa.text("SELECT pg_reload_conf()"))
    engine.dispose()
