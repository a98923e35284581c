"""The form of a rule, and what was typed into it."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask_babel import Babel

from lti_tool.pages.rule_form import NotFilledIn, filled_with, read_rule, read_ways
from series.rule import CHECK_IN, CONFIRMED, Demand, Kind, Rule, SessionRule

RECORDING = Demand(kind=Kind.RECORDING, at_least=80, within_days=14)
REFLECTION = Demand(kind=Kind.REFLECTION, at_least=100, within_days=14)
LIVE = Demand(kind=Kind.LIVE, at_least=75)
EVERYTHING = (
    CHECK_IN,
    (*CHECK_IN, LIVE),
    (LIVE,),
    (RECORDING, REFLECTION),
    (REFLECTION,),
    (Demand(kind=Kind.LMS),),
    CONFIRMED,
)


@pytest.fixture(autouse=True)
def words() -> Iterator[None]:
    app = Flask(__name__)
    Babel(app)
    with app.test_request_context():
        yield


@pytest.mark.parametrize(
    "ways",
    [
        EVERYTHING,
        (CHECK_IN, CONFIRMED),
        ((RECORDING,),),
        ((Demand(kind=Kind.LIVE),),),
        ((Demand(kind=Kind.REFLECTION),),),
    ],
)
@pytest.mark.parametrize("limit", [None, 0, 3])
def test_a_rule_goes_into_the_form_and_comes_out_again(ways: tuple[tuple[Demand, ...], ...], limit: int | None) -> None:
    rule = Rule(ways=ways, required=9, at_most_by_recording=limit)
    filled = filled_with(rule)
    assert filled.others == ()
    assert read_rule(filled.texts) == rule


@pytest.mark.parametrize(
    "way",
    [
        (*CHECK_IN, REFLECTION),
        (RECORDING, Demand(kind=Kind.REFLECTION, at_least=100)),
        (LIVE, Demand(kind=Kind.LIVE)),
        (Demand(kind=Kind.LIVE, at_least=50),),
    ],
)
def test_a_way_that_the_form_cannot_say_is_left_over(way: tuple[Demand, ...]) -> None:
    assert filled_with(SessionRule(ways=((LIVE,), way))).others == (way,)


def typed(**changes: str) -> dict[str, str]:
    return {**filled_with(Rule(ways=((LIVE,),), required=9)).texts, **changes}


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"live_percent": "101"}, "live_percent"),
        ({"live_percent": "0"}, "live_percent"),
        ({"live_percent": "-5"}, "live_percent"),
        ({"live_percent": "75.5"}, "live_percent"),
        ({"live_percent": "²"}, "live_percent"),
        ({"live_percent": "9" * 5000}, "live_percent"),
        ({"live_percent": "7\0"}, "live_percent"),
        ({"recording": "on", "recording_days": "366"}, "recording_days"),
        ({"required": ""}, "required"),
        ({"required": "101"}, "required"),
        ({"recordings": "x"}, "recordings"),
        ({"live": ""}, "code"),
    ],
)
def test_what_cannot_be_taken_names_its_field(changes: dict[str, str], name: str) -> None:
    with pytest.raises(NotFilledIn) as refused:
        read_rule(typed(**changes))
    assert refused.value.name == name
    assert "\0" not in str(refused.value)


def test_a_number_of_a_box_that_is_not_ticked_does_not_matter() -> None:
    assert read_ways(typed(recording_days="soon")) == ((LIVE,),)


def test_an_empty_number_is_none() -> None:
    assert read_ways(typed(live_percent=" ")) == ((Demand(kind=Kind.LIVE),),)
