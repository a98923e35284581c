"""The worker renews the pooled numbers once a week; by hand nobody renews them more often. On both databases."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from moodle_sync import jobs
from moodle_sync.cli import moodle_sync
from moodle_sync.publish_pooled import publish_pooled
from moodle_sync.services import Services, make_services
from moodle_sync.worker import Tick
from series.pooled import TERM
from series.store import runs
from series.store.database import Database
from series.store.work_queue import WorkQueue
from tests.conftest import make_environment, make_settings
from tests.examples import MALTA, SERIES
from tests.integration.pooled import MONDAY, Crowd, complete, gather, steps

WEEK = timedelta(weeks=1)


@dataclass(frozen=True, kw_only=True)
class Office:
    """The worker's services, a series in which three people of Malta have taken part, and the clock of all."""

    services: Services
    crowd: Crowd
    clock_file: Path

    @property
    def database(self) -> Database:
        return self.services.database

    def goes_on_to(self, now: datetime) -> None:
        self.clock_file.write_text(str((now - datetime.now(UTC)).total_seconds()))

    def works(self) -> list[str]:
        """What became of the runs that a worker begins now."""
        Tick(self.services)()
        with self.database.read() as connection:
            begun = [one for one in runs.list_runs(connection, limit=9, job="pooled") if one.outcome == "running"]
        for one in begun:
            jobs.run_pooled(self.services, one.run_id)
        with self.database.read() as connection:
            return [one.outcome for one in runs.list_runs(connection, limit=9, job="pooled")]


@contextmanager
def open_office(url: str, folder: Path) -> Iterator[Office]:
    settings = replace(make_settings(url), clock_file=folder / "clock")
    queue = WorkQueue(f"sqlite:///{folder}/x.db", settings.secret_key)  # PostgreSQL would have to make its tables
    services = replace(make_services(settings), queue=queue)
    crowd = gather(services.database)
    complete(services.database, crowd.sessions[0], crowd.malta)
    opened = Office(services=services, crowd=crowd, clock_file=folder / "clock")
    opened.goes_on_to(MONDAY)
    yield opened
    services.queue.huey.storage.close()
    services.http.close()
    services.database.dispose()


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    with open_office(database_url, tmp_path) as opened:
        yield opened


@pytest.fixture
def sqlite_office(sqlite_url: str, tmp_path: Path) -> Iterator[Office]:
    with open_office(sqlite_url, tmp_path) as opened:
        yield opened


def test_the_worker_renews_them_on_monday_and_not_again_that_week(office: Office) -> None:
    office.goes_on_to(MONDAY - WEEK - timedelta(minutes=1))  # the Sunday after the session
    assert office.works() == []
    office.goes_on_to(MONDAY - WEEK)
    assert office.works() == ["done"]
    office.goes_on_to(MONDAY - timedelta(minutes=1))
    assert office.works() == ["done"]
    office.goes_on_to(MONDAY)
    assert office.works() == ["done", "done"]
    assert len(steps(office.database)) == 2


def test_two_workers_begin_one_run(office: Office) -> None:
    Tick(office.services)()
    assert office.works() == ["done"]


def test_who_was_down_on_monday_renews_them_later_that_week(office: Office) -> None:
    office.goes_on_to(MONDAY + timedelta(days=4))
    assert office.works() == ["done"]
    (taken,) = steps(office.database)
    assert taken.counts[TERM][MALTA.university_id] == 3


def test_a_run_that_was_killed_is_made_again_soon(office: Office) -> None:
    Tick(office.services)()  # and nobody works it off
    office.goes_on_to(MONDAY + timedelta(minutes=16))
    assert office.works() == ["done", "failed"]
    assert len(steps(office.database)) == 1


def test_a_run_that_comes_twice_renews_nothing_twice(office: Office) -> None:
    assert publish_pooled(office.services, SERIES.slug) is not None
    complete(office.database, office.crowd.sessions[0], office.crowd.vilnius)
    assert publish_pooled(office.services, SERIES.slug) is None
    assert len(steps(office.database)) == 1


def command(office: Office, monkeypatch: pytest.MonkeyPatch, *options: str) -> str:
    environment = make_environment("http://localhost:8999", office.services.settings.database_url)
    for name, value in {**environment, "SHARED_SESSIONS_CLOCK_FILE": str(office.clock_file)}.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(moodle_sync, ["run", "pooled", *options])
    assert done.exit_code == 0, done.output
    return done.output


def test_by_hand_what_is_due_is_renewed_once(sqlite_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command(sqlite_office, monkeypatch, "--dry-run") == "autumn: due since 2026-12-07 03:00 UTC.\n"
    assert steps(sqlite_office.database) == ()
    assert command(sqlite_office, monkeypatch) == "autumn: 4 blocks, 2 universities\n"
    assert command(sqlite_office, monkeypatch) == "Nothing is due; the next time is 2026-12-14 03:00 UTC.\n"
    assert len(steps(sqlite_office.database)) == 1


def test_the_run_is_in_the_list_of_runs(sqlite_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    command(sqlite_office, monkeypatch)
    done = CliRunner().invoke(moodle_sync, ["runs", "list", "--job", "pooled", "--json"])
    (row,) = json.loads(done.output)
    assert (row["job"], row["scope"], row["outcome"]) == ("pooled", "autumn", "done")
