"""What completes a session, and how many sessions complete the series. Pure functions of evidence and rule."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

import msgspec


class Kind(StrEnum):
    """What a fact about one participant and one session is."""

    CODE = "code"  # the check-in code, entered inside the visit
    LIVE = "live"  # presence in the meeting; its amount is minutes
    RECORDING = "recording"  # its amount is the percentage that was watched
    REFLECTION = "reflection"  # its amount is words
    APPROVAL = "approval"  # a person confirmed it, with a reason
    LMS = "lms"  # an activity of the course that the instructor mapped to the session
    EXCUSED = "excused"  # a person excused the participant, with a reason: completes nothing, and is not missing


MEASURED = {Kind.LIVE, Kind.RECORDING, Kind.REFLECTION}  # kinds of which a rule may demand an amount
IN_THE_SESSION = {Kind.CODE, Kind.LIVE}
AFTERWARDS = {Kind.RECORDING, Kind.REFLECTION}  # kinds for which a rule may set an end
MAX_REQUIRED, MAX_DAYS, MAX_WAYS, MAX_AMOUNT = 100, 365, 8, 10_000


class Demand(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Evidence of one kind. `at_least`: percent of the session's length (LIVE) or of the recording, words of a
    reflection. `within_days`: after the session's end (RECORDING, REFLECTION)."""

    kind: Kind
    at_least: Annotated[int, msgspec.Meta(ge=1, le=MAX_AMOUNT)] | None = None
    within_days: Annotated[int, msgspec.Meta(ge=1, le=MAX_DAYS)] | None = None


Way = tuple[Demand, ...]
CHECK_IN: Way = (Demand(kind=Kind.CODE),)
CONFIRMED: Way = (Demand(kind=Kind.APPROVAL),)


class SessionRule(msgspec.Struct, frozen=True, kw_only=True):
    """What completes one session: any one of the ways, each with all of its demands."""

    ways: tuple[Way, ...] = (CHECK_IN, CONFIRMED)

    def counts(self, kind: Kind) -> bool:
        """Whether evidence of this kind may help to complete a session."""
        return any(demand.kind is kind for way in self.ways for demand in way)


class Rule(SessionRule, frozen=True, kw_only=True):
    """What completes the sessions of a series, and how many of them complete the series, at most so many of them by
    their recording alone (None: as many as one likes)."""

    required: Annotated[int, msgspec.Meta(ge=1, le=MAX_REQUIRED)] = 10
    at_most_by_recording: Annotated[int, msgspec.Meta(ge=0, le=MAX_REQUIRED)] | None = None


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One fact; append-only. A retraction is evidence that names the evidence it withdraws."""

    evidence_id: int
    kind: Kind
    observed_at: datetime
    amount: int | None = None
    retracts_evidence_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Span:
    """When a session takes place."""

    start_at: datetime
    end_at: datetime


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the evidence of one participant makes of one session."""

    completed_at: datetime | None = None
    by_recording: bool = False  # and by nothing else
    is_excused: bool = False


@dataclass(frozen=True, kw_only=True)
class Score:
    given: int
    maximum: int

    def is_less_than(self, other: "Score") -> bool:
        """As parts of the full grade."""
        return self.given * other.maximum < other.given * self.maximum


def judge(evidence: Iterable[Evidence], rule: SessionRule, span: Span) -> Outcome:
    """A function of the set: order and repetition do not matter, and only a retraction lowers what comes of it."""
    facts = standing_facts(evidence)
    found = [(way, done_at) for way in rule.ways if (done_at := _met_at(way, facts, span)) is not None]
    return Outcome(
        completed_at=min((done_at for _, done_at in found), default=None),
        by_recording=bool(found) and all(is_by_recording(way) for way, _ in found),
        is_excused=not found and any(fact.kind is Kind.EXCUSED for fact in facts),
    )


def standing_facts(evidence: Iterable[Evidence]) -> list[Evidence]:
    """The facts that nobody has withdrawn."""
    facts = list(evidence)
    retracted = {fact.retracts_evidence_id for fact in facts if fact.retracts_evidence_id is not None}
    return [fact for fact in facts if fact.retracts_evidence_id is None and fact.evidence_id not in retracted]


def _met_at(way: Way, facts: list[Evidence], span: Span) -> datetime | None:
    """When the last of the way's demands was first met."""
    times = []
    for demand in way:
        met = [fact.observed_at for fact in facts if _meets(fact, demand, span)]
        if not met:
            return None
        times.append(min(met))
    return max(times, default=None)


def _meets(fact: Evidence, demand: Demand, span: Span) -> bool:
    if fact.kind is not demand.kind:
        return False
    if demand.within_days is not None and fact.observed_at > span.end_at + timedelta(days=demand.within_days):
        return False
    return demand.at_least is None or _amount(fact, span) >= demand.at_least


def _amount(fact: Evidence, span: Span) -> int:
    """In the unit of Demand.at_least."""
    amount = fact.amount or 0
    if fact.kind is not Kind.LIVE:
        return amount
    minutes = max(1, int((span.end_at - span.start_at).total_seconds() // 60))
    return amount * 100 // minutes


def is_by_recording(way: Way) -> bool:
    """Whether this way is that of who was not there: a recording together with the code is not."""
    kinds = {demand.kind for demand in way}
    return Kind.RECORDING in kinds and not kinds & IN_THE_SESSION


def score_of_session(*, is_complete: bool) -> Score:
    return Score(given=int(is_complete), maximum=1)


# Changes


def problem_of(rule: SessionRule) -> str | None:
    """What is wrong with a rule, in words, or None."""
    if not rule.ways or not all(rule.ways):
        return "At least one kind of evidence has to complete a session."
    if len(rule.ways) > MAX_WAYS:
        return f"There can be at most {MAX_WAYS} ways to complete a session."
    problems = [_problem_of_demand(demand) for way in rule.ways for demand in way]
    if isinstance(rule, Rule):
        problems.append(_problem_of_numbers(rule))
    return next((problem for problem in problems if problem), None)


def _problem_of_numbers(rule: Rule) -> str | None:
    """msgspec looks at the limits of the types only where it reads JSON."""
    if not 1 <= rule.required <= MAX_REQUIRED:
        return f"The number of sessions that complete the series is 1 to {MAX_REQUIRED}."
    if rule.at_most_by_recording is not None and not 0 <= rule.at_most_by_recording <= MAX_REQUIRED:
        return f"The number of sessions that count by their recordings is 0 to {MAX_REQUIRED}."
    return None


def _problem_of_demand(demand: Demand) -> str | None:
    if demand.kind is Kind.EXCUSED:
        return "Being excused completes no session."
    if demand.at_least is not None and demand.kind not in MEASURED:
        return f"Evidence of the kind “{demand.kind}” has no amount."
    if demand.within_days is not None and demand.kind not in AFTERWARDS:
        return f"Evidence of the kind “{demand.kind}” has no end of its own."
    if demand.at_least is not None and demand.kind is not Kind.REFLECTION and demand.at_least > 100:
        return "A percentage is at most 100."
    return _problem_of_limits(demand)


def _problem_of_limits(demand: Demand) -> str | None:
    if demand.at_least is not None and not 1 <= demand.at_least <= MAX_AMOUNT:
        return f"An amount is 1 to {MAX_AMOUNT}."
    if demand.within_days is not None and not 1 <= demand.within_days <= MAX_DAYS:
        return f"A number of days is 1 to {MAX_DAYS}."
    return None


def needless_ways(rule: SessionRule) -> list[Way]:
    """Ways that demand all that another one does, and more: whoever goes them has gone the other one."""
    return [
        way
        for number, way in enumerate(rule.ways)
        if any(
            _demands_no_more(other, way) and (other_number < number or not _demands_no_more(way, other))
            for other_number, other in enumerate(rule.ways)
            if other_number != number
        )
    ]


def _demands_no_more(one: Way, other: Way) -> bool:
    return all(any(_is_met_by(demand, stricter) for stricter in other) for demand in one)


def _is_met_by(demand: Demand, stricter: Demand) -> bool:
    """Whether all that meets `stricter` meets `demand`."""
    ends_later = demand.within_days is None or (
        stricter.within_days is not None and stricter.within_days <= demand.within_days
    )
    return demand.kind is stricter.kind and (demand.at_least or 0) <= (stricter.at_least or 0) and ends_later


def is_harder(new: Rule, old: Rule) -> bool:
    """Whether somebody may have less by the new numbers than by the old ones."""
    new_limit = MAX_REQUIRED if new.at_most_by_recording is None else new.at_most_by_recording
    old_limit = MAX_REQUIRED if old.at_most_by_recording is None else old.at_most_by_recording
    return new.required > old.required or new_limit < old_limit
