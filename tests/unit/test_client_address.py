"""Whose address a request comes from, behind proxies that are trusted, and others."""

from ipaddress import ip_network

import pytest

from lti_tool.client_address import client_address

PROXIES = (ip_network("10.0.0.0/8"), ip_network("127.0.0.1/32"), ip_network("fd00::/8"))


@pytest.mark.parametrize("forwarded", ["", "192.0.2.1", "192.0.2.1, 10.0.0.1", "unknown"])
def test_without_a_trusted_proxy_the_connection_counts(forwarded: str) -> None:
    assert client_address("203.0.113.5", forwarded, PROXIES) == "203.0.113.5"
    assert client_address("127.0.0.1", forwarded, ()) == "127.0.0.1"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("192.0.2.1, 203.0.113.5", "203.0.113.5"),
        ("192.0.2.1,203.0.113.5 , 10.1.2.3", "203.0.113.5"),
        ("203.0.113.5, fd00::7", "203.0.113.5"),
        ("10.9.9.9", "10.9.9.9"),
        ("", "127.0.0.1"),
        ("203.0.113.5, nonsense", "127.0.0.1"),
        ("203.0.113.5, nonsense, 10.1.2.3", "10.1.2.3"),
        ("203.0.113.5:443", "127.0.0.1"),
    ],
)
def test_a_trusted_proxy_is_believed_as_far_as_trusted_ones_go(forwarded: str, address: str) -> None:
    assert client_address("127.0.0.1", forwarded, PROXIES) == address


@pytest.mark.parametrize("remote", ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9"])
def test_an_ipv6_customer_is_one_network(remote: str) -> None:
    assert client_address(remote, "", ()) == "2001:db8:1:2::/64"


def test_an_ipv4_address_in_ipv6_is_itself() -> None:
    assert client_address("::ffff:10.0.0.1", "::ffff:203.0.113.5", PROXIES) == "203.0.113.5"


@pytest.mark.parametrize("remote", [None, "", "unix:"])
def test_a_connection_without_an_address_is_one(remote: str | None) -> None:
    assert client_address(remote, "203.0.113.5", PROXIES) == "unknown"
