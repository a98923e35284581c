"""Which session a page shows first, and when one may be joined."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from series.sessions import Session, Status, may_join, this_weeks_session
from tests.examples import SESSION, moved

LAST_WEEK, THIS_WEEK, NEXT_WEEK = moved(SESSION, timedelta(weeks=-1)), SESSION, moved(SESSION, timedelta(weeks=1))
DAY = timedelta(days=1)
AT_ITS_START = SESSION.start_at


def shown(*sessions: Session, now: datetime = AT_ITS_START, zone: str = "Europe/Berlin") -> Session | None:
    return this_weeks_session(list(sessions), now=now, zone=zone)


def cancelled(session: Session) -> Session:
    return replace(session, status=Status.CANCELLED)


# This week's session


def test_the_running_session_is_shown() -> None:
    assert shown(LAST_WEEK, THIS_WEEK, NEXT_WEEK, now=SESSION.end_at - timedelta(seconds=1)) == THIS_WEEK


def test_the_next_one_of_this_week_is_shown_before_it_starts() -> None:
    assert shown(LAST_WEEK, THIS_WEEK, NEXT_WEEK, now=SESSION.start_at - DAY) == THIS_WEEK


def test_the_one_of_this_week_is_shown_after_it_is_over() -> None:
    assert shown(LAST_WEEK, THIS_WEEK, NEXT_WEEK, now=SESSION.end_at + 2 * DAY) == THIS_WEEK


def test_of_two_in_a_week_the_one_that_is_not_over_is_shown() -> None:
    second = moved(SESSION, 2 * DAY)
    assert shown(second, THIS_WEEK, now=SESSION.start_at) == THIS_WEEK
    assert shown(second, THIS_WEEK, now=SESSION.end_at) == second
    assert shown(second, THIS_WEEK, now=second.end_at) == second


def test_a_cancelled_one_is_shown_when_the_week_has_no_other() -> None:
    assert shown(LAST_WEEK, cancelled(THIS_WEEK), NEXT_WEEK) == cancelled(THIS_WEEK)


def test_a_planned_one_is_shown_rather_than_a_cancelled_one_of_the_same_week() -> None:
    instead = moved(SESSION, 2 * DAY)
    assert shown(cancelled(THIS_WEEK), instead) == instead
    assert shown(cancelled(THIS_WEEK), instead, now=instead.end_at) == instead


def test_in_a_week_without_one_the_next_one_at_all_is_shown() -> None:
    assert shown(NEXT_WEEK, LAST_WEEK) == NEXT_WEEK


def test_a_cancelled_one_of_a_later_week_is_passed_over() -> None:
    later = moved(SESSION, timedelta(weeks=2))
    assert shown(cancelled(NEXT_WEEK), later) == later


def test_when_all_are_over_nothing_is_shown() -> None:
    assert shown(LAST_WEEK, THIS_WEEK, now=SESSION.end_at + timedelta(weeks=2)) is None


def test_without_sessions_nothing_is_shown() -> None:
    assert shown() is None


def test_the_week_ends_on_sunday_at_midnight_of_the_series() -> None:
    midnight = datetime(2026, 11, 29, 23, tzinfo=UTC)  # in Berlin
    assert shown(THIS_WEEK, NEXT_WEEK, now=midnight - timedelta(seconds=1)) == THIS_WEEK
    assert shown(THIS_WEEK, NEXT_WEEK, now=midnight) == NEXT_WEEK


def test_a_session_belongs_to_the_week_that_it_is_in_for_the_series() -> None:
    late_on_sunday = moved(SESSION, datetime(2026, 11, 29, 22, tzinfo=UTC) - SESSION.start_at)
    monday = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert shown(late_on_sunday, now=monday, zone="Europe/Berlin") == late_on_sunday
    in_auckland_it_is_the_next_week = shown(late_on_sunday, cancelled(THIS_WEEK), now=monday, zone="Pacific/Auckland")
    assert in_auckland_it_is_the_next_week == cancelled(THIS_WEEK)


def test_a_week_over_new_year_is_one_week() -> None:
    tuesday = moved(SESSION, datetime(2026, 12, 29, 15, tzinfo=UTC) - SESSION.start_at)
    assert shown(tuesday, now=datetime(2027, 1, 2, 12, tzinfo=UTC)) == tuesday


# Running and joining


@pytest.mark.parametrize(
    ("minutes", "running", "joinable"),
    [(-16, False, False), (-15, False, True), (0, True, True), (119, True, True), (120, False, False)],
)
def test_joining_is_open_from_a_quarter_of_an_hour_before_to_the_end(
    minutes: int, *, running: bool, joinable: bool
) -> None:
    now = SESSION.start_at + timedelta(minutes=minutes)
    assert SESSION.is_running(now) is running
    assert may_join(SESSION, now) is joinable


def test_a_cancelled_session_neither_runs_nor_is_joined() -> None:
    assert not cancelled(SESSION).is_running(SESSION.start_at)
    assert not may_join(cancelled(SESSION), SESSION.start_at)
