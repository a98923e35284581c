"""How often a connected Moodle is looked after, and how long it is left alone."""

from datetime import timedelta

import pytest

from series.moodle_jobs import LANES, Level, MoodleJob, jobs_of, lane_of, next_after, paused_until
from tests.conftest import NOW

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def wait(interval: timedelta, failures: int = 0, jitter: float = 0.0) -> timedelta:
    return next_after(NOW, interval=interval, failures=failures, jitter=jitter) - NOW


def pause(failures: int, retry_after_s: int | None = None, jitter: float = 0.0) -> timedelta:
    return paused_until(NOW, failures=failures, retry_after_s=retry_after_s, jitter=jitter) - NOW


def test_without_failures_the_interval_is_kept() -> None:
    assert wait(5 * MINUTE) == 5 * MINUTE


def test_jitter_takes_off_up_to_an_eighth() -> None:
    assert wait(8 * MINUTE, jitter=1.0) == 7 * MINUTE


def test_each_failure_of_a_job_doubles_its_wait_up_to_six_hours() -> None:
    assert [wait(5 * MINUTE, failures) for failures in (1, 2, 6, 7, 10_000)] == [
        10 * MINUTE,
        20 * MINUTE,
        320 * MINUTE,
        6 * HOUR,
        6 * HOUR,
    ]


def test_a_job_of_a_day_is_not_hurried_by_its_failures() -> None:
    assert wait(DAY, failures=5) == DAY


def test_a_site_is_left_alone_a_minute_at_first_and_an_hour_at_last() -> None:
    assert [pause(failures) for failures in (1, 2, 6, 7, 10_000)] == [MINUTE, 2 * MINUTE, 32 * MINUTE, HOUR, HOUR]


def test_jitter_adds_up_to_a_quarter() -> None:
    assert pause(3, jitter=1.0) == 5 * MINUTE


@pytest.mark.parametrize(
    ("retry_after_s", "expected"), [(None, MINUTE), (0, MINUTE), (-5, MINUTE), (600, 10 * MINUTE), (10**12, DAY)]
)
def test_a_site_is_left_alone_as_long_as_it_asks_for_within_a_day(
    retry_after_s: int | None, expected: timedelta
) -> None:
    assert pause(1, retry_after_s) == expected


def test_the_calendar_alone_reads_no_completions() -> None:
    assert set(jobs_of(Level.CALENDAR)).isdisjoint({MoodleJob.COLLECT, MoodleJob.RECOLLECT})
    assert set(jobs_of(Level.COMPLETIONS)) == set(MoodleJob)


def test_each_job_has_one_lane() -> None:
    assert sorted(job for lane in LANES for job in lane) == sorted(MoodleJob)
    assert all(job in lane_of(job) for job in MoodleJob)
