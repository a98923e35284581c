"""The rows of a university that leaves, in the order in which they go: what points before what it points to."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from series.store.belongings import of_university, own_tables
from series.store.lms_tables import host_invitation
from series.store.privacy_tables import audit_salt
from series.store.tables import check_in, course, participant, platform, session, staff, visit

AT_ONCE = 1_000  # rows in one transaction: some milliseconds, in which nobody else can write on SQLite


@dataclass(frozen=True, kw_only=True)
class Going:
    """Rows of one table that go; with `values`, they are emptied in their place. `is_shared`: they are nobody's own,
    and are not counted."""

    table: sa.Table
    which: sa.ColumnElement[bool]
    values: dict[str, Any] = field(default_factory=dict)
    is_shared: bool = False

    def some(self, connection: sa.Connection) -> int:
        """The next ones go; how many these were. 0: there are none any more. What is emptied is locked in the order in
        which all others lock participants and courses (series.store.turns)."""
        keys = list(self.table.primary_key)
        key = keys[0] if len(keys) == 1 else sa.tuple_(*keys)
        some = sa.select(*keys).where(self.which).limit(AT_ONCE)
        change: sa.Update | sa.Delete = sa.delete(self.table)
        if self.values:
            some = some.order_by(*keys).with_for_update()
            change = sa.update(self.table).values(self.values)
        return len(connection.execute(change.where(key.in_(some)).returning(sa.literal(1))).all())

    def count(self, connection: sa.Connection) -> int:
        found = sa.select(sa.func.count()).select_from(self.table).where(self.which)
        return connection.execute(found).scalar_one()

    def is_over(self, connection: sa.Connection) -> bool:
        return connection.execute(sa.select(*self.table.primary_key).where(self.which).limit(1)).first() is None


def rows_that_go(university_id: int, *, now: datetime) -> Iterator[Going]:
    """Visits first: in one that is open, more would be written. Last the salts of the audit: nothing points to them,
    and without them its seals would not hold while it still names somebody."""
    people = sa.select(participant.c.id).where(participant.c.university_id == university_id)
    unnamed = {"opened_by_participant_id": None, "reason": None}
    yield Going(table=check_in, which=check_in.c.opened_by_participant_id.in_(people), values=unnamed, is_shared=True)
    yield Going(table=visit, which=of_university(visit, university_id))
    tables = [table for table in reversed(own_tables()) if table is not audit_salt]
    for table in (*tables, audit_salt):
        which = _whose(table, university_id)
        if table in _IS_NAMED:
            values = _nothing_left(table, now)
            yield Going(table=table, which=which & _IS_NAMED[table], values=values)
            continue
        for key in table.foreign_keys:
            if key.column.table is table:  # of its own rows, what points goes first, too
                yield Going(table=table, which=which & key.parent.is_not(None))
        yield Going(table=table, which=which)


def _whose(table: sa.Table, university_id: int) -> sa.ColumnElement[bool]:
    which = of_university(table, university_id)
    if table is host_invitation:  # also those that nobody has opened yet: their label names somebody of theirs
        hosted = sa.select(session.c.id).where(session.c.hosting_university_id == university_id)
        which |= host_invitation.c.participant_id.is_(None) & host_invitation.c.session_id.in_(hosted)
    return which


# Their numbers stay, and nothing else of them: SQLite would give a number anew, with what others had noted of it.
_IS_NAMED: dict[sa.Table, sa.ColumnElement[bool]] = {
    participant: participant.c.issuer != "",
    course: course.c.title != "",
    platform: platform.c.client_id != "",
    staff: staff.c.name != "",
}


def _nothing_left(table: sa.Table, now: datetime) -> dict[str, Any]:
    gone = sa.literal("left ") + sa.cast(table.c.id, sa.String)
    values: dict[sa.Table, dict[str, Any]] = {
        participant: {"issuer": "", "sub": gone, "created_at": now, "objected_at": None}
        | {"feed_generation": participant.c.feed_generation + 1},
        course: {"title": "", "deployment_id": None, "context_id": None, "memberships_url": None, "copied_from": None}
        | {"moodle_course_id": None, "announces": False, "feed_read_at": None}
        | {"feed_generation": course.c.feed_generation + 1},
        platform: {"slug": sa.func.replace(gone, " ", "-"), "issuer": gone, "client_id": "", "state": "disabled"}
        | dict.fromkeys(("authorization_endpoint", "token_endpoint", "jwks_uri"), "")
        | dict.fromkeys(("token_audience", "granted_scopes", "lms_version", "succeeds_platform_id")),
        staff: {"email": gone, "name": "", "password_hash": None, "state": "disabled", "wants_mail": False}
        | {"created_at": now, "signed_in_at": None, "digest_at": None},
    }
    return values[table]
