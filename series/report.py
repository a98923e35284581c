"""The report for the funder of a series: what was held, by whom and for whom, and how many people that reached. Made of
published totals alone, because everybody reads it: each partner may subtract their own university from them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from series.audience import Audience, TaughtCourse
from series.people import University
from series.pooled import Block, Totals
from series.sessions import Series, Session


@dataclass(frozen=True, kw_only=True)
class Partner:
    """One university with its courses for the series. `schools`: None where no course has said any."""

    university: University
    courses: int
    schools: int | None


@dataclass(frozen=True, kw_only=True)
class Audiences:
    """Courses by whom they teach. `schools`: of those courses that have said how many, which `said_schools` counts."""

    pre_service: int
    in_service: int
    both: int
    not_said: int
    schools: int
    said_schools: int


@dataclass(frozen=True, kw_only=True)
class Report:
    """`totals` None: nothing was counted yet. `held`: sessions that are over and were not cancelled."""

    series: Series
    partners: tuple[Partner, ...]
    audiences: Audiences
    held: tuple[Session, ...]
    cancelled: int
    to_come: int
    totals: Totals | None

    @property
    def countries(self) -> frozenset[str]:
        return frozenset(one.university.country for one in self.partners)

    @property
    def courses(self) -> int:
        return sum(one.courses for one in self.partners)

    @property
    def length(self) -> timedelta:
        """Of all sessions that were held, together."""
        return sum((one.end_at - one.start_at for one in self.held), timedelta())

    def people_in(self, block: Block) -> int | None:
        """None: hidden, or not counted yet; is_counted tells which."""
        return self.totals.by_block.get(block) if self.totals else None

    def is_counted(self, block: Block) -> bool:
        return self.totals is not None and block in self.totals.by_block


def make_report(
    series: Series,
    *,
    sessions: Sequence[Session],
    courses: Collection[TaughtCourse],
    universities: Mapping[int, University],
    totals: Totals | None,
    now: datetime,
) -> Report:
    planned = [one for one in sessions if not one.is_cancelled]
    return Report(
        series=series,
        partners=_partners(courses, universities),
        audiences=_audiences(courses),
        held=tuple(one for one in planned if one.is_over(now)),
        cancelled=len(sessions) - len(planned),
        to_come=sum(not one.is_over(now) for one in planned),
        totals=totals,
    )


def _partners(courses: Collection[TaughtCourse], universities: Mapping[int, University]) -> tuple[Partner, ...]:
    by_university: dict[int, list[TaughtCourse]] = {}
    for course in courses:
        by_university.setdefault(course.university_id, []).append(course)
    partners = [
        Partner(
            university=universities[one],
            courses=len(own),
            schools=sum(schools) if (schools := _schools(own)) else None,
        )
        for one, own in by_university.items()
    ]
    return tuple(sorted(partners, key=lambda one: (one.university.country, one.university.name.casefold())))


def _audiences(courses: Collection[TaughtCourse]) -> Audiences:
    said = Counter(course.said.audience if course.said else None for course in courses)
    schools = _schools(courses)
    return Audiences(
        pre_service=said[Audience.PRE_SERVICE],
        in_service=said[Audience.IN_SERVICE],
        both=said[Audience.BOTH],
        not_said=said[None],
        schools=sum(schools),
        said_schools=len(schools),
    )


def _schools(courses: Collection[TaughtCourse]) -> list[int]:
    return [course.said.schools for course in courses if course.said and course.said.schools is not None]
