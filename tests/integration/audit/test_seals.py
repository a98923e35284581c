"""Seals hold over what nobody has touched, and over an erasure, which is not taken for a change."""

from datetime import timedelta

import sqlalchemy as sa
from msgspec import structs

from series.audit_seals import LINES_OF_SEAL
from series.people import Visit
from series.retention import Kept, period
from series.store.audit_commitments import forget
from series.store.audit_seals import Verified, has_unsealed
from series.store.database import Database
from series.store.merging import merge_participants
from series.store.privacy_tables import audit_salt
from series.store.tables import audit
from tests.conftest import NOW
from tests.integration.audit.sealing import append, ids, look, seal, tamper
from tests.seeds import LAUNCH, launch


def test_dpo_15_an_untouched_audit_holds(sealed: Database) -> None:
    append(sealed, "operator", "key 1")
    done = look(sealed)
    assert (done.seals, done.lines, done.unsealed, done.unsealed_since, done.findings) == (2, 6, 1, NOW, [])


def test_an_empty_audit_holds(database: Database) -> None:
    assert look(database) == Verified()
    assert seal(database) == []


def test_many_lines_go_under_several_seals(database: Database, student: Visit) -> None:
    rows = [{"at": NOW, "actor": "operator", "action": "see", "object": "x", "detail": "{}"}] * (LINES_OF_SEAL + 1)
    tamper(database, sa.insert(audit).values(rows))
    assert [len(one.digests) for one in seal(database)] == [LINES_OF_SEAL, 1]
    assert look(database).findings == []


def test_only_what_is_not_sealed_yet_waits(sealed: Database) -> None:
    with sealed.read() as connection:
        assert not has_unsealed(connection)
    append(sealed, "operator", "key 1")
    with sealed.read() as connection:
        assert has_unsealed(connection)


def test_dpo_12_seals_hold_after_an_erasure(sealed: Database, student: Visit, teacher: Visit) -> None:
    for one in (student, teacher):
        with sealed.write() as connection:
            forget(connection, one.participant_id)
        assert look(sealed).findings == []
    with sealed.read() as connection:
        text = str(connection.execute(sa.select(audit)).all())
    assert "participant 1" not in text
    assert "participant 2" not in text


def test_dpo_12_lines_of_whom_was_erased_cannot_be_told_to_be_of_one_person(sealed: Database, student: Visit) -> None:
    with sealed.write() as connection:
        forget(connection, student.participant_id)
        commitments = connection.execute(sa.select(audit.c.detail_commitment)).scalars().all()
    told = [one for one in commitments if one]
    assert len(set(told)) == len(told) == 4


def test_an_erasure_before_the_seal_is_sealed_as_it_is(database: Database, student: Visit) -> None:
    append(database, f"participant {student.participant_id}", "course 1")
    with database.write() as connection:
        forget(connection, student.participant_id)
    seal(database)
    assert look(database).findings == []


def test_seals_hold_after_two_people_turn_out_to_be_one(sealed: Database, student: Visit, teacher: Visit) -> None:
    with sealed.write() as connection:
        merge_participants(connection, kept=teacher.participant_id, dropped=student.participant_id)
    assert look(sealed).findings == []
    with sealed.write() as connection:
        forget(connection, teacher.participant_id)
    assert look(sealed).findings == []
    with sealed.read() as connection:
        assert connection.execute(sa.select(audit_salt)).all() == []


def test_a_line_about_a_number_that_was_nobodys_stays_as_it_was_sealed(database: Database, student: Visit) -> None:
    later = student.participant_id + 1
    append(database, f"participant {later}", "course 1")
    seal(database)
    assert launch(database, structs.replace(LAUNCH, sub="9")).participant_id == later
    with database.write() as connection:
        assert forget(connection, later) == 0
    assert look(database).findings == []


def test_dpo_09_lines_that_had_their_time_are_missed_by_no_seal(sealed: Database) -> None:
    tamper(sealed, sa.delete(audit).where(audit.c.id <= ids(sealed)[2]))
    assert len(look(sealed, later=period(Kept.AUDIT) - timedelta(seconds=1)).findings) == 3
    done = look(sealed, later=period(Kept.AUDIT))
    assert (done.findings, done.purged, done.seals) == ([], 1, 2)
