"""What unit tests share."""

from collections.abc import Iterator

import pytest

from lms.moodle import Moodle
from tests.unit.recordings import MOODLE_TOKEN, MOODLE_URL, loopback_session


@pytest.fixture
def moodle() -> Iterator[Moodle]:
    with loopback_session() as http:
        yield Moodle(http, MOODLE_URL, MOODLE_TOKEN)
