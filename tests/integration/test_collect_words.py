"""What teachers say in Moodle of our own activities, over real HTTP: overrides, and grades typed over ours."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from lms.ags import Result
from moodle_sync.read_grades import Grades, _add, _note_newest
from sandbox_lms.course_modules import READING
from series.collecting import Graded
from series.store.deliveries import make_due
from series.store.evidence import retract_evidence
from series.store.tables import delivery, evidence, placement
from tests.integration.collect_store import courses_to_collect
from tests.integration.collected import LUKE, MARIA, ZAREN, Collected, open_collected
from tests.integration.test_collect_completions import ONE, RESULTS_OF_SESSION


@pytest.fixture
def collected(tmp_path: Path, sqlite_url: str) -> Iterator[Collected]:
    with open_collected(tmp_path, sqlite_url) as opened:
        yield opened


def test_a_teachers_override_counts_and_our_echo_does_not(collected: Collected) -> None:
    activity = collected.session_activity()
    collected.check_in()
    collected.deliver_all()
    assert activity.placement_id != collected.partner.student.placement_id
    collected.recollect()
    assert collected.sources() == ["check-in"]  # our score has completed both activities in Moodle

    zaren = collected.session_activity(ZAREN)
    collected.override(ZAREN, is_done=True, cmid=12)
    assert collected.recollect().counts["completed"] == 1
    assert collected.facts()[1:] == [(ZAREN, "lms", "override", "moodle user 8", None)]
    assert collected.has_completed(zaren)
    collected.deliver_all()  # which sends the activity what the teacher has said
    assert collected.recollect().counts == {"read": 5}

    collected.override(ZAREN, is_done=False, cmid=12)
    collected.override(MARIA, is_done=False, cmid=12)
    assert collected.recollect().counts == {"read": 5, "taken back": 1}
    assert not collected.has_completed(zaren)
    assert collected.has_completed()  # the check-in is none of the teacher's


def test_an_override_for_the_whole_series_is_said_for_a_week(collected: Collected) -> None:
    collected.map()
    collected.recollect()
    collected.override(LUKE, is_done=True, cmid=11)
    assert collected.collect().problems == []  # of him, nothing is asked
    for _ in range(2):
        (problem,) = collected.recollect().problems
        assert "whole series by hand, for 1 people" in problem
    collected.partner.world.advance(8 * 86_400)
    assert collected.recollect().problems == []


def test_an_override_of_an_activity_that_counts_is_the_teachers_word(collected: Collected) -> None:
    collected.map()
    collected.recollect()
    collected.override(MARIA, is_done=True, cmid=READING.cmid)
    assert collected.recollect().counts == {"read": 5, "completed": 1}
    assert collected.facts() == [(MARIA, "lms", "activity", "moodle user 8", "Reading")]


def test_a_grade_that_a_teacher_types_counts_and_our_echo_does_not(collected: Collected) -> None:
    collected.session_activity()
    zaren = collected.session_activity(ZAREN)
    collected.check_in()
    collected.deliver_all()
    collected.collect()
    collected.partner.calls()
    assert collected.sources() == ["check-in"]

    collected.type_grade(ZAREN, 1)
    assert collected.collect().counts == {"read": 1, "completed": 1}
    assert collected.partner.calls()[-2:] == [RESULTS_OF_SESSION, ONE]
    assert collected.facts()[1:] == [(ZAREN, "lms", "grade", "moodle of university 1", None)]
    assert collected.has_completed(zaren)
    collected.partner.world.advance(5)
    collected.deliver_all()
    assert collected.collect().counts == {}

    collected.type_grade(ZAREN, 0)
    assert collected.collect().counts == {"read": 1, "taken back": 1}
    assert not collected.has_completed(zaren)
    collected.type_grade(MARIA, 0)  # she has the code
    assert collected.collect().counts == {"read": 1}
    assert collected.has_completed()


def test_a_teacher_may_change_their_mind_as_often_as_they_like(collected: Collected) -> None:
    collected.session_activity()
    zaren = collected.session_activity(ZAREN)
    collected.collect()
    for given in (1, 0):
        collected.type_grade(ZAREN, given)
        collected.collect()
        collected.partner.world.advance(5)
        collected.deliver_all()
        assert collected.collect().counts == {}  # which was ours
    collected.type_grade(ZAREN, 1)
    assert collected.collect().counts == {"read": 1, "completed": 1}
    assert collected.has_completed(zaren)


@pytest.mark.parametrize("is_lost", [False, True])
def test_what_we_have_sent_stays_ours(collected: Collected, *, is_lost: bool) -> None:
    """When its column has another address, and when somebody has it sent once more."""
    collected.session_activity()
    collected.check_in()
    collected.deliver_all()
    collected.recollect()
    with collected.partner.services.database.write() as connection:
        if is_lost:  # its answer was, and it is given up by now
            connection.execute(sa.update(delivery).values(state="failed", in_flight=False, delivered_at=None))
            make_due(connection, sa.true(), now=collected.partner.now)
        else:
            again = placement.c.line_item_url + "&again=2"
            of_session = placement.c.session_id.is_not(None)
            connection.execute(sa.update(placement).where(of_session).values(line_item_url=again))
    assert collected.recollect().problems == []
    assert collected.sources() == ["check-in"]
    with collected.partner.services.database.write() as connection:
        code = connection.execute(sa.select(evidence.c.id)).scalar_one()
        retract_evidence(connection, code, by="participant 2", reason="Passed on.", now=collected.partner.now)
    assert not collected.has_completed()


def test_a_grade_of_another_clock_or_another_century_blinds_no_column(collected: Collected) -> None:
    collected.session_activity()
    with collected.partner.services.database.read() as connection:
        (own,) = courses_to_collect(connection, 1)[0].own_of_sessions
    now, found = collected.partner.now, Grades()
    far = Result(user_id=MARIA, result_score=0, result_maximum=1, timestamp="2099-01-01T00:00:00Z")
    skewed = now - timedelta(seconds=40)
    word = Result(user_id=ZAREN, result_score=13, result_maximum=13, timestamp=skewed.isoformat())
    assert own.line_item_url is not None
    _note_newest(found, own.line_item_url, [far], now)
    assert found.newest == {own.line_item_url: now}
    _add(collected.partner.services, found, own, [far, word], seen_at=now, asked_at=now)
    assert found.graded[ZAREN] == {own.placement_id: Graded(part=1, changed_at=skewed)}


def test_a_column_may_have_another_maximum(collected: Collected) -> None:
    collected.session_activity()
    zaren = collected.session_activity(ZAREN)
    collected.collect()
    collected.type_grade(ZAREN, 7, of=13)
    assert collected.collect().counts == {"read": 1}
    collected.type_grade(ZAREN, 13, of=13)
    assert collected.collect().counts == {"read": 1, "completed": 1}
    assert collected.has_completed(zaren)
