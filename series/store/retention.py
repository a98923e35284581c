"""What has had its time: how much of it there is, and its deletion in batches.

Of what a series still needs nothing goes, because all periods begin with its end, and nothing of anybody for whom a
grade is still to be sent. What has served its purpose after minutes or hours goes every ten minutes
(moodle_sync.jobs.clean_up), and is not counted here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from series.retention import WAITS_FOR_A_GRADEBOOK, Kept, period
from series.store.audit_commitments import forget
from series.store.ended_series import courses_over, ended_series
from series.store.lms_tables import host_invitation, host_request, join_link_change, lms_invitation
from series.store.moodle_tables import activity_state, course_collect
from series.store.privacy_tables import audit_salt, audit_seal, transfer_code
from series.store.tables import (
    audit,
    check_in,
    completion,
    course_roster,
    delivery,
    evidence,
    excuse,
    membership,
    metadata,
    more_time,
    objection,
    participant,
    placement,
    reflection,
    roster_member,
    session,
    session_host,
    staff,
)

AT_ONCE = 1_000  # rows in one transaction: some milliseconds, in which nobody else can write on SQLite


@dataclass(frozen=True, kw_only=True)
class Ripe:
    """Rows of one table that have had their time. Who deletes them keeps the order: later ones refer to earlier."""

    kept: Kept
    table: sa.Table
    condition: sa.ColumnElement[bool]


def count_ripe(connection: sa.Connection, *, now: datetime) -> dict[Kept, int]:
    """Rows by class; of a person who goes for good, what hangs on them is counted in its own class."""
    counts = dict.fromkeys(DAILY, 0)
    for ripe in _ripe(now):
        found = connection.execute(sa.select(sa.func.count()).select_from(ripe.table).where(ripe.condition))
        counts[ripe.kept] += found.scalar_one()
    counts[Kept.HELD] += _count(connection, course_roster, _held_rosters(now))
    counts[Kept.HELD] += _count(connection, course_collect, _held_completions(now))
    counts[Kept.PARTICIPATION] += _count(connection, participant, _nobody_any_more(now))
    counts[Kept.STAFF] += _count(connection, staff, _staff_long_gone(now))
    counts[Kept.AUDIT] += _count(connection, audit, audit.c.id <= _audit_up_to(now))
    return counts


DAILY = (
    Kept.PARTICIPATION,
    Kept.COMPLETION,
    Kept.REFLECTION,
    Kept.DRAFT,
    Kept.ATTENDANCE,
    Kept.ACTIVITY,
    Kept.ROSTER,
    Kept.HELD,
    Kept.HOSTING,
    Kept.TRANSFER,
    Kept.STAFF,
    Kept.INVITATION,
    Kept.AUDIT,
)
Batch = Callable[[sa.Connection], int]


def batches(now: datetime) -> Iterator[tuple[Kept, Batch]]:
    """Each is to be called in transactions of its own, until it has deleted nothing; then the next one."""
    for ripe in _ripe(now):
        yield ripe.kept, _deleting(ripe.table, ripe.condition)
    yield Kept.HELD, lambda connection: _drop_held(connection, now)
    yield Kept.STAFF, lambda connection: _drop_staff(connection, now)
    yield Kept.PARTICIPATION, lambda connection: _drop_participants(connection, now)
    yield Kept.AUDIT, lambda connection: _drop_sealed_lines(connection, now)


def _ripe(now: datetime) -> Iterator[Ripe]:
    """No row twice."""
    over = sa.and_(_in_ended(reflection.c.session_id, Kept.REFLECTION, now), _owed_nothing(reflection, now))
    yield Ripe(kept=Kept.DRAFT, table=reflection, condition=_old_draft(now))
    yield Ripe(kept=Kept.REFLECTION, table=reflection, condition=over & ~_old_draft(now))
    waits = activity_state.c.evidence_id.is_(None)
    long_waited = _in_ended(activity_state.c.session_id, Kept.ACTIVITY, now)
    yield Ripe(kept=Kept.ACTIVITY, table=activity_state, condition=waits & long_waited)
    yield Ripe(kept=Kept.COMPLETION, table=activity_state, condition=activity_state.c.evidence_id.in_(_facts(now)))
    retracts = evidence.c.retracts_evidence_id.is_not(None)
    for condition in (retracts, ~retracts):
        yield Ripe(kept=Kept.COMPLETION, table=evidence, condition=evidence.c.id.in_(_facts(now)) & condition)
    for table in (completion, excuse):
        ended = _in_ended(table.c.session_id, Kept.COMPLETION, now)
        yield Ripe(kept=Kept.COMPLETION, table=table, condition=ended & _owed_nothing(table, now))
    yield from _ripe_of_series(now)
    yield from _ripe_of_hosting(now)
    yield from _ripe_by_time(now)


def _ripe_of_series(now: datetime) -> Iterator[Ripe]:
    completed = ended_series(now - period(Kept.COMPLETION))
    yield Ripe(kept=Kept.COMPLETION, table=objection, condition=objection.c.series_id.in_(completed))
    placed = sa.select(placement.c.id).where(placement.c.series_id.in_(completed))
    yield Ripe(kept=Kept.COMPLETION, table=delivery, condition=delivery.c.placement_id.in_(placed) & ~_is_owed(now))
    taken_part = sa.select(placement.c.id).where(
        placement.c.series_id.in_(ended_series(now - period(Kept.PARTICIPATION)))
    )
    owed = sa.select(delivery.c.participant_id).where(_is_owed(now))
    over = membership.c.placement_id.in_(taken_part) & membership.c.participant_id.not_in(owed)
    yield Ripe(kept=Kept.PARTICIPATION, table=membership, condition=over)


def _ripe_of_hosting(now: datetime) -> Iterator[Ripe]:
    long_over = sa.select(check_in.c.id).where(_sessions_over(check_in.c.session_id, now))
    yield Ripe(kept=Kept.ATTENDANCE, table=more_time, condition=more_time.c.check_in_id.in_(long_over))
    yield Ripe(kept=Kept.ATTENDANCE, table=check_in, condition=_sessions_over(check_in.c.session_id, now))
    for table in (session_host, host_request, host_invitation, join_link_change):
        yield Ripe(kept=Kept.HOSTING, table=table, condition=_in_ended(table.c.session_id, Kept.HOSTING, now))


def _ripe_by_time(now: datetime) -> Iterator[Ripe]:
    before = now - period(Kept.ROSTER)
    left = (roster_member.c.gone_at <= before) | roster_member.c.course_id.in_(courses_over(before))
    yield Ripe(kept=Kept.ROSTER, table=roster_member, condition=left)
    yield Ripe(kept=Kept.TRANSFER, table=transfer_code, condition=transfer_code.c.expires_at <= now)
    ended_at = sa.func.coalesce(
        lms_invitation.c.used_at, lms_invitation.c.revoked_at, lms_invitation.c.expires_at, type_=_INSTANT
    )
    yield Ripe(kept=Kept.INVITATION, table=lms_invitation, condition=ended_at <= now - period(Kept.INVITATION))


_INSTANT = participant.c.created_at.type


def _in_ended(session_id: sa.Column[Any], kept: Kept, now: datetime) -> sa.ColumnElement[bool]:
    of_ended = sa.select(session.c.id).where(session.c.series_id.in_(ended_series(now - period(kept))))
    return session_id.in_(of_ended)


def _sessions_over(session_id: sa.Column[Any], now: datetime) -> sa.ColumnElement[bool]:
    return session_id.in_(sa.select(session.c.id).where(session.c.end_at <= now - period(Kept.ATTENDANCE)))


def _owed_nothing(table: sa.Table, now: datetime) -> sa.ColumnElement[bool]:
    """No grade of the same series is still to be sent to that person's gradebook."""
    owed = (
        sa.select(delivery.c.participant_id, session.c.id)
        .join(placement, delivery.c.placement_id == placement.c.id)
        .join(session, session.c.series_id == placement.c.series_id)
        .where(_is_owed(now))
    )
    return sa.tuple_(table.c.participant_id, table.c.session_id).not_in(owed)


def _is_owed(now: datetime) -> sa.ColumnElement[bool]:
    """It is still to be sent, or waits for its gradebook (`next_attempt_at`: since when), and not in vain."""
    waits = (delivery.c.state == "unaddressed") & (delivery.c.next_attempt_at > now - WAITS_FOR_A_GRADEBOOK)
    return (delivery.c.state == "due") | delivery.c.in_flight | waits


def _facts(now: datetime) -> sa.Select[Any]:
    over = _in_ended(evidence.c.session_id, Kept.COMPLETION, now)
    return sa.select(evidence.c.id).where(over, _owed_nothing(evidence, now))


def _old_draft(now: datetime) -> sa.ColumnElement[bool]:
    is_old = (reflection.c.state == "draft") & (reflection.c.saved_at <= now - period(Kept.DRAFT))
    return is_old & _in_ended(reflection.c.session_id, Kept.DRAFT, now)


def _held_rosters(now: datetime) -> sa.ColumnElement[bool]:
    return course_roster.c.held.is_not(None) & course_roster.c.course_id.in_(courses_over(now - period(Kept.HELD)))


def _held_completions(now: datetime) -> sa.ColumnElement[bool]:
    kept = course_collect.c.held.is_not(None) | (course_collect.c.refused != "[]")
    return kept & course_collect.c.course_id.in_(courses_over(now - period(Kept.HELD)))


def _drop_held(connection: sa.Connection, now: datetime) -> int:
    emptied: dict[str, Any] = {"held": None, "held_at": None}
    rosters = sa.update(course_roster).where(_held_rosters(now)).values(emptied)
    readings = sa.update(course_collect).where(_held_completions(now)).values(**emptied, refused="[]")
    done = [
        *connection.execute(rosters.returning(course_roster.c.course_id)),
        *connection.execute(readings.returning(course_collect.c.course_id)),
    ]
    return len(done)


def _nobody_any_more(now: datetime) -> sa.ColumnElement[bool]:
    """Nothing is kept of them but that they were here. The newest one stays until the next comes: SQLite would give
    their number out again, and what others have said under it would be somebody else's."""
    newest = sa.select(sa.func.max(participant.c.id)).scalar_subquery()
    is_old = (participant.c.created_at <= now - period(Kept.PARTICIPATION)) & (participant.c.id < newest)
    referred = [sa.select(column) for column in _referring(participant, audit_salt)]
    # In one pass over every table: asked one by one, each would cost a scan where there is no index.
    return participant.c.id.in_(sa.except_(sa.select(participant.c.id).where(is_old), *referred))


def _drop_participants(connection: sa.Connection, now: datetime) -> int:
    """With what the audit says of them."""
    query = sa.select(participant.c.id).where(_nobody_any_more(now)).limit(AT_ONCE).with_for_update()
    found = list(connection.execute(query).scalars())
    for participant_id in found:
        forget(connection, participant_id)
    connection.execute(sa.delete(participant).where(participant.c.id.in_(found)))
    return len(found)


def _staff_long_gone(now: datetime) -> sa.ColumnElement[bool]:
    """As for participants."""
    newest = sa.select(sa.func.max(staff.c.id)).scalar_subquery()
    last_at = sa.func.coalesce(staff.c.signed_in_at, staff.c.created_at, type_=_INSTANT)
    return (staff.c.state == "disabled") & (last_at <= now - period(Kept.STAFF)) & (staff.c.id < newest)


def _drop_staff(connection: sa.Connection, now: datetime) -> int:
    found = list(connection.execute(sa.select(staff.c.id).where(_staff_long_gone(now)).limit(AT_ONCE)).scalars())
    for column in _referring(staff):
        connection.execute(sa.delete(column.table).where(column.in_(found)))
    connection.execute(sa.delete(staff).where(staff.c.id.in_(found)))
    return len(found)


def _audit_up_to(now: datetime) -> sa.ScalarSelect[Any]:
    due = audit_seal.c.sealed_at <= now - period(Kept.AUDIT)
    return sa.select(sa.func.coalesce(sa.func.max(audit_seal.c.last_audit_id), 0)).where(due).scalar_subquery()


def _drop_sealed_lines(connection: sa.Connection, now: datetime) -> int:
    """All lines of the oldest seals at once, so that what is left of a seal never looks as if some were taken out."""
    first = connection.execute(sa.select(sa.func.min(audit.c.id)).where(audit.c.id <= _audit_up_to(now))).scalar_one()
    if first is None:
        return 0
    of_seal = sa.select(sa.func.min(audit_seal.c.last_audit_id)).where(audit_seal.c.last_audit_id >= first)
    gone = sa.delete(audit).where(audit.c.id <= of_seal.scalar_subquery()).returning(audit.c.id)
    return len(connection.execute(gone).all())


def _referring(table: sa.Table, *but: sa.Table) -> list[sa.Column[Any]]:
    """Every column of ours that refers to a row of the table."""
    return [
        foreign_key.parent
        for other in metadata.sorted_tables
        if other not in but
        for foreign_key in other.foreign_keys
        if foreign_key.column is table.c.id
    ]


def _deleting(table: sa.Table, condition: sa.ColumnElement[bool]) -> Batch:
    keys = list(table.primary_key)
    some = sa.select(*keys).where(condition).limit(AT_ONCE)
    key = keys[0] if len(keys) == 1 else sa.tuple_(*keys)
    statement = sa.delete(table).where(key.in_(some)).returning(keys[0])
    return lambda connection: len(connection.execute(statement).all())


def _count(connection: sa.Connection, table: sa.Table, condition: sa.ColumnElement[bool]) -> int:
    found: int = connection.execute(sa.select(sa.func.count()).select_from(table).where(condition)).scalar_one()
    return found
