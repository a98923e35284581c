"""Who has had their data erased, as far as that can be asked without knowing who it was."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated

import msgspec
import sqlalchemy as sa

from series.rosters import RosterMember
from series.store.database import insert
from series.store.privacy_tables import erased_person
from series.store.tables import course, course_roster, deployment, moodle_connection, participant, platform, university
from series.store.taking_part import refuse_left
from series.tombstones import Whom, tombstone_of


class NobodyThere(Exception):
    """Nothing is held about this person."""


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


def courses_of_lms(person: Whom) -> sa.Select[int]:
    """Ids of the courses of the university that are in the person's LMS, in one order, so that nobody who locks them
    waits in a circle."""
    return (
        sa.select(course.c.id)
        .outerjoin(deployment, course.c.deployment_id == deployment.c.id)
        .outerjoin(platform, deployment.c.platform_id == platform.c.id)
        .outerjoin(moodle_connection, moodle_connection.c.university_id == course.c.university_id)
        .where(
            course.c.university_id == person.university_id,
            (platform.c.issuer == person.issuer) | (moodle_connection.c.base_url == person.issuer),
        )
        .order_by(course.c.id)
    )


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


def remove_tombstone(connection: sa.Connection, university_id: int, tombstone: str) -> None:
    """They begin again, because they said so. May be repeated."""
    connection.execute(sa.delete(erased_person).filter_by(university_id=university_id, pseudonym=tombstone))


def is_erased(connection: sa.Connection, university_id: int, tombstone: str) -> bool:
    query = sa.select(erased_person.c.erased_at).filter_by(university_id=university_id, pseudonym=tombstone)
    return connection.execute(query).one_or_none() is not None


def erased_subs(
    connection: sa.Connection, *, university_id: int, issuer: str, subs: Collection[str], secret_key: bytes
) -> set[str]:
    """Those of the LMS's people who have had their data erased."""
    marks = {
        tombstone_of(Whom(university_id=university_id, issuer=issuer, sub=sub), secret_key=secret_key): sub
        for sub in subs
    }
    of_them = (erased_person.c.university_id == university_id) & erased_person.c.pseudonym.in_(list(marks))
    return {marks[mark] for mark in connection.execute(sa.select(erased_person.c.pseudonym).where(of_them)).scalars()}


def without_erased(
    connection: sa.Connection, course_id: int, members: Collection[RosterMember], *, secret_key: bytes
) -> list[RosterMember]:
    """What of an LMS's list may be stored. In the transaction that stores it: an erasure comes before or after. Raises
    UniversityLeft."""
    roster = sa.select(course_roster.c.course_id).where(course_roster.c.course_id == course_id)
    connection.execute(roster.with_for_update())
    home = connection.execute(
        sa.select(course.c.university_id, platform.c.issuer)
        .join(deployment, course.c.deployment_id == deployment.c.id)
        .join(platform, deployment.c.platform_id == platform.c.id)
        .where(course.c.id == course_id)
    ).one_or_none()
    if home is None:
        return list(members)
    refuse_left(connection, home.university_id)
    subs = {one.sub for one in members}
    erased = erased_subs(
        connection, university_id=home.university_id, issuer=home.issuer, subs=subs, secret_key=secret_key
    )
    return [one for one in members if one.sub not in erased]
