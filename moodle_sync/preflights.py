"""The pre-flights of LMSs: each active one once a day, and at once when somebody asks.

By threads of their own, made when they are wanted, so that a slow LMS holds up neither another one nor the grades.
"""

import threading
import time
from datetime import datetime
from functools import partial

import structlog

from lms.preflight import fly
from moodle_sync.services import Services, jitter
from series.checks import gaps_of
from series.store.database import DatabaseBusy, DatabaseUnreachable
from series.store.platform_checks import EVERY, are_checks_to_plan, claim_check, due_checks, plan_checks, save_trials
from series.store.universities import get_platform

log = structlog.get_logger()
AT_ONCE = 6
STOP_WITHIN_S = 40.0  # longer than one call lasts; what is left is done anew after its lease


class Preflights:
    """Begins what is due, at most so many at once."""

    def __init__(self, services: Services, *, at_once: int = AT_ONCE) -> None:
        self._services = services
        self._at_once = at_once
        self._threads: dict[int, threading.Thread] = {}  # by platform
        self._lock = threading.Lock()
        self._stopping = False

    def begin_due(self, now: datetime) -> None:
        """Called by every tick; harmless when several workers do it."""
        with self._services.database.read() as connection:
            is_to_plan = are_checks_to_plan(connection, now=now)
        if is_to_plan:
            with self._services.database.write() as connection:
                plan_checks(connection, now=now)
        with self._services.database.read() as connection:
            due = due_checks(connection, now=now, limit=self._at_once)
        with self._lock:
            for platform_id in due:
                if len(self._threads) < self._at_once and platform_id not in self._threads and not self._stopping:
                    self._begin(platform_id)

    def begin_no_more(self) -> None:
        with self._lock:
            self._stopping = True

    def stop(self, *, within_s: float = STOP_WITHIN_S) -> None:
        """Waits for those under way."""
        self.begin_no_more()
        with self._lock:
            threads = list(self._threads.values())
        until_s = time.monotonic() + within_s
        for thread in threads:
            thread.join(max(0.0, until_s - time.monotonic()))

    def _begin(self, platform_id: int) -> None:
        thread = threading.Thread(target=partial(self._run, platform_id), name="preflight", daemon=True)
        self._threads[platform_id] = thread
        thread.start()

    def _run(self, platform_id: int) -> None:
        try:
            fly_if_due(self._services, platform_id)
        except (DatabaseBusy, DatabaseUnreachable) as error:
            log.warning("preflight_skipped", platform_id=platform_id, error=str(error))
        except Exception:
            log.exception("preflight_broke", platform_id=platform_id)
        finally:
            with self._lock:
                self._threads.pop(platform_id, None)


def fly_if_due(services: Services, platform_id: int) -> bool:
    """Do the pre-flight of this LMS and write it down, if it is due and nobody else has it. May be interrupted at any
    point: it is done anew then, and its test column is found and deleted."""
    with services.database.write() as connection:
        claimed = claim_check(connection, platform_id, now=services.clock.now())
        row = get_platform(connection, platform_id) if claimed else None
    if claimed is None or row is None:
        return False
    trials = fly(
        services.database,
        services.settings,
        services.http,
        row,
        test_user=claimed.test_user,
        is_asked=claimed.is_asked,
        earlier_score=claimed.earlier_score,
    )
    now = services.clock.now()
    next_at = now + EVERY * (1 - jitter() / 8)  # so that not all come at once
    with services.database.write() as connection:
        save_trials(connection, platform_id, trials, began_at=claimed.began_at, now=now, next_at=next_at)
    log.info("preflight_done", platform=row.slug, gaps=len(gaps_of(trials)))
    return True
