"""The engine and its transactions, on both databases."""

import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from lms.products import product_of
from moodle_sync.moodle_runs import begin_planned
from moodle_sync.services import make_services
from series.moodle_jobs import Level, jobs_of
from series.rule import CONFIRMED, MAX_REQUIRED, Rule
from series.store import migrations
from series.store.database import Database, DatabaseBusy, DatabaseUnreachable
from series.store.migrate import migrate
from series.store.moodle_jobs import DueJob, due_jobs, end_job
from series.store.moodle_tables import moodle_job
from series.store.rules import rule_of
from series.store.runs import drop_run
from series.store.schema import NEWEST, NotMigrated, installation_id, is_current, require_current
from series.store.tables import completion, platform, spent_nonce, tool_key, visit
from tests.conftest import NOW, make_settings

MIGRATIONS = Path(migrations.__file__).parent


def test_the_migrations_make_exactly_the_tables(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, moodle_job.metadata) == []


def test_the_state_that_the_code_wants_is_the_last_migration() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == NEWEST


def test_tables_of_an_older_state_are_not_worked_with(database: Database) -> None:
    _back_to_the_first_tables(database)
    assert not is_current(database)
    with pytest.raises(NotMigrated, match="lti-tool migrate"):
        require_current(database)
    migrate(database)
    require_current(database)


def test_a_second_migration_changes_nothing(database: Database) -> None:
    with database.read() as connection:
        before = installation_id(connection)
    migrate(database)
    assert is_current(database)
    with database.read() as connection:
        assert installation_id(connection) == before


def test_an_instant_comes_back_aware(database: Database) -> None:
    with database.write() as connection:
        connection.execute(sa.insert(spent_nonce).values(nonce="n", expires_at=NOW))
    with database.read() as connection:
        assert connection.execute(sa.select(spent_nonce.c.expires_at)).scalar_one() == NOW


def test_a_failed_transaction_leaves_nothing_behind(database: Database) -> None:
    row = {"nonce": "n", "expires_at": NOW}
    with pytest.raises(sa.exc.IntegrityError), database.write() as connection:
        connection.execute(sa.insert(spent_nonce), [row, row])
    with database.read() as connection:
        assert connection.execute(sa.select(spent_nonce)).all() == []


def test_what_counts_waits_for_the_disk(sqlite_url: str) -> None:
    """Also on the connection that did not wait a moment ago: https://www.sqlite.org/pragma.html#pragma_synchronous"""
    database, normal, full = Database(sqlite_url), 1, 2
    levels = []
    for wait in (True, False, True):
        with database.write(wait_for_disk=wait) as connection:
            levels.append(connection.execute(sa.text("PRAGMA synchronous")).scalar_one())
    assert levels == [full, normal, full]
    database.dispose()


def test_what_did_not_wait_for_the_disk_outlives_the_process(sqlite_url: str) -> None:
    script = (
        "import os, sys, sqlalchemy as sa; from series.store.database import Database\n"
        "with Database(sys.argv[1]).write(wait_for_disk=False) as connection:\n"
        "    connection.execute(sa.text(\"INSERT INTO spent_nonce (nonce, expires_at) VALUES ('n', '2026-01-01')\"))\n"
        "os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", script, sqlite_url], check=False).returncode == -9
    database = Database(sqlite_url)
    with database.read() as connection:
        assert connection.execute(sa.select(spent_nonce.c.nonce)).scalars().all() == ["n"]
    database.dispose()


def test_a_commit_that_fails_leaves_nothing_and_holds_up_nobody(database: Database) -> None:
    with database.write() as connection:
        connection.execute(sa.text("CREATE TABLE father (id INTEGER PRIMARY KEY)"))
        connection.execute(
            sa.text(
                "CREATE TABLE child (id INTEGER PRIMARY KEY,"
                " father INTEGER REFERENCES father (id) DEFERRABLE INITIALLY DEFERRED)"
            )
        )
    try:
        with pytest.raises(sa.exc.IntegrityError), database.write() as connection:
            connection.execute(sa.text("INSERT INTO child VALUES (1, 5)"))
        other = Database(database.url, busy_timeout_s=0)
        with other.write() as connection:
            assert connection.execute(sa.text("SELECT count(*) FROM child")).scalar_one() == 0
        other.dispose()
        with database.write() as connection:
            connection.execute(sa.text("INSERT INTO father VALUES (5)"))
    finally:
        with database.write() as connection:
            for table in ("child", "father"):
                connection.execute(sa.text(f"DROP TABLE {table}"))


def test_a_locked_database_says_so_and_keeps_nothing(sqlite_url: str) -> None:
    holder = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    database = Database(sqlite_url, busy_timeout_s=0)
    with pytest.raises(DatabaseBusy), database.write():
        pass
    holder.execute("ROLLBACK")
    holder.close()
    with database.write() as connection:
        connection.execute(sa.insert(spent_nonce).values(nonce="n", expires_at=NOW))
    database.dispose()


def test_where_every_connection_is_taken_the_database_is_busy(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("series.store.database.THREADS", 1)
    database = Database(sqlite_url, busy_timeout_s=0)
    with database.read(), database.read(), pytest.raises(DatabaseBusy), database.read():
        pass
    with database.read(), database.read():
        pass
    database.dispose()


def test_who_takes_turns_waits_for_them_and_holds_up_nobody_else(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("series.store.database.TURN_WITHIN_S", 0.0)
    database = Database(sqlite_url)
    turns = database.in_turns(1)
    for _ in range(2):
        with turns.read():
            with pytest.raises(DatabaseBusy), turns.read():
                pass
            with database.write():
                pass
    with pytest.raises(ZeroDivisionError), turns.write():
        raise ZeroDivisionError
    with turns.write():
        pass
    database.dispose()


def test_reading_goes_on_while_somebody_writes(sqlite_url: str) -> None:
    database = Database(sqlite_url, busy_timeout_s=0)
    with database.write() as writing:
        writing.execute(sa.insert(spent_nonce).values(nonce="n", expires_at=NOW))
        seen: list[object] = []

        def look() -> None:
            with database.read() as reading:
                seen.extend(reading.execute(sa.select(spent_nonce)).all())

        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        assert seen == []
    database.dispose()


def test_a_database_in_a_folder_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/nowhere/x.db")
    with pytest.raises(DatabaseUnreachable, match="unable to open"), database.read():
        pass


def test_the_data_of_the_first_version_are_kept(database: Database) -> None:
    _back_to_the_first_tables(database)
    with database.write() as connection:
        for table, row in FIRST_ROWS.items():
            _insert(connection, table, row)
    migrate(database)
    with database.read() as connection:
        assert connection.execute(sa.text("SELECT title FROM course")).scalar_one() == "C"
        opened = connection.execute(sa.select(visit)).one()
        assert (opened.id, opened.is_learner, opened.is_test_user) == ("v", True, False)
        assert connection.execute(sa.select(spent_nonce.c.nonce)).scalar_one() == "n"
        key = connection.execute(sa.select(tool_key)).one()
        assert (key.signs_from, key.retires_at) == (key.created_at, None)


def test_a_completion_of_before_is_one_of_the_universitys(database: Database) -> None:
    _back_to_the_first_tables(database)
    ended = "2026-11-24 10:00:00.000000"
    held = {"id": "22222222222242228222222222222222", "series_id": FIRST_ROWS["series"]["id"], "title": "T"}
    done = {"participant_id": 1, "session_id": held["id"], "completed_at": ended}
    with database.write() as connection:
        for table, row in FIRST_ROWS.items():
            _insert(connection, table, row)
        _insert(connection, "university", FIRST_ROWS["university"] | {"id": 2, "slug": "v"})
        _insert(connection, "participant", FIRST_ROWS["participant"] | {"id": 2, "university_id": 2})
        times = {"start_at": ended, "end_at": ended, "updated_at": ended, "wall_start": ended[:19], "zone": "UTC"}
        _insert(connection, "session", held | times | {"description": "", "status": "scheduled", "sequence": 0})
        _insert(connection, "completion", done)
        _insert(connection, "completion", done | {"participant_id": 2})
    migrate(database)
    with database.read() as connection:
        rows = connection.execute(sa.select(completion).order_by(completion.c.participant_id)).all()
    assert [(row.participant_id, row.university_id) for row in rows] == [(1, 1), (2, 2)]
    assert {row.completed_at for row in rows} == {datetime(2026, 11, 24, 10, tzinfo=UTC)}


@pytest.mark.parametrize(("before", "after"), [(7, 7), (150, MAX_REQUIRED), (0, 1)])
def test_the_rule_of_before_becomes_the_first_version_of_one_that_can_be_read(
    sqlite_url: str, before: int, after: int
) -> None:
    database = Database(sqlite_url)
    _back_to_the_first_tables(database)
    old = json.dumps({"any_of": ["approval"], "required": before})
    with database.write() as connection:
        _insert(connection, "series", FIRST_ROWS["series"] | {"rule": old})
    migrate(database)
    with database.read() as connection:
        assert rule_of(connection, UUID(str(FIRST_ROWS["series"]["id"]))) == Rule(ways=(CONFIRMED,), required=after)
    database.dispose()


FIRST_ROWS = {
    "university": {"id": 1, "slug": "m", "name": "M", "country": "MT", "time_zone": "UTC", "language": "en"},
    "platform": {
        "id": 1,
        "slug": "m",
        "university_id": 1,
        "issuer": "i",
        "client_id": "c",
        "authorization_endpoint": "a",
        "token_endpoint": "t",
        "jwks_uri": "j",
        "state": "active",
        "created_at": "2026-11-24 10:00:00.000000",
    },
    "deployment": {"id": 1, "platform_id": 1, "deployment_id": "1", "state": "approved"},
    "course": {"id": 1, "university_id": 1, "deployment_id": 1, "context_id": "2", "title": "C"},
    "participant": {"id": 1, "university_id": 1, "issuer": "i", "sub": "s", "created_at": "2026-11-24 10:00:00.000000"},
    "series": {
        "id": "11111111111141118111111111111111",
        "slug": "s",
        "title": "S",
        "time_zone": "UTC",
        "rule": "{}",
        "created_at": "2026-11-24 10:00:00.000000",
    },
    "placement": {
        "id": 1,
        "deployment_id": 1,
        "resource_link_id": "1",
        "series_id": "11111111111141118111111111111111",
        "ags_scopes": "",
    },
    "visit": {
        "id": "v",
        "proof_hash": "h",
        "participant_id": 1,
        "placement_id": 1,
        "is_teacher": False,
        "is_learner": True,
        "opened_at": "2026-11-24 10:00:00.000000",
        "expires_at": "2026-11-24 22:00:00.000000",
    },
    "spent_nonce": {"nonce": "n", "expires_at": "2026-11-24 10:00:00.000000"},
    "tool_key": {"kid": "k", "private_key_sealed": "s", "created_at": "2026-11-24 10:00:00.000000"},
}


def test_an_upgrade_guesses_which_products_there_are(database: Database) -> None:
    addresses = [
        ("https://moodle.uni.example", "https://moodle.uni.example/mod/lti/token.php"),
        ("https://canvas.instructure.com", "https://sso.canvaslms.com/login/oauth2/token"),
        ("https://uni.brightspace.com", "https://auth.brightspace.com/core/connect/token"),
        ("https://blackboard.com", "https://developer.blackboard.com/api/v1/gateway/oauth2/jwttoken"),
        ("https://sakai.uni.example", "https://sakai.uni.example/imsblis/lti13/token/9"),
        ("https://lms.example", "https://lms.example/token"),
    ]
    _back_to_the_first_tables(database)
    with database.write() as connection:
        _insert(connection, "university", FIRST_ROWS["university"])
        for number, (issuer, token_endpoint) in enumerate(addresses, start=1):
            row = {"id": number, "slug": f"m{number}", "issuer": issuer, "token_endpoint": token_endpoint}
            _insert(connection, "platform", FIRST_ROWS["platform"] | row)
    migrate(database)
    with database.read() as connection:
        rows = connection.execute(sa.select(platform)).all()
    assert [row.product for row in rows] == [product_of(row.issuer, row.token_endpoint) for row in rows]
    assert len({row.product for row in rows}) == len(addresses)


def test_a_moodle_that_was_connected_before_the_upgrade_is_worked_at_after_it(database: Database) -> None:
    _back_to("0007", database)
    with database.write() as connection:
        _insert(connection, "university", FIRST_ROWS["university"])
        row = {"university_id": 1, "base_url": "https://m.example", "token_sealed": "s", "moodle_user_id": 3}
        _insert(connection, "moodle_connection", row)
    migrate(database)
    now = datetime.now(UTC) + timedelta(seconds=1)
    services = make_services(make_settings(database.url))
    begun = []
    while due := _due(database, now):
        run_id = begin_planned(services, due[0])
        assert run_id is not None
        begun.append(due[0].job)
        with database.write() as connection:
            end_job(connection, 1, due[0].job, failed=False, interval=timedelta(days=1), jitter=0, now=now)
            drop_run(connection, run_id)
    assert sorted(begun) == sorted(jobs_of(Level.CALENDAR))
    services.database.dispose()
    services.http.close()


def _due(database: Database, now: datetime) -> list[DueJob]:
    with database.read() as connection:
        return due_jobs(connection, now=now, limit=10, are_suspect=False)


def _insert(connection: sa.Connection, table: str, row: Mapping[str, object]) -> None:
    names, values = ", ".join(row), ", ".join(f":{name}" for name in row)
    connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)


def _back_to_the_first_tables(database: Database) -> None:
    _back_to("0001", database)


def _back_to(revision: str, database: Database) -> None:
    with database.write() as connection:
        moodle_job.metadata.drop_all(connection)
        connection.execute(sa.text("DROP TABLE alembic_version"))
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
