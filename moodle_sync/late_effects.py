"""Calls that were given up may still take effect: after a run that cannot rule it out, the calendars are compared."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from lms.errors import AddressRefused, NotAllowed, Refused
from moodle_sync.moodle_access import MoodleAccess, Stopped
from moodle_sync.services import Services
from series.moodle_jobs import LATE_EFFECT, MoodleJob
from series.store.database import Connection, DatabaseBusy, DatabaseUnreachable
from series.store.moodle_jobs import PlannedJob, ask_again, plan_as_before, planned_jobs

NOTHING_HAPPENED = (Stopped, Refused, NotAllowed, AddressRefused)
"""Moodle said no, and undid what it had begun; or nothing was sent."""


class LateEffects:
    """Of one run. The sweep is asked for before the first writing call, so that it comes even if we are killed."""

    def __init__(self, services: Services, access: MoodleAccess, *, is_sweep: bool) -> None:
        self._services = services
        self._university_id = access.connection.university_id
        self._is_sweep = is_sweep
        self._before: PlannedJob | None = None
        self._asked_at: datetime | None = None
        self.are_possible = False

    def before_write(self) -> None:
        if self._asked_at is not None:
            return
        asked_at = self._services.clock.now() + LATE_EFFECT
        with self._services.database.write() as connection:
            self._before = self._planned(connection)
            ask_again(connection, self._university_id, MoodleJob.SWEEP, at=asked_at)
        self._asked_at = asked_at

    def after(self, error: Exception) -> None:
        if not isinstance(error, NOTHING_HAPPENED) or (self._is_sweep and isinstance(error, Stopped)):
            self.are_possible = True

    def end(self) -> None:
        """A sweep that did not get through is made again, whether it wrote anything or not."""
        if not self.are_possible:
            self._plan_as_before()
        elif self._asked_at is not None or self._is_sweep:
            with self._services.database.write() as connection:
                at = self._services.clock.now() + LATE_EFFECT
                ask_again(connection, self._university_id, MoodleJob.SWEEP, at=at)

    def are_expected(self) -> bool:
        """Before the first writing call: whether something may still come of an earlier run's calls."""
        with self._services.database.read() as connection:
            planned = self._planned(connection)
        again_at = planned.again_at if planned else None
        return again_at is not None and again_at > self._services.clock.now()

    def _plan_as_before(self) -> None:
        if self._asked_at is None or self._before is None:
            return
        with self._services.database.write(wait_for_disk=False) as connection:
            plan_as_before(
                connection,
                self._university_id,
                MoodleJob.SWEEP,
                before=self._before,
                asked_at=self._asked_at,
            )

    def _planned(self, connection: Connection) -> PlannedJob | None:
        planned = planned_jobs(connection, self._university_id)
        return next((one for one in planned if one.job is MoodleJob.SWEEP), None)


@contextmanager
def late_effects(services: Services, access: MoodleAccess, *, is_sweep: bool = False) -> Iterator[LateEffects]:
    """Around a run that writes into calendars."""
    effects = LateEffects(services, access, is_sweep=is_sweep)
    try:
        yield effects
    except Exception as error:
        effects.after(error)
        with suppress(DatabaseBusy, DatabaseUnreachable):  # the sweep stays asked for
            effects.end()
        raise
    effects.end()
