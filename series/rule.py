"""What completes a session, and what score a course hears of. Pure functions of evidence and rule."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What a fact about one participant and one session is."""

    CODE = "code"  # the check-in code, entered inside the visit
    LIVE = "live"  # presence minutes from a meeting report
    RECORDING = "recording"
    REFLECTION = "reflection"
    APPROVAL = "approval"  # a person confirmed it, with a reason
    LMS = "lms"  # an activity of the course that the instructor mapped to the session


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Any one of `any_of` completes a session; `required` sessions complete the series."""

    any_of: tuple[Kind, ...] = (Kind.CODE, Kind.APPROVAL)
    required: int = 10


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One fact; append-only. A retraction is evidence that names the evidence it withdraws."""

    evidence_id: int
    kind: Kind
    observed_at: datetime
    retracts_evidence_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Score:
    given: int
    maximum: int


def completed_at(evidence: Iterable[Evidence], rule: Rule) -> datetime | None:
    """When the session was completed, or None. A function of the set: order and repetition do not matter."""
    facts = list(evidence)
    retracted = {fact.retracts_evidence_id for fact in facts if fact.retracts_evidence_id is not None}
    times = [
        fact.observed_at
        for fact in facts
        if fact.retracts_evidence_id is None and fact.evidence_id not in retracted and fact.kind in rule.any_of
    ]
    return min(times, default=None)


def score_of_session(*, is_complete: bool) -> Score:
    return Score(given=int(is_complete), maximum=1)


def score_of_series(*, completed: int, held: int, rule: Rule) -> Score:
    """So many of so many sessions; cancellations lower the demand when it exceeds what is left.

    `held` is the number of sessions that are not cancelled. What was earned beyond the demand is not counted twice.
    """
    required = max(1, min(rule.required, held))
    return Score(given=min(completed, required), maximum=required)
