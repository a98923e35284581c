"""Sign-in and launch at the pretend universities: as strict as a strict LMS."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from sandbox_lms.campus import VILNIUS
from tests.integration.sandbox_client import TIMEOUT_S, Browser, Form, World, form_of

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
LIS = "http://purl.imsglobal.org/vocab/lis/v2/"
AUTH = "/mod/lti/auth.php"


@pytest.fixture(scope="module")  # nothing here is changed by what it is asked
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("sandbox")) as world:
        yield world


@pytest.fixture
def browser(world: World) -> Browser:
    return world.browser("maria")


@pytest.fixture
def asked(world: World, browser: Browser) -> dict[str, str]:
    return world.authentication_request(world.begin_launch(browser))


def launch(world: World, username: str, activity_id: int = 1) -> jwt.Token:
    browser = world.browser(username)
    asked = world.authentication_request(world.begin_launch(browser, activity_id))
    return verified(world, form_of(browser.get(AUTH, params=asked)))


def verified(world: World, form: Form) -> jwt.Token:
    keys = requests.get(world.campus.registration().jwks_uri, timeout=TIMEOUT_S).json()
    return jwt.decode(form.fields["id_token"], KeySet.import_key_set(keys), algorithms=["RS256"])


def test_the_login_by_get_names_the_campus_in_the_path(world: World, browser: Browser) -> None:
    login = world.begin_launch(browser)
    assert login.action == f"{world.tool_url}/lti/login/malta"
    assert login.fields | {"lti_message_hint": ""} == {
        "iss": world.campus.issuer,
        "target_link_uri": f"{world.tool_url}/lti/launch",
        "login_hint": "3",
        "lti_message_hint": "",
        "client_id": world.campus.client_id,
        "lti_deployment_id": "1",
    }


def test_the_login_by_post_looks_like_moodles(tmp_path: Path) -> None:
    with World(tmp_path, [VILNIUS]) as world:
        login = world.begin_launch(world.browser("jonas"), activity_id=2)
    assert login.action == f"{world.tool_url}/lti/login"
    hint = json.loads(login.fields["lti_message_hint"])
    assert set(hint) == {"cmid", "launchid"}
    assert hint["cmid"] == 12


def test_a_hint_with_quotes_comes_back_and_is_known(tmp_path: Path) -> None:
    with World(tmp_path, [VILNIUS]) as world:
        assert launch(world, "jonas").claims["sub"] == "3"


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_launch_posts_state_and_token_to_the_tool(
    world: World, browser: Browser, asked: dict[str, str], method: str
) -> None:
    answer = browser.get(AUTH, params=asked) if method == "get" else browser.post(AUTH, data=asked)
    form = form_of(answer)
    assert form.action == f"{world.tool_url}/lti/launch"
    assert set(form.fields) == {"id_token", "state"}
    assert form.fields["state"] == "the-state"
    assert "<button>Continue</button>" in answer.text  # without scripts


def test_the_token_is_signed_by_a_published_key_and_lives_a_minute_of_the_clock(world: World) -> None:
    world.advance(7 * 24 * 3600)
    token = launch(world, "maria")
    assert token.header["alg"] == "RS256"
    assert abs(token.claims["iat"] - world.now_s()) <= 5
    assert token.claims["exp"] == token.claims["iat"] + 60
    assert token.claims["nonce"] == "the-nonce"
    assert token.claims["aud"] == world.campus.client_id
    assert token.claims["iss"] == world.campus.issuer


def test_the_claims_say_where_the_activity_is(world: World) -> None:
    claims, issuer = launch(world, "maria", activity_id=2).claims, world.campus.issuer
    assert claims[CLAIM + "message_type"] == "LtiResourceLinkRequest"
    assert claims[CLAIM + "version"] == "1.3.0"
    assert claims[CLAIM + "deployment_id"] == "1"
    assert claims[CLAIM + "target_link_uri"] == f"{world.tool_url}/lti/launch"
    assert claims[CLAIM + "context"]["id"] == "2"
    assert claims[CLAIM + "resource_link"] == {"id": "2", "title": "Workshop series (new tab)"}
    assert claims[CLAIM + "launch_presentation"]["locale"] == "en"
    assert claims[CLAIM + "launch_presentation"]["document_target"] == "window"
    assert claims[CLAIM + "launch_presentation"]["return_url"].startswith(issuer + "/mod/lti/return.php?")
    assert claims[CLAIM + "tool_platform"]["product_family_code"] == "moodle"
    assert claims["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"] == {
        "scope": [
            "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem.readonly",
            "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly",
            "https://purl.imsglobal.org/spec/lti-ags/scope/score",
        ],
        "lineitems": f"{issuer}/mod/lti/services.php/2/lineitems?type_id=1",
        "lineitem": f"{issuer}/mod/lti/services.php/2/lineitems/5/lineitem?type_id=1",
    }
    assert claims["https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"]["context_memberships_url"] == (
        f"{issuer}/mod/lti/services.php/CourseSection/2/bindings/1/memberships"
    )


def test_an_activity_without_a_grade_column_names_only_the_place_for_columns(tmp_path: Path) -> None:
    with World(tmp_path, [replace(VILNIUS, grades_activities=False)]) as world:
        endpoint = launch(world, "jonas").claims["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"]
    assert endpoint.keys() == {"scope", "lineitems"}


def test_no_token_tells_a_name_or_an_address(world: World) -> None:
    claims = launch(world, "maria").claims
    assert not {"name", "given_name", "family_name", "email"} & set(claims)
    assert "Vella" not in json.dumps(claims)


@pytest.mark.parametrize(
    ("username", "roles"),
    [
        ("maria", ["membership#Learner"]),
        ("karmenu", ["membership#Instructor"]),
        ("rita", ["institution/person#Administrator", "membership#Instructor", "system/person#Administrator"]),
    ],
)
def test_roles_are_those_that_moodle_sends(world: World, username: str, roles: list[str]) -> None:
    assert launch(world, username).claims[CLAIM + "roles"] == [LIS + role for role in roles]


def test_a_hint_is_good_for_one_launch(browser: Browser, asked: dict[str, str]) -> None:
    form_of(browser.get(AUTH, params=asked))
    again = form_of(browser.get(AUTH, params=asked))
    assert again.fields["error"] == "invalid_request"
    assert "id_token" not in again.fields


def test_of_visits_at_the_same_moment_one_gets_a_token(browser: Browser, asked: dict[str, str]) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: form_of(browser.get(AUTH, params=asked)), range(8)))
    assert sum("id_token" in answer.fields for answer in answers) == 1


def test_a_visit_that_fails_spends_the_hint_too(browser: Browser, asked: dict[str, str]) -> None:
    form_of(browser.get(AUTH, params=asked | {"scope": "profile"}))
    assert form_of(browser.get(AUTH, params=asked)).fields["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"scope": "openid email"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"response_type": "code"}, "unsupported_response_type"),
        ({"response_mode": "query"}, "invalid_request"),
        ({"prompt": "login"}, "invalid_request"),
        ({"nonce": ""}, "invalid_request"),
        ({"state": ""}, "invalid_request"),
        ({"login_hint": "4"}, "access_denied"),
        ({"login_hint": ""}, "access_denied"),
        ({"lti_message_hint": "invented"}, "invalid_request"),
        ({"lti_message_hint": ""}, "invalid_request"),
    ],
)
def test_what_is_wrong_in_the_request_is_told_to_the_tool(
    world: World, browser: Browser, asked: dict[str, str], change: dict[str, str], error: str
) -> None:
    form = form_of(browser.get(AUTH, params=asked | change))
    assert form.action == f"{world.tool_url}/lti/launch"
    assert form.fields["error"] == error
    assert form.fields["error_description"]
    assert form.fields.get("state", "") == (asked | change)["state"]
    assert "id_token" not in form.fields


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": "https://evil.example/x"},
        {"redirect_uri": ""},
        {"client_id": "another-tool"},
        {"client_id": ""},
    ],
)
def test_nothing_is_sent_to_a_tool_or_an_address_that_is_not_registered(
    browser: Browser, asked: dict[str, str], change: dict[str, str]
) -> None:
    answer = browser.get(AUTH, params=asked | change)
    assert answer.status_code == 400
    assert "form-post" not in answer.text
    assert "id_token" not in answer.text


@pytest.mark.parametrize("suffix", ["/", "?x=1", "#x"])
def test_the_redirect_uri_must_match_to_the_letter(browser: Browser, asked: dict[str, str], suffix: str) -> None:
    assert browser.get(AUTH, params=asked | {"redirect_uri": asked["redirect_uri"] + suffix}).status_code == 400


def test_a_parameter_that_comes_twice_is_refused(browser: Browser, asked: dict[str, str]) -> None:
    assert browser.post(AUTH, params={"redirect_uri": asked["redirect_uri"]}, data=asked).status_code == 400


def test_a_browser_where_nobody_is_signed_in_gets_no_token(world: World, asked: dict[str, str]) -> None:
    assert form_of(world.browser().get(AUTH, params=asked)).fields["error"] == "login_required"


def test_somebody_elses_hint_is_not_taken(world: World, asked: dict[str, str]) -> None:
    other = world.browser("luke")
    form = form_of(other.get(AUTH, params=asked | {"login_hint": "7"}))
    assert form.fields["error"] == "invalid_request"


def test_who_is_not_signed_in_is_asked_to_and_comes_back(world: World) -> None:
    browser = world.browser()
    answer = browser.get("/launch/1")
    assert answer.headers["Location"] == "/sign-in?next=/launch/1"
    signed_in = browser.post("/sign-in", data={"username": "maria", "password": "maria-demo", "next": "/launch/1"})
    assert signed_in.headers["Location"] == "/launch/1"


@pytest.mark.parametrize("next_path", ["https://evil.example/", "//evil.example/", "/\\evil.example", ""])
def test_signing_in_never_leads_to_another_site(world: World, next_path: str) -> None:
    form = {"username": "maria", "password": "maria-demo", "next": next_path}
    assert world.browser().post("/sign-in", data=form).headers["Location"] == "/course"


def test_a_wrong_password_signs_nobody_in(world: World) -> None:
    answer = world.browser().post("/sign-in", data={"username": "maria", "password": "wrong"})
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def test_the_cookie_is_the_campuss_own_and_works_in_a_frame(world: World) -> None:
    answer = world.browser().post("/sign-in", data={"username": "maria", "password": "maria-demo"})
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("LMSSessionmalta=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=None"} <= set(cookie.split("; "))


def test_a_form_from_another_site_signs_nobody_in_or_out(world: World) -> None:
    browser = world.browser()
    browser.headers = {"Origin": "https://evil.example"}
    assert browser.post("/sign-in", data={"username": "maria", "password": "maria-demo"}).status_code == 403
    assert browser.post("/sign-out").status_code == 403


def test_an_activity_that_is_not_there_is_not_launched(browser: Browser) -> None:
    assert browser.get("/launch/99").status_code == 404
