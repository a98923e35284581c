"""One validated launch becomes one visit, in one transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.people import VISIT_LIFE, University, Visit
from series.store.database import insert
from series.store.tables import (
    course,
    course_series,
    deployment,
    membership,
    moodle_connection,
    participant,
    placement,
    platform,
    series,
    session,
    session_host,
    spent_nonce,
    university,
    visit,
)


class NonceSpent(Exception):
    """This launch was already used: a reload, a double click, or a replay."""


class DeploymentUnknown(Exception):
    """Nobody has approved this deployment."""


class NoSeries(Exception):
    """There is no series yet that the course could show."""


@dataclass(frozen=True, kw_only=True)
class NewVisit:
    """What a launch brings to the store. `nonce_expires_at` is when its token would be refused for its age anyway."""

    visit_id: str
    proof_hash: str
    nonce: str
    nonce_expires_at: datetime
    platform_id: int
    deployment_id: str
    sub: str
    is_teacher: bool
    is_learner: bool
    resource_link_id: str
    context_id: str | None
    context_title: str
    return_url: str | None
    locale: str | None
    line_item_url: str | None
    line_items_url: str | None
    ags_scopes: tuple[str, ...]
    memberships_url: str | None
    custom_series_id: str | None
    custom_session_id: str | None


def open_visit(connection: sa.Connection, launch: NewVisit, *, now: datetime) -> int:
    """Spend the nonce, then upsert participant, course and placement, and open the visit; the participant's id.

    Raises NonceSpent, DeploymentUnknown or NoSeries; the caller's transaction then leaves nothing behind.
    """
    _spend_nonce(connection, launch)
    home = connection.execute(
        sa.select(platform.c.university_id, platform.c.issuer).where(platform.c.id == launch.platform_id)
    ).one()
    deployment_pk = _approved_deployment(connection, launch)
    participant_id = upsert_participant(
        connection, university_id=home.university_id, issuer=home.issuer, sub=launch.sub, now=now
    )
    course_id = _upsert_course(connection, launch, deployment_pk, home.university_id, home.issuer)
    placement_id = _upsert_placement(connection, launch, deployment_pk, course_id)
    _upsert_membership(connection, launch, participant_id, placement_id, now)
    connection.execute(
        sa.insert(visit).values(
            id=launch.visit_id,
            proof_hash=launch.proof_hash,
            participant_id=participant_id,
            placement_id=placement_id,
            is_teacher=launch.is_teacher,
            is_learner=launch.is_learner,
            is_test_user=False,
            return_url=launch.return_url,
            locale=launch.locale,
            opened_at=now,
            expires_at=now + VISIT_LIFE,
        )
    )
    return participant_id


def upsert_participant(connection: sa.Connection, *, university_id: int, issuer: str, sub: str, now: datetime) -> int:
    """The id of the person (university, issuer, sub), made when first seen."""
    return _upsert(
        connection,
        participant,
        {"university_id": university_id, "issuer": issuer, "sub": sub},
        {"created_at": now},
        update={},
    )


def find_visit(connection: sa.Connection, visit_id: str, *, now: datetime) -> Visit | None:
    """The visit of that id, unless its life is over."""
    row = connection.execute(_visit_query().where(visit.c.id == visit_id, visit.c.expires_at > now)).one_or_none()
    if row is None:
        return None
    hosted = connection.execute(
        sa.select(session_host.c.session_id).where(session_host.c.participant_id == row.participant_id)
    ).scalars()
    return _visit(row, frozenset(hosted))


def purge_expired(connection: sa.Connection, *, now: datetime) -> None:
    """Drop nonces whose tokens would be refused for their age, and visits that are over."""
    connection.execute(sa.delete(spent_nonce).where(spent_nonce.c.expires_at < now))
    connection.execute(sa.delete(visit).where(visit.c.expires_at < now))


def _spend_nonce(connection: sa.Connection, launch: NewVisit) -> None:
    """One INSERT of a unique key: of many at once exactly one gets a row back."""
    spent = connection.execute(
        insert(connection, spent_nonce)
        .values(nonce=launch.nonce, expires_at=launch.nonce_expires_at)
        .on_conflict_do_nothing()
        .returning(spent_nonce.c.nonce)
    ).one_or_none()
    if spent is None:
        raise NonceSpent


def _approved_deployment(connection: sa.Connection, launch: NewVisit) -> int:
    row = connection.execute(
        sa.select(deployment.c.id, deployment.c.state).where(
            deployment.c.platform_id == launch.platform_id, deployment.c.deployment_id == launch.deployment_id
        )
    ).one_or_none()
    if row is None or row.state != "approved":
        raise DeploymentUnknown
    return int(row.id)


def _upsert_course(
    connection: sa.Connection, launch: NewVisit, deployment_pk: int, university_id: int, issuer: str
) -> int | None:
    if launch.context_id is None:
        return None
    _adopt_moodle_course(connection, launch.context_id, deployment_pk, university_id, issuer)
    values = {"title": launch.context_title[:255], "memberships_url": launch.memberships_url}
    return _upsert(
        connection,
        course,
        {"deployment_id": deployment_pk, "context_id": launch.context_id},
        {"university_id": university_id, **values},
        update=values,
    )


def _adopt_moodle_course(
    connection: sa.Connection, context_id: str, deployment_pk: int, university_id: int, issuer: str
) -> None:
    """A Moodle course that the sync worker was told of is the same one as the launch's: in Moodle the context id is
    the course id and the issuer is the site's address."""
    if not context_id.isascii() or not context_id.isdigit() or len(context_id) > 9:
        return
    same_site = sa.select(moodle_connection.c.base_url).where(moodle_connection.c.university_id == university_id)
    if connection.execute(same_site).scalar_one_or_none() != issuer:
        return
    known = sa.select(course.c.id).where(course.c.deployment_id == deployment_pk, course.c.context_id == context_id)
    if connection.execute(known).one_or_none():
        return
    connection.execute(
        sa.update(course)
        .where(
            course.c.university_id == university_id,
            course.c.moodle_course_id == int(context_id),
            course.c.deployment_id.is_(None),
        )
        .values(deployment_id=deployment_pk, context_id=context_id)
    )


def _upsert_placement(connection: sa.Connection, launch: NewVisit, deployment_pk: int, course_id: int | None) -> int:
    series_id, session_id = _what_it_shows(connection, launch, course_id)
    if course_id is not None:
        connection.execute(
            insert(connection, course_series).values(course_id=course_id, series_id=series_id).on_conflict_do_nothing()
        )
    fresh: dict[str, Any] = {"course_id": course_id, "ags_scopes": " ".join(launch.ags_scopes)}
    if launch.line_item_url:
        fresh["line_item_url"] = launch.line_item_url
    if launch.line_items_url:
        fresh["line_items_url"] = launch.line_items_url
    return _upsert(
        connection,
        placement,
        {"deployment_id": deployment_pk, "resource_link_id": launch.resource_link_id},
        {"series_id": series_id, "session_id": session_id, **fresh},
        update=fresh,
    )


def _what_it_shows(connection: sa.Connection, launch: NewVisit, course_id: int | None) -> tuple[UUID, UUID | None]:
    """Our own custom ids first, then the course's series, then the newest series."""
    wanted_session = _uuid(launch.custom_session_id)
    if wanted_session is not None:
        row = connection.execute(sa.select(session.c.series_id).where(session.c.id == wanted_session)).one_or_none()
        if row is not None:
            return row.series_id, wanted_session
    candidates = [
        sa.select(series.c.id).where(series.c.id == _uuid(launch.custom_series_id)),
        sa.select(series.c.id)
        .join(course_series, course_series.c.series_id == series.c.id)
        .where(course_series.c.course_id == course_id)
        .order_by(series.c.created_at.desc()),
        sa.select(series.c.id).order_by(series.c.created_at.desc()),
    ]
    for query in candidates:
        found: UUID | None = connection.execute(query.limit(1)).scalar_one_or_none()
        if found is not None:
            return found, None
    raise NoSeries


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _upsert_membership(
    connection: sa.Connection, launch: NewVisit, participant_id: int, placement_id: int, now: datetime
) -> None:
    seen = {"is_learner": launch.is_learner, "launched_at": now}
    connection.execute(
        insert(connection, membership)
        .values(participant_id=participant_id, placement_id=placement_id, **seen)
        .on_conflict_do_update(index_elements=["participant_id", "placement_id"], set_=seen)
    )


def _upsert(
    connection: sa.Connection, table: sa.Table, key: dict[str, Any], fresh: dict[str, Any], *, update: dict[str, Any]
) -> int:
    """The id of the row with `key`, made with `fresh` or changed by `update`."""
    first = next(iter(key))
    statement = (
        insert(connection, table)
        .values(**key, **fresh)
        .on_conflict_do_update(index_elements=list(key), set_=update or {first: key[first]})
        .returning(table.c.id)
    )
    return int(connection.execute(statement).scalar_one())


def _visit_query() -> sa.Select[Any]:
    return sa.select(
        visit,
        participant.c.sub,
        university.c.id.label("university_pk"),
        university.c.slug,
        university.c.name,
        university.c.country,
        university.c.time_zone,
        university.c.language,
        placement.c.course_id,
        placement.c.series_id,
        placement.c.session_id,
        deployment.c.platform_id,
        (deployment.c.state == "approved").label("deployment_is_approved"),
    ).select_from(
        visit.join(participant, visit.c.participant_id == participant.c.id)
        .join(university, participant.c.university_id == university.c.id)
        .join(placement, visit.c.placement_id == placement.c.id)
        .join(deployment, placement.c.deployment_id == deployment.c.id)
    )


def _visit(row: Any, hosted: frozenset[UUID]) -> Visit:
    return Visit(
        visit_id=row.id,
        proof_hash=row.proof_hash,
        participant_id=row.participant_id,
        sub=row.sub,
        university=University(
            university_id=row.university_pk,
            slug=row.slug,
            name=row.name,
            country=row.country,
            time_zone=row.time_zone,
            language=row.language,
        ),
        platform_id=row.platform_id,
        deployment_is_approved=bool(row.deployment_is_approved),
        course_id=row.course_id,
        placement_id=row.placement_id,
        series_id=row.series_id,
        session_id=row.session_id,
        is_teacher=row.is_teacher,
        is_learner=row.is_learner,
        hosted_session_ids=hosted,
        return_url=row.return_url,
        locale=row.locale,
        expires_at=row.expires_at,
    )
