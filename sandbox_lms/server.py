"""All campuses in one process, each on its own port of 127.0.0.1."""

import socket
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from config.clock import Clock
from sandbox_lms.activities import add_first_activities
from sandbox_lms.app import create_app
from sandbox_lms.campus import Campus
from sandbox_lms.course_modules import add_first_modules
from sandbox_lms.database import Database
from sandbox_lms.journal import Journal
from sandbox_lms.keys import signing_key_pem
from sandbox_lms.site import EXTENSION, Site
from sandbox_lms.switches import Switches

HOST = "127.0.0.1"
FILE_NAME = "sandbox.sqlite"
POLL_S = 0.02  # how soon a server sees that it shall end


class PortTaken(Exception):
    """Another program listens on the port of a campus."""

    def __init__(self, campus: Campus) -> None:
        super().__init__(f"Port {campus.port} of {HOST}, meant for {campus.name}, is taken by another program.")
        self.port = campus.port


class _Handler(WSGIRequestHandler):
    """One request per connection, so that nothing is left open when the server stops."""

    protocol_version = "HTTP/1.0"

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The header Date, by the clock of the campus."""
        app: Any = self.server.app
        ahead_s = app.extensions[EXTENSION].switches.settings.date_ahead_s
        return super().date_time_string((time.time() if timestamp is None else timestamp) + ahead_s)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """The journal is our log."""


class Sandbox:
    """Pretend universities. A context manager, or `start` and `stop`; may be started again on the same folder."""

    def __init__(self, data_dir: Path, campuses: Iterable[Campus], tool_url: str, clock: Clock) -> None:
        self._database = Database(data_dir / FILE_NAME)
        self._wanted = tuple(campuses)
        self._tool_url = tool_url.rstrip("/")
        self._clock = clock
        self._sites: dict[str, Site] = {}
        self._running: list[tuple[BaseWSGIServer, threading.Thread]] = []

    def start(self) -> None:
        """Serve every campus, or raise PortTaken and serve none."""
        sockets = _listen(self._wanted)
        self._database.create()
        for campus, listening in zip(self._wanted, sockets, strict=True):
            with listening:
                self._serve(replace(campus, port=listening.getsockname()[1]), listening)

    def stop(self) -> None:
        """Release what is held, and end. May be repeated."""
        for site in self._sites.values():
            site.switches.stop()
        for server, thread in self._running:
            server.shutdown()
            thread.join()
        self._running.clear()

    @property
    def sites(self) -> Mapping[str, Site]:
        """The running campuses by slug: what the functions that read gradebook and calendar take."""
        return MappingProxyType(self._sites)

    @property
    def campuses(self) -> dict[str, Campus]:
        """The campuses at their real ports, by slug; known after the start."""
        return {slug: site.campus for slug, site in self._sites.items()}

    @property
    def switches(self) -> dict[str, Switches]:
        return {slug: site.switches for slug, site in self._sites.items()}

    @property
    def journals(self) -> dict[str, Journal]:
        return {slug: site.journal for slug, site in self._sites.items()}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _serve(self, campus: Campus, listening: socket.socket) -> None:
        site = Site(
            campus=campus,
            tool_url=self._tool_url,
            clock=self._clock,
            database=self._database,
            first_key_pem=signing_key_pem(self._database, campus.slug),
        )
        add_first_course(site)
        self._sites[campus.slug] = site
        server = make_server(
            HOST, campus.port, create_app(site), threaded=True, request_handler=_Handler, fd=listening.fileno()
        )
        thread = threading.Thread(
            target=server.serve_forever, args=(POLL_S,), name=f"campus {campus.slug}", daemon=True
        )
        thread.start()
        self._running.append((server, thread))


def add_first_course(site: Site) -> None:
    """What a course begins with; may be repeated. A site that is not served needs it, too."""
    add_first_activities(site)
    add_first_modules(site)


def _listen(campuses: Iterable[Campus]) -> list[socket.socket]:
    """A listening socket for each campus; when one port is taken, none."""
    sockets: list[socket.socket] = []
    for campus in campuses:
        try:
            sockets.append(socket.create_server((HOST, campus.port)))
        except OSError as error:
            for listening in sockets:
                listening.close()
            raise PortTaken(campus) from error
    return sockets
