"""What other LMSs do and Moodle does not: platform storage, nested frames, an issuer for several universities."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from sandbox_lms.campus import MALTA, STORAGE_FRAME, VILNIUS, Campus
from tests.integration.sandbox_client import TIMEOUT_S, Form, World, form_of

CLOUD = "https://cloud-lms.example"
SCRIPT = re.compile(r'<script src="/static/storage.js"([^>]*)>')


@contextmanager
def served(folder: Path, campus: Campus = MALTA, **attributes: Any) -> Iterator[World]:
    with World(folder, [replace(campus, **attributes)]) as world:
        yield world


def page(world: World, path: str) -> str:
    answer = world.browser(world.campus.people[0].username).get(path)
    assert answer.status_code == 200
    return answer.text


def launched(world: World) -> Form:
    browser = world.browser(world.campus.people[0].username)
    asked = world.authentication_request(world.begin_launch(browser))
    return form_of(browser.get("/mod/lti/auth.php", params=asked))


def claims_of(world: World, form: Form) -> dict[str, Any]:
    keys = requests.get(world.campus.registration().jwks_uri, timeout=TIMEOUT_S).json()
    token = jwt.decode(form.fields["id_token"], KeySet.import_key_set(keys), algorithms=["RS256"])
    return token.claims


def test_a_campus_offers_no_storage_unless_it_is_asked_to(tmp_path: Path) -> None:
    with served(tmp_path) as world:
        assert "lti_storage_target" not in world.begin_launch(world.browser("maria")).fields
        assert "lti_storage_target" not in launched(world).fields
        activity = page(world, "/activity/1")
        assert (activity.count("<iframe"), activity.count("<script")) == (1, 0)
        for path in ("/storage", "/activity/1/inner"):
            assert world.browser("maria").get(path).status_code == 404


@pytest.mark.parametrize("campus", [MALTA, VILNIUS], ids=["by get", "by post"])
@pytest.mark.parametrize(("kind", "target"), [("parent", "_parent"), ("frame", STORAGE_FRAME)])
def test_login_and_launch_say_where_the_storage_is(tmp_path: Path, campus: Campus, kind: str, target: str) -> None:
    with served(tmp_path, campus, platform_storage=kind) as world:
        browser = world.browser(campus.people[0].username)
        assert world.begin_launch(browser).fields["lti_storage_target"] == target
        assert launched(world).fields["lti_storage_target"] == target


def test_the_page_above_the_tool_answers_for_its_own_storage(tmp_path: Path) -> None:
    with served(tmp_path, platform_storage="parent") as world:
        activity = page(world, "/activity/1")
    (script,) = SCRIPT.findall(activity)
    assert script.split() == ['data-dialect="current"', 'data-answers="capabilities', "put_data", 'get_data"']
    assert activity.index("storage.js") < activity.index("<iframe")
    assert STORAGE_FRAME not in activity


def test_a_hidden_frame_answers_for_the_storage_and_the_page_above_names_it(tmp_path: Path) -> None:
    with served(tmp_path, platform_storage="frame", storage_dialect="legacy") as world:
        activity = page(world, "/activity/1")
        storage = requests.get(world.url("/storage"), timeout=TIMEOUT_S).text
    assert re.search(
        rf'<iframe name="{STORAGE_FRAME}" src="/storage" [^>]*hidden>.*<iframe class="tool"', activity, re.S
    )
    assert (
        f'data-dialect="legacy" data-answers="capabilities" data-frame="{STORAGE_FRAME}"' in SCRIPT.findall(activity)[0]
    )
    assert 'data-dialect="legacy" data-answers="put_data get_data"' in SCRIPT.findall(storage)[0]


@pytest.mark.parametrize("kind", ["parent", "frame"])
def test_a_silent_campus_promises_storage_and_has_nobody_to_answer(tmp_path: Path, kind: str) -> None:
    with served(tmp_path, platform_storage=kind, storage_is_silent=True) as world:
        assert "lti_storage_target" in world.begin_launch(world.browser("maria")).fields
        assert "<script" not in page(world, "/activity/1")


def test_a_campus_that_nests_frames_has_a_page_of_its_own_around_the_tool(tmp_path: Path) -> None:
    with served(tmp_path, nests_frames=True, platform_storage="parent") as world:
        outer, inner = page(world, "/activity/1"), page(world, "/activity/1/inner")
        assert world.browser().get("/activity/1/inner").status_code == 303
        assert world.browser("maria").get("/activity/99/inner").status_code == 404
    assert 'class="inner" src="/activity/1/inner"' in outer
    assert 'src="/launch/1"' not in outer
    assert 'class="tool" src="/launch/1"' in inner
    assert (len(SCRIPT.findall(outer)), len(SCRIPT.findall(inner))) == (0, 1)  # a tool asks the window above its own


def test_an_issuer_of_several_universities_signs_and_their_own_sites_serve(tmp_path: Path) -> None:
    here, there = replace(MALTA, shared_issuer=CLOUD), replace(VILNIUS, shared_issuer=CLOUD)
    with World(tmp_path, [here, there]) as world:
        registrations = [campus.registration() for campus in world.sandbox.campuses.values()]
        form = launched(world)
        login, claims = world.begin_launch(world.browser("maria")), claims_of(world, form)
        campus = world.campus
    assert {registration.issuer for registration in registrations} == {CLOUD}
    assert len({registration.client_id for registration in registrations}) == 2
    assert (login.fields["iss"], claims["iss"]) == (CLOUD, CLOUD)
    assert campus.registration().authorization_endpoint.startswith(campus.url)
    assert campus.registration().moodle_base_url == campus.url
    presentation = claims["https://purl.imsglobal.org/spec/lti/claim/launch_presentation"]
    assert presentation["return_url"].startswith(campus.url)
    ags = claims["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"]
    assert ags["lineitem"].startswith(campus.url)
