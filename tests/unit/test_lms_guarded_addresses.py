"""Which addresses the guarded client calls, however they are written."""

import socket
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lms.errors import AddressRefused, LmsError, Unreachable
from lms.guarded import GuardedSession
from tests.unit.sites import OK_AND_BYE, Names, answering, site

LISTED = "127.0.0.2"  # stands for an on-premise network that the operator lists
SESSIONS = {
    "production": lambda: GuardedSession(allowed_networks=(), allow_loopback=False),
    "development": lambda: GuardedSession(allowed_networks=(), allow_loopback=True),
    "listed": lambda: GuardedSession(allowed_networks=(ip_network(f"{LISTED}/32"),), allow_loopback=False),
}
PRIVATE = [
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "168.63.129.16",
    "192.0.0.192",
    "100.64.0.1",
    "100.100.100.200",
    "198.18.0.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "0.0.0.0",
    "0",
    "0.1",
    "10.1",
    "167772161",
    "0xa000001",
    "0x0A.0.0.1",
    "012.0.0.1",
    "01200000001",
    "[::]",
    "[::ffff:10.0.0.1]",
    "[::ffff:a00:1]",
    "[::ffff:0:10.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:0.0.0.0]",
    "[::10.0.0.1]",
    "[64:ff9b::a00:1]",
    "[64:ff9b:1::a00:1]",
    "[2002:a00:1::]",
    "[2001:0:a00:1::]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[100::1]",
    "[5f00::1]",
    "[4000::1]",
]
LOOPBACK = [
    "127.0.0.1",
    "127.1",
    "127.255.255.254",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "localhost",
    "LOCALHOST",
    "localhost.",
]


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    resolver = Names()
    loopback = [["127.0.0.1"]]
    resolver.answers = {"localhost": loopback, "localhost.": loopback, "LOCALHOST": loopback}
    monkeypatch.setattr(socket, "getaddrinfo", resolver.getaddrinfo)
    return resolver


@pytest.fixture
def connects(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """To where connections are opened; none is."""
    tried: list[object] = []

    def refuse(_: socket.socket, address: object) -> None:
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    return tried


@pytest.fixture(params=SESSIONS)
def session(request: pytest.FixtureRequest) -> Iterator[GuardedSession]:
    with SESSIONS[request.param]() as opened:
        yield opened


@pytest.fixture
def development() -> Iterator[GuardedSession]:
    with SESSIONS["development"]() as opened:
        yield opened


@pytest.fixture
def listed() -> Iterator[GuardedSession]:
    with SESSIONS["listed"]() as opened:
        yield opened


@pytest.mark.parametrize("host", PRIVATE)
def test_a_private_or_reserved_address_is_refused_by_every_session(
    session: GuardedSession, connects: list[object], host: str
) -> None:
    with pytest.raises(AddressRefused, match="private or reserved"):
        session.get(f"https://{host}/")
    assert not connects


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_is_refused_outside_development(listed: GuardedSession, connects: list[object], host: str) -> None:
    with pytest.raises(AddressRefused, match="private or reserved"):
        listed.get(f"https://{host}/")
    assert not connects


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_is_called_in_development(development: GuardedSession, connects: list[object], host: str) -> None:
    with pytest.raises(Unreachable):
        development.get(f"https://{host}/")
    assert connects


def test_the_refusal_says_which_setting_opens_the_network(session: GuardedSession) -> None:
    with pytest.raises(AddressRefused, match="SHARED_SESSIONS_ALLOWED_NETWORKS") as caught:
        session.get("https://10.1.2.3:8443/calendar.ics?token=secret")
    assert str(caught.value).startswith("10.1.2.3:8443 is at a private or reserved address")
    assert caught.value.permanent


@pytest.mark.parametrize("host", [LISTED, "[::ffff:127.0.0.2]", "2130706434"])
def test_a_listed_address_is_called_however_it_is_written(
    listed: GuardedSession, connects: list[object], host: str
) -> None:
    with pytest.raises(Unreachable):
        listed.get(f"https://{host}/")
    assert connects


@pytest.mark.parametrize("host", ["93.184.216.34", "[2606:4700:4700::1111]", "[::ffff:93.184.216.34]"])
def test_a_public_address_is_called(session: GuardedSession, connects: list[object], host: str) -> None:
    with pytest.raises(Unreachable):
        session.get(f"https://{host}/")
    assert connects


@pytest.mark.parametrize(
    "url",
    [
        "",
        "lms.example",
        "//10.0.0.1/",
        "ftp://lms.example/",
        "file:///etc/passwd",
        "gopher://10.0.0.1/",
        "javascript:alert(1)",
        "https://",
        "https:///10.0.0.1/",
        "https:/10.0.0.1/",
        "https:\\\\10.0.0.1\\",
        "https://a:b@c.example/",
        "https://lms.example@10.0.0.1/",
        "https://lms.example:443@10.0.0.1/",
        "https://@10.0.0.1/",
        "https://10.0.0.1\\@lms.example/",
        "https://lms.example\\@10.0.0.1/",
        "https://lms.example\\.10.0.0.1/",
        "https://10.0.0.1#@lms.example/",
        "https://10.0.0.1?@lms.example/",
        "https://10.0.0.1%00.lms.example/",
        "https://10.0.0.1%2f@lms.example/",
        "https://10.0.0.1%09/",
        "https://lms.example\r\n@10.0.0.1/",
        "https://10.0.0.1\r\nHost: lms.example/",
        "https://10.0.\t0.1/",
        "https://10.0.0.1:443:80/",
        "https://lms.example:0/",
        "https://lms.example:99999/",
        "https://lms.example:-1/",
        "https://lms.example:x/",
        "https://lms.example:\uff14\uff14\uff13/",
        "https://[::1/",
        "https://[::ffff:10.0.0.1%25lo]/",
        "https://[fe80::1%25lo]/",
        "https://[fe80::1%lo]/",
        "https://[v1.10.0.0.1]/",
        "https://[10.0.0.1]/",
        "https://lms example/",
        "https://.10.0.0.1/",
        "https://\uff11\uff10.\uff10.\uff10.\uff11/",
        "https://\u24600\u30020\u30020\u30021/",
        "https://10\u30020\u30020\u30021/",
        "https://10.0.0.1./",
        "https://127.0.0.1./",
        "https://10.0.0.1../",
        "https://10..0.1/",
        "https://" + "a" * 64 + ".example/",
        "https://" + "a." * 200 + "example/",
        "https://\ud800.example/",
        "https://*.example/",
    ],
)
def test_a_trick_leads_nowhere(session: GuardedSession, connects: list[object], url: str) -> None:
    with pytest.raises(LmsError) as caught:
        session.get(url)
    assert not connects
    assert "a:b" not in str(caught.value)


@pytest.mark.parametrize("host", ["lms.example", "10.0.0.1", "127.0.0.1.", "2130706433", "localhost.evil.example"])
def test_plain_http_is_for_loopback_in_development_alone(
    session: GuardedSession, connects: list[object], host: str
) -> None:
    with pytest.raises(AddressRefused, match="must be called by https"):
        session.get(f"http://{host}/")
    assert not connects


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_plain_http_to_loopback_is_refused_outside_development(listed: GuardedSession, host: str) -> None:
    with pytest.raises(AddressRefused, match="must be called by https"):
        listed.get(f"http://{host}/")


def test_plain_http_goes_to_loopback_even_if_the_name_says_otherwise(
    development: GuardedSession, names: Names, connects: list[object]
) -> None:
    names.answers["localhost"] = [["93.184.216.34"]]
    with pytest.raises(AddressRefused):
        development.get("http://localhost/")
    assert not connects


def test_a_name_is_judged_by_its_address(session: GuardedSession, names: Names, connects: list[object]) -> None:
    names.answers["lms.example"] = [["169.254.169.254"]]
    with pytest.raises(AddressRefused):
        session.get("https://lms.example/")
    assert not connects


@pytest.mark.parametrize(
    "addresses", [["93.184.216.34", "10.0.0.1"], ["::1", "93.184.216.34"][::-1], ["fd00::1", "1.1.1.1"]]
)
def test_a_name_with_one_private_address_among_others_is_refused(
    listed: GuardedSession, names: Names, connects: list[object], addresses: list[str]
) -> None:
    names.answers["lms.example"] = [addresses]
    with pytest.raises(AddressRefused):
        listed.get("https://lms.example/")
    assert not connects


def test_a_name_that_nobody_knows_is_unreachable(session: GuardedSession) -> None:
    with pytest.raises(Unreachable, match="nobody knows its name"):
        session.get("https://lms.invalid/")


def test_the_second_address_is_called_when_the_first_does_not_answer(development: GuardedSession, names: Names) -> None:
    names.answers["localhost"] = [["127.0.0.3", "127.0.0.1"]]
    with site(answering(OK_AND_BYE)) as lms:
        assert development.get(f"http://localhost:{lms.port}/").body == b"ok"


def test_ipv6_works(development: GuardedSession) -> None:
    seen: list[bytes] = []
    with site(answering(OK_AND_BYE, seen=seen), address="::1") as lms:
        assert development.get(f"http://[::1]:{lms.port}/").body == b"ok"
        assert f"\r\nHost: [::1]:{lms.port}\r\n".encode() in seen[0]


@given(
    url=st.one_of(
        st.text(max_size=60),
        st.builds(
            "{}{}{}{}".format,
            st.sampled_from(["https://", "HTTPS:", "https:\\", "http://", "webcal://", "//"]),
            st.text(alphabet="0123456789abx.:@[]%/\\?#-_ \t\r\n\0\xe9\uff11\u3002", max_size=20),
            st.sampled_from(["", "@10.0.0.1", "10.0.0.1", "[::1]", ".10.0.0.1", ":10.0.0.1", "%40127.0.0.1"]),
            st.sampled_from(["", "/", ":443/", ":0", "?a=b", "#x", "\\", "\r\nX: y"]),
        ),
    )
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_reaches_an_address_that_may_not_be_called(
    listed: GuardedSession, connects: list[Any], url: str
) -> None:
    with pytest.raises(LmsError):
        listed.get(url)
    assert all(ip_address(address[0]).is_global or address[0] == LISTED for address in connects)
