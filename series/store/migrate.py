"""Bring the tables to the newest state."""

from pathlib import Path
from uuid import uuid4

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from config.private_files import make_private
from series.store.database import Database, insert, sqlite_path
from series.store.tables import installation

MIGRATION_LOCK = 5_350_101  # any number that nobody else locks in our database


def migrate(database: Database) -> None:
    """Run all migrations that are missing. May be repeated; two at once take turns. A new file of SQLite, with those
    that stand beside it, is for the account alone that runs us."""
    if (path := sqlite_path(database.url)) is not None:
        make_private(path)
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.execute(
            insert(connection, installation)
            .values(id=1, installation_id=uuid4())
            .on_conflict_do_nothing(index_elements=["id"])
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
