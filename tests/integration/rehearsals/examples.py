"""Two rehearsals beside the sessions that count."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from series.sessions import Session
from series.store.database import Database
from series.store.sessions import change_session
from tests.conftest import NOW
from tests.examples import SESSION, moved

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
REHEARSAL = replace(  # it runs at NOW, beside the session of the week
    moved(SESSION, timedelta(minutes=-5)), session_id=UUID(int=99), title="Rehearsal", is_own=True, is_rehearsal=True
)
AHEAD = replace(moved(REHEARSAL, DAY), session_id=UUID(int=98))


def change(database: Database, changed: Session) -> None:
    with database.write() as connection:
        change_session(connection, changed, by="staff 1", now=NOW)
