"""The worker's pre-flights over real HTTP: done once, each LMS by itself, and taken up again after a crash."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from moodle_sync.preflights import Preflights, fly_if_due
from moodle_sync.worker import Tick
from series.checks import Outcome
from series.preflight import Code, outcome_of
from series.store.platform_checks import LEASE, CheckedPlatform, ask_for_check, checked_platform, claim_check
from series.store.universities import add_platform
from tests.integration.partner import Partner, open_partner
from tests.seeds import PLATFORM
from tests.waiting import until


@pytest.fixture
def partner(tmp_path: Path, sqlite_url: str) -> Iterator[Partner]:
    with open_partner(tmp_path, sqlite_url) as opened:
        yield opened


def checked(partner: Partner, platform_id: int | None = None) -> CheckedPlatform | None:
    with partner.services.database.read() as connection:
        return checked_platform(connection, platform_id or partner.seeded.platform_id)


def done(partner: Partner, platform_id: int | None = None) -> CheckedPlatform | None:
    found = checked(partner, platform_id)
    return found if found is not None and found.checked_at is not None else None


def test_the_worker_checks_every_lms_by_itself(partner: Partner) -> None:
    preflights = Preflights(partner.services)
    Tick(partner.services, preflights=preflights)()
    found = until(lambda: done(partner), "the pre-flight", within_s=20)
    preflights.stop()
    assert outcome_of(found.trials, Code.TOKEN) is Outcome.OK
    partner.calls()
    preflights = Preflights(partner.services)
    preflights.begin_due(partner.now)
    preflights.stop()
    assert partner.calls() == []  # not before tomorrow


def test_a_slow_lms_holds_up_no_other(partner: Partner) -> None:
    """The one is held at its token; the other is done meanwhile."""
    switches = partner.world.sandbox.switches["malta"]
    with partner.services.database.write() as connection:
        nowhere = replace(
            PLATFORM,
            slug="nowhere",
            client_id="2",
            authorization_endpoint="http://127.0.0.1:9/auth",
            token_endpoint="http://127.0.0.1:9/token",
            jwks_uri="http://127.0.0.1:9/certs",
        )
        other = add_platform(connection, nowhere, now=partner.now)
    switches.set(hold_token=True)
    preflights = Preflights(partner.services)
    preflights.begin_due(partner.now)
    assert switches.wait_until_held("hold_token", timeout_s=20)
    found = until(lambda: done(partner, other), "the other's", within_s=20)
    assert outcome_of(found.trials, Code.TOKEN) is Outcome.GAP
    assert done(partner) is None
    switches.set(hold_token=False)
    until(lambda: done(partner), "the slow one's", within_s=20)
    preflights.stop()


def test_what_a_worker_left_in_the_middle_is_taken_up_after_its_lease(partner: Partner) -> None:
    with partner.services.database.write() as connection:
        ask_for_check(connection, partner.seeded.platform_id, now=partner.now)
        assert claim_check(connection, partner.seeded.platform_id, now=partner.now) is not None
    assert not fly_if_due(partner.services, partner.seeded.platform_id)
    partner.world.advance((LEASE + timedelta(seconds=1)).total_seconds())
    assert fly_if_due(partner.services, partner.seeded.platform_id)
    assert done(partner) is not None


def test_a_worker_that_stops_begins_none(partner: Partner) -> None:
    preflights = Preflights(partner.services)
    preflights.stop()
    preflights.begin_due(partner.now)
    preflights.stop()
    assert done(partner) is None
