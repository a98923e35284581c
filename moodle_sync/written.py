"""The end of a run is written down, though the database may not be there just then."""

from collections.abc import Callable

import structlog

from series.store.database import DatabaseBusy, DatabaseUnreachable

log = structlog.get_logger()
END_TRIES = 6  # each waits for the lock as long as the database lets it


def written(run_id: int, write: Callable[[], None]) -> None:
    """A database that cannot be had is asked some more; after that, the row makes room by itself (ABANDONED_AFTER)."""
    for _ in range(END_TRIES):
        try:
            return write()
        except (DatabaseBusy, DatabaseUnreachable) as error:
            log.warning("run_not_ended", run_id=run_id, error=str(error))
    return None
