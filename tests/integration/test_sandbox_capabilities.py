"""What becomes of a service account that lacks something, and of a site that is closed, slow or badly set up."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from sandbox_lms.latencies import START_MS, cost_ms
from tests.integration.in_process_moodle import SERVER_PATH, InProcessMoodle
from tests.integration.sandbox_client import event_fields, moodle_event_form
from tests.unit.recordings import FOLDER, recording

CONTENTS = ("core_course_get_contents", {"courseid": 2})
USERS = ("core_enrol_get_enrolled_users", {"courseid": 2})
COMPLETION = ("core_completion_get_activities_completion_status", {"courseid": 2, "userid": 3})
CREATE = ("core_calendar_create_calendar_events", event_fields())
EVENTS = ("core_calendar_get_calendar_events", {"events[courseids][0]": 2})
INFO = ("core_webservice_get_site_info", {})
ANNOUNCE = ("mod_forum_add_discussion", {"forumid": 1, "subject": "x", "message": "x"})
CALLS = {"contents": CONTENTS, "enrolled": USERS, "act_completion": COMPLETION, "cal_create": CREATE}
BATCHED = {"function": COMPLETION[0], "arguments": json.dumps(COMPLETION[1])}
MATRIX: dict[str, dict[str, str]] = json.loads((FOLDER / "capability-matrix.json").read_text(encoding="utf-8"))
EXCEPTIONS = [
    (case.removeprefix("without "), call, said.removeprefix("EXC "))
    for case, found in MATRIX.items()
    for call, said in found.items()
    if said.startswith("EXC") and call in CALLS
]


@pytest.fixture
def moodle(tmp_path: Path) -> InProcessMoodle:
    return InProcessMoodle(tmp_path)


def modnames(moodle: InProcessMoodle) -> list[str]:
    return [module["modname"] for section in moodle.call(*CONTENTS) for module in section["modules"]]


@pytest.mark.parametrize(("capability", "call", "code"), EXCEPTIONS)
def test_a_missing_capability_is_the_recorded_error(
    moodle: InProcessMoodle, capability: str, call: str, code: str
) -> None:
    moodle.site.switches.set(lacks=[capability])
    assert moodle.call(*CALLS[call])["errorcode"] == code


def test_what_the_account_may_not_enter_is_refused_in_the_recorded_words(moodle: InProcessMoodle) -> None:
    moodle.site.switches.set(lacks=["moodle/course:view"])
    assert moodle.call(*USERS) == recording("error.nocap-enrolled_users")["response"]
    assert moodle.call(*COMPLETION) == recording("error.nocap-completion")["response"]
    answer = moodle.call(*EVENTS)
    assert (answer["events"], answer["warnings"][0]["warningcode"]) == ([], "nopermissions")


def test_without_manageentries_an_event_is_a_warning(moodle: InProcessMoodle) -> None:
    (event,) = moodle.call(*CREATE)["events"]
    moodle.site.switches.set(lacks=["moodle/calendar:manageentries"])
    recorded = recording("error.nocap-create_events")["response"]["warnings"][0]
    answer = moodle.call(*CREATE)
    assert (answer["events"], answer["warnings"]) == ([], [recorded | {"item": "Workshop 1"}])
    assert [one["id"] for one in moodle.call(*EVENTS)["events"]] == [event["id"]]
    changed = moodle.call("core_calendar_submit_create_update_form", moodle_event_form(event["id"]))
    assert changed["errorcode"] == "nopermissiontoupdatecalendar"
    doomed = {"events[0][eventid]": event["id"], "events[0][repeat]": 0}
    assert moodle.call("core_calendar_delete_calendar_events", doomed)["errorcode"] == "nopermissions"
    assert len(moodle.call(*EVENTS)["events"]) == 1


def test_without_viewdetails_only_teachers_are_left_of_each_page(moodle: InProcessMoodle) -> None:
    moodle.site.switches.set(lacks=["moodle/user:viewdetails"])
    assert [user["id"] for user in moodle.call(*USERS)] == [8]
    first_page = {"options[0][name]": "limitnumber", "options[0][value]": 5}
    assert moodle.call(USERS[0], USERS[1] | first_page) == []


def test_without_viewuseridentity_there_is_no_idnumber(moodle: InProcessMoodle) -> None:
    assert moodle.call(*USERS)[0]["idnumber"] == "MT000003"
    moodle.site.switches.set(lacks=["moodle/site:viewuseridentity"])
    assert "idnumber" not in moodle.call(*USERS)[0]


@pytest.mark.parametrize("modname", ["page", "assign", "quiz", "lti"])
def test_activities_that_the_account_may_not_view_vanish_without_a_word(moodle: InProcessMoodle, modname: str) -> None:
    before = modnames(moodle)
    moodle.site.switches.set(lacks=[f"mod/{modname}:view"])
    assert modnames(moodle) == [name for name in before if name != modname]
    left = [status["modname"] for status in moodle.call(*COMPLETION)["statuses"]]
    assert left == [name for name in before if name not in {modname, "forum"}]


def test_without_addnews_nothing_is_announced(moodle: InProcessMoodle) -> None:
    moodle.site.switches.set(lacks=["mod/forum:addnews"])
    assert moodle.call(*ANNOUNCE)["errorcode"] == "cannotcreatediscussion"
    assert moodle.call("mod_forum_get_forum_discussions", {"forumid": 1})["discussions"] == []
    assert moodle.call("mod_forum_get_forums_by_courses", {"courseids[0]": 2})[0]["cancreatediscussions"] is False


def test_a_function_that_the_service_does_not_offer_is_not_named_and_refused(moodle: InProcessMoodle) -> None:
    moodle.site.switches.set(lacks_functions=[CONTENTS[0]])
    assert moodle.call(*CONTENTS) == recording("error.function-not-in-service")["response"]
    names = {function["name"] for function in moodle.call(*INFO)["functions"]}
    assert CONTENTS[0] not in names
    assert USERS[0] in names


def test_a_closed_site_says_so_with_status_200(moodle: InProcessMoodle) -> None:
    moodle.site.switches.set(maintenance=True)
    assert moodle.call(*INFO) == recording("error.maintenance-mode-ui")["response"]


def test_a_status_of_the_web_services_is_given_so_often_and_nothing_is_done(moodle: InProcessMoodle) -> None:
    client = moodle.client
    moodle.site.switches.set(moodle_status=503, moodle_status_times=2, retry_after_s=300)
    answers = [client.post(SERVER_PATH, base_url=moodle.url) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "300"


def test_the_accounts_zone_is_the_one_that_the_form_is_read_in(moodle: InProcessMoodle) -> None:
    (event,) = moodle.call(*CREATE)["events"]
    read = []
    for zone in (None, "America/New_York"):
        moodle.site.switches.set(moodle_time_zone=zone)
        form = moodle_event_form(event["id"])
        read.append(moodle.call("core_calendar_submit_create_update_form", form)["event"]["timestart"])
    assert read[1] - read[0] == 5 * 3600


@pytest.mark.parametrize(
    "changes", [{"moodle_time_zone": "Mars"}, {"latency_scale": -1}, {"lacks": "moodle/x"}], ids=str
)
def test_a_switch_that_makes_no_sense_is_refused(moodle: InProcessMoodle, changes: dict[str, Any]) -> None:
    assert moodle.client.post("/sandbox/switches", base_url=moodle.url, json=changes).status_code == 400


def test_a_web_server_that_drops_paths_breaks_every_lti_service(moodle: InProcessMoodle) -> None:
    moodle.site.switches.set(drops_path_info=True)
    path = "/mod/lti/services.php/2/lineitems?type_id=1"
    answer = moodle.client.get(path, base_url=moodle.url, headers={"Accept": "application/json"})
    assert (answer.status_code, (answer.json or {})["reason"]) == (400, "No handler found for  application/json ")
    assert moodle.call(*INFO)["userid"] == 35


def test_answers_take_their_measured_time_when_they_shall(moodle: InProcessMoodle) -> None:
    began_at = time.perf_counter()
    moodle.site.switches.set(latency_scale=2)
    moodle.call(*COMPLETION)
    assert time.perf_counter() - began_at >= 0.052


@pytest.mark.parametrize(
    ("function", "sent", "answer", "measured_ms"),
    [
        ("core_enrol_get_enrolled_users", {}, [{}] * 300, 322),
        ("core_calendar_create_calendar_events", {"events": [{}] * 100}, {"events": [{}] * 100}, 64),
        ("core_calendar_get_calendar_events", {"events": {}}, {"events": [{}] * 1225}, 124),
        ("core_calendar_delete_calendar_events", {"events": [{}] * 1225}, None, 995),
        ("tool_mobile_call_external_functions", {"requests": [BATCHED] * 30}, {"responses": [{}] * 30}, 274),
        ("tool_mobile_call_external_functions", {"requests": [BATCHED] * 30}, {"responses": [{}] * 2}, 30),
    ],
)
def test_the_cost_of_a_call_grows_as_it_was_measured(function: str, sent: Any, answer: Any, measured_ms: float) -> None:
    assert START_MS + cost_ms(function, sent, answer) == pytest.approx(measured_ms, abs=1)
