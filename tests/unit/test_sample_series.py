"""The sample series, in its own year and moved to any week."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from config.sample_series import read_sample_series, read_sample_universities, shift_sample_series
from moodle_sync.read_calendar import Occurrence, Reading, read_calendar

DAYS = [date(2026, 1, 1) + timedelta(days=number) for number in range(0, 2 * 366, 5)]
SWITCHES = [date(2026, 3, 29), date(2026, 3, 30), date(2026, 10, 25), date(2026, 10, 26), date(2026, 12, 31)]


def read(body: bytes) -> Reading:
    window = (datetime(2023, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))
    return read_calendar(body, default_zone="Europe/Berlin", window=window)


def by_host(reading: Reading, university: str) -> list[Occurrence]:
    return [found for found in reading.occurrences if university in (found.hosting_university or "")]


def test_it_has_thirteen_held_sessions_and_one_cancelled_and_no_problems() -> None:
    reading = read(read_sample_series())
    assert [found.cancelled for found in reading.occurrences].count(False) == 13
    assert [found.cancelled for found in reading.occurrences].count(True) == 1
    assert reading.problems == ()


def test_every_session_has_a_hosting_university_of_the_list_a_link_and_a_word_that_it_is_sample_data() -> None:
    names = {university.name for university in read_sample_universities()}
    for found in read(read_sample_series()).occurrences:
        assert found.hosting_university in names
        assert (found.join_url or "").startswith("https://meet.example/")
        assert "ample data" in found.description
        assert "Join" not in found.description


def test_each_university_hosts_once() -> None:
    held = [found.hosting_university for found in read(read_sample_series()).occurrences if not found.cancelled]
    assert sorted(map(str, held)) == sorted(university.name for university in read_sample_universities())


def test_nitras_week_is_moved_by_a_day_and_athens_cancelled_and_held_again() -> None:
    reading = read(read_sample_series())
    (nitra,) = by_host(reading, "Nitra")
    assert nitra.start_at - nitra.original_start_at == timedelta(days=1)
    cancelled, again = by_host(reading, "Athens")
    assert (cancelled.cancelled, again.cancelled) == (True, False)
    assert again.source_uid != cancelled.source_uid
    assert again.wall_start == datetime(2024, 1, 11, 16)  # noqa: DTZ001 - a wall time


@pytest.mark.parametrize("this_week", [*DAYS, *SWITCHES], ids=str)
def test_shifted_week_seven_lies_in_this_week_at_four_in_berlin(this_week: date) -> None:
    reading = read(shift_sample_series(read_sample_series(), this_week=this_week))
    (malta,) = by_host(reading, "Malta")
    wall = malta.start_at.astimezone(ZoneInfo("Europe/Berlin"))
    assert wall.isocalendar()[:2] == this_week.isocalendar()[:2]
    assert {found.wall_start.hour for found in reading.occurrences} == {16}
    assert [found.cancelled for found in reading.occurrences].count(False) == 13
    assert [found.cancelled for found in reading.occurrences].count(True) == 1
    assert reading.problems == ()


@pytest.mark.parametrize(
    ("week", "host"), [(1, "NTNU"), (9, "Nitra"), (11, "Athens"), (12, "Hacettepe"), (13, "Nicosia")]
)
def test_any_week_can_be_this_week(week: int, host: str) -> None:
    this_week = date(2026, 11, 25)
    reading = read(shift_sample_series(read_sample_series(), this_week=this_week, week=week))
    assert by_host(reading, host)[0].wall_start.isocalendar()[:2] == this_week.isocalendar()[:2]


def test_a_shift_to_its_own_week_changes_nothing() -> None:
    body = read_sample_series()
    assert shift_sample_series(body, this_week=date(2023, 11, 21)) == body


def test_a_shift_leaves_the_rules_of_the_zone_alone() -> None:
    body = read_sample_series()
    zone = body[body.index(b"BEGIN:VTIMEZONE") : body.index(b"END:VTIMEZONE")]
    assert zone in shift_sample_series(body, this_week=date(2026, 7, 1))


def test_the_file_ends_its_lines_by_the_standard_and_folds_at_75_octets() -> None:
    body = read_sample_series()
    assert body.count(b"\n") == body.count(b"\r\n")
    assert max(len(line) for line in body.split(b"\r\n")) <= 75


def test_there_are_thirteen_universities_with_real_zones_and_own_slugs() -> None:
    universities = read_sample_universities()
    assert len({university.slug for university in universities}) == len(universities) == 13
    assert {university.time_zone for university in universities} <= available_timezones()
    assert all(len(university.country) == len(university.language) == 2 for university in universities)
