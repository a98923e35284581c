"""Dynamic Registration as pure functions: what an LMS says of itself, what we ask for, what it answers."""

import json
from dataclasses import replace
from typing import Any

import pytest

from lms.products import Product
from lms.products.table import REGISTRATIONS, product_of_family
from lti_tool.protocol.registration import (
    AGS_SCOPE,
    PLATFORM_CONFIGURATION,
    SCOPES,
    TOOL_CONFIGURATION,
    RegistrationFailed,
    RegistrationFault,
    Wish,
    asked_scopes,
    check_belongs,
    make_request,
    read_answer,
    read_configuration,
)

MOODLE = "https://moodle.uni.example"
URL = f"{MOODLE}/mod/lti/openid-configuration.php"
SAID: dict[str, Any] = {  # as Moodle 4.5 says it
    "issuer": MOODLE,
    "authorization_endpoint": f"{MOODLE}/mod/lti/auth.php",
    "token_endpoint": f"{MOODLE}/mod/lti/token.php",
    "jwks_uri": f"{MOODLE}/mod/lti/certs.php",
    "registration_endpoint": f"{MOODLE}/mod/lti/openid-registration.php",
    "scopes_supported": [*SCOPES, "openid"],
    PLATFORM_CONFIGURATION: {"product_family_code": "moodle", "version": "4.5.6 (Build: 20250811)"},
}
WISH = Wish(public_url="https://sessions.example", slug="malta", asks_names=True, placements=("ContentArea",))
ANSWER: dict[str, Any] = {
    "client_id": "MPbqm4hItJRKNRw",
    "redirect_uris": ["https://sessions.example/lti/launch"],
    "scope": " ".join(SCOPES),
    TOOL_CONFIGURATION: {"deployment_id": "1"},
}


def is_https(url: str) -> bool:
    return url.startswith("https://")


def belongs(url: str = URL, sites: tuple[str, ...] = (), **changes: Any) -> RegistrationFailed | None:
    """None, or what is wrong with the configuration."""
    said = {name: value for name, value in {**SAID, **changes}.items() if value is not None}
    try:
        check_belongs(read_configuration(json.dumps(said).encode()), url, sites=sites, may_call=is_https)
    except RegistrationFailed as failed:
        return failed
    return None


def request_of(product: Product, *, asks_names: bool = True, **said: Any) -> dict[str, Any]:
    quirks = REGISTRATIONS[product]
    wish = replace(
        WISH,
        asks_names=asks_names,
        placements=quirks.placements,
        declares_links=quirks.declares_links,
        members=quirks.members(asks_names),
    )
    configuration = read_configuration(json.dumps({**SAID, **said}).encode())
    request: dict[str, Any] = json.loads(make_request(wish, configuration))
    return request


def failed(body: bytes, *, wish: Wish = WISH) -> RegistrationFault:
    with pytest.raises(RegistrationFailed) as caught:
        read_answer(body, wish)
    return caught.value.fault


# The configuration


def test_a_configuration_is_read() -> None:
    read = read_configuration(json.dumps(SAID).encode())
    assert (read.issuer, read.platform.product_family_code) == (MOODLE, "moodle")
    assert read.lms_version == "4.5.6 (Build: 20250811)"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!doctype html>",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        json.dumps({**SAID, "issuer": 7}).encode(),
        json.dumps({**SAID, "issuer": ""}).encode(),
        json.dumps({**SAID, "issuer": "https://" + "x" * 256}).encode(),
        json.dumps({**SAID, "jwks_uri": "https://lms.example/\n"}).encode(),
        json.dumps({**SAID, "token_endpoint": "https://lms.example/ž"}).encode(),
        json.dumps({**SAID, "scopes_supported": "openid"}).encode(),
    ],
)
def test_what_is_no_configuration_is_refused(body: bytes) -> None:
    with pytest.raises(RegistrationFailed) as caught:
        read_configuration(body)
    assert caught.value.fault is RegistrationFault.NOT_A_CONFIGURATION


@pytest.mark.parametrize(
    ("version", "read"), [(None, None), ("", None), ("4.5\x1b[2J", "4.5[2J"), ("9" * 99, "9" * 64)]
)
def test_a_version_is_made_fit_to_be_shown(version: str | None, read: str | None) -> None:
    part = {"product_family_code": "moodle", "version": version}
    assert read_configuration(json.dumps({**SAID, PLATFORM_CONFIGURATION: part}).encode()).lms_version == read


def test_pitfall_22_issuer_and_configuration_on_one_host_belong_together() -> None:
    assert belongs() is None
    assert belongs(issuer=f"{MOODLE}/") is None
    assert belongs(issuer=f"{MOODLE}/lms", registration_endpoint=f"{MOODLE}:443/register") is None


@pytest.mark.parametrize(
    "issuer",
    [
        "https://another.example",
        "https://moodle.uni.example.evil.example",
        "https://uni.example",
        "https://moodle.uni.example:8443",
        "https://moodle.uni.example@evil.example",
        "moodle.uni.example",
        "urn:moodle",
        "https://[",
    ],
)
def test_pitfall_22_an_issuer_on_another_host_is_refused(issuer: str) -> None:
    wrong = belongs(issuer=issuer)
    assert wrong
    assert (wrong.fault, wrong.value) == (RegistrationFault.ISSUER_FOREIGN, issuer)


@pytest.mark.parametrize(
    ("product", "issuer", "host"),
    [
        (Product.CANVAS, "https://canvas.instructure.com", "sso.canvaslms.com"),
        (Product.CANVAS, "https://canvas.instructure.com", "uni.instructure.com"),
        (Product.CANVAS, "https://canvas.beta.instructure.com", "sso.beta.canvaslms.com"),
        (Product.BLACKBOARD, "https://blackboard.com", "developer.blackboard.com"),
        (Product.BLACKBOARD, "https://blackboard.com", "developer.anthology.com"),
    ],
)
def test_documented_pairs_of_hosts_belong_together(product: Product, issuer: str, host: str) -> None:
    here = {
        "issuer": issuer,
        "registration_endpoint": f"https://{host}/register",
    }
    assert belongs(f"https://{host}/configuration", REGISTRATIONS[product].sites, **here) is None
    other = belongs(f"https://{host}/configuration", REGISTRATIONS[Product.MOODLE].sites, **here)
    assert other
    assert other.fault is RegistrationFault.ISSUER_FOREIGN


@pytest.mark.parametrize("host", ["evil.example", "instructure.com.evil.example", "notinstructure.com"])
def test_nobody_else_speaks_for_the_canvas_cloud(host: str) -> None:
    wrong = belongs(
        f"https://{host}/configuration", REGISTRATIONS[Product.CANVAS].sites, issuer="https://canvas.instructure.com"
    )
    assert wrong
    assert wrong.fault is RegistrationFault.ISSUER_FOREIGN


def test_a_registration_endpoint_elsewhere_is_refused() -> None:
    wrong = belongs(registration_endpoint="https://elsewhere.example/register")
    assert wrong
    assert (wrong.fault, wrong.value) == (RegistrationFault.ENDPOINT_FOREIGN, "elsewhere.example")


@pytest.mark.parametrize("endpoint", ["authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint"])
def test_every_endpoint_must_be_one_that_we_call(endpoint: str) -> None:
    wrong = belongs(**{endpoint: "http://moodle.uni.example/x"})
    assert wrong
    assert wrong.fault is RegistrationFault.ENDPOINT_NOT_HTTPS


def test_an_lms_without_registration_is_told_apart() -> None:
    wrong = belongs(registration_endpoint=None)
    assert wrong
    assert wrong.fault is RegistrationFault.NO_REGISTRATION


# What we ask for


@pytest.mark.parametrize("product", Product)
def test_each_product_is_asked_for_what_we_use_and_no_more(product: Product) -> None:
    request = request_of(product)
    tool = request[TOOL_CONFIGURATION]
    assert request["scope"].split() == list(SCOPES)
    assert tool["claims"] == ["iss", "sub", "name", "given_name", "family_name"]
    assert tool["custom_parameters"] == {
        "context_history": "$Context.id.history",
        "resource_link_history": "$ResourceLink.id.history",
    }
    assert request["initiate_login_uri"] == "https://sessions.example/lti/login/malta"
    assert request["redirect_uris"] == ["https://sessions.example/lti/launch"]
    assert request["jwks_uri"] == "https://sessions.example/lti/jwks.json"
    assert request["token_endpoint_auth_method"] == "private_key_jwt"
    assert tool["domain"] == "sessions.example"
    assert "email" not in json.dumps(request)


def test_canvas_is_asked_as_its_source_wants_it() -> None:
    tool = request_of(Product.CANVAS)[TOOL_CONFIGURATION]
    assert tool["https://canvas.instructure.com/lti/privacy_level"] == "name_only"
    (message,) = tool["messages"]
    assert (message["type"], message["placements"]) == (
        "LtiDeepLinkingRequest",
        ["assignment_selection", "link_selection"],
    )
    nameless = request_of(Product.CANVAS, asks_names=False)[TOOL_CONFIGURATION]
    assert nameless["https://canvas.instructure.com/lti/privacy_level"] == "anonymous"


@pytest.mark.parametrize("product", [product for product in Product if product is not Product.CANVAS])
def test_others_are_asked_for_both_messages(product: Product) -> None:
    messages = request_of(product)[TOOL_CONFIGURATION]["messages"]
    assert {message["type"] for message in messages} == {"LtiDeepLinkingRequest", "LtiResourceLinkRequest"}


def test_scopes_that_the_lms_does_not_have_are_not_asked_for() -> None:
    request = request_of(Product.GENERIC, scopes_supported=[AGS_SCOPE + "score", "openid"])
    assert request["scope"] == AGS_SCOPE + "score"
    silent = read_configuration(json.dumps({**SAID, "scopes_supported": []}).encode())
    assert asked_scopes(silent) == SCOPES


@pytest.mark.parametrize(
    ("code", "product"),
    [
        ("moodle", Product.MOODLE),
        ("canvas", Product.CANVAS),
        ("desire2learn", Product.BRIGHTSPACE),
        ("D2L", Product.BRIGHTSPACE),
        ("BlackboardLearn", Product.BLACKBOARD),
        ("sakailms.org", Product.SAKAI),
        ("tsugi.org", Product.GENERIC),
        ("", Product.GENERIC),
    ],
)
def test_a_product_is_known_by_what_it_says_it_is(code: str, product: Product) -> None:
    assert product_of_family(code, "https://lms.example", "https://lms.example/token") is product


# The answer


def test_an_answer_is_read() -> None:
    read = read_answer(json.dumps(ANSWER).encode(), WISH)
    assert (read.client_id, read.deployment_id, read.missing_scopes) == ("MPbqm4hItJRKNRw", "1", ())


def test_a_number_is_a_client_id_too_and_a_deployment_may_be_missing() -> None:
    read = read_answer(b'{"client_id": 10000000000001}', WISH)
    assert (read.client_id, read.deployment_id, read.scopes) == ("10000000000001", None, None)


def test_what_was_not_granted_is_known() -> None:
    read = read_answer(json.dumps({**ANSWER, "scope": f"{AGS_SCOPE}lineitem {AGS_SCOPE}score"}).encode(), WISH)
    assert read.missing_scopes == (SCOPES[3], SCOPES[4])


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'"x"', b"\xff", b"[" * 100_000, b'{"scope": 7, "client_id": "x"}']
)
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    assert failed(body) is RegistrationFault.NOT_AN_ANSWER


@pytest.mark.parametrize("client_id", [None, "", " ", "x" * 256, "a\nb"])
def test_an_answer_without_a_usable_client_id_is_refused(client_id: str | None) -> None:
    assert failed(json.dumps({**ANSWER, "client_id": client_id}).encode()) is RegistrationFault.NO_CLIENT_ID


def test_an_answer_with_another_redirect_uri_is_refused() -> None:
    other = {**ANSWER, "redirect_uris": ["https://elsewhere.example/launch"]}
    assert failed(json.dumps(other).encode()) is RegistrationFault.ANSWER_FOREIGN
