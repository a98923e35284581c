"""Two rows that turn out to stand for one thing: `kept` takes over what hangs on `dropped`, and `dropped` goes.

For callers that have seen to it that nobody else writes meanwhile.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.store.audit_commitments import hand_over as hand_over_audit
from series.store.database import insert
from series.store.lms_tables import host_invitation, host_request, join_link_change, round_answer, staff_binding
from series.store.moodle_tables import activity_state, announcement, course_collect, mapped_activity, seen_session
from series.store.pooled_tables import course_audience
from series.store.privacy_tables import transfer_code
from series.store.tables import (
    check_in,
    completion,
    course,
    course_count,
    course_roster,
    course_series,
    delivery,
    evidence,
    excuse,
    membership,
    mirror,
    more_time,
    objection,
    participant,
    placement,
    reflection,
    roster_member,
    rule_version,
    session_host,
    visit,
)


def merge_courses(connection: sa.Connection, *, kept: int, dropped: int) -> None:
    """The LMS has spoken of `dropped` last, so its words count."""
    last = connection.execute(sa.select(course).where(course.c.id == dropped)).one()
    for table in (course_series, course_count, course_audience, mirror, mapped_activity, seen_session, round_answer):
        hand_over(connection, table, "course_id", kept=kept, dropped=dropped)
    _hand_over_announcements(connection, kept=kept, dropped=dropped)
    # Read anew soon, and in a new issuer people may have other numbers.
    for table in (roster_member, course_roster, activity_state, course_collect):
        connection.execute(sa.delete(table).where(table.c.course_id.in_([kept, dropped])))
    for table in (objection, placement, host_request):
        connection.execute(sa.update(table).where(table.c.course_id == dropped).values(course_id=kept))
    connection.execute(sa.delete(course).where(course.c.id == dropped))
    connection.execute(
        sa.update(course)
        .where(course.c.id == kept)
        .values(
            title=last.title,
            memberships_url=last.memberships_url,
            moodle_course_id=sa.func.coalesce(course.c.moodle_course_id, last.moodle_course_id),
            copied_from=sa.func.coalesce(last.copied_from, course.c.copied_from),
            announces=sa.or_(course.c.announces, sa.literal(last.announces)),
        )
    )


def merge_placements(connection: sa.Connection, *, kept: int, dropped: int) -> None:
    """The line item is that of `dropped`, of which the LMS has spoken last; what it shows stays that of `kept`."""
    last = connection.execute(sa.select(placement).where(placement.c.id == dropped)).one()
    _hand_over_memberships(connection, membership.c.placement_id, kept=kept, dropped=dropped)
    for table in (delivery, visit):
        connection.execute(sa.update(table).where(table.c.placement_id == dropped).values(placement_id=kept))
    connection.execute(sa.delete(placement).where(placement.c.id == dropped))
    connection.execute(
        sa.update(placement)
        .where(placement.c.id == kept)
        .values(
            course_id=sa.func.coalesce(last.course_id, placement.c.course_id),
            line_item_url=last.line_item_url,
            line_items_url=last.line_items_url,
            ags_scopes=last.ags_scopes,
        )
    )


def merge_participants(connection: sa.Connection, *, kept: int, dropped: int) -> set[UUID]:
    """The sessions whose completions the caller must derive anew, and whose scores it must queue."""
    _hand_over_memberships(connection, membership.c.participant_id, kept=kept, dropped=dropped)
    _drop_lesser_reflections(connection, kept=kept, dropped=dropped)
    for table in (session_host, host_request, more_time, excuse, completion, reflection):
        hand_over(connection, table, "participant_id", kept=kept, dropped=dropped)
    _hand_over_words(connection, kept=kept, dropped=dropped)
    for table in (objection, host_invitation):
        connection.execute(sa.update(table).where(table.c.participant_id == dropped).values(participant_id=kept))
    connection.execute(sa.update(visit).where(visit.c.participant_id == dropped).values(participant_id=kept))
    connection.execute(
        sa.update(check_in).where(check_in.c.opened_by_participant_id == dropped).values(opened_by_participant_id=kept)
    )
    _hand_over_deliveries(connection, kept=kept, dropped=dropped)
    _hand_over_objection(connection, kept=kept, dropped=dropped)
    connection.execute(sa.delete(transfer_code).where(transfer_code.c.participant_id == dropped))
    # Rights of staff do not move with it: whoever it is signs in once more.
    connection.execute(sa.delete(staff_binding).where(staff_binding.c.participant_id == dropped))
    hand_over_audit(connection, kept=kept, dropped=dropped)
    sessions = hand_over_evidence(connection, kept=kept, dropped=dropped)
    connection.execute(sa.delete(participant).where(participant.c.id == dropped))
    return sessions


def _hand_over_objection(connection: sa.Connection, *, kept: int, dropped: int) -> None:
    """Who has objected in either account has objected."""
    theirs = sa.select(participant.c.objected_at).where(participant.c.id == dropped).scalar_subquery()
    either = sa.func.coalesce(participant.c.objected_at, theirs)
    connection.execute(sa.update(participant).where(participant.c.id == kept).values(objected_at=either))


def hand_over(
    connection: sa.Connection, table: sa.Table, name: str, *, kept: int, dropped: int, **changed: object
) -> None:
    """Of a table whose key is the column `name` and others: what `kept` has already stays as it is."""
    column = table.c[name]
    others = [key for key in table.primary_key if key is not column]
    has = sa.select(*others).where(column == kept)
    moves = sa.update(table).where(column == dropped, sa.tuple_(*others).not_in(has))
    connection.execute(moves.values({name: kept, **changed}))
    connection.execute(sa.delete(table).where(column == dropped))


def _hand_over_announcements(connection: sa.Connection, *, kept: int, dropped: int) -> None:
    """Of a change that both know, what was done in `kept` counts."""
    theirs = announcement.alias()
    same = (theirs.c.session_id == announcement.c.session_id) & (theirs.c.about == announcement.c.about)
    both = sa.exists().where(theirs.c.course_id == kept, same)
    connection.execute(sa.delete(announcement).where(announcement.c.course_id == dropped, both))
    connection.execute(sa.update(announcement).where(announcement.c.course_id == dropped).values(course_id=kept))


def _drop_lesser_reflections(connection: sa.Connection, *, kept: int, dropped: int) -> None:
    """Where both have one, what was handed in is more than what was returned, and that more than a draft; of two alike,
    the newer one is."""
    both = connection.execute(
        sa.select(reflection)
        .where(reflection.c.participant_id.in_([kept, dropped]))
        .order_by(_REFLECTION_STATE.desc(), reflection.c.saved_at.desc(), reflection.c.participant_id == dropped)
    ).all()
    found = set()
    for row in both:
        if row.session_id in found:
            lesser = (reflection.c.participant_id == row.participant_id) & (reflection.c.session_id == row.session_id)
            connection.execute(sa.delete(reflection).where(lesser))
        found.add(row.session_id)


_RANKS = {"handed_in": 2, "returned": 1}
_REFLECTION_STATE = sa.case(_RANKS, value=reflection.c.state, else_=0)


def reflection_rank(row: Any) -> tuple[int, datetime]:
    """Of two reflections on one session the greater is the one that is kept, or goes along: as _drop_lesser_reflections
    has them in order."""
    return _RANKS.get(row.state, 0), row.saved_at


_SAID_BY = (
    evidence.c.recorded_by,
    objection.c.answered_by,
    rule_version.c.set_by,
    course_count.c.set_by,
    course_audience.c.set_by,
    round_answer.c.answered_by,
    join_link_change.c.changed_by,
)


def _hand_over_words(connection: sa.Connection, *, kept: int, dropped: int) -> None:
    """What `dropped` has said of others, and taken back of their own."""
    for column in _SAID_BY:
        said = column == f"participant {dropped}"
        connection.execute(sa.update(column.table).where(said).values({column.name: f"participant {kept}"}))


def _hand_over_memberships(connection: sa.Connection, column: sa.Column[Any], *, kept: int, dropped: int) -> None:
    """Where both have one, the later launch says whether the LMS takes grades."""
    rows = connection.execute(sa.delete(membership).where(column == dropped).returning(*membership.c)).mappings().all()
    if not rows:
        return
    statement = insert(connection, membership)
    later = membership.c.launched_at.is_(None) | (statement.excluded.launched_at > membership.c.launched_at)
    seen = {"is_learner": statement.excluded.is_learner, "launched_at": statement.excluded.launched_at}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["participant_id", "placement_id"], set_=seen, where=later),
        [{**row, column.name: kept} for row in rows],
    )


def hand_over_evidence(connection: sa.Connection, *, kept: int, dropped: int) -> set[UUID]:
    """Every row stays. Where both have the same fact, that of `dropped` gets its own row's id into its source id."""
    theirs, same = evidence.alias(), ("session_id", "kind", "source", "source_id")
    twins = connection.execute(
        sa.select(evidence.c.id, evidence.c.source_id).where(
            evidence.c.participant_id == dropped,
            sa.exists().where(theirs.c.participant_id == kept, *(theirs.c[name] == evidence.c[name] for name in same)),
        )
    ).all()
    for row in twins:
        own = f" (evidence {row.id})"
        source_id = row.source_id[: 64 - len(own)] + own
        connection.execute(sa.update(evidence).where(evidence.c.id == row.id).values(source_id=source_id))
    moved = connection.execute(
        sa.update(evidence)
        .where(evidence.c.participant_id == dropped)
        .values(participant_id=kept)
        .returning(evidence.c.session_id)
    )
    return set(moved.scalars())


def _hand_over_deliveries(connection: sa.Connection, *, kept: int, dropped: int) -> None:
    """Where both have versions for one line item, they become one row of versions, in the order of their timestamps."""
    for url in _shared_line_items(connection, kept, dropped):
        here = delivery.c.line_item_url == url
        # At most one may be in flight, and that of `dropped` is the one that the LMS now expects.
        connection.execute(
            sa.update(delivery)
            .where(here, delivery.c.participant_id == kept, delivery.c.state == "due")
            .values(state="superseded", in_flight=False)
        )
        both = here & delivery.c.participant_id.in_([kept, dropped])
        ordered = connection.execute(
            sa.select(delivery.c.id).where(both).order_by(delivery.c.score_at, delivery.c.id)
        ).scalars()
        versions = [{"row_id": row_id, "version_": number} for number, row_id in enumerate(ordered.all(), start=1)]
        # Out of the way first: versions are unique at every moment.
        connection.execute(sa.update(delivery).where(both).values(participant_id=kept, version=-delivery.c.id))
        connection.execute(
            sa.update(delivery).where(delivery.c.id == sa.bindparam("row_id")).values(version=sa.bindparam("version_")),
            versions,
        )
    connection.execute(sa.update(delivery).where(delivery.c.participant_id == dropped).values(participant_id=kept))


def _shared_line_items(connection: sa.Connection, kept: int, dropped: int) -> list[str]:
    def urls(participant_id: int) -> sa.Select[Any]:
        return sa.select(delivery.c.line_item_url).where(delivery.c.participant_id == participant_id)

    return list(connection.execute(urls(kept).intersect(urls(dropped))).scalars())
