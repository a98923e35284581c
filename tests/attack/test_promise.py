"""The attack: what one viewer may see together, over all steps, given to a linear programme."""

import pytest

from series.pooled import PooledBy
from tests.attack import broken
from tests.attack.kinds import mode_of, nth_series
from tests.attack.promise import Publish, Report, breaches

SERIES = 50  # `make bench` attacks 1,000


@pytest.mark.parametrize("number", range(SERIES))
def test_dpo_08_no_hidden_number_is_narrowed_below_the_promise(number: int) -> None:
    steps, viewer = nth_series(number)
    by = mode_of(number)
    assert breaches(steps, viewer, by) == []


@pytest.mark.parametrize(
    "publish",
    [broken.without_complement, broken.without_memory, broken.without_viewer, broken.with_free_people],
    ids=lambda publish: publish.__name__,
)
def test_dpo_08_the_attack_finds_a_mistake_in_the_protection(publish: Publish) -> None:
    assert any(_finds(publish, number) for number in range(SERIES))


@pytest.mark.parametrize(
    "publish", [broken.with_free_sessions, broken.with_first_sessions_anew], ids=lambda publish: publish.__name__
)
def test_dpo_08_the_attack_finds_a_session_that_tells_of_its_month(publish: Publish) -> None:
    assert any(_finds(publish, number, PooledBy.MONTH) for number in range(SERIES))


@pytest.mark.parametrize(
    "report", [broken.with_all_totals, broken.with_free_audiences], ids=lambda report: report.__name__
)
def test_dpo_08_the_attack_finds_a_report_that_tells_too_much(report: Report) -> None:
    assert any(
        breaches(*nth_series(number), PooledBy.SESSION, report=report)  # the first that is found is enough
        for number in range(SERIES)
    )


def _finds(publish: Publish, number: int, by: PooledBy = PooledBy.SESSION) -> bool:
    steps, viewer = nth_series(number)
    return bool(breaches(steps, viewer, by, publish, report=broken.no_report))
