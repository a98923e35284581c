"""A rule as somebody writes it in JSON."""

import pytest

from series.rule import CHECK_IN, Demand, Kind, Rule, SessionRule
from series.rule_input import NoRule, read_rule, read_session_rule

OLD = Rule(ways=(CHECK_IN,), required=7, at_most_by_recording=2)


def test_what_is_left_out_stays_as_it_was() -> None:
    assert read_rule("{}", OLD) == OLD
    assert read_rule('{"required": 6}', OLD) == Rule(ways=(CHECK_IN,), required=6, at_most_by_recording=2)
    assert read_rule('{"at_most_by_recording": null}', OLD).at_most_by_recording is None


def test_ways_are_read_with_their_demands() -> None:
    text = '{"ways": [[{"kind": "code"}, {"kind": "live", "at_least": 75}], [{"kind": "reflection"}]]}'
    ways = (
        (Demand(kind=Kind.CODE), Demand(kind=Kind.LIVE, at_least=75)),
        (Demand(kind=Kind.REFLECTION),),
    )
    assert read_rule(text, OLD) == Rule(ways=ways, required=7, at_most_by_recording=2)
    assert read_session_rule(text) == SessionRule(ways=ways)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "That is no rule: Input data was truncated."),
        (b"\xff", "That is no rule"),
        ("[" * 5000, "That is no rule"),
        ('{"require": 6}', "unknown field `require`"),
        ('{"required": 101}', "(at required)"),
        ('{"required": "6"}', "Expected `int`"),
        ('{"ways": [[{"kind": "codes"}]]}', "(at ways[0][0].kind)"),
        ('{"ways": [[{"kind": "live", "at_last": 75}]]}', "unknown field `at_last` (at ways[0][0])."),
        ('{"ways": []}', "At least one kind"),
        ('{"ways": [[{"kind": "code", "at_least": 2}]]}', "has no amount"),
        ('{"ways": [[{"kind": "live"}, {"kind": "live", "at_least": 5}]]}', "only once"),
    ],
)
def test_what_is_no_rule_is_refused_with_what_is_wrong(text: str | bytes, says: str) -> None:
    with pytest.raises(NoRule) as refused:
        read_rule(text, OLD)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_session_has_ways_and_no_numbers() -> None:
    with pytest.raises(NoRule, match="unknown field"):
        read_session_rule('{"ways": [[{"kind": "code"}]], "required": 3}')
    with pytest.raises(NoRule, match="missing required field"):
        read_session_rule("{}")
