"""`lti-tool person` as an operator types it, for somebody who cannot launch any more."""

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from config.command_line import Failure
from config.settings import Settings
from lti_tool.cli import lti_tool
from moodle_sync.cli import moodle_sync
from series.people import Visit
from series.store.database import Database
from series.store.tables import audit, evidence
from series.store.tombstones import is_erased
from series.store.universities import NotThere
from series.tombstones import Whom
from tests.conftest import make_settings
from tests.databases import Snapshot
from tests.examples import SERIES
from tests.integration.test_key_commands import environment_of
from tests.seeds import ISSUER, code_of, launch, record, seed


@pytest.fixture
def settings(sqlite_url: str) -> Settings:
    return make_settings(sqlite_url)


@pytest.fixture
def database(settings: Settings) -> Database:
    return Database(settings.database_url)


@pytest.fixture
def maria(database: Database) -> Visit:
    seeded = seed(database)
    visit = launch(database)
    record(database, code_of(visit, seeded.session_ids[0]))
    return visit


def types(settings: Settings, *arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(lti_tool, ["person", *arguments], env=environment_of(settings), input=answer)


def test_dpo_10_the_operator_hands_out_all_that_is_held(
    settings: Settings, database: Database, maria: Visit, tmp_path: Path
) -> None:
    file = tmp_path / "data.json"
    assert types(settings, "export", "malta", "5", str(file)).exit_code == 0
    parts = {part["name"]: part["rows"] for part in json.loads(file.read_text())["parts"]}
    assert [fact["kind"] for fact in parts["facts"]] == ["code"]
    assert parts["looked_at"][0]["action"] == "export_person"
    assert isinstance(types(settings, "export", "malta", "5", str(file)).exception, Failure)  # not overwritten


def test_dpo_12_the_operator_erases_after_a_question(settings: Settings, database: Database, maria: Visit) -> None:
    said_no = types(settings, "erase", "malta", "5", answer="n\n")
    assert isinstance(said_no.exception, Failure)
    done = types(settings, "erase", "malta", "5", answer="y\n")
    assert done.exit_code == 0, done.exception
    person = Whom(university_id=1, issuer=ISSUER, sub="5")
    with database.read() as connection:
        assert connection.execute(sa.select(evidence)).all() == []
        assert is_erased(connection, person, secret_key=settings.secret_key)
        assert connection.execute(sa.select(audit.c.actor)).scalars().all() == ["operator"]


def test_dpo_12_after_a_restored_backup_who_was_erased_is_erased_again(
    settings: Settings, database: Database, maria: Visit, tmp_path: Path
) -> None:
    with Snapshot(settings.database_url) as backup:
        assert types(settings, "erase", "malta", "5", "--yes").exit_code == 0
        marks = tmp_path / "marks.json"
        marks.write_text(types(settings, "marks").stdout)
        assert ISSUER not in marks.read_text()
        backup.restore()
    for erased in (1, 0):
        done = types(settings, "erase-marked", str(marks))
        assert done.stdout == f"Of 1 marked, {erased} were there and are erased.\n", done.exception
    with database.read() as connection:
        assert connection.execute(sa.select(evidence)).all() == []
    marks.write_text("[{}]")
    assert isinstance(types(settings, "erase-marked", str(marks)).exception, Failure)


def test_somebody_who_was_never_here_is_kept_out(settings: Settings, database: Database, maria: Visit) -> None:
    assert "Erased 0 row(s)" in types(settings, "erase", "malta", "999", "--yes").stdout
    person = Whom(university_id=1, issuer=ISSUER, sub="999")
    with database.read() as connection:
        assert is_erased(connection, person, secret_key=settings.secret_key)


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        (("erase", "atlantis", "5", "--yes"), NotThere, "atlantis"),
        (("erase", "vilnius", "5", "--yes"), Failure, "has no LMS yet"),
        (("erase", "malta", "5", "--yes", "--issuer", "https://other.example"), Failure, ISSUER),
        (("export", "malta", "999", "there.json"), Failure, "Nothing is held"),
    ],
)
def test_what_is_not_there_is_said(
    arguments: tuple[str, ...], kind: type[Exception], words: str, settings: Settings, maria: Visit
) -> None:
    done = types(settings, *arguments)
    assert isinstance(done.exception, kind), done.exception
    assert words in str(done.exception)


def test_whoever_was_erased_is_not_brought_back_as_a_host(settings: Settings, database: Database, maria: Visit) -> None:
    assert types(settings, "erase", "malta", "5", "--yes").exit_code == 0
    words = ["series", "host", SERIES.slug, "--university", "malta", "--sub", "5"]
    done = CliRunner().invoke(moodle_sync, words, env=environment_of(settings))
    assert isinstance(done.exception, Failure), done.exception
    assert "start again themselves" in str(done.exception)
