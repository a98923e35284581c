"""What stands out in the course of a series, of numbers that a viewer is shown anyway: nothing is counted for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from statistics import median

from series.pooled import Block, Column

FEW = 0.6  # of what is usual
AS_USUAL = 0.8
FALLS = 3  # times in a row
LEAST_KNOWN = 3  # before anything is usual
MOST_SAID = 3  # of each kind


class Kind(StrEnum):
    FEW = "few"  # elsewhere, in one block
    FALL = "fall"  # elsewhere, block after block
    OWN_FEW = "own_few"  # in the own course, though not elsewhere
    OWN_MORE = "own_more"  # in the own course, though fewer elsewhere
    UNIVERSITY_FEW = "university_few"


@dataclass(frozen=True, kw_only=True)
class Point:
    """One block of time. None: hidden, not counted yet, or nobody's own. `is_over`: nobody is added any more."""

    block: Block
    is_over: bool
    own_course: int | None = None
    others: int | None = None


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`people` took part in `block`, where `usual` is the median of the other blocks; of a fall, what it began with."""

    kind: Kind
    block: Block
    people: int
    usual: int
    university_id: int | None = None


def what_stands_out(
    points: Sequence[Point], columns: Sequence[Column], *, of_columns: Sequence[Point] | None = None
) -> tuple[Finding, ...]:
    """All in the order of time; `of_columns`: points of the columns of the table, which may be months where `points`
    are weeks; None: the same. The most telling first; nothing where too little is known, and no block twice for the
    same."""
    over = [point for point in points if point.is_over]
    over_columns = [point for point in of_columns or points if point.is_over]
    falls = _fall(over)
    few = [one for one in _few(over) if one.block not in {fall.block for fall in falls}]
    return (*_own(over), *falls, *few[:MOST_SAID], *_universities(over_columns, columns))


def _few(points: Sequence[Point]) -> list[Finding]:
    """The newest first."""
    found = [_against_the_rest(Kind.FEW, points, number, _others) for number in range(len(points))]
    return [one for one in reversed(found) if one and one.people < FEW * one.usual]


def _fall(points: Sequence[Point]) -> list[Finding]:
    known = [point for point in points if point.others is not None][-FALLS:]
    people = [point.others or 0 for point in known]
    falls = len(known) == FALLS and all(one > after for one, after in pairwise(people))
    if not falls or people[-1] > AS_USUAL * people[0]:
        return []
    return [Finding(kind=Kind.FALL, block=known[-1].block, people=people[-1], usual=people[0])]


def _own(points: Sequence[Point]) -> list[Finding]:
    """Of the newest block in which both are known."""
    known = [point for point in points if point.own_course is not None and point.others is not None]
    own = _against_the_rest(Kind.OWN_FEW, known, len(known) - 1, _own_course)
    others = _against_the_rest(Kind.FEW, known, len(known) - 1, _others)
    if own is None or others is None or not own.usual or not others.usual:
        return []
    here, elsewhere = own.people / own.usual, others.people / others.usual
    if here < FEW and elsewhere >= AS_USUAL:
        return [own]
    if here >= AS_USUAL and elsewhere < FEW:
        return [Finding(kind=Kind.OWN_MORE, block=own.block, people=own.people, usual=own.usual)]
    return []


def _universities(points: Sequence[Point], columns: Sequence[Column]) -> list[Finding]:
    """In the newest column, of those whose cells are shown: who has few though it was as usual elsewhere."""
    if not columns:
        return []
    newest, found = columns[-1], []
    elsewhere = _against_the_rest(Kind.FEW, points, len(points) - 1, _others)
    trend = min(1.0, elsewhere.people / elsewhere.usual) if elsewhere and elsewhere.usual else 1.0
    for university_id, people in newest.shown.items():
        before = [column.shown[university_id] for column in columns[:-1] if university_id in column.shown]
        usual = median(before) if len(before) >= LEAST_KNOWN else 0
        if people < FEW * usual * trend:
            found.append((people / usual, university_id, people, round(usual)))
    return [
        Finding(kind=Kind.UNIVERSITY_FEW, block=newest.block, people=people, usual=usual, university_id=university_id)
        for _, university_id, people, usual in sorted(found)[:MOST_SAID]
    ]


def _against_the_rest(
    kind: Kind, points: Sequence[Point], number: int, people_of: Callable[[Point], int | None]
) -> Finding | None:
    rest = [people for point in (*points[:number], *points[number + 1 :]) if (people := people_of(point)) is not None]
    people = people_of(points[number]) if points else None
    if people is None or len(rest) < LEAST_KNOWN:
        return None
    return Finding(kind=kind, block=points[number].block, people=people, usual=round(median(rest)))


def _others(point: Point) -> int | None:
    return point.others


def _own_course(point: Point) -> int | None:
    return point.own_course
