"""The calendar reader on the files in tests/data/calendars. Tests named cal_NN are the numbered cases of
reference/calendar-cases.md."""

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moodle_sync.errors import NotACalendar
from moodle_sync.read_calendar import Occurrence, Reading, read_calendar

CALENDARS = Path(__file__).parents[1] / "data" / "calendars"
NO_CALENDARS = {"cal_27_web_page", "cal_27_empty", "cal_27_cut_off", "cal_27_other_text"}
NAMES = sorted(path.stem for path in CALENDARS.glob("*.ics"))
WINDOW = (datetime(2023, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))
LONGEST_S = 2.0  # for one file, however hostile


def body_of(name: str) -> bytes:
    return (CALENDARS / f"{name}.ics").read_bytes()


def read(body: bytes, *, default_zone: str = "Europe/Berlin") -> Reading:
    return read_calendar(body, default_zone=default_zone, window=WINDOW)


def read_file(name: str) -> Reading:
    return read(body_of(name))


def starts(reading: Reading) -> list[str]:
    """On the clock of each date's own zone."""
    return [f"{found.wall_start:%d %b %H:%M}" for found in reading.occurrences]


def facts(reading: Reading) -> dict[str, str]:
    return {problem.event: problem.fact for problem in reading.problems}


def one(reading: Reading) -> Occurrence:
    assert len(reading.occurrences) == 1
    return reading.occurrences[0]


def without_lines(reading: Reading) -> tuple[object, ...]:
    return reading.occurrences, sorted((p.event, p.fact, p.done) for p in reading.problems if "line" not in p.event)


class TestASeriesOverTheOctoberSwitch:
    @pytest.fixture
    def reading(self) -> Reading:
        return read_file("weekly_over_the_october_switch")

    def test_it_keeps_its_wall_time(self, reading: Reading) -> None:
        before, after = reading.occurrences[0], reading.occurrences[3]
        assert (before.wall_start.hour, after.wall_start.hour) == (16, 16)
        assert (before.start_at.hour, after.start_at.hour) == (14, 15)

    def test_an_excluded_date_is_not_there(self, reading: Reading) -> None:
        assert "07 Nov 16:00" not in starts(reading)
        assert starts(reading)[-1] == "14 Nov 16:00"

    def test_a_moved_date_is_known_by_its_original_start(self, reading: Reading) -> None:
        moved = reading.occurrences[1]
        assert moved.wall_start == datetime(2023, 10, 18, 17)  # noqa: DTZ001 - a wall time
        assert moved.original_start_at == datetime(2023, 10, 17, 14, tzinfo=UTC)
        assert (moved.title, moved.sequence, moved.cancelled) == ("Workshop, moved", 2, False)

    def test_a_cancelled_date_is_marked_at_its_original_start(self, reading: Reading) -> None:
        cancelled = [found for found in reading.occurrences if found.cancelled]
        assert [found.original_start_at for found in cancelled] == [datetime(2023, 10, 24, 14, tzinfo=UTC)]

    def test_hosting_university_and_join_link_are_taken_out_of_the_description(self, reading: Reading) -> None:
        first = reading.occurrences[0]
        assert first.hosting_university == "University of Malta"
        assert first.join_url == "https://meet.example/1"
        assert first.description == "Bring a ruler.\nAnd a pen."

    def test_nothing_is_wrong_with_it(self, reading: Reading) -> None:
        assert reading.problems == ()


@pytest.mark.parametrize("name", sorted(set(NAMES) - NO_CALENDARS))
class TestEveryFile:
    def test_reads_the_same_a_second_time(self, name: str) -> None:
        assert read_file(name) == read_file(name)

    def test_reads_the_same_with_its_components_in_reverse_order(self, name: str) -> None:
        assert without_lines(read(reverse_components(body_of(name)))) == without_lines(read_file(name))

    def test_gives_aware_times_that_end_after_they_start(self, name: str) -> None:
        for found in read_file(name).occurrences:
            assert found.original_start_at.tzinfo is found.start_at.tzinfo is found.end_at.tzinfo is UTC
            assert found.end_at > found.start_at
            assert found.wall_start.replace(tzinfo=ZoneInfo(found.zone)).astimezone(UTC) == found.start_at

    def test_gives_every_date_a_name_of_its_own(self, name: str) -> None:
        names = [(found.source_uid, found.original_start_at) for found in read_file(name).occurrences]
        assert len(set(names)) == len(names)


def reverse_components(body: bytes) -> bytes:
    component = re.compile(rb"BEGIN:(VEVENT|VTIMEZONE)\r?\n.*?END:\1\r?\n", re.DOTALL)
    backwards = iter([match[0] for match in component.finditer(body)][::-1])
    if body.count(b"BEGIN:VCALENDAR") > 1:  # METHOD belongs to a calendar: then whole calendars change places
        return b"".join(part + b"END:VCALENDAR\r\n" for part in body.split(b"END:VCALENDAR\r\n")[-2::-1])
    return component.sub(lambda _: next(backwards), body)


def test_cal_01_windows_zone_names_are_understood() -> None:
    assert [found.zone for found in read_file("cal_01_windows_zone_names").occurrences] == [
        "Europe/Berlin",
        "Europe/Istanbul",
    ]


def test_cal_02_an_unknown_zone_is_read_as_the_series_zone_and_reported() -> None:
    reading = read_file("cal_02_unknown_zone_without_rules")
    assert [found.zone for found in reading.occurrences] == ["Europe/Berlin", "Europe/Berlin"]
    assert [problem.line for problem in reading.problems] == [4, 11]
    assert reading.problems[0].fact == "names the unknown time zone Customized Time Zone"
    assert reading.problems[0].done == "read with the series' zone, Europe/Berlin"


def test_cal_03_a_zone_with_rules_of_its_own_is_recognised_also_behind_the_event() -> None:
    reading = read_file("cal_03_own_zone_with_rules_after_the_event")
    assert [found.start_at.hour for found in reading.occurrences] == [13, 13, 13, 14]
    assert starts(reading)[-1] == "31 Oct 16:00"
    assert reading.problems == ()


def test_cal_03_the_zone_of_one_file_does_not_reach_the_next_file() -> None:
    read_file("cal_03_own_zone_with_rules_after_the_event")
    assert "Workshop" in facts(read_file("cal_02_unknown_zone_without_rules"))


def test_cal_03_hostile_zone_rules_are_not_followed() -> None:
    reading = read_file("cal_03_own_zone_with_hostile_rules")
    assert facts(reading) == {"Workshop": "names the unknown time zone Mine"}
    assert len(reading.occurrences) == 2


def test_cal_04_an_unquoted_tzone_name_is_utc_shown_on_the_clock_of_the_series() -> None:
    found = one(read_file("cal_04_unquoted_tzone"))
    assert (found.start_at.hour, found.wall_start.hour, found.zone) == (14, 16, "Europe/Berlin")


def test_cal_05_a_zone_behind_a_vendors_path_is_understood() -> None:
    assert one(read_file("cal_05_mozilla_zone_path")).zone == "Europe/Berlin"


def test_cal_06_a_known_name_wins_over_wrong_rules() -> None:
    assert one(read_file("cal_06_known_zone_with_wrong_rules")).start_at.hour == 14


def test_cal_07_a_time_without_a_zone_is_in_that_of_the_calendar_else_of_the_series() -> None:
    assert one(read_file("cal_07_floating_with_x_wr_timezone")).zone == "Europe/Vilnius"
    floating = body_of("cal_07_floating_without_any_zone")
    assert one(read(floating, default_zone="Asia/Nicosia")).zone == "Asia/Nicosia"


def test_cal_08_a_series_in_utc_with_x_wr_timezone_keeps_its_wall_time() -> None:
    reading = read_file("cal_08_utc_series_with_x_wr_timezone")
    assert starts(reading) == ["17 Oct 16:00", "24 Oct 16:00", "31 Oct 17:00", "07 Nov 17:00"]


def test_cal_09_x_wr_timezone_may_be_a_windows_name() -> None:
    reading = read_file("cal_09_x_wr_timezone_by_its_windows_name")
    assert (one(reading).zone, reading.problems) == ("Europe/Berlin", ())


def test_cal_09_an_unknown_x_wr_timezone_is_reported() -> None:
    reading = read_file("cal_09_x_wr_timezone_unknown")
    assert facts(reading) == {"the calendar": "names the unknown time zone Middle Earth (X-WR-TIMEZONE)"}


def test_cal_10_exclusions_in_utc_as_dates_and_without_zone_are_honoured() -> None:
    reading = read_file("cal_10_exdates_in_utc_as_dates_and_floating")
    assert starts(reading) == ["10 Oct 16:00", "31 Oct 16:00", "14 Nov 16:00"]


def test_cal_11_an_override_may_name_its_date_in_another_zone() -> None:
    reading = read_file("cal_11_override_in_another_zone")
    assert starts(reading) == ["10 Oct 16:00", "18 Oct 18:00", "24 Oct 16:00", "31 Oct 16:00"]
    assert reading.occurrences[1].original_start_at == datetime(2023, 10, 17, 14, tzinfo=UTC)


@pytest.mark.parametrize("name", ["cal_12_cancelled_override", "cal_12_cancelled_override_without_its_time"])
def test_cal_12_a_cancelled_override_is_cancelled(name: str) -> None:
    reading = read_file(name)
    assert [found.cancelled for found in reading.occurrences] == [False, True, False, False]
    cancelled = reading.occurrences[1]
    assert cancelled.original_start_at == cancelled.start_at == datetime(2023, 10, 17, 14, tzinfo=UTC)
    assert cancelled.end_at - cancelled.start_at == timedelta(hours=2)


def test_cal_13_sequence_is_that_of_each_event_itself() -> None:
    reading = read_file("cal_13_override_older_than_its_master")
    assert [found.sequence for found in reading.occurrences] == [5, 1, 5, 5]


def test_cal_14_an_override_without_its_series_is_read() -> None:
    found = one(read_file("cal_14_override_without_master"))
    assert found.original_start_at == datetime(2023, 10, 17, 14, tzinfo=UTC)
    assert found.start_at == datetime(2023, 10, 18, 14, tzinfo=UTC)


def test_cal_15_dates_behind_this_and_future_keep_names_of_their_own() -> None:
    reading = read_file("cal_15_this_and_future")
    assert starts(reading) == ["10 Oct 16:00", "17 Oct 16:00", "25 Oct 17:00", "01 Nov 17:00", "08 Nov 17:00"]
    originals = [found.original_start_at.astimezone(ZoneInfo("Europe/Berlin")) for found in reading.occurrences]
    assert [f"{original:%d %b %H:%M}" for original in originals] == [
        f"{day} 16:00" for day in ("10 Oct", "17 Oct", "24 Oct", "31 Oct", "07 Nov")
    ]


def test_cal_16_of_two_events_with_one_uid_the_newer_is_read_and_it_is_reported() -> None:
    reading = read_file("cal_16_same_uid_twice")
    assert one(reading).title == "Newer"
    assert facts(reading) == {"Newer": "is in the file more than once"}


def test_cal_17_an_event_without_uid_gets_a_stable_one() -> None:
    reading = read_file("cal_17_no_uid")
    assert one(reading).source_uid == one(read_file("cal_17_no_uid")).source_uid
    assert facts(reading) == {"Workshop": "has no UID"}


def test_cal_18_bad_events_are_reported_with_their_lines_and_the_good_one_is_read() -> None:
    reading = read_file("cal_18_bad_events_beside_a_good_one")
    assert one(reading).title == "The good one"
    assert [(problem.event, problem.line) for problem in reading.problems] == [
        ("No start", 4),
        ("No date", 10),
        ("Month 13", 17),
        ("No weekday", 24),
    ]
    assert {problem.done for problem in reading.problems} == {"left out"}


def test_cal_19_until_as_a_date_includes_that_local_day() -> None:
    assert starts(read_file("cal_19_until_as_a_date"))[-1] == "31 Oct 16:00"


def test_cal_20_count_and_until_stop_at_the_earlier() -> None:
    reading = read_file("cal_20_count_and_until")
    by_uid = [found.source_uid for found in reading.occurrences]
    assert (by_uid.count("series@example.org"), by_uid.count("2@example.org")) == (3, 2)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith(("cal_21", "cal_22", "cal_23"))])
def test_cal_21_hostile_rules_end_at_once(name: str) -> None:
    began = time.perf_counter()
    reading = read_file(name)
    assert time.perf_counter() - began < LONGEST_S
    assert "The good one" in {found.title for found in reading.occurrences}


def test_cal_21_each_hostile_rule_is_reported() -> None:
    reading = read_file("cal_21_hostile_rules")
    assert len(reading.problems) == 10
    assert facts(reading)["FREQ=WEEKLY;INTERVAL=0"] == "repeats with INTERVAL=0; it must be 1 or more"
    assert one(reading).title == "The good one"


def test_cal_21_a_series_is_cut_at_500_dates() -> None:
    reading = read_file("cal_21_daily_for_ever")
    assert sum(found.source_uid == "series@example.org" for found in reading.occurrences) == 500
    assert facts(reading) == {
        "Workshop": "has 731 dates",
        "Since 1601": "repeats too often or since too long ago",
    }


def test_cal_22_a_rule_by_the_minute_is_refused() -> None:
    assert facts(read_file("cal_22_minutely_for_a_week"))["Workshop"].startswith("repeats by FREQ=MINUTELY")


def test_cal_23_a_rule_without_a_date_leaves_the_event_itself() -> None:
    assert starts(read_file("cal_23_rule_without_a_date")) == ["10 Oct 16:00"] * 4 + ["12 Oct 16:00"]


def test_cal_24_bare_line_feeds_a_byte_order_mark_blank_and_long_lines_are_read() -> None:
    reading = read_file("cal_24_bare_line_feeds_bom_and_blank_lines")
    assert (len(one(reading).description), reading.problems) == (299, ())


def test_cal_25_text_in_windows_1252_is_read_and_reported() -> None:
    reading = read_file("cal_25_latin_1")
    assert (one(reading).title, one(reading).description) == ("José", "Café, grüße")
    assert facts(reading)["line 7"] == "is not written in UTF-8"


def test_cal_25_a_fold_inside_a_character_does_no_harm() -> None:
    reading = read_file("cal_25_fold_inside_a_character")
    assert (one(reading).title, reading.problems) == ("José", ())


def test_cal_26_a_raw_line_break_loses_its_line_and_nothing_else() -> None:
    reading = read_file("cal_26_raw_line_break_in_the_description")
    assert one(reading).description == "First line"
    assert facts(reading) == {"line 9": "is not a line of a calendar"}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("cal_27_web_page", "This is a web page, not a calendar: perhaps the address asks for a sign-in first."),
        ("cal_27_empty", "The file is empty."),
        ("cal_27_cut_off", "The calendar is cut off: its last line, END:VCALENDAR, is missing."),
        ("cal_27_other_text", "This is not a calendar: it does not begin with BEGIN:VCALENDAR."),
    ],
)
def test_cal_27_what_is_no_calendar_says_what_it_is(name: str, sentence: str) -> None:
    with pytest.raises(NotACalendar, match=f"^{re.escape(sentence)}$"):
        read_file(name)


def test_cal_28_two_calendars_in_one_file_are_both_read() -> None:
    assert starts(read_file("cal_28_two_calendars")) == ["10 Oct 16:00", "12 Oct 16:00"]


def test_cal_29_a_body_that_looks_like_a_path_is_no_file(tmp_path: Path) -> None:
    path = tmp_path / "secret.ics"
    path.write_bytes(body_of("cal_28_two_calendars"))
    with pytest.raises(NotACalendar) as refused:
        read(str(path).encode())
    assert "secret" not in str(refused.value)


def test_cal_30_only_an_event_with_a_time_and_a_length_is_read() -> None:
    reading = read_file("cal_30_odd_lengths")
    assert one(reading).title == "With a duration"
    assert facts(reading) == {
        "Ends before it starts": "does not end after its start",
        "Ends on a day": "has a date without a time in DTEND",
        "All day": "lasts all day; a session needs a time of day",
        "No length": "does not end after its start",
        "No end": "has no end (DTEND)",
        "Negative duration": "does not end after its start",
    }


def test_cal_31_a_time_in_the_gap_of_the_spring_switch_is_the_one_after_it() -> None:
    found = one(read_file("cal_31_in_the_gap_of_the_spring_switch"))
    assert (f"{found.start_at:%H:%M}", f"{found.wall_start:%H:%M}") == ("01:30", "03:30")


def test_cal_32_the_join_link_is_the_first_https_one_in_order_of_trust() -> None:
    links = [found.join_url for found in read_file("cal_32_join_links").occurrences]
    kinds = ["conference", "google", "teams", "url", "location", "line"]
    assert links[:6] == [f"https://a.example/{kind}" for kind in kinds]
    assert links[6:] == [None, "https://a.example/html"]  # a link with a password in it is none


def test_cal_33_too_large_a_file_is_refused_as_a_whole() -> None:
    event = b"BEGIN:VEVENT\r\nEND:VEVENT\r\n"
    with pytest.raises(NotACalendar, match="has 2,001 events; at most 2,000 are read"):
        read(b"BEGIN:VCALENDAR\r\n" + event * 2001 + b"END:VCALENDAR\r\n")
    with pytest.raises(NotACalendar, match="larger than 5 MB"):
        read(b"BEGIN:VCALENDAR\r\n" + b"X:\r\n" * 1_300_000)


@pytest.mark.parametrize("name", ["cal_34_method_cancel", "cal_34_method_cancel_beside_the_series"])
def test_cal_34_method_cancel_cancels_the_whole_series(name: str) -> None:
    reading = read_file(name)
    assert [(found.cancelled, found.sequence) for found in reading.occurrences] == [(True, 1)] * 4
    assert reading.problems == ()


def test_cal_34_a_busy_placeholder_is_left_out() -> None:
    assert one(read_file("cal_34_busy_placeholder")).title == "The good one"


def test_the_window_bounds_what_is_read() -> None:
    window = (datetime(2023, 10, 20, tzinfo=UTC), datetime(2023, 11, 1, tzinfo=UTC))
    body = body_of("weekly_over_the_october_switch")
    assert starts(read_calendar(body, default_zone="Europe/Berlin", window=window)) == ["24 Oct 16:00", "31 Oct 16:00"]


def test_a_bad_override_says_that_the_date_of_the_series_stands() -> None:
    body = body_of("cal_11_override_in_another_zone").replace(b"DTSTART;TZID=Europe/Athens", b"X-OLD")
    reading = read(body)
    assert starts(reading)[1] == "17 Oct 16:00"
    assert "stays as the series has it" in reading.problems[0].done


def test_text_loses_control_characters() -> None:
    body = body_of("cal_14_override_without_master").replace(b"SUMMARY:Workshop", b"SUMMARY:Work\x00\x1bshop")
    assert one(read(body)).title == "Workshop"


def expect_a_reading_or_a_refusal(body: bytes) -> None:
    try:
        reading = read(body)
    except NotACalendar:
        return
    for found in reading.occurrences:
        assert found.original_start_at.tzinfo is found.start_at.tzinfo is found.end_at.tzinfo is UTC
    assert all(problem.fact and problem.done for problem in reading.problems)


@given(st.binary(max_size=400))
@settings(deadline=None, max_examples=200)
def test_any_bytes_give_a_reading_or_a_refusal(body: bytes) -> None:
    expect_a_reading_or_a_refusal(body)
    expect_a_reading_or_a_refusal(
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n" + body + b"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )


FRAGMENTS = [
    b"",
    b"\0",
    b"0",
    b"-1",
    b"9999",
    b",",
    b";",
    b":",
    b"=",
    b"Z",
    b"\r\n",
    b"\r\n ",
    b"T",
    b'"',
    b"\xff",
    b"\xc3",
]
FRAGMENTS += [
    b"DTSTART",
    b"DURATION:P",
    b"TZID=Europe",
    b";RANGE=THISANDFUTURE",
    b"BEGIN:VEVENT\r\n",
    b"END:VALARM\r\n",
]


@given(st.data())
@settings(deadline=None, max_examples=300)
def test_any_mutated_calendar_gives_a_reading_or_a_refusal(data: st.DataObject) -> None:
    body = body_of(data.draw(st.sampled_from(sorted(set(NAMES) - {"cal_21_daily_for_ever"}))))
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(body)))
        end = data.draw(st.integers(start, min(len(body), start + 20)))
        body = body[:start] + data.draw(st.sampled_from(FRAGMENTS) | st.binary(max_size=3)) + body[end:]
    expect_a_reading_or_a_refusal(body)
