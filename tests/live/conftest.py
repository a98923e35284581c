"""A world for each test. Its port is the one that Moodle knows, so there is one at a time."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from config.settings import is_loopback_host
from lms.guarded import GuardedSession
from lms.moodle import Moodle
from tests.browser.conftest import browser, browsers, chromium, new_person
from tests.databases import Databases
from tests.live.world import GIVEN, World, serve_world

__all__ = ["browser", "browsers", "chromium", "new_person"]


@pytest.fixture(scope="session")
def moodle() -> Iterator[Moodle]:
    url = GIVEN["URL"]
    assert is_loopback_host(urlsplit(url).hostname or ""), "only a Moodle on this computer"
    with GuardedSession(allowed_networks=(), allow_loopback=True) as http:
        yield Moodle(http=http, base_url=url, token=GIVEN["TOKEN"])


@pytest.fixture
def world(tmp_path: Path, sqlite_url: str, moodle: Moodle) -> Iterator[World]:
    with serve_world(tmp_path, sqlite_url, moodle) as served:
        yield served


@pytest.fixture
def world_without_deployment(tmp_path: Path, sqlite_url: str, moodle: Moodle) -> Iterator[World]:
    with serve_world(tmp_path, sqlite_url, moodle, deployments=()) as served:
        yield served


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory: pytest.TempPathFactory, databases: Databases, moodle: Moodle) -> Iterator[World]:
    """One world for tests that change nothing in it."""
    with databases.fresh("sqlite") as url, serve_world(tmp_path_factory.mktemp("live"), url, moodle) as served:
        yield served
