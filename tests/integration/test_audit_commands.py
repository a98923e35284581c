"""The worker seals the audit, and `lti-tool audit` lists and checks it, as an operator types it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from lti_tool.cli import lti_tool
from moodle_sync import jobs
from moodle_sync.housekeeping import SEAL_INTERVAL_S, Housekeeping
from series.store.audit import append_audit
from series.store.privacy_tables import audit_seal
from series.store.runs import EVERYWHERE, slot_by_hand
from series.store.tables import audit
from tests.integration.partner import Partner, open_partner
from tests.integration.test_key_commands import environment_of
from tests.seeds import count


@pytest.fixture
def partner(tmp_path: Path, sqlite_url: str) -> Iterator[Partner]:
    with open_partner(tmp_path, sqlite_url) as opened:
        yield opened


def append(partner: Partner, actor: str = "staff 1", action: str = "see_record") -> None:
    with partner.services.database.write() as connection:
        append_audit(connection, actor=actor, action=action, thing="participant 7", now=partner.now, session="s")


def types(partner: Partner, *arguments: str) -> Result:
    return CliRunner().invoke(lti_tool, ["audit", *arguments], env=environment_of(partner.services.settings))


def seals(partner: Partner) -> int:
    return count(partner.services.database, audit_seal)


def seal(partner: Partner) -> None:
    run_id = jobs.begin(partner.services, "seal", EVERYWHERE, slot=slot_by_hand())
    assert run_id is not None
    jobs.run_seal(partner.services, run_id)


def test_the_worker_seals_when_there_is_something(partner: Partner) -> None:
    housekeeping = Housekeeping(partner.services)
    housekeeping()
    assert seals(partner) == 1  # over what the daily deletion has said of itself
    append(partner)
    for expected in (1, 2):
        housekeeping()
        assert seals(partner) == expected
        partner.world.advance(SEAL_INTERVAL_S)


def test_a_run_says_how_much_was_sealed(partner: Partner) -> None:
    append(partner)
    seal(partner)
    run = next(run for run in partner.runs() if run.job == "seal")
    assert (run.outcome, run.counts) == ("done", {"seals": 1, "lines": 1})


def test_dpo_15_verify_says_that_all_holds_and_what_to_note_down(partner: Partner) -> None:
    append(partner)
    seal(partner)
    append(partner)
    done = types(partner, "verify")
    assert done.exit_code == 0
    assert done.stdout.startswith("All holds: 1 lines under 1 seals.\n1 lines since 20")
    head = done.stdout.split("Last seal: ")[1].strip()
    assert types(partner, "verify", "--head", head).exit_code == 0


def test_dpo_15_verify_fails_and_names_the_line(partner: Partner) -> None:
    append(partner)
    seal(partner)
    with partner.services.database.write() as connection:
        connection.execute(sa.update(audit).values(action="nothing"))
    done = types(partner, "verify")
    assert done.exit_code == 1
    assert "Line 1 was changed after it was sealed." in done.stdout
    (finding,) = json.loads(types(partner, "verify", "--json").stdout)["findings"]
    assert (finding["wrong"], finding["line_id"]) == ("changed", 1)


def test_dpo_15_verify_misses_a_seal_that_was_noted_down(partner: Partner) -> None:
    append(partner)
    seal(partner)
    done = types(partner, "verify", "--head", "0" * 64)
    assert done.exit_code == 1
    assert "the end was cut off" in done.stdout


def test_another_key_is_suspected_where_no_seal_holds(partner: Partner) -> None:
    append(partner)
    seal(partner)
    other = {"SHARED_SESSIONS_ENCRYPTION_KEY": "b2" * 21 + "o="}
    done = CliRunner().invoke(lti_tool, ["audit", "verify"], env={**environment_of(partner.services.settings), **other})
    assert "was SHARED_SESSIONS_ENCRYPTION_KEY changed?" in done.stdout


def test_the_list_shows_the_newest_first_and_what_was_asked_for(partner: Partner) -> None:
    append(partner)
    append(partner, actor="operator", action="add_platform")
    rows = json.loads(types(partner, "list", "--json").stdout)
    assert [row["actor"] for row in rows][:2] == ["operator", "staff 1"]
    assert rows[1]["detail"] == {"session": "s"}
    (row,) = json.loads(types(partner, "list", "--json", "--actor", "staff 1").stdout)
    assert (row["action"], row["object"]) == ("see_record", "participant 7")
    assert len(json.loads(types(partner, "list", "--json", "--about", "participant 7").stdout)) == 2


def test_a_list_of_nothing_says_so(partner: Partner) -> None:
    assert types(partner, "list", "--actor", "nobody").stdout == "Nothing of this is there.\n"
