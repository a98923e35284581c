"""The audit goes with its seals, and whoever goes for good goes from it too."""

from datetime import datetime

import sqlalchemy as sa

from series.people import Visit
from series.retention import Kept, period
from series.store.audit import append_audit
from series.store.audit_commitments import ensure_salts
from series.store.audit_seals import complete_up_to, seal_next, verify
from series.store.database import Database
from series.store.privacy_tables import audit_salt
from series.store.tables import (
    audit,
)
from tests.conftest import NOW
from tests.integration.retention.kept import DAY, YEAR, run
from tests.seeds import Seeded, count


def seal(database: Database, now: datetime) -> None:
    with database.write() as connection:
        up_to = complete_up_to(connection)
    with database.write() as connection:
        seal_next(connection, up_to=up_to, now=now, secret_key=b"k")


def test_dpo_09_lines_of_the_audit_go_after_two_years_and_seals_stay(database: Database, student: Visit) -> None:
    with database.write() as connection:
        thing = f"participant {student.participant_id}"
        append_audit(connection, actor="staff 1", action="see", thing=thing, now=NOW)
    seal(database, NOW)
    with database.write() as connection:
        append_audit(connection, actor="staff 1", action="see", thing="course 1", now=NOW + DAY)
    seal(database, NOW + DAY)
    later = NOW + period(Kept.AUDIT)
    assert run(database, later)[Kept.AUDIT] == 1
    with database.read() as connection:
        done = verify(connection, secret_key=b"k", now=later)
    assert (done.findings, done.seals, done.purged) == ([], 2, 1)


def test_dpo_09_an_unsealed_line_waits_for_its_seal(database: Database, seeded: Seeded) -> None:
    with database.write() as connection:
        append_audit(connection, actor="staff 1", action="see", thing="course 1", now=NOW)
    assert Kept.AUDIT not in run(database, NOW + 2 * period(Kept.AUDIT))


def test_dpo_09_who_goes_for_good_goes_from_the_audit_too(database: Database, student: Visit, end: datetime) -> None:
    with database.write() as connection:
        thing = f"participant {student.participant_id}"
        append_audit(connection, actor="staff 1", action="see", thing=thing, now=end + YEAR)
        ensure_salts(connection, [student.participant_id])
    run(database, end + YEAR)
    assert count(database, audit_salt) == 0
    with database.read() as connection:
        assert "erased participant" in connection.execute(sa.select(audit.c.object)).scalars().all()
