"""What a coordinator changes at a university: its facts, and which parts of its LMSs may launch."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from series.people import University
from series.store.audit import append_audit
from series.store.deployments import DeploymentRow, list_deployments
from series.store.tables import deployment, platform, university
from series.store.universities import PlatformRow


def change_university(
    connection: sa.Connection,
    home: University,
    *,
    name: str,
    country: str,
    time_zone: str,
    language: str,
    actor: str,
    now: datetime,
) -> None:
    """Its slug stays: it stands in addresses. May be repeated."""
    values = {"name": name, "country": country, "time_zone": time_zone, "language": language}
    changed = {key: value for key, value in values.items() if getattr(home, key) != value}
    if not changed:
        return
    connection.execute(sa.update(university).where(university.c.id == home.university_id).values(**changed))
    append_audit(
        connection,
        actor=actor,
        action="change_university",
        thing=f"university {home.university_id}",
        now=now,
        **changed,
    )


def pending_deployments(connection: sa.Connection, platforms: Iterable[PlatformRow]) -> list[DeploymentRow]:
    """Those that a launch from one of these LMSs that works has named, and nobody has approved."""
    active = [row for row in platforms if row.state == "active"]
    found = [one for row in active for one in list_deployments(connection, platform_id=row.platform_id)]
    return [one for one in found if one.state == "pending"]


def approve_pending(
    connection: sa.Connection, university_id: int, deployment_pk: int, *, actor: str, now: datetime
) -> bool:
    """Whether the university has such a deployment; approved it is then in any case, but for one that somebody has
    disabled. May be repeated."""
    ours = sa.select(platform.c.id).where(platform.c.university_id == university_id)
    of_it = sa.and_(deployment.c.id == deployment_pk, deployment.c.platform_id.in_(ours))
    approved = connection.execute(
        sa.update(deployment)
        .where(of_it, deployment.c.state == "pending")
        .values(state="approved")
        .returning(deployment.c.id)
    ).one_or_none()
    if approved is not None:
        thing = f"deployment {deployment_pk}"
        append_audit(connection, actor=actor, action="approve_deployment", thing=thing, now=now)
        return True
    state = connection.execute(sa.select(deployment.c.state).where(of_it)).scalar_one_or_none()
    return state == "approved"
