"""Creating calendar events in Moodle, against the recorded exchanges with a real one."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest
import responses

from lms.errors import NotFound, TryLater
from lms.moodle import Moodle
from lms.moodle_events import MAX_NAME_LENGTH, EventDraft, EventProblem, create_fields, safe_event_name
from tests.unit.recordings import (
    MOODLE_SERVER,
    body_of,
    play_moodle,
    recorded_draft,
    recording,
    sent_form,
)

START_AT = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)
DRAFT = EventDraft(course_id=2, name="Week 1", description="<p>x</p>", start_at=START_AT, duration_minutes=90)


# Creating events


@responses.activate
def test_an_event_is_created_with_exactly_the_fields_that_moodle_takes(moodle: Moodle) -> None:
    play_moodle("core_calendar_create_calendar_events.before-course-start", same_form=True)
    draft = recorded_draft("core_calendar_create_calendar_events.before-course-start")
    assert list(moodle.create_calendar_events([draft])) == [14]


@responses.activate
def test_an_event_can_be_made_hidden(moodle: Moodle) -> None:
    name = "core_calendar_create_calendar_events.visible0"
    play_moodle(name, same_form=True)
    assert list(moodle.create_calendar_events([replace(recorded_draft(name), is_hidden=True)])) == [1]


@responses.activate
@pytest.mark.parametrize(("name", "event_id"), [("one", 6), ("name-entities", 3), ("name-with-lt", 1)])
def test_an_event_is_recognised_in_the_answer_by_its_name_and_start(moodle: Moodle, name: str, event_id: int) -> None:
    play_moodle(f"core_calendar_create_calendar_events.{name}")
    draft = recorded_draft(f"core_calendar_create_calendar_events.{name}")
    assert list(moodle.create_calendar_events([draft])) == [event_id]


@responses.activate
def test_events_that_are_not_allowed_are_named_and_the_others_get_their_ids(moodle: Moodle) -> None:
    name = "core_calendar_create_calendar_events.partial"
    play_moodle(name)
    first, problem, third = moodle.create_calendar_events([recorded_draft(name, index) for index in range(3)])
    assert (first, third) == (8, 9)
    assert isinstance(problem, EventProblem)
    assert problem.code == "nopermissions"
    assert "moodle/calendar:manageentries" in problem.sentence


@responses.activate
def test_without_the_capability_no_event_is_created_and_each_says_so(moodle: Moodle) -> None:
    play_moodle("error.nocap-create_events")
    draft = EventDraft(course_id=2, name="x", description="", start_at=START_AT, duration_minutes=90)
    (problem,) = moodle.create_calendar_events([draft])
    assert isinstance(problem, EventProblem)
    assert problem.code == "nopermissions"


@responses.activate
def test_an_event_that_php_cut_off_is_missed(moodle: Moodle) -> None:
    play_moodle("core_calendar_create_calendar_events.one")
    known = recorded_draft("core_calendar_create_calendar_events.one")
    first, second = moodle.create_calendar_events([known, DRAFT])
    assert first == 6
    assert isinstance(second, EventProblem)
    assert second.code == "not_created"


@responses.activate
def test_events_that_nobody_asked_for_are_not_taken_for_ours(moodle: Moodle) -> None:
    play_moodle("core_calendar_create_calendar_events.partial")
    (first,) = moodle.create_calendar_events([recorded_draft("core_calendar_create_calendar_events.partial")])
    assert first == 8
    (other,) = moodle.create_calendar_events([DRAFT])
    assert isinstance(other, EventProblem)


@responses.activate
def test_two_equal_drafts_do_not_share_one_event(moodle: Moodle) -> None:
    play_moodle("core_calendar_create_calendar_events.one")
    draft = recorded_draft("core_calendar_create_calendar_events.one")
    first, second = moodle.create_calendar_events([draft, draft])
    assert first == 6
    assert isinstance(second, EventProblem)


@responses.activate
def test_a_bad_course_fails_the_whole_call(moodle: Moodle) -> None:
    play_moodle("core_calendar_create_calendar_events.badcourse")
    with pytest.raises(NotFound):
        list(moodle.create_calendar_events([DRAFT]))


def create_in_answer(*, fail_at_call: int = 99) -> None:
    """A Moodle that creates what it is asked for, with ids from 1 on."""
    made: list[int] = []

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        if len(responses.calls) + 1 == fail_at_call:
            return 503, {}, ""
        form = {key: value for key, (value,) in parse_qs(request.body).items()}
        events: list[dict[str, Any]] = []
        while f"events[{len(events)}][name]" in form:
            made.append(0)
            path = f"events[{len(events)}]"
            fields = {key: int(form[f"{path}[{key}]"]) for key in ("timestart", "timeduration", "courseid")}
            events.append({"id": len(made), "name": form[f"{path}[name]"], "userid": 35, **fields})
        return 200, {}, body_of({"events": events, "warnings": []})

    responses.add_callback("POST", MOODLE_SERVER, callback=answer)


def many(count: int) -> list[EventDraft]:
    return [
        EventDraft(course_id=2, name=f"Week {n}", description="", start_at=START_AT, duration_minutes=90)
        for n in range(count)
    ]


@responses.activate
def test_no_call_carries_more_than_50_events(moodle: Moodle) -> None:
    create_in_answer()
    assert list(moodle.create_calendar_events(many(101))) == list(range(1, 102))
    assert [sum(key.endswith("[name]") for key in sent_form(index)) for index in range(3)] == [50, 50, 1]
    assert max(len(sent_form(index)) for index in range(3)) < 1000


@responses.activate
def test_what_one_call_has_made_is_known_when_the_next_one_fails(moodle: Moodle) -> None:
    create_in_answer(fail_at_call=2)
    known: list[int | EventProblem] = []
    with pytest.raises(TryLater):
        known.extend(moodle.create_calendar_events(many(60)))
    assert known == list(range(1, 51))


@responses.activate
def test_nothing_to_create_makes_no_call(moodle: Moodle) -> None:
    assert list(moodle.create_calendar_events([])) == []
    assert len(responses.calls) == 0


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a < b and c > d", "a < b and c > d"),
        ("Tag <b>intro</b>", "Tag ‹b>intro‹/b>"),  # noqa: RUF001  # the other sign is the point
        ("1<2", "1‹2"),  # noqa: RUF001  # as above
        ("ends with <", "ends with ‹"),  # noqa: RUF001  # as above
        ("  two \n lines\t", "two lines"),
        ("nul\x00byte", "nul byte"),
        ("AT&T", "AT&T"),
        ("x" * 255, "x" * 255),
        ("x" * 256, "x" * 254 + "…"),
    ],
)
def test_a_name_that_moodle_would_refuse_is_made_safe(text: str, name: str) -> None:
    assert safe_event_name(text) == name
    assert len(name) <= MAX_NAME_LENGTH


@pytest.mark.parametrize("name", ["name-with-lt", "name-entities", "one"])
def test_a_name_that_moodle_was_seen_to_take_stays_as_it_is(name: str) -> None:
    text = recorded_draft(f"core_calendar_create_calendar_events.{name}").name
    assert safe_event_name(text) == text


def test_a_name_that_moodle_was_seen_to_refuse_is_not_sent() -> None:
    assert (
        recording("core_calendar_create_calendar_events.name-with-tags")["response"]["errorcode"] == "invalidparameter"
    )
    text = recorded_draft("core_calendar_create_calendar_events.name-with-tags").name
    assert create_fields(replace(DRAFT, name=text))["name"] == safe_event_name(text) != text


@pytest.mark.parametrize(
    "start_at", [START_AT.replace(second=1), START_AT.replace(microsecond=1), START_AT.replace(tzinfo=None)]
)
def test_a_draft_starts_at_a_whole_minute_with_a_zone(start_at: datetime) -> None:
    with pytest.raises(ValueError, match="whole minute"):
        EventDraft(course_id=2, name="x", description="", start_at=start_at, duration_minutes=1)


def test_a_draft_does_not_end_before_it_starts() -> None:
    with pytest.raises(ValueError, match="before it starts"):
        EventDraft(course_id=2, name="x", description="", start_at=START_AT, duration_minutes=-1)
