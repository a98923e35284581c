"""What each product's gradebook means and wants. The numbers are those of the pitfalls in lms-pitfalls.md."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import responses

from lms.ags import SCOPE_LINE_ITEM, SCOPE_RESULT_READONLY, SCOPE_SCORE, AgsEndpoint, compose_score, post_score
from lms.errors import LmsError, NotAllowed, NotFound, Refused, ScoreConflict, TryLater, UnfitUserId
from lms.guarded import Answer, GuardedSession
from lms.line_items import find_line_items
from lms.nrps import read_memberships
from lms.products import Product
from lms.products.table import QUIRKS
from lms.service_tokens import ServiceTokens
from tests.unit.recordings import PLATFORM, SIGNING_KEY, grant_token, loopback_session, play_service, recording

AT = datetime(2026, 11, 23, 13, 50, 50, tzinfo=UTC)
ENDPOINT = AgsEndpoint(
    line_item_url="https://lms.example/li/4?type_id=1", scopes=frozenset({SCOPE_SCORE, SCOPE_RESULT_READONLY})
)
SCORES = "https://lms.example/li/4/scores?type_id=1"
CANVAS_EXTENSION = "https://canvas.instructure.com/lti/submission"
MOODLE, CANVAS, BRIGHTSPACE = Product.MOODLE, Product.CANVAS, Product.BRIGHTSPACE
BLACKBOARD, SAKAI, GENERIC = Product.BLACKBOARD, Product.SAKAI, Product.GENERIC


@pytest.fixture
def http() -> Iterator[GuardedSession]:
    with loopback_session() as session:
        yield session


@pytest.fixture
def tokens(http: GuardedSession) -> ServiceTokens:
    return ServiceTokens(http, lambda: SIGNING_KEY, lambda: datetime(2026, 11, 23, 12, 0, tzinfo=UTC))


def composed(product: Product, *, given: int = 1, user_id: str = "4", version: int = 2) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(
        compose_score(product, user_id=user_id, given=given, maximum=2, at=AT, version=version)
    )
    return body


def post(http: GuardedSession, tokens: ServiceTokens, product: Product) -> None:
    body = compose_score(product, user_id="4", given=1, maximum=2, at=AT, version=1)
    post_score(http, tokens, replace(PLATFORM, product=product), ENDPOINT, body)


# What an answer to a score means


@responses.activate
@pytest.mark.parametrize(
    ("product", "status", "body", "error", "sentence"),
    [
        pytest.param(MOODLE, 400, "[]", Refused, "no longer a student", id="25-moodle-400"),
        pytest.param(MOODLE, 409, "[]", ScoreConflict, "as new as this one", id="25-moodle-409"),
        pytest.param(
            CANVAS,
            400,
            '{"errors":{"message":"Provided timestamp of x before last updated timestamp of y"}}',
            ScoreConflict,
            "as new as this one",
            id="26-canvas-older-than-the-kept-one",
        ),
        pytest.param(
            CANVAS, 400, "timestamp is more than one minute in the future", TryLater, "later", id="26-canvas-future"
        ),
        pytest.param(CANVAS, 400, "userId is missing", Refused, "whoever runs the tool", id="26-canvas-400"),
        pytest.param(CANVAS, 412, "{}", Refused, "another tool", id="26-canvas-412"),
        pytest.param(
            CANVAS,
            422,
            "User not found in course or is not a student",
            Refused,
            "test student",
            id="26-canvas-test-student",
        ),
        pytest.param(CANVAS, 422, "This course has concluded.", Refused, "is over", id="26-canvas-concluded"),
        pytest.param(CANVAS, 422, "{}", Refused, "over or not published", id="26-canvas-422"),
        pytest.param(
            CANVAS,
            422,
            "The maximum number of allowed attempts has been reached for this submission",
            Refused,
            "number of attempts",
            id="26-canvas-attempts",
        ),
        pytest.param(
            BRIGHTSPACE,
            403,
            "User in requested score is not enrolled in the org unit",
            Refused,
            "no longer a student",
            id="27-brightspace-not-enrolled",
        ),
        pytest.param(BRIGHTSPACE, 403, "{}", Refused, "may not use", id="27-brightspace-403"),
        pytest.param(
            BRIGHTSPACE,
            404,
            "User in requested score does not exist",
            NotFound,
            "no longer knows this person",
            id="27-brightspace-unknown-user",
        ),
        pytest.param(BRIGHTSPACE, 404, "{}", NotFound, "grade column", id="27-brightspace-404"),
        pytest.param(BRIGHTSPACE, 422, "{}", Refused, "Can be graded in Grades", id="27-brightspace-422"),
        pytest.param(BRIGHTSPACE, 429, "", TryLater, "try again later", id="27-brightspace-429"),
        pytest.param(
            BLACKBOARD,
            400,
            "User could not be found: 4711",
            Refused,
            "no longer a student",
            id="27-blackboard-unknown-user",
        ),
        pytest.param(BLACKBOARD, 400, "{}", Refused, "whoever runs the tool", id="27-blackboard-400"),
        pytest.param(SAKAI, 400, "User does not belong to site", Refused, "no longer a student", id="sakai-user"),
        pytest.param(SAKAI, 400, "Could not load column", NotFound, "grade column", id="sakai-column"),
        pytest.param(SAKAI, 400, "Missing tool", Refused, "no longer be in the site", id="sakai-400"),
        pytest.param(GENERIC, 400, "User could not be found:", Refused, "most often", id="generic-400"),
        pytest.param(GENERIC, 409, "", ScoreConflict, "as new as this one", id="generic-409"),
    ],
)
def test_an_answer_is_told_apart_by_what_the_product_means(
    http: GuardedSession,
    tokens: ServiceTokens,
    product: Product,
    status: int,
    body: str,
    error: type[LmsError],
    sentence: str,
) -> None:
    grant_token()
    responses.post(SCORES, status=status, body=body, content_type="application/json")
    with pytest.raises(error, match=sentence) as caught:
        post(http, tokens, product)
    assert caught.value.permanent is error.permanent
    assert caught.value.of_platform is (status == 429)  # else the scores of all the others would wait
    assert "4711" not in str(caught.value)  # an answer is looked at, never quoted


@responses.activate
@pytest.mark.parametrize(
    ("product", "remaining", "error"),
    [
        (CANVAS, "0.0", TryLater),
        (CANVAS, "-3.5", TryLater),
        (CANVAS, "600", Refused),
        (CANVAS, "x", Refused),
        (MOODLE, "0.0", Refused),
    ],
)
def test_pitfall_26_canvas_says_403_for_a_used_up_quota(
    http: GuardedSession, tokens: ServiceTokens, product: Product, remaining: str, error: type[LmsError]
) -> None:
    grant_token()
    responses.post(SCORES, status=403, headers={"X-Rate-Limit-Remaining": remaining})
    with pytest.raises(error):
        post(http, tokens, product)


@responses.activate
def test_pitfall_28_a_used_up_quota_is_known_for_rosters_too(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    responses.get("https://lms.example/roster", status=403, headers={"X-Rate-Limit-Remaining": "0"})
    with pytest.raises(TryLater):
        read_memberships(http, tokens, replace(PLATFORM, product=CANVAS), "https://lms.example/roster")


@responses.activate
@pytest.mark.parametrize("product", [*Product])
def test_pitfall_27_a_busy_lms_says_when_to_come_back(
    http: GuardedSession, tokens: ServiceTokens, product: Product
) -> None:
    grant_token()
    responses.post(SCORES, status=429, headers={"Retry-After": "120"})
    with pytest.raises(TryLater) as caught:
        post(http, tokens, product)
    assert caught.value.retry_after_s == 120


@responses.activate
@pytest.mark.parametrize(
    ("product", "status", "body"),
    [*((product, 401, "") for product in Product), (SAKAI, 403, ""), (SAKAI, 400, '{"error": "signature_error"}')],
)
def test_pitfall_28_a_refused_token_is_dropped_and_one_new_one_tried(
    http: GuardedSession, tokens: ServiceTokens, product: Product, status: int, body: str
) -> None:
    grant_token("dropped")
    grant_token("fresh")
    responses.post(SCORES, status=status, body=body)
    responses.post(SCORES, status=200)
    post(http, tokens, product)
    used = [call.request.headers["Authorization"] for call in responses.calls if call.request.url == SCORES]
    assert used == ["Bearer dropped", "Bearer fresh"]


@responses.activate
def test_a_token_that_sakai_refuses_again_is_a_lack_of_rights_which_may_be_mended(
    http: GuardedSession, tokens: ServiceTokens
) -> None:
    grant_token("one")
    grant_token("two")
    responses.post(SCORES, status=403)
    with pytest.raises(NotAllowed, match="write grades") as caught:
        post(http, tokens, SAKAI)
    assert not caught.value.permanent


@responses.activate
@pytest.mark.parametrize("call", ["score", "roster", "columns"])
def test_a_scope_that_sakai_misses_is_a_lack_of_rights_at_every_service(
    http: GuardedSession, tokens: ServiceTokens, call: str
) -> None:
    grant_token()
    lacking = {"status": 400, "body": "Scope x Not in access token"}
    platform, asked = replace(PLATFORM, product=SAKAI), "https://lms.example/asked"
    responses.get(asked, **lacking)
    responses.post(SCORES, **lacking)
    wanted = {"resource_id": "1", "resource_link_id": "2"}
    calls: dict[str, Callable[[], object]] = {
        "score": lambda: post(http, tokens, SAKAI),
        "roster": lambda: read_memberships(http, tokens, platform, asked),
        "columns": lambda: find_line_items(http, tokens, platform, asked, scopes=[SCOPE_LINE_ITEM], **wanted),
    }
    with pytest.raises(NotAllowed, match="administrator") as caught:
        calls[call]()
    assert not caught.value.permanent


# Which members a score has


@pytest.mark.parametrize("product", [*Product])
@pytest.mark.parametrize("given", [0, 1])
def test_equal_scores_give_equal_bytes(product: Product, given: int) -> None:
    one, other = (compose_score(product, user_id="4", given=given, maximum=2, at=AT, version=2) for _ in range(2))
    assert one == other


@pytest.mark.parametrize("product", [*Product])
def test_a_score_is_fully_graded_with_its_number(product: Product) -> None:
    assert {name: value for name, value in composed(product).items() if name != CANVAS_EXTENSION} == {
        "userId": "4",
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "timestamp": "2026-11-23T13:50:50.000Z",
        "scoreGiven": 1,
        "scoreMaximum": 2,
    }


@pytest.mark.parametrize("product", [*Product])
@pytest.mark.parametrize("given", [0, 1])
def test_pitfall_26_only_canvas_is_told_that_a_later_version_is_no_new_submission(product: Product, given: int) -> None:
    extension = composed(product, given=given, version=2).get(CANVAS_EXTENSION)
    assert extension == ({"new_submission": False} if product is CANVAS else None)


@pytest.mark.parametrize("product", [*Product])
def test_a_first_version_is_a_submission(product: Product) -> None:
    assert CANVAS_EXTENSION not in composed(product, version=1)


# What takes back the score that was sent before


@pytest.mark.parametrize("product", [*Product])
def test_a_score_of_0_says_that_there_is_no_score(product: Product) -> None:
    """Moodle counts a 0 as completed ("any grade"); the recorded score made the activity incomplete again."""
    body = composed(product, given=0, user_id="5")
    body.pop(CANVAS_EXTENSION, None)
    recorded = recording("lti-ags-score.no-score-started")["request_body"]
    assert body == {**recorded, "timestamp": body["timestamp"]}


@responses.activate
def test_a_moodle_was_seen_to_take_what_takes_back(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    exchange = recording("lti-ags-score.no-score-started")
    endpoint = replace(ENDPOINT, line_item_url=exchange["url"].replace("/scores", ""))
    played = play_service("lti-ags-score.no-score-started")
    body = compose_score(MOODLE, user_id="5", given=0, maximum=1, at=AT, version=2)
    post_score(http, tokens, replace(PLATFORM, product=MOODLE), endpoint, body)
    assert played.call_count == 1


# Whom it can know


@pytest.mark.parametrize("user_id", ["student01", "", "4 ", "٤", "a-uuid", "-4"])
def test_pitfall_25_a_moodle_is_sent_no_user_id_that_is_no_number(user_id: str) -> None:
    with pytest.raises(UnfitUserId, match="another product") as caught:
        compose_score(MOODLE, user_id=user_id, given=1, maximum=1, at=AT, version=1)
    assert caught.value.permanent


@pytest.mark.parametrize("product", [product for product in Product if product is not MOODLE])
def test_others_have_user_ids_of_any_kind(product: Product) -> None:
    assert composed(product, user_id="55a0c76a-69e2")["userId"] == "55a0c76a-69e2"


@pytest.mark.parametrize(
    ("product", "status", "body"),
    [
        (MOODLE, 400, ""),
        (CANVAS, 422, '{"errors": {"message": "User not found in course or is not a student"}}'),
        (BRIGHTSPACE, 404, "User in requested score does not exist"),
        (BRIGHTSPACE, 403, "User in requested score is not enrolled in the org unit"),
        (BLACKBOARD, 400, "User could not be found: nobody"),
        (SAKAI, 400, "User does not belong to site"),
    ],
    ids=str,
)
def test_the_refusal_of_a_person_who_is_not_there_proves_all_the_rest(product: Product, status: int, body: str) -> None:
    answer = Answer(status=status, headers={}, body=body.encode(), url="https://lms.example")
    quirks = QUIRKS[product]
    assert quirks.misses_person(answer)
    assert quirks.takes_user_id(quirks.nobody)
    assert not quirks.misses_person(replace(answer, status=401, body=b""))
    assert not QUIRKS[GENERIC].misses_person(answer)
