"""Statements that run on the driver's own cursor do what Core does with them, on both kinds of database."""

import traceback
from contextlib import suppress
from datetime import timedelta, timezone
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from series.store.database import Database, DatabaseBusy, DatabaseUnreachable, insert_of
from series.store.migrate import migrate
from series.store.prepared import Prepared
from series.store.tables import metadata, spent_nonce
from tests.conftest import NOW

ROW = {"nonce": "n", "visit_id": None, "expires_at": NOW.astimezone(timezone(timedelta(hours=2)))}
SPEND = Prepared(
    lambda dialect: insert_of(dialect, spent_nonce).on_conflict_do_nothing().returning(spent_nonce.c.nonce)
)
INSERT = Prepared(lambda _dialect: sa.insert(spent_nonce).inline())
FIND = Prepared(lambda _dialect: sa.select(spent_nonce).where(spent_nonce.c.nonce == sa.bindparam("wanted")))
ASK = Prepared(
    lambda _dialect: sa.select(
        sa.exists().where(spent_nonce.c.nonce == sa.bindparam("wanted")).label("is_there"),
        sa.exists().where(spent_nonce.c.nonce == sa.bindparam("other")).label("other_is_there"),
    )
)


def test_what_comes_back_is_what_core_gives(database: Database) -> None:
    with database.write() as connection:
        assert SPEND.first(connection, ROW).nonce == "n"
    with database.read() as connection:
        found = FIND.first(connection, {"wanted": "n"})
        by_core = connection.execute(sa.select(spent_nonce)).one()
        assert tuple(found) == tuple(by_core)
        assert found._fields == by_core._fields
        assert (found.expires_at, found.expires_at.utcoffset()) == (NOW, timedelta())
        asked = ASK.first(connection, {"wanted": "n", "other": "o"})
        assert (asked.is_there, asked.other_is_there) == (True, False)
        assert type(asked.is_there) is bool


def test_where_there_is_no_row_there_is_none(database: Database) -> None:
    with database.write() as connection:
        assert SPEND.first(connection, ROW)
        assert SPEND.first(connection, ROW) is None
        assert FIND.first(connection, {"wanted": "o"}) is None
        assert INSERT.first(connection, ROW | {"nonce": "o"}) is None
        assert FIND.first(connection, {"wanted": "o"}).nonce == "o"


def test_it_belongs_to_the_transaction(database: Database) -> None:
    with suppress(LookupError), database.write() as connection:
        INSERT.first(connection, ROW)
        raise LookupError
    with database.read() as connection:
        assert FIND.first(connection, {"wanted": "n"}) is None


def test_a_row_that_is_refused_is_cores_error_and_shows_no_value(database: Database) -> None:
    """PostgreSQL's own words would show the whole row."""
    hidden = uuid4().hex
    with pytest.raises(sa.exc.IntegrityError) as refused, database.write() as connection:
        INSERT.first(connection, ROW | {"visit_id": hidden, "expires_at": None})
    assert hidden not in "".join(traceback.format_exception(refused.value))


def test_a_connection_that_the_server_has_ended_is_not_given_out_again(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("there is no server")
    with pytest.raises(DatabaseUnreachable, match="terminat"):
        _ask_after_the_end(database)
    with database.read() as connection:
        assert FIND.first(connection, {"wanted": "n"}) is None


def _ask_after_the_end(database: Database) -> None:
    with database.read() as connection:
        ended = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
        with database.read() as other:
            other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": ended})
        FIND.first(connection, {"wanted": "n"})


def test_other_names_than_the_first_time_are_a_mistake(database: Database) -> None:
    with database.write() as connection:
        assert INSERT.first(connection, ROW) is None
        with pytest.raises(TypeError, match="visit_id"):
            INSERT.first(connection, {"nonce": "o", "expires_at": NOW})


def test_a_table_that_somebody_holds_is_busy(database: Database) -> None:
    impatient = Database(database.url, busy_timeout_s=0)
    with database.write() as holding:
        holding.execute(sa.delete(spent_nonce))
        if not database.is_sqlite:
            holding.execute(sa.text("LOCK TABLE spent_nonce"))
        with pytest.raises(DatabaseBusy), impatient.write() as connection:
            INSERT.first(connection, ROW)
    impatient.dispose()


def test_a_value_that_the_statement_brings_itself_is_a_mistake(database: Database) -> None:
    own = Prepared(lambda _dialect: sa.select(spent_nonce).where(spent_nonce.c.nonce == "written down"))
    with database.read() as connection, pytest.raises(AssertionError, match="values of its own"):
        own.first(connection, {})


def test_a_nonce_and_a_visit_cost_sqlite_no_page_for_a_rowid(tmp_path: Path) -> None:
    """As the migrations make them, and as the tables say."""
    migrated, made = (Database(f"sqlite:///{tmp_path}/{name}.db") for name in ("migrated", "made"))
    migrate(migrated)
    metadata.create_all(made.engine)
    for each in (migrated, made):
        with each.read() as connection:
            made_by = connection.execute(
                sa.text("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%WITHOUT ROWID%'")
            ).scalars()
            assert set(made_by) == {"spent_nonce", "visit"}
        each.dispose()
