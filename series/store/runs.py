"""Sync runs: one row for each pass of a job, and the slot that lets N workers run it once."""

import json
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from series.store.database import insert
from series.store.tables import sync_run

ABANDONED_AFTER = timedelta(minutes=5)  # longer than one call to an LMS can take


@dataclass(frozen=True, kw_only=True)
class SyncRun:
    run_id: int
    job: str
    scope: str
    started_at: datetime
    alive_at: datetime
    finished_at: datetime | None
    outcome: str
    counts: dict[str, int]
    calls: int
    reason: str | None


def slot_by_hand() -> str:
    """A slot of its own, for "run now"."""
    return f"by hand {time.time_ns()}"


def begin_run(
    connection: sa.Connection,
    *,
    job: str,
    scope: str,
    slot: str,
    now: datetime,
    abandoned_after: timedelta = ABANDONED_AFTER,
) -> int | None:
    """The new run's id; None when another worker has this slot, or another run of the job is under way.

    A run that has not said that it is alive for so long belonged to a worker that died, and makes room.
    """
    connection.execute(
        sa.update(sync_run)
        .where(
            sync_run.c.job == job,
            sync_run.c.scope == scope,
            sync_run.c.outcome == "running",
            sync_run.c.alive_at < now - abandoned_after,
        )
        .values(outcome="failed", finished_at=now, reason="The worker ended before the run did; the next run goes on.")
    )
    run_id: int | None = connection.execute(
        insert(connection, sync_run)
        .values(job=job, scope=scope, slot=slot, started_at=now, alive_at=now, outcome="running", counts="{}")
        .on_conflict_do_nothing()
        .returning(sync_run.c.id)
    ).scalar_one_or_none()
    return run_id


def still_alive(connection: sa.Connection, run_id: int, *, now: datetime) -> None:
    connection.execute(sa.update(sync_run).where(sync_run.c.id == run_id).values(alive_at=now))


def scope_of(connection: sa.Connection, run_id: int) -> str | None:
    """What a running run is for; None when it was given up meanwhile."""
    found: str | None = connection.execute(
        sa.select(sync_run.c.scope).where(sync_run.c.id == run_id, sync_run.c.outcome == "running")
    ).scalar_one_or_none()
    return found


def end_run(
    connection: sa.Connection,
    run_id: int,
    *,
    outcome: str,
    counts: dict[str, int],
    reason: str | None,
    now: datetime,
    calls: int = 0,
) -> None:
    connection.execute(
        sa.update(sync_run)
        .where(sync_run.c.id == run_id)
        .values(finished_at=now, outcome=outcome, counts=json.dumps(counts), calls=calls, reason=reason)
    )


def drop_run(connection: sa.Connection, run_id: int) -> None:
    """Of one that had nothing to do: a thousand universities would write a million of them in four days."""
    connection.execute(sa.delete(sync_run).where(sync_run.c.id == run_id))


def list_runs(connection: sa.Connection, *, limit: int) -> list[SyncRun]:
    """The newest first."""
    rows = connection.execute(sa.select(sync_run).order_by(sync_run.c.id.desc()).limit(limit))
    return [_run(row) for row in rows]


def find_run(connection: sa.Connection, run_id: int) -> SyncRun | None:
    row = connection.execute(sa.select(sync_run).where(sync_run.c.id == run_id)).one_or_none()
    return None if row is None else _run(row)


def list_runs_of(connection: sa.Connection, job: str, scope: str, *, limit: int) -> list[SyncRun]:
    """The newest first."""
    query = sa.select(sync_run).where(sync_run.c.job == job, sync_run.c.scope == scope)
    return [_run(row) for row in connection.execute(query.order_by(sync_run.c.id.desc()).limit(limit))]


def purge_runs(connection: sa.Connection, *, before: datetime) -> None:
    connection.execute(sa.delete(sync_run).where(sync_run.c.started_at < before))


def _run(row: Any) -> SyncRun:
    return SyncRun(
        run_id=row.id,
        job=row.job,
        scope=row.scope,
        started_at=row.started_at,
        alive_at=row.alive_at,
        finished_at=row.finished_at,
        outcome=row.outcome,
        counts=json.loads(row.counts),
        calls=row.calls,
        reason=row.reason,
    )
