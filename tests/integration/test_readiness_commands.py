"""`lti-tool university list --readiness` says what the board says."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config.settings import Settings
from lti_tool.cli import lti_tool
from series.store.database import Database
from series.store.universities import NotThere
from tests.conftest import NOW, make_settings
from tests.integration.test_key_commands import environment_of
from tests.seeds import seed


@pytest.fixture
def settings(sqlite_url: str, tmp_path: Path) -> Settings:
    """On the day of the first session."""
    settings = replace(make_settings(sqlite_url), clock_file=tmp_path / "clock")
    assert settings.clock_file
    settings.clock_file.write_text(str((NOW - settings.clock().now()).total_seconds()))
    return settings


def type_in(settings: Settings, *more: str) -> Result:
    return CliRunner().invoke(lti_tool, ["university", "list", *more], env=environment_of(settings))


@pytest.fixture
def seeded(settings: Settings) -> Settings:
    database = Database(settings.database_url)
    seed(database)
    database.dispose()
    return settings


def test_each_university_and_what_it_lacks(seeded: Settings) -> None:
    said = type_in(seeded, "--readiness").stdout
    assert said.startswith("0 of 2 ready for European STEM Workshop Series.\nmalta  University of Malta  not ready\n")
    assert "  ✗ Invited: nobody is invited. Ask who administers its LMS, and invite that person.\n" in said
    assert "  ✗ Connected: registered, nobody has opened it yet, 2026-11-24. Ask its LMS admin" in said
    assert "  – Hosts named: hosts nothing\n" in said


def test_the_same_for_other_programs(seeded: Settings) -> None:
    malta, vilnius = json.loads(type_in(seeded, "--readiness", "--json", "--series", "autumn").stdout)
    assert (malta["slug"], malta["ready"], malta["series"]) == ("malta", False, "autumn")
    steps = {step["step"]: step for step in malta["steps"]}
    assert list(steps) == ["invited", "connected", "placed", "calendar", "score", "hosts"]
    assert steps["invited"]["page"] == "http://localhost:8999/admin/people/invite?university=malta"
    assert steps["connected"]["since"] == NOW.isoformat(timespec="seconds")
    assert steps["placed"]["page"] is None
    assert vilnius["steps"][5]["state_in_words"] == "nothing needed"


def test_a_series_that_is_not_there_is_said_so(seeded: Settings) -> None:
    assert isinstance(type_in(seeded, "--readiness", "--series", "x").exception, NotThere)
    assert type_in(seeded, "--series", "autumn").exit_code == 2


def test_without_a_university_it_says_how_to_begin(settings: Settings) -> None:
    assert "lti-tool university add --help" in str(type_in(settings, "--readiness").exception)
    assert type_in(settings, "--readiness", "--json").stdout == "[]\n"
