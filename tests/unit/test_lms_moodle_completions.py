"""What people have completed in a Moodle course, against the recorded exchanges with a real one."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any
from urllib.parse import parse_qs

import pytest
import responses

from lms.errors import LmsError, MalformedAnswer, NotAllowed, NotFound, Refused, TryLater
from lms.moodle import Moodle
from lms.moodle_course import ActivityStatus, UserCompletions, UserProblem
from tests.unit.recordings import (
    MOODLE_SERVER,
    MOODLE_TOKEN,
    MOODLE_URL,
    body_of,
    loopback_session,
    play_moodle,
    sent_form,
)

STATUS = {"cmid": 1, "modname": "lti", "instance": 1, "state": 0}


@pytest.fixture
def moodle() -> Iterator[Moodle]:
    with loopback_session() as http:
        yield Moodle(http, MOODLE_URL, MOODLE_TOKEN)


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


# Many people a call


@responses.activate
def test_many_people_are_asked_for_in_one_call(moodle: Moodle) -> None:
    play_moodle("tool_mobile_call_external_functions.completion3", same_form=True)
    found = list(moodle.completions(2, ["5", "6", "7"], batched=True))
    assert all(isinstance(outcome, UserCompletions) and outcome.statuses for outcome in found)
    assert [outcome.user_id for outcome in found] == ["5", "6", "7"]
    assert len(responses.calls) == 1


@responses.activate
def test_who_stops_a_call_is_named_and_those_behind_are_asked_for_again(moodle: Moodle) -> None:
    first = play_moodle("tool_mobile_call_external_functions.completion-second-nonexistent-user", same_form=True)
    responses.post(MOODLE_SERVER, json=told(no_statuses()))
    five, problem, seven = moodle.completions(2, ["5", "999999", "7"], batched=True)
    assert isinstance(five, UserCompletions)
    assert five.statuses
    assert isinstance(problem, UserProblem)
    assert (problem.user_id, type(problem.error)) == ("999999", NotFound)
    assert seven == UserCompletions(user_id="7", statuses=())
    assert (first.call_count, asked_for()) == (1, [7])


@responses.activate
def test_what_was_told_before_the_failure_is_not_lost(moodle: Moodle) -> None:
    play_moodle("tool_mobile_call_external_functions.completion-second-not-in-service")
    outcomes = moodle.completions(2, ["5", "6", "7"], batched=True)
    assert next(outcomes).user_id == "5"
    with pytest.raises(NotAllowed, match="this function"):
        next(outcomes)


@responses.activate
@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("tool_mobile_call_external_functions.not-in-service", NotAllowed),
        ("tool_mobile_call_external_functions.bad-json", Refused),
        ("tool_mobile_call_external_functions.empty", Refused),
        ("error.function-not-in-service", NotAllowed),
        ("error.db-down", TryLater),
    ],
)
def test_a_call_that_fails_as_a_whole_names_nobody(moodle: Moodle, name: str, error: type[LmsError]) -> None:
    play_moodle(name)
    with pytest.raises(error):
        list(moodle.completions(2, ["5", "6"], batched=True))


def told(*responses_told: dict[str, Any]) -> dict[str, Any]:
    return {"responses": list(responses_told)}


def no_statuses() -> dict[str, Any]:
    return {"error": False, "data": '{"statuses": [], "warnings": []}'}


def failed(code: str) -> dict[str, Any]:
    return {"error": True, "exception": json.dumps({"errorcode": code, "message": "x"})}


def asked_for(index: int = -1) -> list[int]:
    form = sent_form(index)
    numbers = takewhile(lambda number: f"requests[{number}][arguments]" in form, range(1000))
    return [json.loads(form[f"requests[{number}][arguments]"])["userid"] for number in numbers]


@responses.activate
@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize(
    ("code", "error", "sentence"),
    [
        ("nopermissions", NotAllowed, "report/progress:view"),
        ("errorcoursecontextnotvalid", NotAllowed, "cannot open this course"),
        ("requireloginerror", NotAllowed, "moodle/course:view"),
        ("accessexception", NotAllowed, "this function"),
        ("accessdenied", NotAllowed, "moodle/site:accessallgroups"),
        ("invalidtoken", NotAllowed, "make a new one"),
        ("invalidrecord", NotFound, "a course"),
        ("invalidparameter", Refused, "the values"),
        ("sitemaintenance", TryLater, "maintenance"),
        ("dbconnectionfailed", TryLater, "database"),
    ],
)
def test_what_concerns_everybody_is_raised(
    moodle: Moodle, code: str, error: type[LmsError], sentence: str, *, batched: bool
) -> None:
    responses.post(MOODLE_SERVER, json=told(failed(code)) if batched else {"exception": "x", "errorcode": code})
    with pytest.raises(error, match=sentence):
        list(moodle.completions(2, ["5", "6"], batched=batched))
    assert len(responses.calls) == 1


@responses.activate
@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("code", ["invaliduser", "userdeleted", "notenroled", "usernotconfirmed", "neverheardof"])
def test_what_concerns_one_person_is_told_of_that_person(moodle: Moodle, code: str, *, batched: bool) -> None:
    responses.post(MOODLE_SERVER, json=told(failed(code)) if batched else {"exception": "x", "errorcode": code})
    problems = list(moodle.completions(2, ["5", "6"], batched=batched))
    assert [(problem.user_id, isinstance(problem, UserProblem)) for problem in problems] == [("5", True), ("6", True)]
    assert len(responses.calls) == 2  # each call that stops at its first person advances by one


@responses.activate
@pytest.mark.parametrize("exception", [None, "{nope", "[]", '{"errorcode": 7}'])
def test_an_error_without_a_code_is_still_an_error(moodle: Moodle, exception: str | None) -> None:
    responses.post(MOODLE_SERVER, json=told({"error": True, "exception": exception}))
    (problem,) = moodle.completions(2, ["5"], batched=True)
    assert isinstance(problem, UserProblem)
    assert "without a code" in str(problem.error)


@responses.activate
@pytest.mark.parametrize("count", [0, 1])
def test_fewer_answers_than_questions_without_an_error_are_missed(moodle: Moodle, count: int) -> None:
    responses.post(MOODLE_SERVER, json=told(*[no_statuses()] * count))
    with pytest.raises(MalformedAnswer, match="left out"):
        list(moodle.completions(2, ["5", "6"], batched=True))
    assert len(responses.calls) == 1


@responses.activate
def test_more_answers_than_questions_are_ignored(moodle: Moodle) -> None:
    responses.post(MOODLE_SERVER, json=told(*[no_statuses()] * 3))
    assert [outcome.user_id for outcome in moodle.completions(2, ["5", "6"], batched=True)] == ["5", "6"]


@responses.activate
@pytest.mark.parametrize("data", [None, "", "[]", "null", '{"statuses": [{"cmid": 1}]}', "{" * 5000])
def test_an_answer_of_another_shape_within_the_answer_is_malformed(moodle: Moodle, data: str | None) -> None:
    responses.post(MOODLE_SERVER, json=told({"error": False, "data": data}))
    with pytest.raises(MalformedAnswer):
        list(moodle.completions(2, ["5"], batched=True))


def answer_batches() -> None:
    """A Moodle that knows nobody whose id ends with 9, and stops there."""

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        form = {key: value for key, (value,) in parse_qs(request.body).items()}
        answers: list[dict[str, Any]] = []
        while (key := f"requests[{len(answers)}][arguments]") in form:
            is_known = json.loads(form[key])["userid"] % 10 != 9
            answers.append(no_statuses() if is_known else failed("invaliduser"))
            if not is_known:
                break
        return 200, {}, body_of(told(*answers))

    responses.add_callback("POST", MOODLE_SERVER, callback=answer)


@responses.activate
def test_everybody_is_asked_for_once_twenty_a_call(moodle: Moodle) -> None:
    answer_batches()
    user_ids = [str(number) for number in range(100, 146) if number % 10 != 9]
    assert [outcome.user_id for outcome in moodle.completions(2, user_ids, batched=True)] == user_ids
    assert [len(asked_for(index)) for index in range(len(responses.calls))] == [20, 20, 2]


@responses.activate
def test_nobody_is_lost_behind_those_who_are_a_problem(moodle: Moodle) -> None:
    answer_batches()
    user_ids = ["9", "19", *map(str, range(100, 130))]
    outcomes = list(moodle.completions(2, user_ids, batched=True))
    assert [outcome.user_id for outcome in outcomes] == user_ids
    problems = {outcome.user_id for outcome in outcomes if isinstance(outcome, UserProblem)}
    assert problems == {"9", "19", "109", "119", "129"}


@responses.activate
def test_people_are_asked_for_while_the_answer_is_read(moodle: Moodle) -> None:
    answer_batches()
    outcomes = moodle.completions(2, [str(number) for number in range(20, 29)] * 5, batched=True)
    next(outcomes)
    assert len(responses.calls) == 1
