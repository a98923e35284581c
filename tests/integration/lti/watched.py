"""The tool and what it logs, watched together: what may be answered, and what may be written down."""

import io
import json
import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from werkzeug.test import TestResponse

from config.logging import configure_logging
from lti_tool.protocol.refusals import RefusalCode
from tests.conftest import PUBLIC_URL, make_settings
from tests.integration.lti.tool import ToolUnderTest
from tests.integration.lti.twists import MARK

OUR_KEYS = ("PRIVATE", make_settings("").secret_key.decode(), make_settings("").encryption_key.decode())
REFUSAL = re.compile(r"Reference: ([0-9a-f]{8}) \((\w+)\)")

Logged = tuple[str, str | None, str | None]  # event, code, reference


class LogInMemory(io.StringIO):
    """What would have gone to stderr."""

    def take(self) -> str:
        """What was written since the last time."""
        written = self.getvalue()
        self.seek(0)
        self.truncate()
        return written


@contextmanager
def log_in_memory() -> Iterator[LogInMemory]:
    """Records go through the product's own logging, as on a server; afterwards logging is as it was."""
    root, huey = logging.getLogger(), logging.getLogger("huey")
    before, levels, handlers = structlog.get_config(), (root.level, huey.level), root.handlers
    log = LogInMemory()
    configure_logging(stream=log)
    yield log
    root.handlers = handlers
    root.setLevel(levels[0])
    huey.setLevel(levels[1])
    structlog.configure(**before)


@dataclass(frozen=True, kw_only=True)
class Watched:
    tool: ToolUnderTest
    log: LogInMemory

    def hold(self, *answers: TestResponse, secrets: Iterable[str] = ()) -> None:
        """Every answer is one that a person may get. Since the last time, each refusal and each launch was logged
        once and nothing else was, and the log names no person and no secret."""
        expected = [logged for logged in map(_must_be_logged, answers) if logged]
        written = self.log.take()
        records = [json.loads(line) for line in written.splitlines()]
        assert [(record["event"], record.get("code"), record.get("reference")) for record in records] == expected
        assert not [secret for secret in (*secrets, *OUR_KEYS) if secret in written], "a secret is in the log"
        assert MARK.lower() not in written.lower(), "a person is in the log"


def _must_be_logged(answer: TestResponse) -> Logged | None:
    assert answer.status_code < 500, answer.text
    path, refusal = answer.request.path, REFUSAL.search(answer.text)
    if refusal:
        assert answer.status_code >= 400
        return "refused", RefusalCode(refusal[2]).value, refusal[1]
    if answer.status_code in {302, 303}:
        assert answer.location.startswith((PUBLIC_URL, "https://malta.lms.example/auth.php?"))
    if answer.status_code == 303 or 'name="ticket"' in answer.text:
        return ("launched", None, None) if path == "/lti/launch" else None
    if path.startswith("/lti/"):  # the rest were refused before any page of ours: no such address or method
        assert answer.status_code < 400 or answer.status_code in {404, 405}, answer.text
    return None
