"""The guarded client, over a real server on loopback."""

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from ipaddress import ip_network
from typing import ClassVar

import pytest
import responses

from lms.errors import AddressRefused, MalformedAnswer, Unreachable
from lms.guarded import Answer, GuardedSession

BIG = 3_000_000


class _Site(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    elsewhere: ClassVar[str] = ""
    connections: ClassVar[set[object]] = set()

    def do_GET(self) -> None:
        self.connections.add(self.client_address)
        if self.path.startswith("/redirect"):
            left = int(self.path.rsplit("/", 1)[1])
            self._answer(302, b"", {"Location": f"/redirect/{left - 1}" if left > 1 else "/headers"})
        elif self.path == "/to-private":
            self._answer(302, b"", {"Location": "https://10.0.0.1/secret"})
        elif self.path == "/to-other-port":
            self._answer(302, b"", {"Location": self.elsewhere})
        elif self.path == "/big":
            self._answer(200, b"x" * BIG)
        elif self.path == "/bomb":
            self._answer(200, gzip.compress(b"x" * BIG), {"Content-Encoding": "gzip"})
        elif self.path == "/chunked":
            self._chunked([b"one, ", b"two"])
        elif self.path == "/broken":
            self._answer(200, b"half", {"Content-Length": "100"})
            self.close_connection = True
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


def sent_headers(answer: Answer) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in answer.body.decode().strip().splitlines())


def test_the_host_header_keeps_the_port(http: GuardedSession, site: str) -> None:
    assert sent_headers(http.get(f"{site}/headers"))["Host"] == site.removeprefix("http://")


def test_we_say_who_we_are_and_forward_for_nobody(http: GuardedSession, site: str) -> None:
    headers = sent_headers(http.get(f"{site}/headers"))
    assert headers["User-Agent"] == f"SharedSessions/{version('shared-sessions')}"
    assert "X-Forwarded-For" not in headers


def test_a_cookie_of_one_call_is_not_sent_with_the_next(http: GuardedSession, site: str) -> None:
    http.get(f"{site}/cookie")
    assert "Cookie" not in sent_headers(http.get(f"{site}/headers"))


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


def test_a_redirect_to_a_private_address_is_refused(http: GuardedSession, site: str) -> None:
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.1 is at a private"):
        http.get(f"{site}/to-private", max_redirects=3)


def test_a_redirect_to_another_origin_does_not_take_the_token_along(http: GuardedSession, site: str) -> None:
    headers = {"Authorization": "Bearer secret"}
    assert "Authorization" not in sent_headers(http.get(f"{site}/to-other-port", headers=headers, max_redirects=1))
    assert sent_headers(http.get(f"{site}/redirect/1", headers=headers, max_redirects=1))["Authorization"]


def test_an_answer_that_is_too_big_is_stopped(http: GuardedSession, site: str) -> None:
    with pytest.raises(MalformedAnswer, match="more than 2 MB"):
        http.get(f"{site}/big")
    assert len(http.get(f"{site}/big", max_bytes=BIG).body) == BIG


def test_a_small_answer_that_unpacks_to_a_big_one_is_stopped(http: GuardedSession, site: str) -> None:
    with pytest.raises(MalformedAnswer, match="more than 2 MB"):
        http.get(f"{site}/bomb")


def test_an_answer_that_takes_too_long_altogether_is_stopped(
    http: GuardedSession, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lms.guarded.TOTAL_S", -1.0)
    with pytest.raises(Unreachable, match="too slowly"):
        http.get(f"{site}/headers")


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


def test_a_name_that_nobody_knows_is_unreachable(http: GuardedSession) -> None:
    with pytest.raises(Unreachable, match="nobody knows its name"):
        http.get("https://lms.invalid/")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "localhost",
        "0.0.0.0",
        "2130706433",
        "0x7f000001",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[fd00::1]",
        "[fe80::1]",
        "[64:ff9b::7f00:1]",
    ],
)
def test_a_private_or_reserved_address_is_refused(strict: GuardedSession, address: str) -> None:
    with pytest.raises(AddressRefused, match="private or reserved") as caught:
        strict.get(f"https://{address}/")
    assert caught.value.permanent


def test_a_private_address_is_called_when_the_operator_lists_its_network() -> None:
    # 127.0.0.2 stands for an on-premise network: nothing listens there, so being refused a connection is being let out.
    with (
        GuardedSession(allowed_networks=(ip_network("127.0.0.2/32"),), allow_loopback=False) as session,
        pytest.raises(Unreachable),
    ):
        session.get("https://127.0.0.2:1/")


@pytest.mark.parametrize("url", ["http://lms.uni.example/", "http://127.0.0.1/", "http://10.0.0.1/"])
def test_plain_http_is_refused(strict: GuardedSession, url: str) -> None:
    with pytest.raises(AddressRefused, match="must be called by https"):
        strict.get(url)


def test_plain_http_beyond_loopback_is_refused_in_development_too(http: GuardedSession) -> None:
    with pytest.raises(AddressRefused, match="must be called by https"):
        http.get("http://lms.uni.example/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "lms.uni.example",
        "ftp://lms.uni.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://",
        "https://a:b@c.example/",
        "https://lms.uni.example:99999/",
        "https://[::1/",
        "https://lms uni/",
    ],
)
def test_what_is_no_web_address_is_refused(http: GuardedSession, url: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        http.get(url)
    assert "a:b" not in str(caught.value)


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


@responses.activate
def test_what_an_answer_says_of_itself_hides_its_address_and_content(strict: GuardedSession) -> None:
    responses.get("https://lms.uni.example/x", body="secret")
    assert "secret" not in repr(strict.get("https://lms.uni.example/x?token=secret"))
