"""A running tool, two LMSs that it knows, a browser, and a login that has reached the LMS."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.databases import Databases, Snapshot
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


@pytest.fixture(scope="session")
def open_once(
    databases: Databases, key_sets: KeySets, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[CourseUnderTest, Snapshot]]:
    """One tool and one teacher's visit for all tests of the course's pages: to make them takes longer than a test."""
    malta, vilnius = new_lms("malta", key_sets), new_lms("vilnius", key_sets)
    with (
        databases.fresh("sqlite") as url,
        open_tool(url, malta, vilnius, tmp_path_factory.mktemp("course") / "clock") as tool,
        open_course(tool, malta) as opened,
        Snapshot(url) as snapshot,
    ):
        yield opened, snapshot


@pytest.fixture
def course(open_once: tuple[CourseUnderTest, Snapshot]) -> Iterator[CourseUnderTest]:
    """A course as it was before any other test. Its LMS tells the names."""
    opened, snapshot = open_once
    snapshot.restore()
    with names_told(opened.tool.malta):
        yield opened


def new_lms(slug: str, key_sets: KeySets) -> Lms:
    lms = Lms(slug=slug, key_sets=key_sets, jwks_path=f"/{slug}/{uuid4().hex}.json")
    lms.publish()
    return lms
