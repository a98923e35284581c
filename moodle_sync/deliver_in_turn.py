"""Many scores to many gradebooks: platform by platform, each for a while and by few threads.

A thread that has a platform sends what is due there, one after the other, so that between two POSTs there is one
transaction: it settles the last and claims the next. After TURN_S the platform goes back to the end of the queue.
"""

import threading
import time
from collections import Counter, defaultdict, deque
from datetime import datetime

from lms.errors import LmsError
from moodle_sync.deliver_scores import attempt, settle
from moodle_sync.services import Services
from series.deliveries import Delivery
from series.limits import GRADEBOOK_CALLS
from series.store.database import Connection, DatabaseBusy
from series.store.deliveries import claim, due_of_platform, platform_of
from series.store.limits import take

TURN_S = 2.0
LOOK_AHEAD = 50
SETTLE_TRIES = 5  # each waits for the lock as long as the database lets it


class Turns:
    """The threads of one process, at most half of them at one platform: a slow LMS must not take them all."""

    def __init__(self, services: Services, *, threads: int) -> None:
        self._services = services
        self.threads_per_platform = max(1, threads // 2)
        self._lock = threading.Lock()
        self._at: Counter[int] = Counter()  # threads by platform
        self._ids: defaultdict[int, deque[int]] = defaultdict(deque)  # that its threads take next

    def deliver(self, delivery_id: int) -> None:
        """Send this delivery, and what else waits for its platform. Where enough threads are at work already, they will
        come to it."""
        with self._services.database.read() as connection:
            platform_id = platform_of(connection, delivery_id)
        if platform_id is None or not self._enter(platform_id, delivery_id):
            return
        try:
            self._take_turn(platform_id)
        finally:
            self._leave(platform_id)

    def busy(self) -> list[int]:
        """The platforms that get no more threads."""
        with self._lock:
            return [platform_id for platform_id, threads in self._at.items() if threads >= self.threads_per_platform]

    def _take_turn(self, platform_id: int) -> None:
        services, ends_at_s = self._services, time.monotonic() + TURN_S
        claimed_at, claimed = self._claim(platform_id)
        while claimed is not None:
            result = attempt(services, claimed)
            # After a failure of the whole platform nothing more goes there now.
            is_over = time.monotonic() >= ends_at_s or (isinstance(result, LmsError) and result.of_platform)
            claimed_at, claimed = self._settle(claimed, result, claimed_at=claimed_at, goes_on=not is_over)
            if is_over:
                self._hand_back(platform_id)
            elif claimed is None:
                claimed_at, claimed = self._claim(platform_id)

    def _settle(
        self, claimed: Delivery, result: str | LmsError, *, claimed_at: datetime, goes_on: bool
    ) -> tuple[datetime, Delivery | None]:
        """Write down what came of a delivery, and claim the next one in the same transaction. An answer that cost a
        call is not lost because somebody else holds the database for a moment."""
        services, platform_id = self._services, claimed.platform_id
        for tries_left in reversed(range(SETTLE_TRIES)):
            now = services.clock.now()
            try:
                with services.database.write() as connection:
                    # In the order in which every thread locks: the platform's pace before its deliveries.
                    may_go_on = goes_on and self._may_be_asked(connection, platform_id, now)
                    settle(connection, claimed, result, claimed_at=claimed_at, now=now)
                    return now, self._claim_next(connection, platform_id, now) if may_go_on else None
            except DatabaseBusy:
                if not tries_left:
                    raise
        raise AssertionError  # never: the last try returns or raises

    def _claim(self, platform_id: int) -> tuple[datetime, Delivery | None]:
        """The next one of those that are known to be due, or of those that a new look finds."""
        database, now = self._services.database, self._services.clock.now()
        claimed = None
        if self._ids[platform_id]:
            with database.write() as connection:
                if self._may_be_asked(connection, platform_id, now):
                    claimed = self._claim_next(connection, platform_id, now)
        if claimed is None and self._look_ahead(platform_id, now):
            with database.write() as connection:
                if self._may_be_asked(connection, platform_id, now):
                    claimed = self._claim_next(connection, platform_id, now)
        return now, claimed

    def _may_be_asked(self, connection: Connection, platform_id: int, now: datetime) -> bool:
        """Whether the platform's pace allows one more now; else the tick comes back to it."""
        return not take(connection, f"gradebook {platform_id}", GRADEBOOK_CALLS, now=now)

    def _claim_next(self, connection: Connection, platform_id: int, now: datetime) -> Delivery | None:
        """None when none can be had."""
        ids = self._ids[platform_id]
        while (delivery_id := _pop(ids)) is not None:
            claimed = claim(connection, delivery_id, now=now)
            if claimed is not None:
                return claimed
        return None

    def _look_ahead(self, platform_id: int, now: datetime) -> bool:
        """Whether something is due."""
        ids = self._ids[platform_id]
        if not ids:
            with self._services.database.read() as connection:
                ids.extend(due_of_platform(connection, platform_id, now=now, limit=LOOK_AHEAD))
        return bool(ids)

    def _hand_back(self, platform_id: int) -> None:
        if self._look_ahead(platform_id, self._services.clock.now()):
            delivery_id = _pop(self._ids[platform_id])
            if delivery_id is not None:
                self._services.queue.enqueue("deliver", delivery_id)

    def _enter(self, platform_id: int, delivery_id: int) -> bool:
        with self._lock:
            if self._at[platform_id] >= self.threads_per_platform:
                return False
            self._at[platform_id] += 1
            self._ids[platform_id].appendleft(delivery_id)
            return True

    def _leave(self, platform_id: int) -> None:
        with self._lock:
            self._at[platform_id] -= 1
            if not self._at[platform_id]:
                del self._at[platform_id], self._ids[platform_id]


def _pop(ids: deque[int]) -> int | None:
    try:
        return ids.popleft()
    except IndexError:  # another thread was faster
        return None
