"""What people have completed in a Moodle course, against the recorded exchanges with a real one."""

from datetime import UTC, datetime

import pytest
import responses

from lms.errors import NotFound
from lms.moodle import Moodle
from lms.moodle_course import ActivityStatus, UserCompletions, UserProblem
from tests.unit.recordings import (
    MOODLE_SERVER,
    play_moodle,
)

STATUS = {"cmid": 1, "modname": "lti", "instance": 1, "state": 0}


def completions_of(moodle: Moodle, user_id: str) -> dict[int, ActivityStatus]:
    (found,) = moodle.completions(2, [user_id], batched=False)
    assert isinstance(found, UserCompletions)
    assert found.user_id == user_id
    return {status.cmid: status for status in found.statuses}


# One person a call


@responses.activate
def test_what_a_person_has_completed_is_told_with_its_instant(moodle: Moodle) -> None:
    play_moodle("core_completion_get_activities_completion_status.done", same_form=True)
    statuses = completions_of(moodle, "3")
    assert statuses[1] == ActivityStatus(
        cmid=1,
        module="page",
        instance=1,
        state=1,
        is_complete=True,
        changed_at=datetime.fromtimestamp(1795441041, UTC),
        override_by=None,
        is_tracked=True,
    )
    assert (statuses[2].is_complete, statuses[2].changed_at) == (False, None)


@responses.activate
def test_what_a_teacher_set_by_hand_names_the_teacher(moodle: Moodle) -> None:
    play_moodle("core_completion_get_activities_completion_status.overridden")
    statuses = completions_of(moodle, "20")
    assert [statuses[cmid].override_by for cmid in (1, 2, 3)] == ["2", "2", None]


@responses.activate
def test_a_failing_grade_is_not_complete(moodle: Moodle) -> None:
    play_moodle("core_completion_get_activities_completion_status.lti.failed")
    (failed,) = (status for status in completions_of(moodle, "5").values() if status.state)
    assert (failed.module, failed.state, failed.is_complete) == ("lti", 3, False)
    assert failed.changed_at is not None


@responses.activate
def test_a_completion_that_a_teacher_took_back_says_by_whom_and_when(moodle: Moodle) -> None:
    play_moodle("core_completion_get_activities_completion_status.lti.passed-then-override-incomplete")
    status = completions_of(moodle, "5")[1]
    assert (status.state, status.is_complete, status.override_by) == (0, False, "3")
    assert status.changed_at is not None


@responses.activate
@pytest.mark.parametrize(
    ("name", "is_told"), [("restricted-activity", False), ("restricted-activity-ignoreavailabilityrestrictions", True)]
)
def test_a_restricted_activity_takes_its_own_right_to_see(moodle: Moodle, name: str, *, is_told: bool) -> None:
    play_moodle(f"core_completion_get_activities_completion_status.{name}")
    assert (3 in completions_of(moodle, "5")) == is_told


@responses.activate
def test_who_is_not_enrolled_is_not_tracked(moodle: Moodle) -> None:
    play_moodle("error.unenrolled-user.completion")
    assert {status.is_tracked for status in completions_of(moodle, "35").values()} == {False}


@responses.activate
@pytest.mark.parametrize(("state", "is_complete"), [(0, False), (1, True), (2, True), (3, False)])
def test_a_moodle_that_does_not_say_complete_is_read_by_its_state(
    moodle: Moodle, state: int, *, is_complete: bool
) -> None:
    responses.post(MOODLE_SERVER, json={"statuses": [{**STATUS, "state": state}], "warnings": []})
    assert completions_of(moodle, "3")[1].is_complete is is_complete


@responses.activate
def test_a_person_whom_moodle_does_not_know_does_not_stop_the_others(moodle: Moodle) -> None:
    play_moodle("error.nonexistent-user.completion")
    play_moodle("core_completion_get_activities_completion_status")
    problem, found = moodle.completions(2, ["9999", "3"], batched=False)
    assert isinstance(problem, UserProblem)
    assert (problem.user_id, type(problem.error)) == ("9999", NotFound)
    assert isinstance(found, UserCompletions)
    assert found.user_id == "3"


@responses.activate
@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("user_id", ["", "abc", "3 ", "-3", "٣", "1" * 19, "3\x00"])
def test_an_id_that_is_none_of_moodles_is_not_asked_for(moodle: Moodle, user_id: str, *, batched: bool) -> None:
    (problem,) = moodle.completions(2, [user_id], batched=batched)
    assert isinstance(problem, UserProblem)
    assert "does not know this person" in str(problem.error)
    assert len(responses.calls) == 0


@responses.activate
@pytest.mark.parametrize("batched", [True, False])
def test_nobody_to_ask_for_makes_no_call(moodle: Moodle, *, batched: bool) -> None:
    assert list(moodle.completions(2, [], batched=batched)) == []
    assert len(responses.calls) == 0
