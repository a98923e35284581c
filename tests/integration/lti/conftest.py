"""A running tool, two LMSs that it knows, a browser, and a login that has reached the LMS."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.integration.lti.course import CourseUnderTest, names_told, open_course
from tests.integration.lti.lms import KeySets, Lms
from tests.integration.lti.tool import Browser, Login, ToolUnderTest, open_tool


@pytest.fixture(scope="session")
def key_sets() -> Iterator[KeySets]:
    served = KeySets()
    yield served
    served.stop()


@pytest.fixture
def malta(key_sets: KeySets) -> Lms:
    return new_lms("malta", key_sets)


@pytest.fixture
def vilnius(key_sets: KeySets) -> Lms:
    return new_lms("vilnius", key_sets)


@pytest.fixture
def tool(sqlite_url: str, malta: Lms, vilnius: Lms, tmp_path: Path) -> Iterator[ToolUnderTest]:
    with open_tool(sqlite_url, malta, vilnius, tmp_path / "clock") as opened:
        yield opened


@pytest.fixture
def browser(tool: ToolUnderTest) -> Browser:
    return tool.new_browser()


@pytest.fixture
def login(browser: Browser, malta: Lms) -> Login:
    return browser.begin_login(malta)


@pytest.fixture
def course(tool: ToolUnderTest, malta: Lms) -> Iterator[CourseUnderTest]:
    """Of which the LMS tells the names."""
    with open_course(tool, malta) as opened, names_told(malta):
        yield opened


def new_lms(slug: str, key_sets: KeySets) -> Lms:
    lms = Lms(slug=slug, key_sets=key_sets, jwks_path=f"/{slug}/{uuid4().hex}.json")
    lms.publish()
    return lms
