"""Moodle's web services at the pretend universities, with the oddities of the real one."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.integration.sandbox_client import TIMEOUT_S, World, event_fields

CREATE = "core_calendar_create_calendar_events"
GET = "core_calendar_get_calendar_events"
DELETE = "core_calendar_delete_calendar_events"
FORM = "core_calendar_submit_create_update_form"
START_S = int(datetime(2026, 11, 25, 15, tzinfo=UTC).timestamp())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def list_course(world: World, **options: int) -> Any:
    fields = {"events[courseids][0]": 2} | {f"options[{name}]": value for name, value in options.items()}
    return world.call(GET, fields)["events"]


# The protocol


def test_a_site_says_who_we_are_and_what_we_may_call(world: World) -> None:
    info = world.call("core_webservice_get_site_info")
    assert info["sitename"] == "University of Malta"
    assert info["siteurl"] == world.campus.issuer
    assert info["userid"] == 35
    assert {CREATE, GET, DELETE, FORM} <= {function["name"] for function in info["functions"]}


@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_wrong_token_is_an_error_with_status_200(world: World, token: str) -> None:
    answer = world.call("core_webservice_get_site_info", wstoken=token)
    assert answer["errorcode"] == "invalidtoken"


def test_a_token_in_the_address_is_not_read(world: World) -> None:
    fields = {"wstoken": world.campus.moodle_token, "wsfunction": "core_webservice_get_site_info"}
    url = world.url("/webservice/rest/server.php")
    query = fields | {"moodlewsrestformat": "json"}
    answer = requests.post(url, params=query, data={"moodlewsrestformat": "json"}, timeout=TIMEOUT_S)
    assert answer.json()["errorcode"] == "invalidtoken"


def test_a_json_body_is_not_read(world: World) -> None:
    fields = {"wstoken": world.campus.moodle_token, "wsfunction": "core_webservice_get_site_info"}
    answer = requests.post(world.url("/webservice/rest/server.php"), json=fields, timeout=TIMEOUT_S)
    assert answer.text.startswith("<?xml")


@pytest.mark.parametrize(
    ("function", "code"), [("gradereport_user_get_grade_items", "accessexception"), ("no_such_one", "invalidrecord")]
)
def test_a_function_that_is_not_in_the_service_is_an_error(world: World, function: str, code: str) -> None:
    assert world.call(function)["errorcode"] == code


@pytest.mark.parametrize(
    "fields",
    [{"zzz": 1}, {"events[courseids][0]": "abc"}, {"events[0][name]": "x"}, {"options[zzz]": 1}],
    ids=str,
)
def test_an_unknown_or_wrong_parameter_is_an_error_that_does_not_say_which(
    world: World, fields: dict[str, Any]
) -> None:
    assert world.call(GET, fields) == {
        "exception": "core\\exception\\invalid_parameter_exception",
        "errorcode": "invalidparameter",
        "message": "Invalid parameter value detected",
    }


@pytest.mark.parametrize(
    ("field", "value", "found"),
    [
        ("id", "2", 1),
        ("id", "9", 0),
        ("ids", "7,2", 1),
        ("shortname", "WORKSHOP", 1),
        ("idnumber", "nope", 0),
        ("", "", 1),
    ],
)
def test_courses_are_found_by_field(world: World, field: str, value: str, found: int) -> None:
    answer = world.call("core_course_get_courses_by_field", {"field": field, "value": value})
    assert len(answer["courses"]) == found
    assert answer["warnings"] == []


# Creating


def test_created_events_come_back_in_the_recorded_shape(world: World) -> None:
    answer = world.call(CREATE, event_fields(sequence=424242))
    modified = answer["events"][0].pop("timemodified")
    assert abs(modified - world.now_s()) <= 5
    assert answer == {
        "events": [
            {
                "id": 1,
                "name": "Workshop 1",
                "description": "<p>Come</p>",
                "format": 1,
                "courseid": 2,
                "groupid": 0,
                "userid": 35,
                "modulename": "",
                "instance": 0,
                "eventtype": "course",
                "timestart": START_S,
                "timeduration": 5400,
                "visible": 1,
                "uuid": "",
                "sequence": 424242,
                "subscriptionid": None,
            }
        ],
        "warnings": [],
    }


@pytest.mark.parametrize("key", ["location", "uuid", "zzz"])
def test_a_key_that_create_does_not_know_refuses_the_whole_call(world: World, key: str) -> None:
    answer = world.call(CREATE, event_fields(0) | event_fields(1, **{key: "x"}))
    assert answer["errorcode"] == "invalidparameter"
    assert world.events() == []


def test_a_name_with_tags_refuses_the_whole_call(world: World) -> None:
    answer = world.call(CREATE, event_fields(0) | event_fields(1, name="Tag <b>intro</b>"))
    assert answer["errorcode"] == "invalidparameter"
    assert world.events() == []


def test_a_name_with_signs_is_raw_when_created_and_escaped_when_listed(world: World) -> None:
    created = world.call(CREATE, event_fields(name="a < b & c > d"))["events"][0]
    assert created["name"] == "a < b & c > d"
    assert list_course(world)[0]["name"] == "a &lt; b &amp; c &gt; d"
    world.call(CREATE, event_fields(name="AT&amp;T"))
    assert list_course(world)[1]["name"] == "AT&amp;T"


def test_a_course_that_is_not_there_undoes_the_whole_call(world: World) -> None:
    answer = world.call(CREATE, event_fields(0) | event_fields(1, courseid=999))
    assert answer["errorcode"] == "invalidrecord"
    assert world.events() == []


def test_an_event_that_is_not_allowed_is_a_warning_beside_the_others(world: World) -> None:
    answer = world.call(CREATE, event_fields(0) | event_fields(1, name="site evt", courseid=1, eventtype="site"))
    assert [event["name"] for event in answer["events"]] == ["Workshop 1"]
    assert answer["warnings"] == [
        {
            "item": "site evt",
            "warningcode": "nopermissions",
            "message": "you do not have permissions to create this event",
        }
    ]


def test_duplicates_are_created_without_complaint(world: World) -> None:
    world.call(CREATE, event_fields(0) | event_fields(1))
    assert len(world.events()) == 2


def test_a_form_that_is_too_long_is_cut_off_without_a_word(world: World) -> None:
    fields: dict[str, Any] = {}
    for number in range(200):
        fields |= event_fields(number)
    answer = world.call(CREATE, fields)
    assert len(answer["events"]) == 125  # 3 fields of the protocol, 8 of each event, 1000 in all
    assert answer["warnings"] == []


def test_what_could_run_or_hide_is_taken_out_of_a_description(world: World) -> None:
    description = (
        '<p>Join: <a href="https://meet.example/x?a=1&amp;b=2" rel="x" title="uid:1">link</a> <script>alert(1)</script>'
        ' €ü</p><!-- ws-uid:abc --><span data-uid="abc" class="wsuid-abc" style="x" onclick="x()" id="i">x</span>'
        '<a href=" java\nscript:alert(1)">bad</a><input name="x">'
    )
    world.call(CREATE, event_fields(description=description))
    assert list_course(world)[0]["description"] == (
        '<p>Join: <a href="https://meet.example/x?a=1&amp;b=2" title="uid:1">link</a>  €ü</p>'
        '<span class="wsuid-abc" id="i">x</span><a>bad</a>'
    )


def test_tags_that_are_left_open_are_closed(world: World) -> None:
    created = world.call(CREATE, event_fields(description="plain\nline <b>", format=0))["events"][0]
    assert (created["description"], created["format"]) == ("plain\nline <b></b>", 1)


def test_a_repeated_event_is_a_row_of_events(world: World) -> None:
    events = world.call(CREATE, event_fields(repeats=3))["events"]
    assert [event["timestart"] - START_S for event in events] == [0, 604800, 1209600]
    assert {event["repeatid"] for event in events} == {events[0]["id"]}
    world.call(DELETE, {"events[0][eventid]": events[1]["id"], "events[0][repeat]": 1})
    assert world.events() == []
