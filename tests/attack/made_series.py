"""Made series: who completes which session, week by week, in numbers that grow as real ones do."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from random import Random
from uuid import UUID

from series.pooled import TERM, Block, Step
from series.protected_falls import fall_in_steps

AUDIENCES = ("pre_service", "in_service")
FIRST_MONDAY = datetime(2026, 10, 5, 2, 0, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Made:
    """How a series is made. `regulars`: share of a university's people who come back. `late`: of completions that are
    there only at a later step. `skewed`: few large universities and many small ones. `adding`: all but the first
    session of a month are planned after it was told."""

    universities: int = 6
    sessions: int = 4
    steps_after: int = 1
    k: int = 5
    mean: float = 5.4
    skewed: bool = False
    regulars: float = 0.5
    late: float = 0.2
    objecting: float = 0.0
    joining: bool = False
    sessions_a_month: int = 4
    adding: bool = False


@dataclass
class University:
    mean: float
    people: int = 0
    done: dict[int, list[tuple[int, int]]] = field(default_factory=dict)  # session: (person, from which step on)
    gone_from: dict[int, int] = field(default_factory=dict)  # person: step
    audiences: tuple[str, ...] = AUDIENCES

    def teaches(self, person: int) -> str:
        """Whom the course of this person teaches."""
        return self.audiences[person % len(self.audiences)]


def make_series(made: Made, random: Random) -> tuple[Step, ...]:
    """A session each week and a step after it, and some more steps; a month is there when its last session is over."""
    universities = [_make_university(made, random) for _ in range(made.universities)]
    joins_at = made.sessions // 2 if made.joining else 0
    months = {_session(one): month for month, sessions in _months(made) for one in sessions}
    found: list[Step] = []
    for number in range(made.sessions + made.steps_after):
        there = {
            one: university
            for one, university in enumerate(universities, start=1)
            if number >= joins_at or one < made.universities
        }
        over = range(min(number + 1, made.sessions))
        counts = {_session(one): {u: len(_people(of, [one], number)) for u, of in there.items()} for one in over}
        for month, sessions in _months(made):
            if sessions[0 if made.adding else -1] in over:
                held = [one for one in sessions if one in over]
                counts[month] = {u: len(_people(of, held, number)) for u, of in there.items()}
        counts[TERM] = {u: len(_people(of, over, number)) for u, of in there.items()}
        for audience in AUDIENCES:
            counts[Block(audience=audience)] = {
                u: sum(of.teaches(person) == audience for person in _people(of, over, number))
                for u, of in there.items()
            }
        before = found[-1].counts if found else {}
        found.append(
            Step(
                at=FIRST_MONDAY + timedelta(weeks=number),
                smallest_group=made.k,
                counts=fall_in_steps(counts, before=before, months=months, k=made.k),
                months={session: month for session, month in months.items() if session in counts},
            )
        )
    return tuple(found)


def _make_university(made: Made, random: Random) -> University:
    mean = made.mean * (min(random.paretovariate(1.2) / 3, 8) if made.skewed else 1)
    university = University(mean=mean, audiences=random.choice([AUDIENCES[:1], AUDIENCES[1:], AUDIENCES]))
    last = made.sessions + made.steps_after - 1
    for session in range(made.sessions):
        known = list(range(university.people))
        random.shuffle(known)
        here = []
        for _ in range(poisson(mean, random)):
            person = known.pop() if known and random.random() < made.regulars else university.people
            university.people += person == university.people
            here.append((person, session if random.random() >= made.late else random.randint(session, last)))
        university.done[session] = here
    for person in range(university.people):
        if random.random() < made.objecting:
            university.gone_from[person] = random.randint(1, last)
    return university


def poisson(mean: float, random: Random) -> int:
    """Of a Poisson distribution: how many arrivals fit into one unit of time."""
    arrivals, time = -1, 0.0
    while time < 1.0:
        time += random.expovariate(mean)
        arrivals += 1
    return arrivals


def _people(university: University, sessions: Sequence[int], step: int) -> set[int]:
    return {
        person
        for session in sessions
        for person, since in university.done[session]
        if since <= step < university.gone_from.get(person, step + 1)
    }


def _session(number: int) -> Block:
    return Block(session_id=UUID(int=number + 1))


def _months(made: Made) -> list[tuple[Block, list[int]]]:
    grouped = groupby(range(made.sessions), key=lambda session: session // made.sessions_a_month)
    return [(Block(month=f"2026-{10 + month:02}"), list(sessions)) for month, sessions in grouped]
