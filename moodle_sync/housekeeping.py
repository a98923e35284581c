"""What is done for the whole installation, in a thread of its own: the audit is sealed, and once a day goes what has
had its time."""

import threading
from datetime import timedelta

import structlog

from moodle_sync import jobs
from moodle_sync.services import Services
from series.store.audit_seals import has_unsealed
from series.store.database import DatabaseBusy, DatabaseUnreachable
from series.store.runs import EVERYWHERE

log = structlog.get_logger()
LOOK_S = 10.0
SEAL_INTERVAL_S = 300
RETENTION_AT = timedelta(hours=2)  # UTC, when nobody has a workshop; later on the day, if no worker ran then


class Housekeeping:
    """Called every few seconds. Harmless when several workers do it: one of them has the slot."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._done: dict[str, str] = {}  # the slot last tried of each job, so that the database is asked once a slot

    def __call__(self) -> None:
        """Raises DatabaseBusy, DatabaseUnreachable."""
        now = self._services.clock.now()
        if self._is_new("retention", self._slot(str((now - RETENTION_AT).date()))):
            self._run("retention")
        if self._is_new("seal", self._slot(str(int(now.timestamp()) // SEAL_INTERVAL_S))):  # that, too, where it was
            with self._services.database.read() as connection:
                is_wanted = has_unsealed(connection)
            if is_wanted:
                self._run("seal")

    def _run(self, job: str) -> None:
        slot = self._done.pop(job)
        run_id = jobs.begin(self._services, job, EVERYWHERE, slot=slot)
        self._done[job] = slot  # not where the database was busy: then it is tried again in a moment
        if run_id is None:
            return
        if job == "seal":
            jobs.run_seal(self._services, run_id)
        else:
            jobs.run_retention(self._services, run_id)

    def _is_new(self, job: str, slot: str) -> bool:
        if self._done.get(job) == slot:
            return False
        self._done[job] = slot
        return True

    def _slot(self, name: str) -> str:
        """Where a clock may be moved, a jump has slots of its own."""
        services = self._services
        jump = f"{services.clock.offset().total_seconds():.0f} " if services.settings.clock_file else ""
        return f"{jump}{name}"


def housekeep_until(services: Services, stop: threading.Event) -> None:
    housekeeping = Housekeeping(services)
    while not stop.wait(LOOK_S):
        try:
            housekeeping()
        except (DatabaseBusy, DatabaseUnreachable) as error:
            log.warning("housekeeping_skipped", error=str(error))
        except Exception:
            log.exception("housekeeping_broke")
