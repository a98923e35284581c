"""When the pre-flight of each LMS is next done, who waits for it, and what the last one found."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from series.checks import Outcome, encode_checks, gap_key, gaps_of
from series.preflight import Code, Trial, decode_trials
from series.store.database import insert
from series.store.lms_tables import platform_check
from series.store.tables import platform

EVERY = timedelta(days=1)
LEASE = timedelta(minutes=10)  # longer than one takes; a worker that died in the middle is missed only so long


@dataclass(frozen=True, kw_only=True)
class CheckedPlatform:
    """`asked_at`: somebody waits for it. `began_at`: of the one under way, or of the last one."""

    next_at: datetime
    asked_at: datetime | None
    began_at: datetime | None
    checked_at: datetime | None
    trials: tuple[Trial, ...]
    gaps_since: dict[str, datetime]

    def is_running(self, now: datetime) -> bool:
        has_ended = self.checked_at is not None and self.began_at is not None and self.checked_at >= self.began_at
        return self.began_at is not None and not has_ended and now - self.began_at < LEASE


@dataclass(frozen=True, kw_only=True)
class ClaimedCheck:
    """`is_asked`: somebody waits for it. `earlier_score`: what the last test score came to, if it was a yes or a no."""

    platform_id: int
    test_user: str | None
    is_asked: bool
    earlier_score: Trial | None
    began_at: datetime


def checked_platform(connection: sa.Connection, platform_id: int) -> CheckedPlatform | None:
    """None: the worker has not heard of it yet."""
    row = connection.execute(_of(platform_id)).one_or_none()
    return None if row is None else _checked(row)


def checked_platforms(connection: sa.Connection, platform_ids: Iterable[int]) -> dict[int, CheckedPlatform]:
    """Those of these that are known, by their ids."""
    rows = connection.execute(sa.select(platform_check).where(platform_check.c.platform_id.in_(list(platform_ids))))
    return {row.platform_id: _checked(row) for row in rows}


def ask_for_check(connection: sa.Connection, platform_id: int, *, test_user: str | None = None, now: datetime) -> None:
    """At once, also when one is under way: it may have begun before what somebody has changed. May be repeated.

    `test_user`: kept until it was used, and no longer.
    """
    asked = {"next_at": now, "asked_at": now, "test_user": test_user}
    running = sa.and_(
        platform_check.c.began_at > now - LEASE,
        sa.or_(platform_check.c.checked_at.is_(None), platform_check.c.checked_at < platform_check.c.began_at),
    )
    later = {**asked, "next_at": sa.case((running, platform_check.c.next_at), else_=now)}
    connection.execute(
        insert(connection, platform_check)
        .values(platform_id=platform_id, **asked)
        .on_conflict_do_update(index_elements=["platform_id"], set_=later)
    )


def plan_checks(connection: sa.Connection, *, now: datetime) -> None:
    """Of every active LMS that has none planned: soon. And what was planned by a clock that was set since: now."""
    connection.execute(
        insert(connection, platform_check)
        .from_select(["platform_id", "next_at"], _unplanned(now))
        .on_conflict_do_nothing(index_elements=["platform_id"])
    )
    connection.execute(sa.update(platform_check).where(_is_too_far_ahead(now)).values(next_at=now))


def are_checks_to_plan(connection: sa.Connection, *, now: datetime) -> bool:
    """A look before `plan_checks`, which writes."""
    ahead = sa.select(platform_check.c.platform_id, platform_check.c.next_at).where(_is_too_far_ahead(now))
    return connection.execute(sa.union_all(_unplanned(now), ahead).limit(1)).first() is not None


def _unplanned(now: datetime) -> sa.Select[tuple[int, datetime]]:
    """Active LMSs that have no check yet, and when it is to be."""
    return sa.select(platform.c.id, sa.literal(now, platform_check.c.next_at.type)).where(
        platform.c.state == "active", platform.c.id.not_in(sa.select(platform_check.c.platform_id))
    )


def _is_too_far_ahead(now: datetime) -> sa.ColumnElement[bool]:
    return platform_check.c.next_at > now + EVERY + LEASE


def due_checks(connection: sa.Connection, *, now: datetime, limit: int) -> list[int]:
    """Platform ids; first those for which somebody waits."""
    query = (
        sa.select(platform_check.c.platform_id)
        .join(platform, platform.c.id == platform_check.c.platform_id)
        .where(
            platform_check.c.next_at <= now,
            sa.or_(platform.c.state == "active", platform_check.c.asked_at.is_not(None)),
        )
        .order_by(platform_check.c.asked_at.is_(None), platform_check.c.next_at, platform_check.c.platform_id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def claim_check(connection: sa.Connection, platform_id: int, *, now: datetime) -> ClaimedCheck | None:
    """None when another worker has it. Whose worker dies is due again after LEASE."""
    row = connection.execute(
        sa.update(platform_check)
        .where(platform_check.c.platform_id == platform_id, platform_check.c.next_at <= now)
        .values(next_at=now + LEASE, began_at=now)
        .returning(platform_check.c.test_user, platform_check.c.asked_at, platform_check.c.checks)
    ).one_or_none()
    if row is None:
        return None
    return ClaimedCheck(
        platform_id=platform_id,
        test_user=row.test_user,
        is_asked=row.asked_at is not None,
        earlier_score=_score(decode_trials(row.checks)),
        began_at=now,
    )


def _score(trials: Iterable[Trial]) -> Trial | None:
    decided = {Outcome.OK, Outcome.GAP}
    return next((trial for trial in trials if trial.code is Code.TEST_SCORE and trial.outcome in decided), None)


def note_trial_column(connection: sa.Connection, platform_id: int, line_items_url: str, *, now: datetime) -> None:
    """A test column is about to be made there; empty: it is deleted."""
    connection.execute(
        insert(connection, platform_check)
        .values(platform_id=platform_id, next_at=now, trial_left_in=line_items_url)
        .on_conflict_do_update(index_elements=["platform_id"], set_={"trial_left_in": line_items_url})
    )


def trial_column(connection: sa.Connection, platform_id: int) -> str:
    """The line items of the course in which one may have been left; empty for none."""
    query = sa.select(platform_check.c.trial_left_in).where(platform_check.c.platform_id == platform_id)
    return connection.execute(query).scalar_one_or_none() or ""


def save_trials(
    connection: sa.Connection,
    platform_id: int,
    trials: Iterable[Trial],
    *,
    began_at: datetime,
    now: datetime,
    next_at: datetime | None = None,
) -> None:
    """What a pre-flight found. A gap that an earlier one has found, too, is as old as it was.

    `next_at`: of the worker, for the next one, which is at once for who has asked in the middle of it. By hand there is
    none, and what the worker has to do stays as it is.
    """
    found = list(trials)
    row = connection.execute(_of(platform_id).with_for_update()).one_or_none()
    known = json.loads(row.gaps_since or "{}") if row else {}
    since = {key: known.get(key, now.isoformat()) for key in map(gap_key, gaps_of(found))}
    values: dict[str, Any] = {
        "began_at": began_at,
        "checked_at": now,
        "checks": encode_checks(found),
        "gaps_since": json.dumps(since),
    }
    if next_at is not None and row is not None and row.asked_at is not None and row.asked_at > began_at:
        values["next_at"] = now
    elif next_at is not None:
        values |= {"next_at": next_at, "asked_at": None, "test_user": None}
    connection.execute(
        insert(connection, platform_check)
        .values(platform_id=platform_id, **{"next_at": now, **values})
        .on_conflict_do_update(index_elements=["platform_id"], set_=values)
    )


def overdue_since(connection: sa.Connection, *, now: datetime) -> datetime | None:
    """Since when an active LMS waits for its pre-flight, if one does: then no worker runs, or it has too much to do."""
    found: datetime | None = connection.execute(
        sa.select(sa.func.min(platform_check.c.next_at))
        .join(platform, platform.c.id == platform_check.c.platform_id)
        .where(platform.c.state == "active", platform_check.c.next_at <= now)
    ).scalar_one()
    return found


def _of(platform_id: int) -> sa.Select[Any]:
    return sa.select(platform_check).where(platform_check.c.platform_id == platform_id)


def _checked(row: Any) -> CheckedPlatform:
    since = json.loads(row.gaps_since or "{}")
    return CheckedPlatform(
        next_at=row.next_at,
        asked_at=row.asked_at,
        began_at=row.began_at,
        checked_at=row.checked_at,
        trials=tuple(decode_trials(row.checks)),
        gaps_since={key: datetime.fromisoformat(at) for key, at in since.items()},
    )
