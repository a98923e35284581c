"""The course calendar of the pretend universities, as Moodle's web services show, change and empty it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sandbox_lms.campus import MALTA
from tests.integration.sandbox_client import World, event_fields, moodle_event_form

CREATE = "core_calendar_create_calendar_events"
GET = "core_calendar_get_calendar_events"
DELETE = "core_calendar_delete_calendar_events"
FORM = "core_calendar_submit_create_update_form"
START_S = int(datetime(2026, 11, 25, 15, tzinfo=UTC).timestamp())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


@pytest.fixture
def event_id(world: World) -> int:
    (event,) = world.call(CREATE, event_fields())["events"]
    return int(event["id"])


def list_course(world: World, **options: int) -> Any:
    fields = {"events[courseids][0]": 2} | {f"options[{name}]": value for name, value in options.items()}
    return world.call(GET, fields)["events"]


def submit(world: World, event_id: int, **changes: Any) -> Any:
    return world.call(FORM, moodle_event_form(event_id, **changes))


# Reading


def test_a_listing_hides_what_only_the_question_by_id_shows(world: World, event_id: int) -> None:
    (listed,) = list_course(world)
    assert "uuid" not in listed
    assert "location" not in listed
    assert listed["sequence"] == 1
    assert listed["categoryid"] is listed["groupid"] is listed["repeatid"] is None
    by_id = world.call(GET, {"events[eventids][0]": event_id, "options[timestart]": 2147483000})["events"][0]
    assert (by_id["uuid"], by_id["categoryid"], by_id["repeatid"]) == ("", 0, 0)


def test_ids_that_are_not_there_are_simply_absent(world: World, event_id: int) -> None:
    answer = world.call(GET, {"events[eventids][0]": event_id, "events[eventids][1]": 9999})
    assert [event["id"] for event in answer["events"]] == [event_id]
    assert answer["warnings"] == []


def test_a_window_lists_what_overlaps_it(world: World, event_id: int) -> None:
    assert [event["id"] for event in list_course(world, timestart=START_S + 5400)] == [event_id]
    assert list_course(world, timestart=START_S + 5401) == []
    assert [event["id"] for event in list_course(world, timeend=START_S)] == [event_id]
    assert list_course(world, timeend=START_S - 1) == []


def test_hidden_events_are_listed_only_when_asked_for(world: World) -> None:
    world.call(CREATE, event_fields(visible=0))
    assert list_course(world) == []
    assert len(list_course(world, ignorehidden=0)) == 1


def test_a_course_that_is_not_there_is_a_warning_with_a_stack_trace(world: World) -> None:
    answer = world.call(GET, {"events[courseids][0]": 999})
    assert answer["events"] == []
    assert (answer["warnings"][0]["itemid"], answer["warnings"][0]["warningcode"]) == (999, "nopermissions")
    assert ".php(" in answer["warnings"][0]["message"]


def test_one_event_is_shown_with_its_location_and_course(world: World, event_id: int) -> None:
    submit(world, event_id, location="Room 1")
    answer = world.call("core_calendar_get_calendar_event_by_id", {"eventid": event_id})
    assert answer["event"]["location"] == "Room 1"
    assert answer["event"]["course"]["id"] == 2
    missing = world.call("core_calendar_get_calendar_event_by_id", {"eventid": 999})
    assert missing["errorcode"] == "nopermissions"


# Deleting


def test_deleting_answers_null(world: World, event_id: int) -> None:
    assert world.call(DELETE, {"events[0][eventid]": event_id, "events[0][repeat]": 0}) is None
    assert world.events() == []


def test_one_missing_id_undoes_the_whole_deletion(world: World, event_id: int) -> None:
    fields = {"events[0][eventid]": event_id, "events[0][repeat]": 0}
    answer = world.call(DELETE, fields | {"events[1][eventid]": 999, "events[1][repeat]": 0})
    assert answer["errorcode"] == "invalidrecord"
    assert len(world.events()) == 1


def test_deleting_wants_the_repeat_flag(world: World, event_id: int) -> None:
    assert world.call(DELETE, {"events[0][eventid]": event_id})["errorcode"] == "invalidparameter"
    assert len(world.events()) == 1


def test_ids_of_deleted_events_do_not_come_back(world: World, event_id: int) -> None:
    world.call(DELETE, {"events[0][eventid]": event_id, "events[0][repeat]": 0})
    assert world.call(CREATE, event_fields())["events"][0]["id"] > event_id


# The form


def test_the_form_changes_an_event(world: World, event_id: int) -> None:
    answer = submit(world, event_id)
    assert answer["validationerror"] is False
    start_s = int(datetime(2026, 12, 2, 16, 30, tzinfo=UTC).timestamp())
    assert (answer["event"]["timestart"], answer["event"]["timeduration"]) == (start_s, 3600)
    (event,) = list_course(world)
    assert (event["id"], event["name"], event["description"]) == (event_id, "Workshop 1, moved", "<p>New</p>")


@pytest.mark.parametrize(
    "change",
    [
        {"_qf__core_calendar_local_event_forms_update": None},
        {"_qf__core_calendar_local_event_forms_update": 0},
        {"name": None},
        {"name": "<b></b>"},
        {"eventtype": None},
        {"courseid": None},
        {"courseid": 9},
        {"timestart[year]": None},
        {"timestart[day]": 31, "timestart[month]": 2},
        {"timestart[year]": 2024},
        {"timedurationminutes": 0},
    ],
    ids=str,
)
def test_a_form_that_is_not_whole_is_refused_without_a_reason(
    world: World, event_id: int, change: dict[str, Any]
) -> None:
    assert submit(world, event_id, **change) == {"validationerror": True}
    assert list_course(world)[0]["name"] == "Workshop 1"


def test_a_name_loses_its_tags_in_the_form(world: World, event_id: int) -> None:
    assert submit(world, event_id, name="U & <b>tag</b> a < b")["event"]["name"] == "U &amp; tag a &lt; b"


def test_a_minute_that_is_not_sent_is_the_present_one(world: World, event_id: int) -> None:
    before = world.clock.now().minute
    answer = submit(world, event_id, **{"timestart[minute]": None})
    minute = datetime.fromtimestamp(answer["event"]["timestart"], UTC).minute
    assert minute in {before, world.clock.now().minute}


def test_a_duration_that_is_not_sent_is_none(world: World, event_id: int) -> None:
    answer = submit(world, event_id, duration=None, timedurationminutes=None)
    assert answer["event"]["timeduration"] == 0


def test_a_location_that_is_not_sent_is_kept(world: World, event_id: int) -> None:
    submit(world, event_id, location="Room 1")
    assert submit(world, event_id)["event"]["location"] == "Room 1"


def test_wall_time_is_read_in_the_zone_of_the_account(tmp_path: Path) -> None:
    with World(tmp_path, [replace(MALTA, moodle_time_zone="Europe/Malta")]) as world:
        (event,) = world.call(CREATE, event_fields())["events"]
        moved = submit(world, event["id"])["event"]
    assert moved["timestart"] == int(datetime(2026, 12, 2, 15, 30, tzinfo=UTC).timestamp())


def test_an_event_that_is_not_there_cannot_be_changed(world: World) -> None:
    assert submit(world, 99999)["errorcode"] == "invalidrecord"


def test_the_form_creates_an_event_too(world: World) -> None:
    create = {"_qf__core_calendar_local_event_forms_update": None, "_qf__core_calendar_local_event_forms_create": 1}
    assert submit(world, 0, **create)["event"]["id"] == 1
    assert [event["name"] for event in world.events()] == ["Workshop 1, moved"]


def test_what_was_hidden_is_shown_again_when_the_form_says_nothing_of_it(world: World) -> None:
    (event,) = world.call(CREATE, event_fields(visible=0))["events"]
    assert submit(world, event["id"], visible=None)["event"]["visible"] == 1
    assert submit(world, event["id"], visible=0)["event"]["visible"] == 0


def test_who_sends_a_user_with_the_form_makes_it_the_owner(world: World, event_id: int) -> None:
    assert submit(world, event_id)["event"]["userid"] == 35
    assert submit(world, event_id, userid=8)["event"]["userid"] == 8
