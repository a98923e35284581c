"""What participants have done in a series, session by session, for pages and scores."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.rule import Outcome, Span
from series.sessions import Status
from series.standing import SessionRecord
from series.store.rules import rules_of
from series.store.tables import completion, counted, excuse, session

NOTHING = Outcome()


def records_of(
    connection: sa.Connection, participant_ids: Collection[int], series_id: UUID
) -> dict[int, list[SessionRecord]]:
    """For each of them all sessions of the series that count, in the order of their start."""
    sessions = connection.execute(
        sa.select(session.c.id, session.c.start_at, session.c.end_at, session.c.status)
        .where(session.c.series_id == series_id, counted)
        .order_by(session.c.start_at, session.c.id)
    ).all()
    rules = rules_of(connection, series_id).of_sessions
    outcomes = outcomes_of(connection, participant_ids, [row.id for row in sessions])
    return {
        participant_id: [
            SessionRecord(
                session_id=row.id,
                span=Span(start_at=row.start_at, end_at=row.end_at),
                is_cancelled=row.status == Status.CANCELLED,
                rule=rules[row.id].rule,
                outcome=outcomes[participant_id].get(row.id, NOTHING),
            )
            for row in sessions
        ]
        for participant_id in participant_ids
    }


def completions_of(connection: sa.Connection, *, participant_id: int, series_id: UUID) -> dict[UUID, datetime]:
    """The sessions of the series that the participant has completed, and when."""
    rows = connection.execute(
        sa.select(completion.c.session_id, completion.c.completed_at)
        .join(session, completion.c.session_id == session.c.id)
        .where(completion.c.participant_id == participant_id, session.c.series_id == series_id)
    )
    return {row.session_id: row.completed_at for row in rows}


def outcomes_of(
    connection: sa.Connection, participant_ids: Collection[int], session_ids: Collection[UUID]
) -> defaultdict[int, dict[UUID, Outcome]]:
    """By participant and session, where they have completed one of these, or are excused from it."""
    found: defaultdict[int, dict[UUID, Outcome]] = defaultdict(dict)
    for row in connection.execute(_of(excuse, participant_ids, session_ids)):
        found[row.participant_id][row.session_id] = Outcome(is_excused=True)
    for row in connection.execute(_of(completion, participant_ids, session_ids)):
        # Whoever came all the same is not excused.
        outcome = Outcome(completed_at=row.completed_at, by_recording=row.by_recording)
        found[row.participant_id][row.session_id] = outcome
    return found


def _of(table: sa.Table, participant_ids: Collection[int], session_ids: Collection[UUID]) -> sa.Select[Any]:
    return sa.select(table).where(table.c.participant_id.in_(participant_ids), table.c.session_id.in_(session_ids))
