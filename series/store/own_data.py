"""Everything that is held about one person at one university, for themselves: read at one moment, part by part."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from series.own_data import OwnData, Part, Row
from series.store.audit_of_person import audit_parts
from series.store.held_completions import held_of
from series.store.lms_tables import host_invitation, host_request, staff_binding
from series.store.moodle_tables import activity_state
from series.store.privacy_tables import transfer_code
from series.store.roles_of_actors import with_roles
from series.store.tables import (
    check_in,
    completion,
    course,
    delivery,
    evidence,
    excuse,
    membership,
    more_time,
    objection,
    participant,
    placement,
    reflection,
    roster_member,
    series,
    session,
    session_host,
    staff,
    university,
    visit,
)
from series.store.tombstones import courses_of_lms, whom

_SERIES, _SESSION, _COURSE = (
    series.c.title.label("series"),
    session.c.title.label("session"),
    course.c.title.label("course"),
)
_WHERE = placement.join(series, placement.c.series_id == series.c.id).outerjoin(
    session, placement.c.session_id == session.c.id
)
_OF_PLACEMENT = _WHERE.outerjoin(course, placement.c.course_id == course.c.id)
_OF_SESSION = session.join(series, session.c.series_id == series.c.id)


def _of_session(table: sa.Table, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    joined = table.join(_OF_SESSION, table.c.session_id == session.c.id)
    return sa.select(_SERIES, _SESSION, *columns).select_from(joined).order_by(session.c.start_at, *table.primary_key)


def _of_placement(table: sa.Table, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    joined = table.join(_OF_PLACEMENT, table.c.placement_id == placement.c.id)
    return sa.select(_COURSE, _SERIES, _SESSION, *columns).select_from(joined).order_by(*table.primary_key)


_FACTS = (
    evidence.c.id.label("number"),
    evidence.c.kind,
    evidence.c.source,
    evidence.c.source_id,
    evidence.c.observed_at,
    evidence.c.recorded_at,
    evidence.c.amount,
    evidence.c.recorded_by.label("by"),
    evidence.c.reason,
    evidence.c.retracts_evidence_id.label("withdraws_number"),
)
_OPENED = sa.select(_SERIES, _SESSION, check_in.c.opens_at, check_in.c.closes_at, check_in.c.reason).select_from(
    check_in.join(_OF_SESSION, check_in.c.session_id == session.c.id)
)
_ASKED = sa.select(_SERIES, _SESSION, more_time.c.asked_at).select_from(
    more_time.join(check_in, more_time.c.check_in_id == check_in.c.id).join(
        _OF_SESSION, check_in.c.session_id == session.c.id
    )
)
_MESSAGES = sa.select(
    _COURSE,
    _SERIES,
    _SESSION,
    objection.c.text,
    objection.c.raised_at,
    objection.c.answer,
    objection.c.answered_by.label("by"),
    objection.c.answered_at,
).select_from(
    objection.join(course, objection.c.course_id == course.c.id)
    .join(series, objection.c.series_id == series.c.id)
    .outerjoin(session, objection.c.session_id == session.c.id)
)
_REFLECTIONS = [reflection.c[name] for name in ("state", "text", "saved_at", "handed_in_at", "read_at", "comment")]
_SENT = ("score_given", "score_maximum", "version", "state", "attempts", "outcome", "delivered_at")
_MADE = delivery.c.created_at.label("made_at")
_ROLES = ("is_teacher", "is_learner", "is_administrator")

# By the participant's number; each by the column that names them.
QUERIES: Mapping[Part, tuple[sa.Select[Any], sa.ColumnElement[Any]]] = {
    Part.ACTIVITIES: (
        _of_placement(membership, membership.c.is_learner, membership.c.launched_at),
        membership.c.participant_id,
    ),
    Part.VISITS: (
        _of_placement(
            visit, visit.c.opened_at, visit.c.expires_at, *(visit.c[name] for name in _ROLES), visit.c.locale
        ),
        visit.c.participant_id,
    ),
    Part.FACTS: (_of_session(evidence, *_FACTS), evidence.c.participant_id),
    Part.COMPLETIONS: (
        _of_session(completion, completion.c.completed_at, completion.c.by_recording),
        completion.c.participant_id,
    ),
    Part.EXCUSES: (_of_session(excuse), excuse.c.participant_id),
    Part.REFLECTIONS: (
        _of_session(reflection, *_REFLECTIONS, reflection.c.returned_at),
        reflection.c.participant_id,
    ),
    Part.MESSAGES: (_MESSAGES.order_by(objection.c.raised_at), objection.c.participant_id),
    Part.GRADES: (
        _of_placement(delivery, *(delivery.c[name] for name in _SENT), _MADE, delivery.c.line_item_url),
        delivery.c.participant_id,
    ),
    Part.CHECK_INS: (_OPENED.order_by(check_in.c.id), check_in.c.opened_by_participant_id),
    Part.MORE_TIME: (_ASKED.order_by(more_time.c.asked_at), more_time.c.participant_id),
    Part.HOSTING: (_of_session(session_host), session_host.c.participant_id),
    Part.HOST_REQUESTS: (
        _of_session(
            host_request,
            host_request.c.asked_at,
            host_request.c.state,
            host_request.c.decided_by.label("by"),
            host_request.c.decided_at,
        ),
        host_request.c.participant_id,
    ),
    Part.HOST_INVITATIONS: (
        _of_session(host_invitation, host_invitation.c.label, host_invitation.c.used_at, host_invitation.c.used_as),
        host_invitation.c.participant_id,
    ),
    Part.STAFF: (
        sa.select(staff.c.name, staff.c.email, staff.c.role, staff_binding.c.bound_at).select_from(
            staff_binding.join(staff, staff_binding.c.staff_id == staff.c.id)
        ),
        staff_binding.c.participant_id,
    ),
    Part.TRANSFER_CODES: (
        sa.select(transfer_code.c.created_at.label("made_at"), transfer_code.c.expires_at),
        transfer_code.c.participant_id,
    ),
}


def read_own_data(connection: sa.Connection, participant_id: int, *, now: datetime) -> OwnData:
    """Raises NobodyThere."""
    person = whom(connection, participant_id)
    account = connection.execute(
        sa.select(university.c.name.label("university"), participant)
        .join(university, participant.c.university_id == university.c.id)
        .where(participant.c.id == participant_id)
    ).one()
    courses = courses_of_lms(connection, person)
    parts: dict[Part, tuple[Row, ...]] = {
        Part.ACCOUNT: (
            {
                "university": account.university,
                "lms": person.issuer,
                "number": person.sub,
                "created_at": account.created_at,
                "objected_at": account.objected_at,
            },
        ),
        Part.ROSTER: _rows(connection, _ROSTER.where(_named(roster_member, courses, person.sub))),
        Part.MOODLE: _of_moodle(connection, courses, person.sub),
    }
    for part, (query, column) in QUERIES.items():
        parts[part] = _rows(connection, query.where(column == participant_id))
    parts |= audit_parts(connection, participant_id, since=account.created_at)
    of = {"participant_id": participant_id, "university_id": person.university_id}
    return OwnData(
        university=account.university,
        read_at=now,
        parts={part: with_roles(connection, parts[part], **of) for part in Part},
    )


_ROSTER = (
    sa.select(_COURSE, roster_member.c.is_learner, roster_member.c.is_suspended, roster_member.c.gone_at)
    .select_from(roster_member.join(course, roster_member.c.course_id == course.c.id))
    .order_by(course.c.id)
)
_KEY = ("course_id", "cmid")
_MOODLE = (
    sa.select(
        _COURSE,
        _SESSION,
        activity_state.c.source,
        activity_state.c.is_complete,
        activity_state.c.changed_at,
        sa.case((activity_state.c.said_by.is_not(None), sa.literal("moodle user"))).label(
            "by"
        ),  # not a teacher's number
        *(activity_state.c[name] for name in _KEY),
    )
    .select_from(
        activity_state.join(course, activity_state.c.course_id == course.c.id).join(
            session, activity_state.c.session_id == session.c.id
        )
    )
    .order_by(course.c.id, session.c.start_at, activity_state.c.cmid)
)


def _of_moodle(connection: sa.Connection, courses: sa.Select[Any], sub: str) -> tuple[Row, ...]:
    rows = connection.execute(_MOODLE.where(_named(activity_state, courses, sub))).mappings().all()
    held = held_of(connection, {row["course_id"] for row in rows}, sub)
    return tuple(
        {name: row[name] for name in row if name not in _KEY}
        | {"taken_back": held.get((row["course_id"], row["cmid"], row["source"]))}
        for row in rows
    )


def _named(table: sa.Table, courses: sa.Select[Any], sub: str) -> sa.ColumnElement[bool]:
    return table.c.course_id.in_(courses) & (table.c.sub == sub)


def _rows(connection: sa.Connection, query: sa.Select[Any]) -> tuple[Row, ...]:
    return tuple(dict(row) for row in connection.execute(query).mappings())
