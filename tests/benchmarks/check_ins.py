"""Check-ins of people of the first series, in sessions that are added late."""

from dataclasses import replace
from uuid import UUID

import sqlalchemy as sa

from series.store.database import Database
from series.store.evidence import record_evidence
from series.store.pooled_tables import pooled_count, pooled_step
from series.store.sessions import add_session
from series.store.tables import membership, placement
from tests.benchmarks.full_store import NOW
from tests.examples import SESSION, moved
from tests.seeds import code_entered

FIRST_SERIES = UUID(int=1)
FIRST_LATE = 7  # no session of a series has such a small number


class CheckIns:
    """One after the other, of different people in one session."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._session_id = add_late_session(database, number=0)
        self._people = iter(people_of_first_series(database))
        self.statements = 0  # that name a pooled table
        sa.event.listen(database.engine, "before_cursor_execute", self._look)

    def one(self) -> None:
        with self._database.write() as connection:
            check_in(connection, next(self._people), self._session_id)

    def _look(self, _: object, __: object, statement: str, *___: object) -> None:
        self.statements += any(table.name in statement for table in (pooled_step, pooled_count))


def add_late_session(database: Database, *, number: int) -> UUID:
    late = moved(SESSION, NOW - SESSION.start_at)
    session_id = UUID(int=FIRST_LATE + number)
    with database.write() as connection:
        shown = replace(late, session_id=session_id, series_id=FIRST_SERIES, hosting_university_id=None)
        add_session(connection, shown, now=NOW)
    return session_id


def people_of_first_series(database: Database) -> list[int]:
    query = (
        sa.select(membership.c.participant_id)
        .join(placement, membership.c.placement_id == placement.c.id)
        .where(placement.c.series_id == FIRST_SERIES, membership.c.is_learner)
        .order_by(membership.c.participant_id)
    )
    with database.read() as connection:
        return list(connection.execute(query).scalars())


def check_in(connection: sa.Connection, participant_id: int, session_id: UUID) -> None:
    record_evidence(connection, code_entered(participant_id, session_id, at=NOW), now=NOW)
