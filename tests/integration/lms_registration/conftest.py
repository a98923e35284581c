"""A campus that is not registered yet."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import make_settings
from tests.integration.lms_registration.campus import Campus, open_campus


@pytest.fixture
def campus(sqlite_url: str, tmp_path: Path) -> Iterator[Campus]:
    (tmp_path / "world").mkdir()
    with open_campus(replace(make_settings(sqlite_url), clock_file=tmp_path / "clock"), tmp_path) as opened:
        yield opened
