"""Which state of the tables this code wants, and whether the database has it.

Without Alembic: loading it takes every command a tenth of a second.
"""

import sqlalchemy as sa

from series.store.database import Database
from series.store.tables import installation

NEWEST = "0012"  # the last revision in migrations/versions

_VERSIONS = sa.table("alembic_version", sa.column("version_num", sa.String))


class NotMigrated(Exception):
    """The tables are not those that this code works with."""

    def __init__(self) -> None:
        super().__init__("The database is not up to date. Run `lti-tool migrate` first.")


def is_current(database: Database) -> bool:
    with database.read() as connection:
        if not sa.inspect(connection).has_table(_VERSIONS.name):
            return False
        return connection.execute(sa.select(_VERSIONS.c.version_num)).scalar_one_or_none() == NEWEST


def require_current(database: Database) -> None:
    """Raises NotMigrated."""
    if not is_current(database):
        raise NotMigrated


def open_current(url: str) -> Database:
    """The database, for whoever only works with it. Raises NotMigrated."""
    database = Database(url)
    require_current(database)
    return database


def installation_id(connection: sa.Connection) -> str:
    """Tells this installation's marks in a Moodle calendar from another installation's."""
    return str(connection.execute(sa.select(installation.c.installation_id)).scalar_one())
