"""Work out all scores of a series anew, after its rule, its plan or what a course demands has changed."""

from dataclasses import dataclass
from itertools import islice

import structlog

from moodle_sync.services import Services
from series.store import rescoring, runs
from series.store.database import DatabaseBusy, DatabaseUnreachable
from series.store.rules import freeze_started

log = structlog.get_logger()
AT_ONCE = 50  # people in one transaction, so that nobody who checks in meanwhile waits long


@dataclass(frozen=True, kw_only=True)
class Rescored:
    """How many people were looked at, how many of their scores are on their way anew, and how many could not be worked
    out: these are tried again by the next run."""

    people: int
    changed: int
    broken: int = 0


def rescore_series(services: Services, slug: str, *, run_id: int) -> Rescored:
    """May be killed and repeated at any point: until the end the series stays marked, and what is done already is not
    done twice. What changes meanwhile marks it once more, and another run follows."""
    with services.database.read() as connection:
        stale = rescoring.find_stale(connection, slug)
    if stale is None:
        return Rescored(people=0, changed=0)
    with services.database.write() as connection:
        freeze_started(connection, stale.series_id, now=services.clock.now())
        people = rescoring.people_to_rescore(connection, stale.series_id)
    changed, broken, waiting = 0, 0, iter(people)
    while batch := list(islice(waiting, AT_ONCE)):
        try:
            changed += _rescore_batch(services, stale, batch, run_id)
        except (DatabaseBusy, DatabaseUnreachable):
            raise
        except Exception:
            log.exception("rescore_broke", series=slug)
            more_changed, more_broken = _one_by_one(services, stale, batch, run_id)
            changed, broken = changed + more_changed, broken + more_broken
    if not broken:
        with services.database.write() as connection:
            rescoring.end_staleness(connection, stale)
    return Rescored(people=len(people), changed=changed, broken=broken)


def _one_by_one(services: Services, stale: rescoring.Stale, batch: list[int], run_id: int) -> tuple[int, int]:
    """(changed, broken): what is wrong with one of them keeps no other from theirs."""
    changed = broken = 0
    for participant_id in batch:
        try:
            changed += _rescore_batch(services, stale, [participant_id], run_id)
        except (DatabaseBusy, DatabaseUnreachable):
            raise
        except Exception as error:
            log.warning("not_rescored", participant_id=participant_id, error=type(error).__name__)
            broken += 1
    return changed, broken


def _rescore_batch(services: Services, stale: rescoring.Stale, batch: list[int], run_id: int) -> int:
    """How many deliveries came of it. The end waits for the disk for all of them."""
    now = services.clock.now()
    with services.database.write(wait_for_disk=False) as connection:
        runs.still_alive(connection, run_id, now=now)
        queued = rescoring.rescore(connection, batch, stale.series_id, now=now)
    services.queue.enqueue_all("deliver", sorted(queued))
    return len(queued)
