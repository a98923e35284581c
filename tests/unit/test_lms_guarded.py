"""The guarded client, over a real server on loopback: what it sends and gives back.

Which addresses it calls, how it ends, and TLS are in the files beside this one.
"""

import logging
import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

import pytest
import responses

from lms.errors import LmsError, MalformedAnswer, Unreachable
from lms.guarded import Answer, GuardedSession

BIG = 3_000_000
TOKEN = "aSecretToken"


class _Site(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    elsewhere: ClassVar[str] = ""
    connections: ClassVar[set[object]] = set()

    def do_GET(self) -> None:
        self.connections.add(self.client_address)
        if self.path.startswith("/redirect"):
            left = int(self.path.partition("?")[0].rsplit("/", 1)[1])
            self._answer(302, b"", {"Location": f"/redirect/{left - 1}" if left > 1 else "/headers"})
        elif self.path.startswith("/to-private"):
            self._answer(302, b"", {"Location": f"https://10.0.0.1/?token={TOKEN}"})
        elif self.path == "/to-other-port":
            self._answer(302, b"", {"Location": self.elsewhere})
        elif self.path.startswith("/big"):
            self._answer(200, b"x" * BIG)
        elif self.path == "/chunked":
            self._chunked([b"one, ", b"two"])
        elif self.path.startswith("/broken"):
            self._answer(200, TOKEN.encode(), {"Content-Length": "100"})
            self.close_connection = True
        elif self.path.startswith("/malformed-header"):
            self._answer(200, b"", {"X": f"{TOKEN}\r\nno header\r\nY"})
        elif self.path == "/cookie":
            self._answer(200, b"", {"Set-Cookie": "MoodleSession=abc; Path=/"})
        else:
            self._answer(200, str(self.headers).encode(), {"Content-Type": "text/plain"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _chunked(self, chunks: list[bytes]) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in [*chunks, b""]:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that hangs up on a big answer is what the tests are about."""


@pytest.fixture
def site() -> Iterator[str]:
    with _Server(("127.0.0.1", 0), _Site) as server, _Server(("127.0.0.1", 0), _Site) as other:
        _Site.elsewhere = f"http://127.0.0.1:{other.server_port}/headers"
        _Site.connections.clear()
        for one in (server, other):
            threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        other.shutdown()


@pytest.fixture
def http() -> Iterator[GuardedSession]:
    with GuardedSession(allowed_networks=(), allow_loopback=True) as session:
        yield session


@pytest.fixture
def strict() -> Iterator[GuardedSession]:
    with GuardedSession(allowed_networks=(), allow_loopback=False) as session:
        yield session


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def sent_headers(answer: Answer) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in answer.body.decode().strip().splitlines())


def test_the_host_header_keeps_the_port(http: GuardedSession, site: str) -> None:
    assert sent_headers(http.get(f"{site}/headers"))["Host"] == site.removeprefix("http://")


def test_pitfall_18_we_say_who_we_are_and_forward_for_nobody(http: GuardedSession, site: str) -> None:
    headers = sent_headers(http.get(f"{site}/headers"))
    assert headers["User-Agent"] == f"SharedSessions/{version('shared-sessions')}"
    assert "X-Forwarded-For" not in headers


def test_a_cookie_of_one_call_is_not_sent_with_the_next(http: GuardedSession, site: str) -> None:
    http.get(f"{site}/cookie")
    assert "Cookie" not in sent_headers(http.get(f"{site}/headers"))


def test_no_proxy_and_no_password_is_taken_from_the_environment(
    http: GuardedSession, site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for variable in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert "Authorization" not in sent_headers(http.get(f"{site}/headers"))


def test_one_connection_serves_several_calls(http: GuardedSession, site: str) -> None:
    for _ in range(3):
        http.get(f"{site}/headers")
    http.get(f"{site}/chunked")
    http.get(f"{site}/headers")
    assert len(_Site.connections) == 1


def test_an_answer_in_chunks_is_read_whole(http: GuardedSession, site: str) -> None:
    assert http.get(f"{site}/chunked").body == b"one, two"


def test_a_redirect_is_not_followed_unless_asked(http: GuardedSession, site: str) -> None:
    answer = http.get(f"{site}/redirect/1")
    assert (answer.status, answer.headers["location"]) == (302, "/headers")


def test_three_redirects_are_followed_when_asked_and_not_a_fourth(http: GuardedSession, site: str) -> None:
    answer = http.get(f"{site}/redirect/3", max_redirects=3)
    assert (answer.status, answer.url) == (200, f"{site}/headers")
    assert http.get(f"{site}/redirect/4", max_redirects=9).status == 302


def test_a_redirect_to_another_origin_does_not_take_the_token_along(http: GuardedSession, site: str) -> None:
    headers = {"Authorization": "Bearer secret"}
    assert "Authorization" not in sent_headers(http.get(f"{site}/to-other-port", headers=headers, max_redirects=1))
    assert sent_headers(http.get(f"{site}/redirect/1", headers=headers, max_redirects=1))["Authorization"]


def test_an_answer_that_is_too_big_is_stopped(http: GuardedSession, site: str) -> None:
    with pytest.raises(MalformedAnswer, match="more than 2 MB"):
        http.get(f"{site}/big")
    assert len(http.get(f"{site}/big", max_bytes=BIG).body) == BIG


def test_an_answer_that_breaks_off_is_no_answer(http: GuardedSession, site: str) -> None:
    with pytest.raises(Unreachable, match="broke off"):
        http.get(f"{site}/broken")


def test_a_closed_port_is_unreachable(http: GuardedSession, site: str) -> None:
    with _Server(("127.0.0.1", 0), _Site) as server:
        closed = f"127.0.0.1:{server.server_port}"
    with pytest.raises(Unreachable, match="did not accept the connection") as caught:
        http.get(f"http://{closed}/calendar?token=secret")
    assert caught.value.host == closed
    assert "secret" not in str(caught.value)
    assert not caught.value.permanent


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "300"}, 300),
        ({"Retry-After": "Mon, 23 Nov 2026 12:01:30 GMT", "Date": "Mon, 23 Nov 2026 12:00:00 GMT"}, 90),
        ({"Retry-After": "Mon, 23 Nov 2026 11:00:00 GMT", "Date": "Mon, 23 Nov 2026 12:00:00 GMT"}, 0),
        ({"Retry-After": "Mon, 23 Nov 2026 12:01:30 GMT"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(headers: dict[str, str], seconds: int | None) -> None:
    assert Answer(status=503, headers=headers, body=b"", url="https://lms.uni.example/").retry_after_s == seconds


@pytest.mark.parametrize(("age", "minutes"), [("", 0), ("600", 10), ("-600", 0), ("x", 0), ("9" * 50, 16_666_666)])
def test_what_a_cache_has_kept_is_no_clock_that_is_behind(age: str, minutes: int) -> None:
    headers = {"Date": "Mon, 23 Nov 2026 12:00:00 GMT", "Age": age}
    answer = Answer(status=200, headers=headers, body=b"", url="https://lms.uni.example/certs")
    assert answer.sent_at is not None
    assert (answer.sent_at - datetime(2026, 11, 23, 12, tzinfo=UTC)) // timedelta(minutes=1) == minutes


@responses.activate
def test_what_an_answer_says_of_itself_hides_its_address_and_content(strict: GuardedSession) -> None:
    responses.get("https://lms.uni.example/x", body="secret")
    assert "secret" not in repr(strict.get("https://lms.uni.example/x?token=secret"))


@pytest.mark.parametrize(
    "path",
    ["/headers", "/malformed-header", "/redirect/1", "/to-private", "/big", "/broken", "/no\x00thing", "/\ud800"],
)
def test_nothing_quotes_a_query_a_token_or_a_body(
    http: GuardedSession, site: str, logged: pytest.LogCaptureFixture, path: str
) -> None:
    headers, told = {"Authorization": f"Bearer {TOKEN}"}, ""
    try:
        http.get(f"{site}{path}?token={TOKEN}", headers=headers, max_redirects=1)
    except LmsError as error:
        told = "".join(traceback.format_exception(error))
    assert TOKEN not in told + logged.text
