"""What counts, in one sentence."""

import pytest

from series.rule import CHECK_IN, CONFIRMED, Demand, Kind, Rule, SessionRule
from series.rule_words import series_sentence, session_sentence, standing_sentence
from series.standing import Standing

RECORDING = Demand(kind=Kind.RECORDING, at_least=80, within_days=14)
LIVE = Demand(kind=Kind.LIVE, at_least=75)
REFLECTION = Demand(kind=Kind.REFLECTION, at_least=100, within_days=1)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (
            SessionRule(ways=(CHECK_IN, CONFIRMED)),
            "A session is completed by its check-in code, or by the confirmation of a person.",
        ),
        (
            SessionRule(ways=((*CHECK_IN, LIVE), (RECORDING, REFLECTION))),
            (
                "A session is completed by its check-in code together with presence for at least 75 % of its time, or"
                " by watching at least 80 % of its recording within 14 days of its end together with a reflection of"
                " at least 100 words within 1 day of its end."
            ),
        ),
    ],
)
def test_what_completes_a_session(rule: SessionRule, sentence: str) -> None:
    assert session_sentence(rule) == sentence


def test_what_completes_the_series() -> None:
    with_recording = Rule(ways=(CHECK_IN, (RECORDING,)), required=10, at_most_by_recording=3)
    assert series_sentence(Rule(required=1)) == "1 session completes the series."
    assert series_sentence(with_recording) == (
        "10 sessions complete the series, at most 3 of them by their recordings alone."
    )


def test_every_kind_has_words() -> None:
    for kind in Kind:
        assert "%" not in session_sentence(SessionRule(ways=((Demand(kind=kind),),)))


@pytest.mark.parametrize(
    ("live", "recording", "afterwards", "sentence"),
    [
        (3, 1, 0, "7 of 10; 3 can still be done live, 1 by recording"),
        (0, 1, 2, "7 of 10; 1 can still be done by recording, 2 in another way afterwards"),
        (0, 0, 2, "7 of 10; 2 can still be done in another way afterwards, which is not enough by itself"),
        (0, 0, 0, "7 of 10; nothing more can be done by yourself"),
    ],
)
def test_where_somebody_stands(live: int, recording: int, afterwards: int, sentence: str) -> None:
    found = Standing(done=7, required=10, live=live, recording=recording, afterwards=afterwards)
    assert standing_sentence(found) == sentence


def test_who_has_all_needs_nothing_more() -> None:
    found = Standing(done=11, required=10, live=2, recording=0, afterwards=0)
    assert standing_sentence(found) == "10 of 10: that is all you need"
