"""Who has had their data erased, as far as that can be asked without knowing who it was."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa

from series.rosters import RosterMember
from series.store.database import insert
from series.store.moodle_tables import activity_state
from series.store.prepared import Prepared
from series.store.privacy_tables import erased_person
from series.store.tables import course, deployment, moodle_connection, participant, platform, university
from series.store.taking_part import refuse_left
from series.tombstones import NobodyThere, Registration, Whom, issuers_alike, issuers_of_the_same, tombstone_of


def whom(connection: sa.Connection, participant_id: int) -> Whom:
    """Raises NobodyThere for who has been erased, or was never there."""
    row = connection.execute(sa.select(participant).where(participant.c.id == participant_id)).one_or_none()
    if row is None or not row.issuer:
        raise NobodyThere
    return Whom(university_id=row.university_id, issuer=row.issuer, sub=row.sub)


def participant_of(connection: sa.Connection, person: Whom) -> int | None:
    who = {"university_id": person.university_id, "issuer": person.issuer, "sub": person.sub}
    found: int | None = connection.execute(sa.select(participant.c.id).filter_by(**who)).scalar_one_or_none()
    return found


def issuers_of(connection: sa.Connection, university_id: int, sub: str) -> list[str]:
    """Of the LMSs in which the university has somebody with this number; or else of all that it has had."""
    people = sa.select(participant.c.issuer).where(participant.c.university_id == university_id)
    named = people.where(participant.c.sub == sub, participant.c.issuer != "")
    platforms = sa.select(platform.c.issuer).where(platform.c.university_id == university_id)
    return sorted(set(connection.execute(named).scalars()) or set(connection.execute(platforms).scalars()))


def same_people(connection: sa.Connection, university_id: int, issuer: str) -> tuple[str, ...]:
    """As series.tombstones.issuers_of_the_same."""
    return issuers_of_the_same(_registered(connection, university_id), issuer)


def _registered(connection: sa.Connection, university_id: int) -> list[Registration]:
    rows = connection.execute(_REGISTRATIONS.where(platform.c.university_id == university_id))
    return [_registration(row) for row in rows]


_REGISTRATIONS = sa.select(platform.c.id, platform.c.issuer, platform.c.state, platform.c.succeeds_platform_id)


_OF_UNIVERSITY = sa.bindparam("university_id", type_=erased_person.c.university_id.type)
_MARKED = Prepared(
    lambda _dialect: sa.select(
        sa.exists()
        .where(erased_person.c.university_id == _OF_UNIVERSITY, erased_person.c.pseudonym == sa.bindparam("mark"))
        .label("is_marked"),
        sa.exists()
        .where(platform.c.university_id == _OF_UNIVERSITY, platform.c.succeeds_platform_id.is_not(None))
        .label("has_replaced"),
    )
)


def _registration(row: Any) -> Registration:
    return Registration(
        platform_id=row.id,
        issuer=row.issuer,
        is_active=row.state == "active",
        succeeds_platform_id=row.succeeds_platform_id,
    )


def courses_of_lms(connection: sa.Connection, person: Whom) -> sa.Select[int]:
    """Ids of the courses of the university that are in the person's LMS, under whatever issuer it has been. Not of an
    LMS beside it, or of one that was put at an old address: there, the same number is somebody else."""
    registered = _registered(connection, person.university_id)
    issuers = issuers_of_the_same(registered, person.issuer)
    was_theirs = platform.c.issuer.in_(issuers_alike(registered, person.issuer)) & (platform.c.state != "active")
    collects = sa.exists().where(activity_state.c.course_id == course.c.id)
    in_moodle = course.c.deployment_id.is_(None) | course.c.moodle_course_id.is_not(None) | collects
    return (
        sa.select(course.c.id)
        .outerjoin(deployment, course.c.deployment_id == deployment.c.id)
        .outerjoin(platform, deployment.c.platform_id == platform.c.id)
        .outerjoin(moodle_connection, moodle_connection.c.university_id == course.c.university_id)
        .where(
            course.c.university_id == person.university_id,
            platform.c.issuer.in_(issuers) | was_theirs | (moodle_connection.c.base_url.in_(issuers) & in_moodle),
        )
    )


def hold_off_erasures(connection: sa.Connection, course_id: int) -> None:
    """Until the transaction ends, nobody in the course's LMS is erased, so that what is stored of its lists is erased
    with the rest, or not stored at all. Before anything of its people is read or locked. SQLite has one writer
    anyway."""
    connection.execute(sa.select(course.c.id).where(course.c.id == course_id).with_for_update(read=True))


def hold_off_lists(connection: sa.Connection, person: Whom) -> list[int]:
    """The other side of it, for an erasure: the courses of the person's LMS, of whose lists nothing is stored until the
    transaction ends. In one order, so that two erasures do not wait in a circle. Launches go on."""
    found = sorted(connection.execute(courses_of_lms(connection, person)).scalars())
    locked = sa.select(course.c.id).where(course.c.id.in_(found)).order_by(course.c.id)
    return list(connection.execute(locked.with_for_update(key_share=True)).scalars())


def put_tombstone(connection: sa.Connection, whom: Whom, *, secret_key: bytes, now: datetime) -> None:
    """May be repeated."""
    row = {"university_id": whom.university_id, "pseudonym": tombstone_of(whom, secret_key=secret_key)}
    connection.execute(insert(connection, erased_person).values(**row, erased_at=now).on_conflict_do_nothing())


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A tombstone as it is kept beside the backups: of nobody whom a reader could tell. `university`: its slug."""

    university: str
    mark: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    erased_at: datetime


def all_marks(connection: sa.Connection) -> list[Mark]:
    query = (
        sa.select(university.c.slug, erased_person.c.pseudonym, erased_person.c.erased_at)
        .join(university, erased_person.c.university_id == university.c.id)
        .order_by(erased_person.c.erased_at, erased_person.c.pseudonym)
    )
    return [Mark(university=row.slug, mark=row.pseudonym, erased_at=row.erased_at) for row in connection.execute(query)]


def restore_tombstone(connection: sa.Connection, university_id: int, mark: Mark) -> None:
    """May be repeated."""
    row = {"university_id": university_id, "pseudonym": mark.mark, "erased_at": mark.erased_at}
    connection.execute(insert(connection, erased_person).values(row).on_conflict_do_nothing())


def remove_tombstones(connection: sa.Connection, person: Whom, *, secret_key: bytes) -> None:
    """They begin again, because they said so: under all issuers of their LMS at which nobody else can be. May be
    repeated."""
    issuers = same_people(connection, person.university_id, person.issuer)
    connection.execute(
        sa.delete(erased_person).where(_marked(person.university_id, _marks(person, issuers, secret_key)))
    )


def is_erased(connection: sa.Connection, person: Whom, *, secret_key: bytes) -> bool:
    """Also before their LMS was replaced. One query where it never was."""
    mark = tombstone_of(person, secret_key=secret_key)
    known = _MARKED.first(connection, {"university_id": person.university_id, "mark": mark})
    if known.is_marked or not known.has_replaced:
        return bool(known.is_marked)
    issuers = issuers_alike(_registered(connection, person.university_id), person.issuer)
    earlier = sa.select(erased_person.c.erased_at).where(
        _marked(person.university_id, _marks(person, issuers, secret_key))
    )
    return connection.execute(earlier.limit(1)).first() is not None


def erased_subs(
    connection: sa.Connection, *, university_id: int, issuer: str, subs: Collection[str], secret_key: bytes
) -> set[str]:
    """Those of the LMS's people who have had their data erased, and have not begun again."""
    registered = _registered(connection, university_id)
    issuers = issuers_alike(registered, issuer)
    marks = {
        mark: sub
        for sub in subs
        for mark in _marks(Whom(university_id=university_id, issuer=issuer, sub=sub), issuers, secret_key)
    }
    found = sa.select(erased_person.c.pseudonym).where(_marked(university_id, marks))
    erased = {marks[mark] for mark in connection.execute(found).scalars()}
    same = issuers_of_the_same(registered, issuer)
    return erased - _who_are_here(connection, university_id, same, erased) if erased else erased


def _who_are_here(
    connection: sa.Connection, university_id: int, issuers: Collection[str], subs: Collection[str]
) -> set[str]:
    """Of whom a mark is left that was made in an LMS which theirs has replaced since: they had begun in this one."""
    query = sa.select(participant.c.sub).where(
        participant.c.university_id == university_id, participant.c.issuer.in_(issuers), participant.c.sub.in_(subs)
    )
    return set(connection.execute(query).scalars())


def _marks(person: Whom, issuers: Collection[str], secret_key: bytes) -> list[str]:
    return [tombstone_of(replace(person, issuer=issuer), secret_key=secret_key) for issuer in issuers]


def _marked(university_id: int, marks: Collection[str]) -> sa.ColumnElement[bool]:
    return (erased_person.c.university_id == university_id) & erased_person.c.pseudonym.in_(list(marks))


def without_erased(
    connection: sa.Connection, course_id: int, members: Collection[RosterMember], *, secret_key: bytes
) -> list[RosterMember]:
    """What of an LMS's list may be stored. In the transaction that stores it: an erasure comes before or after. Raises
    UniversityLeft."""
    home_id = sa.select(course.c.university_id).where(course.c.id == course_id)
    refuse_left(connection, connection.execute(home_id).scalar_one_or_none())  # first, as series.store.leaving does
    hold_off_erasures(connection, course_id)
    home = connection.execute(
        sa.select(course.c.university_id, platform.c.issuer)
        .join(deployment, course.c.deployment_id == deployment.c.id)
        .join(platform, deployment.c.platform_id == platform.c.id)
        .where(course.c.id == course_id)
    ).one_or_none()
    if home is None:
        return list(members)
    subs = {one.sub for one in members}
    erased = erased_subs(
        connection, university_id=home.university_id, issuer=home.issuer, subs=subs, secret_key=secret_key
    )
    return [one for one in members if one.sub not in erased]
