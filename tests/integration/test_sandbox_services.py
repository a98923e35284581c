"""Key set, access tokens and rosters of the pretend universities."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from joserfc.jwk import RSAKey
from requests.utils import parse_header_links

from sandbox_lms.campus import AGS_SCOPE, MALTA, NRPS_SCOPE
from tests.integration.sandbox_client import SCOPES, TIMEOUT_S, World

MEMBERSHIPS = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"


@pytest.fixture(scope="module")  # nothing here is changed by what it is asked
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("sandbox")) as world:
        yield world


def roster_url(world: World, query: str = "") -> str:
    return world.url(f"/mod/lti/services.php/CourseSection/2/bindings/1/memberships{query}")


def ask_roster(world: World, query: str = "", **headers: str) -> requests.Response:
    sent = {"Accept": MEMBERSHIPS, **world.bearer("roster"), **headers}
    return requests.get(roster_url(world, query), headers=sent, timeout=TIMEOUT_S)


@contextmanager
def switched(world: World, **switches: Any) -> Iterator[None]:
    answer = requests.post(world.url("/sandbox/switches"), json=switches, timeout=TIMEOUT_S)
    assert answer.status_code == 200, answer.text
    yield
    world.sandbox.switches["malta"].reset()


def test_the_key_set_has_kid_alg_and_use(world: World) -> None:
    (key,) = requests.get(world.campus.registration().jwks_uri, timeout=TIMEOUT_S).json()["keys"]
    assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
    assert key["kid"]
    assert "d" not in key


def test_a_token_is_opaque_and_good_for_an_hour(world: World) -> None:
    answer = world.ask_token()
    assert answer.status_code == 200
    granted = answer.json()
    assert granted.pop("access_token").isalnum()
    assert granted == {"token_type": "Bearer", "expires_in": 3600, "scope": SCOPES["score"]}


def test_only_registered_scopes_are_granted(world: World) -> None:
    answer = world.ask_token(scope=f"{NRPS_SCOPE} {AGS_SCOPE}lineitem invented")
    assert answer.json()["scope"] == NRPS_SCOPE


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "unsupported_grant_type"),
        ({"client_assertion_type": "jwt-bearer"}, "invalid_request"),
        ({"client_assertion_type": ""}, "invalid_request"),
        ({"client_assertion": ""}, "invalid_request"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": f"{AGS_SCOPE}lineitem"}, "invalid_scope"),
    ],
)
def test_a_request_that_is_not_as_specified_gets_no_token(world: World, change: dict[str, str], error: str) -> None:
    answer = world.ask_token(**change)
    assert answer.status_code == 400
    assert answer.json()["error"] == error


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "another-tool"},
        {"sub": "another-tool"},
        {"iss": None},
        {"aud": "http://127.0.0.1/"},
        {"aud": None},
        {"jti": None},
        {"jti": ""},
        {"exp": None},
        {"exp": "soon"},
    ],
)
def test_an_assertion_with_a_wrong_claim_is_refused(world: World, change: dict[str, Any]) -> None:
    answer = world.ask_token(assertion=world.assertion(**change))
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"


@pytest.mark.parametrize(
    ("iat", "exp"),
    [(-400, -100), (-400, 0), (2, 200), (-60, 241), (None, 301)],
    ids=["expired", "expires now", "from the future", "good for too long", "good for too long without iat"],
)
def test_an_assertion_with_wrong_times_is_refused(world: World, iat: int | None, exp: int) -> None:
    now_s = world.now_s()
    # The clock runs on between here and there; one second more keeps each case on its side.
    times: dict[str, Any] = {
        "iat": None if iat is None else now_s + iat + (1 if iat > 0 else 0),
        "exp": now_s + exp + (iat is None),
    }
    assert world.ask_token(assertion=world.assertion(**times)).status_code == 401


def test_an_nbf_in_the_future_is_refused(world: World) -> None:
    assert world.ask_token(assertion=world.assertion(nbf=world.now_s() + 30)).status_code == 401


def test_an_audience_in_a_list_is_refused(world: World) -> None:
    assertion = world.assertion(aud=[world.campus.registration().token_endpoint])
    assert world.ask_token(assertion=assertion).status_code == 401


def test_an_assertion_is_good_once(world: World) -> None:
    assertion = world.assertion()
    assert world.ask_token(assertion=assertion).status_code == 200
    assert world.ask_token(assertion=assertion).status_code == 401


def test_an_assertion_signed_by_somebody_else_is_refused(world: World) -> None:
    foreign = RSAKey.generate_key(2048)
    assert world.ask_token(assertion=world.assertion(key=foreign)).status_code == 401
    assert world.ask_token(assertion=world.assertion(header={"kid": "unknown"})).status_code == 401
    assert world.ask_token(assertion=world.assertion(header={"kid": ""})).status_code == 401
    assert world.ask_token(assertion="garbage").status_code == 401


def test_a_json_body_is_no_token_request(world: World) -> None:
    url = world.campus.registration().token_endpoint
    assert requests.post(url, json={"grant_type": "client_credentials"}, timeout=TIMEOUT_S).status_code == 400


def test_a_token_expires_by_the_clock(world: World) -> None:
    bearer = world.bearer("roster")
    world.advance(3601)
    answer = requests.get(roster_url(world), headers={"Accept": MEMBERSHIPS, **bearer}, timeout=TIMEOUT_S)
    assert answer.status_code == 401


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer garbage", "Basic eDp5", "Bearer a b"])
def test_without_a_good_token_no_service_answers(world: World, authorization: str) -> None:
    answer = ask_roster(world, Authorization=authorization)
    assert answer.status_code == 401
    assert answer.json()["status"] == 401


def test_a_token_for_scores_reads_no_roster(world: World) -> None:
    assert ask_roster(world, **world.bearer("score")).status_code == 401


def test_the_roster_has_the_enrolled_people_with_short_roles(world: World) -> None:
    answer = ask_roster(world)
    assert answer.headers["Content-Type"] == f"{MEMBERSHIPS}; charset=utf-8"
    roster = answer.json()
    assert roster["id"] == roster_url(world)
    assert roster["context"] == {"id": "2", "label": "WORKSHOP", "title": "Shared Online Workshop Series"}
    assert [member["user_id"] for member in roster["members"]] == ["3", "4", "5", "6", "7", "8"]
    assert roster["members"][2] == {
        "user_id": "5",
        "status": "Active",
        "roles": ["Learner"],
        "name": "Ġorġ Ħaber",
        "lis_person_sourcedid": "MT000005",
    }
    assert roster["members"][-1]["roles"] == ["Instructor"]


def test_a_campus_that_shares_no_names_tells_none(tmp_path: Path) -> None:
    with World(tmp_path, [replace(MALTA, shares_names=False)]) as world:
        assert all("name" not in member for member in ask_roster(world).json()["members"])


def test_pages_of_a_roster_can_be_followed_to_the_end(world: World) -> None:
    url, sizes, found = roster_url(world, "?limit=4"), [], []
    while url:
        headers = {"Accept": MEMBERSHIPS, **world.bearer("roster")}
        answer = requests.get(url, headers=headers, timeout=TIMEOUT_S)
        page = [member["user_id"] for member in answer.json()["members"]]
        sizes.append(len(page))
        found += page
        assert "next" not in answer.json()
        links = parse_header_links(answer.headers.get("Link", ""))
        url = next((link["url"] for link in links if link["rel"] == "next"), "")
    assert sizes == [4, 2]
    assert found == ["3", "4", "5", "6", "7", "8"]


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1.5"])
def test_a_limit_that_is_no_number_is_refused(world: World, limit: str) -> None:
    assert ask_roster(world, f"?limit={limit}").status_code == 400


@pytest.mark.parametrize(
    "role", ["Instructor", "http%3A%2F%2Fpurl.imsglobal.org%2Fvocab%2Flis%2Fv2%2Fmembership%23Instructor"]
)
def test_a_roster_can_be_asked_for_one_role(world: World, role: str) -> None:
    assert [member["user_id"] for member in ask_roster(world, f"?role={role}").json()["members"]] == ["8"]


def test_a_roster_of_a_link_that_is_not_there_is_not_found(world: World) -> None:
    assert ask_roster(world, "?rlid=1").status_code == 200
    assert ask_roster(world, "?rlid=99").json()["reason"] == "Not Found: LTI link 99 doesn't exist"


def test_the_roster_of_one_link_can_be_refused(world: World) -> None:
    with switched(world, refuses_rlid=True):
        assert (ask_roster(world, "?rlid=1").status_code, ask_roster(world).status_code) == (400, 200)


def test_a_roster_comes_in_pages_of_the_campus_own_size(world: World) -> None:
    with switched(world, roster_page_size=4):
        answer = ask_roster(world)
        following = requests.get(
            answer.links["next"]["url"], headers={"Accept": MEMBERSHIPS, **world.bearer("roster")}, timeout=TIMEOUT_S
        )
    assert [len(page.json()["members"]) for page in (answer, following)] == [4, 2]
    assert "next" not in following.links


def test_who_has_left_is_in_no_roster_and_gets_no_grade(world: World) -> None:
    with switched(world, left=["3"], suspended=["4"]):
        members = {member["user_id"]: member["status"] for member in ask_roster(world).json()["members"]}
        assert members == {"4": "Inactive"} | dict.fromkeys(["5", "6", "7", "8"], "Active")
        answer = world.post_score(world.score())
        assert (answer.status_code, answer.reason) == (400, "Incorrect score received")


def test_a_roster_of_another_course_is_not_found(world: World) -> None:
    url = world.url("/mod/lti/services.php/CourseSection/9/bindings/1/memberships")
    assert requests.get(url, headers=world.bearer("roster"), timeout=TIMEOUT_S).status_code == 404


def test_a_roster_in_another_media_type_is_refused(world: World) -> None:
    assert ask_roster(world, Accept="application/json").status_code == 400
