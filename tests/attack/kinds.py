"""The kinds of series that are attacked, in turns: each is there because something else can go wrong in it."""

from random import Random

from series.pooled import PooledBy, Step
from tests.attack.made_series import Made, make_series

KINDS = (
    Made(),
    Made(late=0.5, steps_after=2),
    Made(skewed=True),
    Made(k=3),
    Made(k=10, mean=9.0),
    Made(joining=True),
    Made(objecting=0.05),
    Made(objecting=0.3, mean=7.0, steps_after=3),
    Made(universities=4, sessions=3, mean=4.0),
    Made(universities=3, mean=6.0),
    Made(sessions=6, mean=8.0, regulars=0.9),
    Made(universities=2, mean=6.0),
    Made(mean=7.0, late=0.9, steps_after=3),
    Made(universities=8, sessions=3, regulars=0.95, mean=10.0, skewed=True),
    Made(universities=9, sessions=5, regulars=0.8),
    Made(universities=9, sessions=4, regulars=1.0, late=0.5, steps_after=2),
    Made(universities=9, sessions=4, sessions_a_month=2, regulars=0.1, objecting=0.2, steps_after=2),
    Made(universities=5, sessions=4, sessions_a_month=2, mean=7.0, objecting=0.4, steps_after=3, adding=True),
)


def nth_series(number: int) -> tuple[tuple[Step, ...], int | None]:
    """One of the kinds in turns, and who looks at it."""
    random = Random(number)
    steps = make_series(KINDS[number % len(KINDS)], random)
    return steps, random.choice([None, *steps[0].counts[next(iter(steps[0].counts))]])


def mode_of(number: int) -> PooledBy:
    """By months for every third one, and each kind in both ways in the end."""
    return PooledBy.MONTH if (number + number // len(KINDS)) % 3 == 0 else PooledBy.SESSION
