"""So that one slow LMS does not stop a program that serves all: few threads at a time wait for any one of them."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class TooManyWait(Exception):
    """As many threads as may wait for this platform already do."""

    def __init__(self) -> None:
        super().__init__("Others are waiting for its answer already; please try again in a moment.")


class Turnstile:
    """May be shared by threads."""

    def __init__(self, places: int) -> None:
        self._places: defaultdict[int, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(places))

    @contextmanager
    def place(self, platform_id: int) -> Iterator[None]:
        """A place among those who wait for the platform. Raises TooManyWait at once when there is none."""
        places = self._places[platform_id]
        if not places.acquire(blocking=False):
            raise TooManyWait
        try:
            yield
        finally:
            places.release()
