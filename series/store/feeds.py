"""Whose calendar feed shows which series, and which generation of its address is valid."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from series.feed_address import FeedOwner, OwnerKind
from series.sessions import Series
from series.store.sessions import list_series
from series.store.tables import course, course_series, membership, participant, placement

NOTED_EVERY = timedelta(hours=1)


def feed_owner(connection: sa.Connection, kind: OwnerKind, owner_id: int) -> FeedOwner | None:
    if kind is OwnerKind.COURSE:
        query = sa.select(course.c.feed_generation, sa.null().label("created_at")).where(course.c.id == owner_id)
    else:
        query = sa.select(participant.c.feed_generation, participant.c.created_at).where(participant.c.id == owner_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return FeedOwner(kind=kind, owner_id=owner_id, generation=row.feed_generation, since=row.created_at)


def renew_feed(connection: sa.Connection, owner: FeedOwner) -> bool:
    """Make the owner's present address worthless. False when somebody has done so since `owner` was read."""
    table = course if owner.kind is OwnerKind.COURSE else participant
    renewed = connection.execute(
        sa.update(table)
        .where(table.c.id == owner.owner_id, table.c.feed_generation == owner.generation)
        .values(feed_generation=owner.generation + 1)
        .returning(table.c.id)
    ).one_or_none()
    return renewed is not None


def note_feed_read(connection: sa.Connection, course_id: int, *, now: datetime) -> None:
    """That a calendar program comes for the course's feed: once an hour is enough to know."""
    is_old = sa.or_(course.c.feed_read_at.is_(None), course.c.feed_read_at <= now - NOTED_EVERY)
    connection.execute(sa.update(course).where(course.c.id == course_id, is_old).values(feed_read_at=now))


def series_of_owner(connection: sa.Connection, owner: FeedOwner) -> list[Series]:
    """Those that the course is tied to, or of which the participant has opened an activity; the oldest first."""
    wanted = set(_series_ids(connection, owner))
    return [series for series in list_series(connection) if series.series_id in wanted]


def _series_ids(connection: sa.Connection, owner: FeedOwner) -> Iterable[UUID]:
    if owner.kind is OwnerKind.COURSE:
        query = sa.select(course_series.c.series_id).where(course_series.c.course_id == owner.owner_id)
    else:
        query = (
            sa.select(placement.c.series_id)
            .join(membership, membership.c.placement_id == placement.c.id)
            .where(membership.c.participant_id == owner.owner_id)
        )
    return connection.execute(query).scalars()
