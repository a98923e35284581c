"""Whom the coordinator has named to host a session: the first who enters the code from their LMS is it."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.hosts import INVITATION_LIFE, CameAs, HostInvitation
from series.sessions import Session
from series.store.audit import append_audit
from series.store.lms_tables import host_invitation
from series.store.sessions import name_host
from series.store.tables import session
from series.store.turns import take_turn

_INVITATIONS = sa.select(host_invitation, session.c.end_at).join(session, host_invitation.c.session_id == session.c.id)


class InvitationUsed(Exception):
    """It was used, taken back, or is over."""


def invite_host(connection: sa.Connection, to_host: Session, label: str, *, by: str, now: datetime) -> int:
    """Its id. It works until the session's end, wherever that is moved, and for INVITATION_LIFE at most."""
    added: int = connection.execute(
        sa.insert(host_invitation)
        .values(
            session_id=to_host.session_id,
            label=label,
            created_by=by,
            created_at=now,
            expires_at=now + INVITATION_LIFE,
        )
        .returning(host_invitation.c.id)
    ).scalar_one()
    _note(connection, "invite_host", to_host.session_id, added, by=by, now=now)
    return added


def invitations_of(connection: sa.Connection, session_id: UUID) -> list[HostInvitation]:
    """The oldest first."""
    query = _INVITATIONS.where(host_invitation.c.session_id == session_id)
    return [_invitation(row) for row in connection.execute(query.order_by(host_invitation.c.id))]


def find_invitation(connection: sa.Connection, invitation_id: int) -> HostInvitation | None:
    row = connection.execute(_INVITATIONS.where(host_invitation.c.id == invitation_id)).one_or_none()
    return None if row is None else _invitation(row)


def revoke_invitation(
    connection: sa.Connection, session_id: UUID, invitation_id: int, *, by: str, now: datetime
) -> bool:
    """Whether it was still open. Who has used it before stays a host."""
    unused = host_invitation.c.used_at.is_(None) & host_invitation.c.revoked_at.is_(None)
    done = connection.execute(
        sa.update(host_invitation)
        .where(host_invitation.c.id == invitation_id, host_invitation.c.session_id == session_id, unused)
        .values(revoked_at=now)
        .returning(host_invitation.c.id)
    ).one_or_none()
    if done is not None:
        _note(connection, "revoke_host_invitation", session_id, invitation_id, by=by, now=now)
    return done is not None


def use_invitation(
    connection: sa.Connection, invitation_id: int, *, participant_id: int, came_as: CameAs, now: datetime
) -> UUID:
    """The session that the participant hosts from now on. By many at once, one of them is it. Whoever calls has seen
    the code. Raises InvitationUsed, NobodyThere."""
    take_turn(connection, participant_id)
    usable = sa.and_(
        host_invitation.c.id == invitation_id,
        host_invitation.c.used_at.is_(None),
        host_invitation.c.revoked_at.is_(None),
        host_invitation.c.expires_at > now,
        sa.exists().where(session.c.id == host_invitation.c.session_id, session.c.end_at > now),
    )
    session_id: UUID | None = connection.execute(
        sa.update(host_invitation)
        .where(usable)
        .values(used_at=now, participant_id=participant_id, used_as=came_as.value)
        .returning(host_invitation.c.session_id)
    ).scalar_one_or_none()
    if session_id is None:
        raise InvitationUsed
    name_host(connection, session_id=session_id, participant_id=participant_id)
    by = f"participant {participant_id}"
    _note(connection, "use_host_invitation", session_id, invitation_id, by=by, now=now)
    return session_id


def _note(
    connection: sa.Connection, action: str, session_id: UUID, invitation_id: int, *, by: str, now: datetime
) -> None:
    thing = f"session {session_id}"
    append_audit(connection, actor=by, action=action, thing=thing, now=now, invitation=invitation_id)


def _invitation(row: Any) -> HostInvitation:
    return HostInvitation(
        invitation_id=row.id,
        session_id=row.session_id,
        label=row.label,
        created_at=row.created_at,
        expires_at=min(row.end_at, row.expires_at),
        revoked_at=row.revoked_at,
        used_at=row.used_at,
        used_by=row.participant_id,
    )
