"""All rows of one university, for it to take along: its own people as they are held, nobody else by a number."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from series.audit_lines import participant_in, person_of, staff_of
from series.data_map import HOLDINGS
from series.data_map_kinds import Category
from series.staff import Role
from series.store.audit_commitments import NAMES_IN_DETAIL, line_of
from series.store.belongings import of_university, own_tables
from series.store.breach_reach import REACHES
from series.store.lms_tables import lms_invitation
from series.store.tables import audit, course, delivery, deployment, participant, platform, staff, university

SECRET_COLUMNS = frozenset(
    {f"{one.table}.{name}" for one in HOLDINGS for name in one.columns.get(Category.PROOF, "").split()}
    | {"moodle_connection.token_sealed", "pseudonym_salt.salt"}
)  # never exported: they would open something
OWN_THINGS: Mapping[str, sa.Table] = {  # that an actor or a thing of the audit may be, and that belong to a university
    "participant": participant,
    "staff": staff,
    "university": university,
    "course": course,
    "platform": platform,
    "deployment": deployment,
    "delivery": delivery,
    "lms invitation": lms_invitation,
}
SHARED_THINGS = frozenset({"session", "series", "key"})
A_COORDINATOR, SOMEBODY_ELSE = "a coordinator", "somebody else"
AT_ONCE = 1_000  # rows in memory
_ACTORS = {reach.table: reach.actors.split() for reach in REACHES}


@dataclass(frozen=True, kw_only=True)
class _Own:
    """Whom the university knows by number, and who coordinates."""

    people: frozenset[int]
    staff: frozenset[int]
    coordinators: frozenset[int]

    def named(self, who: str) -> str:
        """An actor or a thing, in place of another one what they are."""
        if (number := person_of(who)) is not None:
            return who if number in self.people else SOMEBODY_ELSE
        if (number := staff_of(who)) is None or number in self.staff:
            return who
        return A_COORDINATOR if number in self.coordinators else SOMEBODY_ELSE


def rows_of_university(connection: sa.Connection, university_id: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """(table, row) of everything, without what would open something."""
    own = _own(connection, university_id)
    for table in (*own_tables(), university):
        shown = [column for column in table.c if f"{table.name}.{column.name}" not in SECRET_COLUMNS]
        query = sa.select(*shown).where(_whose(table, university_id)).order_by(*table.primary_key)
        actors = _ACTORS.get(table, ())
        for row in connection.execute(query.execution_options(yield_per=AT_ONCE)).mappings():
            yield table.name, {**row, **{name: own.named(row[name]) for name in actors if row[name] is not None}}
    yield from ((audit.name, row) for row in _audit(connection, university_id, own))


def _audit(connection: sa.Connection, university_id: int, own: _Own) -> Iterator[dict[str, Any]]:
    """Lines in which it, its people, its staff, its courses or its LMSs act, or something is done to them."""
    names = sa.union_all(
        *(
            sa.select(sa.literal(f"{kind} ") + sa.cast(table.c.id, sa.String)).where(_whose(table, university_id))
            for kind, table in OWN_THINGS.items()
        )
    )
    is_own = audit.c.object.in_(names) | audit.c.actor.in_(names)
    query = sa.select(audit, is_own.label("is_own")).where(is_own | NAMES_IN_DETAIL).order_by(audit.c.id)
    for row in connection.execute(query.execution_options(yield_per=AT_ONCE)):
        line = line_of(row)
        whom = participant_in(line.detail)
        if row.is_own or whom in own.people:
            named = {} if whom is None else {"participant": own.named(f"participant {whom}")}
            yield {
                "id": line.line_id,
                "at": line.at,
                "actor": own.named(line.actor),
                "action": line.action,
                "object": own.named(line.thing),
                "detail": line.details | named,
            }


def _whose(table: sa.Table, university_id: int) -> sa.ColumnElement[bool]:
    return university.c.id == university_id if table is university else of_university(table, university_id)


def _own(connection: sa.Connection, university_id: int) -> _Own:
    def numbers(table: sa.Table, which: sa.ColumnElement[bool]) -> frozenset[int]:
        return frozenset(connection.execute(sa.select(table.c.id).where(which)).scalars())

    return _Own(
        people=numbers(participant, participant.c.university_id == university_id),
        staff=numbers(staff, staff.c.university_id == university_id),
        coordinators=numbers(staff, staff.c.role == Role.COORDINATOR.value),
    )
