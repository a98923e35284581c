"""Where a join link leads, and whether a meeting of the series may be there."""

import pytest

from series.join_links import JoinPlaces, NotAJoinHost, host_in, place_of, read_join_hosts

ZOOM = JoinPlaces(hosts=("zoom.us", "bbb.uni.example:8443"))
ANYWHERE = JoinPlaces()
HOSTILE = {
    "javascript": "javascript:alert(1)//https://zoom.us",
    "data": "data:text/html,https://zoom.us/",
    "plain http": "http://zoom.us/j/1",
    "user name": "https://zoom.us@evil.example/",
    "user name and password": "https://zoom.us:443@evil.example/",
    "empty user name": "https://@zoom.us/",
    "backslash, which browsers take for a slash": "https://evil.example\\.zoom.us/",
    "backslash before the user name": "https://zoom.us\\@evil.example/",
    "no slashes": "https:zoom.us",
    "one slash": "https:/zoom.us",
    "tab in the host": "https://zo\tom.us/",
    "line break": "https://zoom.us/\n",
    "blank": "https://zoom.us /",
    "Cyrillic o": "https://z\u043e\u043em.us/",
    "full-width dot": "https://evil.example\uff0ezoom.us/",
    "percent in the host": "https://evil%2eexample%2f.zoom.us/",
    "bracket": "https://[zoom.us",
    "no host": "https:///zoom.us",
    "port that is none": "https://zoom.us:99999/",
    "dot at the end": "https://zoom.us./",
    "empty label": "https://a..zoom.us/",
    "too long": f"https://zoom.us/{'x' * 2000}",
}


@pytest.mark.parametrize("url", HOSTILE.values(), ids=HOSTILE)
def test_what_a_browser_may_read_otherwise_leads_nowhere(url: str) -> None:
    assert place_of(url) is None
    assert not ZOOM.allow(url)
    assert not ANYWHERE.allow(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://zoom.us/j/123?pwd=x",
        "HTTPS://ZOOM.US/j/123",
        "https://zoom.us:443/j/123",
        "https://uni-bonn.zoom.us/j/123",
        "https://bbb.uni.example:8443/room",
    ],
)
def test_a_listed_domain_and_its_subdomains_are_allowed(url: str) -> None:
    assert ZOOM.allow(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/zoom.us",
        "https://zoom.us.evil.example/",
        "https://evilzoom.us/",
        "https://zoom.us-evil.example/",
        "https://xn--zom-tna.us/",
        "https://us/",
        "https://zoom.us:8443/",
        "https://bbb.uni.example/room",
        "https://evil.example/?https://zoom.us/",
        "https://evil.example/#@zoom.us",
    ],
)
def test_what_only_looks_alike_is_not(url: str) -> None:
    assert not ZOOM.allow(url)
    assert ANYWHERE.allow(url), "without a list, any https host is"


def test_plain_http_is_for_this_very_machine_in_development() -> None:
    developing = JoinPlaces(in_development=True)
    assert developing.allow("http://127.0.0.1:5001/meeting")
    assert developing.allow("http://localhost:5001/meeting")
    assert not developing.allow("http://meet.example/")
    assert not ANYWHERE.allow("http://127.0.0.1:5001/meeting")
    assert JoinPlaces(hosts=("127.0.0.1:5001",), in_development=True).allow("http://127.0.0.1:5001/meeting")


def test_hosts_are_read_however_they_were_pasted() -> None:
    typed = [
        "Zoom.us,",
        "https://bbb.uni.example/b/abc",
        "*.meet.example",
        ".teams.example",
        "zoom.us.",
        "a.example:443",
    ]
    wanted = ("zoom.us", "bbb.uni.example", "meet.example", "teams.example", "a.example")
    assert read_join_hosts(typed) == wanted
    assert read_join_hosts(["", " , ", ";"]) == ()
    assert read_join_hosts(["bbb.uni.example:8443", "localhost:5001"]) == ("bbb.uni.example:8443", "localhost:5001")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("us", "allow far too much"),
        ("https://me@zoom.us", "not the name of a host"),
        ("zööm.us", "not the name of a host"),
        ("zoom us", "not the name of a host"),
        ("-zoom.us", "not the name of a host"),
        ("zoom.us:0", "not the name of a host"),
        ("zoom.us:http", "not the name of a host"),
        ("javascript:alert(1)", "not the name of a host"),
        ("[::1]", "not the name of a host"),
        ("*", "not the name of a host"),
    ],
)
def test_what_is_no_host_is_refused_in_words(typed: str, words: str) -> None:
    with pytest.raises(NotAJoinHost, match=words):
        read_join_hosts([typed])


def test_a_list_has_an_end() -> None:
    with pytest.raises(NotAJoinHost, match="At most 30"):
        read_join_hosts([f"h{number}.example" for number in range(31)])


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://zoom.us/j/123?pwd=secret", "zoom.us"),
        ("https://zoom.us:8443/j/123", "zoom.us:8443"),
        ("https://me:secret@zoom.us/", "zoom.us"),
        ("https://zööm.us/secret", "zööm.us"),
        ("https://[", "?"),
        ("nothing", "?"),
        (None, None),
        ("", None),
    ],
)
def test_only_the_host_of_a_link_is_kept(url: str | None, kept: str | None) -> None:
    assert host_in(url) == kept
