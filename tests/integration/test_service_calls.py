"""Cases 58 to 63: what we ask of a platform's services, over real HTTP, and as it stood on the wire.

The sandbox LMS takes no other media type, assertion or scope: test_sandbox_services.py and test_sandbox_grades.py.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from lms.ags import SCOPE_RESULT_READONLY, SCOPE_SCORE
from lms.errors import NotAllowed
from lms.nrps import SCOPE_MEMBERSHIPS, read_memberships
from tests.integration.service import GORG, MARIA, RESULTS, SCORES, TOKEN, Service, open_service

MEMBERSHIPS = "/mod/lti/services.php/CourseSection/2/bindings/1/memberships"


@pytest.fixture
def service(tmp_path: Path, sqlite_url: str) -> Iterator[Service]:
    with open_service(tmp_path, sqlite_url) as opened:
        yield opened


def test_lti_058_results_are_asked_for_with_their_media_type_and_without_a_limit(service: Service) -> None:
    service.grade(MARIA, 40)
    assert service.result() is not None
    (request,) = service.sent(RESULTS)
    assert request.method == "GET"
    assert request.headers["Accept"] == "application/vnd.ims.lis.v2.resultcontainer+json"
    assert parse_qs(urlsplit(str(request.url)).query) == {"type_id": ["1"], "user_id": [MARIA]}


def test_lti_059_results_are_asked_for_with_the_bearer_token(service: Service) -> None:
    service.result()
    token = service.partner.services.tokens.token(service.platform, [SCOPE_RESULT_READONLY])
    (request,) = service.sent(RESULTS)
    assert request.headers["Authorization"] == f"Bearer {token}"


def test_lti_059_pitfall_28_one_token_serves_until_it_expires(service: Service) -> None:
    for _ in range(3):
        service.result()
    assert service.partner.calls() == [TOKEN, RESULTS, RESULTS, RESULTS]
    service.partner.world.advance(3600)
    service.result()
    assert service.partner.calls() == [TOKEN, RESULTS]


def test_lti_059_a_token_that_the_lms_has_dropped_is_replaced_once(service: Service) -> None:
    service.grade(MARIA, 40)
    service.result()
    service.drop_tokens()
    service.partner.calls()
    assert service.result() is not None
    assert service.partner.calls() == [RESULTS, TOKEN, RESULTS]


def test_lti_059_an_lms_that_takes_no_token_is_asked_twice_and_not_three_times(service: Service) -> None:
    service.partner.world.sandbox.switches["malta"].set(score_status=401)
    state, outcome = service.deliver(service.check_in(SCOPE_SCORE))
    assert service.partner.calls() == [TOKEN, SCORES, TOKEN, SCORES]
    assert state == "due"
    assert "administrator should check" in str(outcome)


def test_lti_060_results_are_asked_for_with_a_token_for_results_alone(service: Service) -> None:
    service.result()
    assert service.scopes_asked() == [SCOPE_RESULT_READONLY]
    assert service.scopes_given() == {SCOPE_RESULT_READONLY}


def test_lti_060_no_token_is_wider_than_its_call(service: Service) -> None:
    read_memberships(
        service.partner.services.http,
        service.partner.services.tokens,
        service.platform,
        service.partner.world.url(MEMBERSHIPS),
    )
    service.deliver(service.check_in(SCOPE_SCORE, SCOPE_RESULT_READONLY))
    service.result()
    assert service.scopes_asked() == [SCOPE_MEMBERSHIPS, SCOPE_SCORE, SCOPE_RESULT_READONLY]
    assert service.scopes_given() == {SCOPE_MEMBERSHIPS, SCOPE_SCORE, SCOPE_RESULT_READONLY}


def test_lti_061_the_result_of_one_person_is_read(service: Service) -> None:
    service.grade(MARIA, 40)
    service.grade(GORG, 70)
    result = service.result(GORG)
    assert result is not None
    assert (result.user_id, result.result_score, result.result_maximum) == (GORG, 70, 100)


def test_lti_061_whoever_has_no_grade_has_no_result(service: Service) -> None:
    service.grade(GORG, 70)
    assert service.result(MARIA) is None


def test_lti_062_the_assertion_names_us_and_the_platform_lives_shortly_and_is_signed_by_a_published_key(
    service: Service,
) -> None:
    service.result()
    (signed,) = service.assertions()
    claims, now_s = signed.claims, service.partner.world.now_s()
    assert signed.header["kid"] == "tool-key"
    assert claims["iss"] == claims["sub"] == service.platform.client_id
    assert claims["aud"] == service.platform.token_endpoint
    assert now_s - 120 < claims["iat"] < now_s < claims["exp"] <= claims["iat"] + 300
    assert claims["jti"]


def test_lti_062_each_assertion_is_used_once(service: Service) -> None:
    service.result()
    service.drop_tokens()
    service.result()
    one, other = service.assertions()
    assert one.claims["jti"] != other.claims["jti"]


@pytest.mark.parametrize("ahead_s", [-180, -30, 0, 3, 55])
def test_lti_062_pitfall_16_an_lms_without_leeway_takes_an_assertion_of_a_clock_that_differs(
    service: Service, ahead_s: int
) -> None:
    service.grade(MARIA, 40)
    assert service.result(tokens=service.tokens(ahead=timedelta(seconds=ahead_s))) is not None


def test_lti_062_pitfall_14_another_audience_is_sent_as_one_string(service: Service) -> None:
    """This LMS wants its token endpoint there and refuses; the sentence says who can mend it."""
    audience = "https://api.brightspace.com/auth/token"
    other = replace(service, platform=replace(service.platform, token_audience=audience))
    with pytest.raises(NotAllowed, match="administrator should check") as caught:
        other.result()
    assert (caught.value.status, caught.value.reason) == (401, "invalid_client")
    (signed,) = service.assertions()
    assert signed.claims["aud"] == audience
    assert service.sent(RESULTS) == []


def test_lti_063_the_request_for_a_token_is_the_form_that_the_specification_shows(service: Service) -> None:
    service.result()
    (request,), (form,) = service.sent(TOKEN), service.token_forms()
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert form.keys() == {"grant_type", "client_assertion_type", "client_assertion", "scope"}
    assert form["grant_type"] == ["client_credentials"]
    assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
