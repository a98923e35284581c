"""Two real Moodles as two universities of one series, whose worker is run by its commands; no browser, no tool."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from config.clock import Clock
from lms.guarded import GuardedSession
from lms.moodle import Moodle
from lms.moodle_events import CalendarEvent
from series.moodle_jobs import LATE_EFFECT, Level
from series.store.database import Database
from series.store.keys import add_tool_key
from series.store.tables import moodle_connection
from tests.clocks import move_clock
from tests.conftest import make_environment
from tests.integration.sandbox_client import TOOL_KEY
from tests.live.proxy import Proxy
from tests.live.world import BIN
from tests.seeds import ENCRYPTION_KEY

NAMES = ("URL", "TOKEN", "COURSE", "ADMIN_TOKEN", "STUDENT_TOKEN", "STUDENT", "PAGE_MANUAL", "ACTIVITY", "CLIENT_ID")
PREFIXES = {"first": "LIVE_MOODLE_", "second": "LIVE_MOODLE2_"}
GIVEN = {slug: {name: os.environ.get(prefix + name, "") for name in NAMES} for slug, prefix in PREFIXES.items()}
MISSING = [PREFIXES[slug] + name for slug, given in GIVEN.items() for name, value in given.items() if not value]
NEEDS_TWO_SITES = [
    pytest.mark.live,
    pytest.mark.skipif(
        bool(MISSING), reason=f"LIVE TESTS SKIPPED, no two real Moodles are named: {', '.join(MISSING)}"
    ),
]
SESSIONS = 13


@dataclass(frozen=True, kw_only=True)
class Site:
    """One Moodle: as our service account, its administrator and one student see it."""

    slug: str
    course_id: int
    student_id: str
    page_cmid: int
    activity_cmid: int
    service: Moodle
    admin: Moodle
    student: Moodle

    def events(self, title: str) -> list[CalendarEvent]:
        """Those of the course that are named after this series, by their start."""
        now = datetime.now(UTC)
        found = self.service.calendar_events(
            self.course_id, from_at=now - timedelta(days=2), to_at=now + timedelta(days=150)
        )
        return sorted((event for event in found if title in event.name), key=lambda event: event.start_at)


@dataclass(frozen=True, kw_only=True)
class TwoSites:
    """A series of thirteen future sessions, and both universities registered; nothing is connected yet."""

    environment: dict[str, str] = field(repr=False)
    database: Database
    title: str
    calendar: Path
    clock: Path
    sites: dict[str, Site]

    def run(self, *arguments: str, stdin: str = "", program: str = "moodle-sync") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [BIN / program, *arguments], env=self.environment, input=stdin, capture_output=True, text=True, check=False
        )

    def succeeds(self, *arguments: str, stdin: str = "", program: str = "moodle-sync") -> str:
        done = self.run(*arguments, stdin=stdin, program=program)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def connect(self, slug: str, level: Level) -> str:
        given = GIVEN[slug]
        return self.succeeds(
            "connect", slug, "--url", given["URL"], "--level", level.value, "--course", given["COURSE"],
            "--series", "live", "--token-file", "-", stdin=given["TOKEN"],
        )  # fmt: skip

    def connect_both(self, level: Level = Level.CALENDAR) -> None:
        for slug in self.sites:
            self.connect(slug, level)

    def write_calendar(self, **changes: dict[str, str]) -> None:
        """The thirteen sessions; `changes` by uid replace lines of one."""
        start_at = datetime.now(UTC).replace(hour=15, minute=0, second=0, microsecond=0) + timedelta(days=3)
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Shared Sessions//live test//EN"]
        for number in range(SESSIONS):
            starts = start_at + timedelta(days=7 * number)
            event = {
                "UID": f"s{number}",
                "DTSTAMP": "20260101T000000Z",
                "DTSTART": f"{starts:%Y%m%dT%H%M00Z}",
                "DTEND": f"{starts + timedelta(hours=2):%Y%m%dT%H%M00Z}",
                "SUMMARY": f"{self.title} {number + 1}: cells & <atoms>",
                "STATUS": "CONFIRMED",
                **changes.get(f"s{number}", {}),
            }
            lines += ["BEGIN:VEVENT", *(f"{name}:{value}" for name, value in event.items()), "END:VEVENT"]
        self.calendar.write_bytes("\r\n".join([*lines, "END:VCALENDAR", ""]).encode())

    def later(self, by: timedelta = LATE_EFFECT + timedelta(minutes=1)) -> None:
        """Move the clock of our programs."""
        move_clock(Clock(offset_file=self.clock), by=by)

    @contextmanager
    def through(self, slug: str) -> Iterator[Proxy]:
        """Our programs reach this Moodle by a proxy."""
        real = GIVEN[slug]["URL"]
        with Proxy(real) as proxy:
            self._set_address(real, proxy.url)
            try:
                yield proxy
            finally:
                self._set_address(proxy.url, real)

    def _set_address(self, before: str, after: str) -> None:
        with self.database.write() as connection:
            connection.execute(
                sa.update(moodle_connection).where(moodle_connection.c.base_url == before).values(base_url=after)
            )

    def killed_in(self, proxy: Proxy, function: str, moment: Any, *arguments: str) -> None:
        """A command that is ended by `kill -9` while its call of `function` is under way."""
        proxy.hold(function, moment)
        process = subprocess.Popen(
            [BIN / "moodle-sync", *arguments], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            assert proxy.wait_until_held(), process.communicate(timeout=30)
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        assert process.returncode == -signal.SIGKILL


@contextmanager
def open_two_sites(folder: Path, database_url: str) -> Iterator[TwoSites]:
    with ExitStack() as stack:
        http = stack.enter_context(GuardedSession(allowed_networks=(), allow_loopback=True))
        sites = {slug: _site(http, slug, given) for slug, given in GIVEN.items()}
        database = Database(database_url)
        stack.callback(database.dispose)
        clock = folder / "clock"
        environment = make_environment("http://localhost:8699", database_url)
        two = TwoSites(
            environment={**environment, "SHARED_SESSIONS_CLOCK_FILE": str(clock)},
            database=database,
            title=f"Two {uuid4().hex[:6]}",
            calendar=folder / "series.ics",
            clock=clock,
            sites=sites,
        )
        pem = TOOL_KEY.as_pem(private=True)
        with database.write() as connection:
            add_tool_key(
                connection,
                kid="tool-key",
                private_key_pem=pem,
                encryption_key=ENCRYPTION_KEY,
                now=datetime.now(UTC),
            )
        two.write_calendar()
        two.succeeds("series", "import", str(two.calendar), "--series", "live", "--title", "Live", "--required", "1")
        for slug in sites:
            _register(two, slug)
        stack.callback(_clean, two)
        yield two


def _site(http: GuardedSession, slug: str, given: dict[str, str]) -> Site:
    service = Moodle(http=http, base_url=given["URL"], token=given["TOKEN"])
    return Site(
        slug=slug,
        course_id=int(given["COURSE"]),
        student_id=given["STUDENT"].split(":")[2],
        page_cmid=int(given["PAGE_MANUAL"]),
        activity_cmid=int(given["ACTIVITY"]),
        service=service,
        admin=Moodle(http=http, base_url=given["URL"], token=given["ADMIN_TOKEN"]),
        student=Moodle(http=http, base_url=given["URL"], token=given["STUDENT_TOKEN"]),
    )


def _register(two: TwoSites, slug: str) -> None:
    url = GIVEN[slug]["URL"]
    two.succeeds(
        "university", "add", slug, "--name", f"The {slug} university", "--country", "MT", "--time-zone", "Europe/Malta",
        program="lti-tool",
    )  # fmt: skip
    two.succeeds(
        "platform", "add", slug, "--university", slug, "--issuer", url, "--client-id", GIVEN[slug]["CLIENT_ID"],
        "--authorization-endpoint", f"{url}/mod/lti/auth.php", "--token-endpoint", f"{url}/mod/lti/token.php",
        "--jwks-uri", f"{url}/mod/lti/certs.php", "--deployment", "1", program="lti-tool",
    )  # fmt: skip


def _clean(two: TwoSites) -> None:
    for site in two.sites.values():
        site.admin.delete_calendar_events([event.event_id for event in site.events(two.title)])


def runs(two: TwoSites) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(two.succeeds("runs", "list", "--json"))
    return found
