"""A pretend university without a server: requests that `responses` catches go to its application, or to grief."""

import re
from collections.abc import Mapping
from enum import Enum, auto
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import responses
from joserfc.jwk import RSAKey
from requests import PreparedRequest
from requests.exceptions import ReadTimeout

from config.clock import Clock
from sandbox_lms.app import create_app
from sandbox_lms.campus import MALTA, Campus
from sandbox_lms.database import TABLES, Database
from sandbox_lms.server import add_first_course
from sandbox_lms.site import Site

Heard = tuple[int, Mapping[str, str], bytes]
SERVER_PATH = "/webservice/rest/server.php"
CREATE = "core_calendar_create_calendar_events"
HTML = {"Content-Type": "text/html"}
DOWN: Heard = (502, HTML, b"<h1>Bad gateway</h1>")
NO_DATABASE: Heard = (
    200,
    {"Content-Type": "application/json"},
    b'{"exception":"dml_connection_exception","errorcode":"dbconnectionfailed","message":"<p>Error</p>"}',
)


class Fault(Enum):
    """What goes wrong with one call: whether it has its effect, and what the caller hears."""

    TIMEOUT_BEFORE = auto()  # no effect, no answer
    TIMEOUT_AFTER = auto()  # the effect, no answer
    LATE = auto()  # no answer, and the effect when the test lets it through
    SERVER_ERROR = auto()  # no effect, 502
    SERVER_ERROR_AFTER = auto()  # the effect, 502
    DATABASE_DOWN = auto()  # no effect, and an error with status 200
    TRUNCATED = auto()  # the effect, half of the answer
    CUT_FORM = auto()  # of new events only the first half arrives, without a word; other calls are as always
    CRASH = auto()  # no effect, and the caller dies
    CRASH_AFTER = auto()  # the effect, and the caller dies


_BEFORE = {Fault.TIMEOUT_BEFORE, Fault.LATE, Fault.SERVER_ERROR, Fault.DATABASE_DOWN, Fault.CRASH}


class Killed(BaseException):
    """The process of the caller ended here; nothing that handles errors may see it."""


class InProcessMoodle:
    """One site at its fixed port, where nobody listens. Within `responses.activate`, `play` answers all that is sent
    there. Subclasses say in `fault` what goes wrong.
    """

    def __init__(self, folder: Path, campus: Campus = MALTA, *, clock: Clock | None = None) -> None:
        database = Database(folder / f"{campus.slug}.sqlite")
        database.create()
        self.site = Site(
            campus=campus,
            tool_url="http://localhost:8000",
            clock=clock or Clock(),
            database=database,
            first_key_pem=_signing_key_pem(),
        )
        add_first_course(self.site)
        self.url = self.site.campus.url
        self.calls: list[str] = []
        self.client = create_app(self.site).test_client(use_cookies=False)
        self._late: list[PreparedRequest] = []

    def fault(self, function: str, call_number: int) -> Fault | None:
        """What goes wrong with this call, the first of which is 1. `function`: of the web services, else the path."""
        return None

    def play(self) -> None:
        for method in (responses.GET, responses.POST):
            responses.add_callback(method, re.compile(f"^{re.escape(self.url)}/"), self.forward, content_type=None)

    def forward(self, request: PreparedRequest) -> Heard:
        """The callback of `responses`. Raises ReadTimeout, Killed."""
        function = _function(request)
        self.calls.append(function)
        fault = self.fault(function, len(self.calls))
        if fault is Fault.LATE:
            self._late.append(request)
        if fault in _BEFORE:
            return _heard(fault, NO_DATABASE if fault is Fault.DATABASE_DOWN else DOWN)
        answer = self._send(request, _half_of(_body(request)) if fault is Fault.CUT_FORM else _body(request))
        return _heard(fault, answer) if fault else answer

    def call(self, function: str, fields: Mapping[str, Any] | None = None) -> Any:
        """What a function answers, past all faults and uncounted."""
        form = {"wstoken": self.site.campus.moodle_token, "wsfunction": function, "moodlewsrestformat": "json"}
        answer = self.client.post(SERVER_PATH, base_url=self.url, data={**form, **(fields or {})})
        assert answer.status_code == 200, answer.text
        return answer.json

    def start_again(self) -> None:
        """As it was when it was made; cheaper than another one."""
        with self.site.database.write() as connection:
            for table in TABLES:
                connection.execute(f"DELETE FROM {table}")
        add_first_course(self.site)
        self.site.switches.reset()
        self.site.journal.clear()
        self.calls.clear()
        self._late.clear()

    def let_late_ones_through(self) -> None:
        """What nobody waits for any more has its effect now, in the order in which it was sent."""
        while self._late:
            request = self._late.pop(0)
            self._send(request, _body(request))

    def _send(self, request: PreparedRequest, body: bytes) -> Heard:
        parts = urlsplit(request.url or "")
        answer = self.client.open(
            parts.path,
            method=request.method,
            base_url=self.url,
            query_string=parts.query,
            data=body,
            headers=dict(request.headers),
        )
        return answer.status_code, dict(answer.headers), answer.get_data()


def _heard(fault: Fault, answer: Heard) -> Heard:
    """What of this answer is heard. Raises ReadTimeout, Killed."""
    if fault in {Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER, Fault.LATE}:
        raise ReadTimeout("nobody answers")
    if fault in {Fault.CRASH, Fault.CRASH_AFTER}:
        raise Killed
    if fault is Fault.SERVER_ERROR_AFTER:
        return DOWN
    if fault is Fault.TRUNCATED:
        status, headers, body = answer
        kept = {name: value for name, value in headers.items() if name.lower() != "content-length"}
        return status, kept, body[: len(body) // 2]
    return answer


def _function(request: PreparedRequest) -> str:
    path = urlsplit(request.url or "").path
    if path != SERVER_PATH:
        return path
    return dict(parse_qsl(_body(request).decode())).get("wsfunction", "")


def _half_of(body: bytes) -> bytes:
    """The form without the second half of its new events."""
    fields = parse_qsl(body.decode(), keep_blank_values=True)
    if dict(fields).get("wsfunction") != CREATE:
        return body
    events = {name.partition("]")[0] for name, _ in fields if name.startswith("events[")}
    kept = -(-len(events) // 2)
    gone = tuple(f"events[{number}]" for number in range(kept, len(events)))
    return urlencode([(name, value) for name, value in fields if not name.startswith(gone)]).encode()


def _body(request: PreparedRequest) -> bytes:
    body = request.body or b""
    return body.encode() if isinstance(body, str) else bytes(body)


@cache
def _signing_key_pem() -> str:
    return str(RSAKey.generate_key(2048).as_pem(private=True).decode())
