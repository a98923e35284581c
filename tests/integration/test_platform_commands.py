"""`lti-tool platform` and `lti-tool deployment` as an operator types them."""

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.cli import main
from lti_tool.pages.refusal_words import WORDS
from lti_tool.protocol.refusals import RefusalCode
from series.store.database import Database
from series.store.deployments import note_pending
from series.store.refusals import note_refusal
from series.store.tables import audit, platform
from tests.conftest import NOW, make_settings
from tests.replacing import NEW_ISSUER, REGISTERED_AGAIN, RENAMED, find, register, through
from tests.seeds import LAUNCH, code_of, launch, record, seed

ADD = (
    "platform", "add", "malta-2", "--university", "malta", "--issuer", NEW_ISSUER, "--client-id", "client-2",
    "--authorization-endpoint", f"{NEW_ISSUER}/auth", "--token-endpoint", f"{NEW_ISSUER}/token",
    "--jwks-uri", f"{NEW_ISSUER}/certs",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Terminal:
    """Runs lti-tool in this process; the answers that `typed` brings are at its prompt."""

    database: Database
    run: Callable[..., tuple[int, str, str]]

    def succeeds(self, *command: str, typed: str = "") -> str:
        status, out, err = self.run(command, typed)
        assert (status, err) == (0, ""), (out, err)
        return out

    def fails(self, *command: str, status: int = 1, typed: str = "") -> str:
        ended, _, err = self.run(command, typed)
        assert ended == status, err
        return err

    def json(self, *command: str) -> Any:
        return json.loads(self.succeeds(*command, "--json"))

    def audited(self) -> list[tuple[str, str, str]]:
        with self.database.read() as connection:
            query = sa.select(audit.c.actor, audit.c.action, audit.c.object).order_by(audit.c.id)
            return [tuple(row) for row in connection.execute(query)]


@pytest.fixture
def terminal(sqlite_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """Malta with one platform, and a student who has opened the series."""
    settings = make_settings(sqlite_url)
    environment = {
        "PUBLIC_URL": settings.public_url,
        "DATABASE_URL": sqlite_url,
        "SECRET_KEY": settings.secret_key.decode(),
        "ENCRYPTION_KEY": settings.encryption_key.decode(),
    }
    for name, value in environment.items():
        monkeypatch.setenv(f"SHARED_SESSIONS_{name}", value)

    def run(command: tuple[str, ...], typed: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["lti-tool", *command])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    database = Database(sqlite_url)
    seeded = seed(database)
    record(database, code_of(launch(database), seeded.session_ids[0]))
    return Terminal(database=database, run=run)


def wait_for_approval(terminal: Terminal, deployment_id: str = "9", course: str = "Teaching STEM") -> None:
    with terminal.database.write() as connection:
        note_pending(connection, platform_id=1, deployment_id=deployment_id, course_title=course, now=NOW)


# Adding and showing


def test_a_platform_may_be_registered_before_its_deployment_is_known(terminal: Terminal) -> None:
    said = terminal.succeeds(*ADD)
    assert "/lti/login/malta-2" in said
    assert "lti-tool deployment list" in said
    assert terminal.json("deployment", "list", "--platform", "malta-2") == []
    assert "waits for `lti-tool deployment approve`" in terminal.succeeds("platform", "show", "malta-2")
    assert terminal.audited() == [("operator", "add_platform", "platform 2")]


@pytest.mark.parametrize(
    ("options", "token_endpoint", "product", "said"),
    [
        ((), f"{NEW_ISSUER}/mod/lti/token.php", "moodle", "Registered as a Moodle."),
        ((), f"{NEW_ISSUER}/token", "generic", "Registered as an LMS of no product that we know."),
        (("--product", "sakai"), f"{NEW_ISSUER}/mod/lti/token.php", "sakai", "Registered as a Sakai."),
    ],
    ids=["guessed", "not to be guessed", "said"],
)
def test_a_platform_has_a_product(
    terminal: Terminal, options: tuple[str, ...], token_endpoint: str, product: str, said: str
) -> None:
    add = [token_endpoint if word == f"{NEW_ISSUER}/token" else word for word in ADD]
    assert said in terminal.succeeds(*add, *options)
    assert terminal.json("platform", "show", "malta-2")["product"] == product
    assert f"product                 {product}\n" in terminal.succeeds("platform", "show", "malta-2")
    assert [row["product"] for row in terminal.json("platform", "list")] == ["generic", product]


def test_a_wrong_guess_is_put_right(terminal: Terminal) -> None:
    assert "malta is a Brightspace" in terminal.succeeds("platform", "product", "malta", "brightspace")
    assert terminal.json("platform", "show", "malta")["product"] == "brightspace"
    assert terminal.audited() == [("operator", "set_product", "platform 1")]


def test_a_product_that_we_do_not_know_is_wrong_use(terminal: Terminal) -> None:
    said = terminal.fails("platform", "product", "malta", "ilias", status=2)
    assert "'generic'" in said
    assert terminal.json("platform", "show", "malta")["product"] == "generic"


def test_a_deployment_that_is_named_is_approved_at_once(terminal: Terminal) -> None:
    assert "lti-tool deployment list" not in terminal.succeeds(*ADD, "--deployment", "7", "--deployment", "8")
    rows = terminal.json("deployment", "list", "--platform", "malta-2")
    assert [(row["deployment_id"], row["state"]) for row in rows] == [("7", "approved"), ("8", "approved")]


def test_a_platform_is_shown_with_what_waits_and_from_where(terminal: Terminal) -> None:
    wait_for_approval(terminal)
    wait_for_approval(terminal, "10", course="")
    shown = terminal.succeeds("platform", "show", "malta").splitlines()
    assert "university              malta" in shown
    assert shown[shown.index("Deployments:") :] == [
        "Deployments:",
        "  1  approved",
        "  9  pending",
        "    first seen 2026-11-24 15:10 UTC, from the course “Teaching STEM”",
        "  10  pending",
        "    first seen 2026-11-24 15:10 UTC, from no course",
        "No launch was refused.",
    ]
    assert terminal.json("platform", "show", "malta")["deployments"][1] == {
        "deployment_id": "9",
        "state": "pending",
        "first_seen_at": NOW.isoformat(),
        "first_course": "Teaching STEM",
    }


def test_a_title_cannot_move_the_cursor(terminal: Terminal) -> None:
    wait_for_approval(terminal, "\x1b]0;9\x07", course="\x1b[2J\r\nApproved\u202e \x9b31m, Woche\xa07")
    for command in (("platform", "show", "malta"), ("deployment", "list")):
        shown = terminal.succeeds(*command)
        assert not set(shown) & set("\x1b\x07\r\x9b\u202e")
        assert "\nApproved" not in shown
        assert "Woche\xa07" in shown


def test_the_last_refusals_are_shown_with_what_to_change(terminal: Terminal) -> None:
    with terminal.database.write() as connection:
        for code, reference in (("key_unknown", "00c0ffee"), ("a_code_of_old", "00000001")):
            note_refusal(connection, platform_id=1, code=code, reference=reference, now=NOW)
    shown = terminal.succeeds("platform", "show", "malta").splitlines()
    start = shown.index("The last 2 refusals:")
    assert [line.strip() for line in shown[start + 1 :]] == [
        "2026-11-24 15:10 UTC  a_code_of_old  reference 00000001",
        "2026-11-24 15:10 UTC  key_unknown  reference 00c0ffee",
        str(WORDS[RefusalCode.KEY_UNKNOWN].for_admin),
    ]
    refusals = terminal.json("platform", "show", "malta")["refusals"]
    assert [(one["code"], one["for_admin"] is None) for one in refusals] == [
        ("a_code_of_old", True),
        ("key_unknown", False),
    ]


# Switching off and on


def test_a_platform_is_switched_off_and_on(terminal: Terminal) -> None:
    assert "its scores wait" in terminal.succeeds("platform", "disable", "malta")
    assert [row["state"] for row in terminal.json("platform", "list")] == ["disabled"]
    assert "are sent" in terminal.succeeds("platform", "enable", "malta")
    assert [row["state"] for row in terminal.json("platform", "list")] == ["active"]
    assert terminal.audited() == [
        ("operator", "disable_platform", "platform 1"),
        ("operator", "enable_platform", "platform 1"),
    ]


def test_a_deployment_is_approved_and_disabled(terminal: Terminal) -> None:
    wait_for_approval(terminal)
    assert "'9' of malta open" in terminal.succeeds("deployment", "approve", "malta", "9")
    assert "are refused" in terminal.succeeds("deployment", "disable", "malta", "1")
    assert [row["state"] for row in terminal.json("deployment", "list")] == ["disabled", "approved"]
    assert terminal.audited() == [
        ("operator", "approve_deployment", "deployment 2"),
        ("operator", "disable_deployment", "deployment 1"),
    ]


def test_an_approval_that_opens_nothing_yet_says_so(terminal: Terminal) -> None:
    terminal.succeeds("platform", "disable", "malta")
    assert "malta itself is disabled" in terminal.succeeds("deployment", "approve", "malta", "1")
    with terminal.database.write() as connection:
        connection.execute(sa.update(platform).values(state="pending"))
    assert "malta itself is pending" in terminal.succeeds("deployment", "approve", "malta", "1")


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        (("platform", "disable", "nothing"), "lti-tool platform list"),
        (("platform", "enable", "nothing"), "lti-tool platform list"),
        (("platform", "replace", "malta", "nothing"), "lti-tool platform list"),
        (("deployment", "list", "--platform", "nothing"), "lti-tool platform list"),
        (("deployment", "approve", "nothing", "1"), "lti-tool platform list"),
        (("deployment", "approve", "malta", "9"), "lti-tool deployment list"),
        (("deployment", "disable", "malta", "9"), "lti-tool deployment list"),
    ],
    ids=" ".join,
)
def test_what_is_not_there_says_where_to_look(terminal: Terminal, command: tuple[str, ...], advice: str) -> None:
    said = terminal.fails(*command)
    assert said.count("\n") == 1
    assert f"`{advice}`" in said
    assert terminal.audited() == []


def test_pitfall_14_the_audience_that_is_shown_is_the_products_where_none_was_registered(terminal: Terminal) -> None:
    assert terminal.json("platform", "show", "malta")["token_audience"] is None
    terminal.succeeds("platform", "product", "malta", "brightspace")
    assert terminal.json("platform", "show", "malta")["token_audience"] == "https://api.brightspace.com/auth/token"


# Replacing


def test_a_dry_run_says_what_would_move_and_changes_nothing(terminal: Terminal) -> None:
    register(terminal.database, REGISTERED_AGAIN)
    assert terminal.succeeds("platform", "replace", "malta", "malta-2", "--dry-run").splitlines() == [
        "malta-2 would take over from malta:",
        "  deployment  '1' becomes '7'",
        "  courses     1",
        "  placements  1",
        "  people      all stay as they are: the issuer is the same",
        "  scores      0 for gradebooks that are known already, 1 for the next launch of their activity",
        "Nothing was changed.",
    ]
    assert find(terminal.database, "malta").state == "active"
    assert terminal.audited() == []


def test_another_issuer_is_said_to_need_the_same_people(terminal: Terminal) -> None:
    renamed = register(terminal.database, RENAMED)
    launch(terminal.database, through(renamed))
    said = terminal.succeeds("platform", "replace", "malta", "malta-2", "--dry-run")
    assert f"1, 1 of them with one that was there already; their issuer becomes {NEW_ISSUER}" in said
    assert "a user id means the same person in both" in said


def test_without_yes_it_asks(terminal: Terminal) -> None:
    register(terminal.database, REGISTERED_AGAIN)
    replace_it = ("platform", "replace", "malta", "malta-2")
    assert "Nothing was changed.\n" in terminal.fails(*replace_it, typed="n\n")
    assert "Aborted!" in terminal.fails(*replace_it)
    assert find(terminal.database, "malta").state == "active"
    said = terminal.succeeds(*replace_it, typed="y\n")
    assert "This cannot be taken back." in said
    assert "malta-2 has taken over from malta, which is disabled:" in said
    assert find(terminal.database, "malta").state == "disabled"


def test_with_yes_it_does_not_ask(terminal: Terminal) -> None:
    register(terminal.database, replace(REGISTERED_AGAIN, deployment_ids=("7", "8")))
    replace_it = ("platform", "replace", "malta", "malta-2", "--yes")
    assert "OLD_ID=NEW_ID" in terminal.fails(*replace_it)
    said = terminal.succeeds(*replace_it, "--deployment", "1=8")
    assert "'1' becomes '8'" in said
    assert ("operator", "replace_platform", "platform 1") in terminal.audited()
    assert terminal.json("platform", "show", "malta")["replaced_by"] == "malta-2"
    assert "was replaced by 'malta-2'" in terminal.fails("platform", "enable", "malta")
    assert "was replaced by 'malta-2'" in terminal.fails(*replace_it)
    assert (
        launch(terminal.database, through(find(terminal.database, "malta-2"), LAUNCH, deployment_id="8")).course_id == 1
    )


@pytest.mark.parametrize("pairs", [["1"], ["=1"], ["1="], ["1=7", "1=8"]], ids=" ".join)
def test_a_pair_that_is_none_is_wrong_use(terminal: Terminal, pairs: list[str]) -> None:
    options = [word for pair in pairs for word in ("--deployment", pair)]
    assert "OLD_ID=NEW_ID" in terminal.fails("platform", "replace", "malta", "malta-2", *options, status=2)
