"""Which scopes an LMS grants, also one that refuses all of them because of one that it does not know."""

import json
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
import requests
import responses

from config.clock import Clock
from lms.guarded import GuardedSession
from lms.preflight_findings import Findings, Setting
from lms.preflight_services import ALL_SCOPES, look_at_token
from series.checks import Outcome
from series.store.universities import PlatformRow
from tests.unit.recordings import PLATFORM, SIGNING_KEY, loopback_session
from tests.unit.test_preflight import FACTS

ROW = PlatformRow(
    platform_id=1,
    university_id=1,
    slug="malta",
    issuer="https://lms.example",
    client_id=PLATFORM.client_id,
    authorization_endpoint="https://lms.example/auth",
    token_endpoint=PLATFORM.token_endpoint,
    jwks_uri="https://lms.example/certs",
    token_audience=None,
    product="canvas",
    state="active",
    succeeds_platform_id=None,
)


@pytest.fixture
def found() -> Iterator[Findings]:
    with loopback_session() as http:
        yield Findings(
            setting=setting(http),
            row=ROW,
            facts=FACTS,
            test_user=None,
            is_asked=True,
            earlier_score=None,
            keep=lambda _: None,
            on_trial=lambda _: None,
        )


def setting(http: GuardedSession) -> Setting:
    return Setting(
        http=http,
        clock=Clock(),
        signer=lambda: SIGNING_KEY,
        public_url="https://tool.example",
        our_kids=frozenset(),
        frame_ancestors=(),
        known_origins=(),
    )


def grants(*known: str) -> None:
    """Whoever asks for another scope, too, gets nothing: https://www.rfc-editor.org/rfc/rfc6749#section-5.2"""

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        asked = parse_qs(str(request.body))["scope"][0].split()
        if not set(asked) <= set(known):
            return 400, {}, json.dumps({"error": "invalid_scope"})
        return 200, {}, json.dumps({"access_token": "a-token"})

    responses.add_callback(responses.POST, PLATFORM.token_endpoint, callback=answer)


@responses.activate
def test_all_that_is_granted_is_found_out_in_one_call(found: Findings) -> None:
    grants(*ALL_SCOPES)
    look_at_token(found)
    assert found.granted == set(ALL_SCOPES)
    assert len(responses.calls) == 1


@responses.activate
def test_an_lms_that_refuses_all_for_one_is_asked_for_each(found: Findings) -> None:
    grants(*ALL_SCOPES[:2])
    look_at_token(found)
    assert found.granted == set(ALL_SCOPES[:2])
    assert found.has_token
    assert found.trials[-1].outcome is Outcome.OK


@responses.activate
def test_an_lms_that_grants_nothing_is_a_gap(found: Findings) -> None:
    grants()
    look_at_token(found)
    assert (found.trials[-1].outcome, found.trials[-1].facts["case"]) == (Outcome.GAP, "scope")
    assert not found.has_token


@responses.activate
@pytest.mark.parametrize(
    ("status", "body", "case"),
    [
        (401, '{"error": "invalid_client"}', "refused"),
        (503, "", None),
        (200, "<html>", None),
        (403, "<html>", "refused"),
    ],
)
def test_whatever_else_it_answers_is_a_gap(found: Findings, status: int, body: str, case: str | None) -> None:
    responses.post(PLATFORM.token_endpoint, status=status, body=body)
    look_at_token(found)
    assert (found.trials[-1].outcome, found.trials[-1].facts.get("case")) == (Outcome.GAP, case)
