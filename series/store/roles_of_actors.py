"""Who somebody in the audit, or who has said something, is to the person whose data they are: a role, and no name."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from series.own_data import Role, Row
from series.staff import Role as StaffRole
from series.store.audit import OPERATOR
from series.store.tables import participant, staff

BY = "by"  # the column of rows that names an actor


def with_roles(
    connection: sa.Connection, rows: Collection[Row], *, participant_id: int, university_id: int
) -> tuple[Row, ...]:
    """The same rows, with a role in place of every actor."""
    actors = {str(row[BY]) for row in rows if row.get(BY) is not None}
    if not actors:
        return tuple(rows)
    people, of_staff = _people(connection, actors), _staff(connection, actors)

    def role(actor: str) -> Role:
        if actor == f"participant {participant_id}":
            return Role.SELF
        if actor in people:
            return Role.TEACHER if people[actor] == university_id else Role.OTHER_UNIVERSITY
        if actor in of_staff:
            return of_staff[actor]
        if actor == OPERATOR:
            return Role.OPERATOR
        return Role.LMS if actor.startswith("moodle ") else Role.NOBODY

    return tuple({**row, BY: role(str(row[BY])).value} if row.get(BY) is not None else row for row in rows)


def _people(connection: sa.Connection, actors: Collection[str]) -> dict[str, int]:
    """Their universities. Who has been erased is nobody."""
    ids = _numbers(actors, "participant")
    query = sa.select(participant.c.id, participant.c.university_id)
    rows = connection.execute(query.where(participant.c.id.in_(ids), participant.c.issuer != ""))
    return {f"participant {row.id}": row.university_id for row in rows}


def _staff(connection: sa.Connection, actors: Collection[str]) -> dict[str, Role]:
    query: sa.Select[Any] = sa.select(staff.c.id, staff.c.role)
    rows = connection.execute(query.where(staff.c.id.in_(_numbers(actors, "staff"))))
    coordinates = StaffRole.COORDINATOR.value
    return {f"staff {row.id}": Role.COORDINATOR if row.role == coordinates else Role.LMS_ADMIN for row in rows}


def _numbers(actors: Collection[str], kind: str) -> list[int]:
    parts = (actor.split(" ") for actor in actors)
    return [int(part[1]) for part in parts if len(part) == 2 and part[0] == kind and part[1].isdecimal()]
