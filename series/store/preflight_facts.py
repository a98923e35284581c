"""What the tables know of an LMS, for its pre-flight and its page."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from series.checks import decode_checks
from series.preflight_facts import LATELY, Deliveries, MoodleServices, Placed, PlatformFacts, origin_of
from series.store.lms_tables import platform_arrival
from series.store.platform_checks import trial_column
from series.store.tables import (
    course,
    delivery,
    deployment,
    gradebook_pause,
    membership,
    moodle_connection,
    placement,
    platform,
    refusal,
    university,
    visit,
)
from series.store.universities import PlatformRow

RETURN_URLS = 200  # of the last launches
LAUNCH = "LtiResourceLinkRequest"  # as LTI names its message; a teacher who only picks has launched nothing


def facts_of(connection: sa.Connection, row: PlatformRow, *, now: datetime) -> PlatformFacts:
    own = connection.execute(
        sa.select(platform.c.granted_scopes, platform.c.lms_version, platform.c.state, university.c.slug)
        .join(university, university.c.id == platform.c.university_id)
        .where(platform.c.id == row.platform_id)
    ).one()
    states = _deployment_states(connection, row.platform_id)
    launched_at = last_launch_at(connection, row.platform_id)
    return PlatformFacts(
        university_slug=own.slug,
        state=own.state,
        product=row.product,
        lms_version=own.lms_version,
        granted_scopes=frozenset((own.granted_scopes or "").split()),
        approved=states.get("approved", 0),
        pending=states.get("pending", 0),
        disabled=states.get("disabled", 0),
        launched_at=launched_at,
        refused=_refusals_since(connection, row.platform_id, launched_at),
        return_origins=_return_origins(connection, row.platform_id),
        placed=_placed(connection, row.platform_id),
        deliveries=_deliveries(connection, row.platform_id, now),
        moodle=_moodle(connection, row.university_id),
        trial_left_in=trial_column(connection, row.platform_id),
    )


def last_launch_at(connection: sa.Connection, platform_id: int) -> datetime | None:
    """To the second while its visit is kept, else to the hour, else the last time that a person came newly."""
    placements = _placements(platform_id)
    queries = (
        sa.select(sa.func.max(visit.c.opened_at)).where(visit.c.placement_id.in_(placements)),
        sa.select(sa.func.max(platform_arrival.c.seen_at)).where(
            platform_arrival.c.platform_id == platform_id, platform_arrival.c.message_type == LAUNCH
        ),
        sa.select(sa.func.max(membership.c.launched_at)).where(membership.c.placement_id.in_(placements)),
    )
    found = [at for query in queries if (at := connection.execute(query).scalar_one()) is not None]
    return max(found, default=None)


def _refusals_since(connection: sa.Connection, platform_id: int, launched_at: datetime | None) -> int:
    """Of those that are kept."""
    query = sa.select(sa.func.count()).where(refusal.c.platform_id == platform_id)
    if launched_at is not None:
        query = query.where(refusal.c.at > launched_at)
    number: int = connection.execute(query).scalar_one()
    return number


def _placements(platform_id: int) -> sa.Select[tuple[int]]:
    return sa.select(placement.c.id).join(deployment).where(deployment.c.platform_id == platform_id)


def _deployment_states(connection: sa.Connection, platform_id: int) -> dict[str, int]:
    query = (
        sa.select(deployment.c.state, sa.func.count())
        .where(deployment.c.platform_id == platform_id)
        .group_by(deployment.c.state)
    )
    return {state: count for state, count in connection.execute(query)}  # noqa: C416 - rows are no pairs to mypy


def _return_origins(connection: sa.Connection, platform_id: int) -> tuple[str, ...]:
    urls = connection.execute(
        sa.select(visit.c.return_url)
        .where(visit.c.placement_id.in_(_placements(platform_id)), visit.c.return_url.is_not(None))
        .order_by(visit.c.opened_at.desc())
        .limit(RETURN_URLS)
    ).scalars()
    return tuple(sorted({origin for url in urls if url and (origin := origin_of(url))}))


def _placed(connection: sa.Connection, platform_id: int) -> Placed | None:
    """Of an approved deployment, the activity that was opened last."""
    opened_at = (
        sa.select(sa.func.max(visit.c.opened_at)).where(visit.c.placement_id == placement.c.id).scalar_subquery()
    )
    launched_at = (
        sa.select(sa.func.max(membership.c.launched_at))
        .where(membership.c.placement_id == placement.c.id)
        .scalar_subquery()
    )
    row: Any = connection.execute(
        sa.select(placement, course.c.title, course.c.memberships_url)
        .join(deployment, deployment.c.id == placement.c.deployment_id)
        .outerjoin(course, course.c.id == placement.c.course_id)
        .where(deployment.c.platform_id == platform_id, deployment.c.state == "approved")
        .order_by(sa.func.coalesce(opened_at, launched_at).desc().nulls_last(), placement.c.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return Placed(
        course_title=row.title or "",
        memberships_url=row.memberships_url,
        line_item_url=row.line_item_url,
        line_items_url=row.line_items_url,
        ags_scopes=frozenset(row.ags_scopes.split()),
    )


def _deliveries(connection: sa.Connection, platform_id: int, now: datetime) -> Deliveries:
    of_platform = delivery.c.placement_id.in_(_placements(platform_id))
    last_at = connection.execute(sa.select(sa.func.max(delivery.c.delivered_at)).where(of_platform)).scalar_one()
    failed = connection.execute(
        sa.select(delivery.c.outcome, delivery.c.next_attempt_at)
        .where(of_platform, delivery.c.state == "failed", delivery.c.next_attempt_at >= now - LATELY)
        .order_by(delivery.c.next_attempt_at.desc())
    ).all()
    paused = connection.execute(
        sa.select(gradebook_pause.c.reason).where(gradebook_pause.c.platform_id == platform_id)
    ).scalar_one_or_none()
    return Deliveries(
        last_at=last_at,
        failed=len(failed),
        failed_at=failed[0].next_attempt_at if failed else None,
        reason=failed[0].outcome if failed else None,
        paused=paused,
    )


def _moodle(connection: sa.Connection, university_id: int) -> MoodleServices | None:
    row = connection.execute(
        sa.select(moodle_connection).where(moodle_connection.c.university_id == university_id)
    ).one_or_none()
    if row is None:
        return None
    return MoodleServices(
        checks=tuple(decode_checks(row.checks)),
        checked_at=row.checked_at,
        failing=row.reason if row.failures else None,
    )
