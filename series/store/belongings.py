"""Which rows of which tables belong to one university: whatever points to it, over however many tables.

Read from the foreign keys, so that a new table is not forgotten: it belongs as soon as it points somewhere that does.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from series.data_map import HOLDINGS
from series.data_map_kinds import Category

# Every module of tables, because `metadata` knows only those that somebody has loaded.
from series.store import lms_tables, moodle_tables, pooled_tables, privacy_tables
from series.store.tables import audit, check_in, metadata, participant, rule_version, session, university

# They point to it and are not its own: what was published, what all share, and on what ground data once crossed.
NOT_ITS_OWN = frozenset(
    {
        university,
        session,
        rule_version,
        check_in,
        pooled_tables.pooled_count,
        pooled_tables.pooled_step,
        privacy_tables.transfer_instrument,
        privacy_tables.deletion_certificate,
    }
)
_LOADED = (lms_tables, moodle_tables, pooled_tables, privacy_tables)
SECRET_COLUMNS = frozenset(
    {f"{one.table}.{name}" for one in HOLDINGS for name in one.columns.get(Category.PROOF, "").split()}
    | {"moodle_connection.token_sealed", "pseudonym_salt.salt"}
)  # never exported: they would open something


def own_tables() -> list[sa.Table]:
    """Those with rows that belong to universities, each after all that it points to."""
    return [table for table in metadata.sorted_tables if _belongs(table)]


def of_university(table: sa.Table, university_id: int) -> sa.ColumnElement[bool]:
    """Which rows of one of `own_tables` belong to it."""
    if "university_id" in table.c:
        direct: sa.ColumnElement[bool] = table.c.university_id == university_id
        return direct
    return sa.or_(
        *(
            key.parent.in_(sa.select(key.column).where(of_university(key.column.table, university_id)))
            for key in _parents(table)
        )
    )


def audit_of_university(university_id: int) -> sa.ColumnElement[bool]:
    """The lines in which it, or one of its people, acts or is looked at."""
    people = sa.select(sa.literal("participant ") + sa.cast(participant.c.id, sa.String)).where(
        participant.c.university_id == university_id
    )
    return sa.or_(
        audit.c.object == f"university {university_id}", audit.c.object.in_(people), audit.c.actor.in_(people)
    )


def rows_of_university(connection: sa.Connection, university_id: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """(table, row) of everything, without what would open something; a thousand rows in memory at a time."""
    wanted = [(table, of_university(table, university_id)) for table in own_tables()]
    wanted += [(university, university.c.id == university_id), (audit, audit_of_university(university_id))]
    for table, which in wanted:
        shown = [column for column in table.c if f"{table.name}.{column.name}" not in SECRET_COLUMNS]
        query = sa.select(*shown).where(which).order_by(*table.primary_key).execution_options(yield_per=1_000)
        for row in connection.execute(query).mappings():
            yield table.name, dict(row)


def _belongs(table: sa.Table) -> bool:
    if table in NOT_ITS_OWN:
        return False
    return "university_id" in table.c or bool(_parents(table))


def _parents(table: sa.Table) -> list[sa.ForeignKey]:
    """The keys by which it belongs; not one to a row of its own table."""
    keys = sorted(table.foreign_keys, key=lambda key: key.parent.name)
    return [key for key in keys if key.column.table is not table and _belongs(key.column.table)]
