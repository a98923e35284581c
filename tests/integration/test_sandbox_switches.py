"""Misbehaviour on demand, and the journal of what was asked."""

import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from sandbox_lms.server import Sandbox
from sandbox_lms.switches import Switches
from tests.integration.sandbox_client import SCORE, TIMEOUT_S, World

PATIENCE_S = 20


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


@pytest.fixture
def switches(world: World) -> Switches:
    return world.sandbox.switches["malta"]


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def set_by_http(world: World, changes: Any) -> requests.Response:
    return requests.post(world.url("/sandbox/switches"), json=changes, timeout=TIMEOUT_S)


def journal(world: World) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = requests.get(world.url("/sandbox/journal"), timeout=TIMEOUT_S).json()
    return entries


def test_a_campus_says_that_it_is_well(world: World) -> None:
    assert requests.get(world.url("/healthz"), timeout=TIMEOUT_S).json() == {"status": "ok", "campus": "malta"}


def test_a_campus_that_is_down_answers_503_at_every_service(world: World, switches: Switches) -> None:
    switches.set(down=True)
    registration = world.campus.registration()
    assert requests.get(registration.jwks_uri, timeout=TIMEOUT_S).status_code == 503
    assert world.ask_token().status_code == 503
    assert requests.get(world.line_item_url(), timeout=TIMEOUT_S).status_code == 503
    assert requests.post(world.url("/webservice/rest/server.php"), timeout=TIMEOUT_S).status_code == 503
    assert requests.get(world.url("/sign-in"), timeout=TIMEOUT_S).status_code == 200
    switches.reset()
    assert world.ask_token().status_code == 200


def test_switches_are_set_and_shown_by_http(world: World, switches: Switches) -> None:
    shown = set_by_http(world, {"slow_s": 0.01, "down": True}).json()
    assert (shown["slow_s"], shown["down"], shown["hold_token"]) == (0.01, True, False)
    assert shown["held"] == {"hold_token": 0, "hold_score_before": 0, "hold_score_after": 0}
    assert switches.settings.down
    assert requests.get(world.url("/sandbox/switches"), timeout=TIMEOUT_S).json() == shown
    assert set_by_http(world, {"reset": True}).json()["down"] is False


@pytest.mark.parametrize("changes", [{"zzz": True}, {"down": "yes"}, {"slow_s": None}, [1], 7])
def test_a_switch_that_is_not_there_is_refused(world: World, changes: Any) -> None:
    assert set_by_http(world, changes).status_code == 400


def test_a_page_elsewhere_cannot_set_switches(world: World) -> None:
    answer = requests.post(world.url("/sandbox/switches"), data='{"down": true}', timeout=TIMEOUT_S)
    assert answer.status_code == 415


def test_a_held_token_request_waits_until_it_is_released(
    world: World, switches: Switches, background: ThreadPoolExecutor
) -> None:
    switches.set(hold_token=True)
    asked = background.submit(world.ask_token)
    assert switches.wait_until_held("hold_token", timeout_s=PATIENCE_S)
    (entry,) = journal(world)
    assert (entry["hold"], entry["status"]) == ("hold_token", None)
    set_by_http(world, {"hold_token": False})
    assert asked.result(PATIENCE_S).status_code == 200
    assert journal(world)[0]["status"] == 200


def test_a_score_held_before_is_not_stored_until_it_is_released(
    world: World, switches: Switches, background: ThreadPoolExecutor
) -> None:
    switches.set(hold_score_before=True)
    posted = background.submit(world.post_score, world.score())
    assert switches.wait_until_held("hold_score_before", timeout_s=PATIENCE_S)
    assert world.grades() == {}
    switches.set(hold_score_before=False)
    assert posted.result(PATIENCE_S).status_code == 200
    assert list(world.grades()) == ["3"]


def test_a_score_held_after_is_stored_while_its_answer_is_withheld(
    world: World, switches: Switches, background: ThreadPoolExecutor
) -> None:
    switches.set(hold_score_after=True)
    posted: Future[requests.Response] = background.submit(world.post_score, world.score())
    assert switches.wait_until_held("hold_score_after", timeout_s=PATIENCE_S)
    assert list(world.grades()) == ["3"]
    assert not posted.done()
    switches.reset()
    assert posted.result(PATIENCE_S).status_code == 200


def test_a_score_whose_sender_was_killed_while_it_was_held_is_never_stored(world: World, switches: Switches) -> None:
    bearer = world.bearer("score")["Authorization"]
    body = b'{"userId": "3"}'
    path = urlsplit(world.line_item_url("/scores"))
    head = (
        f"POST {path.path}?{path.query} HTTP/1.0\r\nAuthorization: {bearer}\r\nContent-Type: {SCORE}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    switches.set(hold_score_before=True)
    with socket.create_connection(("127.0.0.1", world.campus.port), timeout=TIMEOUT_S) as connection:
        connection.sendall(head.encode() + body)
        assert switches.wait_until_held("hold_score_before", timeout_s=PATIENCE_S)
    switches.reset()
    sandbox_journal = world.sandbox.journals["malta"]
    assert sandbox_journal.wait_until_answered(timeout_s=PATIENCE_S)
    assert sandbox_journal.entries()[-1].status == 499
    assert world.grades() == {}


def test_a_status_is_given_once_or_always(world: World, switches: Switches) -> None:
    switches.set(score_status=500, score_status_times=1)
    assert world.post_score(world.score()).status_code == 500
    assert world.grades() == {}
    assert world.post_score(world.score()).status_code == 200
    switches.set(score_status=429)
    assert [world.post_score(world.score()).status_code for _ in range(2)] == [429, 429]


def test_the_journal_tells_what_was_asked_and_no_secret(world: World) -> None:
    world.post_score(world.score(scoreGiven=5, scoreMaximum=10))
    world.call("core_webservice_get_site_info")
    token, score, function = journal(world)
    assert (token["method"], token["path"], token["status"]) == ("POST", "/mod/lti/token.php", 200)
    assert (score["user_id"], score["score_given"], score["status"]) == ("3", 5, 200)
    assert score["path"] == "/mod/lti/services.php/2/lineitems/4/lineitem/scores"
    assert function["function"] == "core_webservice_get_site_info"
    assert world.campus.moodle_token not in str(journal(world))


def test_the_journal_can_be_cleared(world: World) -> None:
    world.ask_token()
    assert requests.delete(world.url("/sandbox/journal"), timeout=TIMEOUT_S).status_code == 204
    assert journal(world) == []


def test_stopping_releases_what_is_held(world: World, switches: Switches, background: ThreadPoolExecutor) -> None:
    switches.set(hold_token=True)
    asked = background.submit(world.ask_token)
    assert switches.wait_until_held("hold_token", timeout_s=PATIENCE_S)
    sandbox: Sandbox = world.sandbox
    sandbox.stop()
    assert asked.result(PATIENCE_S).status_code == 200
