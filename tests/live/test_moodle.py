"""The tool and the worker against a real Moodle, with a real browser. See README.md for what it needs."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from config.settings import is_loopback_host
from lms.guarded import GuardedSession
from lms.moodle import Moodle
from lms.moodle_events import CalendarEvent, EventDraft
from tests.browser.conftest import browser
from tests.databases import Databases
from tests.waiting import until

__all__ = ["browser"]

NAMES = ("URL", "TOKEN", "COURSE", "CLIENT_ID", "TOOL_PORT", "ACTIVITY", "TEACHER", "STUDENT")
GIVEN = {name: os.environ.get(f"LIVE_MOODLE_{name}") for name in NAMES}
MISSING = [f"LIVE_MOODLE_{name}" for name, value in GIVEN.items() if not value]
BIN = Path(sys.executable).parent

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(bool(MISSING), reason=f"LIVE TESTS SKIPPED, no real Moodle is named: {', '.join(MISSING)}"),
]


@dataclass(frozen=True)
class Person:
    username: str
    password: str
    user_id: str


@dataclass(frozen=True, kw_only=True)
class World:
    """A running tool and worker, connected to the Moodle; a session that has just begun."""

    environment: dict[str, str]
    title: str
    calendar: Path

    def sync(self, *arguments: str) -> str:
        done = subprocess.run(
            [BIN / "moodle-sync", *arguments],
            env=self.environment,
            input=GIVEN["TOKEN"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def moodle() -> Iterator[Moodle]:
    url = GIVEN["URL"] or ""
    assert is_loopback_host(urlsplit(url).hostname or ""), "only a Moodle on this computer"
    with GuardedSession(allowed_networks=(), allow_loopback=True) as http:
        yield Moodle(http=http, base_url=url, token=GIVEN["TOKEN"] or "")


@pytest.fixture
def world(tmp_path: Path, databases: Databases, moodle: Moodle) -> Iterator[World]:
    with ExitStack() as stack:
        port = GIVEN["TOOL_PORT"] or ""
        environment = _environment(stack.enter_context(databases.fresh("sqlite")), port)
        _lti_tool(environment, "migrate")
        _lti_tool(
            environment, "university", "add", "malta", "--name", "University of Malta",
            "--country", "MT", "--time-zone", "Europe/Malta",
        )  # fmt: skip
        _lti_tool(
            environment, "platform", "add", "malta", "--university", "malta", "--issuer", moodle.base_url,
            "--client-id", GIVEN["CLIENT_ID"] or "", "--deployment", "1",
            "--authorization-endpoint", f"{moodle.base_url}/mod/lti/auth.php",
            "--token-endpoint", f"{moodle.base_url}/mod/lti/token.php",
            "--jwks-uri", f"{moodle.base_url}/mod/lti/certs.php",
        )  # fmt: skip
        world = World(
            environment=environment, title=f"Trial & error < {uuid4().hex[:6]}", calendar=tmp_path / "series.ics"
        )
        world.calendar.write_bytes(_calendar(world.title, datetime.now(UTC) - timedelta(minutes=6)))
        world.sync("series", "import", str(world.calendar), "--series", "live", "--title", "Live", "--required", "1")
        world.sync(
            "connect", "malta", "--url", moodle.base_url, "--course", GIVEN["COURSE"] or "",
            "--series", "live", "--token-file", "-",
        )  # fmt: skip
        world.sync("series", "host", "live", "--university", "malta", "--sub", _person("TEACHER").user_id)
        for command in (("lti-tool", "serve", "--port", port), ("moodle-sync", "worker")):
            process = subprocess.Popen([BIN / command[0], *command[1:]], env=environment, stderr=subprocess.DEVNULL)
            stack.callback(process.wait, 30)
            stack.callback(process.terminate)
        yield world
        ours = [event.event_id for event in _events(moodle) if world.title.split(" <")[0] in event.name]
        moodle.delete_calendar_events(ours)


def test_an_event_is_made_changed_and_deleted(moodle: Moodle) -> None:
    start_at = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(days=1)
    draft = EventDraft(
        course_id=int(GIVEN["COURSE"] or 0),
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
    world.calendar.write_bytes(_calendar(world.title, later, uid="later"))
    world.sync("run", "calendar")
    world.sync("run", "mirror")
    assert len(_named(moodle, world.title)) == 2
    world.calendar.write_bytes(_calendar(world.title, later, uid="later", status="CANCELLED"))
    world.sync("run", "calendar")
    world.sync("run", "mirror")
    assert any(event.startswith("CANCELLED: ") for event in _named(moodle, world.title))


def test_from_the_launch_to_the_gradebook(world: World, browser: Browser) -> None:
    host = browser.new_context(timezone_id="Europe/Malta").new_page()
    frame = _open(host, _person("TEACHER"))
    expect(frame.locator("#main h1")).to_have_text(world.title)
    frame.get_by_role("link", name="You host this session").click()
    frame.get_by_role("button", name="Open the check-in").click()
    code = frame.locator(".code-large").inner_text()

    student = browser.new_context(timezone_id="Europe/Malta").new_page()
    frame = _open(student, _person("STUDENT"))
    frame.get_by_label("The six digits").fill(code)
    frame.get_by_role("button", name="Check in").click()
    expect(frame.get_by_role("status")).to_contain_text("You are checked in")
    until(lambda: "delivered" in world.sync("deliveries", "list"), "the delivery", within_s=30)
    student.goto(f"{GIVEN['URL']}/grade/report/user/index.php?id={GIVEN['COURSE']}")
    expect(student.locator("table.user-grade")).to_contain_text("100.00")

    host.goto(f"{GIVEN['URL']}/mod/lti/view.php?id={GIVEN['ACTIVITY']}")
    frame = host.frame_locator("iframe#contentframe")
    frame.get_by_role("link", name="My course").click()
    expect(frame.locator("#own-count")).to_contain_text("1 of")


def _open(page: Page, person: Person) -> FrameLocator:
    for _ in range(2):  # the first visit's pictures may each begin a session of their own, and only the last one counts
        page.goto(f"{GIVEN['URL']}/login/index.php", wait_until="networkidle")
    page.fill("#username", person.username)
    page.fill("#password", person.password)
    page.press("#password", "Enter")
    expect(page).not_to_have_url(re.compile("/login/"), timeout=20_000)
    page.goto(f"{GIVEN['URL']}/mod/lti/view.php?id={GIVEN['ACTIVITY']}")
    frame = page.frame_locator("iframe#contentframe")
    expect(frame.locator("#main h1")).to_be_visible(timeout=20_000)
    return frame


def _events(moodle: Moodle) -> tuple[CalendarEvent, ...]:
    now = datetime.now(UTC)
    return moodle.calendar_events(
        int(GIVEN["COURSE"] or 0), from_at=now - timedelta(days=2), to_at=now + timedelta(days=9)
    )


def _named(moodle: Moodle, title: str) -> list[str]:
    return [event.name for event in _events(moodle) if event.name.endswith(title)]


def _calendar(title: str, start_at: datetime, *, uid: str = "now", status: str = "CONFIRMED") -> bytes:
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Shared Sessions//live test//EN",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        "DTSTAMP:20260101T000000Z",
        f"DTSTART:{start_at:%Y%m%dT%H%M00Z}",
        f"DTEND:{start_at + timedelta(hours=2):%Y%m%dT%H%M00Z}",
        f"SUMMARY:{title}",
        f"STATUS:{status}",
        "DESCRIPTION:Hosting university: University of Malta",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    return "\r\n".join(lines).encode()


def _person(role: str) -> Person:
    return Person(*(GIVEN[role] or "").split(":"))


def _lti_tool(environment: dict[str, str], *arguments: str) -> None:
    subprocess.run([BIN / "lti-tool", *arguments], env=environment, check=True, capture_output=True)


def _environment(database_url: str, port: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SHARED_SESSIONS_")}
    return kept | {
        "SHARED_SESSIONS_PUBLIC_URL": f"http://localhost:{port}",
        "SHARED_SESSIONS_DATABASE_URL": database_url,
        "SHARED_SESSIONS_SECRET_KEY": "a test's secret key, long enough for all",
        "SHARED_SESSIONS_ENCRYPTION_KEY": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",
    }
