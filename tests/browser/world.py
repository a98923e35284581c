"""The tool, and campuses of every kind of LMS that launches it: the real programs, the LMSs in this process."""

import re
import socket
import sqlite3
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from playwright.sync_api import BrowserContext, FrameLocator, Page

from config.clock import Clock
from config.sample_series import read_sample_series, shift_sample_series
from sandbox_lms.campus import MALTA, Campus, Person
from sandbox_lms.demo_programs import Programs, make_environment, wait_until_ready
from sandbox_lms.demo_setup import add_university, register
from sandbox_lms.server import Sandbox

Kind = Literal["plain", "parent", "frame", "legacy", "silent", "nested"]
KINDS: tuple[Kind, ...] = get_args(Kind)
CLOUD = {"shared_issuer": "https://cloud-lms.example"}  # two universities behind one name that is no address of theirs
ATTRIBUTES: dict[Kind, dict[str, Any]] = {
    "plain": {},
    "parent": {"platform_storage": "parent", "tool_login": "moodle-post", **CLOUD},
    "frame": {"platform_storage": "frame", **CLOUD},
    "legacy": {"platform_storage": "parent", "storage_dialect": "legacy"},
    "silent": {"platform_storage": "parent", "storage_is_silent": True},
    "nested": {"platform_storage": "frame", "nests_frames": True},
}
MARIA, OTHER_MARIA, GORG, ZAREN, LUKE = MALTA.students  # the same people, with the same ids, at every campus
VISIT = re.compile(r"/visit/([^/]+)/")


@dataclass(frozen=True, kw_only=True)
class World:
    """A served tool whose six campuses differ in their LMS alone. They are 127.0.0.1, the tool is localhost."""

    tool_url: str
    sandbox: Sandbox
    database: Path

    def campus(self, kind: Kind) -> Campus:
        return self.sandbox.campuses[kind]

    def sign_in(self, person: BrowserContext, kind: Kind, who: Person = MARIA) -> Page:
        """A new tab of a browser that is signed in at this campus."""
        form: dict[str, str | float | bool] = {"username": who.username, "password": who.password}
        signed_in = person.request.post(f"{self.campus(kind).url}/sign-in", form=form, max_redirects=0)
        assert signed_in.status == 303
        return person.new_page()

    def open_in_frame(self, page: Page, kind: Kind) -> FrameLocator:
        """The tool's frame in the activity's page, whatever it shows."""
        page.goto(f"{self.campus(kind).url}/activity/1")
        return (page.frame_locator("iframe.inner") if kind == "nested" else page).frame_locator("iframe.tool")

    def waiting_launches(self, kind: Kind) -> int:
        """How many launches the LMS has begun and was not asked to finish: their message hints are still good."""
        site = self.sandbox.sites[kind]
        with site.database.read() as connection:
            row = connection.execute("SELECT count(*) FROM message_hint WHERE campus = ?", (kind,)).fetchone()
        return int(row[0])

    def visits(self) -> int:
        return int(_ask(self.database, "SELECT count(*) FROM visit")[0])

    def whose(self, address: str) -> tuple[str, str]:
        """(university, sub) of the visit in this address."""
        return whose_visit(self.database, address)


def whose_visit(database: Path, address: str) -> tuple[str, str]:
    """(university, sub) of the visit in this address of the tool, from its database of SQLite."""
    found = VISIT.search(address)
    assert found, address
    university, sub = _ask(
        database,
        "SELECT university.slug, participant.sub FROM visit"
        " JOIN participant ON participant.id = visit.participant_id"
        " JOIN university ON university.id = participant.university_id WHERE visit.id = ?",
        found[1],
    )
    return university, sub


def _ask(database: Path, query: str, *values: str) -> tuple[Any, ...]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        row: tuple[Any, ...] = connection.execute(query, values).fetchone()
    return row


@contextmanager
def serve_world(folder: Path, attributes: Mapping[Kind, dict[str, Any]] = ATTRIBUTES) -> Iterator[World]:
    """Everything that an operator does before the first launch, by the real commands. `attributes`: of each campus."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    tool_url = f"http://localhost:{port}"
    programs = Programs(folder=folder, environment=make_environment(folder, tool_url))
    programs.run("lti-tool", "migrate")
    campuses = [
        replace(MALTA, slug=kind, name=f"{kind.title()} University", client_id=f"client-{kind}", port=0, **own)
        for kind, own in attributes.items()
    ]
    with Sandbox(folder / "sandbox", campuses, tool_url, Clock()) as sandbox:
        _import_series(programs)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda campus: _add(programs, campus), sandbox.campuses.values()))
        tool = programs.start("tool", "lti-tool", "serve", "--port", str(port))
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/readyz", tool)
            yield World(tool_url=tool_url, sandbox=sandbox, database=folder / "shared-sessions.db")
        finally:
            tool.stop()


def _import_series(programs: Programs) -> None:
    calendar = programs.folder / "series.ics"
    calendar.write_bytes(shift_sample_series(read_sample_series(), this_week=datetime.now(UTC).date()))
    programs.run("moodle-sync", "series", "import", str(calendar), "--series", "sample", "--title", "Sample series")


def _add(programs: Programs, campus: Campus) -> None:
    add_university(programs, campus)
    register(programs, campus)
