"""A coordinator's calendar, a file or a server on loopback whose answers a test sets, and the series read from it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from moodle_sync import jobs
from moodle_sync.import_series import Imported, import_series
from moodle_sync.services import Services, make_services
from series.rule import Rule
from series.sessions import Series, Session
from series.store import runs
from series.store.held_plans import HeldPlan, find_held
from series.store.runs import slot_by_hand
from series.store.sessions import sessions_of
from tests.conftest import make_settings
from tests.examples import SERIES

WEEK = timedelta(weeks=1)
FIRST_AT = (datetime.now(UTC) + WEEK).replace(second=0, microsecond=0)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One event of an hour. Without `uid` it has that of its title."""

    title: str
    start_at: datetime
    uid: str = ""
    cancelled: bool = False

    def lines(self) -> list[str]:
        return [
            "BEGIN:VEVENT",
            f"UID:{self.uid or self.title.replace(' ', '-')}@example",
            "DTSTAMP:20260101T000000Z",
            f"SUMMARY:{self.title}",
            f"DTSTART:{self.start_at:%Y%m%dT%H%M%SZ}",
            f"DTEND:{self.start_at + timedelta(hours=1):%Y%m%dT%H%M%SZ}",
            *(["STATUS:CANCELLED"] if self.cancelled else []),
            "END:VEVENT",
        ]


def as_calendar(*entries: Entry) -> bytes:
    lines = [line for entry in entries for line in entry.lines()]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:tests", *lines, "END:VCALENDAR", ""]).encode()


def weekly(count: int, *, first_at: datetime = FIRST_AT) -> list[Entry]:
    """Week 1, Week 2 and so on."""
    return [Entry(title=f"Week {number + 1}", start_at=first_at + number * WEEK) for number in range(count)]


@dataclass(kw_only=True)
class Web:
    """What the calendar's server answers next, and what it was asked."""

    port: int
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/series.ics"


@contextmanager
def serve_calendar() -> Iterator[Web]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web.asked.append(dict(self.headers))
            self.send_response(web.status)
            for name, value in ({"Content-Length": str(len(web.body))} | web.headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(web.body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web = Web(port=server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True, kw_only=True)
class Coordinator:
    """Whoever keeps the calendar of SERIES."""

    services: Services
    file: Path
    clock_file: Path

    @property
    def series(self) -> Series:
        return replace(SERIES, source=str(self.file))

    def writes(self, *entries: Entry) -> None:
        self.file.write_bytes(as_calendar(*entries))

    def imports(self, *, first: bool = False, source: str | None = None) -> Imported:
        rule = Rule(required=3) if first else None
        known = replace(SERIES, source=None) if first else replace(SERIES, source=source or str(self.file))
        return import_series(self.services, known, source or str(self.file), rule_if_new=rule)

    def begins_with(self, *entries: Entry) -> None:
        self.writes(*entries)
        self.imports(first=True)

    def changes_to(self, *entries: Entry) -> Imported:
        self.writes(*entries)
        return self.imports()

    def sessions(self) -> dict[str, Session]:
        """By title."""
        with self.services.database.read() as connection:
            return {session.title: session for session in sessions_of(connection, SERIES.series_id)}

    def held(self) -> HeldPlan | None:
        with self.services.database.read() as connection:
            return find_held(connection, SERIES.series_id)

    def waits(self, seconds: float) -> None:
        before = float(self.clock_file.read_text())
        self.clock_file.write_text(str(before + seconds))

    def runs_the_job(self) -> runs.SyncRun:
        run_id = jobs.begin(self.services, "calendar", SERIES.slug, slot=slot_by_hand())
        assert run_id is not None
        jobs.run_calendar(self.services, run_id)
        with self.services.database.read() as connection:
            return runs.list_runs(connection, limit=1)[0]


@contextmanager
def open_coordinator(database_url: str, folder: Path) -> Iterator[Coordinator]:
    clock_file = folder / "clock"
    clock_file.write_text("0")
    services = make_services(replace(make_settings(database_url), clock_file=clock_file))
    try:
        yield Coordinator(services=services, file=folder / "series.ics", clock_file=clock_file)
    finally:
        services.http.close()
        services.database.dispose()
