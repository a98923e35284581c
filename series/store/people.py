"""The accounts of staff as the coordinator sees them: with their university, and the link that waits for them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from series.staff import AccountState, Role
from series.store.staff import Account, account_of_row, accounts, disable_account
from series.store.tables import staff, staff_link, university


class LastCoordinator(Exception):
    """Without them nobody could run the series from the pages any more."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """`university` None: a coordinator. `zone`: where they are. `link_until`: of the link to choose a
    password that was not used yet."""

    account: Account
    university: str | None
    zone: str
    link_until: datetime | None


def people(
    connection: sa.Connection, *, search: str, limit: int, offset: int, now: datetime
) -> tuple[list[Person], int]:
    """One page of all, the coordinators first, and how many there are; `search`: a part of name, e-mail or
    university."""
    asked = (staff.c.name, staff.c.email, university.c.name, university.c.slug)
    found = sa.or_(*(sa.func.coalesce(column, "").icontains(search, autoescape=True) for column in asked))
    total = connection.execute(accounts().where(found).with_only_columns(sa.func.count())).scalar_one()
    order = (staff.c.university_id.is_not(None), staff.c.name, staff.c.id)
    query = _people(now).where(found).order_by(*order).limit(limit).offset(offset)
    return _of(connection.execute(query)), int(total)


def people_of(connection: sa.Connection, university_id: int, *, now: datetime) -> list[Person]:
    """The LMS admins of one university, by name."""
    query = _people(now).where(staff.c.university_id == university_id).order_by(staff.c.name, staff.c.id)
    return _of(connection.execute(query))


def find_person(connection: sa.Connection, staff_id: int, *, now: datetime) -> Person | None:
    found = _of(connection.execute(_people(now).where(staff.c.id == staff_id)))
    return found[0] if found else None


def disable_person(connection: sa.Connection, staff_id: int) -> None:
    """As series.store.staff.disable_account. May be repeated. Raises LastCoordinator."""
    coordinators = connection.execute(
        sa.select(staff.c.id, staff.c.state)
        .where(staff.c.role == Role.COORDINATOR.value)
        .order_by(staff.c.id)
        .with_for_update()  # the disabled ones too: all lock the same rows, and so one after the other
    )
    if {row.id for row in coordinators if row.state == AccountState.ACTIVE.value} == {staff_id}:
        raise LastCoordinator
    disable_account(connection, staff_id)


def _people(now: datetime) -> sa.Select[Any]:
    """An account has one link at most."""
    links = sa.select(staff_link.c.staff_id, staff_link.c.expires_at).where(staff_link.c.expires_at > now).subquery()
    of_it = links.c.staff_id == staff.c.id
    columns = (university.c.name.label("university"), university.c.time_zone, links.c.expires_at.label("link_until"))
    return sa.select(staff, university.c.slug, *columns).select_from(
        staff.outerjoin(university, staff.c.university_id == university.c.id).outerjoin(links, of_it)
    )


def _of(rows: Iterable[Any]) -> list[Person]:
    return [
        Person(
            account=account_of_row(row),
            university=row.university,
            zone=row.time_zone or "UTC",
            link_until=row.link_until,
        )
        for row in rows
    ]
