"""Case 64: for a score we ask the LMS for no scope that the launch did not grant, and for nothing without it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lms.ags import SCOPE_RESULT_READONLY, SCOPE_SCORE
from sandbox_lms.campus import MALTA, Campus
from series.deliveries import FIRST_DELAY, LEASE
from series.store import deliveries
from tests.integration.service import MARIA, RESULTS, SCORES, Service, open_service

AFTER_THE_FIRST_DELAY_S = FIRST_DELAY.total_seconds() * 1.25
WRITE_ONLY = replace(MALTA, scopes=(SCOPE_SCORE,))
write_only = pytest.mark.parametrize("campus", [WRITE_ONLY], ids=["grades may be written and not read"])


@pytest.fixture
def campus() -> Campus:
    return MALTA


@pytest.fixture
def service(tmp_path: Path, sqlite_url: str, campus: Campus) -> Iterator[Service]:
    with open_service(tmp_path, sqlite_url, campus) as opened:
        yield opened


def test_lti_064_a_score_is_sent_with_the_scope_that_the_launch_granted(service: Service) -> None:
    delivery_id = service.check_in(SCOPE_SCORE)
    assert service.deliver(delivery_id) == ("delivered", "Delivered.")
    assert service.scopes_asked() == [SCOPE_SCORE]
    (request,) = service.sent(SCORES)
    assert request.headers["Content-Type"] == "application/vnd.ims.lis.v1.score+json"


@pytest.mark.parametrize("granted", [(), (SCOPE_RESULT_READONLY,)])
def test_lti_064_without_the_scope_for_scores_nothing_is_asked_until_a_launch_grants_it(
    service: Service, granted: tuple[str, ...]
) -> None:
    delivery_id = service.check_in(*granted)
    state, outcome = service.deliver(delivery_id)
    assert service.partner.calls() == []
    assert state == "due"
    assert str(outcome).startswith("The LMS does not let us write grades from this activity: its administrator")

    service.launch(SCOPE_SCORE)
    service.partner.world.advance(AFTER_THE_FIRST_DELAY_S)
    assert service.deliver(delivery_id) == ("delivered", "Delivered.")
    assert service.partner.world.grades() == {MARIA: 50}


def test_lti_064_a_scope_that_a_later_launch_lacks_is_not_asked_any_more(service: Service) -> None:
    delivery_id = service.check_in(SCOPE_SCORE)
    service.launch()
    assert service.deliver(delivery_id)[0] == "due"
    assert service.partner.calls() == []


@write_only
def test_lti_064_at_the_first_attempt_it_is_somebody_elses_grade_and_is_left_alone(service: Service) -> None:
    delivery_id = service.check_in(SCOPE_SCORE)
    service.partner.world.advance(60)
    service.grade(MARIA, 90)
    state, outcome = service.deliver(delivery_id)
    assert (state, service.partner.world.grades()) == ("failed", {MARIA: 90})
    assert outcome.startswith("The gradebook was changed after this score, by somebody else")
    assert service.scopes_asked() == [SCOPE_SCORE]
    assert service.sent(RESULTS) == []


@write_only
def test_lti_064_at_a_repetition_it_is_most_likely_our_own_and_the_ledger_says_so(service: Service) -> None:
    """As after a crash between the POST and the mark."""
    delivery_id = service.check_in(SCOPE_SCORE)
    with service.partner.services.database.write() as connection:
        claimed = deliveries.claim(connection, delivery_id, now=service.partner.now)
    assert claimed is not None
    sent = service.partner.world.score(at=claimed.score_at.isoformat(), scoreGiven=1, scoreMaximum=2)
    assert service.partner.world.post_score(sent).status_code == 200
    service.wire.calls.reset()

    service.partner.world.advance(LEASE.total_seconds() + 1)
    assert service.deliver(delivery_id) == (
        "delivered",
        "Delivered, unless somebody has changed the grade since: the LMS does not let us look.",
    )
    assert service.partner.world.grades() == {MARIA: 50}
    assert service.scopes_asked() == [SCOPE_SCORE]
