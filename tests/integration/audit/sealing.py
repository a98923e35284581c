"""Appending to the audit, sealing it, changing it behind our back, and looking through it."""

from datetime import timedelta

import sqlalchemy as sa

from series.audit_seals import Seal, Wrong
from series.store.audit import append_audit
from series.store.audit_seals import Verified, complete_up_to, seal_next, verify
from series.store.database import Database
from series.store.tables import audit
from tests.conftest import NOW

KEY = b"k" * 32


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
