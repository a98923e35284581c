"""A rule that somebody has written in JSON, as the command line takes it: strict, with a sentence for each fault."""

from typing import Annotated, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from series.rule import MAX_REQUIRED, Demand, Rule, SessionRule, Way, problem_of


class NoRule(Exception):
    """What was written is no rule; says why."""


class _Demand(Demand, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A word that is misspelt must not be a demand that is missing."""


class _SessionRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    ways: tuple[tuple[_Demand, ...], ...]


class _Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    ways: tuple[tuple[_Demand, ...], ...] | UnsetType = UNSET
    required: Annotated[int, Meta(ge=1, le=MAX_REQUIRED)] | UnsetType = UNSET
    at_most_by_recording: Annotated[int, Meta(ge=0, le=MAX_REQUIRED)] | UnsetType | None = UNSET


T = TypeVar("T")
_RULE = msgspec.json.Decoder(_Rule)
_SESSION_RULE = msgspec.json.Decoder(_SessionRule)


def read_rule(text: str | bytes, old: Rule) -> Rule:
    """What is left out stays as in `old`. Raises NoRule."""
    found = _decoded(_RULE, text)
    changed = Rule(
        ways=old.ways if found.ways is UNSET else _plain(found.ways),
        required=old.required if found.required is UNSET else found.required,
        at_most_by_recording=(
            old.at_most_by_recording if found.at_most_by_recording is UNSET else found.at_most_by_recording
        ),
    )
    _check(changed)
    return changed


def read_session_rule(text: str | bytes) -> SessionRule:
    """Raises NoRule."""
    rule = SessionRule(ways=_plain(_decoded(_SESSION_RULE, text).ways))
    _check(rule)
    return rule


def _plain(ways: tuple[tuple[_Demand, ...], ...]) -> tuple[Way, ...]:
    return tuple(
        tuple(Demand(kind=each.kind, at_least=each.at_least, within_days=each.within_days) for each in way)
        for way in ways
    )


def _decoded(decoder: msgspec.json.Decoder[T], text: str | bytes) -> T:
    try:
        return decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NoRule(f"That is no rule: {_sentence(str(error))}") from error


def _sentence(fault: str) -> str:
    """“Expected `int` <= 100 - at `$.required`” as people read it."""
    what, _, where = fault.partition(" - at ")
    place = where.strip("`").removeprefix("$").removeprefix(".")
    return f"{what} (at {place})." if place else f"{what}."


def _check(rule: SessionRule) -> None:
    problem = problem_of(rule)
    if problem:
        raise NoRule(problem)
    for way in rule.ways:
        if len({demand.kind for demand in way}) < len(way):
            raise NoRule("One way can demand each kind only once; what may stand in for it is a way of its own.")
