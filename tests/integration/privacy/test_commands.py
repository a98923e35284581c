"""`lti-tool dpo bundle` and `lti-tool breach affected` as an operator types them."""

import csv
import json
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from lti_tool.cli import lti_tool
from series.privacy.bundle import DOCUMENTS
from series.staff import Role
from series.store.database import Database
from series.store.staff import add_staff
from series.store.tables import audit, course, participant, roster_member
from tests.conftest import NOW, make_settings
from tests.integration.test_key_commands import environment_of
from tests.seeds import LAUNCH, code_of, launch, record, seed


@pytest.fixture
def held(database: Database) -> Database:
    """One student of Malta with a completion."""
    seeded = seed(database)
    record(database, code_of(launch(database), seeded.session_ids[0]))
    return database


def test_the_bundle_is_written_as_files(held: Database, tmp_path: Path) -> None:
    said = _run(held, "dpo", "bundle", str(tmp_path / "bundle")).output
    written = {file.name for file in (tmp_path / "bundle").iterdir()}
    assert {f"{name}.md" for name in DOCUMENTS} <= written
    assert {"record.json", "record.csv", "data-map.json"} <= written
    assert "SHARED_SESSIONS_HOSTING" in said


def test_the_bundle_says_where_it_cannot_be_written(held: Database, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be written" in str(_run(held, "dpo", "bundle", str(tmp_path / "file" / "bundle")).exception)


def test_dpo_18_whom_a_breach_touches_is_listed_by_university(held: Database, tmp_path: Path) -> None:
    file = tmp_path / "malta.csv"
    assert "1 people" in _run(held, "breach", "affected", "--university", "malta", "--out", str(file)).output
    (one,) = csv.DictReader(file.read_text().splitlines())
    assert (one["issuer"], one["sub"], one["courses"]) == (LAUNCH.issuer, LAUNCH.sub, "Teaching STEM")
    assert "completions" in one["held"]
    assert file.stat().st_mode & 0o077 == 0
    assert "0 people" in _run(held, "breach", "affected", "--university", "vilnius").output


def test_dpo_18_the_list_can_begin_at_a_moment(held: Database, tmp_path: Path) -> None:
    file = tmp_path / "malta.json"
    later = f"{NOW + timedelta(days=1):%Y-%m-%d}"
    _run(held, "breach", "affected", "--university", "malta", "--since", later, "--out", str(file))
    assert json.loads(file.read_text()) == []
    on_that_day = f"{NOW:%Y-%m-%d}"
    assert "1 people" in _run(held, "breach", "affected", "--university", "malta", "--since", on_that_day).output


def test_dpo_18_who_is_only_in_the_list_of_a_course_is_touched_too(held: Database, tmp_path: Path) -> None:
    """A student whose LMS has named them and who has never come, beside the one who has."""
    with held.write() as connection:
        course_id = connection.execute(sa.select(course.c.id)).scalar_one()
        for sub in (LAUNCH.sub, "99"):
            row = {"course_id": course_id, "sub": sub, "is_learner": True, "is_suspended": False}
            connection.execute(sa.insert(roster_member).values(row))
    file = tmp_path / "malta.json"
    _run(held, "breach", "affected", "--university", "malta", "--out", str(file))
    came, listed = json.loads(file.read_text())
    assert (came["kind"], came["sub"]) == ("participant", LAUNCH.sub)
    assert (listed["issuer"], listed["sub"], listed["courses"]) == (LAUNCH.issuer, "99", "Teaching STEM")
    assert listed["held"] == "number in the LMS; list of the course"
    later = f"{NOW + timedelta(days=1):%Y-%m-%d}"
    said = _run(held, "breach", "affected", "--university", "malta", "--since", later).output
    assert "2 people" in said  # nobody knows since when, of either


def test_dpo_18_coordinators_have_a_list_of_their_own(held: Database, tmp_path: Path) -> None:
    with held.write() as connection:
        add_staff(connection, email="c@example.org", name="N", role=Role.COORDINATOR, university_id=None, now=NOW)
    file = tmp_path / "coordinators.json"
    _run(held, "breach", "affected", "--coordinators", "--out", str(file))
    assert "c@example.org" in [one["email"] for one in json.loads(file.read_text())]
    for wrong in ([], ["--coordinators", "--university", "malta"]):
        assert "either" in _run(held, "breach", "affected", *wrong).output


def test_dpo_18_the_list_itself_is_in_the_audit_without_who_is_on_it(held: Database) -> None:
    _run(held, "breach", "affected", "--university", "malta")
    with held.read() as connection:
        line = connection.execute(sa.select(audit).order_by(audit.c.id.desc())).first()
    assert line
    assert (line.actor, line.action, json.loads(line.detail)) == ("operator", "list_affected", {"people": 1})


def test_a_number_in_an_lms_is_never_a_formula(held: Database, tmp_path: Path) -> None:
    with held.write() as connection:
        connection.execute(sa.update(participant).values(sub="=1+1"))
    file = tmp_path / "malta.csv"
    _run(held, "breach", "affected", "--university", "malta", "--out", str(file))
    assert "'=1+1" in file.read_text()


def _run(database: Database, *arguments: str) -> Result:
    environment = environment_of(make_settings(database.engine.url.render_as_string(hide_password=False)))
    return CliRunner().invoke(lti_tool, [*arguments], env=environment)
