"""The table reader on the files in tests/data/tables, and on rows that differ from a good one in one point."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from moodle_sync.errors import NotACalendar
from moodle_sync.read_calendar import Occurrence, Reading
from moodle_sync.read_table import read_table

TABLES = Path(__file__).parents[1] / "data" / "tables"
WINDOW = (datetime(2023, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))
HEADER = "date,start,end,title"


def read(body: bytes | str, *, default_zone: str = "Europe/Berlin") -> Reading:
    return read_table(body.encode() if isinstance(body, str) else body, default_zone=default_zone, window=WINDOW)


def read_file(name: str) -> Reading:
    return read((TABLES / name).read_bytes())


def read_rows(*rows: str, header: str = HEADER) -> Reading:
    return read("\n".join([header, *rows, ""]))


def only(reading: Reading) -> Occurrence:
    (found,) = reading.occurrences
    return found


def starts(reading: Reading) -> list[str]:
    return [f"{found.wall_start:%Y-%m-%d %H:%M}" for found in reading.occurrences]


def said(reading: Reading) -> list[tuple[str, int | None, str, str]]:
    return [(problem.event, problem.line, problem.fact, problem.done) for problem in reading.problems]


class TestATableInEnglish:
    @pytest.fixture
    def reading(self) -> Reading:
        return read_file("english.csv")

    def test_it_keeps_its_wall_time_over_the_october_switch(self, reading: Reading) -> None:
        assert starts(reading) == ["2023-10-10 16:00", "2023-10-17 16:00", "2023-10-31 16:00"]
        assert [found.start_at.hour for found in reading.occurrences] == [14, 14, 15]
        assert [found.end_at.hour for found in reading.occurrences] == [16, 16, 17]

    def test_abstract_and_materials_are_the_description(self, reading: Reading) -> None:
        assert reading.occurrences[0].description == (
            "Bring a ruler,\nand a pen.\n\nMaterials: https://materials.example/1"
        )
        assert reading.occurrences[1].description == ""

    def test_the_other_columns_are_read(self, reading: Reading) -> None:
        first = reading.occurrences[0]
        assert (first.title, first.hosting_university) == ("Inquiry-based STEM learning", "NTNU")
        assert (first.join_url, first.zone) == ("https://meet.example/1", "Europe/Berlin")
        assert (first.cancelled, first.sequence) == (False, 0)
        assert first.original_start_at == first.start_at

    def test_nothing_is_wrong_with_it(self, reading: Reading) -> None:
        assert reading.problems == ()


def test_a_german_table_below_a_heading_reads_as_well() -> None:
    reading = read_file("german.csv")
    assert starts(reading) == ["2023-10-10 16:00", "2023-10-17 16:00", "2023-10-24 16:00"]
    assert [found.hosting_university for found in reading.occurrences] == ["NTNU", "Utrecht", "Freiburg"]
    assert reading.problems == ()


def test_rows_pasted_from_a_spreadsheet_are_separated_by_tabs() -> None:
    reading = read_file("pasted.tsv")
    assert [(found.title, found.start_at.hour, found.end_at.hour) for found in reading.occurrences] == [
        ("Pasted from a spreadsheet", 14, 16),
        ("Two lines", 14, 16),
    ]
    assert reading.problems == ()


def test_bad_rows_lose_no_good_ones_and_each_problem_names_its_row() -> None:
    reading = read_file("bad_rows.csv")
    titles = ["Good", "No end", "Bad link", "Called off", "Odd status", "Elsewhere", "Nowhere", ""]
    assert [found.title for found in reading.occurrences] == titles
    assert said(reading) == [
        ("column Room", 1, "is a column that we do not know", "left out"),
        ("No date", 3, "has a date that cannot be read, soon", "left out"),
        ("No start", 4, "has a start that cannot be read, four", "left out"),
        ("Backwards", 5, "does not end after its start", "left out"),
        ("No end", 6, "has no end", "read as ending at 18:00, as long as all the others"),
        ("Bad link", 7, "has a join link that is no https address", "read without it"),
        ("Odd status", 9, "has the unknown status perhaps", "read as planned; to cancel it, write: cancelled"),
        (
            "Nowhere",
            11,
            "names the unknown time zone Mars/Olympus",
            "read with the series' zone, Europe/Berlin",
        ),
        ("row 12", 12, "has no title", "read without a title"),
        ("Far away", 13, "is on 05 December 2062, too far from today", "left out"),
        ("good!", 14, "is in the table more than once", "the first one was read"),
    ]
    by_title = {found.title: found for found in reading.occurrences}
    assert by_title["Called off"].cancelled
    assert by_title["Bad link"].join_url is None
    assert (by_title["Elsewhere"].zone, by_title["Elsewhere"].start_at.hour) == ("Europe/Athens", 14)


def test_a_table_without_a_needed_column_says_what_it_has_and_what_it_needs() -> None:
    with pytest.raises(NotACalendar) as refused:
        read_file("missing_column.csv")
    assert str(refused.value) == (
        "The table has no column for start. Found in row 1: Date, Session, Title. Needed: date, start, title."
    )


@pytest.mark.parametrize(
    "header",
    [
        "DATE,Start-Time,END,Title:",
        "date (dd/mm),start (h:mm),end,title",
        "Datum,Beginn,Ende,Titel",
        "Date,Heure de début,Heure de fin,Titre",
        "Fecha,Hora de inicio,Hora de fin,Título",
        "data,ora di inizio,ora di fine,titolo",
        "Ημερομηνία,Ώρα έναρξης,Ώρα λήξης,Τίτλος",
        "Data,Godzina rozpoczęcia,Godzina zakończenia,Tytuł",
        "Data,Pradžia,Pabaiga,Pavadinimas",
    ],
)
def test_columns_are_known_by_their_names(header: str) -> None:
    reading = read_rows("2023-10-10,16:00,18:00,Workshop", header=header)
    assert (starts(reading), reading.problems) == (["2023-10-10 16:00"], ())


def test_columns_may_stand_in_any_order() -> None:
    assert only(read_rows("Workshop,18:00,16:00,2023-10-10", header="title,end,start,date")).title == "Workshop"


def test_the_second_column_of_a_kind_is_left_out_and_reported() -> None:
    reading = read_rows("2023-10-10,16:00,18:00,Workshop,Other", header=f"{HEADER},Topic")
    assert only(reading).title == "Workshop"
    assert said(reading) == [("column Topic", 1, "is a second column for the title", "left out")]


@pytest.mark.parametrize(
    "written",
    [
        "2023-10-25",
        "2023/10/25",
        "2023-10-25 00:00:00",
        "25.10.2023",
        "25. 10. 2023",
        "25.10.23",
        "25/10/2023",
        "25-10-2023",
        "10/25/2023",
        "25 October 2023",
        "25 Oct 2023",
        "25th Oct. 2023",
        "25-Oct-2023",
        "Wed 25 Oct 2023",
        "Wednesday 25 October 2023",
        '"Wednesday, October 25, 2023"',
        '"October 25, 2023"',
        "25. Oktober 2023",
        '"Mi, 25.10.2023"',
        "45224",
    ],
)
def test_dates_are_read_as_people_type_them(written: str) -> None:
    reading = read_rows(f"{written},16:00,18:00,Workshop")
    assert (starts(reading), reading.problems) == (["2023-10-25 16:00"], ())


@pytest.mark.parametrize("written", ["31.02.2023", "2023-13-01", "25", "25 Foo 2023", "0", "99999", "1e9", "٣"])
def test_what_is_no_date_is_reported(written: str) -> None:
    reading = read_rows(f"{written},16:00,18:00,Workshop")
    assert reading.occurrences == ()
    assert said(reading) == [("Workshop", 2, f"has a date that cannot be read, {written}", "left out")]


class TestDaysAndMonths:
    def test_one_date_tells_for_the_whole_column(self) -> None:
        reading = read_rows("3/4/2024,16:00,18:00,A", "3/25/2024,16:00,18:00,B")
        assert starts(reading) == ["2024-03-04 16:00", "2024-03-25 16:00"]
        assert reading.problems == ()

    def test_without_one_the_day_is_first_and_that_is_reported(self) -> None:
        reading = read_rows("4/4/2024,16:00,18:00,A", "11/4/2024,16:00,18:00,B")
        assert starts(reading) == ["2024-04-04 16:00", "2024-04-11 16:00"]
        fact = "has dates such as 11/4/2024, and none that tells day from month"
        assert said(reading) == [("column date", 3, fact, "read with the day first, in 1 rows")]

    def test_a_column_of_both_kinds_is_reported(self) -> None:
        reading = read_rows("3/4/2024,16:00,18:00,A", "3/25/2024,16:00,18:00,B", "25/3/2024,17:00,18:00,C")
        assert starts(reading) == ["2024-03-25 16:00", "2024-03-25 17:00", "2024-04-03 16:00"]
        assert [problem.line for problem in reading.problems] == [2]

    def test_dates_with_dots_are_always_day_first(self) -> None:
        reading = read_rows("3.4.2024,16:00,18:00,A")
        assert (starts(reading), reading.problems) == (["2024-04-03 16:00"], ())


@pytest.mark.parametrize(
    "written",
    [
        "16:00",
        "16.00",
        "16h00",
        "16h",
        "16 Uhr",
        "16:00 Uhr",
        "16:00:00",
        "4 pm",
        "4pm",
        "4:00 PM",
        "4 p.m.",
        "0.66667",
    ],
)
def test_times_are_read_as_people_type_them(written: str) -> None:
    reading = read_rows(f"2023-10-10,{written},18:00,Workshop")
    assert (starts(reading), reading.problems) == (["2023-10-10 16:00"], ())


@pytest.mark.parametrize("written", ["4", "16", "25:00", "16:60", "noon", "16:0", "16:00–", "9-10-11 h", "16.3"])
def test_what_is_no_time_is_reported(written: str) -> None:
    reading = read_rows(f"2023-10-10,{written},18:00,Workshop")
    assert said(reading) == [("Workshop", 2, f"has a start that cannot be read, {written}", "left out")]


@pytest.mark.parametrize("written", ["16:00-18:00", "16.00 – 18.00 Uhr", "4–6 pm", "4 pm to 6 pm", "16 bis 18 Uhr"])
def test_a_start_may_hold_the_end(written: str) -> None:
    found = only(read_rows(f"2023-10-10,{written},Workshop", header="date,time,title"))
    assert (found.start_at.hour, found.end_at.hour) == (14, 16)


def test_the_end_of_its_own_column_goes_before_that_of_the_start() -> None:
    reading = read_rows("2023-10-10,16:00–17:00,18:00,Workshop")
    assert only(reading).end_at.hour == 16
    assert said(reading) == [("Workshop", 2, "has two ends", "18:00 was read")]


def test_a_row_without_an_end_is_left_out_when_the_others_differ() -> None:
    reading = read_rows("2023-10-10,16:00,18:00,A", "2023-10-11,16:00,17:00,B", "2023-10-12,16:00,,C")
    assert [found.title for found in reading.occurrences] == ["A", "B"]
    fact = "has no end, and the other rows do not tell how long it lasts"
    assert said(reading) == [("C", 4, fact, "left out")]


class TestZones:
    def test_the_label_cet_is_a_clock_with_summer_time(self) -> None:
        """The printed plans say "CET" in June, too, and mean the clock on the wall."""
        reading = read_rows("2024-06-11,4–6 pm CET,,Workshop")
        assert only(reading).start_at.hour == 14

    def test_an_unknown_label_is_reported(self) -> None:
        reading = read_rows("2024-06-11,16:00 XYZ,18:00,Workshop")
        assert only(reading).start_at.hour == 14
        assert [problem.fact for problem in reading.problems] == ["names the unknown time zone XYZ"]

    def test_the_header_may_name_the_zone(self) -> None:
        found = only(read_rows("2023-10-10,16:00,18:00,Workshop", header="date,start (Europe/Athens),end,title"))
        assert (found.zone, found.start_at.hour, found.wall_start.hour) == ("Europe/Athens", 13, 16)

    def test_utc_is_shown_on_the_clock_of_the_series(self) -> None:
        found = only(read_rows("2023-10-10,14:00,16:00,Workshop,UTC", header=f"{HEADER},time zone"))
        assert (found.zone, found.start_at.hour, found.wall_start.hour) == ("Europe/Berlin", 14, 16)

    def test_a_time_that_the_clocks_skip_is_the_one_after_it(self) -> None:
        reading = read_rows("2024-03-31,02:30,04:30,Workshop")
        assert f"{only(reading).wall_start:%H:%M} {only(reading).start_at:%H:%M}" == "03:30 01:30"
        fact = "begins at 02:30, which the clocks skip on that day"
        assert said(reading) == [("Workshop", 2, fact, "read as 03:30")]

    def test_a_time_that_the_clocks_have_twice_is_the_first(self) -> None:
        reading = read_rows("2024-10-27,02:30,04:30,Workshop")
        assert f"{only(reading).start_at:%H:%M} {only(reading).end_at:%H:%M}" == "00:30 03:30"
        assert reading.problems == ()


class TestIdentity:
    def test_a_moved_row_keeps_its_uid(self) -> None:
        before, after = (only(read_rows(f"2023-10-{day},16:00,18:00,Workshop")) for day in (10, 11))
        assert before.source_uid == after.source_uid
        assert before.original_start_at != after.original_start_at

    def test_spelling_does_not_matter_to_it(self) -> None:
        one, other = (only(read_rows(f"2023-10-10,16:00,18:00,{title}")) for title in ("Café – 1", "CAFE 1"))
        assert one.source_uid == other.source_uid

    def test_another_hosting_university_does_not_matter_to_it(self) -> None:
        header = f"{HEADER},host"
        one, other = (only(read_rows(f"2023-10-10,16:00,18:00,A,{name}", header=header)) for name in ("", "NTNU"))
        assert one.source_uid == other.source_uid

    def test_two_of_one_title_at_one_time_are_told_apart_by_it(self) -> None:
        rows = ("2023-10-10,16:00,18:00,A,NTNU", "2023-10-10,16:00,18:00,A,Malta", "2023-10-10,16:00,18:00,A,Malta")
        reading = read_rows(*rows, header=f"{HEADER},host")
        assert len({found.source_uid for found in reading.occurrences}) == 2
        assert [(problem.line, problem.fact) for problem in reading.problems] == [(4, "is in the table more than once")]

    def test_rows_of_one_title_share_it_and_differ_in_their_start(self) -> None:
        reading = read_rows("2023-10-10,16:00,18:00,Workshop", "2023-10-17,16:00,18:00,Workshop")
        first, second = reading.occurrences
        assert first.source_uid == second.source_uid
        assert only(read_rows("2023-10-17,16:00,18:00,Workshop")) == second, "also without the first"

    def test_it_fits_the_column_of_the_database(self) -> None:
        assert len(only(read_rows(f"2023-10-10,16:00,18:00,{'ΐ' * 900}")).source_uid) <= 255


@pytest.mark.parametrize("word", ["cancelled", "CANCELED", "Abgesagt", "annulé", "cancelada", "annullato", "odwołane"])
def test_a_status_cancels(word: str) -> None:
    assert only(read_rows(f"2023-10-10,16:00,18:00,Workshop,{word}", header=f"{HEADER},Status")).cancelled


@pytest.mark.parametrize("word", ["", "planned", "OK", "bestätigt"])
def test_another_status_does_not(word: str) -> None:
    reading = read_rows(f"2023-10-10,16:00,18:00,Workshop,{word}", header=f"{HEADER},Status")
    assert (only(reading).cancelled, reading.problems) == (False, ())


@pytest.mark.parametrize("link", ["http://meet.example/1", "https://user:word@meet.example/1", "Join here", "https://"])
def test_a_join_link_obeys_the_rule_of_calendars(link: str) -> None:
    reading = read_rows(f"2023-10-10,16:00,18:00,Workshop,{link}", header=f"{HEADER},join link")
    assert only(reading).join_url is None
    assert [problem.fact for problem in reading.problems] == ["has a join link that is no https address"]
