"""The daily job, its proof, and the command."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from lti_tool.cli import lti_tool
from moodle_sync.housekeeping import Housekeeping
from series.people import Visit
from series.retention import RETENTION, Kept, period
from series.store.database import Database, DatabaseBusy
from series.store.privacy_tables import transfer_code
from series.store.retention import DAILY
from series.store.retention_run import delete_what_had_its_time
from series.store.runs import EVERYWHERE
from series.store.tables import (
    audit,
    participant,
)
from tests.conftest import NOW
from tests.integration.partner import Partner, open_partner
from tests.integration.retention.kept import DAY, YEAR
from tests.integration.test_key_commands import environment_of
from tests.seeds import count


def test_dpo_09_each_run_is_proved_by_a_line_in_the_audit(database: Database, student: Visit, end: datetime) -> None:
    delete_what_had_its_time(database, by="worker", now=end + YEAR)
    with database.read() as connection:
        row = connection.execute(sa.select(audit).order_by(audit.c.id.desc()).limit(1)).one()
    assert (row.actor, row.action, row.object) == ("worker", "retention", EVERYWHERE)
    said = json.loads(row.detail)
    assert set(said) == set(DAILY)
    assert (said["completion"], said["roster"]) == (6, 0)


@pytest.fixture
def partner(tmp_path: Path, sqlite_url: str) -> Iterator[Partner]:
    with open_partner(tmp_path, sqlite_url) as opened:
        yield opened


def retention_runs(partner: Partner) -> list[tuple[str, int]]:
    return [(run.outcome, sum(run.counts.values())) for run in partner.runs() if run.job == "retention"]


def test_dpo_09_the_worker_deletes_once_a_day(partner: Partner) -> None:
    workers = [Housekeeping(partner.services), Housekeeping(partner.services)]
    for housekeeping in workers * 2:
        housekeeping()
    assert retention_runs(partner) == [("done", 0)]
    partner.world.advance(24 * 3600)
    for housekeeping in workers:
        housekeeping()
    assert retention_runs(partner) == [("done", 0)] * 2


def test_dpo_09_a_day_on_which_the_database_was_busy_is_not_skipped(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> int:
        raise DatabaseBusy("busy")

    housekeeping = Housekeeping(partner.services)
    with monkeypatch.context() as patched:
        patched.setattr("moodle_sync.jobs.begin", busy)
        with pytest.raises(DatabaseBusy):
            housekeeping()
    housekeeping()
    assert retention_runs(partner) == [("done", 0)]


def types(partner: Partner, *arguments: str) -> list[dict[str, object]]:
    environment = environment_of(partner.services.settings)
    done = CliRunner().invoke(lti_tool, ["retention", "--json", *arguments], env=environment)
    assert done.exit_code == 0, done.exception
    rows: list[dict[str, object]] = json.loads(done.stdout)
    return rows


def test_dpo_09_a_dry_run_counts_and_deletes_nothing(partner: Partner) -> None:
    expired = {"id": "x", "participant_id": 1, "created_at": NOW - 20 * DAY, "expires_at": NOW - DAY}
    with partner.services.database.write() as connection:
        connection.execute(sa.insert(participant).values(university_id=1, issuer="i", sub="s", created_at=NOW))
        connection.execute(sa.insert(transfer_code).values(expired))
    for arguments, left in ((("--dry-run",), 1), ((), 0)):
        (row,) = [row for row in types(partner, *arguments) if row["rows"]]
        assert row == {"class": "transfer", "rows": 1, "kept": RETENTION[Kept.TRANSFER].words}
        assert count(partner.services.database, transfer_code) == left


def test_every_class_has_a_period_or_says_what_ends_it() -> None:
    assert set(RETENTION) == set(Kept)
    with pytest.raises(ValueError, match="no date ends proof"):
        period(Kept.PROOF)
