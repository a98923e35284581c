"""Where redirects may lead the guarded client, and what it takes along. From https to http: see the tests of TLS."""

import socket
import threading
from collections.abc import Iterator

import pytest

from lms.errors import AddressRefused, MalformedAnswer
from lms.guarded import GuardedSession
from tests.unit.sites import OK_AND_BYE, Names, answering, read_request, redirecting, site


@pytest.fixture
def http() -> Iterator[GuardedSession]:
    with GuardedSession(allowed_networks=(), allow_loopback=True) as session:
        yield session


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    resolver = Names()
    monkeypatch.setattr(socket, "getaddrinfo", resolver.getaddrinfo)
    return resolver


@pytest.mark.parametrize(
    "location",
    [
        "https://10.0.0.1/",
        "//10.0.0.1/",
        "https://0xa000001/",
        "https://intranet.example/",
        "https://[::ffff:10.0.0.1]/",
        "http://lms.example/",
        "http://10.0.0.1/",
        "file:///etc/passwd",
        "https://a:b@lms.example/",
        "https://lms.example:99999/",
        "https://\xff/",
    ],
)
@pytest.mark.parametrize("hops", [1, 2, 3])
def test_a_redirect_is_judged_as_the_first_address_at_every_hop(
    http: GuardedSession, names: Names, location: str, hops: int
) -> None:
    names.answers["intranet.example"] = [["10.0.0.1"]]
    with (
        site(redirecting(location)) as last,
        site(redirecting(last.url)) as middle,
        site(redirecting(middle.url)) as first,
        pytest.raises(AddressRefused) as caught,
    ):
        http.get((last, middle, first)[hops - 1].url, max_redirects=3)
    assert "a:b" not in str(caught.value)


def test_a_redirect_to_nonsense_is_a_malformed_answer(http: GuardedSession) -> None:
    with site(redirecting("https://[")) as lms, pytest.raises(MalformedAnswer, match="no address"):
        http.get(lms.url, max_redirects=1)


def test_a_redirect_in_a_circle_ends(http: GuardedSession) -> None:
    seen: list[bytes] = []
    with site(redirecting("/again", seen=seen)) as lms:
        assert http.get(lms.url, max_redirects=99).status == 302
    assert len(seen) == 4


def test_a_token_goes_to_its_origin_alone_and_not_when_a_stranger_leads_back(http: GuardedSession) -> None:
    seen: list[bytes] = []

    def out_and_back(connection: socket.socket, _: threading.Event) -> None:
        while request := read_request(connection):
            location = f"Location: {stranger.url}".encode()
            connection.sendall(
                OK_AND_BYE if seen else b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n" + location + b"\r\n\r\n"
            )
            seen.append(request)

    # The stranger is another port.
    with site(out_and_back) as home, site(redirecting(home.url, seen=seen)) as stranger:
        headers = {"Authorization": "Bearer secret"}
        assert http.get(home.url, headers=headers, max_redirects=3).body == b"ok"
    assert [b"secret" in request for request in seen] == [True, False, False]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_post_is_never_redirected(http: GuardedSession, status: int) -> None:
    with (
        site(answering(OK_AND_BYE)) as other,
        site(redirecting(other.url, status=status)) as lms,
    ):
        assert http.post(lms.url, data=b"").status == status
        assert other.connections == 0
