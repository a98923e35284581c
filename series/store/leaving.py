"""A university leaves. First nothing new of it comes in; then its people go out of the audit and its rows go, a
thousand at a time; when none is left, a certificate says how many there were. What was published stays.

Each batch is a transaction of its own, and writes down how many rows it was. So whatever breaks it off, it is taken up
again by beginning anew: what is gone is gone, and counted. While it lasts, nobody else waits longer than for a batch.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from series.certificates import Certificate, Deletion, prove_deletion
from series.people import University
from series.store.audit import append_audit
from series.store.audit_commitments import find_lines, forget_some
from series.store.belongings import own_tables
from series.store.database import Connection, Database
from series.store.deletion_certificates import save_certificate
from series.store.leaving_rows import Going, rows_that_go
from series.store.moodle_connections import disconnect
from series.store.privacy_tables import audit_salt
from series.store.tables import audit, participant, platform, staff, staff_session, university

CLOSED, ROWS_GONE, DELETED = "close_university", "delete_rows", "delete_university"  # in the audit
PASSES = 5
LINES_AT_ONCE = 200  # of the audit, which are changed one by one
Seen = Callable[[int], object]  # is told of so many rows more; 0: people were taken out of the audit


class StillWritten(Exception):
    """Somebody goes on writing rows of a university that leaves."""


@dataclass(frozen=True, kw_only=True)
class Leaving:
    """`by`: as in the audit. `clock`: what time it is."""

    home: University
    by: str
    secret_key: bytes
    clock: Callable[[], datetime]

    @property
    def thing(self) -> str:
        return f"university {self.home.university_id}"


def close_doors(connection: Connection, leaving: Leaving) -> bool:
    """From now on no launch and no sign-in of theirs works, nothing is read from their LMSs, and what would be new is
    refused (series.store.taking_part). Whether it has only begun to leave by this. May be repeated."""
    home_id = leaving.home.university_id
    begins = connection.execute(  # before all else is locked: as whoever stores something new does (refuse_left)
        sa.update(university)
        .where(university.c.id == home_id, university.c.left_at.is_(None))
        .values(left_at=leaving.clock())
        .returning(university.c.id)
    ).one_or_none()
    disconnect(connection, home_id)
    connection.execute(sa.update(platform).where(platform.c.university_id == home_id).values(state="disabled"))
    of_theirs = sa.select(staff.c.id).where(staff.c.university_id == home_id)
    connection.execute(sa.delete(staff_session).where(staff_session.c.staff_id.in_(of_theirs)))
    connection.execute(
        sa.update(staff).where(staff.c.university_id == home_id).values(state="disabled", epoch=staff.c.epoch + 1)
    )
    if begins is not None:
        append_audit(connection, actor=leaving.by, action=CLOSED, thing=leaving.thing, now=leaving.clock())
    return begins is not None


def count_what_goes(connection: Connection, leaving: Leaving) -> int:
    """How many rows `delete_all` will tell of, as far as can be said before."""
    return sum(one.count(connection) for one in rows_that_go(leaving.home.university_id, now=leaving.clock()))


def delete_all(database: Database, leaving: Leaving, *, on_batch: Seen = lambda _: None) -> Certificate:
    """Everything of theirs, after `close_doors`, and the certificate of it. What was being written when the doors were
    closed is found in another pass. Raises StillWritten; may be repeated after whatever was raised.

    Whoever waits for SQLite looks again each tenth of a second, and seldom finds the moment between two batches: so
    `on_batch` is where to rest.
    """
    for _ in range(PASSES):
        _take_out_of_audit(database, leaving, on_batch)
        for going in rows_that_go(leaving.home.university_id, now=leaving.clock()):
            if going.table is audit_salt:  # the last one: lines that name somebody go with the salt of that person
                _take_out_of_audit(database, leaving, on_batch)
            if not _drain(database, leaving, going, on_batch):
                break
        else:
            if _is_over(database, leaving):
                with database.write() as connection:
                    return _certify(connection, leaving)
    raise StillWritten(
        f"Somebody goes on writing rows of {leaving.home.name}. Stop the tool and the worker, and run this again."
    )


def _drain(database: Database, leaving: Leaving, going: Going, on_batch: Seen) -> bool:
    """Whether all of it is gone; else something points to it that has just come."""
    while True:
        try:
            with database.write() as connection:
                rows = going.some(connection)
                if rows and not going.is_shared:
                    _note_rows(connection, leaving, going.table, rows)
        except sa.exc.IntegrityError:
            return False
        if not rows:
            return True
        on_batch(rows)


def _note_rows(connection: Connection, leaving: Leaving, table: sa.Table, rows: int) -> None:
    detail: dict[str, str | int] = {"table": table.name, "rows": rows}
    append_audit(connection, actor=leaving.by, action=ROWS_GONE, thing=leaving.thing, now=leaving.clock(), **detail)


def _take_out_of_audit(database: Database, leaving: Leaving, on_batch: Seen) -> None:
    """Each person at once, so that the seals hold in between, and as many people in one batch as have a batch of lines;
    somebody with more has one of their own."""
    with database.read() as connection:
        whose = participant.c.university_id == leaving.home.university_id
        people = frozenset(connection.execute(sa.select(participant.c.id).where(whose)).scalars())
        found = find_lines(connection, people)
    for some in _batches({one: len(lines) for one, lines in sorted(found.lines.items())}):
        with database.write() as connection:
            forget_some(connection, some, found)
        on_batch(0)


def _batches(sizes: Mapping[int, int]) -> Iterator[list[int]]:
    some: list[int] = []
    lines = 0
    for one, size in sizes.items():
        if some and lines + size > LINES_AT_ONCE:
            yield some
            some, lines = [], 0
        some.append(one)
        lines += size
    if some:
        yield some


def _is_over(database: Database, leaving: Leaving) -> bool:
    """After all who have begun to write of the university before its doors were closed: on PostgreSQL they are waited
    for, on SQLite there is none any more."""
    home_id = leaving.home.university_id
    with database.read() as connection:
        connection.execute(sa.select(university.c.id).where(university.c.id == home_id).with_for_update())
        return all(one.is_over(connection) for one in rows_that_go(home_id, now=leaving.clock()))


def _certify(connection: Connection, leaving: Leaving) -> Certificate:
    home, now = leaving.home, leaving.clock().replace(microsecond=0)
    counts = _counted(connection, leaving)
    deletion = Deletion(university_name=home.name, country=home.country, counts=counts, at=now, by=leaving.by)
    proof = prove_deletion(deletion, secret_key=leaving.secret_key)
    certificate = save_certificate(connection, deletion, proof=proof)
    append_audit(
        connection,
        actor=leaving.by,
        action=DELETED,
        thing=leaving.thing,
        now=leaving.clock(),
        certificate=certificate.number,
    )
    return certificate


def _counted(connection: Connection, leaving: Leaving) -> dict[str, int]:
    """Rows by table, since the last certificate of this university."""
    of_it = audit.c.object == leaving.thing
    last = sa.select(sa.func.max(audit.c.id)).where(of_it, audit.c.action == DELETED).scalar_subquery()
    gone = sa.select(audit.c.detail).where(of_it, audit.c.action == ROWS_GONE, audit.c.id > sa.func.coalesce(last, 0))
    counts: Counter[str] = Counter({table.name: 0 for table in own_tables()})
    for detail in connection.execute(gone).scalars():
        one = json.loads(detail)
        counts[one["table"]] += one["rows"]
    return dict(counts)
