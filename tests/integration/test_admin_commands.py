"""`lti-tool admin` as an operator types it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config.command_line import Failure
from config.settings import Settings
from lti_tool.cli import lti_tool
from series.store.audit import OPERATOR
from series.store.universities import AlreadyThere, NotThere
from tests.conftest import make_settings
from tests.integration.staff.desk import COORDINATOR, LMS_ADMIN, PASSWORD, Office, open_office
from tests.integration.test_key_commands import environment_of

NEW = "hanna@example.org"
LINK = re.compile(r"  (http://localhost:8999)(/admin/set-up/[\w-]{43})")


@dataclass(frozen=True, kw_only=True)
class Operator:
    settings: Settings

    def types(self, *arguments: str, answer: str | None = None) -> Result:
        return CliRunner().invoke(lti_tool, ["admin", *arguments], env=environment_of(self.settings), input=answer)

    def succeeds(self, *arguments: str, answer: str | None = None) -> str:
        done = self.types(*arguments, answer=answer)
        assert (done.exit_code, done.stderr) == (0, ""), done.exception
        return done.stdout

    def fails(self, kind: type[Exception], *arguments: str, answer: str | None = None) -> str:
        done = self.types(*arguments, answer=answer)
        assert isinstance(done.exception, kind), done.exception
        return str(done.exception)

    def row(self, email: str) -> dict[str, object]:
        rows = json.loads(self.succeeds("list", "--json"))
        return next(row for row in rows if row["email"] == email)


@pytest.fixture
def settings(sqlite_url: str, tmp_path: Path) -> Settings:
    return replace(make_settings(sqlite_url), clock_file=tmp_path / "clock")


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    with open_office(settings) as opened:
        opened.clock_file.write_text("0")
        yield opened


@pytest.fixture
def operator(office: Office, settings: Settings) -> Operator:
    return Operator(settings=settings)


def link_in(said: str) -> str:
    """The path of the one link that was printed."""
    (found,) = LINK.findall(said)
    return str(found[1])


def test_the_first_coordinator_gets_a_link_chooses_a_password_and_signs_in(office: Office, operator: Operator) -> None:
    said = operator.succeeds("create", "Hanna@Example.org", "--name", "Hanna Kask", "--role", "coordinator")
    assert said.startswith("Made an account for Hanna Kask, hanna@example.org.\n")
    assert re.search(r"once, until 20\d\d-\d\d-\d\d \d\d:\d\d UTC \(shown only now\)", said)
    browser, path = office.new_browser(), link_in(said)
    assert browser.send(path, path, password=PASSWORD, again=PASSWORD).status_code == 303
    assert browser.sign_in(NEW).status_code == 303
    assert "Hanna Kask" in browser.get("/admin/").text
    assert office.audit()[0][:2] == (OPERATOR, "create_staff")
    assert path.rpartition("/")[2] not in str(office.audit())


def test_an_lms_admin_belongs_to_a_university(operator: Operator) -> None:
    operator.succeeds("create", NEW, "--name", "Hanna", "--role", "lms-admin", "--university", "malta")
    assert operator.row(NEW) == {
        "email": NEW,
        "name": "Hanna",
        "role": "lms-admin",
        "university": "malta",
        "state": "active",
        "password": "none",
        "signed_in_at": None,
        "failed_tries": 0,
    }


@pytest.mark.parametrize(
    "arguments",
    [
        (NEW, "--name", "H", "--role", "lms-admin"),
        (NEW, "--name", "H", "--role", "coordinator", "--university", "malta"),
        (NEW, "--name", "H", "--role", "king"),
        (NEW, "--name", " ", "--role", "coordinator"),
        ("hanna", "--name", "H", "--role", "coordinator"),
        (NEW, "--role", "coordinator"),
    ],
    ids=" ".join,
)
def test_an_account_that_cannot_be_is_wrong_use(operator: Operator, arguments: tuple[str, ...]) -> None:
    done = operator.types("create", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Error: " in done.stderr
    assert len(json.loads(operator.succeeds("list", "--json"))) == 2


def test_a_university_or_an_account_that_is_not_there_is_named(operator: Operator) -> None:
    unknown = ("create", NEW, "--name", "H", "--role", "lms-admin", "--university", "atlantis")
    assert "no university 'atlantis'" in operator.fails(NotThere, *unknown)
    for command in (("reset", NEW), ("disable", NEW, "--yes"), ("enable", NEW)):
        assert operator.fails(NotThere, *command) == f"There is no account {NEW!r}; `lti-tool admin list` shows all."


def test_an_account_is_made_once(operator: Operator) -> None:
    again = ("create", COORDINATOR.upper(), "--name", "H", "--role", "coordinator")
    assert operator.fails(AlreadyThere, *again).startswith(f"There is already an account {COORDINATOR}")


def test_a_reset_ends_the_old_password_and_all_sign_ins(office: Office, operator: Operator) -> None:
    browser = office.new_browser()
    browser.sign_in()
    older = office.new_link("older")
    said = operator.succeeds("reset", COORDINATOR.upper())
    assert said.startswith(f"{COORDINATOR} is signed out everywhere, and the old password works no longer.\n")
    assert not browser.is_signed_in()
    assert browser.sign_in().status_code == 422
    assert browser.get(older).status_code == 410
    path = link_in(said)
    browser.send(path, path, password=PASSWORD, again=PASSWORD)
    assert browser.sign_in().status_code == 303
    assert (OPERATOR, "reset_staff") in [row[:2] for row in office.audit()]


def test_a_disabled_account_is_asked_about_first(office: Office, operator: Operator) -> None:
    browser = office.new_browser()
    browser.sign_in()
    for answer in ("n\n", None):
        declined = operator.types("disable", COORDINATOR, answer=answer)
        assert declined.exit_code == 1
    assert operator.fails(Failure, "disable", COORDINATOR, answer="n\n") == "Nothing was changed."
    assert browser.is_signed_in()
    said = operator.succeeds("disable", COORDINATOR, answer="y\n")
    assert "Sign Maria Borg (maria@example.org) out everywhere" in said
    assert not browser.is_signed_in()
    assert operator.row(COORDINATOR)["state"] == "disabled"
    assert operator.row(LMS_ADMIN)["state"] == "active"


def test_a_disabled_account_comes_back_with_its_password(office: Office, operator: Operator) -> None:
    assert operator.succeeds("disable", COORDINATOR, "--yes") == (
        f"{COORDINATOR} is disabled and signed out everywhere.\n"
    )
    assert "admin enable" in operator.fails(Failure, "reset", COORDINATOR)
    assert operator.succeeds("enable", COORDINATOR) == f"{COORDINATOR} is active.\n"
    assert office.new_browser().sign_in().status_code == 303
    assert [row[1] for row in office.audit()] == ["disable_staff", "enable_staff", "sign_in"]


def test_who_has_no_password_is_told_so_when_enabled(operator: Operator) -> None:
    operator.succeeds("create", NEW, "--name", "H", "--role", "coordinator")
    operator.succeeds("disable", NEW, "--yes")
    assert f"`lti-tool admin reset {NEW}` next" in operator.succeeds("enable", NEW)


def test_the_list_shows_when_somebody_signed_in_and_what_failed_since(office: Office, operator: Operator) -> None:
    browser = office.new_browser()
    browser.sign_in()
    browser.sign_in(password="wrong")
    row = operator.row(COORDINATOR)
    assert (row["failed_tries"], row["password"]) == (1, "set")
    assert str(row["signed_in_at"]).endswith("+00:00")
    assert operator.succeeds("list").splitlines()[0].startswith(f"{LMS_ADMIN}  Jonas Petraitis  lms-admin  vilnius")
