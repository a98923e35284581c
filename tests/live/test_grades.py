"""What counts, in the gradebook of a real Moodle: completed by a check-in, unmoved by a second fact, taken back by a
retraction, and a plain sentence for the teacher when the student is no longer in the course."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from playwright.sync_api import FrameLocator, Page, expect

from tests.live.world import (
    GIVEN,
    NEEDS_MOODLE,
    NewPerson,
    Person,
    World,
    activity,
    check_in,
    has_sent,
    open_check_in,
    open_in_frame,
    person,
    picture,
    shows_the_page_of,
    sign_in,
)
from tests.waiting import until

pytestmark = NEEDS_MOODLE
COMPLETE_PASS = 2  # https://github.com/moodle/moodle/blob/MOODLE_405_STABLE/lib/completionlib.php
ADMIN_TOKEN = os.environ.get("LIVE_MOODLE_ADMIN_TOKEN") or ""
STUDENT_ROLE = 5  # in every Moodle that has not been changed


def call(function: str, *, token: str = GIVEN["TOKEN"], **arguments: Any) -> Any:
    answer = requests.post(
        f"{GIVEN['URL']}/webservice/rest/server.php",
        data={"wstoken": token, "wsfunction": function, "moodlewsrestformat": "json", **arguments},
        timeout=30,
    ).json()
    assert not (isinstance(answer, dict) and "exception" in answer), answer
    return answer


def completion_of(who: Person) -> int:
    """Moodle's own word on the embedded activity."""
    found = call("core_completion_get_activities_completion_status", courseid=GIVEN["COURSE"], userid=who.user_id)
    return next(int(one["state"]) for one in found["statuses"] if str(one["cmid"]) == activity(""))


def grade_of(who: Person) -> float | None:
    found = call("gradereport_user_get_grade_items", courseid=GIVEN["COURSE"], userid=who.user_id)
    (of_user,) = found["usergrades"]
    item = next(one for one in of_user["gradeitems"] if str(one.get("cmid")) == activity(""))
    return None if item["graderaw"] is None else float(item["graderaw"])


@contextmanager
def no_longer_in_the_course(who: Person) -> Iterator[None]:
    where = {"enrolments[0][userid]": who.user_id, "enrolments[0][courseid]": GIVEN["COURSE"]}
    call("enrol_manual_unenrol_users", token=ADMIN_TOKEN, **where)
    try:
        yield
    finally:
        call("enrol_manual_enrol_users", token=ADMIN_TOKEN, **where, **{"enrolments[0][roleid]": STUDENT_ROLE})


@pytest.fixture
def student2() -> Person:
    value = os.environ.get("LIVE_MOODLE_STUDENT2")
    if not (value and ADMIN_TOKEN):
        pytest.skip("LIVE TEST SKIPPED: LIVE_MOODLE_STUDENT2 or LIVE_MOODLE_ADMIN_TOKEN is not set")
    return Person(*value.split(":"))


def test_a_check_in_completes_the_activity_and_a_retraction_takes_it_back(world: World, new_person: NewPerson) -> None:
    student = person("STUDENT")
    teacher_page, teacher = _open(new_person, person("TEACHER"), "TEACHER")
    code = open_check_in(teacher)
    page, frame = _open(new_person, student, "STUDENT")
    check_in(frame, code)
    until(lambda: has_sent(world), "the delivery", within_s=30)
    assert (grade_of(student), completion_of(student)) == (100, COMPLETE_PASS)

    # A second fact changes nothing.
    teacher = open_in_frame(teacher_page)
    _go_to_who_completed(teacher)
    _record(teacher, "Confirm")
    assert len(_deliveries(world)) == 1
    picture(teacher_page, "course-person")

    # With both withdrawn, Moodle has no grade and no completion any more.
    for number in (1, 2):
        teacher.get_by_role("link", name="Withdraw this").first.press("Enter")
        teacher.get_by_label("Reason").fill(f"Trial {number}")
        teacher.get_by_role("button", name="Withdraw").press("Enter")
        expect(teacher.get_by_role("status")).to_contain_text("Withdrawn")
    until(lambda: [one["state"] for one in _deliveries(world)] == ["delivered"] * 2, "the retraction", within_s=30)
    assert (grade_of(student), completion_of(student)) == (None, 0)

    frame = open_in_frame(page)
    shows_the_page_of("STUDENT", frame)
    frame.get_by_role("link", name=world.title).press("Enter")
    expect(frame.get_by_text("Trial 1")).to_be_visible()
    picture(page, "student-session-withdrawn")


def test_who_is_no_longer_in_the_course_gets_no_grade_and_the_teacher_a_sentence(
    world: World, new_person: NewPerson, student2: Person
) -> None:
    teacher_page, teacher = _open(new_person, person("TEACHER"), "TEACHER")
    code = open_check_in(teacher)
    _, frame = _open(new_person, student2, "STUDENT")
    with no_longer_in_the_course(student2):
        check_in(frame, code)
        until(lambda: [one["state"] for one in _deliveries(world)] == ["failed"], "the refusal", within_s=30)
        (row,) = _deliveries(world)
        assert "no longer a student of the course" in row["outcome"]
        teacher = open_in_frame(teacher_page)
        teacher.get_by_role("link", name="My course").press("Enter")
        expect(teacher.get_by_text("not in the list that your LMS sends now").first).to_be_visible()
        teacher.get_by_role("link", name="Grades").first.press("Enter")
        expect(teacher.get_by_text("no longer a student of the course").first).to_be_visible()
        picture(teacher_page, "course-grades-not-sent")
    teacher.get_by_role("button", name="Send again now").first.press("Enter")
    until(lambda: [one["state"] for one in _deliveries(world)] == ["delivered"], "the delivery", within_s=30)
    assert (grade_of(student2), completion_of(student2)) == (100, COMPLETE_PASS)


def _open(new_person: NewPerson, who: Person, role: str) -> tuple[Page, FrameLocator]:
    page = new_person("partitioned").new_page()
    sign_in(page, who)
    frame = open_in_frame(page)
    shows_the_page_of(role, frame)
    return page, frame


def _go_to_who_completed(teacher: FrameLocator) -> None:
    """The page of the one student who has completed the session."""
    teacher.get_by_role("link", name="My course").press("Enter")
    rows = teacher.get_by_role("table", name="Students of your course").get_by_role("row")
    rows.filter(has_text="✓").get_by_role("link").press("Enter")


def _record(teacher: FrameLocator, what: str) -> None:
    teacher.get_by_role("link", name="Confirm or excuse").first.press("Enter")
    teacher.get_by_label("Reason").first.fill("Was there.")
    teacher.get_by_role("button", name=what).first.press("Enter")
    expect(teacher.get_by_role("status")).to_be_visible()


def _deliveries(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(world.sync("deliveries", "list", "--json"))
    return found
