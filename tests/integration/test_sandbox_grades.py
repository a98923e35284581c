"""Line items, scores and results at the pretend universities."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox_lms.campus import AGS_SCOPE, GRANTED_SCOPES, MALTA
from tests.integration.sandbox_client import SCORE, TIMEOUT_S, World

LINE_ITEM = "application/vnd.ims.lis.v2.lineitem+json"
LINE_ITEMS = "application/vnd.ims.lis.v2.lineitemcontainer+json"
RESULTS = "application/vnd.ims.lis.v2.resultcontainer+json"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def get(world: World, url: str, accept: str, scope: str) -> requests.Response:
    return requests.get(url, headers={"Accept": accept, **world.bearer(scope)}, timeout=TIMEOUT_S)


def results(world: World, query: str = "?type_id=1", line_item_id: int = 4) -> Any:
    url = world.line_item_url("/results", line_item_id, query)
    return get(world, url, RESULTS, "result.readonly").json()


def test_every_activity_has_a_line_item_of_its_own(world: World) -> None:
    url = world.url("/mod/lti/services.php/2/lineitems?type_id=1")
    answer = get(world, url, LINE_ITEMS, "lineitem.readonly")
    assert answer.headers["Content-Type"] == f"{LINE_ITEMS}; charset=utf-8"
    assert [(item["resourceLinkId"], item["id"]) for item in answer.json()] == [
        ("1", world.line_item_url()),
        ("2", world.line_item_url(line_item_id=5)),
    ]
    filtered = get(world, url + "&resource_link_id=2", LINE_ITEMS, "lineitem.readonly").json()
    assert [item["id"] for item in filtered] == [world.line_item_url(line_item_id=5)]


def test_a_line_item_says_what_it_is_out_of(world: World) -> None:
    answer = get(world, world.line_item_url(), LINE_ITEM, "lineitem.readonly")
    assert answer.json() == {
        "id": world.line_item_url(),
        "label": "Workshop series",
        "scoreMaximum": 100,
        "resourceId": "",
        "tag": "",
        "resourceLinkId": "1",
        "ltiLinkId": "1",
    }


@pytest.mark.parametrize("accept", ["*/*", "application/json", LINE_ITEMS + ", */*"])
def test_a_line_item_wants_its_exact_media_type(world: World, accept: str) -> None:
    assert get(world, world.line_item_url(), accept, "lineitem.readonly").status_code == 400


@pytest.mark.parametrize("scope", ["score", "result.readonly", "roster"])
def test_a_line_item_wants_its_exact_scope(world: World, scope: str) -> None:
    assert get(world, world.line_item_url(), LINE_ITEM, scope).status_code == 401


@pytest.mark.parametrize("scope", ["score", "lineitem.readonly", "roster"])
def test_results_want_their_exact_scope(world: World, scope: str) -> None:
    assert get(world, world.line_item_url("/results"), RESULTS, scope).status_code == 401


@pytest.mark.parametrize("scope", ["result.readonly", "lineitem.readonly", "roster"])
def test_a_score_wants_its_exact_scope(world: World, scope: str) -> None:
    assert world.post_score(world.score(), headers=world.bearer(scope)).status_code == 401
    assert world.grades() == {}


def test_a_line_item_that_is_not_there_is_not_found(world: World) -> None:
    answer = get(world, world.line_item_url(line_item_id=8), LINE_ITEM, "lineitem.readonly")
    assert answer.status_code == 404
    assert answer.json()["reason"] == "Not Found: Grade item 8 doesn't exist"
    other_course = world.url("/mod/lti/services.php/9/lineitems?type_id=1")
    assert get(world, other_course, LINE_ITEMS, "lineitem.readonly").status_code == 404


def test_an_address_without_its_query_is_not_found(world: World) -> None:
    answer = world.post_score(world.score(), url=world.line_item_url("/scores", query=""))
    assert answer.status_code == 404


def test_the_service_put_behind_the_query_is_not_a_score(world: World) -> None:
    answer = world.post_score(world.score(), url=world.line_item_url() + "/scores")
    assert answer.status_code == 405
    assert world.grades() == {}


@pytest.mark.parametrize(("method", "status"), [("PUT", 405), ("DELETE", 401)])
def test_who_may_only_score_cannot_change_a_line_item(world: World, method: str, status: int) -> None:
    answer = requests.request(method, world.line_item_url(), headers=world.bearer("score"), timeout=TIMEOUT_S)
    assert answer.status_code == status


NEW_ITEM = {"label": "Series", "scoreMaximum": 10, "resourceId": "series 7", "resourceLinkId": "2"}


@pytest.fixture
def open_world(tmp_path: Path) -> Iterator[World]:
    """A campus that lets the tool make line items, and has none of its own."""
    campus = replace(MALTA, grades_activities=False, scopes=(*GRANTED_SCOPES, AGS_SCOPE + "lineitem"))
    with World(tmp_path, [campus]) as world:
        yield world


def make(world: World, document: Any, *, scope: str = "lineitem", content_type: str = LINE_ITEM) -> requests.Response:
    headers = {"Content-Type": content_type, **world.bearer(scope)}
    url = world.url("/mod/lti/services.php/2/lineitems?type_id=1")
    return requests.post(url, json=document, headers=headers, timeout=TIMEOUT_S)


def test_a_tool_that_may_makes_a_line_item_and_finds_it_again(open_world: World) -> None:
    answer = make(open_world, NEW_ITEM)
    made = {"id": open_world.line_item_url(line_item_id=100), "tag": "", "ltiLinkId": "2", **NEW_ITEM}
    assert (answer.status_code, answer.json()) == (201, made)
    assert make(open_world, {**NEW_ITEM, "resourceId": "series 8"}).status_code == 201
    url = open_world.url("/mod/lti/services.php/2/lineitems?type_id=1")
    found = get(open_world, url + "&resource_id=series%207", LINE_ITEMS, "lineitem.readonly").json()
    assert found == [made]
    score = open_world.score(scoreGiven=1, scoreMaximum=2)
    url = open_world.line_item_url("/scores", line_item_id=100)
    assert open_world.post_score(score, url=url).status_code == 200
    assert results(open_world, line_item_id=100)[0]["resultScore"] == 5


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"content_type": "application/json"}, 400),
        ({"scope": "lineitem.readonly"}, 401),
        ({"document": {**NEW_ITEM, "label": ""}}, 400),
        ({"document": {**NEW_ITEM, "scoreMaximum": 0}}, 400),
        ({"document": {**NEW_ITEM, "resourceLinkId": "9"}}, 400),
        ({"document": []}, 400),
    ],
)
def test_what_cannot_be_a_line_item_is_refused(open_world: World, changes: dict[str, Any], status: int) -> None:
    assert make(open_world, **{"document": NEW_ITEM, **changes}).status_code == status
    url = open_world.url("/mod/lti/services.php/2/lineitems?type_id=1")
    assert get(open_world, url, LINE_ITEMS, "lineitem.readonly").json() == []


def test_a_tool_that_may_not_makes_no_line_item(world: World) -> None:
    assert make(world, NEW_ITEM, scope="lineitem.readonly").status_code == 401


def test_a_score_becomes_a_grade_on_the_scale_of_the_line_item(world: World) -> None:
    answer = world.post_score(world.score(scoreGiven=7, scoreMaximum=14))
    assert (answer.status_code, answer.text) == (200, "")
    assert world.grades() == {"3": 50}


def test_what_is_over_the_maximum_is_cut_off(world: World) -> None:
    world.post_score(world.score(scoreGiven=15, scoreMaximum=10))
    assert world.grades() == {"3": 100}


def test_a_score_of_nothing_is_a_grade(world: World) -> None:
    world.post_score(world.score(scoreGiven=0))
    assert world.grades() == {"3": 0}


@pytest.mark.parametrize("content_type", ["application/json", SCORE + "; charset=utf-8", "text/plain"])
def test_a_score_wants_its_exact_content_type(world: World, content_type: str) -> None:
    assert world.post_score(world.score(), headers={"Content-Type": content_type}).status_code == 400
    assert world.grades() == {}


@pytest.mark.parametrize(
    "change",
    [
        {"userId": "9999"},
        {"userId": "8"},
        {"userId": "9"},
        {"userId": ""},
        {"userId": 3},
        {"userId": None},
        {"activityProgress": "Done"},
        {"activityProgress": None},
        {"gradingProgress": "fullygraded"},
        {"gradingProgress": None},
        {"timestamp": None},
        {"timestamp": "xx"},
        {"timestamp": "2026-11-23T10:00:00"},
        {"timestamp": "2026-11-23 10:00"},
        {"timestamp": 1795618800},
        {"scoreGiven": -1},
        {"scoreGiven": "7"},
        {"scoreMaximum": None},
        {"scoreMaximum": 0},
    ],
    ids=str,
)
def test_an_incorrect_score_is_refused_and_nothing_is_stored(world: World, change: dict[str, Any]) -> None:
    answer = world.post_score(world.score() | change if None not in change.values() else world.score(**change))
    assert answer.status_code == 400
    assert answer.reason == "Incorrect score received"
    assert world.grades() == {}


@pytest.mark.parametrize("document", [[], "x", None, 7])
def test_what_is_no_object_is_no_score(world: World, document: Any) -> None:
    assert world.post_score(document).status_code == 400


def test_a_score_of_the_same_second_is_refused(world: World) -> None:
    at = datetime(2026, 11, 25, 15, 0, 0, 100_000, tzinfo=UTC)
    assert world.post_score(world.score(at=at.isoformat())).status_code == 200
    later = world.score(at=(at + timedelta(milliseconds=800)).isoformat(), scoreGiven=13)
    answer = world.post_score(later)
    assert (answer.status_code, answer.json()) == (409, [])
    assert world.post_score(world.score(at=(at + timedelta(seconds=1)).isoformat(), scoreGiven=13)).status_code == 200
    assert world.grades() == {"3": 100}


def test_a_repetition_is_refused_and_changes_nothing(world: World) -> None:
    score = world.score()
    world.post_score(score)
    assert world.post_score(score).status_code == 409
    assert list(world.grades()) == ["3"]


def test_of_equal_scores_at_the_same_moment_one_is_taken(world: World) -> None:
    score, bearer = world.score(), world.bearer("score")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: world.post_score(score, headers=bearer).status_code, range(8)))
    assert sorted(answers) == [200] + [409] * 7


def test_an_older_score_is_refused_in_whatever_zone_it_is_written(world: World) -> None:
    world.post_score(world.score(at="2026-11-25T15:00:00Z"))
    assert world.post_score(world.score(at="2026-11-25T16:00:00+02:00")).status_code == 409
    assert world.post_score(world.score(at="2026-11-25T16:00:01+01:00")).status_code == 200


def test_a_score_from_far_ahead_blocks_the_later_ones(world: World) -> None:
    assert world.post_score(world.score(at="2099-01-01T00:00:00Z")).status_code == 200
    assert world.post_score(world.score()).status_code == 409


@pytest.mark.parametrize("progress", ["Pending", "PendingManual", "Failed", "NotReady"])
def test_what_is_not_fully_graded_empties_the_grade(world: World, progress: str) -> None:
    world.post_score(world.score(at="2026-11-25T15:00:00Z"))
    answer = world.post_score(world.score(at="2026-11-25T15:00:01Z", gradingProgress=progress))
    assert answer.status_code == 200
    assert world.grades() == {"3": None}
    assert results(world) == []


def test_a_score_without_a_number_empties_the_grade(world: World) -> None:
    world.post_score(world.score(at="2026-11-25T15:00:00Z"))
    world.post_score(world.score(at="2026-11-25T15:00:01Z", scoreGiven=None, scoreMaximum=None))
    assert world.grades() == {"3": None}


def test_results_are_what_the_gradebook_holds(world: World) -> None:
    world.post_score(world.score(at="2026-11-25T15:00:00Z", scoreGiven=1, scoreMaximum=2))
    world.post_score(world.score(at="2026-11-25T15:00:00Z", userId="5"))
    assert [result["userId"] for result in results(world)] == ["3", "5"]
    assert results(world, "?type_id=1&user_id=3") == [
        {
            "id": world.line_item_url("/results") + "&user_id=3",
            "userId": "3",
            "resultScore": 50,
            "resultMaximum": 100,
            "scoreOf": world.line_item_url(),
            "timestamp": "2026-11-25T16:00:00+01:00",
        }
    ]
    assert results(world, "?type_id=1&user_id=99") == []


def test_results_fail_on_every_limit_as_in_moodle(world: World) -> None:
    url = world.line_item_url("/results", query="?type_id=1&limit=100")
    answer = get(world, url, RESULTS, "result.readonly")
    assert answer.status_code == 404
    assert "text/html" in answer.headers["Content-Type"]


def test_results_want_their_exact_media_type(world: World) -> None:
    assert get(world, world.line_item_url("/results"), "application/json", "result.readonly").status_code == 400
