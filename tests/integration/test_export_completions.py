"""`lti-tool export completions` and `lti-tool pseudonyms`, as an operator types them."""

import csv
import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from msgspec import structs

from config.command_line import Failure
from config.settings import Settings
from lti_tool.cli import lti_tool
from series.people import Visit
from series.pseudonyms import pseudonym_key
from series.store.borders import record_instrument
from series.store.database import Database
from series.store.privacy_tables import pseudonym_salt
from series.store.tables import audit, participant, session, university
from tests.conftest import NOW
from tests.examples import SERIES
from tests.integration.test_key_commands import environment_of
from tests.seeds import ISSUER, LAUNCH, Seeded, code_of, launch, record, seed


@pytest.fixture
def database(settings: Settings) -> Database:
    return Database(settings.database_url)


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def students(database: Database, seeded: Seeded) -> list[Visit]:
    """Two of Malta, who have completed the first session."""
    both = [launch(database, structs.replace(LAUNCH, sub=sub)) for sub in ("5", "6")]
    for one in both:
        record(database, code_of(one, seeded.session_ids[0]))
    return both


def types(settings: Settings, *arguments: str) -> Result:
    return CliRunner().invoke(lti_tool, arguments, env=environment_of(settings))


def export(settings: Settings, *arguments: str) -> list[dict[str, str]]:
    done = types(settings, "export", "completions", SERIES.slug, *arguments)
    assert done.exit_code == 0, done.exception
    return list(csv.DictReader(done.stdout.removeprefix("\ufeff").splitlines()))


def set_country(database: Database, country: str) -> None:
    with database.write() as connection:
        connection.execute(sa.update(university).where(university.c.slug == "malta").values(country=country))


def test_dpo_06_people_are_exported_under_pseudonyms(settings: Settings, students: list[Visit]) -> None:
    rows = export(settings)
    assert [(row["university"], row["completed_on"], row["by_recording"]) for row in rows] == [
        ("malta", "2026-11-24", "no")
    ] * 2
    pseudonyms = {row["pseudonym"] for row in rows}
    assert len(pseudonyms) == 2
    assert all(len(one) == 32 for one in pseudonyms)
    assert not {"sub", "issuer", "participant_id"} & set(rows[0])


def test_dpo_06_a_pseudonym_stays_until_the_key_is_rotated(settings: Settings, students: list[Visit]) -> None:
    first = export(settings)
    assert export(settings) == first
    assert "new pseudonyms" in types(settings, "pseudonyms", "rotate", "malta").stdout
    second = {row["pseudonym"] for row in export(settings)}
    assert not second & {row["pseudonym"] for row in first}


def test_dpo_06_the_key_is_not_in_the_database(settings: Settings, database: Database, students: list[Visit]) -> None:
    (row, *_) = export(settings)
    with database.read() as connection:
        salt = connection.execute(sa.select(pseudonym_salt.c.salt).filter_by(university_id=1)).scalar_one()
    right = pseudonym_key(encryption_key=settings.encryption_key, salt=salt)
    assert row["pseudonym"] in {right.of(ISSUER, "5"), right.of(ISSUER, "6")}
    assert pseudonym_key(encryption_key=b"another", salt=salt).of(ISSUER, "5") != right.of(ISSUER, "5")


def test_dpo_06_a_rotated_salt_is_gone(settings: Settings, database: Database, students: list[Visit]) -> None:
    export(settings)
    for _ in range(2):
        types(settings, "pseudonyms", "rotate", "malta")
    with database.read() as connection:
        rows = connection.execute(sa.select(pseudonym_salt.c.generation).filter_by(university_id=1)).scalars().all()
    assert rows == [3]


def test_dpo_06_the_same_number_at_two_universities_has_two_pseudonyms() -> None:
    one, other = (pseudonym_key(encryption_key=b"k" * 32, salt=salt) for salt in (b"1" * 32, b"2" * 32))
    assert one.of(ISSUER, "5") != other.of(ISSUER, "5")


def test_dpo_13_who_has_objected_is_left_out(settings: Settings, database: Database, students: list[Visit]) -> None:
    with database.write() as connection:
        connection.execute(
            sa.update(participant).where(participant.c.id == students[0].participant_id).values(objected_at=NOW)
        )
    assert len(export(settings)) == 1


def test_json_says_the_same(settings: Settings, students: list[Visit], tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    assert types(settings, "export", "completions", SERIES.slug, "--format", "json", "--output", str(file)).stdout == ""
    rows = json.loads(file.read_text())
    assert [row["pseudonym"] for row in rows] == [row["pseudonym"] for row in export(settings)]
    assert rows[0]["by_recording"] is False


def test_no_title_becomes_a_formula(settings: Settings, database: Database, students: list[Visit]) -> None:
    with database.write() as connection:
        connection.execute(sa.update(session).values(title="=1+1"))
    assert {row["session"][0] for row in export(settings)} == {"'"}


def test_dpo_15_an_export_stands_in_the_audit(settings: Settings, database: Database, students: list[Visit]) -> None:
    export(settings, "--university", "malta", "--to", "vilnius")
    with database.read() as connection:
        row = connection.execute(sa.select(audit).order_by(audit.c.id.desc()).limit(1)).one()
    assert (row.actor, row.action, row.object) == ("operator", "export_completions", f"series {SERIES.series_id}")
    assert json.loads(row.detail) == {"universities": 1, "to": "vilnius", "form": "csv"}


def test_dpo_20_rows_cross_a_border_only_with_an_instrument(
    settings: Settings, database: Database, students: list[Visit]
) -> None:
    set_country(database, "TR")
    done = types(settings, "export", "completions", SERIES.slug, "--to", "vilnius")
    assert done.exit_code == 0
    assert "Left out: " in done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert len(export(settings, "--to", "malta")) == 2  # its own rows are its own
    with database.write() as connection:
        record_instrument(connection, 1, "Standard contract of 2026-09-01", actor="staff 1", now=NOW)
    assert len(export(settings, "--to", "vilnius")) == 2


def test_dpo_20_coordinators_outside_get_no_rows_without_an_instrument(
    settings: Settings, students: list[Visit], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The setting COUNTRY says where who coordinates works, and looking at a screen there is a transfer."""
    monkeypatch.setenv("SHARED_SESSIONS_COUNTRY", "TR")
    done = types(settings, "export", "completions", SERIES.slug)
    assert isinstance(done.exception, Failure)
    assert done.stdout == ""
    monkeypatch.setenv("SHARED_SESSIONS_COUNTRY", "LT")
    assert len(export(settings)) == 2


def test_where_nothing_may_cross_nothing_is_written(
    settings: Settings, database: Database, students: list[Visit]
) -> None:
    set_country(database, "TR")
    done = types(settings, "export", "completions", SERIES.slug, "--university", "malta", "--to", "vilnius")
    assert isinstance(done.exception, Failure)
    assert done.stdout == ""
