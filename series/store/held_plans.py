"""Plans that wait until a person has seen what they would change: at most one for each series."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from series.plans import Change, Plan, Reason, list_changes
from series.sessions import Session
from series.store.audit import append_audit
from series.store.sessions import save_import, sessions_of
from series.store.tables import held_plan


class NothingHeld(Exception):
    """No plan waits for this series, or not the one that was looked at."""


class PlanOutdated(Exception):
    """The sessions are no longer what they were when this plan was made."""


@dataclass(frozen=True, kw_only=True)
class HeldPlan:
    """`digest` names what was seen, so that nothing else is accepted. `apart`: the plan for when the guesses are wrong,
    and the new entries are sessions of their own. `is_rejected`: a person has said no to both."""

    series_id: UUID
    digest: str
    plan: Plan
    apart: Plan | None
    before: tuple[Session, ...]  # the sessions that it would change, as they were
    reasons: tuple[Reason, ...]
    held_at: datetime
    is_rejected: bool

    @property
    def changes(self) -> list[Change]:
        return list_changes(self.plan, self._before)

    @property
    def changes_apart(self) -> list[Change]:
        return list_changes(self.apart, self._before) if self.apart else []

    @property
    def _before(self) -> dict[UUID, Session]:
        return {session.session_id: session for session in self.before}


_PLAN = msgspec.json.Decoder(Plan)
_SESSIONS = msgspec.json.Decoder(tuple[Session, ...])


def hold(
    connection: sa.Connection,
    series_id: UUID,
    plan: Plan,
    apart: Plan | None,
    reasons: tuple[Reason, ...],
    *,
    now: datetime,
) -> HeldPlan:
    """Let the plan wait. The same plan keeps its time and its answer; another one takes its place."""
    touched = {session.session_id for each in (plan, apart) if each for session in each.changed} | set(plan.paired)
    before = tuple(session for session in sessions_of(connection, series_id) if session.session_id in touched)
    digest = _digest(plan, before)
    there = find_held(connection, series_id)
    if there is not None and there.digest == digest:
        return there
    drop_held(connection, series_id)
    row = {
        "series_id": series_id,
        "digest": digest,
        "plan": _as_text(plan),
        "apart": _as_text(apart) if apart else None,
        "sessions_before": _as_text(before),
        "reasons": " ".join(reasons),
        "held_at": now,
        "is_rejected": False,
    }
    connection.execute(sa.insert(held_plan).values(row))
    return _held(row)


def find_held(connection: sa.Connection, series_id: UUID) -> HeldPlan | None:
    row = connection.execute(sa.select(held_plan).where(held_plan.c.series_id == series_id)).mappings().one_or_none()
    return None if row is None else _held(dict(row))


def drop_held(connection: sa.Connection, series_id: UUID) -> None:
    """The calendar no longer says it. May be repeated."""
    connection.execute(sa.delete(held_plan).where(held_plan.c.series_id == series_id))


def accept(
    connection: sa.Connection, series_id: UUID, digest: str, *, apart: bool = False, actor: str, now: datetime
) -> HeldPlan:
    """Carry out exactly the plan of this digest, or what it is `apart` from its guesses; also after a no.

    Raises NothingHeld, or PlanOutdated when a session that it would change has changed or begun since.
    """
    held = _seen(connection, series_id, digest)
    plan = held.apart if apart and held.apart else held.plan
    now_there = {session.session_id: session for session in sessions_of(connection, series_id)}
    if any(now_there.get(session.session_id) != session or session.start_at <= now for session in held.before):
        raise PlanOutdated
    save_import(
        connection,
        series_id,
        new=[(new.session, new.key) for new in plan.new],
        changed=plan.changed,
        rekeyed=plan.rekeyed,
        now=now,
    )
    drop_held(connection, series_id)
    _note(connection, held, "accept_plan", actor=actor, now=now)
    return held


def reject(connection: sa.Connection, series_id: UUID, digest: str, *, actor: str, now: datetime) -> HeldPlan:
    """Say no: nothing changes, and nobody is asked again until the calendar says something else. Raises NothingHeld."""
    held = _seen(connection, series_id, digest)
    connection.execute(sa.update(held_plan).where(held_plan.c.series_id == series_id).values(is_rejected=True))
    _note(connection, held, "reject_plan", actor=actor, now=now)
    return held


def _seen(connection: sa.Connection, series_id: UUID, digest: str) -> HeldPlan:
    held = find_held(connection, series_id)
    if held is None or held.digest != digest:
        raise NothingHeld
    return held


def _note(connection: sa.Connection, held: HeldPlan, action: str, *, actor: str, now: datetime) -> None:
    append_audit(connection, actor=actor, action=action, thing=f"series {held.series_id}", now=now, digest=held.digest)


def _digest(plan: Plan, before: tuple[Session, ...]) -> str:
    """Of what a person sees. New sessions get an id of their own at each reading, which is none of it."""
    new = [(new.key, replace(new.session, session_id=UUID(int=0))) for new in plan.new]
    seen = (new, plan.changed, plan.rekeyed, plan.paired, before)
    return hashlib.sha256(msgspec.json.encode(seen)).hexdigest()[:16]


def _as_text(value: Plan | tuple[Session, ...]) -> str:
    return msgspec.json.encode(value).decode()


def _held(row: dict[str, Any]) -> HeldPlan:
    return HeldPlan(
        series_id=row["series_id"],
        digest=row["digest"],
        plan=_PLAN.decode(row["plan"]),
        apart=_PLAN.decode(row["apart"]) if row["apart"] else None,
        before=_SESSIONS.decode(row["sessions_before"]),
        reasons=tuple(Reason(name) for name in row["reasons"].split()),
        held_at=row["held_at"],
        is_rejected=row["is_rejected"],
    )
