"""Assignment and Grade Services 2.0: a score on its way to a gradebook, and what the gradebook holds.

https://www.imsglobal.org/spec/lti-ags/v2p0/
"""

import time
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlsplit, urlunsplit

import msgspec

from lms.errors import MalformedAnswer, NotGranted, Refused, ScoreConflict, UnfitUserId
from lms.guarded import TOTAL_S, Answer, GuardedSession
from lms.paging import Listing, pages
from lms.products import Product
from lms.products.table import QUIRKS
from lms.scores import ActivityProgress, GradingProgress, Score, score_body, score_timestamp
from lms.service_tokens import ServicePlatform, ServiceTokens
from lms.services import call_service

SCOPE_LINE_ITEM = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
SCOPE_LINE_ITEM_READONLY = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem.readonly"
SCOPE_SCORE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
SCOPE_RESULT_READONLY = "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly"

MEDIA_TYPE_SCORE = "application/vnd.ims.lis.v1.score+json"
MEDIA_TYPE_RESULTS = "application/vnd.ims.lis.v2.resultcontainer+json"

_SCORE_NOT_GRANTED = (
    "The LMS does not let us write grades from this activity: its administrator should allow the tool to use the grade"
    " service, and then somebody should open the activity once more from the course."
)
_RESULT_NOT_GRANTED = "The LMS does not let us look at the grades of this activity."


@dataclass(frozen=True, kw_only=True)
class AgsEndpoint:
    """Where a launch said that the grades of its activity are, and the scopes that it granted us there. No others are
    ever asked for. https://www.imsglobal.org/spec/lti-ags/v2p0/#assignment-and-grade-service-claim
    """

    line_item_url: str
    scopes: frozenset[str]


class Result(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a gradebook holds for one person: https://www.imsglobal.org/spec/lti-ags/v2p0/#result-service-media-type

    `timestamp` is Moodle's addition.
    """

    user_id: str
    result_score: float | None = None
    result_maximum: float | None = None
    timestamp: str | None = None


_RESULTS = msgspec.json.Decoder(list[Result])
_LISTING = Listing(
    scope=SCOPE_RESULT_READONLY,
    media_type=MEDIA_TYPE_RESULTS,
    of="the grades of this activity",
    things="grades",
    says={404: "The activity or its grade column is no longer in the course."},
)


def compose_score(product: Product, *, user_id: str, given: int, maximum: int, at: datetime, version: int) -> bytes:
    """The exact bytes of the POST, as this product reads them; equal arguments give equal bytes. A `given` of 0 takes
    back what was sent before. `version`: of this person's score in this line item, from 1 on. Raises UnfitUserId."""
    quirks = QUIRKS[product]
    if not quirks.takes_user_id(user_id):
        raise UnfitUserId
    score = Score(
        user_id=user_id,
        score_given=given,
        score_maximum=maximum,
        activity_progress=ActivityProgress.COMPLETED,
        grading_progress=GradingProgress.FULLY_GRADED,
        timestamp=score_timestamp(at),
    )
    return score_body(quirks.dressed(score if given else quirks.taken_back(score), version))


def post_score(
    http: GuardedSession, tokens: ServiceTokens, platform: ServicePlatform, endpoint: AgsEndpoint, body: bytes
) -> None:
    """Sends the bytes of a score. Returning means: the gradebook took them. May be repeated with the same bytes.

    Raises ScoreConflict (409, or what the product says instead); Unreachable, TryLater, MalformedAnswer, NotAllowed,
    NotGranted (later); Refused, NotFound, AddressRefused (never).
    https://www.imsglobal.org/spec/lti-ags/v2p0/#score-publish-service
    """
    if SCOPE_SCORE not in endpoint.scopes:
        raise NotGranted(_SCORE_NOT_GRANTED)
    url, quirks = service_url(endpoint.line_item_url, "scores"), QUIRKS[platform.product]
    try:
        answer = call_service(
            tokens,
            platform,
            [SCOPE_SCORE],
            lambda bearer: http.post(url, data=body, headers={"Content-Type": MEDIA_TYPE_SCORE, **bearer}),
            quirks.says,
            meaning=quirks.meaning,
        )
    except Refused as refused:
        if refused.status == 409:
            raise ScoreConflict from None
        raise
    if answer.body.strip() and answer.headers.get("Content-Type", "").startswith("text/html"):
        # A sign-in or maintenance page with status 200 is no gradebook.
        raise MalformedAnswer(answer.host, "answered our score with a web page")


def read_result(
    http: GuardedSession, tokens: ServiceTokens, platform: ServicePlatform, endpoint: AgsEndpoint, user_id: str
) -> Result | None:
    """What the gradebook holds for this person, or None. Raises as `post_score`, without ScoreConflict."""
    results = _read_results(http, tokens, platform, endpoint, query=f"user_id={quote(user_id, safe='')}")
    return next((result for result in results if result.user_id == user_id), None)  # a platform may ignore the filter


def read_results(
    http: GuardedSession, tokens: ServiceTokens, platform: ServicePlatform, endpoint: AgsEndpoint
) -> list[Result]:
    """What the gradebook holds for everybody; of those who have no grade, some platforms say nothing. Raises as
    `read_result`."""
    return _read_results(http, tokens, platform, endpoint)


def _read_results(
    http: GuardedSession,
    tokens: ServiceTokens,
    platform: ServicePlatform,
    endpoint: AgsEndpoint,
    *,
    query: str = "",
) -> list[Result]:
    """All pages. Sends no `limit`: Moodle's result service fails on every one.
    https://www.imsglobal.org/spec/lti-ags/v2p0/#result-service
    """
    if SCOPE_RESULT_READONLY not in endpoint.scopes:
        raise NotGranted(_RESULT_NOT_GRANTED)
    url = service_url(endpoint.line_item_url, "results", query=query)
    give_up_at = time.monotonic() + TOTAL_S
    return [
        result
        for answer in pages(http, tokens, platform, url, _LISTING, give_up_at=give_up_at)
        for result in _results(answer)
    ]


def _results(answer: Answer) -> list[Result]:
    try:
        return _RESULTS.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedAnswer(answer.host, "answered our question for a grade with something else") from None


def service_url(line_item_url: str, service: str, *, query: str = "") -> str:
    """`service` ("scores", "results") goes before the query, which Moodle's line items have."""
    parts = urlsplit(line_item_url)
    queries = "&".join(part for part in (parts.query, query) if part)
    return urlunsplit((parts.scheme, parts.netloc, f"{parts.path.rstrip('/')}/{service}", queries, ""))
