"""Persons in the audit: found by their number, sealed as commitments, and taken out of it for good."""

import sqlalchemy as sa

from series.audit_lines import ERASED
from series.people import Visit
from series.store.audit_commitments import ensure_salts, forget, hand_over
from series.store.database import Database
from series.store.privacy_tables import audit_salt
from series.store.tables import audit
from tests.integration.audit.sealing import append
from tests.seeds import count


def stored(database: Database) -> list[tuple[str, str, str]]:
    with database.read() as connection:
        query = sa.select(audit.c.actor, audit.c.object, audit.c.detail).order_by(audit.c.id)
        return [(actor, thing, detail) for actor, thing, detail in connection.execute(query)]


def named(one: Visit) -> str:
    return f"participant {one.participant_id}"


def test_dpo_12_erasure_takes_a_person_out_of_every_line(database: Database, student: Visit, teacher: Visit) -> None:
    append(database, named(student), named(student))
    append(database, named(teacher), named(student), reason="was ill")
    append(database, "staff 1", "session 2", participant=student.participant_id)
    append(database, named(teacher), "course 1", people=3)
    with database.write() as connection:
        assert forget(connection, student.participant_id) == 3
    assert stored(database) == [
        (ERASED, ERASED, "{}"),
        (named(teacher), ERASED, "{}"),
        ("staff 1", "session 2", "{}"),
        (named(teacher), "course 1", '{"people": 3}'),
    ]


def test_a_teacher_who_is_erased_leaves_what_was_said_of_others(
    database: Database, student: Visit, teacher: Visit
) -> None:
    append(database, named(teacher), named(student), session="x")
    with database.write() as connection:
        forget(connection, teacher.participant_id)
    assert stored(database) == [(ERASED, named(student), '{"session": "x"}')]


def test_erasure_leaves_whose_number_begins_alike(database: Database, student: Visit) -> None:
    append(database, "staff 1", "session 2", participant=int(f"{student.participant_id}0"))
    with database.write() as connection:
        assert forget(connection, student.participant_id) == 0


def test_dpo_12_erasure_destroys_the_salt(database: Database, student: Visit, teacher: Visit) -> None:
    both = [student.participant_id, teacher.participant_id]
    with database.write() as connection:
        assert set(ensure_salts(connection, both)) == set(both)
        forget(connection, student.participant_id)
    with database.read() as connection:
        assert connection.execute(sa.select(audit_salt.c.participant_id)).scalars().all() == both[1:]


def test_a_salt_is_made_once_and_of_no_stranger(database: Database, student: Visit) -> None:
    with database.write() as connection:
        once = ensure_salts(connection, [student.participant_id, 999])
        assert ensure_salts(connection, [student.participant_id]) == once
        assert list(once) == [student.participant_id]


def test_two_who_are_one_person_keep_their_lines_and_salts(database: Database, student: Visit, teacher: Visit) -> None:
    append(database, named(teacher), named(student))
    append(database, "staff 1", "session 2", participant=student.participant_id)
    with database.write() as connection:
        ensure_salts(connection, [student.participant_id, teacher.participant_id])
        hand_over(connection, kept=teacher.participant_id, dropped=student.participant_id)
        assert len(ensure_salts(connection, [teacher.participant_id])[teacher.participant_id]) == 2
    assert stored(database) == [
        (named(teacher), named(teacher), "{}"),
        ("staff 1", "session 2", f'{{"participant": {teacher.participant_id}}}'),
    ]
    assert count(database, audit_salt) == 2
