"""Completions as rows of persons under their pseudonyms, for export."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.pseudonyms import PseudonymKey
from series.store.tables import completion, counted, participant, session, university

ROWS_AT_ONCE = 1_000


@dataclass(frozen=True, kw_only=True)
class CompletionRow:
    """One person has completed one session. The day alone: the second would tell more than anybody needs."""

    university: str
    country: str
    pseudonym: str
    session_id: UUID
    session: str
    session_on: date
    completed_on: date
    by_recording: bool


def completion_rows(
    connection: sa.Connection, series_id: UUID, keys: Mapping[int, PseudonymKey]
) -> Iterator[CompletionRow]:
    """Of the universities that have a key here, without rehearsals and without whoever has objected. Read as they are
    asked for: memory does not grow with them."""
    query = _ROWS.where(session.c.series_id == series_id, participant.c.university_id.in_(keys))
    for row in connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query):
        yield _row(row, keys[row.university_id])


_ROWS = (
    sa.select(
        participant.c.university_id,
        participant.c.issuer,
        participant.c.sub,
        university.c.slug,
        university.c.country,
        session.c.id.label("session_id"),
        session.c.title,
        session.c.start_at,
        completion.c.completed_at,
        completion.c.by_recording,
    )
    .join(session, completion.c.session_id == session.c.id)
    .join(participant, completion.c.participant_id == participant.c.id)
    .join(university, participant.c.university_id == university.c.id)
    .where(counted, participant.c.objected_at.is_(None))
    .order_by(university.c.slug, session.c.start_at, participant.c.id)
)


def _row(row: Any, key: PseudonymKey) -> CompletionRow:
    return CompletionRow(
        university=row.slug,
        country=row.country,
        pseudonym=key.of(row.issuer, row.sub),
        session_id=row.session_id,
        session=row.title,
        session_on=row.start_at.date(),
        completed_on=row.completed_at.date(),
        by_recording=bool(row.by_recording),
    )
