"""Sync runs: one row for each pass of a job, and the slot that lets N workers run it once."""

import json
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from series.store.database import insert
from series.store.moodle_tables import moodle_job
from series.store.tables import sync_run

ABANDONED_AFTER = timedelta(minutes=5)  # longer than one call to an LMS can take
IS_RUNNING = sync_run.c.outcome == sa.literal_column("'running'")  # said so, it is found by uq_sync_run_running
OF_SERIES = ("calendar", "table", "rescore", "pooled")  # jobs whose scope is a series; that of others is a university
EVERYWHERE = "everywhere"  # scope of what is done once for the whole installation
OF_INSTALLATION = ("seal", "retention")
OTHER_JOBS = (*OF_SERIES, *OF_INSTALLATION, "rosters")  # than those of series.moodle_jobs


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
    close_abandoned(connection, jobs=(job,), scope=scope, before=now - abandoned_after, now=now)
    run_id: int | None = connection.execute(
        insert(connection, sync_run)
        .values(job=job, scope=scope, slot=slot, started_at=now, alive_at=now, outcome="running", counts="{}")
        .on_conflict_do_nothing()
        .returning(sync_run.c.id)
    ).scalar_one_or_none()
    return run_id


def close_abandoned(
    connection: sa.Connection, *, jobs: Collection[str], scope: str, before: datetime, now: datetime
) -> bool:
    """Whether there was one of these jobs whose worker has died."""
    closed = connection.execute(
        sa.update(sync_run)
        .where(sync_run.c.job.in_(jobs), sync_run.c.scope == scope, IS_RUNNING, sync_run.c.alive_at < before)
        .values(outcome="failed", finished_at=now, reason="The worker ended before the run did; the next run goes on.")
        .returning(sync_run.c.id)
    )
    return bool(closed.all())


def close_runs(connection: sa.Connection, *, jobs: Collection[str], scope: str, reason: str) -> bool:
    """Those of these jobs that are under way: their workers hear of it before their next call. Whether there was
    one."""
    closed = connection.execute(
        sa.update(sync_run)
        .where(sync_run.c.job.in_(jobs), sync_run.c.scope == scope, IS_RUNNING)
        .values(outcome="failed", finished_at=sync_run.c.alive_at, reason=reason)
        .returning(sync_run.c.id)
    )
    return bool(closed.all())


def still_alive(connection: sa.Connection, run_id: int, *, now: datetime) -> bool:
    """False when the run was given up meanwhile, and another one may be under way."""
    said = connection.execute(
        sa.update(sync_run).where(sync_run.c.id == run_id, IS_RUNNING).values(alive_at=now).returning(sync_run.c.id)
    )
    return said.one_or_none() is not None


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


def last_sign_of_life(connection: sa.Connection) -> datetime | None:
    """Of any worker, or of somebody who did its work by hand. Where there is nothing to do, there is none."""
    queries = (sa.select(sa.func.max(sync_run.c.alive_at)), sa.select(sa.func.max(moodle_job.c.ran_at)))
    found = [at for query in queries if (at := connection.execute(query).scalar_one()) is not None]
    return max(found, default=None)


def drop_run(connection: sa.Connection, run_id: int) -> None:
    """Of one that had nothing to do: a thousand universities would write a million of them in four days."""
    connection.execute(sa.delete(sync_run).where(sync_run.c.id == run_id))


def list_runs(
    connection: sa.Connection, *, limit: int, job: str | None = None, university_slug: str | None = None
) -> list[SyncRun]:
    """The newest first."""
    query = sa.select(sync_run)
    if job is not None:
        query = query.where(sync_run.c.job == job)
    if university_slug is not None:
        query = query.where(sync_run.c.scope == university_slug, sync_run.c.job.not_in((*OF_SERIES, *OF_INSTALLATION)))
    return [run_of_row(row) for row in connection.execute(query.order_by(sync_run.c.id.desc()).limit(limit))]


def find_run(connection: sa.Connection, run_id: int) -> SyncRun | None:
    row = connection.execute(sa.select(sync_run).where(sync_run.c.id == run_id)).one_or_none()
    return None if row is None else run_of_row(row)


def list_runs_of(connection: sa.Connection, job: str, scope: str, *, limit: int) -> list[SyncRun]:
    """The newest first."""
    query = sa.select(sync_run).where(sync_run.c.job == job, sync_run.c.scope == scope)
    return [run_of_row(row) for row in connection.execute(query.order_by(sync_run.c.id.desc()).limit(limit))]


def purge_runs(connection: sa.Connection, *, before: datetime, uneventful_before: datetime) -> None:
    """Old ones; and sooner those that asked an LMS and found all as it was, which a Moodle has hundreds of a day."""
    is_uneventful = sa.and_(sync_run.c.outcome == "done", sync_run.c.counts == "{}", sync_run.c.reason.is_(None))
    started_at = sync_run.c.started_at
    connection.execute(
        sa.delete(sync_run).where(sa.or_(started_at < before, sa.and_(started_at < uneventful_before, is_uneventful)))
    )


def run_of_row(row: Any) -> SyncRun:
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
