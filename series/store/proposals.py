"""A rule that somebody proposes for a series: what it would change, and carrying out exactly what they have seen."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
import sqlalchemy as sa

from series.rule import Rule, SessionRule, is_harder, problem_of
from series.rule_effect import Effect, Person, effect
from series.store.audit import append_audit
from series.store.evidence import early_evidence
from series.store.records import records_of
from series.store.rules import (
    RuleImpossible,
    RuleTooHard,
    history_of,
    rules_of,
    set_rule,
    set_session_rule,
    somebody_relies_on,
)
from series.store.sessions import lock_series
from series.store.tables import counted, evidence, session

COMMAND_LINE = "command line"  # who has set a rule where nobody is signed in
AT_ONCE = 500  # people in one query


class ProposalOutdated(Exception):
    """The rule, or the sessions to which it would apply, are others than those that were looked at."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """`new` in place of `old`, the rule in force. Sessions: `followers` would be completed by other evidence than now,
    `frozen` have started, and `own` have rules of their own. `digest` names all of it."""

    old: Rule
    new: Rule
    version: int
    followers: frozenset[UUID]
    frozen: frozenset[UUID]
    own: frozenset[UUID]
    digest: str

    @property
    def changes_nothing(self) -> bool:
        return self.new == self.old


def proposal_of(connection: sa.Connection, series_id: UUID, new: Rule, *, now: datetime) -> Proposal:
    """Raises RuleImpossible, RuleTooHard."""
    problem = problem_of(new)
    if problem:
        raise RuleImpossible(problem)
    rules = rules_of(connection, series_id)
    starts = connection.execute(
        sa.select(session.c.id, session.c.start_at).where(session.c.series_id == series_id, counted)
    )
    started = {row.id: row.start_at <= now for row in starts}
    in_force = {session_id: rules.of_sessions[session_id] for session_id in started}
    frozen = frozenset(each for each in started if started[each] or in_force[each].is_frozen)
    if is_harder(new, rules.series) and somebody_relies_on(connection, series_id):
        raise RuleTooHard
    own = frozenset(each for each, its in in_force.items() if its.is_own) - frozen
    others = frozenset(in_force) - frozen - own if new.ways != rules.series.ways else frozenset[UUID]()
    return Proposal(
        old=rules.series,
        new=new,
        version=rules.version,
        followers=others,
        frozen=frozen,
        own=own,
        digest=_digest(rules.version, new, others, frozen, own),
    )


def effect_of(connection: sa.Connection, series_id: UUID, proposal: Proposal, *, now: datetime) -> Effect:
    """On everybody who has brought any evidence so far. Never shown without `pooling.protect`."""
    people = _people(connection, series_id, now)
    return effect(people, proposal.old, proposal.new, followers=proposal.followers, now=now)


def carry_out(
    connection: sa.Connection, series_id: UUID, new: Rule, *, digest: str | None, actor: str, by: str, now: datetime
) -> bool:
    """What was looked at under `digest` (None: nobody has looked); whether that is another rule than before.

    Raises ProposalOutdated, RuleImpossible, RuleTooHard.
    """
    lock_series(connection, series_id)
    if digest is not None and proposal_of(connection, series_id, new, now=now).digest != digest:
        raise ProposalOutdated
    is_new = set_rule(connection, series_id, new, by=by, now=now)
    if is_new:
        version = rules_of(connection, series_id).version
        append_audit(connection, actor=actor, action="set_rule", thing=f"series {series_id}", now=now, version=version)
    return is_new


def carry_out_for_session(
    connection: sa.Connection,
    session_id: UUID,
    rule: SessionRule | None,
    *,
    version: int | None,
    actor: str,
    by: str,
    now: datetime,
) -> bool:
    """As set_session_rule, where `version` was in force when they looked (None: nobody has); whether that is new.

    Raises ProposalOutdated, RuleImpossible, RuleFrozen.
    """
    series_id = connection.execute(sa.select(session.c.series_id).where(session.c.id == session_id)).scalar_one()
    lock_series(connection, series_id)
    if version is not None and rules_of(connection, series_id).of_sessions[session_id].version != version:
        raise ProposalOutdated
    is_new = set_session_rule(connection, session_id, rule, by=by, now=now)
    if is_new:
        version = history_of(connection, series_id)[0].version
        action = "set_session_rule" if rule else "drop_session_rule"
        append_audit(connection, actor=actor, action=action, thing=f"session {session_id}", now=now, version=version)
    return is_new


def _people(connection: sa.Connection, series_id: UUID, now: datetime) -> Iterator[Person]:
    came = sa.select(evidence.c.participant_id).join(session, evidence.c.session_id == session.c.id)
    ids = sorted(connection.execute(came.where(session.c.series_id == series_id, counted).distinct()).scalars())
    early = early_evidence(connection, series_id, now=now)
    for first in range(0, len(ids), AT_ONCE):
        found = records_of(connection, ids[first : first + AT_ONCE], series_id)
        for participant_id, records in found.items():
            yield Person(records=tuple(records), early=early.get(participant_id, {}))


def _digest(*seen: object) -> str:
    parts = [sorted(map(str, each)) if isinstance(each, frozenset) else each for each in seen]
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:16]
