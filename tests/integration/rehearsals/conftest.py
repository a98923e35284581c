"""A series with rehearsals, and who tries something in one."""

import pytest

from series.people import Visit
from series.store.database import Database
from series.store.sessions import add_session
from tests.conftest import NOW
from tests.integration.rehearsals.examples import AHEAD, REHEARSAL
from tests.seeds import Seeded, code_of, launch, record, seed


@pytest.fixture
def seeded(database: Database) -> Seeded:
    """Three sessions, of which two are demanded; and two rehearsals."""
    made = seed(database)
    with database.write() as connection:
        add_session(connection, REHEARSAL, now=NOW)
        add_session(connection, AHEAD, now=NOW)
    return made


@pytest.fixture
def student(database: Database, seeded: Seeded) -> Visit:
    return launch(database)


@pytest.fixture
def tried(database: Database, student: Visit) -> Visit:
    """They have entered the rehearsal's code."""
    assert record(database, code_of(student, REHEARSAL.session_id)) == []
    return student
