"""The worker: runs what the queue hands over, and looks itself for rows that are due."""

import threading
import time
from datetime import datetime
from functools import partial
from zlib import crc32

import structlog

from moodle_sync import jobs
from moodle_sync.deliver_in_turn import Turns
from moodle_sync.find_line_items import Searching, due_line_items, find_line_item
from moodle_sync.housekeeping import housekeep_until
from moodle_sync.mail_staff import mail_until
from moodle_sync.moodle_lanes import MoodleLanes
from moodle_sync.open_check_ins import open_check_ins
from moodle_sync.preflights import Preflights
from moodle_sync.publish_pooled import pooled_scopes, pooled_slot
from moodle_sync.services import Services
from series.store.database import DatabaseBusy, DatabaseUnreachable
from series.store.deliveries import due_ids

log = structlog.get_logger()
TICK_S = 1.0
DUE_PER_TICK = 50
HAND_OVER_WITHIN_S = 5.0  # however busy the queue is: a platform that answers again must not wait for the others
CLEAN_UP_INTERVAL_S = 600
ROSTER_LOOK_S = 30  # how often it is asked which rosters are to be read, and which pooled numbers renewed


def work(services: Services, *, threads: int) -> None:
    """Work until SIGTERM or SIGINT. What was in hand when a worker was killed is taken up again when its lease ends."""
    stop, turns, searching = threading.Event(), Turns(services, threads=threads), Searching()
    lanes, preflights = MoodleLanes(services), Preflights(services)
    tick = Tick(services, turns, searching, lanes, preflights)
    ticking = threading.Thread(target=_tick_until, args=(tick, services, stop), name="tick", daemon=True)
    ticking.start()
    threading.Thread(target=housekeep_until, args=(services, stop), name="housekeeping", daemon=True).start()
    if services.settings.smtp_url is not None:
        threading.Thread(target=mail_until, args=(services, stop), name="mail", daemon=True).start()
    log.info("worker_started", threads=threads)

    def begin_no_more() -> None:
        stop.set()
        lanes.begin_no_more()
        preflights.begin_no_more()

    try:
        services.queue.work(
            {
                "deliver": turns.deliver,
                "line item": partial(find_line_item, services, searching=searching),
                "calendar": partial(jobs.run_calendar, services),
                "table": partial(jobs.run_table, services),
                "rosters": partial(jobs.run_rosters, services),
                "rescore": partial(jobs.run_rescore, services),
                "pooled": partial(jobs.run_pooled, services),
            },
            threads=threads,
            on_stop=begin_no_more,
        )
    finally:
        begin_no_more()
        ticking.join(timeout=10)
        lanes.stop()
        preflights.stop()
        log.info("worker_stopped")


class Tick:
    """Hands over what is due. Harmless when two workers do it at once: rows and slots are claimed one by one."""

    def __init__(
        self,
        services: Services,
        turns: Turns | None = None,
        searching: Searching | None = None,
        lanes: MoodleLanes | None = None,
        preflights: Preflights | None = None,
    ) -> None:
        self._services = services
        self._looked = ""  # the slot in which it was last asked for what need not be done at once
        self._turns = turns or Turns(services, threads=1)
        self._searching = searching or Searching()
        self._lanes = lanes
        self._preflights = preflights
        self._hand_over_by_s = time.monotonic() + HAND_OVER_WITHIN_S
        self._begun: dict[tuple[str, str], str] = {}  # the slot last tried, so that the database is asked once a slot

    def __call__(self) -> None:
        """Raises DatabaseBusy, DatabaseUnreachable. What breaks in one step keeps no other from its turn."""
        steps = (
            self._begin_sessions,
            self._hand_over_scores,
            self._begin_runs,
            self._begin_moodle_runs,
            self._begin_preflights,
        )
        for step in steps:
            try:
                step(self._services.clock.now())
            except (DatabaseBusy, DatabaseUnreachable):
                raise
            except Exception:
                log.exception("tick_broke", step=step.__name__)

    def _begin_sessions(self, _: datetime) -> None:
        jobs.freeze_rules(self._services)
        open_check_ins(self._services)

    def _begin_runs(self, now: datetime) -> None:
        services, settings = self._services, self._services.settings
        seconds = int(now.timestamp())
        jump = f"{services.clock.offset().total_seconds():.0f} " if settings.clock_file else ""  # a slot of its own
        for scope in jobs.calendar_scopes(services):
            self._begin("calendar", scope, f"{jump}{_slot(seconds, settings.calendar_interval_s, scope)}")
        for scope, interval_s in jobs.rescore_scopes(services).items():
            self._begin("rescore", scope, f"{jump}{_slot(seconds, interval_s, scope)}")
        look = f"{jump}{seconds // ROSTER_LOOK_S}"
        if look != self._looked:
            self._looked = look
            for scope in jobs.roster_scopes(services):
                self._begin("rosters", scope, look)
            for scope, due_at in pooled_scopes(services).items():
                self._begin("pooled", scope, f"{jump}{pooled_slot(due_at, now)}")

    def _begin_moodle_runs(self, _: datetime) -> None:
        if self._lanes is not None:
            self._lanes.begin_due()

    def _begin_preflights(self, now: datetime) -> None:
        if self._preflights is not None:
            self._preflights.begin_due(now)

    def _hand_over_scores(self, now: datetime) -> None:
        """A few of every platform that can get more threads: whoever has one goes on with the next by itself. And the
        line items that scores want."""
        services, turns = self._services, self._turns
        if not services.queue.is_idle() and time.monotonic() < self._hand_over_by_s:
            return  # what is due has been handed over, most likely
        self._hand_over_by_s = time.monotonic() + HAND_OVER_WITHIN_S
        with services.database.read() as connection:
            due = due_ids(
                connection, now=now, limit=DUE_PER_TICK, per_platform=turns.threads_per_platform, but_not=turns.busy()
            )
        services.queue.enqueue_all("deliver", due)
        for placement_id in due_line_items(services, now=now, limit=DUE_PER_TICK, but_not=self._searching.platforms()):
            services.queue.enqueue("line item", placement_id)

    def _begin(self, job: str, scope: str, slot: str) -> None:
        if self._begun.get((job, scope)) == slot:
            return
        self._begun[job, scope] = slot
        run_id = jobs.begin(self._services, job, scope, slot=slot)
        if run_id is not None:
            self._services.queue.enqueue(job, run_id)


def _slot(seconds: int, interval_s: int, scope: str) -> int:
    """The same for every worker. It begins at another second for each scope, so that not all are asked at once."""
    return (seconds + crc32(scope.encode()) % interval_s) // interval_s


def _tick_until(tick: Tick, services: Services, stop: threading.Event) -> None:
    clean_up_at = 0.0
    while not stop.wait(TICK_S):
        try:
            tick()
            if time.monotonic() >= clean_up_at:
                jobs.clean_up(services)
                clean_up_at = time.monotonic() + CLEAN_UP_INTERVAL_S
        except (DatabaseBusy, DatabaseUnreachable) as error:
            log.warning("tick_skipped", error=str(error))
        except Exception:
            log.exception("clean_up_broke")
