"""`lti-tool platform invite` and `approve` as an operator types them."""

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config.command_line import Failure
from config.settings import Settings
from lti_tool.cli import lti_tool
from series.store.database import Database
from series.store.lms_invitations import list_invitations
from series.store.universities import NotThere, PlatformNotApproved, add_platform, find_platform
from tests.conftest import NOW, make_settings
from tests.integration.test_key_commands import environment_of
from tests.seeds import PLATFORM, seed


@dataclass(frozen=True, kw_only=True)
class Operator:
    settings: Settings
    database: Database

    def types(self, *arguments: str) -> Result:
        return CliRunner().invoke(lti_tool, ["platform", *arguments], env=environment_of(self.settings))

    def succeeds(self, *arguments: str) -> str:
        done = self.types(*arguments)
        assert (done.exit_code, done.stderr) == (0, ""), done.exception
        return done.stdout

    def state(self, slug: str = "waiting") -> str:
        with self.database.read() as connection:
            row = find_platform(connection, slug)
        assert row
        return row.state


@pytest.fixture
def operator(sqlite_url: str, tmp_path: Path) -> Operator:
    """Malta has one LMS that works, and one that waits."""
    settings = replace(make_settings(sqlite_url), clock_file=tmp_path / "clock")
    database = Database(sqlite_url)
    seed(database)
    with database.write() as connection:
        add_platform(connection, replace(PLATFORM, slug="waiting", client_id="client-2", is_approved=False), now=NOW)
    return Operator(settings=settings, database=database)


def test_a_link_is_made_for_the_administrator(operator: Operator) -> None:
    said = operator.succeeds("invite", "malta")
    assert f"  {operator.settings.public_url}/lti/register/1-" in said
    assert "waits for `lti-tool platform approve`" in said
    with operator.database.read() as connection:
        (made,) = list_invitations(connection, 1)
    assert (made.approves, made.expires_at - made.created_at) == (False, timedelta(days=7))


def test_a_link_may_approve_and_be_good_for_longer(operator: Operator) -> None:
    said = json.loads(operator.succeeds("invite", "malta", "--approve", "--days", "30", "--json"))
    assert (said["university"], said["approves"]) == ("malta", True)
    assert said["link"].startswith(f"{operator.settings.public_url}/lti/register/1-")
    with operator.database.read() as connection:
        (made,) = list_invitations(connection, 1)
    assert made.expires_at.isoformat() == said["expires_at"]
    assert made.expires_at - made.created_at == timedelta(days=30)


@pytest.mark.parametrize("days", ["0", "31", "x"])
def test_days_that_cannot_be_are_wrong_use(operator: Operator, days: str) -> None:
    assert operator.types("invite", "malta", "--days", days).exit_code == 2


def test_nobody_is_invited_who_is_not_there(operator: Operator) -> None:
    assert isinstance(operator.types("invite", "atlantis").exception, NotThere)


def test_an_lms_that_waits_is_approved_and_not_enabled(operator: Operator) -> None:
    refused = operator.types("enable", "waiting").exception
    assert isinstance(refused, PlatformNotApproved)
    assert "lti-tool platform approve waiting" in str(refused)
    assert operator.state() == "pending"
    assert "is approved" in operator.succeeds("approve", "waiting")
    assert operator.state() == "active"
    again = operator.types("approve", "waiting").exception
    assert isinstance(again, Failure)
    assert "it is active" in str(again)


def test_one_that_was_turned_down_is_not_enabled_either(operator: Operator) -> None:
    operator.succeeds("disable", "waiting")
    assert isinstance(operator.types("enable", "waiting").exception, PlatformNotApproved)
    assert operator.state() == "rejected"
