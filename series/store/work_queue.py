"""The engine that runs work soon after it is asked for: `enqueue(name, id)`.

Huey runs and nothing more. The rows (delivery, sync_run) are the truth: losing a trigger costs a delay, never a score,
because every worker's tick looks for rows that are due. Only names and ids go through the queue, signed, because Huey
pickles them.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

import psycopg
import structlog
from huey import Huey, PostgresHuey, SqliteHuey
from huey.api import TaskWrapper
from huey.consumer import Consumer
from huey.serializer import SignedSerializer

from series.store.database import sqlite_path

NAME = "shared-sessions"
QUEUE_LOCK = 5_350_102  # as MIGRATION_LOCK: any number that nobody else locks in our database
log = structlog.get_logger()
Job = Callable[[int], object]


class WorkQueue:
    """Beside the database: a file of its own next to SQLite's, tables of its own in PostgreSQL.

    Opened at the first use, so that a program which only reads needs no queue.
    """

    def __init__(self, database_url: str, secret_key: bytes) -> None:
        self._database_url = database_url
        self._secret_key = secret_key
        self._jobs: Mapping[str, Job] = {}
        self._opening = threading.Lock()

    @property
    def huey(self) -> Huey:
        with self._opening:
            return self._opened[0]

    @cached_property
    def _opened(self) -> tuple[Huey, TaskWrapper]:
        serializer = SignedSerializer(secret=self._secret_key, salt="shared-sessions work")
        path = sqlite_path(self._database_url)
        if path is not None:
            huey = SqliteHuey(NAME, filename=f"{path}.queue", results=False, serializer=serializer)
        else:
            dsn = self._database_url.replace("+psycopg", "")
            with psycopg.connect(dsn) as connection:
                # It makes its tables if they are missing; processes that do so at once would stop each other.
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (QUEUE_LOCK,))
                huey = PostgresHuey(NAME, dsn=dsn, results=False, serializer=serializer)
        return huey, huey.task(name="run")(self._run)

    def enqueue(self, name: str, row_id: int) -> None:
        """Ask for `name` to be run on a row. A queue that cannot be reached only delays the work to the next tick."""
        try:
            with self._opening:
                _, run = self._opened
            run(name, row_id)
        except Exception as error:  # whatever the queue's storage raises: the row is safe, so the person goes on
            log.warning("trigger_lost", job=name, row_id=row_id, error=type(error).__name__)

    def enqueue_all(self, name: str, row_ids: Iterable[int]) -> None:
        """As `enqueue`, of each of them."""
        for row_id in row_ids:
            self.enqueue(name, row_id)

    def is_idle(self) -> bool:
        """Whether nothing waits to be taken by a worker."""
        return bool(self.huey.pending_count() == 0)

    def work(self, jobs: Mapping[str, Job], *, threads: int, on_stop: Callable[[], None]) -> None:
        """Run jobs until SIGTERM or SIGINT; the work in hand is finished first. `on_stop`: called at the signal, before
        that."""
        self._jobs = jobs
        consumer = _Consumer(
            self.huey, workers=threads, periodic=False, max_delay=0.5, graceful_signal="TERM", shutdown_timeout=60
        )
        consumer.on_stop = on_stop
        consumer.run()

    def _run(self, name: str, row_id: int) -> None:
        job = self._jobs.get(name)
        if job is None:  # left behind by another version
            log.info("trigger_unknown", job=name, row_id=row_id)
            return
        job(row_id)


class _Consumer(Consumer):  # type: ignore[misc]
    on_stop: Callable[[], None]

    def stop(self, graceful: bool = False) -> None:  # noqa: FBT001, FBT002 - as Huey calls it
        self.on_stop()
        super().stop(graceful)
