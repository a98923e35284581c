"""Points of a data-protection officer's list that are about the whole program; docs/privacy-points.md has all."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from config.settings import SettingsError, read_settings
from lti_tool.protocol.registration import CLAIMS
from series.data_map import HOLDINGS
from series.data_map_kinds import Category
from series.privacy.bundle import DOCUMENTS
from series.privacy.facts import Facts
from series.store.database import Database
from series.store.tables import course, metadata
from series.store.tables import series as series_table
from tests.conftest import NOW, make_environment, make_settings
from tests.integration.lti.role_doors import COURSE, STAFF, STAFF_PAGES, VISIT, VISITORS
from tests.seeds import launch, seed

ROOT = Path(__file__).parents[3]
ADDRESS = re.compile(r"(?<![/:\w.@%-])[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}")  # and no user in a web address
SIGNS = {"me@zoom.us", "a@b.org", "c@d.org", "ä@b.org"}  # of what is refused as a host, or taken as an address
NOBODYS = re.compile(r"(?:example|invalid|test|localhost)(?:\.\w+)?$", re.IGNORECASE)


def test_dpo_05_by_itself_the_tool_asks_for_the_number_alone() -> None:
    assert CLAIMS == ("iss", "sub")


def test_dpo_05_no_column_can_hold_the_name_or_address_of_who_launches() -> None:
    named = {one.table for one in HOLDINGS if {Category.NAME, Category.CONTACT} & set(one.columns)}
    assert named == {"staff", "host_invitation", "session"}  # accounts; and those whom coordinators name in public


def test_dpo_07_staff_open_no_page_of_a_course_and_nobody_from_an_lms_a_page_of_staff() -> None:
    """That each door holds what it says is tried in tests/integration/lti/test_role_matrix.py."""
    assert not [name for name, door in {**COURSE, **VISIT}.items() if door.may & STAFF]
    assert not [name for name, door in STAFF_PAGES.items() if door.may & VISITORS]


def test_dpo_17_only_https_and_only_with_keys_of_our_own() -> None:
    with pytest.raises(SettingsError, match="https"):
        read_settings(make_environment("http://sessions.example.org", "sqlite:///x.db"))
    without = make_environment("https://sessions.example.org", "sqlite:///x.db")
    del without["SHARED_SESSIONS_ENCRYPTION_KEY"]
    with pytest.raises(SettingsError, match="ENCRYPTION_KEY"):
        read_settings(without)


def test_dpo_17_no_key_of_the_operator_is_in_the_database(database: Database) -> None:
    seed(database)
    launch(database)
    settings = make_settings(str(database.url))
    with database.read() as connection:
        held = "".join(str(row) for table in metadata.sorted_tables for row in connection.execute(sa.select(table)))
    assert settings.secret_key.decode() not in held
    assert settings.encryption_key.decode() not in held


def test_dpo_23_what_nobody_has_set_is_the_most_private(database: Database) -> None:
    """No announcements in a course, no grade before somebody has done something, groups under five hidden."""
    seed(database)
    launch(database)
    with database.read() as connection:
        assert connection.execute(sa.select(course.c.announces)).scalars().all() == [False]
        assert connection.execute(sa.select(series_table.c.smallest_group)).scalar_one() >= 5


def test_dpo_24_a_recording_has_its_own_notice_and_needs_no_face() -> None:
    facts = Facts(
        public_url="",
        operator="",
        contact="",
        hosting="",
        sends_mail=False,
        partners=(),
        today=NOW.date(),
        countries={},
    )
    said = str(DOCUMENTS["notice"](facts))
    assert "If a session is recorded, the host says so before" in said
    assert "neither camera nor name" in said


def test_dpo_26_addresses_in_tests_and_samples_are_made_up() -> None:
    """Under names that nobody can have: https://www.rfc-editor.org/rfc/rfc2606"""
    files = [
        file
        for folder in ("tests", "sandbox_lms", "config/sample")
        for file in (ROOT / folder).rglob("*")
        if file.suffix in {".py", ".ics", ".toml", ".json", ".csv", ".txt", ".html"}
    ]
    found = {(file.name, address) for file in files for address in ADDRESS.findall(file.read_text(errors="ignore"))}
    assert {one for _, one in found if not NOBODYS.search(one)} <= SIGNS
