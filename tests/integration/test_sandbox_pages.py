"""What people see at the pretend universities."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from sandbox_lms.campus import MALTA, SAMPLE_CAMPUSES, Campus
from sandbox_lms.server import PortTaken, Sandbox
from tests.integration.sandbox_client import TIMEOUT_S, World, event_fields, form_of

CREATE = "core_calendar_create_calendar_events"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


@pytest.mark.parametrize("campus", SAMPLE_CAMPUSES, ids=lambda campus: campus.slug)
def test_every_campus_has_students_a_teacher_and_an_administrator(campus: Campus) -> None:
    assert [person.role for person in campus.people] == ["student"] * 5 + ["teacher", "administrator"]
    names = [student.name for student in campus.students]
    assert len(names) - len(set(names)) == 1  # two of the same name
    assert sum(not name.isascii() for name in names) >= 2
    assert all(person.user_id.isdecimal() for person in campus.people)


def test_the_sign_in_page_shows_everybody_and_signs_in_with_one_click(world: World) -> None:
    page = world.browser().get("/sign-in").text
    for person in world.campus.people:
        assert f"Sign in as {person.name}" in page
    assert 'value="gorg-demo"' in page


@pytest.mark.parametrize("path", ["/course", "/activity/1", "/gradebook", "/calendar"])
def test_course_pages_need_a_sign_in(world: World, path: str) -> None:
    assert world.browser().get(path).headers["Location"] == f"/sign-in?next={path}"


def test_another_name_of_the_machine_leads_to_the_campuss_own_address(world: World) -> None:
    url = world.url("/calendar?x=1").replace("127.0.0.1", "localhost")
    answer = requests.get(url, allow_redirects=False, timeout=TIMEOUT_S)
    assert answer.headers["Location"] == world.url("/calendar?x=1")


def test_signing_out_ends_the_session(world: World) -> None:
    browser = world.browser("maria")
    signed_in = dict(browser.headers)
    assert browser.get("/course").status_code == 200
    assert browser.post("/sign-out").status_code == 303
    browser.headers = signed_in
    assert browser.get("/course").status_code == 303


def test_the_course_opens_one_activity_in_a_frame_and_one_in_a_new_tab(world: World) -> None:
    browser = world.browser("maria")
    course = browser.get("/course").text
    assert '<a href="/activity/1">Workshop series</a>' in course
    assert re.search(r'<a href="/launch/2" target="_blank"[^>]*>Workshop series \(new tab\)', course)
    activity = browser.get("/activity/1").text
    assert re.search(r'<iframe class="tool" src="/launch/1" title="Workshop series"', activity)


def test_a_teacher_sees_all_grades_and_a_student_the_own(world: World) -> None:
    world.post_score(world.score(scoreGiven=1, scoreMaximum=2))
    world.post_score(world.score(userId="5", scoreGiven=1, scoreMaximum=3))
    teacher = world.browser("karmenu").get("/gradebook").text
    assert re.findall(r'data-user-id="(\d+)"', teacher) == ["3", "4", "5", "6", "7"]
    assert re.findall(r'data-line-item-id="4">([\d.]+)<', teacher) == ["50", "33.33"]
    student = world.browser("maria").get("/gradebook").text
    assert re.findall(r'data-user-id="(\d+)"', student) == ["3"]
    assert "Ġorġ" not in student


def test_the_calendar_shows_events_in_the_time_of_the_campus(world: World) -> None:
    far = 4_000_000_000  # 2 October 2096, 07:06:40 UTC
    world.call(CREATE, event_fields(0, name="Week 1 & 2 < 3", timestart=far) | event_fields(1, timestart=1_700_000_000))
    page = world.browser("maria").get("/calendar").text
    coming_up, earlier = page.split('<section aria-labelledby="earlier">')
    assert "<h3>Week 1 &amp; 2 &lt; 3</h3>" in coming_up
    assert "Tuesday, 2 October 2096,\n      09:06" in coming_up
    assert "<h3>Workshop 1</h3>" in earlier


def test_the_calendar_shows_links_and_runs_nothing(world: World) -> None:
    description = '<p onclick="x()"><a href="https://tool.example/s/1">Session</a><script>alert(1)</script></p>'
    world.call(CREATE, event_fields(description=description))
    answer = world.browser("maria").get("/calendar")
    assert '<p><a href="https://tool.example/s/1">Session</a></p>' in answer.text
    assert "alert" not in answer.text
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


def test_hidden_events_are_not_in_the_calendar(world: World) -> None:
    world.call(CREATE, event_fields(visible=0))
    assert "Workshop 1" not in world.browser("maria").get("/calendar").text


def test_a_tool_sends_people_back_with_a_message_that_is_only_text(world: World) -> None:
    page = world.browser("maria").get("/mod/lti/return.php", params={"lti_msg": "<b>Bye</b>"}).text
    assert "&lt;b&gt;Bye&lt;/b&gt;" in page
    assert 'target="_top"' in page


def test_the_lms_frames_only_itself_and_the_tool(world: World) -> None:
    policy = world.browser("maria").get("/activity/1").headers["Content-Security-Policy"]
    assert f"frame-src 'self' {world.tool_url};" in policy
    assert "frame-ancestors 'self'" in policy


def test_two_campuses_do_not_know_each_others_people(tmp_path: Path) -> None:
    with World(tmp_path, SAMPLE_CAMPUSES) as world:
        maltese = world.browser("maria")
        vilnius = world.sandbox.campuses["vilnius"].issuer
        assert maltese.get(vilnius + "/course").status_code == 303
        renamed = maltese.headers["Cookie"].replace("malta", "vilnius")
        answer = requests.get(
            vilnius + "/course", headers={"Cookie": renamed}, allow_redirects=False, timeout=TIMEOUT_S
        )
        assert answer.status_code == 303


def test_a_sandbox_starts_again_where_it_stopped(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        browser = world.browser("maria")
        asked = world.authentication_request(world.begin_launch(browser))
        form_of(browser.get("/mod/lti/auth.php", params=asked))
        world.post_score(world.score())
        world.call(CREATE, event_fields())
        assertion = world.assertion()
        world.ask_token(assertion=assertion)
        keys = requests.get(world.campus.registration().jwks_uri, timeout=TIMEOUT_S).json()
    with World(tmp_path) as again:
        browser.issuer = again.campus.issuer
        assert browser.get("/course").status_code == 200
        assert list(again.grades()) == ["3"]
        assert len(again.events()) == 1
        assert requests.get(again.campus.registration().jwks_uri, timeout=TIMEOUT_S).json() == keys
        asked["redirect_uri"] = f"{again.tool_url}/lti/launch"
        assert form_of(browser.get("/mod/lti/auth.php", params=asked)).fields["error"] == "invalid_request"


def test_a_taken_port_is_named_and_no_campus_is_served(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, World(tmp_path) as world:
        taken = other.getsockname()[1]
        with socket.create_server(("127.0.0.1", 0)) as freed:
            free = freed.getsockname()[1]
        campuses = [replace(MALTA, port=free), replace(MALTA, slug="second", port=taken)]
        with pytest.raises(PortTaken, match=f"Port {taken} of 127.0.0.1"):
            Sandbox(tmp_path / "other", campuses, world.tool_url, world.clock).start()
        with socket.create_server(("127.0.0.1", free)):
            pass  # nobody listens there
        assert not (tmp_path / "other").exists()


def test_a_campus_without_a_port_has_no_address_yet() -> None:
    with pytest.raises(ValueError, match="no port"):
        replace(MALTA, port=0).registration()


def test_the_sandbox_has_a_command_line_of_its_own() -> None:
    command = [sys.executable, "-m", "sandbox_lms.serve", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=TIMEOUT_S)
    assert "--tool-url" in shown.stdout


def state_of(world: World, cmid: int, user_id: str = "3") -> tuple[int, int | None]:
    state = requests.get(world.url("/sandbox/state"), timeout=TIMEOUT_S).json()
    found = [one for one in state["completions"] if (one["cmid"], one["user_id"]) == (cmid, user_id)]
    return (found[0]["state"], found[0]["overrideby"]) if found else (0, None)


def test_a_student_marks_the_reading_as_done_and_takes_it_back(world: World) -> None:
    browser = world.browser("maria")
    course = browser.get("/course").text
    assert re.search(r'<a href="/mod/page/view.php\?id=2">Reading:[^<]+</a>\s*<span[^>]*>Page, not done<', course)
    path = "/mod/page/view.php?id=2"
    for value, label in ((1, "Mark as done"), (0, "Mark as not done")):
        assert f'<button name="state" value="{value}">{label}</button>' in browser.get(path).text
        assert browser.post(path, data={"state": value}).headers["Location"] == path
        assert state_of(world, 2) == (value, None)
    assert browser.post(path, data={"state": 2}).status_code == 400


@pytest.mark.parametrize(("path", "state"), [("/mod/assign/view.php?id=3", 1), ("/mod/quiz/view.php?id=4", 3)])
def test_a_student_hands_in_and_a_teacher_does_not(world: World, path: str, state: int) -> None:
    assert world.browser("karmenu").post(path, data={"state": state}).status_code == 400
    world.browser("maria").post(path, data={"state": state})
    assert state_of(world, int(path[-1])) == (state, None)


def test_an_activity_has_the_address_that_the_services_give_it(world: World) -> None:
    browser = world.browser("maria")
    for section in world.call("core_course_get_contents", {"courseid": 2}):
        for module in section["modules"]:
            assert browser.get(module["url"]).status_code == (303 if module["modname"] == "lti" else 200)
    assert browser.get("/mod/lti/view.php?id=12").headers["Location"] == "/activity/2"
    for path in ("/mod/page/view.php?id=3", "/mod/page/view.php?id=x", "/mod/page/view.php"):
        assert browser.get(path).status_code == 404
    signing_in = world.browser().get("/mod/page/view.php?id=2").headers["Location"]
    assert signing_in == "/sign-in?next=/mod/page/view.php%3Fid%3D2"


def test_a_teacher_overrides_what_a_student_has_done(world: World) -> None:
    teacher = world.browser("karmenu")
    assert re.findall(r'data-user-id="(\d+)"', teacher.get("/completion").text) == ["3", "4", "5", "6", "7"]
    assert 'name="change" value="11 3 1"' in teacher.get("/completion").text
    teacher.post("/completion", data={"change": "11 3 1"})
    assert state_of(world, 11) == (1, 8)
    assert "set by a teacher" in teacher.get("/completion").text
    teacher.post("/completion", data={"change": "11 3 0"})
    assert state_of(world, 11) == (0, 8)
    for change in ("", "1 3 1", "11 8 1", "11 3 2", "99 3 1"):
        assert teacher.post("/completion", data={"change": change}).status_code == 400
    student = world.browser("maria")
    assert student.get("/completion").status_code == student.post("/completion").status_code == 403


def test_announcements_are_shown_clean(world: World) -> None:
    browser = world.browser("maria")
    assert "No announcements yet" in browser.get("/mod/forum/view.php?id=1").text
    new = {"forumid": 1, "subject": "A < B", "message": "<p>Come</p><script>alert(1)</script>"}
    world.call("mod_forum_add_discussion", new)
    page = browser.get("/mod/forum/view.php?id=1").text
    assert "A &lt; B</h2>" in page
    assert "<p>Come</p></div>" in page


def test_who_opens_a_page_of_the_course_was_there_that_minute(world: World) -> None:
    def last_access() -> int:
        found: int = world.call("core_enrol_get_enrolled_users", {"courseid": 2})[0]["lastcourseaccess"]
        return found

    world.post_score(world.score())
    assert last_access() == 0
    browser = world.browser("maria")
    browser.get("/course")
    first = last_access()
    assert 0 <= world.now_s() - first <= 5
    for seconds, moved in ((50, False), (20, True)):
        world.advance(seconds)
        browser.post("/mod/page/view.php?id=2", data={"state": 1})
        assert (last_access() > first) is moved
