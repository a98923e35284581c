"""What is kept of a student, and the daily job that deletes."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa

from series.people import Visit
from series.retention import Kept, period
from series.store.database import Database
from series.store.lms_tables import host_request
from series.store.privacy_tables import transfer_code
from series.store.retention import count_ripe
from series.store.retention_run import delete_what_had_its_time
from series.store.tables import (
    completion,
    delivery,
    evidence,
    excuse,
    membership,
    objection,
    reflection,
    session_host,
)
from tests.conftest import NOW
from tests.examples import SERIES
from tests.seeds import code_of, count, record

YEAR = period(Kept.COMPLETION)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
RUNNING = replace(SERIES, series_id=UUID(int=77), slug="running")
OF_A_PERSON = (completion, evidence, excuse, objection, reflection, delivery, membership, session_host, host_request)


def fill(database: Database, one: Visit, session_id: UUID, series_id: UUID) -> None:
    record(database, code_of(one, session_id))
    who, at = {"participant_id": one.participant_id, "session_id": session_id}, {"asked_at": NOW}
    with database.write() as connection:
        fact = connection.execute(sa.select(evidence.c.id).filter_by(**who)).scalar_one()
        say = connection.execute
        retraction = {"kind": "code", "source": "person", "source_id": "2", "observed_at": NOW, "recorded_at": NOW}
        say(sa.insert(evidence).values(**who, **retraction, retracts_evidence_id=fact))
        say(sa.insert(excuse).values(**who))
        say(sa.insert(reflection).values(**who, text="x", state="handed_in", saved_at=NOW, evidence_id=fact))
        say(sa.insert(objection).values(**about(one), series_id=series_id, text="no", raised_at=NOW))
        say(sa.insert(session_host).values(**who))
        say(sa.insert(host_request).values(**who, **at, state="waiting"))
        say(sa.insert(transfer_code).values(id=uuid4().hex, **who_of(one), created_at=NOW, expires_at=NOW + 14 * DAY))
        say(sa.update(delivery).values(state="delivered"))


def who_of(one: Visit) -> dict[str, int]:
    return {"participant_id": one.participant_id}


def about(one: Visit) -> dict[str, object]:
    return {**who_of(one), "course_id": one.course_id}


def run(database: Database, now: datetime) -> dict[Kept, int]:
    """Delete; what was counted before must be what went, and nothing is left to go."""
    with database.read() as connection:
        before = count_ripe(connection, now=now)
    deleted = delete_what_had_its_time(database, by="worker", now=now)
    assert {kept: count for kept, count in before.items() if count and kept is not Kept.PARTICIPATION} == {
        kept: count for kept, count in deleted.items() if count and kept is not Kept.PARTICIPATION
    }
    with database.read() as connection:
        assert not any(count_ripe(connection, now=now).values())
    return {kept: count for kept, count in deleted.items() if count}


def counts(database: Database) -> dict[str, int]:
    return {table.name: count(database, table) for table in OF_A_PERSON}
