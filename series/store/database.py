"""The engine and its transactions: SQLite in WAL by default, PostgreSQL by its URL."""

import copy
import sqlite3
import threading
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

Connection = sa.Connection  # by its own name for who hands it on to the store and says no SQL

BUSY_TIMEOUT_S = 10
THREADS = 16  # that one process may have, each with a connection of its own
TURN_WITHIN_S = 60.0  # for who is in no hurry


# What begins a transaction on SQLite, whose driver begins none by itself.
_READ = ("BEGIN",)
_WRITE = ("PRAGMA synchronous = FULL", "BEGIN IMMEDIATE")
_WRITE_WITHOUT_WAITING = ("PRAGMA synchronous = NORMAL", "BEGIN IMMEDIATE")


BUSY = "The database is busy. Nothing was written; please try again."


class DatabaseBusy(Exception):
    """The database could not be had in time: somebody else holds it. Nothing was written."""


class DatabaseUnreachable(Exception):
    """There is no database to talk to, or it cannot be opened."""


class Database:
    """One engine for each process. On SQLite only `read` and `write` begin a transaction, the engine itself does not.

    `write()` takes SQLite's write lock at its start (BEGIN IMMEDIATE), because a transaction that reads first and
    writes later fails at once when somebody else wrote in between, whatever the busy timeout.
    """

    _turns: threading.Semaphore | None = None

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
            pool_timeout=busy_timeout_s,
            hide_parameters=True,
        )
        if self.is_sqlite:
            sa.event.listen(self.engine, "connect", _prepare_sqlite)

    def read(self) -> AbstractContextManager[sa.Connection]:
        return _Transaction(self.engine, _READ if self.is_sqlite else (), self._turns)

    def write(self, *, wait_for_disk: bool = True) -> AbstractContextManager[sa.Connection]:
        """A transaction that commits at the end of the block, or leaves nothing behind.

        What comes back when somebody simply does it again need not wait for the disk. It outlives every process all
        the same; only when the whole machine fails, the last of it may be missing, and never what a later `write` has
        built on: that one takes all before it to the disk. SQLite only:
        https://www.sqlite.org/pragma.html#pragma_synchronous
        """
        beginning = _WRITE if wait_for_disk else _WRITE_WITHOUT_WAITING
        return _Transaction(self.engine, beginning if self.is_sqlite else (), self._turns)

    def in_turns(self, at_once: int) -> Self:
        """The same for threads that are many and in no hurry: so many of them are at it at once, the others wait for
        their turn (TURN_WITHIN_S), so that everybody else finds a connection. No transaction within another one:
        threads that all wait for their second turn would wait for each other."""
        limited = copy.copy(self)
        limited._turns = threading.Semaphore(at_once)
        return limited

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
    statement = (
        insert(connection, table)
        .values(**key, **fresh)
        .on_conflict_do_update(index_elements=list(key), set_=update)
        .returning(table.c.id)
    )
    return int(connection.execute(statement).scalar_one())


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite URL, or None for PostgreSQL and for a database in memory."""
    database = sa.make_url(url).database
    return Path(database) if url.startswith("sqlite") and database else None


class _Transaction:
    """One transaction on a connection of its own. Its beginning is said to SQLite here: a listener of the engine costs
    a transaction more than the rest of it."""

    def __init__(self, engine: sa.Engine, beginning: tuple[str, ...], turns: threading.Semaphore | None = None) -> None:
        self._engine = engine
        self._beginning = beginning
        self._turns = turns

    def __enter__(self) -> sa.Connection:
        if self._turns is None:
            return self._begin()
        if not self._turns.acquire(timeout=TURN_WITHIN_S):
            raise DatabaseBusy(BUSY)
        try:
            return self._begin()
        except BaseException:
            self._turns.release()
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self._end(error)
        finally:
            if self._turns is not None:
                self._turns.release()

    def _begin(self) -> sa.Connection:
        try:
            self._connection = self._engine.connect()
            try:
                self._connection.begin()
                for statement in self._beginning:
                    _say_to_sqlite(self._connection, statement)
            except BaseException:
                self._connection.close()
                raise
        except sa.exc.TimeoutError as error:  # every connection of the pool is taken
            raise DatabaseBusy(BUSY) from error
        except sa.exc.DatabaseError as error:
            _raise_ours(error)
            raise
        return self._connection

    def _end(self, error: BaseException | None) -> None:
        try:
            with self._connection:  # gives it back in the end
                if error is None:
                    self._commit()
                else:
                    self._connection.rollback()
        except sa.exc.DatabaseError as failed:
            _raise_ours(failed)
            raise
        if isinstance(error, sa.exc.DatabaseError):
            _raise_ours(error)

    def _commit(self) -> None:
        try:
            self._connection.commit()
        except BaseException:
            self._connection.rollback()  # else the pool would give it out again in the middle of the transaction
            raise


def _say_to_sqlite(connection: sa.Connection, statement: str) -> None:
    driver: Any = connection.connection.dbapi_connection
    try:
        driver.execute(statement)  # not by exec_driver_sql, which costs a launch more
    except sqlite3.Error as error:
        raise sa.exc.DBAPIError.instance(statement, None, error, sqlite3.Error, hide_parameters=True) from error


def _raise_ours(error: sa.exc.DatabaseError) -> None:
    """The database's fault in our own words; the fault of one statement is left to its caller, without the row."""
    if isinstance(error, sa.exc.OperationalError):
        if any(words in str(error.orig) for words in ("locked", "busy", "lock timeout", "deadlock")):
            raise DatabaseBusy(BUSY) from error
        raise DatabaseUnreachable(_first_line(error)) from error
    if type(error) is sa.exc.DatabaseError:  # its subclasses are about one statement; this is about the whole file
        raise DatabaseUnreachable(_first_line(error)) from error
    _forget_the_row(error)


def _first_line(error: sa.exc.DBAPIError) -> str:
    return f"The database cannot be used: {str(error.orig).splitlines()[0]}"


def _forget_the_row(error: sa.exc.DatabaseError) -> None:
    """Tracebacks are logged, and PostgreSQL's DETAIL shows the row that it refused."""
    for each in (error, error.orig):
        if each is not None and each.args:
            each.args = (str(each.args[0]).partition("\n")[0], *each.args[1:])


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by us, not by the driver's guess
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()
