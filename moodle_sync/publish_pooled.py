"""Renew the pooled numbers of a series: on Monday mornings, for all who look at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from moodle_sync.services import Services
from series.step_times import step_due_at
from series.store.pooled import series_due, take_step
from series.store.sessions import find_series

TRY_AGAIN_S = 900  # after a run that failed: who waits for Monday's numbers should not wait for the next Monday


@dataclass(frozen=True, kw_only=True)
class Renewed:
    """How much was counted."""

    blocks: int
    universities: int


def pooled_scopes(services: Services) -> Mapping[str, datetime]:
    """Series whose numbers are to be renewed, each with since when."""
    with services.database.read() as connection:
        return series_due(connection, now=services.clock.now())


def pooled_slot(due_at: datetime, now: datetime) -> str:
    """Of the run that renews them: its Monday, and which try it is."""
    return f"{due_at:%Y-%m-%d} {int((now - due_at).total_seconds()) // TRY_AGAIN_S}"


def publish_pooled(services: Services, slug: str) -> Renewed | None:
    """None when it has been done this week, or is not to be done yet. May be repeated: there is one step a week."""
    now = services.clock.now()
    with services.database.read() as connection:
        if slug not in series_due(connection, now=now):
            return None
        series = find_series(connection, slug)
    with services.database.write() as connection:
        step = take_step(connection, series.series_id, due_at=step_due_at(now, series.time_zone), now=now)
    if step is None:
        return None
    universities = {one for cells in step.counts.values() for one in cells}
    return Renewed(blocks=len(step.counts), universities=len(universities))
