"""The test score of a pre-flight, against answers that no sandbox gives."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests
import responses

from lms.ags import SCOPE_LINE_ITEM, SCOPE_SCORE
from lms.errors import Unreachable
from lms.preflight_findings import Findings
from lms.preflight_score import try_score
from lms.trial_line_item import delete_trial_line_items
from series.checks import Outcome
from series.preflight import TEST_RESOURCE_ID
from series.preflight_facts import Placed
from tests.unit.recordings import PLATFORM, grant_token, loopback_session
from tests.unit.test_lms_preflight_token import ROW, setting
from tests.unit.test_preflight import FACTS

COLUMNS = "https://lms.example/columns"
SCOPES = frozenset({SCOPE_SCORE, SCOPE_LINE_ITEM})
PLACED = Placed(
    course_title="STEM", memberships_url=None, line_item_url=None, line_items_url=COLUMNS, ags_scopes=SCOPES
)


@pytest.fixture
def found() -> Iterator[Findings]:
    with loopback_session() as http:
        made = Findings(
            setting=setting(http),
            row=ROW,
            facts=replace(FACTS, placed=PLACED),
            test_user="17",
            is_asked=True,
            earlier_score=None,
            keep=lambda _: None,
            on_trial=lambda _: None,
        )
        made.has_token = True
        yield made


def column(number: int) -> dict[str, str]:
    return {"id": f"{COLUMNS}/{number}", "resourceId": TEST_RESOURCE_ID}


@responses.activate
def test_an_activity_that_is_not_published_is_no_missing_right(found: Findings) -> None:
    """Of a Canvas; else its administrator would look for the fault in the developer key."""
    grant_token()
    responses.get(COLUMNS, json=[])
    responses.post(COLUMNS, json=column(1))
    responses.post(f"{COLUMNS}/1/scores", status=422, body="This assignment is still unpublished")
    try_score(found)
    assert (found.trials[-1].outcome, found.trials[-1].facts["case"]) == (Outcome.GAP, "student")
    assert "publish it" in str(found.trials[-1].facts["reason"])


@responses.activate
def test_an_lms_that_names_thousands_of_columns_holds_us_no_longer(
    found: Findings, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited_s, real = [0.0], time.monotonic
    monkeypatch.setattr("lms.trial_line_item.time.monotonic", lambda: real() + waited_s[0])
    grant_token()
    responses.get(COLUMNS, body=json.dumps([column(number) for number in range(1000)]))

    def answer(_: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        waited_s[0] += 4
        return 204, {}, ""

    for number in range(1000):
        responses.add_callback(responses.DELETE, f"{COLUMNS}/{number}", callback=answer)
    with pytest.raises(Unreachable, match="too slowly"):
        delete_trial_line_items(found.http, found.tokens, PLATFORM, COLUMNS, scopes=SCOPES, within_s=20)
    assert sum(call.request.method == "DELETE" for call in responses.calls) == 5
