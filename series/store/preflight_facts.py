"""What the tables know of an LMS, for its pre-flight; some of it for its page, too."""

from collections.abc import Collection
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
    refusal,
    visit,
)
from series.store.universities import PlatformRow

RETURN_URLS = 200  # of the last launches
LAUNCH = "LtiResourceLinkRequest"  # as LTI names its message; a teacher who only picks has launched nothing


def facts_of(connection: sa.Connection, row: PlatformRow, *, now: datetime) -> PlatformFacts:
    states = _deployment_states(connection, row.platform_id)
    launched_at = last_launch_at(connection, row.platform_id)
    return PlatformFacts(
        product=row.product,
        approved=states.get("approved", 0),
        pending=states.get("pending", 0),
        disabled=states.get("disabled", 0),
        launched_at=launched_at,
        refused=_refusals_since(connection, row.platform_id, launched_at),
        return_origins=_return_origins(connection, row.platform_id),
        placed=last_placed(connection, row.platform_id),
        deliveries=_deliveries(connection, row.platform_id, now),
        moodle=_moodle(connection, row.university_id),
        trial_left_in=trial_column(connection, row.platform_id),
    )


def last_launch_at(connection: sa.Connection, platform_id: int) -> datetime | None:
    return last_launches_at(connection, [platform_id]).get(platform_id)


def last_launches_at(connection: sa.Connection, platform_ids: Collection[int]) -> dict[int, datetime]:
    """Of those of these LMSs from which one came. To the second while its visit is kept, else to the hour, else the
    last time that a person came newly."""
    of_platform = deployment.c.platform_id
    from_placements = placement.join(deployment)
    of_visits = sa.select(of_platform, sa.func.max(visit.c.opened_at)).select_from(visit.join(from_placements))
    of_people = sa.select(of_platform, sa.func.max(membership.c.launched_at)).select_from(
        membership.join(from_placements, membership.c.placement_id == placement.c.id)
    )
    arrived = sa.select(platform_arrival.c.platform_id, platform_arrival.c.seen_at)
    queries = (
        of_visits.where(of_platform.in_(platform_ids)).group_by(of_platform),
        of_people.where(of_platform.in_(platform_ids)).group_by(of_platform),
        arrived.where(platform_arrival.c.platform_id.in_(platform_ids), platform_arrival.c.message_type == LAUNCH),
    )
    found: dict[int, datetime] = {}
    for platform_id, at in (pair for query in queries for pair in connection.execute(query)):
        if at is not None:
            found[platform_id] = max(at, found.get(platform_id, at))
    return found


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
        sa.select(deployment.c.state, sa.func.count().label("deployments"))
        .where(deployment.c.platform_id == platform_id)
        .group_by(deployment.c.state)
    )
    return {row.state: row.deployments for row in connection.execute(query)}


def _return_origins(connection: sa.Connection, platform_id: int) -> tuple[str, ...]:
    urls = connection.execute(
        sa.select(visit.c.return_url)
        .where(visit.c.placement_id.in_(_placements(platform_id)), visit.c.return_url.is_not(None))
        .order_by(visit.c.opened_at.desc())
        .limit(RETURN_URLS)
    ).scalars()
    return tuple(sorted({origin for url in urls if url and (origin := origin_of(url))}))


def last_placed(connection: sa.Connection, platform_id: int) -> Placed | None:
    """Of an approved deployment, the activity that was opened last."""
    opened, launched = (_last(column, platform_id) for column in (visit.c.opened_at, membership.c.launched_at))
    row: Any = connection.execute(
        sa.select(placement, course.c.title, course.c.memberships_url)
        .join(deployment, deployment.c.id == placement.c.deployment_id)
        .outerjoin(course, course.c.id == placement.c.course_id)
        .outerjoin(opened, opened.c.placement_id == placement.c.id)
        .outerjoin(launched, launched.c.placement_id == placement.c.id)
        .where(deployment.c.platform_id == platform_id, deployment.c.state == "approved")
        .order_by(sa.func.coalesce(opened.c.at, launched.c.at).desc().nulls_last(), placement.c.id.desc())
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


def _last(column: sa.Column[Any], platform_id: int) -> sa.Subquery:
    """Of each placement, in one pass through a table that has no index for it."""
    of_placement = column.table.c.placement_id
    query = sa.select(of_placement, sa.func.max(column).label("at")).where(of_placement.in_(_placements(platform_id)))
    return query.group_by(of_placement).subquery()


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
        failing=row.reason if row.failures else None,
    )
