"""moodle-sync deliveries and run deliver: what waits, for whom and why, and sending it by hand."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from moodle_sync.cli import moodle_sync
from moodle_sync.deliver_scores import deliver
from series.deliveries import FIRST_DELAY, FIRST_PAUSE
from series.store.universities import NotThere
from tests.conftest import make_environment
from tests.integration.partner import Partner, open_partner

Run = Callable[..., Result]


@pytest.fixture
def partner(tmp_path: Path, sqlite_url: str) -> Iterator[Partner]:
    with open_partner(tmp_path, sqlite_url) as opened:
        yield opened


@pytest.fixture
def run(partner: Partner) -> Run:
    environment = make_environment(partner.world.tool_url, partner.services.settings.database_url)
    environment["SHARED_SESSIONS_CLOCK_FILE"] = str(partner.world.clock.offset_file)
    return lambda *command: CliRunner(env=environment).invoke(moodle_sync, command)


@pytest.fixture
def down(partner: Partner) -> int:
    """A delivery to an LMS that is down; it has been tried once."""
    partner.world.sandbox.switches["malta"].set(down=True)
    delivery_id = partner.check_in()
    deliver(partner.services, delivery_id)
    return delivery_id


def test_the_list_says_which_gradebook_is_left_alone_until_when_and_why(run: Run, down: int) -> None:
    done = run("deliveries", "list", "--json")
    assert [row["id"] for row in json.loads(done.stdout)] == [down]
    assert done.stderr.startswith("Waits for malta until ")
    assert "503" in done.stderr


def test_the_list_can_be_of_one_university(run: Run, down: int) -> None:
    done = run("deliveries", "list", "--university", "vilnius", "--json")
    assert (json.loads(done.stdout), done.stderr) == ([], "")
    assert isinstance(run("deliveries", "list", "--university", "atlantis").exception, NotThere)


def test_what_is_tried_again_by_hand_waits_for_no_pause(partner: Partner, run: Run, down: int) -> None:
    assert "0 due now" in run("deliveries", "retry", "--all", "--university", "vilnius").stdout
    assert "Nothing to send." in run("run", "deliver").stdout
    assert "1 due now" in run("deliveries", "retry", "--all", "--university", "malta").stdout
    partner.world.sandbox.switches["malta"].reset()
    assert run("run", "deliver").stdout == "1 delivered\n"


def test_a_university_is_named_with_all_alone(run: Run, down: int) -> None:
    done = run("deliveries", "retry", str(down), "--university", "malta")
    assert (done.exit_code, "--university goes with --all" in done.stderr) == (2, True)


def test_sending_by_hand_says_what_came_of_it(partner: Partner, run: Run) -> None:
    partner.check_in()
    partner.check_in(visit=partner.launch("8"))  # a teacher in the LMS
    assert run("run", "deliver", "--dry-run").stdout == "2 due.\n"
    assert partner.world.grades() == {}
    assert "0 due." in run("run", "deliver", "--dry-run", "--university", "vilnius").stdout
    assert run("run", "deliver").stdout == "1 delivered, 1 never\n"


def test_sending_by_hand_ends_a_pause_when_its_time_has_come(partner: Partner, run: Run, down: int) -> None:
    other = partner.check_in(visit=partner.launch("5"))
    partner.world.sandbox.switches["malta"].reset()
    partner.world.advance((FIRST_PAUSE * 1.25 + FIRST_DELAY).total_seconds())
    assert run("run", "deliver").stdout == "2 delivered\n"
    assert partner.delivery(other).state == "delivered"
