"""The coordinator's plan, partners, results and rule: the part of `make screenshots` that a member of staff sees."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from playwright.sync_api import Page

from tests.browser.conftest import Demo
from tests.browser.rights_tour import Take, tour_of_borders
from tests.waiting import until

PASSWORD = "a pretend coordinator's password"
LONG = "Mathematisch-naturwissenschaftliche Unterrichtsentwicklung: Διαπολιτισμικές προσεγγίσεις της ενέργειας"


def tour_of_the_coordinator(demo: Demo, take: Take, page: Page) -> None:
    """`take`: pictures at every width. `page`: in which somebody signs in once, because tries are counted; then
    the same cookies in each browser."""
    page.goto(demo.url)
    page.get_by_role("link", name="Choose the coordinator's password").click()
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    page.get_by_label("E-mail").fill("coordinator@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    cookies = page.context.cookies()
    plan = f"{demo.tool}/coordinator/series/sample/"
    (calendar,) = demo.folder.glob("*/series.ics")
    as_it_was = calendar.read_bytes()
    calendar.write_bytes(
        re.sub(rb"(?<=\nSUMMARY:).*", LONG.encode(), as_it_was, count=12).replace(b"T160000", b"T170000")
    )

    def waits() -> bool:
        page.goto(plan)
        return page.get_by_text("Changes wait for your yes").count() > 0

    until(waits, "the change is held", within_s=60)
    edit = page.locator(".plan a").last.get_attribute("href")
    _cancel_by_hand(page, f"{demo.tool}{edit}")

    def open_as_coordinator(address: str, page: Page) -> None:
        page.context.add_cookies(cookies)
        page.goto(address)

    page.goto(plan)
    page.get_by_label("Passphrase that opens").fill("quiet mountain lake")
    page.get_by_role("button", name="Save the passphrase").click()
    moved = page.locator(".plan li", has_text="Moved").first.locator("a").get_attribute("href")
    page.goto(f"{plan}table/")
    ahead = datetime.now(UTC) + timedelta(weeks=30)
    rows = [("Date", "Start", "End", "Title", "Room"), (f"{ahead:%Y-%m-%d}", "16:00", "18:00", LONG, "12")]
    page.get_by_label("Pasted from a spreadsheet").fill("\n".join("\t".join(row) for row in rows))
    page.get_by_role("button", name="Show what it would change").click()
    page.get_by_text("It would change").wait_for()
    table = page.url
    for name, address in {
        "staff-home": f"{demo.tool}/admin/",
        "staff-plan": plan,
        "staff-held": f"{plan}held",
        "staff-session": f"{demo.tool}{edit}",
        "staff-add": f"{plan}sessions/add",
        "staff-rehearse": f"{plan}sessions/rehearse",
        "staff-table": f"{plan}table/",
        "staff-table-read": table,
        "staff-table-held": f"{plan}held",
        "staff-password": f"{demo.tool}/admin/password",
        "staff-partners": f"{demo.tool}/admin/partners/",
        "staff-partner": f"{demo.tool}/admin/partners/malta/",
        "staff-partner-add": f"{demo.tool}/admin/partners/add",
        "staff-people": f"{demo.tool}/admin/people/",
        "staff-people-invite": f"{demo.tool}/admin/people/invite",
        "staff-record": f"{demo.tool}/admin/audit/",
        "staff-person": f"{demo.tool}/admin/people/1/",
        "staff-lms-all": f"{demo.tool}/admin/lms/",
        "staff-lms": f"{demo.tool}/admin/lms/malta/",
        "staff-lms-page": f"{demo.tool}/admin/lms/malta/malta/",
        "staff-lms-switch-off": f"{demo.tool}/admin/lms/malta/malta/deployments/1/switch-off",
        "staff-connect": f"{demo.tool}/admin/lms/malta/connect/",
        "staff-connect-by-hand": f"{demo.tool}/admin/lms/malta/connect/manual",
        "staff-moodle-all": f"{demo.tool}/admin/moodle/",
        "staff-moodle": f"{demo.tool}/admin/moodle/malta/",
        "staff-moodle-runs": f"{demo.tool}/admin/moodle/malta/runs/mirror",
        "staff-results": f"{plan}results/",
        "staff-report": f"{plan}report/",
        "staff-rule": f"{plan}rule/",
        "staff-rule-session": f"{plan}rule/{str(moved).rpartition('/')[2]}/",
    }.items():
        take(name, partial(open_as_coordinator, address))
    tour_of_borders(demo, open_as_coordinator, take, page)
    moodle = f"{demo.tool}/admin/moodle/malta/connection/"
    for name, path in {"": "", "-set-up": "completions/", "-course": "course/", "-disconnect": "disconnect"}.items():
        take(f"staff-connection{name}", partial(open_as_coordinator, moodle + path), whole=True)
    open_rule = partial(open_as_coordinator, f"{plan}rule/")
    for name, required in {"staff-rule-effect": "4", "staff-rule-refused": "99"}.items():
        take(name, partial(_effect_of_a_rule, open_rule, required))
    for name, session in {"public-moved": moved, "public-cancelled": edit}.items():
        public = f"{demo.tool}/s/{str(session).rpartition('/')[2]}"
        take(name, partial(Page.goto, url=public))
    take("staff-sign-in", lambda page: page.goto(f"{demo.tool}/admin/sign-in"))
    calendar.write_bytes(as_it_was)
    page.context.close()


def _effect_of_a_rule(open_rule: Callable[[Page], None], required: str, page: Page) -> None:
    open_rule(page)
    for way in ("The check-in code together with presence", "Watching the recording"):
        page.get_by_role("checkbox", name=way).check()
    page.get_by_label("Sessions that complete it").fill(required)
    page.get_by_role("button", name="Show what this changes").click()
    page.get_by_role("heading", name="What this changes").or_(page.get_by_role("alert")).wait_for()


def _cancel_by_hand(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Cancel the session").click()
    page.get_by_text("Saved.").wait_for()
