"""A session to come, and a teacher who may host it."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from series.people import Visit
from series.sessions import Session
from series.store.sessions import change_session, sessions_of
from tests.examples import SERIES, moved
from tests.integration.staff.desk import Office
from tests.seeds import LAUNCH, launch

TEACHER = structs.replace(LAUNCH, sub="8", is_teacher=True, is_learner=False)


@pytest.fixture
def ahead(office: Office) -> Session:
    """A session of Malta, tomorrow."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    with office.database.write() as connection:
        first = sessions_of(connection, SERIES.series_id)[0]
        tomorrow = moved(first, now + timedelta(days=1) - first.start_at)
        change_session(connection, tomorrow, by="staff 1", now=now)
    return tomorrow


@pytest.fixture
def teacher(office: Office) -> Visit:
    return launch(office.database, TEACHER, now=datetime.now(UTC))
