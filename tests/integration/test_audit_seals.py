"""The sealed audit: whoever changes it in the database is found out, and an erasure is not taken for a change."""

import threading
from collections.abc import Collection, Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.audit_seals import LINES_OF_SEAL, Finding, Seal, Wrong
from series.people import Visit
from series.retention import Kept, period
from series.store.audit import append_audit
from series.store.audit_commitments import ensure_salts, forget
from series.store.audit_seals import Verified, complete_up_to, has_unsealed, seal_next, verify
from series.store.database import Database, DatabaseBusy
from series.store.merging import merge_participants
from series.store.privacy_tables import audit_salt, audit_seal
from series.store.tables import audit, participant
from tests.conftest import NOW
from tests.databases import Databases
from tests.seeds import LAUNCH, launch, seed

KEY = b"k" * 32
POINTS = {"key_share": True, "read": True}  # the lock of a row that points to another one


@pytest.fixture
def student(database: Database) -> Visit:
    seed(database)
    return launch(database)


@pytest.fixture
def teacher(database: Database, student: Visit) -> Visit:
    return launch(database, structs.replace(LAUNCH, sub="9", is_teacher=True, is_learner=False))


@pytest.fixture
def sealed(database: Database, student: Visit, teacher: Visit) -> Database:
    """Six lines under two seals: a teacher looks at a course, at a student, and says something; then the next three."""
    for _ in range(2):
        append(database, f"participant {teacher.participant_id}", "course 1", people=3)
        append(database, f"participant {teacher.participant_id}", f"participant {student.participant_id}", session="s")
        append(database, "staff 1", "session 2", participant=student.participant_id)
        seal(database)
    return database


def append(database: Database, actor: str, thing: str, **detail: str | int) -> None:
    with database.write() as connection:
        append_audit(connection, actor=actor, action="see", thing=thing, now=NOW, **detail)


def seal(database: Database) -> list[Seal]:
    with database.write() as connection:
        up_to = complete_up_to(connection)
    made = []
    while True:
        with database.write() as connection:
            one = seal_next(connection, up_to=up_to, now=NOW, secret_key=KEY)
        if one is None:
            return made
        made.append(one)


def look(database: Database, *, key: bytes = KEY, head: str = "", later: timedelta = timedelta()) -> Verified:
    with database.read() as connection:
        return verify(connection, secret_key=key, now=NOW + later, known_head=head)


def found(database: Database) -> list[tuple[Wrong, int]]:
    return [(one.wrong, one.line_id) for one in look(database).findings]


def ids(database: Database) -> list[int]:
    with database.read() as connection:
        return list(connection.execute(sa.select(audit.c.id).order_by(audit.c.id)).scalars())


def tamper(database: Database, statement: sa.Executable) -> None:
    with database.write() as connection:
        connection.execute(statement)


def set_line(database: Database, line_id: int, **values: object) -> None:
    tamper(database, sa.update(audit).where(audit.c.id == line_id).values(**values))


def row_of(database: Database, line_id: int) -> dict[str, object]:
    with database.read() as connection:
        row = connection.execute(sa.select(audit).where(audit.c.id == line_id)).mappings().one()
    return {name: value for name, value in row.items() if name != "id"}


# What is whole


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


# What was done to it


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


# What may happen to it


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


# Several at once


def test_dpo_12_an_erasure_and_a_seal_do_not_wait_for_each_other(
    served: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An erasure that has the person's row, and wants their lines while those are being sealed."""
    person_id = launch(served).participant_id
    append(served, f"participant {person_id}", "course 1")
    has_person, is_sealing, failed = threading.Event(), threading.Event(), list[Exception]()

    def erase() -> None:
        try:
            with served.write() as connection:
                connection.execute(sa.select(participant).where(participant.c.id == person_id).with_for_update())
                has_person.set()
                assert is_sealing.wait(timeout=30)
                forget(connection, person_id)
        except DatabaseBusy as error:
            failed.append(error)

    def salts_late(connection: sa.Connection, ids: Collection[int]) -> dict[int, tuple[bytes, ...]]:
        is_sealing.set()
        return ensure_salts(connection, ids)

    monkeypatch.setattr("series.store.audit_seals.ensure_salts", salts_late)
    thread = threading.Thread(target=erase)
    thread.start()
    assert has_person.wait(timeout=30)
    assert seal(served)
    thread.join()
    assert failed == []
    assert look(served).findings == []


def test_a_launch_does_not_wait_for_a_seal(served: Database) -> None:
    person_id = launch(served).participant_id
    with served.write() as connection:
        ensure_salts(connection, [person_id])
        with served.write() as other:
            other.execute(sa.text("SET LOCAL lock_timeout = '100ms'"))
            other.execute(sa.select(participant.c.id).where(participant.c.id == person_id).with_for_update(**POINTS))


@pytest.fixture
def served(databases: Databases) -> Iterator[Database]:
    """SQLite lets one write at a time, so nobody commits late there."""
    with databases.fresh("postgresql") as url:
        database = Database(url)
        seed(database)
        yield database
        database.dispose()


@pytest.fixture
def late(served: Database) -> Iterator[threading.Event]:
    """Somebody who has taken the number of a line, and commits only when told."""
    begun, told = threading.Event(), threading.Event()

    def append_late() -> None:
        with served.write() as connection:
            append_audit(connection, actor="operator", action="late", thing="x", now=NOW)
            begun.set()
            told.wait(timeout=30)

    thread = threading.Thread(target=append_late)
    thread.start()
    assert begun.wait(timeout=30)
    yield told
    told.set()
    thread.join()


def test_a_line_that_commits_late_is_not_sealed_over(served: Database, late: threading.Event) -> None:
    append(served, "operator", "y")  # has a higher number, and is there before
    with pytest.raises(DatabaseBusy):
        seal(served)
    late.set()
    while True:  # as the worker's next pass does, once the late one has committed
        try:
            (made,) = seal(served)
            break
        except DatabaseBusy:
            continue
    assert len(made.digests) == 2
    assert look(served).findings == []
