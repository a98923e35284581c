"""What many people have completed, asked for in one call, against the recorded exchanges with a real Moodle."""

import json
from itertools import takewhile
from typing import Any
from urllib.parse import parse_qs

import pytest
import responses

from lms.errors import LmsError, MalformedAnswer, NotAllowed, NotFound, Refused, TryLater
from lms.moodle import Moodle
from lms.moodle_course import UserCompletions, UserProblem
from tests.unit.recordings import (
    MOODLE_SERVER,
    body_of,
    play_moodle,
    sent_form,
)


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
