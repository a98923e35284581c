"""Files with data of persons that commands write: for the account alone that runs them, and never by halves."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config.command_line import Failure
from config.private_files import new_private_file
from lti_tool.cli import lti_tool
from series.store.database import Database
from series.store.migrate import migrate
from tests.conftest import make_settings
from tests.examples import SERIES
from tests.integration.test_key_commands import environment_of
from tests.seeds import LAUNCH, code_of, launch, record, seed

ROOT = Path(__file__).parents[3]
WRITES = re.compile(
    r"\.write_(text|bytes)\(|(?<!archive\.)\bopen\([^)]*[\"'][rwax]?b?[wax+]|os\.open\(|\.touch\(|click\.File\([\"'][wa]|mkstemp|NamedTemp"
)
COMMANDS = {
    "export completions": ("export", "completions", SERIES.slug, "--output", "FILE"),
    "person export": ("person", "export", "malta", LAUNCH.sub, "FILE"),
    "university export": ("university", "export", "malta", "FILE"),
    "breach affected": ("breach", "affected", "--university", "malta", "--out", "FILE"),
}


@pytest.fixture
def held(database: Database) -> Database:
    """One student of Malta with a completion."""
    seeded = seed(database)
    record(database, code_of(launch(database), seeded.session_ids[0]))
    return database


@pytest.fixture(params=[0o000, 0o022, 0o277])
def any_umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("any_umask")
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_dpo_17_what_a_command_writes_of_persons_only_its_own_account_may_read(
    held: Database, command: tuple[str, ...], tmp_path: Path
) -> None:
    file = tmp_path / "file.json"
    done = _run(held, command, file)
    assert done.exit_code == 0, done.exception
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_no_command_writes_over_a_file(held: Database, command: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    file.write_text("kept")
    assert "is there already" in str(_run(held, command, file).exception)
    assert file.read_text() == "kept"


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_file_that_cannot_be_written_is_said_in_one_line(
    held: Database, command: tuple[str, ...], tmp_path: Path
) -> None:
    error = _run(held, command, tmp_path / "missing" / "file.json").exception
    assert isinstance(error, Failure)
    assert "cannot be written" in str(error)


def test_what_breaks_off_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), new_private_file(tmp_path / "file") as to:
        to.write(b"half of" * (1 // 0))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("any_umask")
def test_dpo_17_a_new_database_is_for_its_own_account_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    migrate(database)
    with database.write():
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    database.dispose()
    assert "new.db" in modes
    assert set(modes.values()) == {0o600}


def test_dpo_17_no_other_code_writes_files() -> None:
    """But the documents for data-protection officers, which are public."""
    product = [file for name in ("config", "series", "lms", "lti_tool", "moodle_sync") for file in _sources(name)]
    writers = {str(file.relative_to(ROOT)) for file in product if WRITES.search(file.read_text())}
    assert writers == {"config/private_files.py", "lti_tool/cli_dpo.py"}


def _sources(name: str) -> Iterator[Path]:
    return (ROOT / name).glob("**/*.py")


def _run(database: Database, command: tuple[str, ...], file: Path) -> Result:
    environment = environment_of(make_settings(database.engine.url.render_as_string(hide_password=False)))
    return CliRunner().invoke(lti_tool, [str(file) if one == "FILE" else one for one in command], env=environment)
