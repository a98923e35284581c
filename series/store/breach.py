"""Whom a breach touches, by university: by what the university itself can find its people by."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from series.staff import Role
from series.store.breach_reach import REACHES
from series.store.breach_sightings import Met, Sighting, sightings
from series.store.tables import course, membership, participant, placement, staff


@dataclass(frozen=True, kw_only=True)
class Affected:
    """One person. `email`: of staff alone. `name`: of whom nothing else is known; it may be of several. `courses`:
    titles. `held`: the kinds of data that are held. `last_at`: when something of them was last written or opened, or
    compared with the LMS, as far as that is known."""

    kind: str
    issuer: str
    sub: str
    email: str
    name: str
    courses: str
    held: str
    last_at: datetime | None


ONLY_LISTED = "only in a list of the LMS"
_KINDS = {
    Met.PARTICIPANT: "participant",
    Met.MEMBER: ONLY_LISTED,
    Met.ACCOUNT: "account in the LMS",
    Met.NAME: "known by name alone",
    Met.TEXT: "a text that may name people",
}
_STAFF_KINDS = {Role.COORDINATOR: "coordinator", Role.LMS_ADMIN: "LMS administrator"}
_NUMBER = "number in the LMS"
_Key = tuple[Met, str, str]  # met as, issuer, number


@dataclass(kw_only=True)
class _Found:
    """What was found of one person, in the order of its finding."""

    who: dict[str, str]
    courses: dict[str, None] = field(default_factory=dict)
    held: dict[str, None] = field(default_factory=dict)
    last_at: datetime | None = None
    is_undated: bool = False

    def add(self, one: Sighting) -> None:
        self.held[one.held] = None
        if one.course:
            self.courses[one.course] = None
        if one.at is not None:
            self.last_at = max(one.at, self.last_at or one.at)
        self.is_undated |= one.is_undated

    def is_since(self, since: datetime | None) -> bool:
        return since is None or self.is_undated or (self.last_at is not None and self.last_at >= since)


def affected_people(
    connection: sa.Connection, university_id: int | None, *, since: datetime | None
) -> Iterator[Affected]:
    """Students, guests and teachers; LMS administrators; whom only a list of an LMS has named; accounts; names. Without
    a university: the coordinators, and names that belong to none.

    `since`: only those of whom something was written or opened from then on, or nobody knows when it was, for a leak
    that had a beginning; None: everybody who is held, for a copied database.
    """
    known = _participants(connection, university_id) | _staff(connection, university_id)
    numbers = {(found.who["issuer"], found.who["sub"]): key for key, found in known.items() if key[0] != Met.STAFF}
    others: dict[_Key, _Found] = {}
    for reach in REACHES:
        for one in sightings(connection, reach, university_id):
            key = numbers.get((one.issuer, one.number)) if one.met is Met.MEMBER else None
            if (found := known.get(key or _key(one))) is not None:
                found.add(one)
            elif one.met not in {Met.PARTICIPANT, Met.STAFF}:  # of another university, or erased
                others.setdefault(_key(one), _new(one)).add(one)
    for found in (*known.values(), *sorted(others.values(), key=lambda found: list(found.who.values()))):
        if found.is_since(since):
            yield _affected(found)


def _key(one: Sighting) -> _Key:
    is_ours = one.met in {Met.PARTICIPANT, Met.STAFF}
    return one.met, "" if is_ours else one.issuer, one.number


def _new(one: Sighting) -> _Found:
    is_number = one.met in {Met.MEMBER, Met.ACCOUNT}
    found = _Found(who=_who(_KINDS[one.met]))
    found.who |= {"issuer": one.issuer, "sub": one.number} if is_number else {"name": one.number}
    if is_number:
        found.held[_NUMBER] = None
    return found


def _who(kind: str, **known: Any) -> dict[str, str]:
    return {"kind": kind, "issuer": "", "sub": "", "email": "", "name": "", **known}


def _affected(found: _Found) -> Affected:
    courses, held = "; ".join(sorted(found.courses)), "; ".join(found.held)
    return Affected(**found.who, courses=courses, held=held, last_at=found.last_at)


def _participants(connection: sa.Connection, university_id: int | None) -> dict[_Key, _Found]:
    """Not of whom only the number has stayed."""
    query = sa.select(participant).where(participant.c.university_id == university_id, participant.c.issuer != "")
    found = {
        (Met.PARTICIPANT, "", str(row.id)): _Found(
            who=_who(_KINDS[Met.PARTICIPANT], issuer=row.issuer, sub=row.sub), held={_NUMBER: None}
        )
        for row in connection.execute(query.order_by(participant.c.id))
    }
    titles = (
        sa.select(membership.c.participant_id, course.c.title)
        .distinct()
        .join_from(membership, placement)
        .join(course, placement.c.course_id == course.c.id)
        .where(course.c.university_id == university_id)
    )
    for row in connection.execute(titles):
        if (one := found.get((Met.PARTICIPANT, "", str(row.participant_id)))) is not None:
            one.courses[row.title] = None
    return found


def _staff(connection: sa.Connection, university_id: int | None) -> dict[_Key, _Found]:
    query = sa.select(staff).where(staff.c.university_id == university_id, staff.c.name != "")  # IS NULL for None
    return {
        (Met.STAFF, "", str(row.id)): _Found(who=_who(_STAFF_KINDS[Role(row.role)], email=row.email))
        for row in connection.execute(query.order_by(staff.c.id))
    }
