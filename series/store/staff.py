"""Accounts of staff, and the links by which they choose a password."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from series.staff import LINK_LIFE, AccountState, Role, normal_email
from series.store.database import insert
from series.store.lms_tables import staff_binding
from series.store.tables import staff, staff_link, staff_session, university
from series.store.taking_part import refuse_left
from series.store.universities import AlreadyThere, NotThere


class LinkOver(Exception):
    """This link was used, has had its time, was replaced by a newer one, or never was."""


class AccountChanged(Exception):
    """The account was changed meanwhile: another password, signed out everywhere, or disabled."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """One row. `tries` counts those since it last worked; the last one may be under way."""

    staff_id: int
    email: str
    name: str
    role: Role
    university_slug: str | None
    state: AccountState
    password_hash: str | None = field(repr=False)
    epoch: int
    tries: int
    created_at: datetime
    signed_in_at: datetime | None

    @property
    def is_active(self) -> bool:
        return self.state is AccountState.ACTIVE


def add_staff(
    connection: sa.Connection, *, email: str, name: str, role: Role, university_id: int | None, now: datetime
) -> int:
    """The new account's id; it has no password yet. Raises AlreadyThere, UniversityLeft."""
    refuse_left(connection, university_id)
    added: int | None = connection.execute(
        insert(connection, staff)
        .values(
            email=normal_email(email),
            name=name,
            role=role.value,
            university_id=university_id,
            state=AccountState.ACTIVE.value,
            epoch=0,
            tries=0,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["email"])
        .returning(staff.c.id)
    ).scalar_one_or_none()
    if added is None:
        raise AlreadyThere(f"There is already an account {normal_email(email)}; `lti-tool admin list` shows all.")
    return added


def list_staff(connection: sa.Connection) -> list[Account]:
    return [account_of_row(row) for row in connection.execute(accounts().order_by(staff.c.email))]


def find_account(connection: sa.Connection, email: str) -> Account | None:
    row = connection.execute(accounts().where(staff.c.email == normal_email(email))).one_or_none()
    return None if row is None else account_of_row(row)


def require_account(connection: sa.Connection, email: str) -> Account:
    """Raises NotThere."""
    account = find_account(connection, email)
    if account is None:
        raise NotThere(f"There is no account {normal_email(email)!r}; `lti-tool admin list` shows all.")
    return account


def get_account(connection: sa.Connection, staff_id: int) -> Account:
    return account_of_row(connection.execute(accounts().where(staff.c.id == staff_id)).one())


def wants_mail(connection: sa.Connection, staff_id: int) -> bool:
    return bool(connection.execute(sa.select(staff.c.wants_mail).where(staff.c.id == staff_id)).scalar_one())


def choose_mail(connection: sa.Connection, staff_id: int, *, is_wanted: bool) -> None:
    connection.execute(sa.update(staff).where(staff.c.id == staff_id).values(wants_mail=is_wanted))


def count_try(connection: sa.Connection, email: str) -> None:
    """One more try to sign in; nothing where there is no such account."""
    connection.execute(sa.update(staff).where(staff.c.email == normal_email(email)).values(tries=staff.c.tries + 1))


def disable_account(connection: sa.Connection, staff_id: int) -> None:
    """Its sign-ins, links and bindings are over at once. May be repeated."""
    end_sign_ins(connection, staff_id, state=AccountState.DISABLED.value)
    _drop_links(connection, staff_id)
    _drop_bindings(connection, staff_id)


def enable_account(connection: sa.Connection, staff_id: int) -> None:
    """With the password that it had. May be repeated. Raises UniversityLeft."""
    home = sa.select(staff.c.university_id).where(staff.c.id == staff_id)
    refuse_left(connection, connection.execute(home).scalar_one_or_none())
    connection.execute(sa.update(staff).where(staff.c.id == staff_id).values(state=AccountState.ACTIVE.value))


def reset_account(connection: sa.Connection, staff_id: int) -> None:
    """The password was forgotten or leaked: it works no longer, and whatever it has opened is over. May be repeated."""
    end_sign_ins(connection, staff_id, password_hash=None)
    _drop_links(connection, staff_id)
    _drop_bindings(connection, staff_id)


def end_sign_ins(connection: sa.Connection, staff_id: int, **changes: Any) -> None:
    """In every browser, also of a sign-in that is under way. May be repeated."""
    connection.execute(sa.update(staff).where(staff.c.id == staff_id).values(epoch=staff.c.epoch + 1, **changes))
    connection.execute(sa.delete(staff_session).where(staff_session.c.staff_id == staff_id))


def add_link(
    connection: sa.Connection, staff_id: int, link_hash: str, *, now: datetime, life: timedelta = LINK_LIFE
) -> datetime:
    """When it expires. It takes the place of every older link of the account."""
    _drop_links(connection, staff_id)
    expires_at = now + life
    connection.execute(sa.insert(staff_link).values(id=link_hash, staff_id=staff_id, expires_at=expires_at))
    return expires_at


def owner_of_link(connection: sa.Connection, link_hash: str, *, now: datetime) -> Account:
    """Whose password it sets. Looking spends nothing. Raises LinkOver."""
    query = accounts().join(staff_link, staff_link.c.staff_id == staff.c.id)
    row = connection.execute(query.where(staff_link.c.id == link_hash, staff_link.c.expires_at > now)).one_or_none()
    if row is None or row.state != AccountState.ACTIVE.value:
        raise LinkOver
    return account_of_row(row)


def spend_link(connection: sa.Connection, link_hash: str, *, password_hash: str, now: datetime) -> int:
    """Set the password of the link's owner, once; the account's id. All its sign-ins end. Raises LinkOver."""
    staff_id: int | None = connection.execute(
        sa.delete(staff_link)
        .where(staff_link.c.id == link_hash, staff_link.c.expires_at > now)
        .returning(staff_link.c.staff_id)
    ).scalar_one_or_none()
    if staff_id is None or not _set_password(connection, password_hash, staff.c.id == staff_id):
        raise LinkOver
    _drop_links(connection, staff_id)
    return staff_id


def change_password(connection: sa.Connection, account: Account, *, password_hash: str) -> None:
    """All sign-ins end, and so do links. Raises AccountChanged if `account` is not the present state."""
    if not _set_password(connection, password_hash, staff.c.id == account.staff_id, staff.c.epoch == account.epoch):
        raise AccountChanged
    _drop_links(connection, account.staff_id)


def save_rehash(connection: sa.Connection, account: Account, *, password_hash: str) -> None:
    """The same password under newer parameters; nothing when another one was set meanwhile."""
    connection.execute(
        sa.update(staff)
        .where(staff.c.id == account.staff_id, staff.c.password_hash == account.password_hash)
        .values(password_hash=password_hash)
    )


def purge_links(connection: sa.Connection, *, now: datetime) -> None:
    connection.execute(sa.delete(staff_link).where(staff_link.c.expires_at <= now))


def _set_password(connection: sa.Connection, password_hash: str, *conditions: sa.ColumnElement[bool]) -> bool:
    """Whether it was set: not for a disabled account."""
    set_for: int | None = connection.execute(
        sa.update(staff)
        .where(staff.c.state == AccountState.ACTIVE.value, *conditions)
        .values(password_hash=password_hash)
        .returning(staff.c.id)
    ).scalar_one_or_none()
    if set_for is not None:
        end_sign_ins(connection, set_for)
    return set_for is not None


def _drop_links(connection: sa.Connection, staff_id: int) -> None:
    connection.execute(sa.delete(staff_link).where(staff_link.c.staff_id == staff_id))


def _drop_bindings(connection: sa.Connection, staff_id: int) -> None:
    connection.execute(sa.delete(staff_binding).where(staff_binding.c.staff_id == staff_id))


def accounts() -> sa.Select[Any]:
    """What `account_of_row` reads."""
    return sa.select(staff, university.c.slug).select_from(
        staff.outerjoin(university, staff.c.university_id == university.c.id)
    )


def account_of_row(row: Any) -> Account:
    return Account(
        staff_id=row.id,
        email=row.email,
        name=row.name,
        role=Role(row.role),
        university_slug=row.slug,
        state=AccountState(row.state),
        password_hash=row.password_hash,
        epoch=row.epoch,
        tries=row.tries,
        created_at=row.created_at,
        signed_in_at=row.signed_in_at,
    )
