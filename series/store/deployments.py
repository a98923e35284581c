"""Deployments of a platform: approved, disabled, or pending because a launch named one that nobody has approved."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from series.store.database import insert
from series.store.tables import deployment, platform, university
from series.store.universities import NotThere, PlatformRow

MAX_PENDING = 100  # of each platform: an LMS that makes up a new id for every launch must not fill our disk


@dataclass(frozen=True, kw_only=True)
class DeploymentRow:
    """`deployment_id` is the LMS's, `deployment_pk` ours. `first_seen_at` and `first_course`: of the launch that named
    it before anybody approved it."""

    deployment_pk: int
    deployment_id: str
    platform: str
    university: str
    state: str
    first_seen_at: datetime | None
    first_course: str | None


def note_pending(
    connection: sa.Connection, *, platform_id: int, deployment_id: str, course_title: str, now: datetime
) -> None:
    """Remember a deployment that a verified launch named and nobody has approved, and the course it came from.

    May be repeated: what is known of it stays as it is. With MAX_PENDING of the platform, nothing is stored.
    """
    # One after the other, so that two do not both take the last place.
    connection.execute(sa.select(platform.c.id).where(platform.c.id == platform_id).with_for_update(key_share=True))
    pending = connection.execute(
        sa.select(sa.func.count())
        .select_from(deployment)
        .where(deployment.c.platform_id == platform_id, deployment.c.state == "pending")
    ).scalar_one()
    if pending >= MAX_PENDING:
        return
    connection.execute(
        insert(connection, deployment)
        .values(
            platform_id=platform_id,
            deployment_id=deployment_id,
            state="pending",
            first_seen_at=now,
            first_course=course_title[:255] or None,
        )
        .on_conflict_do_nothing(index_elements=["platform_id", "deployment_id"])
    )


def approve_deployment(connection: sa.Connection, home: PlatformRow, deployment_id: str) -> int:
    """Our id of it. May be repeated. Raises NotThere for one that neither an operator nor a launch has named."""
    return _set_state(connection, home, deployment_id, "approved")


def disable_deployment(connection: sa.Connection, home: PlatformRow, deployment_id: str) -> int:
    """Refuse its launches and hold its scores; our id of it. May be repeated. Raises NotThere."""
    return _set_state(connection, home, deployment_id, "disabled")


def count_pending(connection: sa.Connection, platform_ids: Collection[int]) -> dict[int, int]:
    """How many wait to be attached, of those of these platforms that have some."""
    query = (
        sa.select(deployment.c.platform_id, sa.func.count().label("waiting"))
        .where(deployment.c.platform_id.in_(platform_ids), deployment.c.state == "pending")
        .group_by(deployment.c.platform_id)
    )
    return {row.platform_id: row.waiting for row in connection.execute(query)}


def list_deployments(connection: sa.Connection, *, platform_id: int | None = None) -> list[DeploymentRow]:
    """Of one platform or of all, in the order in which they became known."""
    query = (
        sa.select(deployment, platform.c.slug, university.c.slug.label("university"))
        .join(platform, deployment.c.platform_id == platform.c.id)
        .join(university, platform.c.university_id == university.c.id)
        .order_by(platform.c.slug, deployment.c.id)
    )
    if platform_id is not None:
        query = query.where(platform.c.id == platform_id)
    return [
        DeploymentRow(
            deployment_pk=row.id,
            deployment_id=row.deployment_id,
            platform=row.slug,
            university=row.university,
            state=row.state,
            first_seen_at=row.first_seen_at,
            first_course=row.first_course,
        )
        for row in connection.execute(query)
    ]


def _set_state(connection: sa.Connection, home: PlatformRow, deployment_id: str, state: str) -> int:
    found: int | None = connection.execute(
        sa.update(deployment)
        .where(deployment.c.platform_id == home.platform_id, deployment.c.deployment_id == deployment_id)
        .values(state=state)
        .returning(deployment.c.id)
    ).scalar_one_or_none()
    if found is None:
        raise NotThere(
            f"No launch from {home.slug!r} has named a deployment {deployment_id!r}; `lti-tool deployment list` shows"
            " all. Open the activity once from the LMS, then it is there."
        )
    return found
