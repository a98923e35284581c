"""Courses of the pretend universities: activities, people, completion and announcements, as Moodle's services tell."""

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox_lms.completion import COMPLETE, PASSED, complete, override
from sandbox_lms.course_modules import AUTOMATIC, READING, add_module, find_module, remove_module
from sandbox_lms.gradebook import Score, record_score
from sandbox_lms.line_items import find_line_item
from sandbox_lms.made_up import made_up_campus
from tests.integration.in_process_moodle import InProcessMoodle
from tests.unit.recordings import recording

CONTENTS = "core_course_get_contents"
USERS = "core_enrol_get_enrolled_users"
COMPLETION = "core_completion_get_activities_completion_status"
BATCH = "tool_mobile_call_external_functions"
FORUMS = "mod_forum_get_forums_by_courses"
DISCUSSIONS = "mod_forum_get_forum_discussions"
ADD_DISCUSSION = "mod_forum_add_discussion"
COURSE = {"courseid": 2}
ACTIVITIES = [(2, "page", 1), (3, "assign", 1), (4, "quiz", 1), (11, "lti", 1), (12, "lti", 2)]


@pytest.fixture
def moodle(tmp_path: Path) -> InProcessMoodle:
    return InProcessMoodle(tmp_path)


def options(**values: object) -> dict[str, Any]:
    fields: dict[str, Any] = {"courseid": 2}
    for number, (name, value) in enumerate(values.items()):
        fields |= {f"options[{number}][name]": name, f"options[{number}][value]": value}
    return fields


def statuses(moodle: InProcessMoodle, user_id: int = 3) -> dict[int, dict[str, Any]]:
    answer = moodle.call(COMPLETION, {"courseid": 2, "userid": user_id})
    return {status["cmid"]: status for status in answer["statuses"]}


def users(moodle: InProcessMoodle, **wanted: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = moodle.call(USERS, options(**wanted))
    return found


def score(moodle: InProcessMoodle, given: float | None, at: str) -> None:
    line_item = find_line_item(moodle.site, 4)
    assert line_item
    progress: Any = "NotReady" if given is None else "FullyGraded"
    new = Score(
        user_id="3",
        activity_progress="Completed",
        grading_progress=progress,
        timestamp=f"2026-11-25T{at}Z",
        score_given=given,
        score_maximum=None if given is None else 13,
    )
    record_score(moodle.site, line_item, new)


def keys_of(value: Any) -> set[str]:
    return set(value)


# Contents


def test_the_course_lists_its_activities_and_their_resource_links(moodle: InProcessMoodle) -> None:
    first, second = moodle.call(CONTENTS, COURSE)
    assert [(module["modname"], module["completion"]) for module in first["modules"]] == [("forum", 0)]
    assert [(module["id"], module["modname"], module["instance"]) for module in second["modules"]] == ACTIVITIES
    assert [module["completion"] for module in second["modules"]] == [1, 2, 2, 2, 2]


def test_sections_and_modules_have_the_recorded_shape(moodle: InProcessMoodle) -> None:
    recorded = recording(CONTENTS)["response"][1]
    section = moodle.call(CONTENTS, COURSE)[1]
    assert keys_of(section) == keys_of(recorded)
    assert keys_of(section["modules"][0]) == keys_of(recorded["modules"][1])
    assert keys_of(section["modules"][0]["completiondata"]) == keys_of(recorded["modules"][1]["completiondata"])


def test_contents_can_be_left_out(moodle: InProcessMoodle) -> None:
    (page,) = moodle.call(CONTENTS, options(excludecontents=1, modname="page"))[1]["modules"]
    assert page["contents"] == []
    assert moodle.call(CONTENTS, options(excludemodules=1))[1]["modules"] == []
    assert moodle.call(CONTENTS, options(zzz=1))["errorcode"] == "errorinvalidparam"


def test_an_activity_can_be_added_and_taken_away(moodle: InProcessMoodle) -> None:
    added = add_module(moodle.site, "quiz", "Another quiz", AUTOMATIC)
    complete(moodle.site, added, "3", PASSED)
    assert (statuses(moodle)[added.cmid]["instance"], statuses(moodle)[added.cmid]["state"]) == (2, 2)
    remove_module(moodle.site, added.cmid)
    assert added.cmid not in statuses(moodle)


# People


def test_people_have_the_recorded_shape(moodle: InProcessMoodle) -> None:
    recorded = recording(f"{USERS}.full")["response"]
    answer = users(moodle)
    assert keys_of(answer[0]) == keys_of(recorded[0]) | {"idnumber"}
    assert answer[0]["roles"] == recorded[0]["roles"]
    assert answer[-1]["roles"] == recorded[-1]["roles"]


def test_only_the_fields_that_are_asked_for_come(moodle: InProcessMoodle) -> None:
    recorded = recording(f"{USERS}.identity-idnumber")["response"][0]
    fields = "id,idnumber,email,username,lastcourseaccess"
    assert keys_of(users(moodle, userfields=fields)[0]) == keys_of(recorded)
    assert moodle.call(USERS, options(userfields="zzz"))["errorcode"] == "invaliduserfield"


def test_people_come_in_pages_and_in_an_order(moodle: InProcessMoodle) -> None:
    assert [user["id"] for user in users(moodle)] == [3, 4, 5, 6, 7, 8]
    assert [user["id"] for user in users(moodle, limitfrom=4, limitnumber=5)] == [7, 8]
    assert users(moodle, limitfrom=9) == []
    assert [user["id"] for user in users(moodle, sortby="id", sortdirection="DESC", limitnumber=2)] == [8, 7]
    answer = moodle.call(USERS, options(sortby="lastcourseaccess"))
    assert answer == recording(f"{USERS}.bad-sortby")["response"]


def test_suspended_people_are_listed_and_those_who_left_are_not(moodle: InProcessMoodle) -> None:
    moodle.site.switches.set(suspended=["3"], left=["4"])
    assert [user["id"] for user in users(moodle)] == [3, 5, 6, 7, 8]
    assert not statuses(moodle, 3)[2]["istrackeduser"]
    assert not statuses(moodle, 4)[2]["istrackeduser"]


# Completion


def test_states_have_the_recorded_shape(moodle: InProcessMoodle) -> None:
    recorded = {status["modname"]: status for status in recording(COMPLETION)["response"]["statuses"]}
    found = statuses(moodle)
    for cmid, modname in ((2, "page"), (3, "assign"), (4, "quiz")):
        assert found[cmid] == recorded[modname] | {"cmid": cmid, "instance": 1}


def test_nobody_of_that_id_is_an_error_and_who_is_not_enrolled_is_not(moodle: InProcessMoodle) -> None:
    answer = moodle.call(COMPLETION, {"courseid": 2, "userid": 9999})
    assert answer == recording("error.nonexistent-user.completion")["response"]
    assert {status["istrackeduser"] for status in statuses(moodle, 35).values()} == {False}
    answer = moodle.call(COMPLETION, {"courseid": 999, "userid": 3})
    assert answer["errorcode"] == "invalidrecord"


def test_a_score_completes_its_activity_by_whether_it_passes(moodle: InProcessMoodle) -> None:
    states = []
    for number, given in enumerate((6.4, 6.5, None)):
        score(moodle, given, f"15:00:0{number}")
        one = statuses(moodle)[11]
        rules = [rule["rulevalue"]["status"] for rule in one["details"]]
        states.append((one["state"], one["isoverallcomplete"], rules, one["timecompleted"] > 0))
    assert states == [(3, False, [1, 3], True), (2, True, [2, 2], True), (0, False, [0, 0], True)]
    assert statuses(moodle)[12]["state"] == 0


def test_what_a_teacher_sets_to_done_stays_done(moodle: InProcessMoodle) -> None:
    site = moodle.site
    lti = find_module(site, 11)
    teacher = site.campus.person("8")
    assert lti
    assert teacher
    override(site, lti, "3", is_done=True, teacher=teacher)
    score(moodle, 1, "15:00:00")
    assert (statuses(moodle)[11]["state"], statuses(moodle)[11]["overrideby"]) == (1, 8)
    override(site, lti, "3", is_done=False, teacher=teacher)
    assert (statuses(moodle)[11]["state"], statuses(moodle)[11]["overrideby"]) == (0, 8)
    score(moodle, 13, "15:00:01")
    assert (statuses(moodle)[11]["state"], statuses(moodle)[11]["overrideby"]) == (2, None)


# Several calls at once


def batch(*requests: tuple[str, object]) -> dict[str, str]:
    fields = {}
    for number, (function, arguments) in enumerate(requests):
        fields[f"requests[{number}][function]"] = function
        fields[f"requests[{number}][arguments]"] = json.dumps(arguments)
    return fields


def test_calls_together_end_at_the_first_error(moodle: InProcessMoodle) -> None:
    asked = [(COMPLETION, {"courseid": 2, "userid": user_id}) for user_id in (3, 9999, 4)]
    first, second = moodle.call(BATCH, batch(*asked))["responses"]
    assert keys_of(first) == {"error", "data"}
    assert json.loads(first["data"]) == moodle.call(COMPLETION, {"courseid": 2, "userid": 3})
    recorded = json.loads(recording(BATCH)["response"]["responses"][2]["exception"])
    assert json.loads(second["exception"]) == recorded | {"link": f"{moodle.url}/"}


def test_calls_together_are_each_held_against_the_service(moodle: InProcessMoodle) -> None:
    answer = moodle.call(BATCH, batch(("core_user_create_users", {}), (COMPLETION, {"courseid": 2, "userid": 3})))
    assert answer == recording(f"{BATCH}.not-in-service")["response"]
    answer = moodle.call(BATCH, batch((CONTENTS, [1])))
    assert json.loads(answer["responses"][0]["exception"])["errorcode"] == "invalidparameter"


# Announcements


def announce(moodle: InProcessMoodle, **changes: object) -> Any:
    return moodle.call(ADD_DISCUSSION, {"forumid": 1, "subject": "Week 1", "message": "<p>Come</p>"} | changes)


def test_the_course_has_one_forum_for_announcements(moodle: InProcessMoodle) -> None:
    (forum,) = moodle.call(FORUMS, {"courseids[0]": 2})
    assert (forum["id"], forum["cmid"], forum["type"], forum["cancreatediscussions"]) == (1, 1, "news", True)
    assert moodle.call(FORUMS) == []


def test_an_announcement_is_listed_clean_and_twice_when_it_was_sent_twice(moodle: InProcessMoodle) -> None:
    message = '<p onclick="x()">Come</p><script>alert(1)</script>'
    assert [announce(moodle, subject="A & B", message=message)["discussionid"] for _ in range(2)] == [1, 2]
    listed = moodle.call(DISCUSSIONS, {"forumid": 1})["discussions"]
    assert [(one["discussion"], one["id"]) for one in listed] == [(2, 502), (1, 501)]
    assert (listed[0]["subject"], listed[0]["message"]) == ("A &amp; B", "<p>Come</p>")
    page = moodle.call(DISCUSSIONS, {"forumid": 1, "sortorder": 2, "page": 0, "perpage": 1})["discussions"]
    assert [one["discussion"] for one in page] == [1]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"forumid": 9}, "invalidrecord"),
        ({"subject": "<b>x</b>"}, "invalidparameter"),
        ({"options[0][name]": "zzz", "options[0][value]": 1}, "errorinvalidparam"),
    ],
    ids=str,
)
def test_an_announcement_that_is_wrong_is_not_made(
    moodle: InProcessMoodle, changes: dict[str, object], code: str
) -> None:
    assert announce(moodle, **changes)["errorcode"] == code
    assert moodle.call(DISCUSSIONS, {"forumid": 1})["discussions"] == []


# Many universities


def test_made_up_universities_are_told_apart_and_their_people_have_ids_of_their_own() -> None:
    campuses = [made_up_campus(number, students=300) for number in range(1, 14)]
    for field in ("slug", "port", "client_id", "moodle_token"):
        assert len({getattr(campus, field) for campus in campuses}) == 13
    for campus in campuses:
        assert len(campus.students) == 300
        assert len({person.user_id for person in campus.people} | {str(campus.moodle_user_id)}) == 302


def test_a_page_that_counts_by_itself_is_no_different_for_a_batch(moodle: InProcessMoodle) -> None:
    page = add_module(moodle.site, "page", "Welcome", AUTOMATIC)
    complete(moodle.site, page, "3", COMPLETE)
    recorded = recording(f"{COMPLETION}.overridden")["response"]["statuses"][0]
    assert statuses(moodle)[page.cmid]["details"] == recorded["details"]
    assert READING.cmid != page.cmid
