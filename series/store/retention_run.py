"""Deleting what has had its time, with a line in the audit that proves it."""

from collections.abc import Callable
from datetime import datetime

from series.retention import Kept
from series.store.audit import append_audit
from series.store.database import Database
from series.store.retention import DAILY, batches
from series.store.runs import EVERYWHERE


def delete_what_had_its_time(
    database: Database, *, by: str, now: datetime, on_batch: Callable[[], object] = lambda: None
) -> dict[Kept, int]:
    """Rows by class, also the zeros: the proof is that it was looked. In many short transactions, so that nobody waits;
    broken off, the next run goes on. `by`: as in the audit table."""
    counts = dict.fromkeys(DAILY, 0)
    for kept, batch in batches(now):
        while True:
            with database.write() as connection:
                deleted = batch(connection)
            if not deleted:
                break
            counts[kept] += deleted
            on_batch()
    detail = {kept.value: count for kept, count in counts.items()}
    with database.write() as connection:
        append_audit(connection, actor=by, action="retention", thing=EVERYWHERE, now=now, **detail)
    return counts
