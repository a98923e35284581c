"""What counts: the rule of a series and of single sessions, with versions, frozen when a session starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from series.rule import Rule, SessionRule, is_harder, problem_of
from series.standing import CourseCount
from series.store.tables import counted, course_count, evidence, rule_version, series, session

_SESSION_RULE = msgspec.json.Decoder(SessionRule)
_RULE = msgspec.json.Decoder(Rule)


class RuleFrozen(Exception):
    """The session has started: what completes it stays as it was."""

    def __init__(self) -> None:
        super().__init__("This session has started, so what counts for it can no longer be changed.")


class RuleTooHard(Exception):
    """Somebody has done something by the rule: the numbers may only become easier."""

    def __init__(self) -> None:
        super().__init__(
            "People rely on these numbers by now: the number of sessions may only be lowered now, and the number of"
            " recordings only be raised."
        )


class RuleImpossible(Exception):
    """A rule that no evidence could meet."""


@dataclass(frozen=True, kw_only=True)
class RuleInForce:
    """What counts for one session. `version`: of the series' history; `is_own`: not that of the series."""

    rule: SessionRule
    version: int
    is_own: bool
    is_frozen: bool


@dataclass(frozen=True, kw_only=True)
class Rules:
    """All of a series at one moment. `of_sessions`: by id, also of rehearsals, in which everything is to be tried."""

    series: Rule
    version: int
    of_sessions: Mapping[UUID, RuleInForce]


@dataclass(frozen=True, kw_only=True)
class RuleChange:
    """One row of the history. `rule` None: the session has none of its own any more."""

    version: int
    session_id: UUID | None
    rule: SessionRule | None
    set_by: str
    set_at: datetime


def begin_rules(connection: sa.Connection, series_id: UUID, rule: Rule, *, by: str, now: datetime) -> None:
    """The first version of a new series. Raises RuleImpossible."""
    _check(rule)
    _append(connection, series_id, None, msgspec.json.encode(rule).decode(), by=by, now=now)


def rule_of(connection: sa.Connection, series_id: UUID) -> Rule:
    """Of the series, as it is now."""
    text: str = connection.execute(_newest(series_id, None)).scalar_one()
    return _RULE.decode(text)


def rules_of(connection: sa.Connection, series_id: UUID) -> Rules:
    rows = connection.execute(
        sa.select(rule_version).where(rule_version.c.series_id == series_id).order_by(rule_version.c.version)
    ).all()
    by_id = {row.id: row for row in rows}
    newest = {row.session_id: row for row in rows}  # the last one of each wins
    sessions = connection.execute(
        sa.select(session.c.id, session.c.rule_version_id).where(session.c.series_id == series_id)
    )
    of_series = newest[None]
    found = {}
    for row in sessions:
        is_frozen = row.rule_version_id is not None
        own = newest.get(row.id)
        row_in_force = by_id[row.rule_version_id] if is_frozen else own if own is not None and own.rule else of_series
        found[row.id] = RuleInForce(
            rule=_SESSION_RULE.decode(row_in_force.rule),
            version=row_in_force.version,
            is_own=row_in_force.session_id is not None,
            is_frozen=is_frozen,
        )
    return Rules(series=_RULE.decode(of_series.rule), version=of_series.version, of_sessions=found)


def history_of(connection: sa.Connection, series_id: UUID) -> list[RuleChange]:
    """The newest first."""
    rows = connection.execute(
        sa.select(rule_version).where(rule_version.c.series_id == series_id).order_by(rule_version.c.version.desc())
    )
    return [
        RuleChange(
            version=row.version,
            session_id=row.session_id,
            rule=None if row.rule is None else (_SESSION_RULE if row.session_id else _RULE).decode(row.rule),
            set_by=row.set_by,
            set_at=row.set_at,
        )
        for row in rows
    ]


def set_rule(connection: sa.Connection, series_id: UUID, rule: Rule, *, by: str, now: datetime) -> bool:
    """Whether it is another one. For sessions that have started, nothing changes but the numbers of the series.

    Raises RuleImpossible, RuleTooHard.
    """
    _check(rule)
    _lock(connection, series_id)
    old = rule_of(connection, series_id)
    if rule == old:
        return False
    freeze_started(connection, series_id, now=now)
    if is_harder(rule, old) and somebody_relies_on(connection, series_id):
        raise RuleTooHard
    _append(connection, series_id, None, msgspec.json.encode(rule).decode(), by=by, now=now)
    mark_scores_stale(connection, series_id, now=now)
    return True


def somebody_relies_on(connection: sa.Connection, series_id: UUID) -> bool:
    """Whether anybody has done anything by the rule of the series yet: before, it may also become harder."""
    query = sa.select(evidence.c.id).join(session, evidence.c.session_id == session.c.id)
    return connection.execute(query.where(session.c.series_id == series_id, counted).limit(1)).first() is not None


def set_session_rule(
    connection: sa.Connection, session_id: UUID, rule: SessionRule | None, *, by: str, now: datetime
) -> bool:
    """Give a session that has not started a rule of its own, or (None) that of the series; whether that is new.

    Raises RuleImpossible, RuleFrozen.
    """
    if rule is not None:
        _check(rule)
    series_id = connection.execute(sa.select(session.c.series_id).where(session.c.id == session_id)).scalar_one()
    _lock(connection, series_id)
    freeze_started(connection, series_id, now=now)
    in_force = rules_of(connection, series_id).of_sessions[session_id]
    if in_force.is_frozen:
        raise RuleFrozen
    if rule == (in_force.rule if in_force.is_own else None):
        return False
    text = None if rule is None else msgspec.json.encode(rule).decode()
    _append(connection, series_id, session_id, text, by=by, now=now)
    mark_scores_stale(connection, series_id, now=now)
    return True


def freeze_started(connection: sa.Connection, series_id: UUID, *, now: datetime) -> bool:
    """Keep for each session that has started the rule that it started with; whether any session ever has."""
    started = (session.c.series_id == series_id) & (session.c.start_at <= now)
    waiting = sa.select(session.c.id).where(started, session.c.rule_version_id.is_(None)).order_by(session.c.id)
    for session_id in connection.execute(waiting).scalars().all():
        freeze(connection, series_id, session_id)
    frozen = sa.select(session.c.id).where(session.c.series_id == series_id, session.c.rule_version_id.is_not(None))
    return connection.execute(frozen.limit(1)).first() is not None


def freeze_all_started(connection: sa.Connection, *, now: datetime) -> int:
    """freeze_started for every series where a session has started since; how many series those were."""
    for series_id in (waiting := series_to_freeze(connection, now=now)):
        _lock(connection, series_id)  # whoever sets a rule just now has set it before the start
        freeze_started(connection, series_id, now=now)
    return len(waiting)


def series_to_freeze(connection: sa.Connection, *, now: datetime) -> list[UUID]:
    """Series with sessions that have started and keep no rule yet."""
    started = (session.c.rule_version_id.is_(None)) & (session.c.start_at <= now)
    return sorted(connection.execute(sa.select(session.c.series_id).where(started).distinct()).scalars())


def freeze(connection: sa.Connection, series_id: UUID, session_id: UUID) -> None:
    """May be repeated: the first time counts."""
    own = connection.execute(_newest(series_id, session_id, column=rule_version)).first()
    if own is None or own.rule is None:
        own = connection.execute(_newest(series_id, None, column=rule_version)).one()
    connection.execute(
        sa.update(session)
        .where(session.c.id == session_id, session.c.rule_version_id.is_(None))
        .values(rule_version_id=own.id)
    )


def mark_scores_stale(connection: sa.Connection, series_id: UUID, *, now: datetime) -> None:
    """Rule or plan have changed: the worker works out all scores anew. Each mark is another one than the last, so that
    it sees a change that came while it did so."""
    last = sa.select(series.c.scores_stale_at).where(series.c.id == series_id).with_for_update()
    marked_at: datetime | None = connection.execute(last).scalar_one()
    stale_at = now if marked_at is None else max(now, marked_at + timedelta(microseconds=1))
    connection.execute(sa.update(series).where(series.c.id == series_id).values(scores_stale_at=stale_at))


def course_count_of(connection: sa.Connection, course_id: int | None, series_id: UUID) -> CourseCount | None:
    row = connection.execute(
        sa.select(course_count).where(course_count.c.course_id == course_id, course_count.c.series_id == series_id)
    ).one_or_none()
    if row is None:
        return None
    ids = None if row.session_ids is None else frozenset(map(UUID, _IDS.decode(row.session_ids)))
    return CourseCount(required=row.required, session_ids=ids)


_IDS = msgspec.json.Decoder(list[str])


def _check(rule: SessionRule) -> None:
    problem = problem_of(rule)
    if problem:
        raise RuleImpossible(problem)


def _lock(connection: sa.Connection, series_id: UUID) -> None:
    """Versions are counted in turns. SQLite has one writer anyway."""
    connection.execute(sa.select(series.c.id).where(series.c.id == series_id).with_for_update())


def _newest(series_id: UUID, session_id: UUID | None, *, column: Any = rule_version.c.rule) -> sa.Select[Any]:
    return (
        sa.select(column)
        .where(rule_version.c.series_id == series_id, rule_version.c.session_id == session_id)
        .order_by(rule_version.c.version.desc())
        .limit(1)
    )


def _append(
    connection: sa.Connection, series_id: UUID, session_id: UUID | None, rule: str | None, *, by: str, now: datetime
) -> None:
    last = sa.select(sa.func.coalesce(sa.func.max(rule_version.c.version), 0)).where(
        rule_version.c.series_id == series_id
    )
    connection.execute(
        sa.insert(rule_version).values(
            series_id=series_id,
            session_id=session_id,
            version=last.scalar_subquery() + 1,
            rule=rule,
            set_by=by,
            set_at=now,
        )
    )
