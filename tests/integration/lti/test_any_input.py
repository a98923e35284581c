"""Whatever comes: a page with a reason, never an error of ours; on both databases, which refuse different text."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.databases import KINDS, Databases
from tests.integration.lti.conftest import new_lms
from tests.integration.lti.lms import AGS, KeySets, base64url, claim
from tests.integration.lti.tool import Browser, Login, ToolUnderTest, open_tool

some = settings(
    max_examples=150,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
any_text = st.text(st.characters(exclude_categories=()), max_size=300)  # with NUL and half surrogates
any_number = st.integers() | st.floats() | st.sampled_from([10**400, -(10**400), 2**63, 1e308, 253402300800])
any_json = st.recursive(
    st.none() | st.booleans() | any_number | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=5,
)
any_header = st.fixed_dictionaries(
    {"alg": st.just("RS256"), "kid": st.just("key-of-malta")},
    optional=dict.fromkeys(("typ", "crit", "b64", "x5c", "jku", "jwk", "zip", "odd"), any_json),
)
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
PLACES: list[tuple[str, ...]] = [
    *((name,) for name in ("iss", "aud", "azp", "sub", "iat", "exp", "nonce", "name", "email", AGS, NRPS)),
    *((claim(name),) for name in ("version", "message_type", "deployment_id", "target_link_uri", "roles")),
    *((claim(name),) for name in ("resource_link", "context", "custom", "launch_presentation", "role_scope_mentor")),
    *((claim("resource_link"), name) for name in ("id", "title")),
    *((claim("context"), name) for name in ("id", "title", "label", "type")),
    *((claim("launch_presentation"), name) for name in ("return_url", "locale")),
    *((claim("custom"), name) for name in ("shared_sessions_session", "shared_sessions_series", "other")),
    *((AGS, name) for name in ("scope", "lineitem", "lineitems")),
    (NRPS, "context_memberships_url"),
]
FORMS = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json", "", "…"]
PATHS = ["/lti/login", "/lti/login/malta", "/lti/launch", "/lti/check"]


@pytest.fixture(scope="module", params=KINDS)
def tool(
    request: pytest.FixtureRequest, databases: Databases, key_sets: KeySets, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ToolUnderTest]:
    clock_file = tmp_path_factory.mktemp("any") / "clock"
    malta, vilnius = new_lms("malta", key_sets), new_lms("vilnius", key_sets)
    with databases.fresh(request.param) as url, open_tool(url, malta, vilnius, clock_file) as opened:
        yield opened


@pytest.fixture(scope="module")
def used_login(tool: ToolUnderTest) -> tuple[Browser, Login]:
    """For what never gets as far as spending its nonce."""
    browser = tool.new_browser()
    return browser, browser.begin_login(tool.malta)


def changed(claims: dict[str, Any], place: tuple[str, ...], value: object) -> dict[str, Any]:
    if len(place) == 1:
        return claims | {place[0]: value}
    return claims | {place[0]: {"id": "1"} | claims.get(place[0], {}) | {place[1]: value}}


@some
@given(place=st.sampled_from(PLACES), value=any_json)
@example(place=("sub",), value="\0")
@example(place=(claim("context"), "title"), value="\0")
@example(place=(claim("context"), "id"), value="9" * 12)
@example(place=(claim("launch_presentation"), "locale"), value="x" * 300)
@example(place=(claim("launch_presentation"), "return_url"), value="https://[::1/")
@example(place=(NRPS, "context_memberships_url"), value="https://[")
@example(place=("exp",), value=10**400)
def test_any_value_of_any_claim_is_accepted_or_refused(
    tool: ToolUnderTest, place: tuple[str, ...], value: object
) -> None:
    browser = tool.new_browser()
    login = browser.begin_login(tool.malta)
    before = tool.rows()
    answer = browser.launch(login, login.lms.sign(changed(login.claims(), place, value)))
    if answer.status_code == 303:
        assert browser.get(answer.location).status_code == 200
    else:
        assert 400 <= answer.status_code < 500, answer.text
        assert tool.rows() == before


@some
@given(payload=st.binary(max_size=300) | any_json.map(lambda value: json.dumps(value).encode()))
@example(payload=b'{"x":' + b"[" * 40_000 + b"]" * 40_000 + b"}")
def test_any_signed_payload_is_refused(used_login: tuple[Browser, Login], payload: bytes) -> None:
    browser, login = used_login
    assert 400 <= browser.launch(login, login.lms.sign(payload)).status_code < 500


@some
@given(header=any_json | any_header)
@example(header="alg")
def test_any_header_is_accepted_or_refused(tool: ToolUnderTest, header: object) -> None:
    browser = tool.new_browser()
    login = browser.begin_login(tool.malta)
    assert browser.launch(login, login.lms.sign(login.claims(), header=header)).status_code < 500


@some
@given(parts=st.lists(st.binary(max_size=60).map(base64url) | st.text(max_size=20), max_size=6))
def test_any_token_is_refused(used_login: tuple[Browser, Login], parts: list[str]) -> None:
    browser, login = used_login
    assert 400 <= browser.launch(login, ".".join(parts)).status_code < 500


@some
@given(path=st.sampled_from(PATHS), body=st.binary(max_size=300), content_type=st.sampled_from(FORMS))
def test_any_bytes_as_a_form_are_refused(tool: ToolUnderTest, path: str, body: bytes, content_type: str) -> None:
    browser = tool.new_browser()
    assert 400 <= browser.post(path, data=body, content_type=content_type).status_code < 500
    assert 400 <= browser.get(f"{path}?{quote_from_bytes(body)}").status_code < 500


@some
@given(
    changes=st.dictionaries(
        st.sampled_from(["iss", "client_id", "login_hint", "target_link_uri", "lti_message_hint", "lti_deployment_id"]),
        st.text(max_size=50) | st.sampled_from(["http://localhost:8999/\0", "http://localhost:8999/é", "http://["]),
        max_size=3,
    ),
    slug=st.sampled_from(["", "/malta"]) | st.text(min_size=1, max_size=10).map(lambda text: f"/{text}"),
)
def test_any_login_is_accepted_or_refused(tool: ToolUnderTest, changes: dict[str, str], slug: str) -> None:
    browser = tool.new_browser()
    form = {"iss": tool.malta.issuer, "login_hint": "5", "target_link_uri": "http://localhost:8999/"} | changes
    path = f"/lti/login{quote_from_bytes(slug.encode())}"
    answer = browser.post(path, data=form)
    if answer.status_code == 303:
        assert browser.get(answer.location).status_code == 302
    else:
        assert answer.status_code in {308, 400, 404}
