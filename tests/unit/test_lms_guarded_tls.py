"""The guarded client over TLS: names that change, connections that are kept, and whose certificate counts."""

import socket
import threading
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from lms.errors import AddressRefused, Unreachable
from lms.guarded import GuardedSession
from tests.unit.sites import OK_AND_BYE, OK_AND_STAY, Authority, Names, answering, read_request, redirecting, site

LISTED = "127.0.0.2"  # stands for a network that may be called
OTHER = "127.0.0.3"  # stands for one that may not


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    resolver = Names()
    monkeypatch.setattr(socket, "getaddrinfo", resolver.getaddrinfo)
    return resolver


@pytest.fixture
def http(authority: Authority) -> Iterator[GuardedSession]:
    networks = (ip_network(f"{LISTED}/32"),)
    with GuardedSession(allowed_networks=networks, allow_loopback=False, trusted_ca=authority.path) as session:
        yield session


def test_a_name_is_looked_up_once_and_the_address_that_was_judged_is_called(
    http: GuardedSession, names: Names, authority: Authority
) -> None:
    names.answers["lms.example"] = [[LISTED], [OTHER]]
    with site(answering(OK_AND_BYE), address=LISTED, tls=authority.server("lms.example")) as lms:
        assert http.get(f"https://lms.example:{lms.port}/").body == b"ok"
        assert names.asked == ["lms.example"]
        assert lms.server_names == ["lms.example"]


def test_a_name_that_turns_private_is_refused_at_the_next_connection(
    http: GuardedSession, names: Names, authority: Authority
) -> None:
    names.answers["lms.example"] = [[LISTED], [OTHER]]
    with site(answering(OK_AND_BYE), address=LISTED, tls=authority.server("lms.example")) as lms:
        http.get(f"https://lms.example:{lms.port}/")
        with pytest.raises(AddressRefused):
            http.get(f"https://lms.example:{lms.port}/")
        assert lms.connections == 1


def test_a_kept_connection_stays_at_the_address_that_was_judged(
    http: GuardedSession, names: Names, authority: Authority
) -> None:
    names.answers["lms.example"] = [[LISTED], [OTHER]]
    with site(answering(OK_AND_STAY), address=LISTED, tls=authority.server("lms.example")) as lms:
        assert [http.get(f"https://lms.example:{lms.port}/").body for _ in range(3)] == [b"ok"] * 3
        assert (lms.connections, names.asked) == (1, ["lms.example"])


def test_a_kept_connection_does_not_serve_another_name(
    http: GuardedSession, names: Names, authority: Authority
) -> None:
    names.answers = {"lms.example": [[LISTED]], "evil.example": [[LISTED]], "intranet.example": [[OTHER]]}
    with site(answering(OK_AND_STAY), address=LISTED, tls=authority.server("lms.example", "other.example")) as lms:
        http.get(f"https://lms.example:{lms.port}/")
        with pytest.raises(Unreachable, match="certificate does not fit"):
            http.get(f"https://evil.example:{lms.port}/")
        with pytest.raises(AddressRefused):
            http.get(f"https://intranet.example:{lms.port}/")


def test_two_names_at_one_address_have_connections_of_their_own(
    http: GuardedSession, names: Names, authority: Authority
) -> None:
    names.answers = {"one.example": [[LISTED]], "two.example": [[LISTED]]}
    seen: list[bytes] = []
    tls = authority.server("one.example", "two.example")
    with site(answering(OK_AND_STAY, seen=seen), address=LISTED, tls=tls) as lms:
        for name in ("one.example", "two.example", "one.example", "two.example"):
            http.get(f"https://{name}:{lms.port}/")
        assert lms.server_names == ["one.example", "two.example"]
        hosts = [line for request in seen for line in request.split(b"\r\n") if line.startswith(b"Host: ")]
        assert hosts == [f"Host: {name}.example:{lms.port}".encode() for name in ("one", "two", "one", "two")]


@pytest.mark.parametrize("written", ["LMS.Example", "lms.example.", "ĺms.example"])
def test_a_name_is_proved_however_it_is_written(
    http: GuardedSession, names: Names, authority: Authority, written: str
) -> None:
    ascii_name = "xn--ms-7pa.example" if written == "ĺms.example" else "lms.example"
    names.answers = {name: [[LISTED]] for name in (ascii_name, f"{ascii_name}.")}
    with site(answering(OK_AND_BYE), address=LISTED, tls=authority.server(ascii_name)) as lms:
        assert http.get(f"https://{written}:{lms.port}/").body == b"ok"
        assert lms.server_names == [ascii_name]


def test_a_certificate_of_an_unknown_authority_is_not_trusted(
    http: GuardedSession, names: Names, tmp_path: Path
) -> None:
    names.answers["lms.example"] = [[LISTED]]
    with (
        site(answering(OK_AND_BYE), address=LISTED, tls=Authority(tmp_path).server("lms.example")) as lms,
        pytest.raises(Unreachable, match="certificate does not fit"),
    ):
        http.get(f"https://lms.example:{lms.port}/")


def test_the_environment_names_no_other_authority(
    names: Names, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names.answers["lms.example"] = [[LISTED]]
    stranger = Authority(tmp_path)
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(variable, str(stranger.path))
    with (
        GuardedSession(allowed_networks=(ip_network(f"{LISTED}/32"),), allow_loopback=False) as session,
        site(answering(OK_AND_BYE), address=LISTED, tls=stranger.server("lms.example")) as lms,
        pytest.raises(Unreachable, match="certificate does not fit"),
    ):
        session.get(f"https://lms.example:{lms.port}/")


def test_a_redirect_from_https_to_http_is_refused_in_development_too(names: Names, authority: Authority) -> None:
    names.answers["localhost"] = [["127.0.0.1"]]
    with (
        GuardedSession(allowed_networks=(), allow_loopback=True, trusted_ca=authority.path) as session,
        site(answering(OK_AND_BYE)) as plain,
        site(redirecting(f"http://127.0.0.1:{plain.port}/"), tls=authority.server("localhost")) as lms,
        pytest.raises(AddressRefused, match="from https to http"),
    ):
        session.get(f"https://localhost:{lms.port}/", max_redirects=1)
    assert plain.connections == 0


def test_a_redirect_over_https_is_followed_to_another_name(
    http: GuardedSession, names: Names, authority: Authority
) -> None:
    names.answers = {"old.example": [[LISTED]], "new.example": [[LISTED]]}
    tls = authority.server("old.example", "new.example")
    with (
        site(answering(OK_AND_BYE), address=LISTED, tls=authority.server("new.example")) as new,
        site(redirecting(f"https://new.example:{new.port}/x"), address=LISTED, tls=tls) as old,
    ):
        answer = http.get(f"https://old.example:{old.port}/", max_redirects=1)
    assert (answer.body, answer.url) == (b"ok", f"https://new.example:{new.port}/x")


def test_a_connection_that_the_server_closed_meanwhile_is_replaced(
    http: GuardedSession, names: Names, authority: Authority
) -> None:
    names.answers["lms.example"] = [[LISTED]]

    def once(connection: socket.socket, _: threading.Event) -> None:
        read_request(connection)
        connection.sendall(OK_AND_STAY)

    with site(once, address=LISTED, tls=authority.server("lms.example")) as lms:
        assert http.get(f"https://lms.example:{lms.port}/").body == b"ok"
        assert lms.closed.acquire(timeout=5)
        assert http.get(f"https://lms.example:{lms.port}/").body == b"ok"
        assert lms.connections == 2
