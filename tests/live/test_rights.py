"""What a person may demand, beside a real Moodle: it goes on listing who had themselves erased here, and nobody comes
back by that; who objects has no grade sent until they take it back."""

import json
from typing import Any

from playwright.sync_api import FrameLocator, Page, expect

from tests.live.world import (
    NEEDS_MOODLE,
    NewPerson,
    World,
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


def test_dpo_12_who_was_erased_is_not_taken_in_again_by_moodles_list(world: World, new_person: NewPerson) -> None:
    teacher, frame = _open(new_person, "TEACHER")
    code = open_check_in(frame)
    page, frame = _open(new_person, "STUDENT")
    check_in(frame, code)
    until(lambda: has_sent(world), "the delivery", within_s=30)

    frame = _my_data(frame)
    picture(page, "my-data")
    frame.get_by_role("link", name="Erase everything").press("Enter")
    frame.get_by_role("checkbox").check()
    frame.get_by_role("button", name="Erase everything").press("Enter")
    expect(frame.get_by_role("status")).to_contain_text("Nothing that was held about you here is left")
    picture(page, "my-data-erased")
    assert _deliveries(world) == []

    world.sync("run", "rosters")
    frame = open_in_frame(teacher)
    frame.get_by_role("link", name="My course").press("Enter")
    expect(frame.locator("#own-count")).to_contain_text("0 of")
    picture(teacher, "course-with-an-erased-person")

    frame = open_in_frame(page)
    expect(frame.get_by_role("heading", name="Start again?")).to_be_visible()
    picture(page, "start-again")
    frame.get_by_role("button", name="Start again").press("Enter")
    shows_the_page_of("STUDENT", frame)
    check_in(frame, code)
    until(lambda: has_sent(world), "the new delivery", within_s=30)


def test_dpo_13_who_objects_has_no_grade_sent_until_they_take_it_back(world: World, new_person: NewPerson) -> None:
    _, frame = _open(new_person, "TEACHER")
    code = open_check_in(frame)
    page, frame = _open(new_person, "STUDENT")
    frame = _my_data(frame)
    frame.get_by_role("button", name="Object", exact=True).press("Enter")
    expect(frame.get_by_role("status")).to_contain_text("You have objected")
    frame = open_in_frame(page)
    check_in(frame, code)
    world.sync("run", "deliver")
    assert not has_sent(world)
    frame = _my_data(frame)
    frame.get_by_role("button", name="Take my objection back").press("Enter")
    expect(frame.get_by_role("status")).to_contain_text("taken back")
    until(lambda: has_sent(world), "the delivery", within_s=30)


def _open(new_person: NewPerson, role: str) -> tuple[Page, FrameLocator]:
    page = new_person("partitioned").new_page()
    sign_in(page, person(role))
    frame = open_in_frame(page)
    shows_the_page_of(role, frame)
    return page, frame


def _my_data(frame: FrameLocator) -> FrameLocator:
    frame.get_by_role("link", name="My data").press("Enter")
    expect(frame.get_by_role("heading", name="My data")).to_be_visible()
    return frame


def _deliveries(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(world.sync("deliveries", "list", "--json"))
    return found
