"""A university leaves: it takes its data along, they are deleted here, and a certificate says so."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from msgspec import structs

from lti_tool.cli import lti_tool
from series.certificates import Certificate, is_genuine
from series.store.audit import append_audit
from series.store.belongings import of_university, own_tables
from series.store.database import Database
from series.store.deletion_certificates import list_certificates
from series.store.known import PlatformDisabled
from series.store.lms_tables import host_invitation
from series.store.pooled_tables import pooled_count, pooled_step
from series.store.readiness import readiness
from series.store.tables import audit, completion, metadata, reflection, session, university
from series.store.universities import add_platform
from tests.conftest import NOW, make_settings
from tests.examples import MALTA, SERIES, VILNIUS
from tests.integration.staff.desk import Desk, Office
from tests.integration.test_key_commands import environment_of
from tests.seeds import LAUNCH, PLATFORM, code_of, launch, record, seed

SECRET_KEY = make_settings("sqlite:///x").secret_key
AT_VILNIUS = structs.replace(LAUNCH, platform_id=2, university_id=2, issuer="https://lms.vilnius.example", sub="50")


@pytest.fixture
def held(database: Database) -> Database:
    """One person of each university with a completion, a text, and a line in the audit; and a published number."""
    seeded = seed(database)
    with database.write() as connection:
        add_platform(
            connection,
            replace(PLATFORM, slug="vilnius", university_id=VILNIUS.university_id, issuer=AT_VILNIUS.issuer),
            now=NOW,
        )
    for new in (LAUNCH, AT_VILNIUS):
        visit = launch(database, new)
        record(database, code_of(visit, seeded.session_ids[0]))
        record(database, code_of(visit, seeded.session_ids[1]))
        text = {"text": "private words", "state": "draft", "saved_at": NOW, "session_id": seeded.session_ids[0]}
        with database.write() as connection:
            connection.execute(sa.insert(reflection).values(participant_id=visit.participant_id, **text))
            person = f"participant {visit.participant_id}"
            append_audit(connection, actor=person, action="see_own_data", thing=person, now=NOW)
    with database.write() as connection:
        connection.execute(sa.insert(pooled_step).values(series_id=SERIES.series_id, step_at=NOW, smallest_group=5))
        for university_id in (1, 2):
            connection.execute(
                sa.insert(pooled_count).values(
                    series_id=SERIES.series_id, block="term", university_id=university_id, step_at=NOW, people=9
                )
            )
    return database


def test_dpo_21_a_university_that_leaves_takes_all_its_data_and_nobody_elses(held: Database, tmp_path: Path) -> None:
    said = _run(held, "export", "malta", str(tmp_path / "malta.zip")).output
    assert "holds personal data" in said
    with zipfile.ZipFile(tmp_path / "malta.zip") as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
        people = [json.loads(line) for line in archive.read("participant.jsonl").splitlines()]
        assert {"evidence.jsonl", "completion.jsonl", "reflection.jsonl", "audit.jsonl"} <= set(archive.namelist())
    assert [one["sub"] for one in people] == ["5"]
    assert "private words" in everything
    assert "vilnius" not in everything
    assert "proof_hash" not in everything
    assert (tmp_path / "malta.zip").stat().st_mode & 0o077 == 0


def test_dpo_21_an_export_never_writes_over_a_file(held: Database, tmp_path: Path) -> None:
    file = tmp_path / "there.zip"
    file.write_text("kept")
    assert "is there already" in str(_run(held, "export", "malta", str(file)).exception)
    assert file.read_text() == "kept"


def test_dpo_21_afterwards_nothing_of_it_is_left_and_all_of_the_others(held: Database) -> None:
    before = _rows(held, 2)
    said = _run(held, "leave", "malta", "--yes").output
    assert "Certificate of deletion no. 1" in said
    assert "names of hosts and speakers" in " ".join(said.split())  # sessions belong to the series, and stay
    assert {name: rows for name, rows in _rows(held, 1).items() if rows} == {
        "course": 1,
        "participant": 1,
        "platform": 1,
    }
    assert not [text for text in ("private", LAUNCH.issuer) if text in _what_is_left(held)]
    assert _rows(held, 2) == before
    with held.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(pooled_count)).scalar_one() == 2
        assert connection.execute(sa.select(university.c.left_at).where(university.c.id == 1)).scalar_one()
        assert connection.execute(sa.select(sa.func.count()).select_from(completion)).scalar_one() == 2


def test_dpo_21_its_people_can_no_longer_be_told_in_the_audit(held: Database) -> None:
    _run(held, "leave", "malta", "--yes")
    with held.read() as connection:
        lines = connection.execute(sa.select(audit.c.actor, audit.c.object)).all()
    assert not [line for line in lines if "participant 1" in line]
    assert ("participant 2", "participant 2") in lines


def test_dpo_21_invitations_that_name_its_people_go_also_unopened(held: Database) -> None:
    with held.write() as connection:
        connection.execute(sa.update(session).values(hosting_university_id=1))
        session_id = connection.execute(sa.select(session.c.id).limit(1)).scalar_one()
        row = {"session_id": session_id, "label": "Dr Borg", "created_by": "staff 1", "created_at": NOW}
        connection.execute(sa.insert(host_invitation).values(**row, expires_at=NOW))
    assert "host invitation: 1" in _run(held, "leave", "malta", "--yes").output
    with held.read() as connection:
        assert connection.execute(sa.select(host_invitation)).all() == []


def test_dpo_21_its_lms_comes_in_no_more(held: Database) -> None:
    _run(held, "leave", "malta", "--yes")
    with pytest.raises(PlatformDisabled):
        launch(held)


def test_dpo_21_the_certificate_is_genuine_and_a_changed_one_is_not(held: Database) -> None:
    _run(held, "leave", "malta", "--yes")
    with held.read() as connection:
        (certificate,) = list_certificates(connection)
    assert certificate.deletion.university_name == MALTA.name
    assert certificate.deletion.counts["completion"] == 2
    assert is_genuine(certificate, secret_key=SECRET_KEY)
    changed = Certificate(
        number=1, proof=certificate.proof, deletion=replace(certificate.deletion, university_name="Another")
    )
    assert not is_genuine(changed, secret_key=SECRET_KEY)
    assert certificate.proof in _run(held, "certificate", "1").output
    assert certificate.proof in _run(held, "certificate", "--json").output


def test_dpo_21_whoever_has_the_certificate_can_ask_whether_it_is_genuine(office: Office, browser: Desk) -> None:
    _run(office.database, "leave", "malta", "--yes")
    with office.database.read() as connection:
        (certificate,) = list_certificates(connection)
    assert "Genuine" in browser.get(f"/privacy/certificates/1/{certificate.proof}/").text
    assert browser.get(f"/privacy/certificates/1/{'0' * 64}/").status_code == 404
    assert browser.get(f"/privacy/certificates/2/{certificate.proof}/").status_code == 404


def test_dpo_21_who_invites_somebody_for_it_is_told_that_it_has_left(office: Office, signed_in: Desk) -> None:
    _run(office.database, "leave", "malta", "--yes")
    typed = {"name": "Anna", "email": "anna@example.org", "role": "lms_admin", "university": "malta"}
    answer = signed_in.send("/admin/people/invite", "/admin/people/", **typed)
    assert answer.status_code == 409
    assert "This university has left" in answer.text


def test_leaving_is_asked_about_first_and_may_be_repeated(held: Database) -> None:
    before = _rows(held, 1)
    assert "Nothing was changed" in str(_run(held, "leave", "malta", answer="yes\n").exception)
    assert _rows(held, 1) == before
    assert _run(held, "leave", "malta", answer="malta\n").exit_code == 0
    assert "none: nothing was held" in _run(held, "leave", "malta", "--yes").output


def test_every_table_with_people_belongs_to_a_university_or_is_named_as_shared() -> None:
    """A new table that points to a participant is deleted with its university by itself."""
    own = {table.name for table in own_tables()}
    pointing = {table.name for table in metadata.sorted_tables if "participant_id" in table.c}
    assert pointing <= own


def _run(database: Database, *arguments: str, answer: str | None = None) -> Result:
    environment = environment_of(make_settings(database.engine.url.render_as_string(hide_password=False)))
    return CliRunner().invoke(lti_tool, ["university", *arguments], env=environment, input=answer)


def _rows(database: Database, university_id: int) -> dict[str, int]:
    with database.read() as connection:
        return {
            table.name: connection.execute(
                sa.select(sa.func.count()).select_from(table).where(of_university(table, university_id))
            ).scalar_one()
            for table in own_tables()
        }


def _what_is_left(database: Database) -> str:
    """All rows of university 1 that are still there."""
    with database.read() as connection:
        return "".join(
            str(row)
            for table in own_tables()
            for row in connection.execute(sa.select(table).where(of_university(table, 1)))
        )


def test_who_has_left_is_not_on_the_board_of_readiness(held: Database) -> None:
    _run(held, "leave", "malta", "--yes")
    with held.read() as connection:
        assert [one.university.slug for one in readiness(connection, None, now=NOW)] == ["vilnius"]
