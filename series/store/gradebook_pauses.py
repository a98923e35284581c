"""Platforms that are left alone for a while, because they did not answer: what waits for them costs no calls."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from series.deliveries import LEASE, pause_until
from series.store.database import insert
from series.store.tables import gradebook_pause, platform, university


@dataclass(frozen=True, kw_only=True)
class Pause:
    """For lists. `until`: when one delivery finds out whether the platform answers again."""

    university: str
    platform: str
    failures: int
    failing_since: datetime
    until: datetime
    reason: str


def pause(
    connection: sa.Connection,
    platform_id: int,
    *,
    by: str,
    claimed_at: datetime,
    reason: str,
    retry_after_s: int | None,
    jitter: float,
    now: datetime,
) -> datetime:
    """After a failure of the whole platform, met `by` something claimed at `claimed_at`; until when it is left alone.

    What was under way when the platform began to fail tells nothing new: only a probe makes the pause longer, and the
    LMS's own Retry-After.
    """
    first = pause_until(now, failures=1, retry_after_s=retry_after_s, jitter=jitter)
    fresh = {"failures": 1, "failing_since": now, "until": first, "reason": reason, "only_by": by}
    made = connection.execute(
        insert(connection, gradebook_pause)
        .values(platform_id=platform_id, **fresh)
        .on_conflict_do_nothing()
        .returning(gradebook_pause.c.platform_id)
    ).one_or_none()
    if made is not None:
        return first
    of_platform = gradebook_pause.c.platform_id == platform_id
    row = connection.execute(sa.select(gradebook_pause).where(of_platform).with_for_update()).one_or_none()
    if row is None:
        return first  # a probe has just got through
    only_by = by if row.only_by == by else None
    if claimed_at < row.failing_since:
        failures = row.failures
        until: datetime = max(row.until, first)
    else:
        failures = row.failures + 1
        until = pause_until(
            now, failures=failures, retry_after_s=retry_after_s, jitter=jitter, is_by_one=only_by is not None
        )
    connection.execute(
        sa.update(gradebook_pause)
        .where(of_platform)
        .values(failures=failures, until=until, reason=reason, only_by=only_by)
    )
    return until


def take_probe(connection: sa.Connection, platform_id: int, *, now: datetime) -> bool:
    """Whether the caller is the one who finds out. A probe whose worker dies is lost for LEASE."""
    taken = connection.execute(
        sa.update(gradebook_pause)
        .where(gradebook_pause.c.platform_id == platform_id, gradebook_pause.c.until <= now)
        .values(until=now + LEASE)
        .returning(gradebook_pause.c.platform_id)
    ).one_or_none()
    return taken is not None


def resume(connection: sa.Connection, platform_id: int) -> None:
    """The platform has answered, whatever it said."""
    connection.execute(sa.delete(gradebook_pause).where(gradebook_pause.c.platform_id == platform_id))


def resume_all(connection: sa.Connection, *, university_slug: str | None = None) -> None:
    """Somebody knows better than the last answers."""
    statement = sa.delete(gradebook_pause)
    if university_slug is not None:
        statement = statement.where(gradebook_pause.c.platform_id.in_(_platforms_of(university_slug)))
    connection.execute(statement)


def list_pauses(connection: sa.Connection, *, university_slug: str | None = None) -> list[Pause]:
    query = (
        sa.select(gradebook_pause, platform.c.slug, university.c.slug.label("university"))
        .join(platform, gradebook_pause.c.platform_id == platform.c.id)
        .join(university, platform.c.university_id == university.c.id)
        .order_by(university.c.slug, platform.c.slug)
    )
    if university_slug is not None:
        query = query.where(university.c.slug == university_slug)
    return [
        Pause(
            university=row.university,
            platform=row.slug,
            failures=row.failures,
            failing_since=row.failing_since,
            until=row.until,
            reason=row.reason,
        )
        for row in connection.execute(query)
    ]


def _platforms_of(university_slug: str) -> sa.Select[tuple[int]]:
    return sa.select(platform.c.id).join(university).where(university.c.slug == university_slug)
