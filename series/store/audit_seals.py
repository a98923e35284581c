"""Seals of the audit: made in batches by the worker, looked through by whoever wants to know."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from series.audit_lines import AuditLine
from series.audit_seals import (
    LINES_OF_SEAL,
    Finding,
    Seal,
    Wrong,
    check_persons,
    check_seal,
    digests_as_text,
    digests_from_text,
    seal_lines,
)
from series.retention import Kept, period
from series.store.audit_commitments import commit_persons, ensure_salts, line_of, salts_of_all
from series.store.privacy_tables import audit_seal
from series.store.tables import audit

MOST_TRIES = 2_000_000  # with salts, at lines whose person was taken out: some seconds


@dataclass(kw_only=True)
class Verified:
    """What verify has looked at. `purged`: seals whose lines have had their time. `tried`: salts, at lines of erased
    persons; `untried`: such lines that were not compared with everybody who is still there, because they are too many.
    `head`: the last seal."""

    seals: int = 0
    lines: int = 0
    purged: int = 0
    untried: int = 0
    tried: int = 0
    unsealed: int = 0
    unsealed_since: datetime | None = None
    head: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def no_seal_holds(self) -> bool:
        return self.seals > 0 and sum(one.wrong is Wrong.SEAL_BROKEN for one in self.findings) == self.seals


def has_unsealed(connection: sa.Connection) -> bool:
    return _newest(connection) > _last(connection)[0]


def complete_up_to(connection: sa.Connection) -> int:
    """The last line before which none can come any more; 0: there is none. In a transaction of its own.

    PostgreSQL gives out numbers before the lines are committed, so a lower one may come later. Whoever appends holds a
    lock on the table until they have committed; having had one against them, all numbers so far are decided.
    https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES Raises DatabaseBusy.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SET LOCAL lock_timeout = '1s'"))  # while we wait, nobody can append
        connection.execute(sa.text("LOCK TABLE audit IN SHARE MODE"))
    return _newest(connection)


def seal_next(connection: sa.Connection, *, up_to: int, now: datetime, secret_key: bytes) -> Seal | None:
    """Seal the next lines up to that one, which must be complete. None: there are none, or somebody in them was just
    erased; then the next pass does it."""
    sealed_to, previous = _last(connection)
    found = [line_of(row) for row in connection.execute(_next_lines(sealed_to, up_to))]  # not locked yet: persons first
    persons = {one for line in found for one in line.person_ids}
    salts = ensure_salts(connection, persons)
    query = _next_lines(sealed_to, up_to).with_for_update()
    locked = [line_of(row) for row in connection.execute(query)]
    if not locked or not {one for line in locked for one in line.person_ids} <= persons:
        return None
    lines = commit_persons(connection, locked, salts)
    seal = seal_lines(lines, previous=previous, now=now, secret_key=secret_key)
    connection.execute(
        sa.insert(audit_seal).values(
            first_audit_id=seal.first_line_id,
            last_audit_id=seal.last_line_id,
            lines=len(seal.digests),
            line_digests=digests_as_text(seal.digests),
            seal=seal.seal,
            sealed_at=now,
        )
    )
    return seal


def verify(
    connection: sa.Connection,
    *,
    secret_key: bytes,
    now: datetime,
    known_head: str = "",
    on_seal: Callable[[Seal], object] = lambda _: None,
) -> Verified:
    """Look through all seals and lines. `known_head`: a seal that was noted down elsewhere, and must still be there."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))  # lines and salts of one moment
    done, salts = Verified(), salts_of_all(connection)
    sealed_to: int | None = None
    known_seals: set[str] = set()
    for seal in _seals(connection):
        lines = _between(connection, sealed_to, seal.last_line_id)
        is_purged = not lines and seal.sealed_at <= now - period(Kept.AUDIT)
        found = check_seal(seal, lines, previous=done.head, secret_key=secret_key)
        known_wrong = {one.line_id for one in found}
        done.findings += [one for one in found if not (is_purged and one.wrong is Wrong.REMOVED)]
        _look_at_persons([line for line in lines if line.line_id not in known_wrong], salts, done)
        sealed_to, done.head = seal.last_line_id, seal.seal
        known_seals.add(seal.seal)
        done.seals, done.lines, done.purged = done.seals + 1, done.lines + len(lines), done.purged + is_purged
        on_seal(seal)
    if known_head and known_head not in known_seals:
        done.findings.append(Finding(wrong=Wrong.CUT_OFF))
    _look_behind(connection, sealed_to or 0, done)
    return done


@dataclass(frozen=True, kw_only=True)
class InShort:
    """`sealed_at`: the last time; None: never. `unsealed`: lines since."""

    seals: int
    sealed_at: datetime | None
    unsealed: int


def seals_in_short(connection: sa.Connection) -> InShort:
    newest = sa.func.max(audit_seal.c.sealed_at, type_=audit_seal.c.sealed_at.type)
    seals, sealed_at = connection.execute(sa.select(sa.func.count(), newest).select_from(audit_seal)).one()
    behind = sa.select(sa.func.count()).select_from(audit).where(audit.c.id > _last(connection)[0])
    return InShort(seals=seals, sealed_at=sealed_at, unsealed=connection.execute(behind).scalar_one())


def _look_at_persons(lines: Iterable[AuditLine], salts: dict[int, tuple[bytes, ...]], done: Verified) -> None:
    number_of_salts = sum(len(each) for each in salts.values())
    for line in lines:
        if _is_taken_out(line):
            done.tried += number_of_salts
            if done.tried > MOST_TRIES:
                done.untried += 1
                continue
        done.findings += check_persons(line, salts)


def _look_behind(connection: sa.Connection, sealed_to: int, done: Verified) -> None:
    behind = sa.select(sa.func.count(), sa.func.min(audit.c.at)).where(audit.c.id > sealed_to)
    done.unsealed, done.unsealed_since = connection.execute(behind).one()


def _is_taken_out(line: AuditLine) -> bool:
    return any(line.persons[place] is None for place in line.commitments)


def _newest(connection: sa.Connection) -> int:
    found: int | None = connection.execute(sa.select(sa.func.max(audit.c.id))).scalar_one()
    return found or 0


def _last(connection: sa.Connection) -> tuple[int, str]:
    """Up to which line all is sealed, and the seal."""
    row = connection.execute(sa.select(audit_seal).order_by(audit_seal.c.id.desc()).limit(1)).one_or_none()
    return (0, "") if row is None else (row.last_audit_id, row.seal)


def _next_lines(after: int, up_to: int) -> sa.Select[Any]:
    return sa.select(audit).where(audit.c.id > after, audit.c.id <= up_to).order_by(audit.c.id).limit(LINES_OF_SEAL)


def _between(connection: sa.Connection, after: int | None, up_to: int) -> list[AuditLine]:
    """All of them, and those with numbers below any that we give out."""
    query = sa.select(audit).where(audit.c.id <= up_to).order_by(audit.c.id)
    if after is not None:
        query = query.where(audit.c.id > after)
    return [line_of(row) for row in connection.execute(query)]


def _seals(connection: sa.Connection) -> Iterator[Seal]:
    for seal_id in connection.execute(sa.select(audit_seal.c.id).order_by(audit_seal.c.id)).scalars().all():
        yield _seal(connection.execute(sa.select(audit_seal).where(audit_seal.c.id == seal_id)).one())


def _seal(row: Any) -> Seal:
    return Seal(
        seal_id=row.id,
        first_line_id=row.first_audit_id,
        last_line_id=row.last_audit_id,
        digests=digests_from_text(row.line_digests),
        sealed_at=row.sealed_at,
        seal=row.seal,
    )
