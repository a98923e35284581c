"""What the audit says of one person, for themselves: who has looked at what is held about them, and what they did."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from series.own_data import Part, Row
from series.store.tables import audit, membership, participant, placement

NUMBERS_ALONE = ("see_announcements", "see_pooled", "export_pooled", "export_report")  # they show nobody


def audit_parts(connection: sa.Connection, participant_id: int, *, since: datetime) -> dict[Part, tuple[Row, ...]]:
    """The newest first; `by` as in the audit table. No line names another person: only what was done is shown."""
    who = f"participant {participant_id}"
    by_others = audit.c.actor != who
    of_them = [f'%"participant": {participant_id}{end}%' for end in (",", "}")]
    about = (audit.c.object == who) | sa.or_(*(audit.c.detail.like(one) for one in of_them))
    shown_with_others = (audit.c.at >= since) & _seen_with_others(connection, participant_id)
    return {
        Part.LOOKED_AT: _lines(connection, by_others & (about | shown_with_others), audit.c.actor.label("by")),
        Part.DONE: _lines(connection, audit.c.actor == who),
    }


def _seen_with_others(connection: sa.Connection, participant_id: int) -> sa.ColumnElement[bool]:
    """Views and exports of the courses that they are in; exports of their series and their university."""
    rows = connection.execute(
        sa.select(placement.c.course_id, placement.c.series_id, participant.c.university_id)
        .select_from(participant)
        .outerjoin(membership, membership.c.participant_id == participant.c.id)
        .outerjoin(placement, membership.c.placement_id == placement.c.id)
        .where(participant.c.id == participant_id)
    ).all()
    courses = {f"course {row.course_id}" for row in rows if row.course_id is not None}
    exported = {f"series {row.series_id}" for row in rows} | {f"university {row.university_id}" for row in rows}
    is_view, is_export = audit.c.action.startswith("see_"), audit.c.action.startswith("export")
    is_list = audit.c.action == "list_affected"  # by name of everybody of a university, after a breach
    shown = (audit.c.object.in_(courses) & (is_view | is_export)) | (
        audit.c.object.in_(exported) & (is_export | is_list)
    )
    return shown & audit.c.action.not_in(NUMBERS_ALONE)


def _lines(connection: sa.Connection, which: sa.ColumnElement[bool], *more: sa.ColumnElement[Any]) -> tuple[Row, ...]:
    query = sa.select(audit.c.at, *more, audit.c.action).where(which).order_by(audit.c.id.desc())
    return tuple(dict(row) for row in connection.execute(query).mappings())
