"""Sealing while others append, launch and erase."""

import threading
from collections.abc import Collection, Iterator

import pytest
import sqlalchemy as sa

from series.store.audit import append_audit
from series.store.audit_commitments import ensure_salts, forget
from series.store.database import Database, DatabaseBusy
from series.store.tables import participant
from tests.conftest import NOW
from tests.databases import Databases
from tests.integration.audit.sealing import append, look, seal
from tests.seeds import launch, seed

POINTS = {"key_share": True, "read": True}  # the lock of a row that points to another one


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
