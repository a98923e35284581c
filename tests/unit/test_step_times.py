"""Numbers of others are renewed on Monday mornings, on the clocks of the series."""

from datetime import UTC, datetime, timedelta

import pytest

from series.step_times import month_of, next_step_at, step_due_at

MONDAY = datetime(2026, 11, 23, 3, tzinfo=UTC)  # 04:00 in Berlin


@pytest.mark.parametrize("after", [timedelta(0), timedelta(hours=1), timedelta(days=3), timedelta(days=7, seconds=-1)])
def test_all_week_the_step_of_monday_is_the_one_that_is_due(after: timedelta) -> None:
    assert step_due_at(MONDAY + after, "Europe/Berlin") == MONDAY
    assert next_step_at(MONDAY + after, "Europe/Berlin") == MONDAY + timedelta(weeks=1)


def test_a_second_before_it_is_still_the_one_of_last_week() -> None:
    assert step_due_at(MONDAY - timedelta(seconds=1), "Europe/Berlin") == MONDAY - timedelta(weeks=1)


def test_early_on_monday_it_is_still_sunday_elsewhere() -> None:
    assert step_due_at(MONDAY, "America/New_York") == datetime(2026, 11, 16, 9, tzinfo=UTC)


def test_it_stays_at_four_when_the_clocks_are_set_back() -> None:
    sunday = datetime(2026, 10, 25, 12, tzinfo=UTC)
    assert step_due_at(sunday, "Europe/Berlin") == datetime(2026, 10, 19, 2, tzinfo=UTC)
    assert next_step_at(sunday, "Europe/Berlin") == datetime(2026, 10, 26, 3, tzinfo=UTC)


def test_a_month_is_that_of_the_series_clocks() -> None:
    assert month_of(datetime(2026, 10, 31, 23, 30, tzinfo=UTC), "Europe/Berlin") == "2026-11"
