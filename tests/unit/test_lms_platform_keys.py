"""A platform's key set: case 73 and 74 of lti-cases.md."""

import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import responses
from joserfc.jwk import ECKey, KeySet, RSAKey

from lms.errors import MalformedAnswer, NotFound, TryLater
from lms.guarded import GuardedSession
from lms.platform_keys import fetch_key_set, published_keys
from tests.unit.recordings import loopback_session

JWKS = "https://lms.uni.example/mod/lti/certs.php"
GOOD = {**RSAKey.generate_key(2048).as_dict(private=False), "kid": "good", "alg": "RS256", "use": "sig"}


def weak_key() -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {**RSAKey.generate_key(1024).as_dict(private=False), "kid": "weak"}


@pytest.fixture
def http() -> Iterator[GuardedSession]:
    with loopback_session() as session:
        yield session


def kids(key_set: str) -> list[str]:
    """Read as the launch reads them."""
    return [str(key.kid) for key in KeySet.import_key_set(json.loads(key_set)).keys]


@responses.activate
def test_a_key_set_is_kept_as_it_is(http: GuardedSession) -> None:
    responses.get(JWKS, json={"keys": [GOOD, {**GOOD, "kid": "next"}], "extra": 1})
    key_set = fetch_key_set(http, JWKS)
    assert kids(key_set) == ["good", "next"]
    assert json.loads(key_set)["keys"][0] == GOOD


@responses.activate
@pytest.mark.parametrize("missing", ["alg", "use"])
def test_case_73_a_key_without_alg_or_use_counts(http: GuardedSession, missing: str) -> None:
    responses.get(JWKS, json={"keys": [{name: value for name, value in GOOD.items() if name != missing}]})
    assert kids(fetch_key_set(http, JWKS)) == ["good"]


@responses.activate
@pytest.mark.parametrize(
    "bad",
    [
        weak_key(),
        {**ECKey.generate_key("P-256").as_dict(private=False), "kid": "curve"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"},
        {**GOOD, "use": "enc"},
        {**GOOD, "alg": "RS384"},
        {**GOOD, "kid": ""},
        {**GOOD, "kid": "k" * 256},
        {**GOOD, "n": "_" * 1400},
        {**GOOD, "e": GOOD["n"]},
        {**GOOD, "kid": 7},
        {name: value for name, value in GOOD.items() if name != "kid"},
        {**GOOD, "n": "not base64!"},
        {**GOOD, "n": None},
        {**GOOD, "n": "é"},
        {**GOOD, "e": "AA"},
        {**GOOD, "e": "****"},
        "a string",
        None,
    ],
)
def test_a_key_that_we_cannot_use_is_dropped_and_the_others_serve(http: GuardedSession, bad: Any) -> None:
    other = {**GOOD, "kid": "other"}
    responses.get(JWKS, json={"keys": [bad, other]})
    assert kids(fetch_key_set(http, JWKS)) == ["other"]


@responses.activate
def test_a_private_key_published_by_mistake_is_not_kept(http: GuardedSession) -> None:
    private = {**RSAKey.generate_key(2048).as_dict(private=True), "kid": "oops"}
    responses.get(JWKS, json={"keys": [private]})
    assert set(json.loads(fetch_key_set(http, JWKS))["keys"][0]) == {"kty", "n", "e", "kid", "alg", "use"}


@responses.activate
@pytest.mark.parametrize("body", ["", "<html>", "[]", "{}", '{"keys": {}}', "\xff"])
def test_case_74_what_is_no_key_set_is_malformed(http: GuardedSession, body: str) -> None:
    responses.get(JWKS, body=body.encode("latin-1"))
    with pytest.raises(MalformedAnswer):
        fetch_key_set(http, JWKS)


@responses.activate
@pytest.mark.parametrize("keys", [[], [1], [weak_key()], [{"kid": None, "kty": "RSA"}]])
def test_a_platform_may_publish_no_key_that_we_can_use(http: GuardedSession, keys: list[Any]) -> None:
    responses.get(JWKS, json={"keys": keys})
    assert json.loads(fetch_key_set(http, JWKS)) == {"keys": []}


@responses.activate
@pytest.mark.parametrize("where", ['{"keys": [%s]}', '{"keys": [], "more": %s}'])
def test_a_key_set_that_is_nested_very_deeply_is_malformed(http: GuardedSession, where: str) -> None:
    responses.get(JWKS, body=where % ("[" * 100_000 + "]" * 100_000))
    with pytest.raises(MalformedAnswer):
        fetch_key_set(http, JWKS)


@responses.activate
def test_a_key_set_of_very_many_keys_is_malformed(http: GuardedSession) -> None:
    responses.get(JWKS, json={"keys": [{**GOOD, "kid": str(number)} for number in range(101)]})
    with pytest.raises(MalformedAnswer, match="more than 100 keys"):
        fetch_key_set(http, JWKS)


@responses.activate
def test_case_74_a_key_set_of_10_mb_is_not_read(http: GuardedSession) -> None:
    responses.get(JWKS, body=b" " * 10_000_000)
    with pytest.raises(MalformedAnswer, match="more than"):
        fetch_key_set(http, JWKS)


@responses.activate
def test_case_74_a_key_set_elsewhere_is_not_followed(http: GuardedSession) -> None:
    responses.get(JWKS, status=302, headers={"Location": "https://10.0.0.1/"})
    with pytest.raises(MalformedAnswer, match="final address"):
        fetch_key_set(http, JWKS)
    assert len(responses.calls) == 1


@responses.activate
@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_case_74_a_server_in_trouble_is_asked_later(http: GuardedSession, status: int) -> None:
    responses.get(JWKS, status=status, headers={"Retry-After": "9"})
    with pytest.raises(TryLater) as caught:
        fetch_key_set(http, JWKS)
    assert caught.value.retry_after_s == 9


@responses.activate
def test_a_wrong_address_is_not_found(http: GuardedSession) -> None:
    responses.get(JWKS, status=404)
    with pytest.raises(NotFound, match="address registered"):
        fetch_key_set(http, JWKS)


@responses.activate
@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ([GOOD], (1, 1, 0, 0)),
        ([], (0, 0, 0, 0)),
        ([weak_key()], (1, 0, 1, 0)),
        ([GOOD, GOOD], (2, 2, 0, 1)),
        ([GOOD, {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"}, "no key"], (3, 1, 0, 0)),
    ],
    ids=["good", "none", "short", "the same id twice", "of other kinds"],
)
def test_what_is_wrong_with_a_key_set_is_counted(http: GuardedSession, keys: list[Any], found: tuple[int, ...]) -> None:
    responses.get(JWKS, json={"keys": keys}, headers={"Date": "Tue, 24 Nov 2026 15:10:00 GMT"})
    published = published_keys(http, JWKS)
    assert (published.published, published.good, published.short, published.doubles) == found
    assert published.sent_at is not None
    assert published.sent_at.isoformat() == "2026-11-24T15:10:00+00:00"
