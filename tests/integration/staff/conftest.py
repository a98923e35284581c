"""A running tool with accounts, and a browser."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import make_settings
from tests.integration.staff.desk import Desk, Office, open_office


@pytest.fixture
def office(sqlite_url: str, tmp_path: Path) -> Iterator[Office]:
    with open_office(replace(make_settings(sqlite_url), clock_file=tmp_path / "clock")) as opened:
        yield opened


@pytest.fixture
def browser(office: Office) -> Desk:
    return office.new_browser()


@pytest.fixture
def signed_in(browser: Desk) -> Desk:
    assert browser.sign_in().status_code == 303
    return browser
