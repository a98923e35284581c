"""The same thing done many times at once, as several workers and requests do."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from series.store.database import Database

T = TypeVar("T")
THREADS = 8


def at_once(database: Database, work: Callable[[Database, int], T]) -> list[T]:
    """What `work(database, number)` gave in each of THREADS threads, released together. Every other thread has an
    engine of its own, as another process would."""
    other = Database(database.url)
    start = threading.Barrier(THREADS)

    def one(number: int) -> T:
        start.wait()
        return work((database, other)[number % 2], number)

    try:
        with ThreadPoolExecutor(THREADS) as threads:
            return list(threads.map(one, range(THREADS)))
    finally:
        other.dispose()
