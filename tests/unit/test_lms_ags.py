"""Scores and results: cases 54 to 61 of lti-cases.md, against the recorded answers of a Moodle."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
import responses
from responses import matchers

from lms.ags import (
    SCOPE_RESULT_READONLY,
    SCOPE_SCORE,
    AgsEndpoint,
    post_score,
    read_result,
    service_url,
)
from lms.errors import MalformedAnswer, NotAllowed, NotFound, NotGranted, Refused, ScoreConflict, TryLater, Unreachable
from lms.guarded import GuardedSession
from lms.scores import ActivityProgress, GradingProgress, Score, score_body, score_timestamp
from lms.service_tokens import ServiceTokens
from tests.unit.recordings import PLATFORM, SIGNING_KEY, grant_token, loopback_session, play_service, recording

LINE_ITEM = "http://127.0.0.1:8101/mod/lti/services.php/2/lineitems/4/lineitem?type_id=1"
ENDPOINT = AgsEndpoint(line_item_url=LINE_ITEM, scopes=frozenset({SCOPE_SCORE, SCOPE_RESULT_READONLY}))
ELSEWHERE = replace(ENDPOINT, line_item_url="https://lms.example/li/4")
SCORES = "http://127.0.0.1:8101/mod/lti/services.php/2/lineitems/4/lineitem/scores?type_id=1"
SCORE = Score(
    user_id="4",
    activity_progress=ActivityProgress.COMPLETED,
    grading_progress=GradingProgress.FULLY_GRADED,
    timestamp="2026-11-23T13:50:50.000Z",
    score_given=50,
    score_maximum=100,
)
BODY = score_body(SCORE)


@pytest.fixture
def http() -> Iterator[GuardedSession]:
    with loopback_session() as session:
        yield session


@pytest.fixture
def tokens(http: GuardedSession) -> ServiceTokens:
    return ServiceTokens(http, lambda: SIGNING_KEY, lambda: datetime(2026, 11, 23, 12, 0, tzinfo=UTC))


def test_case_57_a_timestamp_has_a_zone_and_milliseconds() -> None:
    brussels = timezone(timedelta(hours=1))
    assert score_timestamp(datetime(2026, 11, 23, 14, 50, 50, 7_900, brussels)) == "2026-11-23T13:50:50.007Z"
    with pytest.raises(ValueError, match="zone"):
        score_timestamp(datetime(2026, 11, 23))  # noqa: DTZ001  # the naive instant is the point


def test_equal_scores_give_equal_bytes_with_the_names_of_the_specification() -> None:
    assert BODY == (
        b'{"userId":"4","activityProgress":"Completed","gradingProgress":"FullyGraded",'
        b'"timestamp":"2026-11-23T13:50:50.000Z","scoreGiven":50,"scoreMaximum":100}'
    )


def test_a_score_has_the_fields_that_moodle_was_seen_to_take() -> None:
    assert json.loads(BODY).keys() == recording("lti-ags-score.below-pass")["request_body"].keys()


def test_a_score_that_empties_the_grade_names_no_number() -> None:
    body = score_body(
        Score(
            user_id="4",
            activity_progress=ActivityProgress.INITIALIZED,
            grading_progress=GradingProgress.NOT_READY,
            timestamp=SCORE.timestamp,
        )
    )
    assert json.loads(body).keys() == {"userId", "activityProgress", "gradingProgress", "timestamp"}


@pytest.mark.parametrize(("given", "maximum"), [(1, None), (1, 0), (-1, 10), (float("nan"), 10), (1, float("inf"))])
def test_a_score_out_of_range_is_not_written(given: float, maximum: float | None) -> None:
    with pytest.raises(ValueError, match="score"):
        score_body(
            Score(
                user_id="4",
                activity_progress=ActivityProgress.COMPLETED,
                grading_progress=GradingProgress.FULLY_GRADED,
                timestamp=SCORE.timestamp,
                score_given=given,
                score_maximum=maximum,
            )
        )


@pytest.mark.parametrize(
    ("line_item", "url"),
    [
        (LINE_ITEM, SCORES),
        ("https://lms.example/li/4", "https://lms.example/li/4/scores"),
        ("https://lms.example/li/4/", "https://lms.example/li/4/scores"),
        (
            "https://lms.example/li/course%2Bv1:a%20b?x=1&y=%20",
            "https://lms.example/li/course%2Bv1:a%20b/scores?x=1&y=%20",
        ),
    ],
)
def test_the_service_goes_before_the_query(line_item: str, url: str) -> None:
    assert service_url(line_item, "scores") == url


@responses.activate
def test_cases_54_to_56_a_score_is_posted_as_it_is_with_its_media_type_and_the_token(
    http: GuardedSession, tokens: ServiceTokens
) -> None:
    grant_token()
    played = play_service(
        "lti-ags-score.below-pass",
        match=[
            matchers.header_matcher(
                {"Content-Type": "application/vnd.ims.lis.v1.score+json", "Authorization": "Bearer a-token"}
            )
        ],
    )
    post_score(http, tokens, PLATFORM, ENDPOINT, BODY)
    assert played.calls[0].request.body == BODY
    assert "scope=https%3A%2F%2Fpurl.imsglobal.org%2Fspec%2Flti-ags%2Fscope%2Fscore" in str(
        responses.calls[0].request.body
    )


@responses.activate
def test_a_repetition_after_a_409_is_told_apart_from_a_refusal(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    play_service("lti-ags-score.old-timestamp")
    with pytest.raises(ScoreConflict) as caught:
        post_score(http, tokens, PLATFORM, ENDPOINT, BODY)
    assert not caught.value.permanent


@responses.activate
@pytest.mark.parametrize("name", ["notenrolled", "unknown-user"])
def test_a_score_for_somebody_who_is_no_student_is_never_taken(
    http: GuardedSession, tokens: ServiceTokens, name: str
) -> None:
    grant_token()
    play_service(f"lti-ags-score.{name}")
    with pytest.raises(Refused, match="no longer a student") as caught:
        post_score(http, tokens, PLATFORM, ENDPOINT, BODY)
    assert (caught.value.status, caught.value.permanent) == (400, True)


@responses.activate
def test_a_line_item_that_was_deleted_is_not_found(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    play_service("lti-ags-lineitem.get-deleted", method="POST", url=SCORES)
    with pytest.raises(NotFound, match="grade column"):
        post_score(http, tokens, PLATFORM, ENDPOINT, BODY)


@responses.activate
def test_a_bad_gateway_is_tried_later(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    play_service("lti-ags-score.bad-userid", url=SCORES)
    with pytest.raises(TryLater) as caught:
        post_score(http, tokens, PLATFORM, ENDPOINT, BODY)
    assert caught.value.status == 502


@responses.activate
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_lms_says_when_to_come_back(http: GuardedSession, tokens: ServiceTokens, status: int) -> None:
    grant_token()
    responses.post(SCORES, status=status, headers={"Retry-After": "120"})
    with pytest.raises(TryLater) as caught:
        post_score(http, tokens, PLATFORM, ENDPOINT, BODY)
    assert caught.value.retry_after_s == 120


@responses.activate
def test_after_a_401_one_new_token_is_tried(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token("dropped")
    grant_token("fresh")
    play_service("lti-ags-lineitems.badtoken", method="POST", url=SCORES)
    play_service("lti-ags-score.below-pass", match=[matchers.header_matcher({"Authorization": "Bearer fresh"})])
    post_score(http, tokens, PLATFORM, ENDPOINT, BODY)
    assert [call.request.body for call in responses.calls if call.request.url == SCORES] == [BODY, BODY]


@responses.activate
def test_a_second_401_is_a_lack_of_rights_which_may_be_mended(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token("one")
    grant_token("two")
    again = play_service("lti-ags-lineitems.badtoken", method="POST", url=SCORES)
    with pytest.raises(NotAllowed, match="write grades") as caught:
        post_score(http, tokens, PLATFORM, ENDPOINT, BODY)
    assert (again.call_count, caught.value.permanent) == (2, False)


@responses.activate
@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_is_not_followed_with_a_grade_in_hand(
    http: GuardedSession, tokens: ServiceTokens, status: int
) -> None:
    grant_token()
    responses.post(SCORES, status=status, headers={"Location": "https://elsewhere.example/"})
    with pytest.raises(MalformedAnswer) as caught:
        post_score(http, tokens, PLATFORM, ENDPOINT, BODY)
    assert not caught.value.permanent


@responses.activate
def test_a_sign_in_page_with_status_200_is_no_delivery(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    responses.post(SCORES, body="<html>Sign in</html>", content_type="text/html; charset=utf-8")
    with pytest.raises(MalformedAnswer, match="web page"):
        post_score(http, tokens, PLATFORM, ENDPOINT, BODY)


@responses.activate
def test_an_lms_that_does_not_answer_is_tried_later(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    responses.post(SCORES, body=TimeoutError())
    with pytest.raises(Unreachable, match="in time"):
        post_score(http, tokens, PLATFORM, ENDPOINT, BODY)


@responses.activate
def test_no_error_says_the_query_of_the_line_item_or_the_token(http: GuardedSession, tokens: ServiceTokens) -> None:
    for status in (302, 400, 403, 404, 409, 422, 500):
        grant_token("a-secret-token")
        responses.post(SCORES, status=status, body="a-secret-body")
        with pytest.raises(Exception, match=r".") as caught:
            post_score(http, tokens, PLATFORM, ENDPOINT, BODY)
        assert not any(secret in str(caught.value) for secret in ("type_id", "secret"))
        responses.reset()


@responses.activate
def test_cases_58_to_61_a_result_is_asked_for_one_person_without_a_limit(
    http: GuardedSession, tokens: ServiceTokens
) -> None:
    grant_token()
    accept = {"Accept": "application/vnd.ims.lis.v2.resultcontainer+json", "Authorization": "Bearer a-token"}
    play_service("lti-ags-results.user", match=[matchers.header_matcher(accept)])
    result = read_result(http, tokens, PLATFORM, ENDPOINT, "4")
    assert result is not None
    assert (result.result_score, result.result_maximum, result.timestamp) == (40, 100, "2026-11-23T14:50:51+01:00")
    assert responses.calls[-1].request.url == recording("lti-ags-results.user")["url"]
    assert "scope%2Fresult.readonly" in str(responses.calls[0].request.body)


@responses.activate
@pytest.mark.parametrize(
    "granted", [frozenset[str](), frozenset({SCOPE_SCORE + "x"}), frozenset({SCOPE_RESULT_READONLY})]
)
def test_case_64_without_the_scope_no_score_is_sent_and_no_token_asked(
    http: GuardedSession, tokens: ServiceTokens, granted: frozenset[str]
) -> None:
    with pytest.raises(NotGranted, match="grade service") as caught:
        post_score(http, tokens, PLATFORM, replace(ENDPOINT, scopes=granted), BODY)
    assert (caught.value.permanent, len(responses.calls)) == (False, 0)


@responses.activate
def test_case_64_without_the_scope_no_result_is_read(http: GuardedSession, tokens: ServiceTokens) -> None:
    with pytest.raises(NotGranted):
        read_result(http, tokens, PLATFORM, replace(ENDPOINT, scopes=frozenset({SCOPE_SCORE})), "4")
    assert len(responses.calls) == 0


@responses.activate
def test_a_platform_that_ignores_the_filter_does_not_confuse_us(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    play_service("lti-ags-results.all", url=f"{recording('lti-ags-results.all')['url']}&user_id=6")
    result = read_result(http, tokens, PLATFORM, ENDPOINT, "6")
    assert result is not None
    assert result.result_score == 70


@responses.activate
def test_somebody_without_a_grade_has_no_result(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    responses.get("https://lms.example/li/4/results?user_id=a%2Fb%26c", body="[]")
    assert read_result(http, tokens, PLATFORM, ELSEWHERE, "a/b&c") is None


@responses.activate
@pytest.mark.parametrize("body", ["", "<html>", "{}", '[{"userId": 4}]'])
def test_a_result_of_another_shape_is_malformed(http: GuardedSession, tokens: ServiceTokens, body: str) -> None:
    grant_token()
    responses.get("https://lms.example/li/4/results?user_id=4", body=body)
    with pytest.raises(MalformedAnswer):
        read_result(http, tokens, PLATFORM, ELSEWHERE, "4")
