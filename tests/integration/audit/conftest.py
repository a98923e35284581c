"""An audit under seals."""

import pytest
from msgspec import structs

from series.people import Visit
from series.store.database import Database
from tests.integration.audit.sealing import append, seal
from tests.seeds import LAUNCH, launch, seed


@pytest.fixture
def student(database: Database) -> Visit:
    seed(database)
    return launch(database)


@pytest.fixture
def teacher(database: Database, student: Visit) -> Visit:
    return launch(database, structs.replace(LAUNCH, sub="9", is_teacher=True, is_learner=False))


@pytest.fixture
def sealed(database: Database, student: Visit, teacher: Visit) -> Database:
    """Six lines under two seals: a teacher looks at a course, at a student, and says something; then the next three."""
    for _ in range(2):
        append(database, f"participant {teacher.participant_id}", "course 1", people=3)
        append(database, f"participant {teacher.participant_id}", f"participant {student.participant_id}", session="s")
        append(database, "staff 1", "session 2", participant=student.participant_id)
        seal(database)
    return database
