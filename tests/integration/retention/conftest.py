"""A series of which one student has something in every table that is about a person."""

from datetime import datetime

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.people import Visit
from series.store.database import Database
from series.store.tables import (
    visit,
)
from tests.examples import SERIES
from tests.integration.retention.kept import fill
from tests.seeds import LAUNCH, Seeded, launch, seed


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def end(seeded: Seeded) -> datetime:
    return max(one.end_at for one in seeded.sessions)


@pytest.fixture
def student(database: Database, seeded: Seeded) -> Visit:
    """Somebody of whom there is something in every table, nothing of it due; and somebody after them."""
    one = launch(database)
    fill(database, one, seeded.session_ids[0], SERIES.series_id)
    launch(database, structs.replace(LAUNCH, sub="9"))
    with database.write() as connection:
        connection.execute(sa.delete(visit))
    return one
