"""What waits for a person: of all, of one university, of one course."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from series.announcements import State
from series.check_words import check_line
from series.checks import decode_checks, gap_key, gaps_of
from series.store.announcements import ToTell, announces, posts_by_itself, to_tell
from series.store.moodle_tables import announcement, course_collect
from series.store.sessions_waiting import waiting_of_sessions
from series.store.tables import (
    calendar_source,
    course,
    course_roster,
    delivery,
    deployment,
    gradebook_pause,
    held_plan,
    moodle_connection,
    placement,
    platform,
    series,
    session,
    university,
    uploaded_table,
)
from series.waiting import (
    GRADEBOOK_FAILS_FOR,
    MOODLE_FAILS_FOR,
    SOURCE_FAILS_FOR,
    TABLE_WAITS_FOR,
    Scope,
    Waiting,
    WaitingKind,
)

_GAPS_SINCE = msgspec.json.Decoder(dict[str, datetime])


def waiting_for_coordinator(connection: sa.Connection, *, now: datetime) -> list[Waiting]:
    """All that waits anywhere, the longest first."""
    found = [
        *_of_series(connection, now),
        *waiting_of_sessions(connection, now=now),
        *_of_universities(connection, None, now),
    ]
    return sorted(found, key=lambda one: (one.since_at, one.key))


def waiting_for_university(connection: sa.Connection, university_id: int, *, now: datetime) -> list[Waiting]:
    """What waits at one university, the longest first."""
    return sorted(_of_universities(connection, university_id, now), key=lambda one: (one.since_at, one.key))


def waiting_for_course(connection: sa.Connection, course_id: int, series_id: UUID, *, now: datetime) -> list[Waiting]:
    """What waits for those who teach a course; what they are to tell it is of one series."""
    own = [
        *_held_in_courses(connection, course.c.id == course_id),
        *_not_announced(connection, course.c.id == course_id, now),
    ]
    by_itself, is_on = posts_by_itself(connection, course_id), announces(connection, course_id)
    return own + [
        Waiting(
            key=f"{WaitingKind.TO_ANNOUNCE} {course_id} {one.session.session_id} {one.change.about}",
            kind=WaitingKind.TO_ANNOUNCE,
            since_at=one.replanned.replanned_at or now,
            scope=Scope.COURSE,
            name="",
            slug="",
            facts={"session": one.session.title},
        )
        for one in to_tell(connection, [course_id], now=now, series_id=series_id)
        if _is_left_to_people(one, by_itself=by_itself, is_on=is_on)
    ]


def _is_left_to_people(one: ToTell, *, by_itself: bool, is_on: bool) -> bool:
    """Not what failed, which waits in words of its own."""
    if one.row is None:
        return not by_itself
    return one.row.state is State.LEFT or (one.row.state is State.DUE and not one.is_on_its_way(is_on=is_on))


def _of_series(connection: sa.Connection, now: datetime) -> Iterator[Waiting]:
    about = (series.c.slug, series.c.title)
    held = sa.select(*about, held_plan.c.held_at).join(held_plan).where(sa.not_(held_plan.c.is_rejected))
    for row in connection.execute(held).all():
        yield _series_waits(WaitingKind.HELD_PLAN, row, row.held_at)
    failing = (
        sa.select(*about, calendar_source.c.failing_since, calendar_source.c.reason)
        .join(calendar_source)
        .where(calendar_source.c.source == series.c.source, calendar_source.c.failing_since <= now - SOURCE_FAILS_FOR)
    )
    for failed in connection.execute(failing).all():
        yield _series_waits(WaitingKind.SOURCE_FAILS, failed, failed.failing_since, reason=failed.reason or "")
    tables = (
        sa.select(*about, uploaded_table.c.uploaded_at, uploaded_table.c.run_id)
        .join(uploaded_table)
        .where(uploaded_table.c.uploaded_at <= now - TABLE_WAITS_FOR)
    )
    for table in connection.execute(tables).all():
        yield _series_waits(WaitingKind.TABLE, table, table.uploaded_at, run=table.run_id)


def _of_universities(connection: sa.Connection, university_id: int | None, now: datetime) -> Iterator[Waiting]:
    """Of all where there is no id."""
    which = sa.true() if university_id is None else university.c.id == university_id
    yield from _moodles(connection, which, now)
    yield from _gradebooks(connection, which, now)
    if university_id is None:  # whom to let in is the coordinator's to say
        yield from _registrations(connection)
    yield from _deployments(connection, which)
    yield from _held_in_courses(connection, which)
    yield from _not_announced(connection, which, now)


def _moodles(connection: sa.Connection, which: sa.ColumnElement[bool], now: datetime) -> Iterator[Waiting]:
    """One query: connections that fail, or whose check found a gap."""
    looked = moodle_connection.c
    query = (
        sa.select(
            university.c.slug,
            university.c.name,
            looked.failing_since,
            looked.reason,
            looked.checks,
            looked.checked_at,
            looked.gaps_since,
        )
        .join(moodle_connection)
        .where(which, sa.or_(looked.failing_since <= now - MOODLE_FAILS_FOR, looked.checks.contains("gap")))
    )
    for row in connection.execute(query):
        if row.failing_since is not None and row.failing_since <= now - MOODLE_FAILS_FOR:
            yield _university_waits(WaitingKind.MOODLE_FAILS, row, row.failing_since, reason=row.reason or "")
        yield from _gaps(row, now)


def _gaps(row: Any, now: datetime) -> Iterator[Waiting]:
    """Each by itself, so that a new one is news where an old one stands."""
    since = _GAPS_SINCE.decode(row.gaps_since or "{}")
    gaps = gaps_of(decode_checks(row.checks))
    for key in dict.fromkeys(map(gap_key, gaps)):
        lines = [check_line(gap) for gap in gaps if gap_key(gap) == key]
        first_at = since.get(key) or row.checked_at or now
        yield _university_waits(WaitingKind.MOODLE_GAPS, row, first_at, key, count=len(lines), reason="\n".join(lines))


def _gradebooks(connection: sa.Connection, which: sa.ColumnElement[bool], now: datetime) -> Iterator[Waiting]:
    about = (university.c.slug, university.c.name)
    paused = (
        sa.select(*about, platform.c.slug.label("platform"), gradebook_pause.c.failing_since, gradebook_pause.c.reason)
        .select_from(gradebook_pause.join(platform).join(university))
        .where(which, gradebook_pause.c.failing_since <= now - GRADEBOOK_FAILS_FOR)
    )
    for row in connection.execute(paused):
        yield _university_waits(
            WaitingKind.GRADEBOOK_FAILS, row, row.failing_since, row.platform, platform=row.platform, reason=row.reason
        )
    first, count = sa.func.min(delivery.c.created_at), sa.func.count(delivery.c.id)
    kind = (placement.c.course_id, course.c.title, delivery.c.outcome)
    failed = (
        sa.select(*about, *kind, first.label("since_at"), count.label("grades"))
        .select_from(
            delivery.join(placement, delivery.c.placement_id == placement.c.id)
            .join(deployment, placement.c.deployment_id == deployment.c.id)
            .join(platform, deployment.c.platform_id == platform.c.id)
            .join(university, platform.c.university_id == university.c.id)
            .outerjoin(course, placement.c.course_id == course.c.id)
        )
        .where(which, delivery.c.state == "failed")
        .group_by(university.c.id, *about, *kind)
    )
    for row in connection.execute(failed):  # each course and cause by itself: where one stands, another is news
        outcome = row.outcome or ""
        key = f"{row.course_id or ''} {hashlib.sha256(outcome.encode()).hexdigest()[:16]}"
        reason = f"“{row.title}”: {outcome}" if row.title else outcome
        yield _university_waits(WaitingKind.GRADES_NOT_SENT, row, row.since_at, key, count=row.grades, reason=reason)


def _registrations(connection: sa.Connection) -> Iterator[Waiting]:
    query = (
        sa.select(university.c.slug, university.c.name, platform.c.id, platform.c.issuer, platform.c.created_at)
        .select_from(platform.join(university))
        .where(platform.c.state == "pending")
    )
    for row in connection.execute(query):
        yield _university_waits(WaitingKind.PLATFORM, row, row.created_at, row.id, platform=row.issuer)


def _deployments(connection: sa.Connection, which: sa.ColumnElement[bool]) -> Iterator[Waiting]:
    """Of LMSs that may launch: of one that is switched off or was replaced, nothing is to be let in."""
    query = (
        sa.select(university.c.slug, university.c.name, deployment)
        .select_from(deployment.join(platform).join(university))
        .where(
            which,
            platform.c.state == "active",
            deployment.c.state == "pending",
            deployment.c.first_seen_at.is_not(None),
        )
    )
    for row in connection.execute(query):
        where = f"{row.deployment_id}, {row.first_course}" if row.first_course else row.deployment_id
        yield _university_waits(WaitingKind.DEPLOYMENT, row, row.first_seen_at, row.id, deployment=where)


def _held_in_courses(connection: sa.Connection, which: sa.ColumnElement[bool]) -> Iterator[Waiting]:
    for kind, table in ((WaitingKind.HELD_ROSTER, course_roster), (WaitingKind.HELD_COMPLETIONS, course_collect)):
        query = (
            sa.select(course.c.id, course.c.title, university.c.slug, university.c.name, table.c.held_at)
            .select_from(table.join(course).join(university, course.c.university_id == university.c.id))
            .where(which, table.c.held.is_not(None), table.c.held_at.is_not(None))
        )
        for row in connection.execute(query):
            yield _course_waits(kind, row, row.held_at, row.id)


def _not_announced(connection: sa.Connection, which: sa.ColumnElement[bool], now: datetime) -> Iterator[Waiting]:
    query = (
        sa.select(
            announcement.c.id,
            announcement.c.made_at,
            announcement.c.problem,
            session.c.title.label("session"),
            course.c.title,
            university.c.slug,
            university.c.name,
        )
        .select_from(
            announcement.join(course)
            .join(university, course.c.university_id == university.c.id)
            .join(session, announcement.c.session_id == session.c.id)
        )
        .where(which, announcement.c.state == State.FAILED.value, session.c.start_at > now)
    )
    for row in connection.execute(query):
        yield _course_waits(
            WaitingKind.NOT_ANNOUNCED,
            row,
            row.made_at,
            row.id,
            session=row.session,
            announcement=row.id,
            reason=row.problem or "",
        )


def _series_waits(kind: WaitingKind, row: Any, since_at: datetime, **facts: str | int) -> Waiting:
    return Waiting(
        key=f"{kind} {row.slug}",
        kind=kind,
        since_at=since_at,
        scope=Scope.SERIES,
        name=row.title,
        slug=row.slug,
        facts=facts,
    )


def _university_waits(
    kind: WaitingKind, row: Any, since_at: datetime, which: str | int = "", **facts: str | int
) -> Waiting:
    """`which`: where there may be several of the kind at one university."""
    return Waiting(
        key=f"{kind} {row.slug} {which}".strip(),
        kind=kind,
        since_at=since_at,
        scope=Scope.UNIVERSITY,
        name=row.name,
        slug=row.slug,
        facts=facts,
    )


def _course_waits(kind: WaitingKind, row: Any, since_at: datetime, which: int, **facts: str | int) -> Waiting:
    return Waiting(
        key=f"{kind} {which}",
        kind=kind,
        since_at=since_at,
        scope=Scope.COURSE,
        name=row.title,
        slug=row.slug,
        facts={"university": row.name, **facts},
    )
