"""Who comes by launch as their LMS's administrator, and is which of the staff."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from series.people import Visit
from series.permissions import Action, may
from series.staff import LAUNCH_SIGNS_IN_FOR, AccountState, Role, Staff
from series.store.audit import append_audit
from series.store.database import insert
from series.store.lms_tables import staff_binding
from series.store.staff import Account, AccountChanged, account_of_row, accounts
from series.store.staff_sessions import close_session, open_session
from series.store.tables import participant, staff, university
from series.store.turns import take_turn
from series.store.visits import find_visit, spend_ticket


class NotBound(Exception):
    """This launch opens nothing for staff: it is over, it is nobody's, or the account does not work any more."""


@dataclass(frozen=True, kw_only=True)
class Binding:
    """`sub`: the person's number in the LMS; `time_zone`: of the university."""

    participant_id: int
    sub: str
    issuer: str
    bound_at: datetime
    time_zone: str


def bindings_of(connection: sa.Connection, staff_id: int) -> list[Binding]:
    """The newest first."""
    rows = connection.execute(
        sa.select(staff_binding, participant.c.sub, participant.c.issuer, university.c.time_zone)
        .select_from(staff_binding.join(participant).join(university))
        .where(staff_binding.c.staff_id == staff_id)
        .order_by(staff_binding.c.bound_at.desc(), staff_binding.c.participant_id)
    )
    return [
        Binding(
            participant_id=row.participant_id,
            sub=row.sub,
            issuer=row.issuer,
            bound_at=row.bound_at,
            time_zone=row.time_zone,
        )
        for row in rows
    ]


def bound_account(connection: sa.Connection, participant_id: int) -> Account | None:
    """Whom the participant is, while that account works and is of the participant's own university."""
    row = connection.execute(_bound().where(staff_binding.c.participant_id == participant_id)).one_or_none()
    return None if row is None else account_of_row(row)


def bind(
    connection: sa.Connection,
    visit: Visit,
    viewer: Staff,
    *,
    ticket_nonce: str,
    nonce_expires_at: datetime,
    now: datetime,
) -> None:
    """The visit's participant is `viewer` from now on, and nobody else of the staff. Whether they may is the caller's
    to ask. Raises TicketSpent, NobodyThere, and AccountChanged if the account was changed or disabled meanwhile."""
    take_turn(connection, visit.participant_id)
    current = sa.select(staff.c.id).where(
        staff.c.id == viewer.staff_id, staff.c.epoch == viewer.epoch, staff.c.state == AccountState.ACTIVE.value
    )
    if connection.execute(current.with_for_update()).one_or_none() is None:
        raise AccountChanged
    spend_ticket(connection, ticket_nonce, visit.visit_id, expires_at=nonce_expires_at)
    values = {"staff_id": viewer.staff_id, "bound_at": now}
    connection.execute(
        insert(connection, staff_binding)
        .values(participant_id=visit.participant_id, **values)
        .on_conflict_do_update(index_elements=["participant_id"], set_=values)
    )
    who = f"staff {viewer.staff_id}"
    append_audit(connection, actor=who, action="bind_launch", thing=who, now=now, participant=visit.participant_id)


def undo_binding(connection: sa.Connection, staff_id: int, participant_id: int, *, actor: str, now: datetime) -> None:
    """May be repeated."""
    undone = connection.execute(
        sa.delete(staff_binding)
        .where(staff_binding.c.staff_id == staff_id, staff_binding.c.participant_id == participant_id)
        .returning(staff_binding.c.staff_id)
    ).one_or_none()
    if undone is not None:
        thing = f"staff {staff_id}"
        append_audit(connection, actor=actor, action="unbind_launch", thing=thing, now=now, participant=participant_id)


def end_bindings(
    connection: sa.Connection, participant_ids: sa.Select[tuple[int]], *, actor: str, now: datetime
) -> None:
    """Of all these people. May be repeated."""
    ended = connection.execute(
        sa.delete(staff_binding)
        .where(staff_binding.c.participant_id.in_(participant_ids))
        .returning(staff_binding.c.staff_id, staff_binding.c.participant_id)
    ).all()
    for row in ended:
        thing = f"staff {row.staff_id}"
        append_audit(
            connection, actor=actor, action="unbind_launch", thing=thing, now=now, participant=row.participant_id
        )


def open_bound_session(
    connection: sa.Connection,
    visit_id: str,
    *,
    ticket_nonce: str,
    nonce_expires_at: datetime,
    session_hash: str,
    old_session_hash: str | None,
    now: datetime,
) -> Account:
    """Sign in whom the visit's participant is bound to. All that the ticket stood for is asked once more: the launch
    was just now, its visit is open and an administrator's, the account works and is of the same university. Raises
    TicketSpent, NotBound."""
    found = find_visit(connection, visit_id, now=now)
    if found is None or not found.is_open or not may(found.visit, Action.USE_BINDING):
        raise NotBound
    if not found.visit.is_younger_than(LAUNCH_SIGNS_IN_FOR, now):
        raise NotBound
    spend_ticket(connection, ticket_nonce, visit_id, expires_at=nonce_expires_at)
    account = bound_account(connection, found.visit.participant_id)
    if account is None:
        raise NotBound
    failed = open_session(connection, account, session_hash, now=now)
    if old_session_hash:
        close_session(connection, old_session_hash)
    who = f"staff {account.staff_id}"
    append_audit(
        connection,
        actor=who,
        action="sign_in_by_launch",
        thing=who,
        now=now,
        participant=found.visit.participant_id,
        failed_before=failed,
    )
    return account


def _bound() -> sa.Select[Any]:
    return (
        accounts()
        .join(staff_binding, staff_binding.c.staff_id == staff.c.id)
        .join(participant, participant.c.id == staff_binding.c.participant_id)
        .where(
            staff.c.state == AccountState.ACTIVE.value,
            staff.c.role == Role.LMS_ADMIN.value,
            staff.c.university_id == participant.c.university_id,
        )
    )
