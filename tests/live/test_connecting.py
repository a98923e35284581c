"""A real Moodle connected as its administrator would: from the invitation to the first launch, with a clock."""

import json
import logging
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect

from sandbox_lms.demo_programs import wait_until_ready
from tests.browser.cookie_modes import CookieMode
from tests.conftest import make_environment
from tests.databases import Databases
from tests.live.world import (
    GIVEN,
    NEEDS_MOODLE,
    PATIENCE_MS,
    NewPerson,
    Person,
    World,
    calendar,
    entry,
    frame_of,
    person,
    picture,
    shows_the_page_of,
    sign_in,
    start_program,
)
from tests.ports import free_port

log = logging.getLogger(__name__)
PASSWORD = "a walk along the harbour"
ADMINISTRATOR = os.environ.get("LIVE_MOODLE_ADMIN", "")
pytestmark = [
    *NEEDS_MOODLE,
    pytest.mark.skipif(not ADMINISTRATOR, reason="LIVE TESTS SKIPPED: LIVE_MOODLE_ADMIN is not set"),
]


@dataclass
class Clock:
    """Seconds since the invitation was opened, by step."""

    began: float
    steps: dict[str, float]

    def mark(self, step: str) -> None:
        self.steps[step] = round(time.monotonic() - self.began, 1)
        log.info("after %5.1f s: %s", self.steps[step], step)


@dataclass(frozen=True, kw_only=True)
class Connecting:
    """A tool that no Moodle knows yet, and a new course with a teacher and a student."""

    world: World
    url: str
    admin: Page
    course_id: int
    copies: list[int] = field(default_factory=list)

    def copied(self) -> int:
        """Another course with the same activities and people."""
        made = administer(
            "core_course_duplicate_course",
            courseid=self.course_id,
            fullname="A copy",
            shortname=f"copy-{uuid4().hex[:8]}",
            categoryid=1,
            **{"options[0][name]": "users", "options[0][value]": 1},
        )
        enrol(made["id"])
        self.copies.append(made["id"])
        return int(made["id"])

    def courses_known(self) -> set[int]:
        """As launches have told the tool of them."""
        path = self.world.environment["SHARED_SESSIONS_DATABASE_URL"].removeprefix("sqlite:///")
        with closing(sqlite3.connect(path)) as database:
            return {int(row[0]) for row in database.execute("SELECT context_id FROM course")}


def administer(function: str, **values: object) -> Any:
    """One web service call as the administrator."""
    form = {"wstoken": os.environ["LIVE_MOODLE_ADMIN_TOKEN"], "moodlewsrestformat": "json", "wsfunction": function}
    answer = requests.post(f"{GIVEN['URL']}/webservice/rest/server.php", data=form | values, timeout=120).json()
    assert not (isinstance(answer, dict) and "exception" in answer), answer
    return answer


def enrol(course_id: int) -> None:
    for number, (role, role_id) in enumerate((("TEACHER", 3), ("STUDENT", 5))):
        names = {"roleid": role_id, "userid": person(role).user_id, "courseid": course_id}
        administer("enrol_manual_enrol_users", **{f"enrolments[{number}][{name}]": v for name, v in names.items()})


def new_course() -> int:
    names = {"fullname": "To be connected", "shortname": f"connect-{uuid4().hex[:8]}", "categoryid": 1}
    made = administer("core_course_create_courses", **{f"courses[0][{name}]": value for name, value in names.items()})
    enrol(made[0]["id"])
    return int(made[0]["id"])


@pytest.fixture(scope="module")
def connecting(
    tmp_path_factory: pytest.TempPathFactory, databases: Databases, browsers: Callable[[CookieMode], Browser]
) -> Iterator[Connecting]:
    folder = tmp_path_factory.mktemp("connecting")
    with databases.fresh("sqlite") as database_url:
        port = free_port()
        url = f"http://localhost:{port}"
        world = World(
            environment=make_environment(url, database_url), title="Connecting", calendar=folder / "series.ics"
        )
        world.tool("migrate")
        world.tool(
            "university", "add", "malta", "--name", "University of Malta", "--country", "MT",
            "--time-zone", "Europe/Malta",
        )  # fmt: skip
        world.calendar.write_bytes(_thirteen(datetime.now(UTC)))
        world.sync("series", "import", str(world.calendar), "--series", "live", "--title", "Live series")
        tool = start_program(folder, world, "lti-tool", "serve", "--port", str(port))
        worker = start_program(folder, world, "moodle-sync", "worker")
        context: BrowserContext = browsers("allowed").new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/readyz", tool)
            sign_in(page, Person(*ADMINISTRATOR.split(":")))
            made = Connecting(world=world, url=url, admin=page, course_id=new_course())
            yield made
            for course_id in (made.course_id, *made.copies):
                administer("core_course_delete_courses", **{"courseids[0]": course_id})
        finally:
            _delete_tools(page, url)
            context.close()
            worker.stop()
            tool.stop()


def test_from_the_invitation_to_a_green_board_and_launches_in_a_copied_course(
    connecting: Connecting, new_person: NewPerson
) -> None:
    console, link = _invited(connecting, new_person)
    clock = Clock(began=time.monotonic(), steps={})
    registration_link = _comes_in(console, link, connecting)
    clock.mark("the LMS administrator has chosen a password and found the link")
    type_id = _register(connecting, registration_link, clock)
    page = _page_of("TEACHER", new_person)
    series = _pick_series(page, connecting.course_id, type_id)
    clock.mark("the series is an activity of the course")
    shows_the_page_of("TEACHER", _open(page, series))
    picture(page, "first-launch")
    clock.mark("the teacher has opened it")
    _board_turns_green(console, connecting)
    clock.mark("the pre-flight board is green")
    assert clock.steps["the pre-flight board is green"] < 600

    sessions = _pick_sessions(page, connecting.course_id, type_id, ["Workshop 3", "Workshop 5", "Workshop 12"])
    clock.mark("three single sessions are activities, too")
    frame = _open(page, sessions[-1])
    expect(frame.get_by_role("heading", name="Workshop 12")).to_be_visible()
    student = _page_of("STUDENT", new_person)
    shows_the_page_of("STUDENT", _open(student, series))

    copy_id = connecting.copied()
    clock.mark("the course is copied")
    copied = _activities(page, copy_id)
    assert len(copied) == 4
    for module_id, heading in zip(copied, [None, "Workshop 3", "Workshop 5", "Workshop 12"], strict=True):
        frame = _open(page, module_id)
        shows_the_page_of("TEACHER", frame)
        if heading:
            expect(frame.get_by_role("heading", name=heading)).to_be_visible()
    picture(page, "copied-launch")
    assert connecting.courses_known() == {connecting.course_id, copy_id}
    _a_test_student_is_graded_and_nothing_is_left(connecting)


def _invited(connecting: Connecting, new_person: NewPerson) -> tuple[Page, str]:
    """The coordinator makes the link for the LMS and the account of its administrator; that person's browser, and the
    link that they were sent."""
    made = connecting.world.tool("admin", "create", "maria@example.org", "--name", "Maria", "--role", "coordinator")
    page = new_person("allowed").new_page()
    _choose_password(page, re.findall(r"http\S+/admin/set-up/\S+", made)[0], "maria@example.org")
    page.goto(f"{connecting.url}/admin/lms/malta/connect/")
    page.get_by_label("What registers by it works at once").check()
    page.get_by_role("button", name="Make a link").click()
    page.goto(f"{connecting.url}/admin/people/invite?university=malta")
    page.get_by_label("Name").fill("Rita Azzopardi")
    page.get_by_label("E-mail").fill("rita@example.org")
    page.get_by_role("radio", name="LMS administrator").check()
    page.get_by_role("button", name="Make the account and the link").click()
    text = page.locator("textarea").first.input_value()
    picture(page, "coordinator-link")
    return new_person("allowed").new_page(), re.findall(r"http\S+/admin/set-up/\S+", text)[0]


def _choose_password(page: Page, link: str, email: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(link)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password once more").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()


def _comes_in(page: Page, link: str, connecting: Connecting) -> str:
    """The link with which to register, as the LMS administrator finds it."""
    _choose_password(page, link, "rita@example.org")
    page.get_by_role("main").get_by_role("link", name="How your university's LMS does").click()
    page.get_by_role("link", name="Connect an LMS").click()
    picture(page, "lms-admin-connect")
    return page.get_by_label("Link for the LMS's administrator").input_value()


def _board_turns_green(page: Page, connecting: Connecting) -> None:
    page.goto(f"{connecting.url}/admin/lms/malta/malta/")
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_role("heading", level=2).first).to_have_text("Everything works", timeout=60_000)
    picture(page, "board")


def _a_test_student_is_graded_and_nothing_is_left(connecting: Connecting) -> None:
    """By number, as `lti-tool doctor` offers; the column that it makes is gone afterwards."""
    told = json.loads(connecting.world.tool("doctor", "malta", "--test-student", person("STUDENT").user_id, "--json"))
    outcomes = {check["code"]: check["outcome"] for check in told["platforms"][0]["checks"]}
    assert set(outcomes.values()) <= {"ok", "skipped"}, outcomes
    assert outcomes["test_score"] == "ok"
    items = administer("gradereport_user_get_grade_items", courseid=connecting.course_id)["usergrades"]
    names = {item["itemname"] for one in items for item in one["gradeitems"]}
    assert names.isdisjoint({"Shared Sessions test (may be deleted)"}), names


def _page_of(role: str, new_person: NewPerson) -> Page:
    context = new_person("allowed")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.set_viewport_size({"width": 1280, "height": 900})
    sign_in(page, person(role))
    return page


def _register(connecting: Connecting, link: str, clock: Clock) -> str:
    """Moodle's id of the tool."""
    page = connecting.admin
    page.goto(link)
    page.get_by_role("link", name="Moodle").click()
    picture(page, "register-start")
    page.goto(f"{GIVEN['URL']}/mod/lti/toolconfigure.php", wait_until="networkidle")
    page.fill("#tool-url", link)
    page.click("#tool-create-button")
    frame = page.frame_locator("#external-registration-page-container iframe")
    expect(frame.get_by_role("heading", name=re.compile("Connect Moodle"))).to_be_visible()
    picture(page, "register-asks")
    clock.mark("asked whether to connect")
    frame.get_by_role("button", name="Connect").press("Enter")
    expect(frame.get_by_role("heading", name="Moodle is connected")).to_be_visible()
    picture(page, "register-done")
    clock.mark("registered")
    client_id = frame.locator("dt:has-text('Client id') + dd").inner_text()
    frame.get_by_role("button", name="Close this page").dispatch_event("click")  # it takes its own frame away
    expect(page.locator("#external-registration-container")).to_be_hidden()
    card = page.locator(f".tool-card[data-clientid='{client_id}']")
    picture(page, "moodle-pending")
    card.get_by_text("Activate").click()
    expect(card.get_by_text("Active", exact=True)).to_be_visible()
    clock.mark("activated")
    card.locator("a.edit").click()
    page.get_by_label("Tool configuration usage", exact=True).select_option(
        label="Show in activity chooser and as a preconfigured tool"
    )
    picture(page, "moodle-usage")
    page.get_by_role("button", name="Save changes").click()
    expect(card).to_be_visible()
    clock.mark("shown in the activity chooser")
    type_id = card.get_attribute("data-type-id")
    assert type_id
    return type_id


def _begin_activity(page: Page, course_id: int, type_id: str) -> FrameLocator:
    """From the course's page to the tool's picker, as a teacher goes: activity chooser, then "Select content"."""
    page.goto(f"{GIVEN['URL']}/course/view.php?id={course_id}", wait_until="networkidle")
    page.get_by_role("checkbox", name="Edit mode").check()
    page.locator("[data-action='open-chooser']:not([data-beforemod])").first.click()
    page.locator(f".modchooser a[href*='typeid={type_id}']").first.click()
    page.wait_for_load_state("networkidle")  # before that, Moodle does not listen to the button
    page.get_by_role("button", name="Select content").click()
    picker = page.frame_locator(".modal iframe")
    expect(picker.get_by_role("heading", name="What would you like to add")).to_be_visible(timeout=PATIENCE_MS)
    return picker


def _pick_series(page: Page, course_id: int, type_id: str) -> str:
    """The course module that it has become."""
    picker = _begin_activity(page, course_id, type_id)
    picture(page, "picker")
    picker.get_by_role("button", name="Show what will be made").press("Enter")
    expect(picker.get_by_role("heading", name="This activity will be made")).to_be_visible(timeout=PATIENCE_MS)
    picture(page, "picker-made")
    picker.get_by_role("button", name="Add to my course").press("Enter")
    page.get_by_role("button", name="Save and return to course").click()
    (made,) = _activities(page, course_id)
    return made


def _pick_sessions(page: Page, course_id: int, type_id: str, titles: list[str]) -> list[str]:
    before = _activities(page, course_id)
    picker = _begin_activity(page, course_id, type_id)
    picker.get_by_role("radio", name="Single sessions").check()
    for title in titles:
        picker.get_by_role("checkbox", name=title).check()
    picker.get_by_role("button", name="Show what will be made").press("Enter")
    expect(picker.locator("#will-be-made li")).to_have_count(len(titles), timeout=PATIENCE_MS)
    picture(page, "picker-sessions")
    picker.get_by_role("button", name="Add to my course").press("Enter")
    page.get_by_role("button", name="Save and return to course").click()
    expect(page.locator("li.activity.modtype_lti")).to_have_count(len(before) + len(titles), timeout=PATIENCE_MS)
    picture(page, "course-with-sessions")
    return [made for made in _activities(page, course_id) if made not in before]


def _activities(page: Page, course_id: int) -> list[str]:
    """Course modules of our kind, in the order of the course."""
    page.goto(f"{GIVEN['URL']}/course/view.php?id={course_id}", wait_until="networkidle")
    ours = page.locator("li.activity.modtype_lti")
    return [str(one) for one in ours.evaluate_all("all => all.map(one => one.dataset.id)")]


def _open(page: Page, module_id: str) -> FrameLocator:
    page.goto(f"{GIVEN['URL']}/mod/lti/view.php?id={module_id}")
    return frame_of(page)


def _delete_tools(page: Page, url: str) -> None:
    """Also after a failure: a tool that is left behind would be asked about at the next registration."""
    page.goto(f"{GIVEN['URL']}/mod/lti/toolconfigure.php", wait_until="networkidle")
    page.evaluate(
        """async host => {
            const call = async (methodname, args) => {
                const answer = await fetch(`${M.cfg.wwwroot}/lib/ajax/service.php?sesskey=${M.cfg.sesskey}`, {
                    method: "POST", body: JSON.stringify([{index: 0, methodname, args}])});
                return (await answer.json())[0].data;
            };
            for (const tool of await call("mod_lti_get_tool_types", {})) {
                if (JSON.stringify(tool).includes(host)) await call("mod_lti_delete_tool_type", {id: tool.id});
            }
        }""",
        url.removeprefix("http://"),
    )


def _thirteen(now: datetime) -> bytes:
    start = now.replace(minute=0, second=0, microsecond=0) - timedelta(weeks=2)
    return calendar(*(entry(f"Workshop {n}", start + timedelta(weeks=n), uid=f"workshop-{n}") for n in range(13)))
