"""Plans that wait until a person has seen what they would change, and what a person has said no to: at most one of each
for a series."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import msgspec
import sqlalchemy as sa

from series.join_links import JoinPlaces
from series.plans import Change, Plan, Reason, both, disturbs, list_changes, still_said
from series.sessions import Session
from series.store.audit import append_audit
from series.store.join_links import join_hosts_of
from series.store.sessions import lock_series, save_plan, sessions_of, set_source
from series.store.tables import held_plan
from series.store.uploads import TABLE_SOURCE


class NothingHeld(Exception):
    """No plan waits for this series, or not the one that was looked at."""


class PlanOutdated(Exception):
    """The sessions are no longer what they were when this plan was made."""


@dataclass(frozen=True, kw_only=True)
class HeldPlan:
    """`digest` names what was seen, so that nothing else is accepted. `apart`: the plan for when the guesses are wrong,
    and the new entries are sessions of their own. `is_rejected`: a person has said no to both."""

    series_id: UUID
    source: str  # the calendar that says it
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
    def disturbed(self) -> set[UUID]:
        """The sessions that it cancels, moves or takes for others."""
        return disturbs(self.plan, self._before)

    @property
    def refused(self) -> Plan:
        """All that a no to it refuses."""
        return both(self.apart, self.plan) if self.apart else self.plan

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
    source: str,
    now: datetime,
) -> HeldPlan:
    """Let the plan wait. The same plan keeps its time; another one takes its place."""
    fresh = _make(connection, series_id, plan, apart, reasons, source=source, now=now, is_rejected=False)
    there = find_held(connection, series_id)
    if there is not None and there.digest == fresh.digest:
        return there
    _save(connection, fresh)
    return fresh


def is_outdated(connection: sa.Connection, held: HeldPlan, *, now: datetime) -> bool:
    """Whether a yes would come too late: what it would change has changed or begun since."""
    return _is_late(connection, held, [plan for plan in (held.plan, held.apart) if plan], now=now)


def _is_late(connection: sa.Connection, held: HeldPlan, plans: list[Plan], *, now: datetime) -> bool:
    there = {session.session_id: session for session in sessions_of(connection, held.series_id)}
    wanted = [session for plan in plans for session in (*plan.changed, *(new.session for new in plan.new))]
    return any(there.get(one.session_id) != one or one.start_at <= now for one in held.before) or any(
        session.start_at <= now for session in wanted
    )


def _links_fit(connection: sa.Connection, series_id: UUID, plan: Plan) -> bool:
    """The hosts that the series allows may be others since."""
    places = JoinPlaces(hosts=join_hosts_of(connection, series_id), in_development=True)
    there = {session.session_id: session.join_url for session in sessions_of(connection, series_id)}
    wanted = (*plan.changed, *(new.session for new in plan.new))
    return all(one.join_url in (None, there.get(one.session_id)) or places.allow(one.join_url) for one in wanted)


def find_held(connection: sa.Connection, series_id: UUID) -> HeldPlan | None:
    """What waits for a yes."""
    return _find(connection, series_id, is_rejected=False)


def find_rejected(connection: sa.Connection, series_id: UUID) -> HeldPlan | None:
    """What the calendar says in spite of a no."""
    return _find(connection, series_id, is_rejected=True)


def drop_held(connection: sa.Connection, series_id: UUID, *, is_rejected: bool = False) -> None:
    """The calendar no longer says it. May be repeated."""
    connection.execute(
        sa.delete(held_plan).where(held_plan.c.series_id == series_id, held_plan.c.is_rejected == is_rejected)
    )


def keep_refused(connection: sa.Connection, refused: HeldPlan, said: Plan, *, now: datetime) -> None:
    """Forget of what was refused all that the calendar does not say any more."""
    left = still_said(refused.refused, said)
    if left.is_empty:
        drop_held(connection, refused.series_id, is_rejected=True)
    elif left != refused.refused:
        _refuse(connection, refused, left, now=now)


def accept(
    connection: sa.Connection, series_id: UUID, digest: str, *, apart: bool = False, actor: str, now: datetime
) -> HeldPlan:
    """Carry out exactly the plan of this digest, or what it is `apart` from its guesses; also after a no.

    Raises NothingHeld, or PlanOutdated when a session that it would change has changed or begun since.
    """
    lock_series(connection, series_id)
    held = _seen(connection, series_id, digest)
    plan = held.apart if apart and held.apart else held.plan
    if _is_late(connection, held, [plan], now=now) or not _links_fit(connection, series_id, plan):
        raise PlanOutdated
    save_plan(connection, series_id, plan, now=now)
    set_source(connection, series_id, held.source)
    drop_held(connection, series_id, is_rejected=held.is_rejected)
    _note(connection, held, "accept_plan", actor=actor, now=now)
    return held


def reject(connection: sa.Connection, series_id: UUID, digest: str, *, actor: str, now: datetime) -> HeldPlan:
    """Say no: this changes nothing, and nobody is asked for it again until the calendar says something else; all else
    that it says goes on. A table that was uploaded says it only once. Raises NothingHeld."""
    lock_series(connection, series_id)
    held = _seen(connection, series_id, digest)
    if not held.is_rejected:
        drop_held(connection, series_id)
        if not held.source.startswith(TABLE_SOURCE):
            before = find_rejected(connection, series_id)
            is_same = before is not None and before.source == held.source
            refused = both(before.refused, held.refused) if before and is_same else held.refused
            _refuse(connection, held, refused, now=now)
        _note(connection, held, "reject_plan", actor=actor, now=now)
    return held


def _refuse(connection: sa.Connection, held: HeldPlan, refused: Plan, *, now: datetime) -> None:
    plan, apart = (held.plan, held.apart) if refused == held.refused else (refused, None)
    made = _make(connection, held.series_id, plan, apart, held.reasons, source=held.source, now=now, is_rejected=True)
    _save(connection, made)


def _seen(connection: sa.Connection, series_id: UUID, digest: str) -> HeldPlan:
    for held in (find_held(connection, series_id), find_rejected(connection, series_id)):
        if held is not None and held.digest == digest:
            return held
    raise NothingHeld


def _note(connection: sa.Connection, held: HeldPlan, action: str, *, actor: str, now: datetime) -> None:
    append_audit(connection, actor=actor, action=action, thing=f"series {held.series_id}", now=now, digest=held.digest)


def _make(
    connection: sa.Connection,
    series_id: UUID,
    plan: Plan,
    apart: Plan | None,
    reasons: tuple[Reason, ...],
    *,
    source: str,
    now: datetime,
    is_rejected: bool,
) -> HeldPlan:
    touched = {session.session_id for each in (plan, apart) if each for session in each.changed} | set(plan.paired)
    before = tuple(session for session in sessions_of(connection, series_id) if session.session_id in touched)
    plain = Plan(new=plan.new, changed=plan.changed, rekeyed=plan.rekeyed, paired=plan.paired)
    return HeldPlan(
        series_id=series_id,
        source=source,
        digest=_digest(plain, before, source),
        plan=plain,
        apart=apart and Plan(new=apart.new, changed=apart.changed, rekeyed=apart.rekeyed, paired=apart.paired),
        before=before,
        reasons=reasons,
        held_at=now,
        is_rejected=is_rejected,
    )


def _save(connection: sa.Connection, held: HeldPlan) -> None:
    drop_held(connection, held.series_id, is_rejected=held.is_rejected)
    connection.execute(
        sa.insert(held_plan).values(
            series_id=held.series_id,
            is_rejected=held.is_rejected,
            source=held.source,
            digest=held.digest,
            plan=_as_text(held.plan),
            apart=_as_text(held.apart) if held.apart else None,
            sessions_before=_as_text(held.before),
            reasons=" ".join(held.reasons),
            held_at=held.held_at,
        )
    )


def _find(connection: sa.Connection, series_id: UUID, *, is_rejected: bool) -> HeldPlan | None:
    row = connection.execute(
        sa.select(held_plan).where(held_plan.c.series_id == series_id, held_plan.c.is_rejected == is_rejected)
    ).one_or_none()
    if row is None:
        return None
    return HeldPlan(
        series_id=row.series_id,
        source=row.source,
        digest=row.digest,
        plan=_PLAN.decode(row.plan),
        apart=_PLAN.decode(row.apart) if row.apart else None,
        before=_SESSIONS.decode(row.sessions_before),
        reasons=tuple(Reason(name) for name in row.reasons.split()),
        held_at=row.held_at,
        is_rejected=row.is_rejected,
    )


def _digest(plan: Plan, before: tuple[Session, ...], source: str) -> str:
    """Of what a person sees. New sessions get an id of their own at each reading, which is none of it."""
    new = [(new.key, replace(new.session, session_id=UUID(int=0))) for new in plan.new]
    seen = (new, plan.changed, plan.rekeyed, plan.paired, before, source)
    return hashlib.sha256(msgspec.json.encode(seen)).hexdigest()[:16]


def _as_text(value: Plan | tuple[Session, ...]) -> str:
    return msgspec.json.encode(value).decode()
