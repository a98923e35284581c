"""`lti-tool keys` as an operator types it. What other processes then see is in test_key_rotation.py."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config.command_line import Failure
from config.settings import Settings
from lti_tool.cli import lti_tool
from series.store.database import Database
from series.store.keys import WrongEncryptionKey, add_tool_key
from tests.conftest import NOW, make_settings
from tests.integration.sandbox_client import TOOL_KEY


@dataclass(frozen=True, kw_only=True)
class Operator:
    """Somebody at a shell whose environment names these settings."""

    settings: Settings

    def types(self, *arguments: str, answer: str | None = None) -> Result:
        """`lti-tool keys …`, in this process."""
        return CliRunner().invoke(lti_tool, ["keys", *arguments], env=environment_of(self.settings), input=answer)

    def succeeds(self, *arguments: str, answer: str | None = None) -> str:
        """What it prints; nothing on stderr."""
        done = self.types(*arguments, answer=answer)
        assert (done.exit_code, done.stderr) == (0, ""), done.exception
        return done.stdout

    def keys(self) -> list[dict[str, str | None]]:
        """The newest first."""
        rows: list[dict[str, str | None]] = json.loads(self.succeeds("list", "--json"))
        return rows

    def states(self) -> list[str | None]:
        return [key["state"] for key in self.keys()]


def environment_of(settings: Settings) -> dict[str, str]:
    return {
        "SHARED_SESSIONS_PUBLIC_URL": settings.public_url,
        "SHARED_SESSIONS_DATABASE_URL": settings.database_url,
        "SHARED_SESSIONS_SECRET_KEY": settings.secret_key.decode(),
        "SHARED_SESSIONS_ENCRYPTION_KEY": settings.encryption_key.decode(),
        "SHARED_SESSIONS_CLOCK_FILE": str(settings.clock_file or ""),
    }


@pytest.fixture
def operator(sqlite_url: str, tmp_path: Path) -> Operator:
    """There is one key, made at NOW, which is a moment ago."""
    settings = replace(make_settings(sqlite_url), clock_file=tmp_path / "clock")
    (tmp_path / "clock").write_text(str((NOW - datetime.now(UTC)).total_seconds()))
    database = Database(sqlite_url)
    with database.write() as connection:
        add_tool_key(
            connection,
            kid="first",
            private_key_pem=TOOL_KEY.as_pem(private=True),
            encryption_key=settings.encryption_key,
            now=NOW,
        )
    database.dispose()
    return Operator(settings=settings)


def test_a_list_shows_what_each_key_does_and_when(operator: Operator) -> None:
    assert operator.keys() == [
        {
            "kid": "first",
            "state": "signing",
            "created_at": "2026-11-24T15:10:00+00:00",
            "signs_from": "2026-11-24T15:10:00+00:00",
            "retires_at": None,
        }
    ]
    assert operator.succeeds("list").split()[:2] == ["first", "signing"]


def test_a_rotation_says_what_happens_when_and_what_to_do(operator: Operator) -> None:
    said = operator.succeeds("rotate").splitlines()
    new, old = operator.keys()
    assert (new["state"], old["state"]) == ("next", "signing")
    assert said[:3] == [
        f"The new key {new['kid']} is published from now on, at http://localhost:8999/lti/jwks.json.",
        "It signs from 2026-11-25 15:10 UTC on. Until then the LMSs have read it, and first goes on signing.",
        "From 2026-12-02 15:10 UTC on, first is no longer published.",
    ]
    assert said[3].startswith("There is nothing else to do, but for an LMS into which somebody pasted our key by hand")
    assert (str(new["signs_from"])[:16], str(old["retires_at"])[:16]) == ("2026-11-25T15:10", "2026-12-02T15:10")


def test_the_hours_until_the_next_key_signs_can_be_chosen(operator: Operator) -> None:
    assert "It signs from 2026-11-24 18:10 UTC on." in operator.succeeds("rotate", "--hours", "3")


def test_a_key_that_waits_is_not_overtaken(operator: Operator) -> None:
    operator.succeeds("rotate")
    waiting = operator.keys()[0]["kid"]
    done = operator.types("rotate", "--hours", "1")
    assert isinstance(done.exception, Failure)
    assert str(done.exception).startswith(
        f"The next key {waiting} waits already and signs from 2026-11-25 15:10 UTC on; nothing was changed."
    )
    assert operator.states() == ["next", "signing"]


def test_a_replacement_at_once_is_asked_for_first_and_says_what_it_costs(operator: Operator) -> None:
    operator.succeeds("rotate")
    declined = operator.types("rotate", "--at-once", answer="n\n")
    assert "LMSs that keep a copy of our key set will refuse us" in declined.stdout
    assert str(declined.exception) == "Nothing was changed."
    nobody_there = operator.types("rotate", "--at-once")
    assert nobody_there.exit_code == 1
    assert operator.states() == ["next", "signing"]

    agreed = operator.succeeds("rotate", "--at-once", answer="y\n")
    assert operator.states() == ["signing", "retired", "retired"]
    assert "No longer published: " in agreed
    assert "`moodle-sync deliveries list --state due`" in agreed


def test_a_replacement_at_once_by_a_script_is_not_asked_for(operator: Operator) -> None:
    assert "will refuse us" not in operator.succeeds("rotate", "--at-once", "--yes")
    assert operator.states() == ["signing", "retired"]


def test_another_encryption_key_rotates_nothing_and_says_so(operator: Operator) -> None:
    other = replace(operator, settings=replace(operator.settings, encryption_key=b"b" * 42 + b"8="))
    for command in (("rotate",), ("rotate", "--at-once", "--yes"), ("list",)):
        assert isinstance(other.types(*command).exception, WrongEncryptionKey)
    assert operator.states() == ["signing"]


def test_without_a_first_key_there_is_nothing_to_rotate(sqlite_url: str) -> None:
    done = Operator(settings=make_settings(sqlite_url)).types("rotate")
    assert isinstance(done.exception, Failure)
    assert "`lti-tool migrate`" in str(done.exception)


@pytest.mark.parametrize(
    "options", [("--hours", "0"), ("--hours", "721"), ("--hours", "soon"), ("--at-once", "--hours", "1")], ids=" ".join
)
def test_wrong_use_has_status_2_and_says_how(options: tuple[str, ...]) -> None:
    found = CliRunner().invoke(lti_tool, ["keys", "rotate", *options])
    assert (found.exit_code, found.stdout) == (2, "")
    assert "Error: " in found.stderr
