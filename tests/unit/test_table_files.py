"""What a table may be written in, how large it may be, and that no bytes do harm."""

import io
import random
import time
import zipfile
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moodle_sync.errors import NotACalendar
from moodle_sync.read_calendar import Reading
from moodle_sync.read_table import looks_like_table
from tests.unit.test_read_table import TABLES, only, read, read_file, said, starts

TEXT = "date;start;end;title\n10.10.2023;16:00;18:00;Séance\n"
HEADER = ("Date", "Start", "End", "Title")
GOOD = (date(2023, 10, 10), time_of_day(16), time_of_day(18), "Workshop")
LONGEST_S = 5.0  # of work for one file, however hostile


def workbook(*sheets: list[tuple[object, ...]]) -> bytes:
    made = openpyxl.Workbook()
    made.remove(made.worksheets[0])
    for rows in sheets:
        sheet = made.create_sheet()
        for row in rows:
            sheet.append(row)
    body = io.BytesIO()
    made.save(body)
    return body.getvalue()


def replace_part(body: bytes, name: str, content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            new.writestr(part, content if part == name else old.read(part))
    return made.getvalue()


class TestText:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_its_encoding_is_recognised(self, encoding: str) -> None:
        reading = read(TEXT.encode(encoding))
        assert (only(reading).title, reading.problems) == ("Séance", ())

    def test_a_code_page_of_windows_is_reported(self) -> None:
        reading = read(TEXT.encode("cp1252"))
        assert only(reading).title == "Séance"
        assert said(reading) == [("the table", None, "is not written in UTF-8", "read as Windows-1252")]

    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    def test_its_separator_is_recognised(self, separator: str) -> None:
        assert only(read(TEXT.replace(";", separator))).title == "Séance"

    @pytest.mark.parametrize("end", ["\r\n", "\r"])
    def test_its_line_ends_do_not_matter(self, end: str) -> None:
        assert only(read(TEXT.replace("\n", end))).title == "Séance"

    def test_the_hint_for_excel_is_no_row(self) -> None:
        reading = read(f"sep=;\r\n{TEXT}nonsense;;;X\n")
        assert [problem.line for problem in reading.problems] == [3]

    def test_a_cell_of_several_lines_is_one_row(self) -> None:
        reading = read('date,start,end,title\n2023-10-10,16:00,18:00,"A\nB"\n\nsoon,16:00,18:00,C\n')
        assert [problem.line for problem in reading.problems] == [4]

    def test_a_quotation_mark_that_is_open_by_another_separator_alone_does_no_harm(self) -> None:
        assert only(read('date,start,end,title\n2023-10-10,16:00,18:00,"A;""B"\n')).title == 'A;"B'

    def test_an_open_quotation_mark_does_not_hide_the_rest(self) -> None:
        with pytest.raises(NotACalendar, match="a quotation mark that opens in row 2 is never closed"):
            read('date,start,end,title\n2023-10-10,16:00,18:00,"A\n2023-10-11,16:00,18:00,B\n')


class TestWorkbooks:
    def test_cells_of_dates_and_times_are_read(self) -> None:
        reading = read(workbook([HEADER, GOOD]))
        assert (starts(reading), reading.problems) == (["2023-10-10 16:00"], ())
        assert only(reading).end_at - only(reading).start_at == timedelta(hours=2)

    @pytest.mark.parametrize(
        ("day", "start"),
        [
            (datetime(2023, 10, 10), time_of_day(16)),  # noqa: DTZ001 - a spreadsheet knows no zones
            (45209, 2 / 3),
            ("10.10.2023", "16:00"),
            (date(2023, 10, 10), timedelta(hours=16)),
            (date(2023, 10, 10), datetime(2023, 10, 10, 16)),  # noqa: DTZ001 - as above
        ],
    )
    def test_other_kinds_of_cells_are_read(self, day: object, start: object) -> None:
        reading = read(workbook([HEADER, (day, start, time_of_day(18), "Workshop")]))
        assert (starts(reading), reading.problems) == (["2023-10-10 16:00"], ())

    def test_numbers_count_from_the_workbooks_own_epoch(self) -> None:
        made = openpyxl.Workbook()
        made.epoch = openpyxl.utils.datetime.MAC_EPOCH
        made.worksheets[0].append(HEADER)
        made.worksheets[0].append((45209 - 1462, time_of_day(16), time_of_day(18), "Workshop"))
        body = io.BytesIO()
        made.save(body)
        assert starts(read(body.getvalue())) == ["2023-10-10 16:00"]

    def test_rows_are_numbered_as_the_spreadsheet_shows_them(self) -> None:
        reading = read(workbook([("Autumn",), (), HEADER, GOOD, (), ("soon", *GOOD[1:])]))
        assert said(reading) == [("Workshop", 6, "has a date that cannot be read, soon", "left out")]

    def test_a_sheet_of_notes_before_the_table_is_passed_over(self) -> None:
        reading = read(workbook([("Notes", "Date")], [HEADER, GOOD]))
        assert (only(reading).title, reading.problems) == ("Workshop", ())

    def test_of_two_tables_the_first_is_read_and_that_is_reported(self) -> None:
        reading = read(workbook([HEADER, GOOD], [HEADER, (date(2024, 2, 6), *GOOD[1:])]))
        assert starts(reading) == ["2023-10-10 16:00"]
        assert said(reading) == [("the workbook", None, "has 2 sheets that look alike", "“Sheet” was read")]

    def test_csv_and_workbook_give_the_same_sessions(self) -> None:
        reading = read("date,start,end,title\n2023-10-10,16:00,18:00,Workshop\n")
        assert reading == read(workbook([HEADER, GOOD]))


class TestRefused:
    @pytest.mark.parametrize(
        ("body", "sentence"),
        [
            (b"", "The file is empty"),
            (b"\xef\xbb\xbf \r\n", "The file is empty"),
            (b"<!doctype html><title>Sign in</title>", "This is a web page, not a table"),
            (b"\xd0\xcf\x11\xe0" + b"0" * 600, "old Excel workbook"),
            (b"PK\x03\x04 and no archive", "cannot be read as an Excel workbook"),
            (b"just words\n", "no column for date, start, title"),
            (b"date,start,title\n" + b"x" * 5_000_000, "larger than 5 MB"),
            (b"date,start,title\n" + b"x" * 200_000, "cannot be read: field larger than field limit"),
            (b"date,start,title\n" + b"x\n" * 2_001, "more than 2,000 rows"),
            (workbook([HEADER, *[GOOD] * 2_001]), "more than 2,000 rows"),
            (workbook([]), "The table is empty"),
        ],
    )
    def test_with_the_reason(self, body: bytes, sentence: str) -> None:
        with pytest.raises(NotACalendar, match=sentence):
            read(body)

    def test_an_archive_that_is_no_workbook(self) -> None:
        body = io.BytesIO()
        with zipfile.ZipFile(body, "w") as archive:
            archive.writestr("letter.txt", "Dear all")
        with pytest.raises(NotACalendar, match="cannot be read as an Excel workbook"):
            read(body.getvalue())

    def test_a_workbook_that_unpacks_to_a_thousand_times_its_size(self) -> None:
        body = replace_part(workbook([HEADER, GOOD]), "xl/worksheets/sheet1.xml", b" " * 30_000_000)
        assert len(body) < 100_000
        with pytest.raises(NotACalendar, match="larger than 5 MB when it is unpacked"):
            read(body)

    def test_a_workbook_whose_xml_defines_entities(self) -> None:
        """https://en.wikipedia.org/wiki/Billion_laughs_attack"""
        bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><worksheet>&b;</worksheet>'
        body = replace_part(workbook([HEADER, GOOD]), "xl/worksheets/sheet1.xml", bomb)
        with pytest.raises(NotACalendar, match="cannot be read as an Excel workbook"):
            read(body)


SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'

SHEET_TYPE = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"


@pytest.mark.parametrize(
    "sheet",
    [
        SHEET % b'<row r="999999999999"><c r="A999999999999"><v>1</v></c></row>',
        SHEET % b'<row r="1"><c r="ZZZZZZ1"><v>1</v></c></row>',
        SHEET % (b'<row r="1"><c r="A1"/></row>' * 180_000),
        SHEET % (b"<row/>" * 800_000),
        SHEET % (b'<row r="1">' + b"<c><v>1</v></c>" * 320_000 + b"</row>"),
    ],
    ids=["far_down", "far_right", "many_rows", "many_empty_rows", "many_cells"],
)
def test_no_workbook_keeps_us_busy(sheet: bytes) -> None:
    body = replace_part(workbook([HEADER, GOOD]), "xl/worksheets/sheet1.xml", sheet)
    started = time.process_time()
    with pytest.raises(NotACalendar):
        read(body)
    assert time.process_time() - started < LONGEST_S


def test_twenty_sheets_that_are_one_large_part_do_not_keep_us_busy() -> None:
    sheets = replace_part(
        workbook(*[[HEADER]] * 20),
        "xl/_rels/workbook.xml.rels",
        b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        + b"".join(
            b'<Relationship Id="rId%d" Target="worksheets/sheet1.xml" Type="%s"/>' % (number, SHEET_TYPE)
            for number in range(1, 21)
        )
        + b"</Relationships>",
    )
    body = replace_part(sheets, "xl/worksheets/sheet1.xml", SHEET % (b"<row/>" * 800_000))
    started = time.process_time()
    with pytest.raises(NotACalendar, match="larger than 5 MB when it is unpacked"):
        read(body)
    assert time.process_time() - started < LONGEST_S


def test_two_thousand_rows_are_read_at_once() -> None:
    started = time.process_time()
    rows = [(GOOD[0], GOOD[1], GOOD[2], f"Workshop {number}") for number in range(1_999)]
    body = workbook([HEADER, *rows])
    assert len(read(body).occurrences) == 1_999
    assert time.process_time() - started < LONGEST_S


@pytest.mark.parametrize("text", ["-" * 130_000, " " * 130_000 + "-", "(" * 130_000, "1 " * 60_000, "\x00" * 130_000])
def test_no_cell_keeps_us_busy(text: str) -> None:
    started = time.process_time()
    read(f"date,start,end,title,{text}\n{text},16:00,18:00,A\n2023-10-10,{text},18:00,B\n2023-10-10,16:00,{text},C\n")
    assert time.process_time() - started < LONGEST_S


class TestWhetherItIsATable:
    @pytest.mark.parametrize("name", sorted(path.name for path in TABLES.iterdir()))
    def test_the_examples_are(self, name: str) -> None:
        assert looks_like_table((TABLES / name).read_bytes())

    @pytest.mark.parametrize(
        "body", [b"", b"<html>date start title</html>", b"Dear all,\nhere is the date.\n", b"\xff\xfe\x00"]
    )
    def test_other_things_are_not(self, body: bytes) -> None:
        assert not looks_like_table(body)

    def test_a_long_one_is_known_by_its_beginning(self) -> None:
        assert looks_like_table(b"date,start,title\n" + b'2023-10-10,16:00,"a\nb"\n' * 100_000)


def check_facts(reading: Reading) -> None:
    for found in reading.occurrences:
        assert found.original_start_at.tzinfo is found.start_at.tzinfo is found.end_at.tzinfo is UTC
        assert found.start_at < found.end_at
        assert found.wall_start.tzinfo is None
        assert len(found.source_uid) <= 255
    names = [(found.source_uid, found.original_start_at) for found in reading.occurrences]
    assert len(set(names)) == len(names)


def read_or_refused(body: bytes) -> None:
    looks_like_table(body)
    try:
        reading = read(body)
    except NotACalendar:
        return
    check_facts(reading)


@given(st.binary(max_size=400))
def test_any_bytes_read_or_are_refused(body: bytes) -> None:
    read_or_refused(body)
    read_or_refused(TEXT.encode() + body)
    read_or_refused(b"PK\x03\x04" + body)


PIECES = [
    "2023-10-10",
    "16:00",
    "18:00",
    "4-6 pm",
    "31/12/2023",
    "02:30",
    "31.03.2024",
    "1.1.0001",
    "31.12.9999",
    "0:00",
]
PIECES += [
    "UTC",
    "Europe/Athens",
    "cancelled",
    "https://meet.example",
    '"',
    "\n",
    ";",
    ",",
    "\t",
    "0.5",
    "45209",
    "nan",
]
CELL = st.one_of(st.sampled_from(PIECES), st.text(max_size=12))


@given(st.lists(st.lists(CELL, max_size=9).map(",".join), max_size=8).map("\n".join))
@settings(max_examples=300)
def test_any_cells_of_text_read_or_are_refused(rows: str) -> None:
    header = "date,start,end,title,status,time zone,join link,host,abstract"
    read_or_refused(f"{header}\n{rows}".encode(errors="replace"))


VALUE = st.one_of(
    CELL.map(lambda text: openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", text)),
    st.integers(-(10**12), 10**12),
    st.floats(),
    st.booleans(),
    st.datetimes(),
    st.times(),
    st.timedeltas(timedelta(days=-2), timedelta(days=40_000)),
    st.none(),
)


@given(st.lists(st.lists(VALUE, max_size=6).map(tuple), max_size=5))
@settings(max_examples=150, deadline=None)
def test_any_cells_of_a_workbook_read_or_are_refused(rows: list[tuple[object, ...]]) -> None:
    read_or_refused(workbook([("date", "start", "end", "title", "status", "time zone"), *rows]))


def test_a_damaged_workbook_reads_or_is_refused() -> None:
    whole = workbook([HEADER, GOOD])
    chance = random.Random(4)
    for _ in range(150):
        body = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            body[chance.randrange(len(body))] = chance.randrange(256)
        read_or_refused(bytes(body[: chance.choice([len(body), chance.randrange(len(body))])]))


def test_the_example_files_read_the_same_a_second_time() -> None:
    assert read_file("bad_rows.csv") == read_file("bad_rows.csv")


@pytest.mark.parametrize(("chars", "rows"), [(100_000, 1_900), (1_000_000, 1_000), (30_000, 1_500)])
def test_one_long_text_in_every_row_does_not_keep_us_busy(chars: int, rows: int) -> None:
    """A few kB, because the text stands in the archive once."""
    body = workbook_of_one_text("x" * chars, rows=rows)
    begun = time.process_time()
    with pytest.raises(NotACalendar, match="characters"):
        read(body)
    assert time.process_time() - begun < 4


def test_one_long_blank_in_every_cell_does_not_keep_us_busy() -> None:
    begun = time.process_time()
    with pytest.raises(NotACalendar):
        read(workbook_of_one_text(" " * 1_000_000, rows=1_900))
    assert time.process_time() - begun < 4


def workbook_of_one_text(text: str, *, rows: int) -> bytes:
    """https://learn.microsoft.com/en-us/office/open-xml/spreadsheet/working-with-the-shared-string-table"""
    main, rels = (
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        "http://schemas.openxmlformats.org/package",
    )
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    header = "".join(f'<c t="s"><v>{n}</v></c>' for n in range(4))
    row = "".join(f'<c t="s"><v>{n}</v></c>' for n in (4, 5, 6, 7))
    texts = ["Date", "Start", "End", "Title", "2026-12-01", "16:00", "18:00", text]
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{rels}/2006/content-types">'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}.sharedStrings+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{rels}/2006/relationships">'
        f'<Relationship Id="a" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="Plan" sheetId="1" r:id="b"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{rels}/2006/relationships">'
        f'<Relationship Id="b" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="c" Type="{office}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData><row>{header}</row>'
        + f"<row>{row}</row>" * rows
        + "</sheetData></worksheet>",
        "xl/sharedStrings.xml": f'<sst xmlns="{main}">'
        + "".join(f'<si><t xml:space="preserve">{each}</t></si>' for each in texts)
        + "</sst>",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()
