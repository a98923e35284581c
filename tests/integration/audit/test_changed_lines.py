"""Whoever changes the audit in the database is found out."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from series.audit_seals import Finding, Wrong
from series.people import Visit
from series.store.database import Database
from series.store.privacy_tables import audit_seal
from series.store.tables import audit
from tests.conftest import NOW
from tests.integration.audit.sealing import append, found, ids, look, row_of, seal, set_line, tamper


@pytest.mark.parametrize("name", ["actor", "action", "object", "detail", "at"])
def test_dpo_15_a_changed_line_is_found(sealed: Database, name: str) -> None:
    line = ids(sealed)[3]  # of nobody but its actor
    set_line(sealed, line, **{name: NOW + timedelta(seconds=1) if name == "at" else '{"people": 4}'})
    wrong = Wrong.SOMEBODY_ELSE if name == "actor" else Wrong.CHANGED
    assert found(sealed) == [(wrong, line)]


@pytest.mark.parametrize("name", ["actor_commitment", "object_commitment", "detail_commitment"])
def test_dpo_15_a_changed_commitment_is_found(sealed: Database, name: str) -> None:
    line = ids(sealed)[1]
    set_line(sealed, line, **{name: "0" * 64})
    assert (Wrong.CHANGED, line) in found(sealed)


def test_dpo_15_a_removed_line_is_found(sealed: Database) -> None:
    line = ids(sealed)[1]
    tamper(sealed, sa.delete(audit).where(audit.c.id == line))
    assert found(sealed) == [(Wrong.REMOVED, line)]


def test_dpo_15_a_line_put_in_is_found(sealed: Database) -> None:
    line = ids(sealed)[1]
    row = row_of(sealed, line)
    tamper(sealed, sa.delete(audit).where(audit.c.id == line))
    tamper(sealed, sa.insert(audit).values(**row, id=-5))
    assert found(sealed) == [(Wrong.INSERTED, -5), (Wrong.REMOVED, line)]


def test_dpo_15_lines_that_changed_places_are_found(sealed: Database) -> None:
    first, _, third = ids(sealed)[:3]
    one, other = row_of(sealed, first), row_of(sealed, third)
    set_line(sealed, first, **other)
    set_line(sealed, third, **one)
    swapped = [one for one in look(sealed).findings if one.wrong is Wrong.SWAPPED]
    assert swapped == [
        Finding(wrong=Wrong.SWAPPED, line_id=first, other_id=third),
        Finding(wrong=Wrong.SWAPPED, line_id=third, other_id=first),
    ]


def test_dpo_15_another_person_in_a_line_is_found(sealed: Database, student: Visit, teacher: Visit) -> None:
    line = ids(sealed)[2]
    set_line(sealed, line, detail=f'{{"participant": {teacher.participant_id}}}')
    assert found(sealed) == [(Wrong.SOMEBODY_ELSE, line)]


def test_dpo_15_a_person_taken_out_who_was_not_erased_is_found(sealed: Database) -> None:
    line = ids(sealed)[0]
    set_line(sealed, line, actor="erased participant")
    assert found(sealed) == [(Wrong.SOMEBODY_ELSE, line)]


def test_dpo_15_sealed_lines_cut_off_at_the_end_are_found(sealed: Database) -> None:
    *_, last = ids(sealed)
    tamper(sealed, sa.delete(audit).where(audit.c.id == last))
    assert found(sealed) == [(Wrong.REMOVED, last)]


def test_dpo_15_an_end_cut_off_with_its_seal_is_found_by_a_seal_noted_elsewhere(sealed: Database) -> None:
    lines, head = ids(sealed), look(sealed).head
    assert look(sealed, head=head).findings == []
    tamper(sealed, sa.delete(audit).where(audit.c.id > lines[2]))
    tamper(sealed, sa.delete(audit_seal).where(audit_seal.c.seal == head))
    assert look(sealed).findings == []  # nothing in the database can tell
    assert look(sealed, head=head).findings == [Finding(wrong=Wrong.CUT_OFF)]


def test_dpo_15_a_seal_taken_out_of_the_middle_is_found(sealed: Database) -> None:
    append(sealed, "operator", "key 1")
    (third,) = seal(sealed)
    with sealed.read() as connection:
        _, second, last = connection.execute(sa.select(audit_seal.c.id).order_by(audit_seal.c.id)).scalars()
    tamper(sealed, sa.delete(audit_seal).where(audit_seal.c.id == second))
    assert look(sealed).findings == [Finding(wrong=Wrong.SEAL_BROKEN, seal_id=last, line_id=third.first_line_id)]


@pytest.mark.parametrize("name", ["line_digests", "seal", "first_audit_id", "sealed_at"])
def test_dpo_15_a_changed_seal_is_found(sealed: Database, name: str) -> None:
    values = {"line_digests": "1:ab x", "seal": "0" * 64, "first_audit_id": 0, "sealed_at": NOW + timedelta(1)}
    with sealed.read() as connection:
        first = connection.execute(sa.select(sa.func.min(audit_seal.c.id))).scalar_one()
    tamper(sealed, sa.update(audit_seal).where(audit_seal.c.id == first).values({name: values[name]}))
    assert (Wrong.SEAL_BROKEN, first) in [(one.wrong, one.seal_id) for one in look(sealed).findings]


def test_whoever_has_not_the_key_cannot_seal(sealed: Database) -> None:
    done = look(sealed, key=b"another key")
    assert done.no_seal_holds
