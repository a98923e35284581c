"""How often somebody may do something: a bucket of so many at once, refilled steadily.

The generic cell rate algorithm: a bucket is one number, the time at which it will be full again.
https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
"""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limit:
    """`burst` at once, and then one in `every_s` seconds."""

    burst: int
    every_s: float

    def wait_s(self, full_at_s: float, now_s: float) -> float:
        """Seconds until one more is allowed; 0 when it is allowed now."""
        return max(0.0, max(full_at_s, now_s) + self.every_s - (now_s + self.burst * self.every_s))


CODE_TRIES = Limit(burst=5, every_s=30)  # of one participant in one session: some 15 in the life of a code
HOST_CODE_TRIES = Limit(burst=5, every_s=60)  # of one participant: ten signs are not guessed in a lifetime
LAUNCHES = Limit(burst=40, every_s=5)  # of one participant who has as many visits open as one may have
FEED_READS = Limit(burst=30, every_s=30)  # of one person's address: many devices, and every one in a hurry
COURSE_FEED_READS = Limit(burst=1_000, every_s=1)  # of one course's address, which a whole course may share
PASSPHRASES = Limit(burst=600, every_s=0.5)  # of one series, from everywhere: a campus is one address
GRADEBOOK_CALLS = Limit(burst=50, every_s=1 / 20)  # of one platform: far below what an LMS limits, a class in seconds
MOODLE_CALLS = Limit(burst=20, every_s=1 / 10)  # of one Moodle's web services, in each process
STAFF_TRIES = Limit(burst=10, every_s=90)  # of one account, and of each browser that it has been signed in with
STAFF_TRIES_OF_ADDRESS = Limit(burst=30, every_s=30)  # over all accounts
LOGINS = Limit(burst=6_000, every_s=1 / 200)  # of one platform, in each process: far above a whole campus at once
REGISTRATION_TRIES = Limit(burst=20, every_s=30)  # of one invitation: each makes us call somebody else's address
KEPT_REFUSALS = Limit(burst=20, every_s=5)  # of one platform, in each process


class Pace:
    """Buckets in this process, for what must write nothing. May be shared by threads."""

    def __init__(self, limit: Limit, clock_s: Callable[[], float]) -> None:
        self._limit = limit
        self._clock_s = clock_s
        self._full_at_s: dict[Hashable, float] = {}
        self._lock = threading.Lock()

    def wait_s(self, key: Hashable) -> float:
        """Take one, and 0; or, when the bucket is empty, the seconds until it is not."""
        with self._lock:
            now_s = self._clock_s()
            full_at_s = self._full_at_s.get(key, now_s)
            wait_s = self._limit.wait_s(full_at_s, now_s)
            if not wait_s:
                self._full_at_s[key] = max(full_at_s, now_s) + self._limit.every_s
            return wait_s
