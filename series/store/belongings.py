"""Which rows of which tables belong to one university: whatever points to it, over however many tables.

Read from the foreign keys, so that a new table is not forgotten: it belongs as soon as it points somewhere that does.
"""

import sqlalchemy as sa

# Every module of tables, because `metadata` knows only those that somebody has loaded.
from series.store import lms_tables, moodle_tables, pooled_tables, privacy_tables
from series.store.tables import check_in, metadata, rule_version, session, university

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


def own_tables() -> list[sa.Table]:
    """Those with rows that belong to universities, each after all that it points to."""
    return [table for table in metadata.sorted_tables if _belongs(table)]


def of_university(table: sa.Table, university_id: int) -> sa.ColumnElement[bool]:
    """Which rows of one of `own_tables` belong to it."""
    if _is_direct(table):
        direct: sa.ColumnElement[bool] = table.c.university_id == university_id
        return direct
    return sa.or_(
        *(
            key.parent.in_(sa.select(key.column).where(of_university(key.column.table, university_id)))
            for key in _parents(table)
        )
    )


def _belongs(table: sa.Table) -> bool:
    if table in NOT_ITS_OWN:
        return False
    return _is_direct(table) or bool(_parents(table))


def _is_direct(table: sa.Table) -> bool:
    """Of a completion the university is that of its participant, by whose index it is found much faster."""
    return any(key.parent.name == "university_id" and key.column is university.c.id for key in table.foreign_keys)


def _parents(table: sa.Table) -> list[sa.ForeignKey]:
    """The keys by which it belongs; not one to a row of its own table."""
    keys = sorted(table.foreign_keys, key=lambda key: key.parent.name)
    return [key for key in keys if key.column.table is not table and _belongs(key.column.table)]
