"""Erasure in the tables: nothing of a person is left, nothing of anybody else is lost, and no list brings them back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.people import Visit
from series.rosters import RosterMember
from series.store.audit import append_audit
from series.store.database import Database
from series.store.deliveries import claim, due_ids
from series.store.erasure import GOES, STAYS_UNNAMED, erase_marked, erase_person
from series.store.launches import NonceSpent, PersonErased, open_visit
from series.store.privacy_tables import audit_salt
from series.store.rosters import ensure_participants, roster_of, save_roster
from series.store.tables import audit, course, evidence, metadata, participant
from series.store.tombstones import all_marks, is_erased, whom, without_erased
from series.tombstones import NobodyThere, Whom, tombstone_of
from tests.conftest import NOW
from tests.seeds import ISSUER, LAUNCH, SECRET_KEY, Seeded, code_of, launch, record, seed

KEY = SECRET_KEY
MARIA = Whom(university_id=1, issuer=ISSUER, sub="5")
TOMBSTONE = tombstone_of(MARIA, secret_key=KEY)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def maria(database: Database, seeded: Seeded) -> Visit:
    visit = launch(database)
    record(database, code_of(visit, seeded.session_ids[0]))
    return visit


def erase(database: Database, person: Whom = MARIA) -> int:
    with database.write() as connection:
        return erase_person(connection, person, by="participant 1", secret_key=KEY, now=LATER)


def rows(database: Database, table: sa.Table) -> list[dict[str, Any]]:
    with database.read() as connection:
        return [dict(row) for row in connection.execute(sa.select(table)).mappings()]


def test_every_column_that_names_a_participant_is_erased_or_emptied() -> None:
    naming = {
        column
        for table in metadata.tables.values()
        for column in table.columns
        if any(key.column is participant.c.id for key in column.foreign_keys)
    }
    by_audit = {audit_salt.c.participant_id}  # destroyed by series.store.audit_commitments.forget
    assert naming - by_audit == {table.c.participant_id for table in GOES} | set(STAYS_UNNAMED)


def test_what_others_have_stays(database: Database, seeded: Seeded, maria: Visit) -> None:
    other = launch(database, structs.replace(LAUNCH, sub="6"))
    record(database, code_of(other, seeded.session_ids[0]))
    erase(database)
    assert [row["participant_id"] for row in rows(database, evidence)] == [other.participant_id]
    with database.read() as connection:
        assert whom(connection, other.participant_id).sub == "6"


def test_the_number_of_who_was_erased_is_nobodys_again(database: Database, maria: Visit) -> None:
    erase(database)
    with database.read() as connection, pytest.raises(NobodyThere):
        whom(connection, maria.participant_id)
    newcomer = launch(database, structs.replace(LAUNCH, sub="7"), now=LATER)
    assert newcomer.participant_id != maria.participant_id


def test_erasing_twice_does_no_harm(database: Database, maria: Visit) -> None:
    assert erase(database) > 0
    assert erase(database) == 0


def test_a_score_on_its_way_is_stopped(database: Database, maria: Visit) -> None:
    with database.read() as connection:
        (delivery_id,) = due_ids(connection, now=NOW, limit=9)
    erase(database)
    with database.write() as connection:
        assert claim(connection, delivery_id, now=LATER) is None


def test_the_audit_names_them_no_more(database: Database, maria: Visit) -> None:
    with database.write() as connection:
        append_audit(connection, actor="operator", action="see_person", thing="participant 1", now=NOW)
    erase(database)
    assert not [row for row in rows(database, audit) if "participant 1" in f"{row['actor']} {row['object']}"]
    assert [row["action"] for row in rows(database, audit)][-2:] == ["see_person", "erase_person"]


def test_a_launch_is_asked_first_and_leaves_nothing_behind(database: Database, maria: Visit) -> None:
    erase(database)
    new = structs.replace(LAUNCH, visit_id="again", nonce="again")
    before = {table.name: rows(database, table) for table in metadata.sorted_tables}
    with pytest.raises(PersonErased), database.write() as connection:
        open_visit(connection, new, now=LATER, secret_key=KEY)
    assert {table.name: rows(database, table) for table in metadata.sorted_tables} == before
    with database.write() as connection:
        opened = open_visit(connection, structs.replace(new, starts_again=True), now=LATER, secret_key=KEY)
    assert opened.participant_id != maria.participant_id
    with database.read() as connection:
        assert not is_erased(connection, MARIA, secret_key=KEY)
    with pytest.raises(NonceSpent), database.write() as connection:
        open_visit(connection, structs.replace(new, starts_again=True), now=LATER, secret_key=KEY)


def test_the_mark_of_one_university_is_not_that_of_another() -> None:
    assert tombstone_of(replace(MARIA, university_id=2), secret_key=KEY) != TOMBSTONE
    assert tombstone_of(MARIA, secret_key=b"another key") != TOMBSTONE


# The lists of the LMS


def course_id_of(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(sa.select(course.c.id)).scalar_one())


def read_roster(database: Database, *subs: str) -> None:
    course_id = course_id_of(database)
    listed = [RosterMember(sub=sub, is_learner=True, is_suspended=False) for sub in subs]
    with database.write() as connection:
        kept = without_erased(connection, course_id, listed, secret_key=KEY)
        save_roster(connection, course_id, kept, now=LATER)


def test_dpo_12_the_next_reading_of_the_roster_does_not_bring_them_back(database: Database, maria: Visit) -> None:
    read_roster(database, "5", "6")
    erase(database)
    read_roster(database, "5", "6")
    course_id = course_id_of(database)
    with database.write() as connection:
        assert [one.sub for one in roster_of(connection, course_id).members] == ["6"]
        assert set(ensure_participants(connection, course_id=course_id, subs=["5", "6"], now=LATER)) == {"6"}


def test_a_list_that_is_held_back_loses_them_as_well(database: Database, maria: Visit) -> None:
    many = [str(number) for number in range(5, 25)]
    read_roster(database, *many)
    read_roster(database, *many[:8])  # so many gone at once: held
    erase(database)
    held = [row["held"] for row in rows(database, metadata.tables["course_roster"])]
    assert held[0] is not None
    assert '"5"' not in held[0]


def test_what_moodle_says_of_somebody_unknown_goes_with_them(database: Database, seeded: Seeded, maria: Visit) -> None:
    stranger = Whom(university_id=1, issuer=ISSUER, sub="not here")
    states = metadata.tables["activity_state"]
    with database.write() as connection:
        row = {"course_id": 1, "cmid": 3, "source": "activity", "session_id": seeded.session_ids[0]}
        connection.execute(sa.insert(states).values(**row, sub="not here", is_complete=True, changed_at=NOW))
    assert erase(database, stranger) == 1
    assert rows(database, states) == []


def test_a_teachers_number_does_not_stay_in_what_they_said_of_others_in_moodle(
    database: Database, seeded: Seeded, maria: Visit
) -> None:
    states, teacher = metadata.tables["activity_state"], Whom(university_id=1, issuer=ISSUER, sub="teacher-77")
    with database.write() as connection:
        row = {"course_id": 1, "cmid": 3, "source": "override", "session_id": seeded.session_ids[0]}
        said = {"is_complete": True, "changed_at": NOW, "said_by": "teacher-77"}
        connection.execute(sa.insert(states).values(**row, **said, sub="5"))
        connection.execute(sa.update(evidence).values(recorded_by="moodle user teacher-77"))
    erase(database, teacher)
    assert "teacher-77" not in str(rows(database, states) + rows(database, evidence))
    assert [row["recorded_by"] for row in rows(database, evidence)] == ["moodle of university 1"]


def test_whoever_has_begun_again_is_not_erased_by_an_older_mark(database: Database, maria: Visit) -> None:
    erase(database)
    with database.read() as connection:
        marks = all_marks(connection)
    new = structs.replace(LAUNCH, starts_again=True)
    again = launch(database, new, now=LATER + timedelta(days=1))
    with database.write() as connection:
        assert erase_marked(connection, marks, secret_key=KEY, now=LATER + timedelta(days=2)) == 0
        assert whom(connection, again.participant_id).sub == "5"
        assert not is_erased(connection, MARIA, secret_key=KEY)
