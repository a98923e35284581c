"""All rows of one database in another one, of whichever kind."""

import sqlalchemy as sa

from series.store.database import Database
from series.store.tables import installation, metadata

_UNCHECKED = {  # until the end: sessions and versions of rules name each other
    "sqlite": "PRAGMA defer_foreign_keys = ON",
    "postgresql": "SET LOCAL session_replication_role = replica",
}


def copy_rows(source: Database, target: Database) -> None:
    """`target` has the tables, and nothing in them but what the migrations put there."""
    with source.read() as read, target.write() as write:
        write.execute(sa.text(_UNCHECKED["sqlite" if target.is_sqlite else "postgresql"]))
        write.execute(sa.delete(installation))
        for table in metadata.sorted_tables:
            rows = [dict(row) for row in read.execute(sa.select(table)).mappings()]
            if rows:
                write.execute(sa.insert(table), rows)
            if rows and not target.is_sqlite and isinstance(table.c.get("id", sa.column("")).type, sa.Integer):
                last = max(row["id"] for row in rows)
                write.execute(sa.select(sa.func.setval(sa.func.pg_get_serial_sequence(table.name, "id"), last)))
