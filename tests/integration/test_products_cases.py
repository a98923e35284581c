"""Cases 41 to 64 at every product: what stands on the wire of one whole walk over real HTTP."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, get_args
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from joserfc import jwt

from lms.ags import (
    SCOPE_LINE_ITEM,
    SCOPE_LINE_ITEM_READONLY,
    SCOPE_RESULT_READONLY,
    SCOPE_SCORE,
    AgsEndpoint,
    read_result,
)
from lms.nrps import SCOPE_MEMBERSHIPS
from moodle_sync.services import service_platform
from sandbox_lms.products.habits import Habits
from sandbox_lms.products.table import Product
from series.rosters import RosterMember
from tests.databases import Databases
from tests.integration.product_walk import TEACHER, UNGRADED, Walk, campus_of, open_walk, write_down
from tests.integration.sandbox_client import TOOL_KEY

PRODUCTS: tuple[Product, ...] = get_args(Product)
MADE_COLUMN = 100
MEDIA = "application/vnd.ims."


@dataclass(frozen=True, kw_only=True)
class Walked:
    """What one walk has sent to the services of an LMS that gives activities no columns."""

    walk: Walk
    sent: list[requests.PreparedRequest]
    roster: list[RosterMember]
    result_score: float | None

    @property
    def habits(self) -> Habits:
        return self.walk.site.campus.habits

    def to(self, path: str, method: str, *, line_item_id: int | None = None) -> list[requests.PreparedRequest]:
        """`path`: one of the product's addresses."""
        wanted = urlsplit(self.walk.site.campus.address(path, line_item_id=line_item_id)).path
        return [one for one in self.sent if urlsplit(str(one.url)).path == wanted and one.method == method]

    def token_forms(self) -> list[dict[str, list[str]]]:
        asked = self.to(self.habits.addresses.token, "POST")
        return [parse_qs(str(one.body), strict_parsing=True) for one in asked]

    def scopes(self) -> list[str]:
        return [form["scope"][0] for form in self.token_forms()]


@pytest.fixture(scope="module", params=PRODUCTS)
def walked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, databases: Databases
) -> Iterator[Walked]:
    folder: Path = tmp_path_factory.mktemp("walk")
    campus = campus_of(request.param, grades_activities=UNGRADED)
    with databases.fresh("sqlite") as url, open_walk(folder, url, campus) as walk, write_down() as wire:
        walk.opens(TEACHER)
        visit, _ = walk.opens()
        roster = walk.roster()
        walk.attends(visit)
        walk.finds_line_item()
        (row,) = walk.delivers()
        endpoint = AgsEndpoint(line_item_url=row.line_item_url, scopes=frozenset({SCOPE_RESULT_READONLY}))
        platform = service_platform(walk.services, walk.seeded.platform_id)
        sub = walk.site.campus.sub("3")
        result = read_result(walk.services.http, walk.services.tokens, platform, endpoint, sub)
        sent = [call.request for call in wire.calls]
        yield Walked(walk=walk, sent=sent, roster=roster, result_score=result.result_score if result else None)


def bearer_of(one: requests.PreparedRequest) -> str:
    kind, _, token = str(one.headers["Authorization"]).partition(" ")
    assert kind == "Bearer"
    return token


def test_lti_041_lti_042_lti_043_lti_044_lti_045_the_roster_of_the_launch_is_asked_for_and_used(walked: Walked) -> None:
    asked = walked.to(walked.habits.addresses.memberships, "GET")
    assert asked
    for one in asked:
        assert one.headers["Accept"] == MEDIA + "lti-nrps.v2.membershipcontainer+json"
        assert bearer_of(one)
    assert SCOPE_MEMBERSHIPS in walked.scopes()
    assert len(walked.roster) == len(walked.walk.site.campus.members)


def test_lti_046_lti_047_lti_048_lti_049_columns_are_looked_for_and_there_is_none(walked: Walked) -> None:
    (asked,) = walked.to(walked.habits.addresses.line_items, "GET")
    assert asked.headers["Accept"] == MEDIA + "lis.v2.lineitemcontainer+json"
    assert bearer_of(asked)
    assert SCOPE_LINE_ITEM_READONLY in walked.scopes()


def test_lti_050_lti_051_lti_052_lti_053_a_column_is_made_and_its_address_used(walked: Walked) -> None:
    made = walked.to(walked.habits.addresses.line_items, "POST")
    assert len(made) == (2 if walked.walk.site.campus.product == "canvas" else 1)  # which takes no link there
    for one in made:
        assert one.headers["Content-Type"] == MEDIA + "lis.v2.lineitem+json"
        assert bearer_of(one)
    assert SCOPE_LINE_ITEM in walked.scopes()
    assert walked.walk.grades() == {MADE_COLUMN: 1}


def test_lti_054_lti_055_lti_056_lti_057_the_score_is_sent_as_the_specification_shows(walked: Walked) -> None:
    (posted,) = walked.to(walked.habits.addresses.line_item + "/scores", "POST", line_item_id=MADE_COLUMN)
    assert posted.headers["Content-Type"] == MEDIA + "lis.v1.score+json"
    assert bearer_of(posted)
    assert SCOPE_SCORE in walked.scopes()
    score: dict[str, Any] = json.loads(posted.body or "")
    assert (score["activityProgress"], score["gradingProgress"]) == ("Completed", "FullyGraded")
    assert (score["scoreGiven"], score["scoreMaximum"]) == (1, 2)
    assert score["userId"] == walked.walk.site.campus.sub("3")
    assert datetime.fromisoformat(score["timestamp"]).tzinfo is not None
    assert "." in score["timestamp"]


def test_lti_058_lti_059_lti_060_lti_061_the_result_is_read_back(walked: Walked) -> None:
    (asked,) = walked.to(walked.habits.addresses.line_item + "/results", "GET", line_item_id=MADE_COLUMN)
    assert asked.headers["Accept"] == MEDIA + "lis.v2.resultcontainer+json"
    assert bearer_of(asked)
    assert "limit" not in parse_qs(urlsplit(str(asked.url)).query)
    assert SCOPE_RESULT_READONLY in walked.scopes()
    assert walked.result_score == 1


def test_lti_062_lti_063_every_token_is_asked_for_with_an_assertion_of_its_own(walked: Walked) -> None:
    forms, campus = walked.token_forms(), walked.walk.site.campus
    signed = [jwt.decode(form["client_assertion"][0], TOOL_KEY, algorithms=["RS256"]) for form in forms]
    assert len({one.claims["jti"] for one in signed}) == len(signed)
    for form, one in zip(forms, signed, strict=True):
        assert form["grant_type"] == ["client_credentials"]
        assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
        assert one.header["kid"] == "tool-key"
        assert one.claims["iss"] == one.claims["sub"] == campus.client_id
        assert one.claims["aud"] == (walked.habits.token_audience or campus.registration().token_endpoint)
        assert 0 < one.claims["exp"] - one.claims["iat"] <= 300


def test_lti_064_each_scope_is_asked_for_once_by_itself_and_was_granted(walked: Walked) -> None:
    scopes = walked.scopes()
    assert len(scopes) == len(set(scopes)) == 5
    assert set(scopes) <= set(walked.walk.site.campus.scopes)
