"""The instructor's pages with something of everything on them, and long names: the part of `make screenshots` that has
a course of its own."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.full_course import TEACHER, collect_from, fill, fill_others, people, pool_by_month
from tests.browser.world import World, serve_world

Take = Callable[[str, Callable[[Page], object]], None]


def tour_of_a_full_course(folder: Path, take: Take, page: Page) -> None:
    """`take`: pictures at every width. `page`: in which the teacher comes."""
    folder.mkdir()
    with serve_world(folder, {"plain": {"people": people()}}) as world:
        address = _teachers_course(page, world)
        filled = fill(world.database)
        key = (folder / "encryption-key").read_text().strip().encode()
        cookies = page.context.cookies()

        def open_as_teacher(path: str, page: Page) -> None:
            page.context.add_cookies(cookies)
            page.goto(f"{address}{path}")

        person = f"people/{filled.person}/"
        for name, path in {
            "people": "",
            "person": person,
            "record": f"{person}sessions/{filled.over}/",
            "withdraw": f"{person}facts/{filled.fact}/withdraw",
            "class": f"sessions/{filled.over}/confirm?all=1",
            "grades": "grades/",
            "inbox": "inbox/",
            "count": "count",
            "announcements": "announcements/",
            "series-not-counted": "series/",
            "audience": "audience",
        }.items():
            take(f"course-{name}", partial(open_as_teacher, path))
        fill_others(world.database)
        take("course-series", partial(open_as_teacher, "series/"))
        pool_by_month(world.database)
        take("course-series-by-month", partial(open_as_teacher, "series/"))
        take("course-activities-not-connected", partial(open_as_teacher, "activities/"))
        cmid = collect_from(world.database, world.campus("plain"), encryption_key=key)
        take("course-waits", partial(open_as_teacher, ""))
        take("course-activities", partial(open_as_teacher, "activities/"))
        take("course-activity-refused", lambda page: _choose_nothing(page, partial(open_as_teacher, "activities/")))
        take("course-activity-remove", partial(open_as_teacher, f"activities/{cmid}/remove"))
        take("course-count-effect", lambda page: _show_effect(page, partial(open_as_teacher, "count")))
        page.context.close()


def _teachers_course(page: Page, world: World) -> str:
    """The address of the course's first page, in a tab of its own."""
    form: dict[str, str | float | bool] = {"username": TEACHER.username, "password": TEACHER.password}
    page.context.request.post(f"{world.campus('plain').url}/sign-in", form=form, max_redirects=0)
    page.goto(f"{world.campus('plain').url}/launch/2")
    page.get_by_role("link", name="My course").click()
    page.locator("#own-count").wait_for()
    return page.url


def _show_effect(page: Page, open_count: Callable[[Page], None]) -> None:
    open_count(page)
    page.get_by_label("How many sessions").fill("4")
    page.get_by_role("button", name="Show what it would change").click()


def _choose_nothing(page: Page, open_activities: Callable[[Page], None]) -> None:
    open_activities(page)
    page.get_by_role("button", name="Save").first.click()
