"""What a university takes along of the audit: all about its people, staff, courses and LMSs; of others no number."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.staff import Role
from series.store.audit import append_audit
from series.store.database import Database
from series.store.staff import add_staff
from series.store.tables import evidence
from series.store.university_export import OWN_THINGS, SHARED_THINGS, rows_of_university
from tests.conftest import NOW
from tests.integration.privacy.test_leaving import AT_VILNIUS, held
from tests.seeds import LAUNCH, launch

__all__ = ["held"]
ROOT = Path(__file__).parents[3]
THING = re.compile(r"\bthing ?= ?f\"([a-z ]+) \{")
COORDINATOR, ADMIN_OF_MALTA, ADMIN_OF_VILNIUS = "staff 1", "staff 2", "staff 3"
OF_MALTA, OF_VILNIUS = "participant 1", "participant 2"


@pytest.fixture
def staffed(held: Database) -> Database:
    """A coordinator, and an administrator of each university."""
    with held.write() as connection:
        for number, home in enumerate((None, 1, 2), start=1):
            role = Role.LMS_ADMIN if home else Role.COORDINATOR
            email = f"{number}@example.org"
            assert number == add_staff(connection, email=email, name="N", role=role, university_id=home, now=NOW)
        connection.execute(sa.text("DELETE FROM audit"))
    return held


def lines(database: Database, university_id: int = 1) -> list[dict[str, Any]]:
    with database.read() as connection:
        return [row for table, row in rows_of_university(connection, university_id) if table == "audit"]


def append(database: Database, actor: str, thing: str, **detail: str | int) -> None:
    with database.write() as connection:
        append_audit(connection, actor=actor, action="act", thing=thing, now=NOW, **detail)


@pytest.mark.parametrize(
    "thing", ["course 1", "platform 1", "deployment 1", "participant 1", "staff 2", "university 1"]
)
def test_dpo_21_what_coordinators_did_to_it_is_taken_along_without_their_number(staffed: Database, thing: str) -> None:
    append(staffed, COORDINATOR, thing, people=3)
    (line,) = lines(staffed)
    assert (line["actor"], line["object"], line["detail"]) == ("a coordinator", thing, {"people": 3})
    assert lines(staffed, 2) == []


def test_dpo_21_what_its_own_staff_did_is_taken_along(staffed: Database) -> None:
    append(staffed, ADMIN_OF_MALTA, "session 1")
    append(staffed, ADMIN_OF_VILNIUS, "session 1")
    assert [line["actor"] for line in lines(staffed)] == [ADMIN_OF_MALTA]
    assert [line["actor"] for line in lines(staffed, 2)] == [ADMIN_OF_VILNIUS]


@pytest.mark.parametrize("actor", [OF_VILNIUS, ADMIN_OF_VILNIUS])
def test_dpo_21_nobody_of_another_university_is_named(staffed: Database, actor: str) -> None:
    append(staffed, actor, OF_MALTA)
    append(staffed, OF_MALTA, actor)
    append(staffed, OF_MALTA, "session 1", participant=2)
    first, second, third = lines(staffed)
    assert (first["actor"], second["object"]) == ("somebody else", "somebody else")
    assert third["detail"] == {"participant": "somebody else"}


def test_dpo_21_a_line_that_names_one_of_its_people_in_its_detail_is_taken_along(staffed: Database) -> None:
    append(staffed, COORDINATOR, "session 1", participant=1)
    append(staffed, COORDINATOR, "session 1", participant=12)
    (line,) = lines(staffed)
    assert line["detail"] == {"participant": "participant 1"}


def test_dpo_21_who_did_something_is_not_named_in_other_rows_either(staffed: Database) -> None:
    for actor, shown in ((COORDINATOR, "a coordinator"), (OF_VILNIUS, "somebody else"), (OF_MALTA, OF_MALTA)):
        with staffed.write() as connection:
            connection.execute(sa.update(evidence).values(recorded_by=actor))
        with staffed.read() as connection:
            rows = [row for table, row in rows_of_university(connection, 1) if table == "evidence"]
        assert {row["recorded_by"] for row in rows} == {shown}


def test_dpo_21_its_people_are_told_apart_and_nobody_is_missed(staffed: Database) -> None:
    other = launch(staffed, structs.replace(LAUNCH, sub="7"), now=NOW + timedelta(minutes=1))
    assert other.participant_id not in (1, 2)
    append(staffed, OF_MALTA, f"participant {other.participant_id}")
    (line,) = lines(staffed)
    assert (line["actor"], line["object"]) == (OF_MALTA, f"participant {other.participant_id}")
    assert AT_VILNIUS.sub not in str(line)


def test_whatever_the_audit_names_is_known_to_be_somebodys_or_shared() -> None:
    sources = [
        file.read_text() for name in ("lti_tool", "series", "moodle_sync") for file in (ROOT / name).rglob("*.py")
    ]
    named = {kind for source in sources for kind in THING.findall(source)}
    assert {"course", "university", "session"} <= named
    assert named <= set(OWN_THINGS) | SHARED_THINGS
