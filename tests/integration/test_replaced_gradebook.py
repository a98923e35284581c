"""A score on its way when the LMS gets another address: the gradebook at the new one ends with the right value."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from moodle_sync.deliver_scores import deliver
from sandbox_lms.campus import VILNIUS as OTHER_CAMPUS
from series.people import Visit
from series.store.universities import PlatformRow
from tests.integration.partner import Partner, open_partner
from tests.integration.sandbox_client import World
from tests.replacing import REGISTERED_AGAIN, launch_and_tell, register, succeed, through
from tests.seeds import LAUNCH, code_of, record


@pytest.fixture
def partner(tmp_path: Path, sqlite_url: str) -> Iterator[Partner]:
    folder = tmp_path / "old"
    folder.mkdir()
    with open_partner(folder, sqlite_url) as opened:
        yield opened


@pytest.fixture
def new_world(tmp_path: Path) -> Iterator[World]:
    """The LMS at its new address. All campuses of the sandbox have the same user, course and line item ids."""
    folder = tmp_path / "new"
    folder.mkdir()
    with World(folder, [OTHER_CAMPUS]) as opened:
        yield opened


@pytest.fixture
def new_home(partner: Partner, new_world: World) -> PlatformRow:
    registration = new_world.campus.registration()
    return register(
        partner.services.database,
        replace(
            REGISTERED_AGAIN,
            issuer=registration.issuer,
            client_id=registration.client_id,
            token_endpoint=registration.token_endpoint,
            deployment_ids=(registration.deployment_id,),
        ),
    )


def open_again(partner: Partner, new_world: World, new_home: PlatformRow) -> tuple[Visit, list[int]]:
    """The student opens the activity at the new address."""
    new = structs.replace(
        through(new_home, LAUNCH, deployment_id="1"), sub="3", line_item_url=new_world.line_item_url()
    )
    return launch_and_tell(partner.services.database, new, now=partner.now)


def test_a_score_that_the_old_lms_never_took_is_in_the_new_gradebook(
    partner: Partner, new_world: World, new_home: PlatformRow
) -> None:
    waiting = partner.check_in()
    partner.world.sandbox.switches["malta"].set(down=True)
    deliver(partner.services, waiting)
    partner.calls()
    succeed(partner.services.database, now=partner.now)

    visit, (queued,) = open_again(partner, new_world, new_home)
    assert visit.participant_id == partner.student.participant_id
    for delivery_id in (waiting, queued):
        deliver(partner.services, delivery_id)
    assert new_world.grades() == {"3": 50}
    assert partner.calls() == [], "the old LMS is left alone"

    new = code_of(visit, partner.seeded.session_ids[1], at=partner.now)
    for delivery_id in record(partner.services.database, new, now=partner.now):
        deliver(partner.services, delivery_id)
    assert new_world.grades() == {"3": 100}


def test_a_score_that_the_old_lms_took_is_in_the_new_gradebook_too(
    partner: Partner, new_world: World, new_home: PlatformRow
) -> None:
    deliver(partner.services, partner.check_in())
    succeed(partner.services.database, now=partner.now)
    _, (queued,) = open_again(partner, new_world, new_home)
    deliver(partner.services, queued)
    assert (partner.world.grades(), new_world.grades()) == ({"3": 50}, {"3": 50})
