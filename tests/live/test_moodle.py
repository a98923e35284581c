"""The tool and the worker against a real Moodle, with a real browser. See README.md for what it needs."""

import json
from datetime import UTC, datetime, timedelta

from playwright.sync_api import FrameLocator, Page, expect

from lms.moodle import Moodle
from lms.moodle_events import EventDraft
from tests.live.world import (
    DEPLOYMENT,
    GIVEN,
    NEEDS_MOODLE,
    PATIENCE_MS,
    NewPerson,
    World,
    calendar,
    check_in,
    entry,
    events,
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


def test_an_event_is_made_changed_and_deleted(moodle: Moodle) -> None:
    start_at = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(days=1)
    draft = EventDraft(
        course_id=int(GIVEN["COURSE"]),
        name="Client trial <b>",
        description="<p>x</p>",
        start_at=start_at,
        duration_minutes=90,
    )
    (event_id,) = moodle.create_calendar_events([draft])
    assert isinstance(event_id, int)
    moved = EventDraft(
        course_id=draft.course_id,
        name="Client trial, moved",
        description="<p>x</p>",
        start_at=start_at + timedelta(hours=1),
        duration_minutes=90,
    )
    moodle.update_calendar_event(event_id, moved)
    (event,) = moodle.calendar_events_by_ids([event_id])
    assert (event.name, event.start_at) == (moved.name, moved.start_at)
    moodle.delete_calendar_events([event_id])
    assert moodle.calendar_events_by_ids([event_id]) == ()


def test_the_mirror_follows_the_calendar(world: World, moodle: Moodle) -> None:
    until(lambda: _named(moodle, world.title), "the event in Moodle", within_s=30)
    assert "nothing to do" in world.sync("run", "mirror")
    # A session that has begun is never changed by its calendar; a later one is.
    later = datetime.now(UTC) + timedelta(days=3)
    world.calendar.write_bytes(calendar(entry(world.title, later, uid="later")))
    world.sync("run", "calendar")
    world.sync("run", "mirror")
    assert len(_named(moodle, world.title)) == 2
    world.calendar.write_bytes(calendar(entry(world.title, later, uid="later", status="CANCELLED")))
    world.sync("run", "calendar")
    world.sync("run", "mirror")
    assert any(event.startswith("CANCELLED: ") for event in _named(moodle, world.title))


def test_from_the_launch_to_the_gradebook(world: World, new_person: NewPerson) -> None:
    host, frame = _open(new_person, "TEACHER")
    expect(frame.locator("#main h1")).to_have_text(world.title)
    code = open_check_in(frame)
    student, frame = _open(new_person, "STUDENT")
    check_in(frame, code)
    until(lambda: has_sent(world), "the delivery", within_s=30)
    student.goto(f"{GIVEN['URL']}/grade/report/user/index.php?id={GIVEN['COURSE']}")
    expect(student.locator("table.user-grade")).to_contain_text("100.00")

    frame = open_in_frame(host)
    frame.get_by_role("link", name="My course").click()
    expect(frame.locator("#own-count")).to_contain_text("1 of")


def test_a_check_in_after_all_keys_were_replaced_at_once_reaches_the_gradebook(
    world: World, new_person: NewPerson
) -> None:
    host, frame = _open(new_person, "TEACHER")
    frame.get_by_role("link", name="My course").click()
    # Moodle has checked the signature of the old key for this, and keeps its copy of our key set.
    expect(frame.get_by_role("table", name="Students of your course")).to_be_visible()
    world.tool("keys", "rotate", "--at-once", "--yes")
    code = open_check_in(open_in_frame(host))
    _, frame = _open(new_person, "STUDENT")
    check_in(frame, code)
    until(lambda: has_sent(world), "the delivery", within_s=30)


def test_a_disabled_deployment_refuses_until_it_is_approved_again(world: World, new_person: NewPerson) -> None:
    page, frame = _open(new_person, "STUDENT")
    shows_the_page_of("STUDENT", frame)
    world.tool("deployment", "disable", "malta", DEPLOYMENT)
    _is_refused(open_in_frame(page), "deployment_disabled")
    picture(page, "disabled-in-frame")
    assert "deployment_disabled" in world.tool("platform", "show", "malta")
    world.tool("deployment", "approve", "malta", DEPLOYMENT)
    shows_the_page_of("STUDENT", open_in_frame(page))


def test_an_unknown_deployment_waits_with_its_course_for_approval(
    world_without_deployment: World, new_person: NewPerson
) -> None:
    world = world_without_deployment
    page, frame = _open(new_person, "TEACHER")
    _is_refused(frame, "deployment_pending")
    picture(page, "pending-in-frame")
    page.goto(f"{GIVEN['URL']}/course/view.php?id={GIVEN['COURSE']}")
    course_title = page.locator("h1").first.inner_text()
    (pending,) = json.loads(world.tool("platform", "show", "malta", "--json"))["deployments"]
    assert (pending["deployment_id"], pending["state"]) == (DEPLOYMENT, "pending")
    assert pending["first_course"] == course_title
    assert f"the course “{course_title}”" in world.tool("platform", "show", "malta")
    world.tool("deployment", "approve", "malta", DEPLOYMENT)
    shows_the_page_of("TEACHER", open_in_frame(page))


def _open(new_person: NewPerson, role: str) -> tuple[Page, FrameLocator]:
    """The embedded activity, as this person sees it for the first time in a browser of their own."""
    page = new_person("partitioned").new_page()
    sign_in(page, person(role))
    return page, open_in_frame(page)


def _is_refused(frame: FrameLocator, code: str) -> None:
    expect(frame.get_by_role("heading", name="This launch did not work")).to_be_visible(timeout=PATIENCE_MS)
    expect(frame.get_by_text(f"({code})")).to_be_attached()  # folded away, for the administrator


def _named(moodle: Moodle, title: str) -> list[str]:
    return [event.name for event in events(moodle) if event.name.endswith(title)]
