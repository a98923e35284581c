"""The engine and its transactions, on both databases."""

import sqlite3
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from series.store.database import Database, DatabaseBusy, DatabaseUnreachable
from series.store.migrate import installation_id, is_current, migrate
from series.store.tables import metadata, spent_nonce
from tests.conftest import NOW


def test_the_migrations_make_exactly_the_tables(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_a_second_migration_changes_nothing(database: Database) -> None:
    with database.read() as connection:
        before = installation_id(connection)
    migrate(database)
    assert is_current(database)
    with database.read() as connection:
        assert installation_id(connection) == before


def test_an_instant_comes_back_aware(database: Database) -> None:
    with database.write() as connection:
        connection.execute(sa.insert(spent_nonce).values(nonce="n", expires_at=NOW))
    with database.read() as connection:
        assert connection.execute(sa.select(spent_nonce.c.expires_at)).scalar_one() == NOW


def test_a_failed_transaction_leaves_nothing_behind(database: Database) -> None:
    row = {"nonce": "n", "expires_at": NOW}
    with pytest.raises(sa.exc.IntegrityError), database.write() as connection:
        connection.execute(sa.insert(spent_nonce), [row, row])
    with database.read() as connection:
        assert connection.execute(sa.select(spent_nonce)).all() == []


def test_a_locked_database_says_so_and_keeps_nothing(sqlite_url: str) -> None:
    holder = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    database = Database(sqlite_url, busy_timeout_s=0)
    with pytest.raises(DatabaseBusy), database.write():
        pass
    holder.execute("ROLLBACK")
    holder.close()
    with database.write() as connection:
        connection.execute(sa.insert(spent_nonce).values(nonce="n", expires_at=NOW))
    database.dispose()


def test_reading_goes_on_while_somebody_writes(sqlite_url: str) -> None:
    database = Database(sqlite_url, busy_timeout_s=0)
    with database.write() as writing:
        writing.execute(sa.insert(spent_nonce).values(nonce="n", expires_at=NOW))
        seen: list[object] = []

        def look() -> None:
            with database.read() as reading:
                seen.extend(reading.execute(sa.select(spent_nonce)).all())

        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        assert seen == []
    database.dispose()


def test_a_database_in_a_folder_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/nowhere/x.db")
    with pytest.raises(DatabaseUnreachable, match="unable to open"), database.read():
        pass
