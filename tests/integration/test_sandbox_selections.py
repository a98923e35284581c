"""The pretend LMS asks the tool for content, and is strict about the answer; its courses can be copied."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from sandbox_lms.activities import Activity, all_activities
from sandbox_lms.completion import all_completions
from sandbox_lms.courses import all_courses
from sandbox_lms.line_items import all_line_items
from tests.integration.sandbox_client import TIMEOUT_S, TOOL_KEY, Browser, World, form_of

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
AUTH = "/mod/lti/auth.php"
ITEM = {
    "type": "ltiResourceLink",
    "title": "Inquiry at the beach",
    "text": "Week 7",
    "custom": {"shared_sessions_session": "5e551000"},
    "lineItem": {"scoreMaximum": 1, "label": "another", "resourceId": "session 5e551000", "tag": "shared-sessions"},
    "submission": {"endDateTime": "2026-11-24T17:00:00+00:00"},
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


@pytest.fixture
def teacher(world: World) -> Browser:
    return world.browser("karmenu")


def asked(world: World, browser: Browser, path: str = "/course/2/add/launch") -> dict[str, Any]:
    """The claims of the message that opens there."""
    answer = browser.get(path)
    login = form_of(answer) if answer.status_code == 200 else None
    fields = login.fields if login else dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    request = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": fields["client_id"],
        "redirect_uri": f"{world.tool_url}/lti/launch",
        "login_hint": fields["login_hint"],
        "lti_message_hint": fields["lti_message_hint"],
        "state": "the-state",
        "nonce": "the-nonce",
    }
    keys = requests.get(world.campus.registration().jwks_uri, timeout=TIMEOUT_S).json()
    token = form_of(browser.get(AUTH, params=request)).fields["id_token"]
    claims: dict[str, Any] = jwt.decode(token, KeySet.import_key_set(keys), algorithms=["RS256"]).claims
    return claims


def answer_to(world: World, claims: dict[str, Any], *items: dict[str, Any]) -> dict[str, Any]:
    settings = claims[DL + "deep_linking_settings"]
    data = {DL + "data": settings["data"]} if "data" in settings else {}
    return {
        "iss": world.campus.client_id,
        "aud": world.campus.issuer,
        "iat": world.now_s(),
        "exp": world.now_s() + 300,
        "nonce": uuid4().hex,
        CLAIM + "message_type": "LtiDeepLinkingResponse",
        CLAIM + "version": "1.3.0",
        CLAIM + "deployment_id": "1",
        DL + "content_items": list(items),
        DL + "msg": "Chosen",
        **data,
    }


def post(browser: Browser, claims: dict[str, Any], answer: dict[str, Any], key: RSAKey = TOOL_KEY) -> requests.Response:
    signed = jwt.encode({"alg": "RS256", "kid": "tool-key"}, answer, key)
    return browser.post(claims[DL + "deep_linking_settings"]["deep_link_return_url"], data={"JWT": signed})


def save(world: World, browser: Browser, page: str) -> requests.Response:
    found = re.search(r'name="id" value="(\w+)"', page)
    assert found, page
    return browser.post("/course/2/add", data={"id": found[1]})


def add(world: World, browser: Browser, *items: dict[str, Any]) -> list[Activity]:
    """Choose and save; what is new in the course."""
    before = len(all_activities(site(world)))
    claims = asked(world, browser)
    page = post(browser, claims, answer_to(world, claims, *items))
    assert page.status_code == 200, page.text
    assert save(world, browser, page.text).status_code == 303
    return all_activities(site(world))[before:]


def site(world: World) -> Any:
    return world.sandbox.sites["malta"]


def test_the_tool_is_asked_as_moodle_asks(world: World, teacher: Browser) -> None:
    claims = asked(world, teacher)
    settings = claims[DL + "deep_linking_settings"]
    assert claims[CLAIM + "message_type"] == "LtiDeepLinkingRequest"
    assert CLAIM + "resource_link" not in claims
    assert settings["accept_types"] == ["ltiResourceLink"]
    assert settings["accept_multiple"] is True
    assert "accept_lineitem" not in settings
    assert claims[CLAIM + "custom"]["resource_link_history"] == "$ResourceLink.id.history"


def test_the_switches_change_what_is_asked(world: World, teacher: Browser) -> None:
    switches = world.sandbox.switches["malta"]
    switches.set(
        selects_one=True, takes_line_items=False, sends_no_data=True, accept_types=("link",), no_return_url=True
    )
    settings = asked(world, teacher)[DL + "deep_linking_settings"]
    assert settings["accept_multiple"] is False
    assert settings["accept_lineitem"] is False
    assert settings["accept_types"] == ["link"]
    assert {"data", "deep_link_return_url"}.isdisjoint(settings)


def test_nothing_is_made_before_it_is_saved(world: World, teacher: Browser) -> None:
    claims = asked(world, teacher)
    page = post(teacher, claims, answer_to(world, claims, ITEM))
    assert "Save and return to course" in page.text
    assert len(all_activities(site(world))) == 2
    assert save(world, teacher, page.text).status_code == 303
    assert len(all_activities(site(world))) == 3
    assert save(world, teacher, page.text).status_code == 400
    assert len(all_activities(site(world))) == 3


def test_an_item_is_made_as_moodle_makes_it(world: World, teacher: Browser) -> None:
    (made,) = add(world, teacher, ITEM)
    assert (made.title, made.custom, made.score_maximum) == (ITEM["title"], ITEM["custom"], 1)
    assert made.tracking == 0
    (item,) = [one for one in all_line_items(site(world)) if one.activity_id == made.activity_id]
    assert (item.label, item.resource_id, item.tag) == (ITEM["title"], "session 5e551000", "shared-sessions")
    claims = asked(world, teacher, f"/launch/{made.activity_id}")
    assert claims[CLAIM + "custom"]["shared_sessions_session"] == "5e551000"
    assert "completion off" in teacher.get("/course").text


def test_an_item_without_a_line_item_has_no_grade(world: World, teacher: Browser) -> None:
    (made,) = add(world, teacher, {name: value for name, value in ITEM.items() if name != "lineItem"})
    assert made.activity_id not in {one.activity_id for one in all_line_items(site(world))}
    claims = asked(world, teacher, f"/launch/{made.activity_id}")
    assert "lineitem" not in claims["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"]


def test_completion_is_off_until_it_is_switched_on(world: World, teacher: Browser) -> None:
    (made,) = add(world, teacher, ITEM)
    url = world.line_item_url("/scores", line_item_id=made.line_item_id)
    assert world.post_score(world.score(scoreGiven=1, scoreMaximum=1), url=url).status_code == 200
    assert all_completions(site(world)) == {}
    assert teacher.post(f"/activity/{made.activity_id}/settings", data={"completion": "1"}).status_code == 303
    world.advance(5)
    assert world.post_score(world.score(scoreGiven=1, scoreMaximum=1), url=url).status_code == 200
    assert len(all_completions(site(world))) == 1
    assert teacher.get("/activity/1/settings").status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "another"},
        {"aud": ["http://127.0.0.1"]},
        {"nonce": ""},
        {CLAIM + "deployment_id": "2"},
        {CLAIM + "version": "1.1"},
        {CLAIM + "message_type": "LtiResourceLinkRequest"},
        {DL + "data": "another"},
        {DL + "content_items": "none"},
        {"exp": 22222},
        {"iat": 2**33},
    ],
    ids=str,
)
def test_a_bad_answer_is_refused(world: World, teacher: Browser, changes: dict[str, Any]) -> None:
    claims = asked(world, teacher)
    page = post(teacher, claims, answer_to(world, claims, ITEM) | changes)
    assert (page.status_code, "cannot be added" in page.text) == (400, True)
    assert "Save" not in page.text


def test_an_answer_counts_once(world: World, teacher: Browser) -> None:
    claims = asked(world, teacher)
    answer = answer_to(world, claims, ITEM)
    assert post(teacher, claims, answer).status_code == 200
    assert "used before" in post(teacher, claims, answer).text


def test_an_answer_of_another_key_is_refused(world: World, teacher: Browser) -> None:
    claims = asked(world, teacher)
    stranger = RSAKey.generate_key(2048)
    assert post(teacher, claims, answer_to(world, claims, ITEM), stranger).status_code == 400


def test_two_items_are_refused_where_one_is_accepted(world: World, teacher: Browser) -> None:
    world.sandbox.switches["malta"].set(selects_one=True)
    claims = asked(world, teacher)
    assert post(teacher, claims, answer_to(world, claims, ITEM, ITEM)).status_code == 400


def test_nobody_else_answers_or_saves(world: World, teacher: Browser) -> None:
    claims = asked(world, teacher)
    answer = answer_to(world, claims, ITEM)
    assert post(world.browser("maria"), claims, answer).status_code == 404
    page = post(teacher, claims, answer).text
    assert save(world, world.browser("maria"), page).status_code == 403


def test_a_copied_course_has_the_same_activities_with_ids_of_its_own(world: World, teacher: Browser) -> None:
    (made,) = add(world, teacher, ITEM)
    assert teacher.post("/course/2/copy").headers["Location"] == "/course/3"
    (_, copied) = all_courses(site(world))
    assert (copied.course_id, copied.history) == (3, (2,))
    activities = all_activities(site(world), 3)
    assert [one.title for one in activities] == [one.title for one in all_activities(site(world), 2)]
    assert activities[-1].custom == made.custom
    claims = asked(world, teacher, f"/launch/{activities[-1].activity_id}")
    assert claims[CLAIM + "context"]["id"] == "3"
    assert claims[CLAIM + "custom"]["context_history"] == "2"
    assert claims[CLAIM + "custom"]["resource_link_history"] == "$ResourceLink.id.history"
    world.sandbox.switches["malta"].set(knows_link_history=True)
    claims = asked(world, teacher, f"/launch/{activities[-1].activity_id}")
    assert claims[CLAIM + "custom"]["resource_link_history"] == made.resource_link_id
    assert ITEM["title"] in teacher.get("/course/3").text


def test_a_copied_course_has_columns_and_a_roster_of_its_own(world: World, teacher: Browser) -> None:
    teacher.post("/course/2/copy")
    first = all_activities(site(world), 3)[0]
    url = world.url(f"/mod/lti/services.php/3/lineitems/{first.line_item_id}/lineitem/scores?type_id=1")
    assert world.post_score(world.score(), url=url).status_code == 200
    assert world.grades() == {}
    wrong = world.line_item_url("/scores", line_item_id=first.line_item_id)
    assert world.post_score(world.score(), url=wrong).status_code == 404
    members = world.url("/mod/lti/services.php/CourseSection/3/bindings/1/memberships")
    answer = requests.get(members, headers=world.bearer("roster"), timeout=TIMEOUT_S)
    assert answer.json()["context"]["id"] == "3"


def test_students_change_nothing(world: World) -> None:
    student = world.browser("maria")
    assert student.post("/course/2/copy").status_code == 403
    assert "Add from Shared Sessions" not in student.get("/course").text
    assert student.get("/course/9").status_code == 404
