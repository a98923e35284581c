"""Fixtures that most tests share: settings, and a fresh database of each kind."""

import base64
import logging
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import hypothesis
import pytest
import structlog
from werkzeug.routing import Rule

from config.settings import Settings
from series.store.database import Database
from tests.databases import KINDS, Databases

PUBLIC_URL = "http://localhost:8999"
# No test is timed: the machine may be busy with something else.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
NOW = datetime(2026, 11, 24, 15, 10, tzinfo=UTC)  # ten minutes into the session of week 7 of the sample series


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    made = Databases(tmp_path_factory.mktemp("databases"))
    yield made
    made.stop()


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, databases: Databases) -> Iterator[str]:
    """Each test that asks for it runs twice: on SQLite and on PostgreSQL."""
    with databases.fresh(request.param) as url:
        yield url


@pytest.fixture
def sqlite_url(databases: Databases) -> Iterator[str]:
    with databases.fresh("sqlite") as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def settings(sqlite_url: str) -> Settings:
    return make_settings(sqlite_url)


def make_environment(public_url: str, database_url: str) -> dict[str, str]:
    """For real processes: this one's environment with settings of the test's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SHARED_SESSIONS_")}
    return kept | {
        "SHARED_SESSIONS_PUBLIC_URL": public_url,
        "SHARED_SESSIONS_DATABASE_URL": database_url,
        "SHARED_SESSIONS_SECRET_KEY": "a test's secret key, long enough for all",
        "SHARED_SESSIONS_ENCRYPTION_KEY": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",
    }


def make_settings(database_url: str) -> Settings:
    return Settings(
        public_url=PUBLIC_URL,
        database_url=database_url,
        secret_key=b"a test's secret key, long enough for all",
        encryption_key=base64.urlsafe_b64encode(b"k" * 32),
    )


@pytest.fixture(scope="session", autouse=True)
def routes_compiled_once() -> Iterator[None]:
    """Each test has an application of its own, and Werkzeug would compile what builds its 200 addresses anew for each,
    in half of the time of a test of pages. What it compiles depends on the route's text and defaults alone."""
    compiled: dict[object, Callable[..., tuple[str, str]]] = {}
    compile_anew = Rule._compile_builder

    def compile_once(rule: Rule, *how: bool) -> Callable[..., tuple[str, str]]:
        key = (rule.rule, tuple(rule._trace), repr(rule.defaults), how)
        if key not in compiled:
            compiled[key] = compile_anew(rule, *how)
        return compiled[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", compile_once)
        yield


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A command in this process sets the log to errors alone, for good."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    structlog.configure(**before)
    root.handlers = handlers
    root.setLevel(level)
