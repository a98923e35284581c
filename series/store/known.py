"""What is known already of everything that a launch names: one look, because most launches bring nothing new."""

from typing import Any

import sqlalchemy as sa

from series.store.launch_values import NewArrival
from series.store.prepared import Prepared
from series.store.tables import (
    completion,
    course,
    delivery,
    deployment,
    membership,
    participant,
    placement,
    platform,
    visit,
)

Known = Any  # a row of _KNOWN


class PlatformDisabled(Exception):
    """Somebody has disabled this LMS, perhaps while the launch was under way."""


class DeploymentPending(Exception):
    """Nobody has approved this deployment yet."""


class DeploymentDisabled(Exception):
    """Somebody has disabled this deployment."""


def look_up(connection: sa.Connection, launch: NewArrival) -> Known:
    """Raises PlatformDisabled, DeploymentPending or DeploymentDisabled."""
    asked = {
        "platform_id": launch.platform_id,
        "deployment_id": launch.deployment_id,
        "context_id": launch.context_id,
        "resource_link_id": launch.resource_link_id,
        "university_id": launch.university_id,
        "issuer": launch.issuer,
        "sub": launch.sub,
    }
    known = _LOOK.first(connection, asked)
    assert known is not None
    if known.platform_state != "active":
        raise PlatformDisabled
    if known.deployment_state in {None, "pending"}:
        raise DeploymentPending
    if known.deployment_state != "approved":
        raise DeploymentDisabled
    return known


_COURSE = (course.c.deployment_id == deployment.c.id) & (course.c.context_id == sa.bindparam("context_id"))
_PLACEMENT = (placement.c.deployment_id == deployment.c.id) & (
    placement.c.resource_link_id == sa.bindparam("resource_link_id")
)
_PARTICIPANT = (
    (participant.c.university_id == sa.bindparam("university_id"))
    & (participant.c.issuer == sa.bindparam("issuer"))
    & (participant.c.sub == sa.bindparam("sub"))
)
_MEMBERSHIP = (membership.c.participant_id == participant.c.id) & (membership.c.placement_id == placement.c.id)
# None also for who is known from the roster alone, so that the first launch is written down.
_IS_LEARNER = sa.case((membership.c.launched_at.is_not(None), membership.c.is_learner))
_VISITS = sa.select(sa.func.count()).where(visit.c.participant_id == participant.c.id).scalar_subquery()
_EARNED = sa.exists().where(completion.c.participant_id == participant.c.id)
_UNADDRESSED = sa.exists().where(
    delivery.c.placement_id == placement.c.id, delivery.c.state == sa.literal_column("'unaddressed'")
)

_KNOWN = (
    sa.select(
        platform.c.state.label("platform_state"),
        deployment.c.id.label("deployment_pk"),
        deployment.c.state.label("deployment_state"),
        course.c.id.label("course_id"),
        course.c.title,
        course.c.memberships_url,
        course.c.copied_from,
        placement.c.id.label("placement_id"),
        placement.c.course_id.label("placement_course_id"),
        placement.c.series_id.label("placement_series_id"),
        placement.c.line_item_url,
        placement.c.line_items_url,
        placement.c.ags_scopes,
        participant.c.id.label("participant_id"),
        _IS_LEARNER.label("is_learner"),
        _VISITS.label("visits"),
        (_EARNED | _UNADDRESSED).label("may_miss_scores"),
    )
    .select_from(
        platform.outerjoin(
            deployment,
            (deployment.c.platform_id == platform.c.id) & (deployment.c.deployment_id == sa.bindparam("deployment_id")),
        )
        .outerjoin(course, _COURSE)
        .outerjoin(placement, _PLACEMENT)
        .outerjoin(participant, _PARTICIPANT)
        .outerjoin(membership, _MEMBERSHIP)
    )
    .where(platform.c.id == sa.bindparam("platform_id"))
)
_LOOK = Prepared(lambda _dialect: _KNOWN)
