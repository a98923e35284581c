"""An activity that counts no more: what it gave stays, or goes with it."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from series.collecting import REMOVED, Source
from series.store.audit import append_audit
from series.store.evidence import retract_evidence
from series.store.held_completions import forget_held
from series.store.mapped_activities import still_counts
from series.store.moodle_tables import activity_state, mapped_activity
from series.store.tables import evidence
from series.store.tombstones import hold_off_erasures
from series.store.turns import take_turns


def unmap_activity(
    connection: sa.Connection, course_id: int, cmid: int, *, withdraw: bool, by: str, now: datetime
) -> list[int] | None:
    """It counts no more. What it gave stays, or (`withdraw`) is withdrawn; the new deliveries' ids. None, if it was not
    mapped."""
    hold_off_erasures(connection, course_id)
    key = {"course_id": course_id, "cmid": cmid}
    gone = connection.execute(sa.delete(mapped_activity).filter_by(**key).returning(mapped_activity.c.cmid)).all()
    if not gone:
        return None
    forget_held(connection, course_id, cmid)
    given = _given(connection, course_id, cmid) if withdraw else []
    there = take_turns(connection, [row.participant_id for row in given])  # before their states: as the worker does it
    queued = []
    for row in (one for one in given if one.participant_id in there):
        queued += retract_evidence(connection, row.id, by=by, reason=REMOVED, now=now)
    connection.execute(sa.delete(activity_state).filter_by(**key, source=Source.ACTIVITY.value))
    append_audit(
        connection,
        actor=by,
        action="unmap_activity",
        thing=f"course {course_id}",
        now=now,
        cmid=cmid,
        withdrawn=len(given),
    )
    return queued


def _given(connection: sa.Connection, course_id: int, cmid: int) -> list[Any]:
    """What the activity has given, as far as it still counts."""
    query = (
        sa.select(evidence.c.id, evidence.c.participant_id)
        .join(activity_state, activity_state.c.evidence_id == evidence.c.id)
        .where(
            activity_state.c.course_id == course_id,
            activity_state.c.cmid == cmid,
            activity_state.c.source == Source.ACTIVITY,
            still_counts(),
        )
        .order_by(evidence.c.participant_id)
    )
    return list(connection.execute(query).all())
