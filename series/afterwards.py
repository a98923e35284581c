"""What a participant can say or write about a session by themselves: the recording, the reflection. Pure functions."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from series.rule import Demand, Kind, SessionRule, Span

SELF_DECLARED = "self-declared"  # the source of evidence for which there is nothing but the participant's word
TAKEN_BACK = "withdrawn by the participant"  # the reason of the retraction
ALL_OF_IT = 100


@dataclass(frozen=True, kw_only=True)
class Window:
    """When something can be done. `closes_at` None: it stays open."""

    opens_at: datetime
    closes_at: datetime | None

    def is_open(self, now: datetime) -> bool:
        return self.opens_at <= now and not self.is_over(now)

    def is_over(self, now: datetime) -> bool:
        return self.closes_at is not None and now > self.closes_at


def window_of(rule: SessionRule, kind: Kind, span: Span) -> Window | None:
    """For RECORDING and REFLECTION; None where it does not count. A reflection may be begun while the session runs."""
    ends = [_closes_at(demand, span) for demand in _demands(rule, kind)]
    if not ends:
        return None
    dated = [end for end in ends if end is not None]
    opens_at = span.start_at if kind is Kind.REFLECTION else span.end_at
    return Window(opens_at=opens_at, closes_at=max(dated) if len(dated) == len(ends) else None)


def words_demanded(rule: SessionRule, span: Span, now: datetime) -> int:
    """Of a reflection that is handed in now."""
    return min((demand.at_least or 1 for demand in _open_demands(rule, Kind.REFLECTION, span, now)), default=1)


def percentages_offered(rule: SessionRule, span: Span, now: datetime) -> list[int]:
    """How much of the recording somebody may say to have watched: at least what the rule demands, or all of it."""
    demanded = {demand.at_least for demand in _open_demands(rule, Kind.RECORDING, span, now) if demand.at_least}
    return sorted(demanded | {ALL_OF_IT})


def _demands(rule: SessionRule, kind: Kind) -> Iterator[Demand]:
    return (demand for way in rule.ways for demand in way if demand.kind is kind)


def _open_demands(rule: SessionRule, kind: Kind, span: Span, now: datetime) -> Iterator[Demand]:
    for demand in _demands(rule, kind):
        closes_at = _closes_at(demand, span)
        if closes_at is None or now <= closes_at:
            yield demand


def _closes_at(demand: Demand, span: Span) -> datetime | None:
    return None if demand.within_days is None else span.end_at + timedelta(days=demand.within_days)
