"""The guarded client comes to an end, whatever a server does."""

import socket
import threading
from collections.abc import Iterator

import pytest

from lms.errors import LmsError, MalformedAnswer, Unreachable
from lms.guarded import GuardedSession
from tests.unit.sites import (
    CHUNKED,
    DRIP_S,
    GZIPPED,
    OK,
    OK_AND_BYE,
    Authority,
    Names,
    Script,
    answering,
    dripping,
    in_little_memory,
    in_time,
    length,
    read_request,
    redirecting,
    site,
)

WITHIN_S = 0.2


@pytest.fixture
def http() -> Iterator[GuardedSession]:
    with GuardedSession(allowed_networks=(), allow_loopback=True) as session:
        yield session


@pytest.fixture
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def silent(connection: socket.socket, over: threading.Event) -> None:
    over.wait(5)


@pytest.mark.parametrize(
    "script",
    [
        silent,
        dripping(b"", b"H"),
        dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        dripping(OK, b"X"),
        dripping(OK, b"X: y\r\n", every_s=0.02),
        dripping(OK + b"Content-Length: 9999\r\n\r\n", b"x"),
        dripping(OK + b"\r\n", b"x"),
        dripping(CHUNKED, b"1\r\nx\r\n"),
        dripping(CHUNKED, b"f"),
        dripping(CHUNKED + b"1;", b"e"),
        dripping(CHUNKED + b"0\r\n", b"Trailer: x\r\n"),
        dripping(GZIPPED + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n\x1f\r\n"),
    ],
    ids=[
        "silence",
        "status-line",
        "100-continue",
        "header",
        "headers",
        "body-with-length",
        "body-without-length",
        "chunks",
        "chunk-size",
        "chunk-extension",
        "trailers",
        "gzip",
    ],
)
def test_an_answer_that_drips_is_given_up(http: GuardedSession, script: Script) -> None:
    with site(script) as lms, in_time(), pytest.raises(Unreachable, match="did not answer in time"):
        http.get(lms.url, within_s=WITHIN_S)


def test_a_tls_handshake_that_never_ends_is_given_up(http: GuardedSession) -> None:
    with site(silent) as lms, in_time(), pytest.raises(Unreachable, match="in time"):
        http.get(f"https://127.0.0.1:{lms.port}/", within_s=WITHIN_S)


def test_a_tls_handshake_that_drips_is_given_up(http: GuardedSession) -> None:
    def script(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 kB begins
        while not over.wait(DRIP_S):
            connection.sendall(b"\x02")

    with site(script) as lms, in_time(), pytest.raises(Unreachable, match="in time"):
        http.get(f"https://127.0.0.1:{lms.port}/", within_s=WITHIN_S)


@pytest.mark.parametrize("start", [b"", OK, OK + b"\r\n"], ids=["status-line", "headers", "body"])
def test_over_tls_an_answer_that_drips_is_given_up(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    names = Names()
    names.answers["lms.example"] = [["127.0.0.1"]]
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    session = GuardedSession(allowed_networks=(), allow_loopback=True, trusted_ca=authority.path)
    with (
        session,
        site(dripping(start, b"x"), tls=authority.server("lms.example")) as lms,
        in_time(),
        pytest.raises(Unreachable, match="did not answer in time"),
    ):
        session.get(f"https://lms.example:{lms.port}/", within_s=0.5)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_request_that_is_read_in_drips_is_given_up(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    def script(connection: socket.socket, over: threading.Event) -> None:
        while not over.wait(DRIP_S):
            connection.recv(16_384)

    names = Names()
    names.answers["localhost"] = [["127.0.0.1"]]
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    tls = authority.server("localhost") if scheme == "https" else None
    session = GuardedSession(allowed_networks=(), allow_loopback=True, trusted_ca=authority.path)
    with session, site(script, tls=tls) as lms, in_time(), pytest.raises(Unreachable, match="in time"):
        session.post(f"{scheme}://localhost:{lms.port}/", data=b"x" * 30_000_000, within_s=0.5)


def test_a_name_server_that_does_not_answer_is_given_up(http: GuardedSession, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(5))
    with in_time(), pytest.raises(Unreachable, match="in time"):
        http.get("https://lms.example/", within_s=WITHIN_S)
    over.set()


def test_an_address_that_does_not_answer_leaves_time_for_the_next(
    http: GuardedSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = Names()
    names.answers["localhost"] = [["127.0.0.9", "127.0.0.1"]]
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    full = socket.create_server(("127.0.0.9", 0), backlog=0)
    port = full.getsockname()[1]
    with full, socket.create_connection(("127.0.0.9", port)), socket.create_server(("127.0.0.1", port)) as listener:
        answer: list[bytes] = []
        thread = threading.Thread(target=lambda: answer.append(http.get(f"http://localhost:{port}/", within_s=2).body))
        thread.start()
        listener.settimeout(5)
        connection, _ = listener.accept()
        with connection:
            read_request(connection)
            connection.sendall(OK_AND_BYE)
        thread.join(5)
    assert answer == [b"ok"]


def test_redirects_share_the_time_of_one_call(http: GuardedSession) -> None:
    with (
        site(dripping(b"", b"H")) as last,
        site(redirecting(last.url)) as first,
        in_time(),
        pytest.raises(Unreachable, match="in time"),
    ):
        http.get(first.url, max_redirects=3, within_s=WITHIN_S)


def test_no_time_left_is_no_call(http: GuardedSession) -> None:
    with site(answering(OK_AND_BYE)) as lms, pytest.raises(Unreachable, match="in time"):
        http.get(lms.url, within_s=0)
    assert lms.connections == 0


@pytest.mark.parametrize(
    "endless",
    [
        (b"", b"X" * 60_000),
        (b"", b"HTTP/1.1 100 Continue\r\nX: " + b"y" * 60_000 + b"\r\n\r\n"),
        (OK, b"X: " + b"y" * 60_000 + b"\r\n"),
        (OK, b"X: y\r\n" * 1000),
        (CHUNKED + b"0\r\n", b"Trailer: " + b"y" * 60_000 + b"\r\n"),
        (CHUNKED + b"1;" + b"y" * 60_000, b"\r\nx\r\n1;" + b"y" * 60_000),
        (CHUNKED + b"1;", b"y" * 60_000),
    ],
    ids=["status-line", "100-continue", "headers", "many-headers", "trailers", "chunk-extensions", "chunk-extension"],
)
def test_what_goes_on_for_ever_around_an_answer_is_stopped(http: GuardedSession, endless: tuple[bytes, bytes]) -> None:
    with site(dripping(*endless, every_s=0)) as lms, in_time(), in_little_memory(), pytest.raises(LmsError) as caught:
        http.get(lms.url)
    assert "in time" not in str(caught.value)


@pytest.mark.parametrize(
    "endless",
    [
        (OK + b"\r\n", b"x" * 60_000),
        (OK + b"Content-Length: 999999999999\r\n\r\n", b"x" * 60_000),
        (OK + b"Content-Length: -5\r\n\r\n", b"x" * 60_000),
        (OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", b"x" * 60_000),
        (CHUNKED, b"ea60\r\n" + b"x" * 60_000 + b"\r\n"),
        (CHUNKED + b"7fffffffffffffff\r\n", b"x" * 60_000),
        (CHUNKED + b"-1\r\n", b"x" * 60_000),
        (GZIPPED + b"\r\n", b"x" * 60_000),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", b"x" * 60_000),
        (b"HTTP/1.1 500 No\r\n\r\n", b"x" * 60_000),
    ],
    ids=[
        "plain",
        "length",
        "negative",
        "long-length",
        "chunks",
        "chunk",
        "negative-chunk",
        "gzip",
        "redirect",
        "error",
    ],
)
def test_a_body_without_end_is_stopped(http: GuardedSession, endless: tuple[bytes, bytes]) -> None:
    with (
        site(dripping(*endless, every_s=0)) as lms,
        in_time(),
        in_little_memory(),
        pytest.raises(MalformedAnswer, match="sent more than"),
    ):
        http.get(lms.url, max_redirects=3)


def test_an_answer_in_very_many_chunks_is_read(http: GuardedSession) -> None:
    with site(answering(CHUNKED + b"1\r\nx\r\n" * 50_000 + b"0\r\n\r\n")) as lms, in_time():
        assert http.get(lms.url).body == b"x" * 50_000


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\0" * 100,
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"220 smtp ready\r\n",
        OK + b"Content-Length: 5\r\n\r\nhalf",
        OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        CHUNKED + b"xyz\r\n",
        CHUNKED + b"5\r\nab",
    ],
)
def test_what_is_no_http_answer_is_unreachable(http: GuardedSession, answer: bytes) -> None:
    def script(connection: socket.socket, over: threading.Event) -> None:
        read_request(connection)
        connection.sendall(answer)

    with site(script) as lms, pytest.raises(Unreachable):
        http.get(lms.url)


def test_after_an_answer_that_went_wrong_the_connection_is_not_used_again(http: GuardedSession) -> None:
    with site(answering(OK + length(b"x" * 500_000))) as lms:
        with pytest.raises(MalformedAnswer):
            http.get(lms.url, max_bytes=10)
        assert len(http.get(lms.url).body) == 500_000
        assert lms.connections == 2
