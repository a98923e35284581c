"""One score to one gradebook, over real HTTP: delivered, later, or never with a sentence."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from joserfc.jwk import RSAKey
from msgspec import structs

from lms.service_tokens import ServiceTokens
from lms.tool_keys import SigningKey
from moodle_sync.deliver_scores import deliver
from moodle_sync.services import make_services
from series.deliveries import FIRST_DELAY, FIRST_PAUSE, LEASE, LONGEST_PAUSE
from series.store import deliveries
from series.store.evidence import facts_of, retract_evidence
from series.store.gradebook_pauses import Pause, list_pauses
from series.store.scores import queue_scores
from series.store.tables import delivery
from tests.at_once import at_once
from tests.integration.partner import Partner, launch_at, open_partner
from tests.seeds import launch

SCORES = "/mod/lti/services.php/2/lineitems/4/lineitem/scores"
RESULTS = "/mod/lti/services.php/2/lineitems/4/lineitem/results"
AFTER_THE_FIRST_DELAY_S = (FIRST_PAUSE * 1.25 + FIRST_DELAY).total_seconds()


@pytest.fixture
def partner(tmp_path: Path, sqlite_url: str) -> Iterator[Partner]:
    with open_partner(tmp_path, sqlite_url) as opened:
        yield opened


@pytest.fixture
def waiting(partner: Partner) -> int:
    """A delivery that is due: one of two required sessions, half of the grade."""
    return partner.check_in()


def somebody_grades(partner: Partner, given: float | None) -> None:
    """The same student gets a grade with a later timestamp, by another way."""
    at = (partner.now + timedelta(minutes=1)).isoformat()
    answer = partner.world.post_score(partner.world.score(at=at, scoreGiven=given, scoreMaximum=2))
    assert answer.status_code == 200, answer.text
    partner.calls()


def pauses(partner: Partner) -> list[Pause]:
    with partner.services.database.read() as connection:
        return list_pauses(connection)


def test_a_score_is_delivered(partner: Partner, waiting: int) -> None:
    deliver(partner.services, waiting)
    assert partner.world.grades() == {"3": 50}
    row = partner.delivery(waiting)
    assert (row.state, row.attempts, row.outcome) == ("delivered", 1, "Delivered.")


def test_a_delivered_score_is_not_sent_again(partner: Partner, waiting: int) -> None:
    deliver(partner.services, waiting)
    partner.calls()
    deliver(partner.services, waiting)
    assert partner.calls() == []


def test_many_workers_at_once_send_a_score_once(partner: Partner, waiting: int) -> None:
    at_once(partner.services.database, lambda _, __: deliver(partner.services, waiting))
    assert partner.calls().count(SCORES) == 1
    assert partner.delivery(waiting).state == "delivered"


def test_the_next_version_follows_within_the_same_second(partner: Partner, waiting: int) -> None:
    deliver(partner.services, waiting)
    deliver(partner.services, partner.check_in(session=1))
    assert partner.world.grades() == {"3": 100}


def test_a_superseded_version_is_not_sent(partner: Partner, waiting: int) -> None:
    newer = partner.check_in(session=1)
    for delivery_id in (waiting, newer):
        deliver(partner.services, delivery_id)
    assert partner.calls().count(SCORES) == 1
    assert [partner.delivery(one).state for one in (waiting, newer)] == ["superseded", "delivered"]


# Later


def test_a_busy_gradebook_gets_the_score_later(partner: Partner, waiting: int) -> None:
    partner.world.sandbox.switches["malta"].set(score_status=503, score_status_times=1)
    deliver(partner.services, waiting)
    row = partner.delivery(waiting)
    assert (row.state, row.attempts) == ("due", 1)
    assert "503" in str(row.outcome)
    partner.calls()
    deliver(partner.services, waiting)
    assert partner.calls() == []

    partner.world.advance(AFTER_THE_FIRST_DELAY_S)
    deliver(partner.services, waiting)
    assert partner.world.grades() == {"3": 50}
    assert (partner.delivery(waiting).state, partner.delivery(waiting).attempts) == ("delivered", 2)


def test_an_lms_that_is_down_altogether_gets_the_score_later(partner: Partner, waiting: int) -> None:
    partner.world.sandbox.switches["malta"].set(down=True)
    deliver(partner.services, waiting)
    assert partner.delivery(waiting).state == "due"


def test_a_busy_lms_is_asked_again_when_it_says(partner: Partner, waiting: int) -> None:
    partner.world.sandbox.switches["malta"].set(score_status=429, retry_after_s=900)
    deliver(partner.services, waiting)
    assert partner.delivery(waiting).next_attempt_at >= partner.now + timedelta(seconds=890)
    assert [pause.platform for pause in pauses(partner)] == ["malta"]


@pytest.mark.parametrize("status", [400, 404, 422, 500])
def test_what_is_wrong_with_one_score_does_not_hold_up_the_others(partner: Partner, waiting: int, status: int) -> None:
    partner.world.sandbox.switches["malta"].set(score_status=status)
    deliver(partner.services, waiting)
    assert pauses(partner) == []


def test_an_answer_of_any_kind_ends_the_pause(partner: Partner, waiting: int) -> None:
    switches = partner.world.sandbox.switches["malta"]
    switches.set(score_status=503)
    deliver(partner.services, waiting)
    switches.set(score_status=404)
    partner.world.advance(AFTER_THE_FIRST_DELAY_S)
    deliver(partner.services, waiting)
    assert partner.delivery(waiting).state == "failed"
    assert pauses(partner) == []


def test_a_score_that_fails_where_others_get_through_is_given_up_in_the_end(partner: Partner, waiting: int) -> None:
    """As one whose line item is at an address that is no more."""
    dead = "http://127.0.0.1:9/mod/lti/services.php/2/lineitems/4/lineitem?type_id=1"
    with partner.services.database.write() as connection:
        connection.execute(sa.update(delivery).values(line_item_url=dead))
    other = partner.launch("4")
    deliver(partner.services, waiting)
    assert [each.failures for each in pauses(partner)] == [1]
    partner.world.advance(AFTER_THE_FIRST_DELAY_S)
    healthy = partner.check_in(visit=other)
    deliver(partner.services, healthy)
    assert partner.delivery(healthy).state == "delivered"
    assert pauses(partner) == []
    deliver(partner.services, waiting)  # now it is seen to be this one's fault

    partner.world.advance(timedelta(days=8).total_seconds())
    deliver(partner.services, partner.check_in(session=1, visit=other))
    deliver(partner.services, waiting)
    row = partner.delivery(waiting)
    assert (row.state, "127.0.0.1:9" in str(row.outcome)) == ("failed", True)


def test_an_unreachable_lms_gets_the_score_later(partner: Partner, waiting: int) -> None:
    host = partner.world.campus.issuer.removeprefix("http://")
    partner.world.sandbox.stop()
    deliver(partner.services, waiting)
    row = partner.delivery(waiting)
    assert (row.state, row.outcome) == ("due", f"{host} did not accept the connection, or closed it.")
    assert row.next_attempt_at > partner.now


def test_an_lms_that_does_not_know_our_key_gets_the_score_when_somebody_has_mended_it(
    partner: Partner, waiting: int
) -> None:
    services, another_key = partner.services, SigningKey(kid="another", key=RSAKey.generate_key(2048))
    tokens = ServiceTokens(services.http, lambda: another_key, services.clock.now)
    deliver(replace(services, tokens=tokens), waiting)
    row = partner.delivery(waiting)
    assert row.state == "due"
    assert "administrator" in str(row.outcome)
    partner.world.advance(AFTER_THE_FIRST_DELAY_S)
    deliver(services, waiting)
    assert partner.delivery(waiting).state == "delivered"


def test_an_error_of_ours_postpones_the_score_and_says_so(partner: Partner, waiting: int) -> None:
    settings = replace(partner.services.settings, encryption_key=b"eg==" * 11)
    deliver(make_services(settings), waiting)
    row = partner.delivery(waiting)
    assert row.state == "due"
    assert "An error of ours" in str(row.outcome)


def test_after_a_week_of_trying_the_score_is_given_up(partner: Partner, waiting: int) -> None:
    partner.world.sandbox.switches["malta"].set(score_status=500)
    deliver(partner.services, waiting)
    partner.world.advance(timedelta(days=7, seconds=1).total_seconds())
    deliver(partner.services, waiting)
    row = partner.delivery(waiting)
    assert row.state == "failed"
    assert "500" in str(row.outcome)


def test_however_long_an_lms_is_down_nothing_is_given_up_for_that(partner: Partner, waiting: int) -> None:
    partner.world.sandbox.switches["malta"].set(down=True)
    deliver(partner.services, waiting)
    for _ in range(2):
        partner.world.advance(timedelta(days=8).total_seconds())
        deliver(partner.services, waiting)
        assert partner.delivery(waiting).state == "due"
    partner.world.sandbox.switches["malta"].reset()
    partner.world.advance(LONGEST_PAUSE.total_seconds())
    deliver(partner.services, waiting)
    assert partner.delivery(waiting).state == "delivered"


def test_a_gradebook_that_asks_for_time_gets_it(partner: Partner, waiting: int) -> None:
    partner.world.sandbox.switches["malta"].set(score_status=429, score_status_times=1, retry_after_s=3600)
    deliver(partner.services, waiting)
    row = partner.delivery(waiting)
    assert row.state == "due"
    assert row.next_attempt_at >= partner.now + timedelta(minutes=59)


# A gradebook that holds something as new


def test_our_own_score_that_is_there_already_is_delivered(partner: Partner, waiting: int) -> None:
    """As after a crash between the POST and the mark."""
    with partner.services.database.write() as connection:
        claimed = deliveries.claim(connection, waiting, now=partner.now)
    assert claimed is not None
    sent = partner.world.score(at=claimed.score_at.isoformat(), scoreGiven=1, scoreMaximum=2)
    assert partner.world.post_score(sent).status_code == 200

    partner.world.advance(LEASE.total_seconds() + 1)
    partner.calls()
    deliver(partner.services, waiting)
    assert (partner.delivery(waiting).state, partner.delivery(waiting).attempts) == ("delivered", 2)
    assert partner.world.grades() == {"3": 50}
    assert SCORES not in partner.calls()  # to some LMSs a repetition is a second attempt of the student


def test_an_equal_grade_of_somebody_else_is_as_good_as_delivered(partner: Partner, waiting: int) -> None:
    somebody_grades(partner, 1)
    deliver(partner.services, waiting)
    assert RESULTS in partner.calls()
    assert partner.delivery(waiting).state == "delivered"


@pytest.mark.parametrize("given", [2, 0, None])
def test_another_grade_that_is_newer_is_left_alone(partner: Partner, waiting: int, given: float | None) -> None:
    somebody_grades(partner, given)
    before = partner.world.grades()
    deliver(partner.services, waiting)
    assert partner.world.grades() == before
    row = partner.delivery(waiting)
    assert row.state == "failed"
    assert str(row.outcome).startswith("The gradebook was changed after this score, by somebody else")


def test_a_grade_of_somebody_else_is_not_lowered_by_a_change_of_plan(partner: Partner, waiting: int) -> None:
    somebody_grades(partner, 2)
    deliver(partner.services, waiting)
    partner.world.advance(300)
    with partner.services.database.write() as connection:
        # As if a session had been restored, so that of more sessions are demanded now.
        connection.execute(sa.update(delivery).where(delivery.c.id == waiting).values(score_maximum=1))
        who = {"participant_id": partner.student.participant_id, "series_id": partner.seeded.series.series_id}
        assert queue_scores(connection, **who, now=partner.now) == []


def test_whoever_sends_a_refused_score_again_means_it_to_count(partner: Partner, waiting: int) -> None:
    somebody_grades(partner, 2)
    deliver(partner.services, waiting)
    partner.world.advance(120)
    with partner.services.database.write() as connection:
        assert deliveries.retry(connection, delivery_id=waiting, now=partner.now) == 1
    deliver(partner.services, waiting)
    assert partner.delivery(waiting).state == "delivered"
    assert partner.world.grades() == {"3": 50}


# Taking back


@pytest.fixture
def taking_back(partner: Partner, waiting: int) -> int:
    """A delivery of 0, after a person has retracted what was sent before."""
    deliver(partner.services, waiting)
    with partner.services.database.write() as connection:
        (fact,) = facts_of(
            connection, participant_id=partner.student.participant_id, series_id=partner.seeded.series.series_id
        )
        (delivery_id,) = retract_evidence(
            connection, fact.evidence.evidence_id, by="participant 9", reason="Was not there.", now=partner.now
        )
    return delivery_id


def test_what_is_taken_back_leaves_an_empty_grade_in_a_moodle(partner: Partner, taking_back: int) -> None:
    """Not a 0, which would complete the activity by "any grade"."""
    assert partner.world.grades() == {"3": 50}
    deliver(partner.services, taking_back)
    assert partner.world.grades() == {"3": None}
    assert partner.delivery(taking_back).state == "delivered"


def test_what_was_taken_back_already_is_delivered(partner: Partner, taking_back: int) -> None:
    """As after a crash between the POST and the mark."""
    somebody_grades(partner, None)
    deliver(partner.services, taking_back)
    assert partner.delivery(taking_back).state == "delivered"


def test_what_somebody_has_graded_since_is_not_taken_back(partner: Partner, taking_back: int) -> None:
    somebody_grades(partner, 1)
    deliver(partner.services, taking_back)
    assert partner.world.grades() == {"3": 50}
    assert partner.delivery(taking_back).state == "failed"


# Never


def test_a_score_for_somebody_who_is_no_student_there_fails_with_a_sentence(partner: Partner) -> None:
    teacher_of_the_lms = partner.launch("8")
    delivery_id = partner.check_in(visit=teacher_of_the_lms)
    deliver(partner.services, delivery_id)
    row = partner.delivery(delivery_id)
    assert row.state == "failed"
    assert "no longer a student" in str(row.outcome)
    partner.calls()
    partner.world.advance(timedelta(days=1).total_seconds())
    deliver(partner.services, delivery_id)
    assert partner.calls() == []


def test_a_user_id_that_breaks_a_moodle_is_not_sent(partner: Partner) -> None:
    delivery_id = partner.check_in(visit=partner.launch("student01"))
    partner.calls()
    deliver(partner.services, delivery_id)
    assert partner.calls() == []
    row = partner.delivery(delivery_id)
    assert row.state == "failed"
    assert "another product" in str(row.outcome)


def test_a_grade_column_that_is_gone_fails_with_a_sentence(partner: Partner, waiting: int) -> None:
    partner.world.sandbox.switches["malta"].set(score_status=404)
    deliver(partner.services, waiting)
    row = partner.delivery(waiting)
    assert row.state == "failed"
    assert "no longer in the course" in str(row.outcome)


def test_a_failed_score_can_be_sent_by_hand(partner: Partner, waiting: int) -> None:
    partner.world.sandbox.switches["malta"].set(score_status=404, score_status_times=1)
    deliver(partner.services, waiting)
    with partner.services.database.write() as connection:
        assert deliveries.retry(connection, delivery_id=waiting, now=partner.now) == 1
    deliver(partner.services, waiting)
    assert partner.world.grades() == {"3": 50}


# How long we try


@pytest.fixture
def not_granted(partner: Partner) -> int:
    """A delivery for which no launch has granted anything yet."""
    new = structs.replace(launch_at(partner.world, partner.seeded, "3"), ags_scopes=())
    visit = launch(partner.services.database, new, now=partner.now)
    delivery_id = partner.check_in(visit=visit)
    deliver(partner.services, delivery_id)
    return delivery_id


def test_the_week_begins_with_the_first_failure_of_the_score_itself(partner: Partner, waiting: int) -> None:
    partner.world.advance(timedelta(days=8).total_seconds())  # as when its platform was disabled for so long
    partner.world.sandbox.switches["malta"].set(score_status=500)
    deliver(partner.services, waiting)
    assert partner.delivery(waiting).state == "due"
    partner.world.advance(timedelta(days=7, seconds=1).total_seconds())
    deliver(partner.services, waiting)
    row = partner.delivery(waiting)
    assert (row.state, "again later" in str(row.outcome)) == ("failed", False)

    with partner.services.database.write() as connection:
        assert deliveries.retry(connection, delivery_id=waiting, now=partner.now) == 1
    deliver(partner.services, waiting)
    assert partner.delivery(waiting).state == "due"  # for another week


def test_a_score_waits_for_a_launch_that_grants_it_however_long(partner: Partner, not_granted: int) -> None:
    for _ in range(2):
        partner.world.advance(timedelta(days=8).total_seconds())
        deliver(partner.services, not_granted)
        assert partner.delivery(not_granted).state == "due"
    assert partner.delivery(not_granted).next_attempt_at > partner.now
    partner.launch("3")
    assert partner.delivery(not_granted).next_attempt_at <= partner.now
    deliver(partner.services, not_granted)
    assert partner.delivery(not_granted).state == "delivered"


def test_a_launch_that_grants_what_the_last_one_did_hurries_nobody(partner: Partner, waiting: int) -> None:
    partner.world.sandbox.switches["malta"].set(score_status=500)
    deliver(partner.services, waiting)
    before = partner.delivery(waiting).next_attempt_at
    partner.launch("3")
    assert partner.delivery(waiting).next_attempt_at == before
