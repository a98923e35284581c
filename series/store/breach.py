"""Whom a breach touches, by university: by what the university itself can find its people by."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from series.store.moodle_tables import activity_state
from series.store.tables import (
    completion,
    course,
    delivery,
    deployment,
    evidence,
    membership,
    moodle_connection,
    objection,
    participant,
    placement,
    platform,
    reflection,
    roster_member,
    staff,
    visit,
)


@dataclass(frozen=True, kw_only=True)
class Affected:
    """One person. `email`: of staff alone. `courses`: titles. `held`: the kinds of data that are held. `last_at`: when
    something of them was last written or opened; None: never."""

    kind: str
    issuer: str
    sub: str
    email: str
    courses: str
    held: str
    last_at: datetime | None


ONLY_LISTED = "only in a list of the LMS"
_KINDS: dict[str, tuple[sa.Table, str]] = {  # what is held, and when it was last written
    "visits": (visit, "opened_at"),
    "what counts": (evidence, "recorded_at"),
    "completions": (completion, "completed_at"),
    "reflections": (reflection, "saved_at"),
    "objections": (objection, "raised_at"),
    "grades": (delivery, "created_at"),
}


def affected_people(connection: sa.Connection, university_id: int, *, since: datetime | None) -> Iterator[Affected]:
    """Students, guests and teachers; whom only a list of an LMS has named; then staff.

    `since`: only those of whom something was written or opened from then on, for a leak that had a beginning; None:
    everybody who is held, for a copied database.
    """
    people = (_participants, _in_lists_alone, _staff)
    for one in (one for some in people for one in some(connection, university_id)):
        is_undated = one.kind == ONLY_LISTED
        if since is None or is_undated or (one.last_at is not None and one.last_at >= since):
            yield one


def _participants(connection: sa.Connection, university_id: int) -> list[Affected]:
    own = sa.select(participant.c.id).where(participant.c.university_id == university_id)
    last = {name: _last(connection, table, column, own) for name, (table, column) in _KINDS.items()}
    courses = _courses(connection, own)
    query = sa.select(participant).where(participant.c.university_id == university_id, participant.c.issuer != "")
    return [
        Affected(
            kind="participant",
            issuer=row.issuer,
            sub=row.sub,
            email="",
            courses="; ".join(courses.get(row.id, ())),
            held="; ".join(["number in the LMS", *(name for name, of_all in last.items() if row.id in of_all)]),
            last_at=max([row.created_at, *(of_all[row.id] for of_all in last.values() if row.id in of_all)]),
        )
        for row in connection.execute(query.order_by(participant.c.id))
    ]


def _in_lists_alone(connection: sa.Connection, university_id: int) -> list[Affected]:
    """In the roster of a course, or in what its Moodle says of activities, and never here. When they came into a list
    is not kept, so no moment leaves them out."""
    lists = [
        sa.select(table.c.course_id, table.c.sub, sa.literal(held).label("held"))
        for table, held in ((roster_member, "list of the course"), (activity_state, "activities in the LMS"))
    ]
    named = sa.union(*lists).subquery()
    issuer = sa.func.coalesce(platform.c.issuer, moodle_connection.c.base_url, "")
    here = sa.exists().where(
        participant.c.university_id == university_id, participant.c.sub == named.c.sub, participant.c.issuer == issuer
    )
    rows = connection.execute(
        sa.select(issuer.label("issuer"), named.c.sub, named.c.held, course.c.title)
        .join_from(named, course, named.c.course_id == course.c.id)
        .outerjoin(deployment, course.c.deployment_id == deployment.c.id)
        .outerjoin(platform, deployment.c.platform_id == platform.c.id)
        .outerjoin(moodle_connection, moodle_connection.c.university_id == course.c.university_id)
        .where(course.c.university_id == university_id, ~here)
        .order_by(issuer, named.c.sub, course.c.title)
    )
    return [
        Affected(
            kind=ONLY_LISTED,
            issuer=who[0],
            sub=who[1],
            email="",
            courses="; ".join(dict.fromkeys(row.title for row in found)),
            held="; ".join(["number in the LMS", *sorted({row.held for row in found})]),
            last_at=None,
        )
        for who, found in (
            (who, list(rows_of)) for who, rows_of in groupby(rows, key=lambda row: (row.issuer, row.sub))
        )
    ]


def _last(connection: sa.Connection, table: sa.Table, column: str, own: sa.Select[Any]) -> dict[int, datetime]:
    query = sa.select(table.c.participant_id, sa.func.max(table.c[column]).label("last_at"))
    rows = connection.execute(query.where(table.c.participant_id.in_(own)).group_by(table.c.participant_id))
    return {row.participant_id: row.last_at for row in rows}


def _courses(connection: sa.Connection, own: sa.Select[Any]) -> dict[int, list[str]]:
    rows = connection.execute(
        sa.select(membership.c.participant_id, course.c.title)
        .distinct()
        .join_from(membership, placement)
        .join(course, placement.c.course_id == course.c.id)
        .where(membership.c.participant_id.in_(own))
        .order_by(course.c.title)
    )
    found: dict[int, list[str]] = {}
    for row in rows:
        found.setdefault(row.participant_id, []).append(row.title)
    return found


def _staff(connection: sa.Connection, university_id: int) -> list[Affected]:
    rows = connection.execute(
        sa.select(staff).where(staff.c.university_id == university_id, staff.c.name != "").order_by(staff.c.id)
    )
    return [
        Affected(
            kind="LMS administrator",
            issuer="",
            sub="",
            email=row.email,
            courses="",
            held="name; e-mail address; hash of the password",
            last_at=row.signed_in_at or row.created_at,
        )
        for row in rows
    ]
