"""`lti-tool doctor` as an operator types it, against a served tool and a sandbox LMS."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from lti_tool.cli import lti_tool
from lti_tool.installation import look_at_installation
from series.store.platform_checks import checked_platform, plan_checks
from series.store.tables import tool_key
from series.store.universities import NotThere
from tests.browser.classroom import Classroom, open_classroom
from tests.browser.conftest import free_ports
from tests.conftest import make_environment
from tests.databases import Databases
from tests.integration.partner import Partner, open_partner

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def shared(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Classroom]:
    with databases.fresh("sqlite") as url, open_classroom(tmp_path_factory.mktemp("doctor"), url) as opened:
        maria = opened.campus.students[0]
        opened.came(maria)
        yield opened


@pytest.fixture
def run(shared: Classroom) -> Iterator[Run]:
    environment = make_environment(shared.tool_url, shared.services.settings.database_url)
    environment["SHARED_SESSIONS_CLOCK_FILE"] = str(shared.services.settings.clock_file)
    yield lambda *command: CliRunner(env=environment).invoke(lti_tool, ["doctor", *command])
    shared.sandbox.switches["malta"].reset()


def test_it_says_what_works_of_the_installation_and_of_every_lms(shared: Classroom, run: Run) -> None:
    said = run()
    assert "✓ The database is there and up to date." in said.stdout
    assert "✓ The public address answers, and is ready." in said.stdout
    assert "✓ Test score: A score for a person who does not exist was refused for just that reason" in said.stdout
    assert "malta: http://127.0.0.1" in said.stdout
    assert (said.exit_code, said.stderr) == (0, "")
    with shared.services.database.read() as connection:
        checked = checked_platform(connection, shared.seeded.platform_id)
    assert checked is not None
    assert checked.trials  # the page shows them, too


def test_a_gap_ends_with_status_1_and_a_remedy(shared: Classroom, run: Run) -> None:
    shared.sandbox.switches["malta"].set(down=True)
    said = run("malta")
    assert said.exit_code == 1
    assert "✗ Keys of the LMS: The LMS's public keys cannot be read" in said.stdout
    assert "→ Compare the address with the one in the LMS (Site administration" in said.stdout
    assert "This installation" not in said.stdout


def test_as_json(run: Run) -> None:
    said = json.loads(run("--platform", "malta", "--json").stdout)
    assert said["installation"] == []
    (platform,) = said["platforms"]
    assert platform["slug"] == "malta"
    assert {check["code"]: check["outcome"] for check in platform["checks"]}["token"] == "ok"
    whole = json.loads(run("--json").stdout)
    assert [found["code"] for found in whole["installation"]] == ["settings", "database", "keys", "address", "worker"]


def test_a_worker_that_does_not_run_is_noticed(shared: Classroom, run: Run) -> None:
    with shared.services.database.write() as connection:
        plan_checks(connection, now=shared.now)
    shared.advance(timedelta(minutes=5))
    said = run()
    assert said.exit_code == 1
    assert "✗ No worker runs: what is due since" in said.stdout
    assert "→ Start `moodle-sync worker`" in said.stdout


@pytest.mark.parametrize(
    ("command", "status", "sentence"),
    [
        (["malta", "--platform", "malta"], 2, "A university or --platform, not both."),
        (["--test-student", "ħ", "malta"], 2, "--test-student must be a user id"),
        (["--test-student", "", "malta"], 2, "--test-student must be a user id"),
    ],
)
def test_wrong_use_is_said(run: Run, command: list[str], status: int, sentence: str) -> None:
    said = run(*command)
    assert (said.exit_code, sentence in said.stderr) == (status, True)


def test_what_is_not_there_is_said(run: Run) -> None:
    assert isinstance(run("atlantis").exception, NotThere)
    assert isinstance(run("--platform", "atlantis").exception, NotThere)
    assert "has no active LMS here" in str(run("vilnius").exception)


def test_without_keys_or_tables_it_says_what_to_run(tmp_path: Path, databases: Databases) -> None:
    tool_url = f"http://localhost:{free_ports(1)}"
    environment = make_environment(tool_url, f"sqlite:///{tmp_path / 'empty.db'}")
    said = CliRunner(env=environment).invoke(lti_tool, ["doctor"])
    assert (said.exit_code, "→ Run `lti-tool migrate`." in said.stdout) == (1, True)
    with databases.fresh("sqlite") as url:
        said = CliRunner(env=make_environment(tool_url, url)).invoke(lti_tool, ["doctor", "--json"])
    assert said.exit_code == 1
    found = {one["code"]: one["outcome"] for one in json.loads(said.stdout)["installation"]}
    assert (found["database"], found["keys"]) == ("ok", "gap")


def test_an_address_that_cannot_be_called_is_no_proof_of_a_fault(shared: Classroom) -> None:
    environment = make_environment(f"http://localhost:{free_ports(1)}", shared.services.settings.database_url)
    environment["SHARED_SESSIONS_CLOCK_FILE"] = str(shared.services.settings.clock_file)
    said = CliRunner(env=environment).invoke(lti_tool, ["doctor"])
    assert "? http://localhost:" in said.stdout
    with shared.services.database.read() as connection:
        assert connection.execute(sa.select(tool_key.c.kid)).scalars().all() == ["tool-key"]


def test_grades_that_nobody_sends_are_noticed(tmp_path: Path, sqlite_url: str) -> None:
    """Also while no LMS is due to be checked: that is once a day."""
    with open_partner(tmp_path, sqlite_url) as partner:
        assert "Grades wait" not in worker_of(partner)
        partner.check_in()
        partner.world.advance(timedelta(minutes=20).total_seconds())
        assert "Grades wait since" in worker_of(partner)


def worker_of(partner: Partner) -> str:
    found = look_at_installation(partner.services.settings, lambda _: None)
    return next(one.found for one in found if one.code == "worker")
