"""Taking a rehearsal away takes all that was tried in it, on both databases."""

from dataclasses import replace
from uuid import UUID

import pytest
import sqlalchemy as sa

from series.people import Visit
from series.store import tables
from series.store.check_ins import open_check_in
from series.store.database import Database
from series.store.evidence import facts_of, retract_evidence
from series.store.objections import raise_objection
from series.store.rehearsals import TRIED, NoRehearsal, remove_rehearsal
from series.store.sessions import change_session, get_session, name_host
from tests.conftest import NOW
from tests.examples import SERIES, SESSION
from tests.integration.rehearsals.examples import REHEARSAL
from tests.seeds import Seeded, code_of, count, record


def test_removing_it_takes_all_that_was_tried_and_leaves_all_that_counts(database: Database, tried: Visit) -> None:
    record(database, code_of(tried, SESSION.session_id))
    assert tried.course_id
    with database.write() as connection:
        open_check_in(
            connection, session_id=REHEARSAL.session_id, code="123456", participant_id=tried.participant_id, now=NOW
        )
        (fact, *_) = facts_of(connection, participant_id=tried.participant_id, series_id=SERIES.series_id)
        retract_evidence(connection, fact.evidence.evidence_id, by="staff 1", reason="no", now=NOW)
        name_host(connection, session_id=REHEARSAL.session_id, participant_id=tried.participant_id)
        raise_objection(
            connection,
            participant_id=tried.participant_id,
            course_id=tried.course_id,
            series_id=SERIES.series_id,
            session_id=REHEARSAL.session_id,
            text="wrong",
            now=NOW,
        )
        change_session(connection, replace(REHEARSAL, join_url="https://x.example"), by="staff 1", now=NOW)
    with database.write() as connection:
        remove_rehearsal(connection, SERIES.series_id, REHEARSAL.session_id, by="staff 1", now=NOW)
    with database.read() as connection:
        assert get_session(connection, REHEARSAL.session_id) is None
        (left,) = facts_of(connection, participant_id=tried.participant_id, series_id=SERIES.series_id)
        assert left.session_id == SESSION.session_id
        removed = connection.execute(sa.select(tables.audit).order_by(tables.audit.c.id.desc())).first()
    assert removed is not None
    assert (removed.actor, removed.action, removed.detail) == ("staff 1", "remove_rehearsal", '{"evidence": 1}')
    assert count(database, tables.completion) == 1
    assert [count(database, table) for table in TRIED] == [0] * len(TRIED)


def test_what_counts_cannot_be_removed(database: Database, seeded: Seeded) -> None:
    for series_id, session_id in (
        (SERIES.series_id, SESSION.session_id),
        (UUID(int=1), REHEARSAL.session_id),
        (SERIES.series_id, UUID(int=1)),
    ):
        with database.write() as connection, pytest.raises(NoRehearsal):
            remove_rehearsal(connection, series_id, session_id, by="staff 1", now=NOW)
    assert count(database, tables.session) == 5


NEVER_OF_A_REHEARSAL = {  # because it is not completed, mirrored, announced, imported, mapped, placed or copied
    "completion",
    "excuse",
    "mirror",
    "announcement",
    "seen_session",
    "session_alias",
    "mapped_activity",
    "activity_state",
    "placement",
    "session",
}
ASIDE = {"evidence", "rule_version"}  # deleted in their own way; a rule's history stays


def test_every_table_that_speaks_of_a_session_is_thought_of() -> None:
    """Whoever makes another one decides what becomes of it when a rehearsal is removed."""
    speaks = {
        table.name
        for table in tables.metadata.sorted_tables
        if any(key.column.table is tables.session for key in table.foreign_keys)
    }
    assert speaks == {table.name for table in TRIED} | NEVER_OF_A_REHEARSAL | ASIDE
