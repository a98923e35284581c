"""The real tool and worker, connected to the Moodle that the environment names; and what a person does there."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Frame, FrameLocator, Locator, Page, expect

from lms.moodle import Moodle
from lms.moodle_events import CalendarEvent
from sandbox_lms.demo_programs import Program, wait_until_ready
from tests.browser.cookie_modes import CookieMode
from tests.browser.world import VISIT, whose_visit
from tests.conftest import make_environment
from tests.waiting import until

NewPerson = Callable[[CookieMode], BrowserContext]
NAMES = ("URL", "TOKEN", "COURSE", "CLIENT_ID", "TOOL_PORT", "ACTIVITY", "TEACHER", "STUDENT")
GIVEN = {name: os.environ.get(f"LIVE_MOODLE_{name}") or "" for name in NAMES}
MISSING = [f"LIVE_MOODLE_{name}" for name, value in GIVEN.items() if not value]
DEPLOYMENT = os.environ.get("LIVE_MOODLE_DEPLOYMENT") or "1"
PICTURES = os.environ.get("LIVE_MOODLE_PICTURES")
BIN = Path(sys.executable).parent
PATIENCE_MS = 20_000  # for a whole launch on a busy machine

NEEDS_MOODLE = [
    pytest.mark.live,
    pytest.mark.skipif(bool(MISSING), reason=f"LIVE TESTS SKIPPED, no real Moodle is named: {', '.join(MISSING)}"),
]


@dataclass(frozen=True)
class Person:
    username: str
    password: str
    user_id: str


def person(role: str) -> Person:
    """TEACHER or STUDENT."""
    return Person(*GIVEN[role].split(":"))


def activity(container: str) -> str:
    """Course module id of the activity that opens embedded (""), in a new "WINDOW", in the "EXISTING" one; or skips."""
    name = f"LIVE_MOODLE_ACTIVITY_{container}" if container else "LIVE_MOODLE_ACTIVITY"
    module_id = os.environ.get(name)
    if not module_id:
        pytest.skip(f"LIVE TEST SKIPPED: {name} is not set")
    return module_id


@dataclass(frozen=True, kw_only=True)
class World:
    """A running tool and worker; a session that has just begun, and its teacher hosts it."""

    environment: dict[str, str]
    title: str
    calendar: Path

    def sync(self, *arguments: str) -> str:
        return self._run("moodle-sync", *arguments)

    def tool(self, *arguments: str) -> str:
        return self._run("lti-tool", *arguments)

    def whose(self, address: str) -> tuple[str, str]:
        """(university, sub) of the visit in this address."""
        return whose_visit(Path(self.environment["SHARED_SESSIONS_DATABASE_URL"].removeprefix("sqlite:///")), address)

    def _run(self, program: str, *arguments: str) -> str:
        """Once more where the worker is at it just now, as the command asks for."""
        done = until(lambda: self._done(program, *arguments), "the worker's own run to end", within_s=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _done(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str] | None:
        """None: the worker is at it."""
        done = subprocess.run(
            [BIN / program, *arguments],
            env=self.environment,
            input=GIVEN["TOKEN"],
            capture_output=True,
            text=True,
            check=False,
        )
        return None if "try again in a moment" in done.stderr else done


@contextmanager
def serve_world(
    folder: Path, database_url: str, moodle: Moodle, *, deployments: tuple[str, ...] = (DEPLOYMENT,)
) -> Iterator[World]:
    """All that an operator does before the first launch, by the real commands."""
    port = GIVEN["TOOL_PORT"]
    title = f"Trial & error < {uuid4().hex[:6]}"
    world = World(
        environment=make_environment(f"http://localhost:{port}", database_url),
        title=title,
        calendar=folder / "series.ics",
    )
    world.tool("migrate")  # makes the first key
    _register(world, moodle.base_url, deployments)
    world.calendar.write_bytes(calendar(entry(title, datetime.now(UTC) - timedelta(minutes=6))))
    world.sync("series", "import", str(world.calendar), "--series", "live", "--title", "Live", "--required", "1")
    world.sync(
        "connect", "malta", "--url", moodle.base_url, "--course", GIVEN["COURSE"], "--series", "live",
        "--token-file", "-",
    )  # fmt: skip
    world.sync("series", "host", "live", "--university", "malta", "--sub", person("TEACHER").user_id)
    with ExitStack() as stack:
        stack.callback(_clean, moodle, title)
        tool = start_program(folder, world, "lti-tool", "serve", "--port", port)
        stack.callback(tool.stop)
        worker = start_program(folder, world, "moodle-sync", "worker")
        stack.callback(worker.stop)
        wait_until_ready(f"http://127.0.0.1:{port}/readyz", tool)
        yield world


def _clean(moodle: Moodle, title: str) -> None:
    ours = [event.event_id for event in events(moodle) if title.split(" <", maxsplit=1)[0] in event.name]
    moodle.delete_calendar_events(ours)


def _register(world: World, url: str, deployments: tuple[str, ...]) -> None:
    world.tool(
        "university", "add", "malta", "--name", "University of Malta", "--country", "MT",
        "--time-zone", "Europe/Malta",
    )  # fmt: skip
    world.tool(
        "platform", "add", "malta", "--university", "malta", "--issuer", url, "--client-id", GIVEN["CLIENT_ID"],
        "--authorization-endpoint", f"{url}/mod/lti/auth.php", "--token-endpoint", f"{url}/mod/lti/token.php",
        "--jwks-uri", f"{url}/mod/lti/certs.php", *(word for one in deployments for word in ("--deployment", one)),
    )  # fmt: skip


def start_program(folder: Path, world: World, program: str, *arguments: str) -> Program:
    log = folder / f"{program}.log"
    with log.open("ab") as out:
        process = subprocess.Popen([BIN / program, *arguments], env=world.environment, stdout=out, stderr=out)
    return Program(name=program, process=process, log=log)


def calendar(*entries: list[str]) -> bytes:
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Shared Sessions//live test//EN"]
    return "\r\n".join([*head, *(line for entry in entries for line in entry), "END:VCALENDAR", ""]).encode()


def entry(title: str, start_at: datetime, *, uid: str = "now", status: str = "CONFIRMED") -> list[str]:
    """Of a calendar: its lines."""
    return [
        "BEGIN:VEVENT",
        f"UID:{uid}",
        "DTSTAMP:20260101T000000Z",
        f"DTSTART:{start_at:%Y%m%dT%H%M00Z}",
        f"DTEND:{start_at + timedelta(hours=2):%Y%m%dT%H%M00Z}",
        f"SUMMARY:{title}",
        f"STATUS:{status}",
        "DESCRIPTION:Hosting university: University of Malta",
        "END:VEVENT",
    ]


def events(moodle: Moodle) -> tuple[CalendarEvent, ...]:
    now = datetime.now(UTC)
    return moodle.calendar_events(int(GIVEN["COURSE"]), from_at=now - timedelta(days=2), to_at=now + timedelta(days=9))


def has_sent(world: World) -> bool:
    return "delivered" in world.sync("deliveries", "list")


# In Moodle


def sign_in(page: Page, who: Person) -> None:
    for _ in range(2):  # the first visit's pictures may each begin a session of their own, and only the last one counts
        page.goto(f"{GIVEN['URL']}/login/index.php", wait_until="networkidle")
    page.fill("#username", who.username)
    page.fill("#password", who.password)
    page.press("#password", "Enter")
    expect(page).not_to_have_url(re.compile("/login/"), timeout=PATIENCE_MS)


def link_in_course(page: Page, module_id: str) -> Locator:
    """The link to this activity, in the page of the course, which it opens."""
    page.goto(f"{GIVEN['URL']}/course/view.php?id={GIVEN['COURSE']}")
    return page.locator(f"#module-{module_id} a[href*='/mod/lti/view.php?id={module_id}']").first


def frame_of(page: Page) -> FrameLocator:
    return page.frame_locator("iframe#contentframe")


def open_in_frame(page: Page) -> FrameLocator:
    """The tool's frame in the page of the embedded activity, whatever it shows."""
    page.goto(f"{GIVEN['URL']}/mod/lti/view.php?id={GIVEN['ACTIVITY']}")
    return frame_of(page)


# In the tool. Keys instead of clicks in a frame: Moodle moves it once it is loaded, and a click would miss.


def shows_the_page_of(role: str, place: Page | Frame | FrameLocator) -> None:
    """The visit of the teacher or of the student, whichever session it is about."""
    words = "you are here as a teacher" if role == "TEACHER" else "you are here as a student"
    expect(place.get_by_text(words)).to_be_visible(timeout=PATIENCE_MS)


def new_tab_control(place: FrameLocator) -> Locator:
    return place.locator("a, button").filter(has_text="Open in a new tab")


def open_check_in(frame: FrameLocator) -> str:
    """The code that the host is shown."""
    frame.get_by_role("link", name="You host this session").press("Enter")
    opener = frame.get_by_role("button", name="Open the check-in")
    expect(opener.or_(frame.locator(".code-large"))).to_be_visible(timeout=PATIENCE_MS)
    if opener.count():  # else it has opened by itself
        opener.press("Enter")
    return frame.locator(".code-large").inner_text()


def check_in(frame: FrameLocator, code: str) -> None:
    frame.get_by_label("The six digits").fill(code)
    frame.get_by_role("button", name="Check in").press("Enter")
    expect(frame.get_by_role("status")).to_contain_text("You are checked in")


def visit_in(page: Page) -> str:
    """The address of the tool's frame or tab, after it has shown the visit."""
    return next(frame.url for frame in page.frames if VISIT.search(frame.url))


def picture(page: Page, name: str) -> None:
    """At 1280 and 320 px, into the folder LIVE_MOODLE_PICTURES, if there is one.

    Last in a test, or before the page is left: Moodle moves its parts about for a while after the width has changed.
    """
    if PICTURES is None:
        return
    Path(PICTURES).mkdir(parents=True, exist_ok=True)
    before = page.viewport_size
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 900})
        if (
            width < 1280
        ):  # Moodle lays its open course index over the page, and only a page that is loaded so has it shut
            page.locator(".drawer").evaluate_all("all => all.forEach(one => { one.style.display = 'none' })")
        page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png")
    if before is not None:
        page.set_viewport_size(before)
