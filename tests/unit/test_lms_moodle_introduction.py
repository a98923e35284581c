"""Before a Moodle is connected: the address that is kept is one that has answered."""

from typing import Any

import pytest
import responses

from lms.moodle import Moodle
from lms.moodle_introduction import FunctionsMissing, introduce
from lms.moodle_levels import functions_of
from series.moodle_jobs import Level
from series.moodle_typed import Mistyped
from tests.unit.recordings import MOODLE_URL

OWN = "http://localhost:8101/moodle"


def answer_at(address: str, siteurl: str, **changes: Any) -> None:
    functions = [{"name": function.value} for function in functions_of(Level.CALENDAR, announcements=False)]
    site = {"sitename": "Malta", "siteurl": siteurl, "userid": 35, "functions": functions, **changes}
    responses.post(f"{address}/webservice/rest/server.php", json=site)


@responses.activate
def test_a_site_whose_address_was_typed_is_asked_once(moodle: Moodle) -> None:
    answer_at(MOODLE_URL, f"{MOODLE_URL}/")
    assert introduce(moodle, Level.CALENDAR).site_url == MOODLE_URL
    assert len(responses.calls) == 1


@responses.activate
def test_a_site_with_another_address_is_asked_there_too(moodle: Moodle) -> None:
    answer_at(MOODLE_URL, OWN)
    answer_at(OWN, OWN)
    assert introduce(moodle, Level.CALENDAR).site_url == OWN
    assert [str(call.request.url).partition("/webservice")[0] for call in responses.calls] == [MOODLE_URL, OWN]


@responses.activate
def test_an_address_that_does_not_answer_is_not_kept(moodle: Moodle) -> None:
    answer_at(MOODLE_URL, OWN)
    with pytest.raises(Mistyped, match=f"says of itself that it is at {OWN}, and it cannot be used there"):
        introduce(moodle, Level.CALENDAR)


@responses.activate
@pytest.mark.parametrize("changes", [{"userid": 36}, {"siteurl": MOODLE_URL}], ids=str)
def test_an_address_where_another_one_answers_is_not_kept(moodle: Moodle, changes: dict[str, Any]) -> None:
    answer_at(MOODLE_URL, OWN)
    answer_at(OWN, **{"siteurl": OWN, **changes})
    with pytest.raises(Mistyped, match="where another one answers"):
        introduce(moodle, Level.CALENDAR)


@responses.activate
@pytest.mark.parametrize("own", ["http://moodle.example", "https://moodle.example/?q=1", "nothing"])
def test_the_token_is_not_sent_to_an_address_that_is_none(moodle: Moodle, own: str) -> None:
    answer_at(MOODLE_URL, own)
    with pytest.raises(Mistyped, match="it is elsewhere") as refused:
        introduce(moodle, Level.CALENDAR)
    assert refused.value.field == "address"
    assert len(responses.calls) == 1


@responses.activate
def test_functions_of_the_level_are_needed(moodle: Moodle) -> None:
    answer_at(MOODLE_URL, MOODLE_URL)
    with pytest.raises(FunctionsMissing, match="core_enrol_get_enrolled_users"):
        introduce(moodle, Level.COMPLETIONS)
