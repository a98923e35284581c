"""What a launch opened, until it is over."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.people import University, Visit
from series.store.database import insert
from series.store.tables import (
    course,
    deployment,
    participant,
    placement,
    platform,
    session_host,
    spent_nonce,
    university,
    visit,
)

KEEP_OVER = timedelta(hours=24)  # so that whoever comes too late is still shown the way back to the course


class TicketSpent(Exception):
    """This ticket has taken the visit to a tab already."""


@dataclass(frozen=True, kw_only=True)
class VisitOnFile:
    """A visit, and whether it may still be used: it has its time, and its LMS may be disabled."""

    visit: Visit
    is_open: bool


def find_visit(connection: sa.Connection, visit_id: str, *, now: datetime) -> VisitOnFile | None:
    """The visit of that id. Whoever asks must have proved that this browser holds it before anything is shown."""
    row = connection.execute(_visit_query().where(visit.c.id == visit_id)).one_or_none()
    if row is None:
        return None
    hosted = connection.execute(
        sa.select(session_host.c.session_id).where(session_host.c.participant_id == row.participant_id)
    ).scalars()
    is_open = row.expires_at > now and row.deployment_state == "approved" and row.platform_state == "active"
    return VisitOnFile(visit=_visit(row, frozenset(hosted)), is_open=is_open)


def move_visit(
    connection: sa.Connection, visit_id: str, *, ticket_nonce: str, nonce_expires_at: datetime, proof_hash: str
) -> None:
    """Bind the visit to another browser tab by a ticket. Raises TicketSpent, also when the visit is gone."""
    spend_ticket(connection, ticket_nonce, visit_id, expires_at=nonce_expires_at)
    moved = connection.execute(
        sa.update(visit).where(visit.c.id == visit_id).values(proof_hash=proof_hash).returning(visit.c.id)
    ).one_or_none()
    if moved is None:
        raise TicketSpent


def spend_ticket(connection: sa.Connection, ticket_nonce: str, visit_id: str, *, expires_at: datetime) -> None:
    """Of many at once, one does. Raises TicketSpent."""
    spent = connection.execute(
        insert(connection, spent_nonce)
        .values(nonce=ticket_nonce, visit_id=visit_id, expires_at=expires_at)
        .on_conflict_do_nothing()
        .returning(spent_nonce.c.nonce)
    ).one_or_none()
    if spent is None:
        raise TicketSpent


def close_visit(connection: sa.Connection, visit_id: str) -> None:
    """Sign out. May be repeated."""
    connection.execute(sa.delete(visit).where(visit.c.id == visit_id))


def purge_expired(connection: sa.Connection, *, now: datetime) -> None:
    """Drop nonces whose tokens would be refused for their age, and visits that have been over for KEEP_OVER."""
    connection.execute(sa.delete(spent_nonce).where(spent_nonce.c.expires_at < now))
    connection.execute(sa.delete(visit).where(visit.c.expires_at < now - KEEP_OVER))


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
        course.c.title.label("course_title"),
        deployment.c.platform_id,
        deployment.c.state.label("deployment_state"),
        platform.c.state.label("platform_state"),
    ).select_from(
        visit.join(participant, visit.c.participant_id == participant.c.id)
        .join(university, participant.c.university_id == university.c.id)
        .join(placement, visit.c.placement_id == placement.c.id)
        .join(deployment, placement.c.deployment_id == deployment.c.id)
        .join(platform, deployment.c.platform_id == platform.c.id)
        .outerjoin(course, placement.c.course_id == course.c.id)
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
        deployment_is_approved=row.deployment_state == "approved",
        course_id=row.course_id,
        course_title=row.course_title or "",
        placement_id=row.placement_id,
        series_id=row.series_id,
        session_id=row.session_id,
        is_teacher=row.is_teacher,
        is_learner=row.is_learner,
        is_test_user=row.is_test_user,
        is_administrator=row.is_administrator,
        hosted_session_ids=hosted,
        return_url=row.return_url,
        locale=row.locale,
        expires_at=row.expires_at,
    )
