"""`moodle-sync series rule` as a coordinator types it."""

import io
import json
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from moodle_sync.cli import main, moodle_sync
from series.rule import Rule
from series.store.rules import rule_of
from series.store.tables import audit
from series.store.universities import add_university
from tests.examples import SERIES
from tests.integration.coordinator import WEEK, Coordinator, open_coordinator, weekly
from tests.seeds import somebody_takes_part

Run = Callable[..., str]
RULE = ("series", "rule", SERIES.slug)
WAYS = {"ways": [[{"kind": "code"}, {"kind": "live", "at_least": 75}], [{"kind": "approval"}]]}


@pytest.fixture
def coordinator(sqlite_url: str, tmp_path: Path) -> Iterator[Coordinator]:
    """Three sessions: one is over, two are to come."""
    with open_coordinator(sqlite_url, tmp_path) as made:
        made.begins_with(*weekly(3))
        made.waits((WEEK + timedelta(hours=2)).total_seconds())
        yield made


@pytest.fixture
def run(coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs moodle-sync in this process; gives what it printed, or the line that it said when it failed."""
    settings = coordinator.services.settings
    environment = {
        "PUBLIC_URL": settings.public_url,
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": settings.secret_key.decode(),
        "ENCRYPTION_KEY": settings.encryption_key.decode(),
        "CLOCK_FILE": str(coordinator.clock_file),
    }
    for name, value in environment.items():
        monkeypatch.setenv(f"SHARED_SESSIONS_{name}", value)

    def run(*command: str, status: int = 0, stdin: object = "") -> str:
        typed = stdin if isinstance(stdin, str) else json.dumps(stdin)
        monkeypatch.setattr(sys, "argv", ["moodle-sync", *command])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed.encode())))
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert (ended.value.code or 0) == status, (out, err)
        assert status != 1 or (out, err.count("\n")) == ("", 1)
        return str(err if status else out)

    return run


def rule(coordinator: Coordinator) -> Rule:
    with coordinator.services.database.read() as connection:
        return rule_of(connection, SERIES.series_id)


def test_the_rule_is_shown_in_words_session_by_session(run: Run) -> None:
    lines = run(*RULE).splitlines()
    assert lines[0] == f"{SERIES.title}: what counts (version 1)"
    assert lines[1:3] == [
        "  A session is completed by its check-in code, or by the confirmation of a person.",
        "  3 sessions complete the series.",
    ]
    assert [line.rsplit("  ", 2)[-2:] for line in lines[4:]] == [
        ["Week 1", "version 1"],
        ["Week 2", "version 1"],
        ["Week 3", "version 1"],
    ]


def test_a_rule_is_looked_at_and_set_from_json(coordinator: Coordinator, run: Run) -> None:
    seen = run(*RULE, "--set", "-", "--required", "2", "--preview", stdin=WAYS)
    assert seen.startswith("Preview. Nothing was changed.\nnow:\n  A session is completed by its check-in code, or by")
    assert "\nthen:\n  A session is completed by its check-in code together with presence for at least 75 %" in seen
    assert "people who have all that the series demands: fewer than 5 → fewer than 5\n" in seen
    assert "2 session(s) would be completed by the new rule\n  Week 2\n  Week 3\n" in seen
    assert "0 keep rules of their own, 1 have started and stay as they are" in seen
    assert rule(coordinator).required == 3
    assert run(*RULE, "--set", "-", "--required", "2", stdin=WAYS).startswith("Saved. The worker works out")
    assert rule(coordinator).required == 2
    shown = run(*RULE)
    assert "Week 1  fixed, version 1\n      A session is completed by its check-in code, or" in shown
    assert "That is the rule in force already" in run(*RULE, "--required", "2")
    with coordinator.services.database.read() as connection:
        rows = connection.execute(sa.select(audit.c.actor, audit.c.action, audit.c.detail)).all()
    assert rows == [("operator", "set_rule", '{"version": 2}')]


def test_the_limit_on_recordings_is_set_and_lifted(coordinator: Coordinator, run: Run) -> None:
    coordinator.waits(-2 * WEEK.total_seconds())  # before the series begins
    run(*RULE, "--recordings", "2")
    assert rule(coordinator).at_most_by_recording == 2
    run(*RULE, "--recordings", "any")
    assert rule(coordinator) == Rule(required=3)


def test_a_session_gets_a_rule_of_its_own_and_loses_it_again(coordinator: Coordinator, run: Run) -> None:
    own = {"ways": [[{"kind": "reflection", "at_least": 50}]]}
    before = run(*RULE)
    seen = run(*RULE, "--session", "2", "--set", "-", "--preview", stdin=own)
    assert "then: A session is completed by a reflection of at least 50 words." in seen
    assert run(*RULE) == before
    assert run(*RULE, "--session", "2", "--set", "-", stdin=own) == "Saved.\n"
    assert "Week 2  rule of its own, version 2\n      A session is completed by a reflection" in run(*RULE)
    session_id = str(coordinator.sessions()["Week 2"].session_id)
    assert run(*RULE, "--session", session_id, "--as-series") == "Saved.\n"
    assert run(*RULE, "--session", session_id, "--as-series") == "So it is already. Nothing was changed.\n"
    history = run(*RULE, "--history").splitlines()
    assert history[0].endswith("command line: session “Week 2”")
    assert history[1] == "   It has no rule of its own any more."
    assert [line[0] for line in history if line[0] != " "] == ["3", "2", "1"]


def test_json_says_all_and_its_rule_can_be_set_again(coordinator: Coordinator, run: Run) -> None:
    found = json.loads(run(*RULE, "--json", "--history"))
    assert (found["version"], found["rule"]["required"], len(found["sentences"])) == (1, 3, 3)
    assert [(each["number"], each["is_fixed"]) for each in found["sessions"]] == [(1, False), (2, False), (3, False)]
    assert [change["set_by"] for change in found["history"]] == ["command line"]
    assert "already" in run(*RULE, "--set", "-", stdin=found["rule"])


def test_what_cannot_be_set_is_one_line(coordinator: Coordinator, run: Run) -> None:
    services, first = coordinator.services, coordinator.sessions()["Week 1"]
    with services.database.write() as connection:
        add_university(connection, slug="malta", name="Malta", country="MT", time_zone="Europe/Malta", language="en")
    somebody_takes_part(services.database, first.session_id, now=services.clock.now())
    for options, stdin, says in (
        (("--required", "4"), "", "People rely on these numbers"),
        (("--set", "-"), "{", "That is no rule"),
        (("--set", "-"), '{"ways": []}', "At least one kind"),
        (("--set", "-"), " " * 70_000, "more than 65536 bytes"),
        (("--session", "1", "--as-series"), "", "has started"),
        (("--session", "1", "--set", "-", "--preview"), WAYS, "has started"),
        (("--session", "4", "--as-series"), "", "has no session '4'"),
        (("--session", "0", "--as-series"), "", "has no session '0'"),
        (("--session", "x\0" * 99, "--as-series"), "", "numbers them"),
    ):
        assert says in run(*RULE, *options, stdin=stdin, status=1), options
    assert rule(coordinator) == Rule(required=3)
    assert "There is no series 'x'" in run("series", "rule", "x", status=1)


@pytest.mark.parametrize(
    "options",
    [
        ("--required", "0"),
        ("--required", "101"),
        ("--recordings", "some"),
        ("--recordings", "-1"),
        ("--preview",),
        ("--as-series",),
        ("--session", "1"),
        ("--session", "1", "--required", "2", "--as-series"),
        ("--required", "2", "--json"),
        ("--set", "/nowhere.json"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_use(options: tuple[str, ...]) -> None:
    found = CliRunner().invoke(moodle_sync, [*RULE, *options])
    assert (found.exit_code, found.stdout) == (2, "")
    assert "Error: " in found.stderr


def test_a_new_series_needs_no_more_than_can_be_needed() -> None:
    found = CliRunner().invoke(moodle_sync, ["series", "import", "x.ics", "--series", "x", "--required", "101"])
    assert found.exit_code == 2
