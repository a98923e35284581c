"""The guarded client unpacks what it asked for, and no bomb."""

import gzip
import zlib
from collections.abc import Iterator

import pytest

from lms.errors import LmsError, MalformedAnswer, Unreachable
from lms.guarded import GuardedSession
from tests.unit.sites import GZIPPED, OK, OK_AND_BYE, answering, in_little_memory, in_time, length, site


@pytest.fixture
def http() -> Iterator[GuardedSession]:
    with GuardedSession(allowed_networks=(), allow_loopback=True) as session:
        yield session


def deflated(data: bytes) -> bytes:
    raw = zlib.compressobj(wbits=-15)
    return raw.compress(data) + raw.flush()


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """100 MB in 97 kB."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(b"\0" * 1_000_000) for _ in range(100)) + packer.flush()


@pytest.mark.parametrize("status", [b"200 OK", b"302 Found\r\nLocation: /", b"500 No"])
@pytest.mark.parametrize("encoding", [b"gzip", b"x-gzip", b" GZIP "])
def test_a_bomb_is_defused(http: GuardedSession, bomb: bytes, status: bytes, encoding: bytes) -> None:
    answer = b"HTTP/1.1 " + status + b"\r\nContent-Encoding: " + encoding + b"\r\n" + length(bomb)
    with (
        site(answering(answer)) as lms,
        in_time(),
        in_little_memory(),
        pytest.raises(MalformedAnswer, match="more than 2 MB"),
    ):
        http.get(lms.url)


@pytest.mark.parametrize("encoding", ["deflate", "br", "zstd", "gzip, gzip", "gzip,identity", "compress", "nonsense"])
def test_what_is_packed_otherwise_than_we_asked_is_not_unpacked(
    http: GuardedSession, bomb: bytes, encoding: str
) -> None:
    answer = OK + f"Content-Encoding: {encoding}\r\n".encode() + length(bomb)
    with site(answering(answer)) as lms, in_little_memory(), pytest.raises(MalformedAnswer, match="did not ask for"):
        http.get(lms.url)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"not packed", MalformedAnswer),
        (deflated(b"text"), MalformedAnswer),
        (gzip.compress(b"text")[:-1], Unreachable),
        (gzip.compress(b"text") + b"more", Unreachable),
        (gzip.compress(b"one") + gzip.compress(b"two"), Unreachable),
        (gzip.compress(b"text")[:-8] + b"\xff" * 8, MalformedAnswer),
    ],
    ids=["plain", "deflate", "cut", "more", "two", "broken"],
)
def test_what_cannot_be_unpacked_whole_is_no_answer(http: GuardedSession, body: bytes, problem: type[LmsError]) -> None:
    with site(answering(GZIPPED + length(body))) as lms, pytest.raises(problem):
        http.get(lms.url)


def test_a_packed_answer_is_unpacked(http: GuardedSession) -> None:
    with site(answering(GZIPPED + length(gzip.compress(b"text")))) as lms:
        assert http.get(lms.url).body == b"text"


def test_only_gzip_is_asked_for(http: GuardedSession) -> None:
    seen: list[bytes] = []
    with site(answering(OK_AND_BYE, seen=seen)) as lms:
        http.get(lms.url, headers={"Accept-Encoding": "br"})
    assert b"\r\nAccept-Encoding: gzip\r\n" in seen[0]
