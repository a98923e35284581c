"""What a participant can do by themselves after a session: how long, how much; and what a word is."""

from datetime import timedelta

import pytest

from series.afterwards import percentages_offered, window_of, words_demanded
from series.reflections import count_words
from series.rule import CHECK_IN, Demand, Kind, SessionRule, Span
from tests.examples import SESSION

SPAN = Span(start_at=SESSION.start_at, end_at=SESSION.end_at)
END, DAY = SESSION.end_at, timedelta(days=1)
RULE = SessionRule(
    ways=(
        CHECK_IN,
        (Demand(kind=Kind.RECORDING, at_least=80, within_days=14), Demand(kind=Kind.REFLECTION, at_least=100)),
        (Demand(kind=Kind.RECORDING, at_least=50, within_days=2),),
        (Demand(kind=Kind.REFLECTION, at_least=300, within_days=7),),
    )
)


def test_what_the_rule_does_not_count_has_no_window() -> None:
    assert window_of(SessionRule(), Kind.RECORDING, SPAN) is None


def test_a_recording_is_declared_from_the_end_until_the_last_of_its_windows() -> None:
    window = window_of(RULE, Kind.RECORDING, SPAN)
    assert window is not None
    assert (window.opens_at, window.closes_at) == (END, END + 14 * DAY)
    assert [window.is_open(END + by) for by in (-DAY, 0 * DAY, 14 * DAY, 15 * DAY)] == [False, True, True, False]


def test_a_reflection_is_written_from_the_start_and_without_end_where_one_demand_has_none() -> None:
    window = window_of(RULE, Kind.REFLECTION, SPAN)
    assert window is not None
    assert (window.opens_at, window.closes_at) == (SESSION.start_at, None)
    assert not window.is_over(END + 1000 * DAY)


def test_the_easiest_demand_that_is_still_open_says_how_much() -> None:
    assert percentages_offered(RULE, SPAN, END) == [50, 80, 100]
    assert percentages_offered(RULE, SPAN, END + 3 * DAY) == [80, 100]
    assert words_demanded(RULE, SPAN, END) == 100
    plain = SessionRule(ways=((Demand(kind=Kind.REFLECTION),), (Demand(kind=Kind.RECORDING),)))
    assert (words_demanded(plain, SPAN, END), percentages_offered(plain, SPAN, END)) == (1, [100])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        (" \n\t ", 0),
        ("one", 1),
        ("Ein Satz – mit Gedankenstrich.", 4),
        ("l'élève e-mail 42", 3),
        ("Μάθαμε πολλά\nχθες!", 3),
        ("... !!! —", 0),
        ("a\N{NO-BREAK SPACE}b", 2),
    ],
)
def test_a_word_stands_between_blanks_and_has_a_letter_or_a_digit(text: str, words: int) -> None:
    assert count_words(text) == words
