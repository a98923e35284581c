"""Access tokens: cases 62 to 64 of lti-cases.md, the cache, and what a platform may answer."""

import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
import responses
from joserfc import jwt
from responses import matchers

from lms.errors import MalformedAnswer, NotAllowed, TryLater
from lms.guarded import GuardedSession
from lms.service_tokens import ServicePlatform, ServiceTokens, ask_for_token, client_assertion
from tests.unit.recordings import PLATFORM, SIGNING_KEY, grant_token, loopback_session, recording

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SCORE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
RESULT = "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly"


class Watch:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def http() -> Iterator[GuardedSession]:
    with loopback_session() as session:
        yield session


@pytest.fixture
def tokens(http: GuardedSession, watch: Watch) -> ServiceTokens:
    return ServiceTokens(http, lambda: SIGNING_KEY, watch)


def asked() -> list[dict[str, list[str]]]:
    return [parse_qs(str(call.request.body)) for call in responses.calls]


def claims_of(assertion: str) -> dict[str, Any]:
    return jwt.decode(assertion, SIGNING_KEY.key, algorithms=["RS256"]).claims


def test_case_62_the_assertion_names_us_twice_and_the_platform_once() -> None:
    claims = claims_of(client_assertion(PLATFORM, SIGNING_KEY, NOW))
    assert claims["iss"] == claims["sub"] == PLATFORM.client_id
    assert claims["aud"] == PLATFORM.token_endpoint


def test_case_62_the_assertion_lives_five_minutes_and_is_backdated_by_one() -> None:
    claims = claims_of(client_assertion(PLATFORM, SIGNING_KEY, NOW))
    assert claims["iat"] == int(NOW.timestamp()) - 60
    assert claims["exp"] - claims["iat"] == 300
    assert "nbf" not in claims


def test_case_62_the_header_names_our_key() -> None:
    token = jwt.decode(client_assertion(PLATFORM, SIGNING_KEY, NOW), SIGNING_KEY.key, algorithms=["RS256"])
    assert (token.header["alg"], token.header["kid"]) == ("RS256", "our-key")


def test_case_62_no_two_assertions_are_the_same() -> None:
    assert len({claims_of(client_assertion(PLATFORM, SIGNING_KEY, NOW))["jti"] for _ in range(9)}) == 9


def test_a_platform_may_want_another_audience_and_gets_it_as_one_string() -> None:
    brightspace = ServicePlatform(
        platform_id=2,
        client_id="us",
        token_endpoint="https://auth.brightspace.example/core/connect/token",
        token_audience="https://api.brightspace.com/auth/token",
    )
    assert claims_of(client_assertion(brightspace, SIGNING_KEY, NOW))["aud"] == "https://api.brightspace.com/auth/token"


@responses.activate
def test_cases_63_and_64_the_request_is_a_client_credentials_grant_for_the_scopes_asked(tokens: ServiceTokens) -> None:
    grant_token()
    tokens.token(PLATFORM, [SCORE, RESULT])
    (form,) = asked()
    assert form["grant_type"] == ["client_credentials"]
    assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
    assert form["scope"] == [f"{RESULT} {SCORE}"]


@responses.activate
def test_a_recorded_answer_of_moodle_is_understood(tokens: ServiceTokens) -> None:
    granted = recording("lti-token-endpoint")["results"]["ok"]
    responses.post(PLATFORM.token_endpoint, body=granted["body"], status=granted["status"])
    assert tokens.token(PLATFORM, [SCORE]) == "34920e0e0cb0b8347ada5afeec4f1eca"


@responses.activate
def test_a_token_is_used_until_a_minute_before_it_expires(tokens: ServiceTokens, watch: Watch) -> None:
    grant_token("first", expires_in=600)
    grant_token("second")
    assert tokens.token(PLATFORM, [SCORE]) == "first"
    watch.at += timedelta(seconds=539)
    assert tokens.token(PLATFORM, [SCORE]) == "first"
    watch.at += timedelta(seconds=1)
    assert tokens.token(PLATFORM, [SCORE]) == "second"


@responses.activate
@pytest.mark.parametrize("expires_in", ["600", 600.0])
def test_a_life_written_in_another_way_counts_too(tokens: ServiceTokens, watch: Watch, expires_in: object) -> None:
    grant_token("first", expires_in=expires_in)
    grant_token("second")
    tokens.token(PLATFORM, [SCORE])
    watch.at += timedelta(seconds=500)
    assert tokens.token(PLATFORM, [SCORE]) == "first"


@responses.activate
@pytest.mark.parametrize("expires_in", [0, -5])
def test_a_token_without_a_life_is_used_once(tokens: ServiceTokens, expires_in: int) -> None:
    grant_token("first", expires_in=expires_in)
    grant_token("second")
    assert [tokens.token(PLATFORM, [SCORE]), tokens.token(PLATFORM, [SCORE])] == ["first", "second"]


@responses.activate
def test_a_token_is_never_used_for_other_scopes_or_another_platform(tokens: ServiceTokens) -> None:
    for name in ("score", "result", "both", "other platform"):
        grant_token(name.replace(" ", "-"))
    other = ServicePlatform(platform_id=2, client_id="us", token_endpoint=PLATFORM.token_endpoint)
    got = [tokens.token(PLATFORM, scopes) for scopes in ([SCORE], [RESULT], [SCORE, RESULT], (RESULT, SCORE))]
    assert got == ["score", "result", "both", "both"]
    assert tokens.token(other, [SCORE]) == "other-platform"


@responses.activate
def test_threads_that_want_the_same_token_send_one_request(tokens: ServiceTokens) -> None:
    two_at_once = threading.Barrier(2)

    def grant(_: Any) -> tuple[int, dict[str, str], str]:
        with contextlib.suppress(threading.BrokenBarrierError):
            two_at_once.wait(timeout=0.1)  # a second request would come meanwhile
        return 200, {}, '{"access_token": "a-token"}'

    responses.add_callback("POST", PLATFORM.token_endpoint, callback=grant)
    threads = [threading.Thread(target=tokens.token, args=(PLATFORM, [SCORE])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked()) == 1


@responses.activate
def test_a_forgotten_token_is_asked_for_anew_but_a_newer_one_stays(tokens: ServiceTokens) -> None:
    for name in ("first", "second", "third"):
        grant_token(name)
    tokens.token(PLATFORM, [SCORE])
    tokens.forget(PLATFORM, [SCORE], "first")
    assert tokens.token(PLATFORM, [SCORE]) == "second"
    tokens.forget(PLATFORM, [SCORE], "first")
    assert tokens.token(PLATFORM, [SCORE]) == "second"


@responses.activate
@pytest.mark.parametrize(
    "body", ['{"error": "invalid_client"}', '{"error": "invalid_client", "error_description": "x"}']
)
def test_a_refusal_says_what_to_do_and_keeps_the_code(tokens: ServiceTokens, body: str) -> None:
    responses.post(PLATFORM.token_endpoint, status=400, body=body)
    with pytest.raises(NotAllowed, match="administrator should check") as caught:
        tokens.token(PLATFORM, [SCORE])
    assert (caught.value.status, caught.value.reason, caught.value.permanent) == (400, "invalid_client", False)


@responses.activate
@pytest.mark.parametrize(
    "body",
    [b'{"error" : ""kid" invalid, unable to lookup correct key"}', b"", b"<html>", b'{"error": 7}', b"[]", b"\xff\xfe"],
)
def test_a_refusal_that_is_not_json_is_still_a_refusal(tokens: ServiceTokens, body: bytes) -> None:
    responses.post(PLATFORM.token_endpoint, status=400, body=body)
    with pytest.raises(NotAllowed) as caught:
        tokens.token(PLATFORM, [SCORE])
    assert caught.value.reason == ""


@responses.activate
def test_a_refusal_that_quotes_what_we_sent_is_not_kept(tokens: ServiceTokens) -> None:
    responses.post(PLATFORM.token_endpoint, status=400, json={"error": "bad assertion eyJhbGciOi.secret.signature"})
    with pytest.raises(NotAllowed) as caught:
        tokens.token(PLATFORM, [SCORE])
    assert "secret" not in str(caught.value) + caught.value.reason


@responses.activate
@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_busy_platform_is_asked_later(tokens: ServiceTokens, status: int) -> None:
    responses.post(PLATFORM.token_endpoint, status=status, headers={"Retry-After": "7"})
    with pytest.raises(TryLater) as caught:
        tokens.token(PLATFORM, [SCORE])
    assert (caught.value.status, caught.value.retry_after_s) == (status, 7)


@responses.activate
@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>Sign in</html>",
        "[]",
        "{}",
        '{"access_token": ""}',
        '{"access_token": 7}',
        '{"access_token": "a\\nb"}',
    ],
)
def test_a_grant_without_a_usable_token_is_malformed(tokens: ServiceTokens, body: str) -> None:
    responses.post(PLATFORM.token_endpoint, body=body)
    with pytest.raises(MalformedAnswer):
        tokens.token(PLATFORM, [SCORE])


@responses.activate
def test_a_redirect_of_the_token_endpoint_is_not_followed(tokens: ServiceTokens) -> None:
    responses.post(PLATFORM.token_endpoint, status=302, headers={"Location": "https://elsewhere.example/"})
    with pytest.raises(MalformedAnswer):
        tokens.token(PLATFORM, [SCORE])
    assert len(responses.calls) == 1


@responses.activate
def test_a_failed_request_is_not_remembered(tokens: ServiceTokens) -> None:
    responses.post(PLATFORM.token_endpoint, status=503)
    grant_token()
    with pytest.raises(TryLater):
        tokens.token(PLATFORM, [SCORE])
    assert tokens.token(PLATFORM, [SCORE]) == "a-token"


@responses.activate
def test_the_answer_is_asked_for_as_json(tokens: ServiceTokens) -> None:
    responses.post(
        PLATFORM.token_endpoint,
        json={"access_token": "a-token"},
        match=[matchers.header_matcher({"Accept": "application/json"})],
    )
    assert tokens.token(PLATFORM, [SCORE]) == "a-token"


def test_a_signing_key_does_not_show_itself() -> None:
    assert "RSAKey" not in repr(SIGNING_KEY)


@responses.activate
@pytest.mark.parametrize(
    ("answer", "scopes"),
    [
        ({"scope": f"{SCORE} other"}, {SCORE, "other"}),
        ({}, {SCORE, RESULT}),
        ({"scope": ""}, set()),
        ({"scope": [SCORE, 3]}, {SCORE}),
        ({"scope": {"odd": True}}, {SCORE, RESULT}),
    ],
)
def test_a_token_is_good_for_what_the_platform_says(
    http: GuardedSession, answer: dict[str, Any], scopes: set[str]
) -> None:
    responses.post(PLATFORM.token_endpoint, json={"access_token": "a-token", "expires_in": 60, **answer})
    granted = ask_for_token(http, PLATFORM, [SCORE, RESULT], signing_key=SIGNING_KEY, now=NOW)
    assert (granted.scopes, granted.life_s) == (scopes, 60)
    assert "a-token" not in repr(granted)
