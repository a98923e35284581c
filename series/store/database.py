"""The engine and its transactions: SQLite in WAL by default, PostgreSQL by its URL."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

BUSY_TIMEOUT_S = 10
THREADS = 16  # that one process may have, each with a connection of its own


class DatabaseBusy(Exception):
    """The database could not be had in time: somebody else holds it. Nothing was written."""


class DatabaseUnreachable(Exception):
    """There is no database to talk to, or it cannot be opened."""


class Database:
    """One engine for each process.

    `write()` takes SQLite's write lock at its start (BEGIN IMMEDIATE), because a transaction that reads first and
    writes later fails at once when somebody else wrote in between, whatever the busy timeout.
    """

    def __init__(self, url: str, *, busy_timeout_s: int = BUSY_TIMEOUT_S) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        waiting: dict[str, Any] = (
            {"timeout": busy_timeout_s}
            if self.is_sqlite
            else {"options": f"-c lock_timeout={max(1, busy_timeout_s * 1000)}ms"}
        )
        self.engine = sa.create_engine(
            url,
            pool_pre_ping=not self.is_sqlite,
            connect_args=waiting,
            pool_size=THREADS,
            max_overflow=THREADS,
            hide_parameters=True,
        )
        if self.is_sqlite:
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)
        self._writing = self.engine.execution_options(shared_sessions_writes=True)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        with _translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that commits at the end of the block, or leaves nothing behind."""
        with _translated(), self._writing.connect() as connection, connection.begin():
            yield connection

    def dispose(self) -> None:
        self.engine.dispose()


def insert(connection: sa.Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """The dialect's own insert, which knows ON CONFLICT."""
    return insert_of(connection.dialect.name, table)


def insert_of(dialect: str, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """As `insert`, for a statement that is built once for all connections."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def upsert(
    connection: sa.Connection, table: sa.Table, key: dict[str, Any], fresh: dict[str, Any], *, update: dict[str, Any]
) -> int:
    """The id of the row with `key`, made with `fresh` or changed by `update`."""
    first = next(iter(key))
    statement = (
        insert(connection, table)
        .values(**key, **fresh)
        .on_conflict_do_update(index_elements=list(key), set_=update or {first: key[first]})
        .returning(table.c.id)
    )
    return int(connection.execute(statement).scalar_one())


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite URL, or None for PostgreSQL and for a database in memory."""
    database = sa.make_url(url).database
    return Path(database) if url.startswith("sqlite") and database else None


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sa.exc.OperationalError as error:
        if any(words in str(error.orig) for words in ("locked", "busy", "lock timeout")):
            raise DatabaseBusy("The database is busy. Nothing was written; please try again.") from error
        raise DatabaseUnreachable(_first_line(error)) from error
    except sa.exc.DatabaseError as error:
        if type(error) is not sa.exc.DatabaseError:  # a subclass is about one statement; this is about the whole file
            _forget_the_row(error)
            raise
        raise DatabaseUnreachable(_first_line(error)) from error


def _first_line(error: sa.exc.DBAPIError) -> str:
    return f"The database cannot be used: {str(error.orig).splitlines()[0]}"


def _forget_the_row(error: sa.exc.DatabaseError) -> None:
    """Tracebacks are logged, and PostgreSQL's DETAIL shows the row that it refused."""
    for each in (error, error.orig):
        if each is not None and each.args:
            each.args = (str(each.args[0]).partition("\n")[0], *each.args[1:])


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver's guess
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("shared_sessions_writes")
    driver: Any = connection.connection.dbapi_connection
    try:
        driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN")  # not by exec_driver_sql, which costs a launch more
    except sqlite3.Error as error:
        raise sa.exc.DBAPIError.instance("BEGIN", None, error, sqlite3.Error, hide_parameters=True) from error
