"""Invitations to register an LMS: each is good for one platform.

Whoever registers claims the invitation first, for a while, then calls the LMS outside any transaction, and then either
saves the platform and marks the invitation as used in one transaction, or lets the claim go.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from series.lms_invitations import LmsInvitation, Standing
from series.people import University
from series.store.audit import append_audit
from series.store.lms_tables import lms_invitation
from series.store.tables import platform, university
from series.store.taking_part import refuse_left
from series.store.universities import NewPlatform, add_platform, free_slug, university_of_row

MAX_PROBLEM_CHARS = 500


class InvitationOver(Exception):
    """It was used, revoked or has expired, or somebody else is registering by it just now."""

    def __init__(self, standing: Standing) -> None:
        super().__init__(standing.value)
        self.standing = standing


class UniversityBusy(Exception):
    """Another LMS of the university is being registered just now, and the two would take the same name."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """`slug`: of the platform that will be, which stands in its login address. `until` tells this claim from others."""

    invitation: LmsInvitation
    slug: str
    until: datetime


def make_invitation(
    connection: sa.Connection, home: University, *, approves: bool, life: timedelta, actor: str, now: datetime
) -> LmsInvitation:
    """Raises UniversityLeft."""
    refuse_left(connection, home.university_id)
    invitation_id: int = connection.execute(
        sa.insert(lms_invitation)
        .values(
            university_id=home.university_id,
            approves=approves,
            created_by=actor,
            created_at=now,
            expires_at=now + life,
        )
        .returning(lms_invitation.c.id)
    ).scalar_one()
    _note(connection, "invite_lms", home, invitation_id, actor, now, approves=int(approves))
    made = find_invitation(connection, invitation_id)
    assert made is not None
    return made


def find_invitation(connection: sa.Connection, invitation_id: int) -> LmsInvitation | None:
    row = connection.execute(_INVITATIONS.where(lms_invitation.c.id == invitation_id)).one_or_none()
    return None if row is None else _invitation(row)


def list_invitations(connection: sa.Connection, university_id: int) -> list[LmsInvitation]:
    """The newest first."""
    query = _INVITATIONS.where(lms_invitation.c.university_id == university_id).order_by(lms_invitation.c.id.desc())
    return [_invitation(row) for row in connection.execute(query)]


def revoke_invitation(connection: sa.Connection, invitation: LmsInvitation, *, actor: str, now: datetime) -> bool:
    """Whether it was of any use until now. May be repeated."""
    found = connection.execute(
        sa.update(lms_invitation)
        .where(
            lms_invitation.c.id == invitation.invitation_id,
            lms_invitation.c.revoked_at.is_(None),
            lms_invitation.c.used_at.is_(None),
        )
        .values(revoked_at=now)
        .returning(lms_invitation.c.id)
    ).one_or_none()
    if found is None:
        return False
    _note(connection, "revoke_lms_invitation", invitation.university, invitation.invitation_id, actor, now)
    return True


def claim_invitation(connection: sa.Connection, invitation_id: int, *, lease: timedelta, now: datetime) -> Claim:
    """Keep others from registering by it for a while. Raises InvitationOver, UniversityBusy."""
    _one_after_the_other(connection, invitation_id)
    invitation = _open(connection, invitation_id, now)
    for other in list_invitations(connection, invitation.university.university_id):
        if other.standing(now) is Standing.UNDER_WAY:
            raise UniversityBusy
    until = now + lease
    connection.execute(
        sa.update(lms_invitation).where(lms_invitation.c.id == invitation_id).values(claimed_until=until)
    )
    return Claim(invitation=invitation, slug=free_slug(connection, invitation.university.slug), until=until)


def let_go(connection: sa.Connection, claim: Claim, *, problem: str, now: datetime) -> None:
    """The registration came to nothing; the link may be tried again."""
    connection.execute(
        sa.update(lms_invitation)
        .where(_is_held(claim))
        .values(claimed_until=None, problem=problem[:MAX_PROBLEM_CHARS], problem_at=now)
    )


def note_problem(connection: sa.Connection, invitation: LmsInvitation, *, problem: str, now: datetime) -> None:
    """Why a try came to nothing before the LMS was asked to register us. One that is under way, or over, stays as it
    is."""
    connection.execute(
        sa.update(lms_invitation)
        .where(
            lms_invitation.c.id == invitation.invitation_id,
            lms_invitation.c.used_at.is_(None),
            sa.or_(lms_invitation.c.claimed_until.is_(None), lms_invitation.c.claimed_until <= now),
        )
        .values(problem=problem[:MAX_PROBLEM_CHARS], problem_at=now)
    )


def use_claim(connection: sa.Connection, claim: Claim, new: NewPlatform, *, now: datetime) -> int:
    """The platform that was registered. Raises InvitationOver (revoked meanwhile, or the lease ended and another has
    it), AlreadyThere."""
    _one_after_the_other(connection, claim.invitation.invitation_id)
    held = connection.execute(sa.select(lms_invitation.c.id).where(_is_held(claim))).one_or_none()
    if held is None:
        now_is = find_invitation(connection, claim.invitation.invitation_id)
        raise InvitationOver(Standing.EXPIRED if now_is is None else now_is.standing(now))
    return _save(connection, claim.invitation, new, now)


def use_invitation(connection: sa.Connection, invitation_id: int, new: NewPlatform, *, now: datetime) -> int:
    """As `use_claim`, where no LMS has to be called: by hand. Raises InvitationOver, AlreadyThere."""
    _one_after_the_other(connection, invitation_id)
    return _save(connection, _open(connection, invitation_id, now), new, now)


def _one_after_the_other(connection: sa.Connection, invitation_id: int) -> None:
    """Of one university: so that two LMSs do not take the same slug, nor two registrations the same invitation. Taken
    before any other lock, because a new platform locks its university, too."""
    home_id = sa.select(lms_invitation.c.university_id).where(lms_invitation.c.id == invitation_id).scalar_subquery()
    connection.execute(sa.select(university.c.id).where(university.c.id == home_id).with_for_update())
    connection.execute(sa.select(lms_invitation.c.id).where(lms_invitation.c.id == invitation_id).with_for_update())


def _open(connection: sa.Connection, invitation_id: int, now: datetime) -> LmsInvitation:
    invitation = find_invitation(connection, invitation_id)
    standing = Standing.EXPIRED if invitation is None else invitation.standing(now)
    if invitation is None or standing is not Standing.OPEN:
        raise InvitationOver(standing)
    return invitation


def _save(connection: sa.Connection, invitation: LmsInvitation, new: NewPlatform, now: datetime) -> int:
    platform_id = add_platform(connection, new, now=now)
    connection.execute(
        sa.update(lms_invitation)
        .where(lms_invitation.c.id == invitation.invitation_id)
        .values(used_at=now, platform_id=platform_id, claimed_until=None, problem=None, problem_at=None)
    )
    append_audit(
        connection,
        actor=f"lms invitation {invitation.invitation_id}",
        action="register_platform",
        thing=f"platform {platform_id}",
        now=now,
        approved=int(new.is_approved),
    )
    return platform_id


def _is_held(claim: Claim) -> sa.ColumnElement[bool]:
    return (
        (lms_invitation.c.id == claim.invitation.invitation_id)
        & (lms_invitation.c.claimed_until == claim.until)
        & lms_invitation.c.used_at.is_(None)
        & lms_invitation.c.revoked_at.is_(None)
    )


def _note(
    connection: sa.Connection,
    action: str,
    home: University,
    invitation_id: int,
    actor: str,
    now: datetime,
    **detail: int,
) -> None:
    append_audit(
        connection,
        actor=actor,
        action=action,
        thing=f"university {home.university_id}",
        now=now,
        invitation=invitation_id,
        **detail,
    )


_INVITATIONS = sa.select(
    university,
    lms_invitation.c.id.label("invitation_id"),
    lms_invitation.c.approves,
    lms_invitation.c.created_at,
    lms_invitation.c.expires_at,
    lms_invitation.c.revoked_at,
    lms_invitation.c.claimed_until,
    lms_invitation.c.used_at,
    lms_invitation.c.platform_id,
    lms_invitation.c.problem,
    lms_invitation.c.problem_at,
    platform.c.slug.label("platform_slug"),
).select_from(
    lms_invitation.join(university, lms_invitation.c.university_id == university.c.id).outerjoin(
        platform, lms_invitation.c.platform_id == platform.c.id
    )
)


def _invitation(row: Any) -> LmsInvitation:
    return LmsInvitation(
        invitation_id=row.invitation_id,
        university=university_of_row(row),
        approves=row.approves,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        claimed_until=row.claimed_until,
        used_at=row.used_at,
        platform_id=row.platform_id,
        platform_slug=row.platform_slug,
        problem=row.problem,
        problem_at=row.problem_at,
    )
