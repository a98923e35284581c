"""Courses and placements, as launches tell of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.store.database import upsert
from series.store.known import Known
from series.store.launch_values import NewArrival, NewVisit
from series.store.mirrors import show_series
from series.store.rounds import Shown, in_the_round_of
from series.store.tables import course, course_series, delivery, moodle_connection, placement, series, session


class NoSeries(Exception):
    """There is no series yet that the course could show."""


def save_placement(connection: sa.Connection, launch: NewVisit, known: Known, *, now: datetime) -> int:
    """The id of the placement that was opened; course and placement are made or brought up to date where they differ.

    Raises NoSeries.
    """
    if _is_as_known(launch, known):
        return int(known.placement_id)
    course_id = save_course(connection, launch, known)
    return _save_placement(connection, launch, known, course_id, now)


def _is_as_known(launch: NewVisit, known: Known) -> bool:
    """Whether the launch brings nothing new of course and placement."""
    if known.placement_id is None:
        return False
    if launch.context_id is not None:
        course = (known.course_id, known.title, known.memberships_url)
        if course != (known.placement_course_id, *_course_values(launch)) or _tells_more(launch, known):
            return False
    return (known.line_item_url, known.line_items_url, known.ags_scopes) == (
        launch.line_item_url or known.line_item_url,
        launch.line_items_url or known.line_items_url,
        " ".join(launch.ags_scopes),
    )


def _course_values(launch: NewArrival) -> tuple[str, str | None]:
    return launch.context_title[:255], launch.memberships_url


def _tells_more(launch: NewArrival, known: Known) -> bool:
    """Of the courses that this one is a copy of. Who tells nothing takes nothing away."""
    return bool(launch.context_history) and known.copied_from != " ".join(launch.context_history)


def save_course(connection: sa.Connection, launch: NewArrival, known: Known) -> int | None:
    """The id of the course that somebody came from, made or brought up to date; None: the LMS has named none."""
    if launch.context_id is None:
        return None
    deployment_pk = known.deployment_pk
    _adopt_moodle_course(connection, launch.context_id, deployment_pk, launch.university_id, launch.issuer)
    title, memberships_url = _course_values(launch)
    values = {"title": title, "memberships_url": memberships_url}
    if launch.context_history:
        values["copied_from"] = " ".join(launch.context_history)
    return upsert(
        connection,
        course,
        {"deployment_id": deployment_pk, "context_id": launch.context_id},
        {"university_id": launch.university_id, **values},
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


def _save_placement(
    connection: sa.Connection, launch: NewVisit, known: Known, course_id: int | None, now: datetime
) -> int:
    original = shown = _what_it_shows(connection, launch, known.deployment_pk, course_id)
    if course_id is not None:
        shown = in_the_round_of(connection, course_id, original)
        show_series(connection, course_id, known.placement_series_id or shown.series_id, now=now)
    scopes = " ".join(launch.ags_scopes)
    fresh: dict[str, Any] = {"ags_scopes": scopes}
    if course_id is not None:  # a launch without a context takes nothing away
        fresh["course_id"] = course_id
    if launch.line_item_url:
        fresh["line_item_url"] = launch.line_item_url
        if known.placement_id is not None and known.line_item_url != launch.line_item_url:
            fresh["line_item_next_at"] = now  # the worker then queues everybody's scores
    if launch.line_items_url:
        fresh["line_items_url"] = launch.line_items_url
    placement_id = upsert(
        connection,
        placement,
        {"deployment_id": known.deployment_pk, "resource_link_id": launch.resource_link_id},
        {
            "series_id": shown.series_id,
            "session_id": shown.session_id,
            "went_over": shown != original,
            "first_seen_at": now,
            **fresh,
        },
        update=fresh,
    )
    if known.placement_id is not None and known.ags_scopes != scopes:
        _hurry_waiting(connection, placement_id, now=now)
    return placement_id


def _hurry_waiting(connection: sa.Connection, placement_id: int, *, now: datetime) -> None:
    """Try at once what waits for this placement: the LMS grants something else than before."""
    connection.execute(
        sa.update(delivery)
        .where(
            delivery.c.placement_id == placement_id,
            delivery.c.state == "due",
            sa.not_(delivery.c.in_flight),
            delivery.c.next_attempt_at > now,
        )
        .values(next_attempt_at=now)
    )


def _what_it_shows(connection: sa.Connection, launch: NewVisit, deployment_pk: int, course_id: int | None) -> Shown:
    """Our own custom ids first, if they are of this installation; then what the original shows, of which the activity
    is a copy; then the course's series, then that of its original, then the newest series."""
    wanted_session = _uuid(launch.custom_session_id)
    if wanted_session is not None:
        its = sa.select(session.c.series_id, session.c.is_rehearsal).where(session.c.id == wanted_session)
        row = connection.execute(its).one_or_none()
        if row is not None:  # a rehearsal goes again, and no activity may hang on it
            return Shown(series_id=row.series_id, session_id=None if row.is_rehearsal else wanted_session)
    wanted_series = _exists(connection, _uuid(launch.custom_series_id))
    if wanted_series is not None:
        return Shown(series_id=wanted_series)
    original = _original_of(connection, launch, deployment_pk)
    if original is not None:
        return original
    for query in (_of_course(course_id), _of_originals(launch, deployment_pk), sa.select(series.c.id)):
        found: UUID | None = connection.execute(
            query.order_by(series.c.created_at.desc()).limit(1)
        ).scalar_one_or_none()
        if found is not None:
            return Shown(series_id=found)
    raise NoSeries


def _exists(connection: sa.Connection, series_id: UUID | None) -> UUID | None:
    found: UUID | None = connection.execute(sa.select(series.c.id).where(series.c.id == series_id)).scalar_one_or_none()
    return found


def _original_of(connection: sa.Connection, launch: NewVisit, deployment_pk: int) -> Shown | None:
    """What the newest activity of the history shows that we know: same deployment, because ids are its own."""
    if not launch.resource_link_history:
        return None
    rows = connection.execute(
        sa.select(placement.c.resource_link_id, placement.c.series_id, placement.c.session_id).where(
            placement.c.deployment_id == deployment_pk,
            placement.c.resource_link_id.in_(launch.resource_link_history),
            placement.c.resource_link_id != launch.resource_link_id,
        )
    )
    known = {row.resource_link_id: Shown(series_id=row.series_id, session_id=row.session_id) for row in rows}
    return next((known[one] for one in launch.resource_link_history if one in known), None)


def _of_course(course_id: int | None) -> sa.Select[tuple[UUID]]:
    return (
        sa.select(series.c.id)
        .join(course_series, course_series.c.series_id == series.c.id)
        .where(course_series.c.course_id == course_id)
    )


def _of_originals(launch: NewVisit, deployment_pk: int) -> sa.Select[tuple[UUID]]:
    return (
        sa.select(series.c.id)
        .join(course_series, course_series.c.series_id == series.c.id)
        .join(course, course.c.id == course_series.c.course_id)
        .where(course.c.deployment_id == deployment_pk, course.c.context_id.in_(launch.context_history))
    )


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
