"""moodle-sync run mirror, runs list and runs next: what was done at the Moodles, and what is planned."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config.command_line import Failure
from moodle_sync import moodle_runs
from moodle_sync.cli import moodle_sync
from series.moodle_jobs import MoodleJob
from series.store.universities import NotThere
from tests.conftest import make_environment
from tests.integration.partner import Partner, open_partner

Run = Callable[..., Result]


@pytest.fixture
def partner(tmp_path: Path, sqlite_url: str) -> Iterator[Partner]:
    with open_partner(tmp_path, sqlite_url) as opened:
        opened.connect()
        yield opened


@pytest.fixture
def run(partner: Partner) -> Run:
    environment = make_environment(partner.world.tool_url, partner.services.settings.database_url)
    environment["SHARED_SESSIONS_CLOCK_FILE"] = str(partner.world.clock.offset_file)
    return lambda *command: CliRunner(env=environment).invoke(moodle_sync, command)


def test_a_run_by_hand_is_said_and_listed_with_its_calls(run: Run) -> None:
    assert re.fullmatch(r"malta: 3 created \(\d calls?\)\n", run("run", "mirror").stdout)
    assert run("run", "mirror", "--university", "malta").stdout == "malta: nothing to do (0 calls)\n"
    second, first = json.loads(run("runs", "list", "--json").stdout)
    assert (first["calls"] > 0, first["counts"], first["seconds"] >= 0) == (True, {"created": 3}, True)
    assert (second["calls"], second["counts"], second["outcome"]) == (0, {}, "done")


def test_runs_are_listed_of_one_university_and_one_job(run: Run) -> None:
    run("run", "mirror")
    for options, count in {
        ("--university", "malta"): 1,
        ("--university", "vilnius"): 0,
        ("--job", "mirror"): 1,
        ("--job", "sweep"): 0,
    }.items():
        assert len(json.loads(run("runs", "list", "--json", *options).stdout)) == count
    assert "runs next" in run("runs", "list", "--job", "sweep").stdout
    assert isinstance(run("runs", "list", "--university", "atlantis").exception, NotThere)
    assert run("runs", "list", "--job", "tidy").exit_code == 2


def test_what_is_next_is_listed_with_pauses(partner: Partner, run: Run) -> None:
    partner.world.sandbox.sites["malta"].switches.set(moodle_status=503)
    assert isinstance(run("run", "mirror").exception, Failure)
    rows = json.loads(run("runs", "next", "--university", "malta", "--json").stdout)
    assert {row["job"] for row in rows} == {"mirror", "sweep", "check", "announce"}
    assert len({row["next_at"] for row in rows}) == 1, "all wait for the pause"
    assert {row["paused_until"] for row in rows} == {rows[0]["next_at"]}
    assert "503" in rows[0]["reason"]
    assert json.loads(run("runs", "next", "--university", "vilnius", "--json").stdout) == []
    assert json.loads(run("runs", "next", "--json").stdout) == rows
    assert isinstance(run("runs", "next", "--university", "atlantis").exception, NotThere)


def test_a_university_that_is_unknown_or_not_connected_is_said_so(run: Run) -> None:
    assert isinstance(run("run", "mirror", "--university", "atlantis").exception, NotThere)
    refused = run("run", "mirror", "--university", "vilnius").exception
    assert (type(refused), "No Moodle of vilnius is connected" in str(refused)) == (Failure, True)


def test_a_lane_that_is_taken_is_said_so(partner: Partner, run: Run) -> None:
    assert moodle_runs.begin(partner.services, partner.connection(), MoodleJob.SWEEP, slot="1")
    assert "under way at its Moodle" in str(run("run", "mirror").exception)
