"""What a calendar would change in the plan of a series, and what stops it until a person has looked."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from series.sessions import Session

Key = tuple[str, datetime]  # UID and original start of a calendar entry

P = TypeVar("P", bound="Plan")

MANY = 2  # more cancelled or moved sessions than this are looked at first
SHARE = 0.3  # so are 2 or more that are a larger part of those to come
SOON = timedelta(hours=2)  # and any that starts within this time


@dataclass(frozen=True, kw_only=True)
class NewSession:
    session: Session
    key: Key


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Nothing in it means that the calendar says what we have.

    `rekeyed`: calendar entries that stand for known sessions from now on. `paired`: those of the sessions among them
    whose entry we have only guessed: by title, hosting university or order.
    """

    new: tuple[NewSession, ...]
    changed: tuple[Session, ...]
    rekeyed: tuple[tuple[Key, UUID], ...]
    paired: tuple[UUID, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.new or self.changed or self.rekeyed)


NOTHING = Plan(new=(), changed=(), rekeyed=())


class Reason(StrEnum):
    """Why a plan waits for a person."""

    MANY_CANCELLED = "many_cancelled"
    MANY_MOVED = "many_moved"
    SOON = "soon"
    GUESSED = "guessed"
    UPLOADED = "uploaded"


class Kind(StrEnum):
    """What happens to one session."""

    NEW = "new"
    CANCELLED = "cancelled"
    MOVED = "moved"
    RESTORED = "restored"
    CHANGED = "changed"
    PAIRED = "paired"


@dataclass(frozen=True, kw_only=True)
class Change:
    kind: Kind
    before: Session | None
    after: Session


def without(plan: P, refused: Plan) -> P:
    """The plan but for what a person has said no to."""
    after = {session.session_id: replace(session, sequence=0) for session in refused.changed}
    keys = {new.key for new in refused.new}
    return replace(
        plan,
        new=tuple(new for new in plan.new if new.key not in keys),
        changed=tuple(one for one in plan.changed if after.get(one.session_id) != replace(one, sequence=0)),
        rekeyed=tuple(pair for pair in plan.rekeyed if pair not in refused.rekeyed),
        paired=tuple(session_id for session_id in plan.paired if session_id not in refused.paired),
    )


def still_said(refused: Plan, plan: Plan) -> Plan:
    """What was refused, as far as the calendar goes on saying it."""
    return without(refused, without(refused, plan))


def both(one: Plan, other: Plan) -> Plan:
    """What either of them changes; where both change something, as `other` does."""
    rest = without(one, other)
    changed = {session.session_id: session for session in (*rest.changed, *other.changed)}
    return Plan(
        new=(*rest.new, *other.new),
        changed=tuple(changed.values()),
        rekeyed=(*rest.rekeyed, *other.rekeyed),
        paired=(*rest.paired, *other.paired),
    )


def disturbs(plan: Plan, sessions: Mapping[UUID, Session]) -> set[UUID]:
    """The sessions that it cancels, moves or takes for others."""
    return {
        change.after.session_id
        for change in list_changes(plan, sessions)
        if change.kind in {Kind.CANCELLED, Kind.PAIRED} or _moves(change)
    }


def brake(plan: Plan, sessions: Mapping[UUID, Session], *, now: datetime) -> tuple[Reason, ...]:
    """Why this plan must not be carried out before a person has seen it; nothing for one that may.

    A single cancellation is let through, also when it is the last session but one of the term.
    """
    ahead = [session for session in sessions.values() if not session.is_cancelled and session.start_at > now]
    changes = [change for change in list_changes(plan, sessions) if change.before in ahead]
    cancelled = [change for change in changes if change.kind is Kind.CANCELLED]
    moved = [change for change in changes if _moves(change)]
    reasons = []
    if len(cancelled) > MANY or (len(cancelled) >= MANY and len(cancelled) > SHARE * len(ahead)):
        reasons.append(Reason.MANY_CANCELLED)
    if len(moved) > MANY:
        reasons.append(Reason.MANY_MOVED)
    if any(change.before and change.before.start_at <= now + SOON for change in (*cancelled, *moved)):
        reasons.append(Reason.SOON)
    if plan.paired:
        reasons.append(Reason.GUESSED)
    return tuple(reasons)


def list_changes(plan: Plan, sessions: Mapping[UUID, Session]) -> list[Change]:
    """What would happen to each session, in the order of their new start. `sessions`: as they are."""
    changes = [Change(kind=Kind.NEW, before=None, after=new.session) for new in plan.new]
    changed = {session.session_id: session for session in plan.changed}
    for session_id in dict.fromkeys((*changed, *plan.paired)):
        before = sessions[session_id]
        after = changed.get(session_id, before)
        kind = Kind.PAIRED if session_id in plan.paired else _kind(before, after)
        changes.append(Change(kind=kind, before=before, after=after))
    return sorted(changes, key=lambda change: (change.after.start_at, change.after.session_id))


def _kind(before: Session, after: Session) -> Kind:
    if after.is_cancelled and not before.is_cancelled:
        return Kind.CANCELLED
    if before.is_cancelled and not after.is_cancelled:
        return Kind.RESTORED
    return Kind.MOVED if before.start_at != after.start_at else Kind.CHANGED


def _moves(change: Change) -> bool:
    return (
        change.before is not None
        and change.kind is not Kind.CANCELLED
        and change.before.start_at != change.after.start_at
    )
