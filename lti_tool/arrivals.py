"""Noting which claims each LMS sends: of most launches nothing, so that they cost no writing more."""

import threading
from contextlib import suppress
from datetime import datetime, timedelta

from config.clock import Clock
from lti_tool.protocol.arrivals import Arrival, arrival_of, together
from series.store.arrivals import save_arrival
from series.store.database import Database, DatabaseBusy, DatabaseUnreachable

AGAIN_AFTER = timedelta(hours=1)


class Arrivals:
    """What this process has noted. May be shared by threads."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._noted: dict[tuple[int, str], tuple[Arrival, datetime]] = {}
        self._lock = threading.Lock()

    def note(self, platform_id: int, payload: bytes) -> None:
        """Of a verified launch; written when there is something new, or after an hour. Never keeps the launch from
        going on, and is no part of its transaction."""
        arrival = arrival_of(payload)
        now = self._clock.now()
        found = None if arrival is None else self._new(platform_id, arrival, now)
        if found is not None:
            with suppress(DatabaseBusy, DatabaseUnreachable), self._database.write(wait_for_disk=False) as connection:
                save_arrival(
                    connection,
                    platform_id,
                    found.message_type,
                    claims=found.claims,
                    unexpanded=found.unexpanded,
                    now=now,
                )

    def _new(self, platform_id: int, arrival: Arrival, now: datetime) -> Arrival | None:
        """What is to be written: all claims that came since it was first noted in this hour; None when those are noted
        already."""
        key = (platform_id, arrival.message_type)
        with self._lock:
            before, since = self._noted.get(key, (None, now))
            if before is None or abs(now - since) >= AGAIN_AFTER:
                self._noted[key] = (arrival, now)
                return arrival
            both = before if arrival == before else together(before, arrival)
            if both == before:
                return None
            self._noted[key] = (both, since)
            return both
