"""The sandbox's own side of Dynamic Registration: what each product demands of a tool."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox_lms.registered_tools import all_tools, current_tool, new_registration_token
from sandbox_lms.registration import CONFIGURATION_PATH, MANNERS, REGISTRATION_PATH, SCOPES, TOOL_CONFIGURATION
from tests.integration.sandbox_client import TIMEOUT_S, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as opened:
        yield opened


def body(world: World, **changes: Any) -> dict[str, Any]:
    """A valid registration; a member that is None is left out."""
    said = {
        "application_type": "web",
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": f"{world.tool_url}/lti/login/new",
        "redirect_uris": [f"{world.tool_url}/lti/launch"],
        "client_name": "A tool",
        "jwks_uri": f"{world.tool_url}/lti/jwks.json",
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": " ".join(SCOPES),
        TOOL_CONFIGURATION: {
            "domain": "localhost",
            "target_link_uri": f"{world.tool_url}/lti/launch",
            "claims": ["iss", "sub"],
            "messages": [{"type": "LtiDeepLinkingRequest", "placements": ["link_selection"]}],
        },
    } | changes
    return {name: value for name, value in said.items() if value is not None}


def play(world: World, product: str) -> None:
    world.sandbox.switches["malta"].set(registers_as=product)


def post(world: World, token: str | None, **changes: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.post(world.url(REGISTRATION_PATH), json=body(world, **changes), headers=headers, timeout=TIMEOUT_S)


def token(world: World) -> str:
    return new_registration_token(world.sandbox.sites["malta"])


def test_moodle_answers_as_it_was_recorded(world: World) -> None:
    """moodle-recordings: 200 and not 201, the deployment named; without a token and with a used one 401."""
    used = token(world)
    answer = post(world, used)
    assert (answer.status_code, answer.json()[TOOL_CONFIGURATION]["deployment_id"]) == (200, "1")
    assert set(answer.json()["scope"].split()) == set(SCOPES)
    for wrong, words in ((used, "token_already_used"), (None, "missing_registration_token")):
        refused = post(world, wrong)
        assert (refused.status_code, refused.text) == (401, words)


def test_a_token_is_good_for_an_hour(world: World) -> None:
    late = token(world)
    world.advance(3601)
    assert post(world, late).status_code == 401


def test_canvas_guards_its_configuration_and_refuses_a_generic_body_by_422(world: World) -> None:
    play(world, "canvas")
    assert requests.get(world.url(CONFIGURATION_PATH), timeout=TIMEOUT_S).status_code == 401
    generic = {**body(world)[TOOL_CONFIGURATION], "messages": [{"type": "LtiResourceLinkRequest"}]}
    for changes in ({"scope": "https://lms.example/unknown"}, {TOOL_CONFIGURATION: generic}, {"client_name": None}):
        assert post(world, token(world), **changes).status_code == 422
    assert post(world, token(world)).status_code == 200


def test_brightspace_wants_no_token(world: World) -> None:
    play(world, "brightspace")
    answer = post(world, None)
    assert (answer.status_code, "deployment_id" in answer.json()[TOOL_CONFIGURATION]) == (201, False)


@pytest.mark.parametrize("product", MANNERS)
def test_each_configuration_says_which_product_it_is(world: World, product: str) -> None:
    play(world, product)
    headers = {"Authorization": f"Bearer {token(world)}"}
    said = requests.get(world.url(CONFIGURATION_PATH), headers=headers, timeout=TIMEOUT_S).json()
    part = said["https://purl.imsglobal.org/spec/lti-platform-configuration"]
    assert part["product_family_code"] == MANNERS[product].family_code
    assert said["issuer"] == world.campus.issuer


def test_the_first_tool_stays_until_another_is_activated(world: World) -> None:
    site = world.sandbox.sites["malta"]
    post(world, token(world))
    assert current_tool(site).client_id == world.campus.client_id
    admin = world.browser("rita")
    client_id = all_tools(site)[0].client_id
    assert admin.post(f"/admin/tools/{client_id}/activate").status_code == 303
    assert current_tool(site).client_id == client_id
    assert world.begin_launch(world.browser("maria")).action.endswith("/lti/login/new")


def test_only_administrators_register_tools(world: World) -> None:
    for username in ("maria", "karmenu"):
        assert world.browser(username).get("/admin/tools").status_code == 403
    admin = world.browser("rita")
    assert admin.get("/admin/tools").status_code == 200
    assert admin.post("/admin/tools", data={"link": "https://evil.example/"}).status_code == 422
    assert "registration_token=" in admin.post("/admin/tools", data={"link": f"{world.tool_url}/x"}).text
