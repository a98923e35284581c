"""Where the people of one university are met in the tables, by series.store.breach_reach; None in place of the
university: coordinators, and whoever belongs to no university."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from series.audit_lines import participant_in, person_of, staff_of
from series.store.activity_states import sub_of_moodle_user
from series.store.belongings import of_university
from series.store.breach_reach import DID, Reach
from series.store.tables import course, deployment, moodle_connection, participant, platform, series, session, staff

Query = sa.Select[Any]


class Met(StrEnum):
    """As what somebody is met."""

    PARTICIPANT = "participant"
    STAFF = "staff"
    MEMBER = "member"  # a number in the LMS
    ACCOUNT = "account"  # in the LMS, of nobody who takes part
    NAME = "name"
    TEXT = "text"  # that may name anybody


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """`number`: of ours, or in the LMS at `issuer`, or a name. `at`: the last moment of it; `is_undated`: there is one
    of which nobody knows when it was."""

    met: Met
    number: str
    held: str
    issuer: str = ""
    course: str = ""
    at: datetime | None
    is_undated: bool


def sightings(connection: sa.Connection, reach: Reach, university_id: int | None) -> Iterator[Sighting]:
    """All of its people in one table; among those who did something, also others."""
    yield from _actors(connection, reach, university_id)
    yield from _details(connection, reach)
    yield from _of_ours(connection, reach, reach.staff, Met.STAFF, staff, university_id)
    yield from _names(connection, reach, university_id)
    if university_id is None:
        yield from _texts(connection, reach)
        return
    yield from _of_ours(connection, reach, reach.people, Met.PARTICIPANT, participant, university_id)
    yield from _members(connection, reach, university_id)
    yield from _lists(connection, reach, university_id)
    yield from _accounts(connection, reach, university_id)


def _of_ours(
    connection: sa.Connection, reach: Reach, columns: str, met: Met, whose: sa.Table, university_id: int | None
) -> Iterator[Sighting]:
    own = sa.select(whose.c.id).where(whose.c.university_id == university_id)  # IS NULL for None
    for column in _columns(reach, columns):
        query = sa.select(column.label("number"), *_last(reach)).where(column.in_(own)).group_by(column)
        yield from (_sighting(reach, row, met) for row in connection.execute(query))


def _actors(connection: sa.Connection, reach: Reach, university_id: int | None) -> Iterator[Sighting]:
    """A teacher of whom only Moodle knows the number is of the Moodle of the person to whom it was done."""
    held = DID if reach.people else reach.held
    for column in _columns(reach, reach.actors):
        query = sa.select(column.label("number"), *_last(reach)).where(column.is_not(None)).group_by(column)
        if "participant_id" in reach.table.c:
            query = query.add_columns(participant.c.issuer, participant.c.university_id).group_by(
                participant.c.issuer, participant.c.university_id
            )
            query = query.outerjoin_from(reach.table, participant, participant.c.id == reach.table.c.participant_id)
        for row in connection.execute(query):
            if (number := person_of(row.number)) is not None:
                yield _sighting(reach, row, Met.PARTICIPANT, number=number, held=held)
            elif (number := staff_of(row.number)) is not None:
                yield _sighting(reach, row, Met.STAFF, number=number, held=held)
            elif (sub := sub_of_moodle_user(row.number)) and row.university_id == university_id:
                yield _sighting(reach, row, Met.MEMBER, number=sub, held=held)


def _details(connection: sa.Connection, reach: Reach) -> Iterator[Sighting]:
    for column in _columns(reach, reach.details):
        query = _each(reach, column).where(column.like('%"participant": %')).execution_options(yield_per=1_000)
        for row in connection.execute(query):
            if (number := participant_in(row.number)) is not None:
                yield _sighting(reach, row, Met.PARTICIPANT, number=number)


def _members(connection: sa.Connection, reach: Reach, university_id: int) -> Iterator[Sighting]:
    for column in _columns(reach, reach.members):
        query = sa.select(column.label("number"), *_last(reach)).where(column.is_not(None)).group_by(column)
        named = _in_course(reach, query, university_id).group_by(_ISSUER, course.c.title)
        yield from (_sighting(reach, row, Met.MEMBER) for row in connection.execute(named))


def _lists(connection: sa.Connection, reach: Reach, university_id: int) -> Iterator[Sighting]:
    for name, subs_in in reach.lists.items():
        column = reach.table.c[name]
        query = _in_course(reach, _each(reach, column).where(column.is_not(None)), university_id)
        for row in connection.execute(query):
            yield from (_sighting(reach, row, Met.MEMBER, number=sub) for sub in subs_in(row.number))


def _accounts(connection: sa.Connection, reach: Reach, university_id: int) -> Iterator[Sighting]:
    for column in _columns(reach, reach.accounts):
        assert reach.issuer is not None
        query = _each(reach, column).add_columns(reach.issuer.label("issuer"))
        if reach.issuer.table is not reach.table:
            query = query.join_from(reach.table, reach.issuer.table)
        query = query.where(of_university(reach.table, university_id), column.is_not(None))
        yield from (_sighting(reach, row, Met.ACCOUNT) for row in connection.execute(query))


def _names(connection: sa.Connection, reach: Reach, university_id: int | None) -> Iterator[Sighting]:
    for column in _columns(reach, reach.names):
        query = sa.select(column.label("number"), *_last(reach)).where(column != "").group_by(column)
        if reach.table is not session:
            query = query.join_from(reach.table, session, reach.table.c.session_id == session.c.id)
        query = query.where(session.c.hosting_university_id == university_id)  # IS NULL for None
        yield from (_sighting(reach, row, Met.NAME) for row in connection.execute(query))


def _texts(connection: sa.Connection, reach: Reach) -> Iterator[Sighting]:
    """By the series that they are of."""
    if not reach.texts:
        return
    query = sa.select(series.c.title.label("number"), *_last(reach)).group_by(series.c.title)
    query = query.join_from(reach.table, series, reach.table.c.series_id == series.c.id)
    yield from (_sighting(reach, row, Met.TEXT) for row in connection.execute(query))


_ISSUER = sa.func.coalesce(platform.c.issuer, moodle_connection.c.base_url, "")


def _in_course(reach: Reach, query: Query, university_id: int) -> Query:
    """With issuer and title of the row's course."""
    source: sa.FromClause = reach.table.join(course, reach.table.c.course_id == course.c.id)
    for table in {column.table: None for column in reach.read_at}:
        if table is not reach.table:
            source = source.outerjoin(table, table.c.course_id == course.c.id)
    source = (
        source.outerjoin(deployment, course.c.deployment_id == deployment.c.id)
        .outerjoin(platform, deployment.c.platform_id == platform.c.id)
        .outerjoin(moodle_connection, moodle_connection.c.university_id == course.c.university_id)
    )
    query = query.add_columns(_ISSUER.label("issuer"), course.c.title.label("course")).select_from(source)
    return query.where(course.c.university_id == university_id)


def _columns(reach: Reach, names: str) -> list[sa.Column[Any]]:
    return [reach.table.c[name] for name in names.split()]


def _moments(reach: Reach) -> list[sa.Column[Any]]:
    return [*_columns(reach, reach.at), *reach.read_at]


def _each(reach: Reach, column: sa.Column[Any]) -> Query:
    """Row by row."""
    moments = [moment.label(f"at_{number}") for number, moment in enumerate(_moments(reach))]
    return sa.select(column.label("number"), *moments, _undated(reach).label("undated"))


def _last(reach: Reach) -> list[sa.Label[Any]]:
    """Of a group of rows."""
    moments = [sa.func.max(moment).label(f"at_{number}") for number, moment in enumerate(_moments(reach))]
    return [*moments, sa.func.max(_undated(reach)).label("undated")]


def _undated(reach: Reach) -> sa.ColumnElement[int]:
    """1, where nobody knows when it was."""
    return sa.case((sa.and_(sa.true(), *(moment.is_(None) for moment in _moments(reach))), 1), else_=0)


def _sighting(
    reach: Reach, row: Any, met: Met, *, number: int | str | None = None, held: str | None = None
) -> Sighting:
    found = row._mapping
    moments = [value for name, value in found.items() if name.startswith("at_") and value is not None]
    return Sighting(
        met=met,
        number=str(row.number if number is None else number),
        held=held or reach.held,
        issuer=found.get("issuer") or "",
        course=found.get("course") or "",
        at=max(moments, default=None),
        is_undated=bool(row.undated),
    )
