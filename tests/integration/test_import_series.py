"""A calendar file becomes sessions in the tables: all or nothing, and the same again changes nothing."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from config.sample_series import read_sample_series, read_sample_universities, shift_sample_series
from moodle_sync.errors import NotACalendar, SourceUnreadable
from moodle_sync.import_series import Imported, import_series, is_table, preview_import
from moodle_sync.preview_import import preview_lines
from moodle_sync.services import Services, make_services
from series.rule import Rule
from series.sessions import Session, Status
from series.store.sessions import list_series, sessions_of
from series.store.universities import add_university
from tests.conftest import make_settings
from tests.examples import SERIES
from tests.unit.sites import answering, site

RULE = Rule(required=10)
CALENDARS = Path(__file__).parents[1] / "data" / "calendars"


@pytest.fixture
def services(database_url: str) -> Iterator[Services]:
    made = make_services(make_settings(database_url))
    with made.database.write() as connection:
        for one in read_sample_universities():
            add_university(
                connection,
                slug=one.slug,
                name=one.name,
                country=one.country,
                time_zone=one.time_zone,
                language=one.language,
            )
    yield made
    made.http.close()
    made.database.dispose()


@pytest.fixture
def body(services: Services) -> bytes:
    """The sample series, with a session in this week."""
    return shift_sample_series(read_sample_series(), this_week=services.clock.now().date())


@pytest.fixture
def file(tmp_path: Path, body: bytes) -> Path:
    path = tmp_path / "series.ics"
    path.write_bytes(body)
    return path


def first_import(services: Services, file: Path) -> Imported:
    return import_series(services, SERIES, str(file), rule_if_new=RULE)


def sessions(services: Services) -> list[Session]:
    with services.database.read() as connection:
        return sessions_of(connection, SERIES.series_id)


def test_the_sample_series_is_read_whole(services: Services, file: Path) -> None:
    assert first_import(services, file) == Imported(new=14, changed=0, same=0, problems=())
    found = sessions(services)
    assert [session.status for session in found].count(Status.CANCELLED) == 1
    assert all(session.hosting_university for session in found)
    assert {session.wall_start.hour for session in found} == {16}
    with services.database.read() as connection:
        assert [series.source for series in list_series(connection)] == [str(file)]


def test_a_second_import_changes_nothing(services: Services, file: Path) -> None:
    first_import(services, file)
    before = sessions(services)
    assert import_series(services, SERIES, str(file)) == Imported(new=0, changed=0, same=14, problems=())
    assert sessions(services) == before


def test_a_change_in_the_calendar_changes_the_session_and_nothing_else(
    services: Services, file: Path, body: bytes
) -> None:
    first_import(services, file)
    before = sessions(services)
    (ankara,) = (session for session in before if "Hacettepe" in str(session.hosting_university))
    summary = f"SUMMARY:{ankara.title}\r\n".encode()
    assert body.count(summary) == 1
    file.write_bytes(body.replace(summary, b"SUMMARY:Another title\r\n"))
    assert import_series(services, SERIES, str(file)) == Imported(new=0, changed=1, same=13, problems=())
    renamed = replace(ankara, title="Another title")
    assert sessions(services) == [renamed if session == ankara else session for session in before]


@pytest.mark.parametrize(
    "name", ["cal_27_web_page.ics", "cal_27_empty.ics", "cal_27_other_text.ics", "cal_27_cut_off.ics"]
)
def test_what_is_no_calendar_makes_no_series(services: Services, name: str) -> None:
    with pytest.raises(NotACalendar):
        first_import(services, CALENDARS / name)
    with services.database.read() as connection:
        assert list_series(connection) == []


def test_what_is_no_calendar_any_more_leaves_the_sessions_alone(services: Services, file: Path) -> None:
    first_import(services, file)
    before = sessions(services)
    file.write_bytes((CALENDARS / "cal_27_web_page.ics").read_bytes())
    with pytest.raises(NotACalendar):
        import_series(services, SERIES, str(file))
    assert sessions(services) == before


def test_a_file_that_is_not_there_makes_no_series(services: Services, tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="No such file"):
        first_import(services, tmp_path / "missing.ics")
    with services.database.read() as connection:
        assert list_series(connection) == []


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("/", "Is a directory"),
        ("file:///etc/passwd", "is not a web address"),
        ("http://calendar.example/series.ics", "must be called by https"),
        ("https://10.0.0.1/series.ics", "private or reserved address"),
        ("webcal://10.0.0.1/series.ics", "private or reserved address"),
    ],
)
def test_a_source_that_we_do_not_read_makes_no_series(services: Services, source: str, sentence: str) -> None:
    with pytest.raises(SourceUnreadable, match=sentence):
        import_series(services, SERIES, source, rule_if_new=RULE)
    with services.database.read() as connection:
        assert list_series(connection) == []


def test_a_calendar_without_sessions_makes_no_series(services: Services, tmp_path: Path) -> None:
    (tmp_path / "none.ics").write_bytes(b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n")
    with pytest.raises(SourceUnreadable, match="no session"):
        first_import(services, tmp_path / "none.ics")
    with services.database.read() as connection:
        assert list_series(connection) == []


def test_an_emptied_calendar_replaces_neither_sessions_nor_source(
    services: Services, file: Path, tmp_path: Path
) -> None:
    import_series(services, SERIES, str(file), rule_if_new=RULE)
    empty = tmp_path / "empty.ics"
    empty.write_bytes(b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n")
    with pytest.raises(SourceUnreadable, match=r"no session .* Nothing was changed"):
        import_series(services, SERIES, str(empty))
    with services.database.read() as connection:
        (known,) = list_series(connection)
        assert (known.source, len(sessions_of(connection, SERIES.series_id))) == (str(file), 14)


def test_a_bad_event_is_reported_and_the_good_ones_are_kept(services: Services, file: Path, body: bytes) -> None:
    bad = b"BEGIN:VEVENT\r\nUID:bad@example\r\nSUMMARY:Half an event\r\nDTSTART:yesterday\r\nEND:VEVENT\r\n"
    file.write_bytes(body.replace(b"END:VCALENDAR", bad + b"END:VCALENDAR"))
    imported = first_import(services, file)
    assert imported.new == 14
    assert [problem.event for problem in imported.problems] == ["Half an event"]


# Tables


TABLE = """\
date,start,end,title,hosting university,join link
{day:%Y-%m-%d},16:00,18:00,Inquiry at the beach,University of Malta,https://meet.example/1
{next_week:%d.%m.%Y},4 pm,6 pm,Measuring and geometry,Vilnius University,
"""


@pytest.fixture
def table(services: Services, tmp_path: Path) -> Path:
    day = services.clock.now().date() + timedelta(days=7)
    path = tmp_path / "series.csv"
    path.write_text(TABLE.format(day=day, next_week=day + timedelta(days=7)))
    return path


def test_a_table_becomes_a_series_and_a_second_import_changes_nothing(services: Services, table: Path) -> None:
    assert first_import(services, table) == Imported(new=2, changed=0, same=0, problems=())
    before = sessions(services)
    assert [(session.title, session.hosting_university) for session in before] == [
        ("Inquiry at the beach", "University of Malta"),
        ("Measuring and geometry", "Vilnius University"),
    ]
    assert import_series(services, SERIES, str(table)) == Imported(new=0, changed=0, same=2, problems=())
    assert sessions(services) == before


def test_a_row_that_is_moved_stays_the_same_session(services: Services, table: Path) -> None:
    first_import(services, table)
    first, second = sessions(services)
    for days in (1, 30, 2):  # also once more, and past the other row
        day = (services.clock.now() + timedelta(days=7 + days)).date()
        lines = table.read_text().splitlines()
        lines[1] = f"{day},{lines[1].partition(',')[2]}"
        table.write_text("\n".join(lines))
        assert import_series(services, SERIES, str(table)) == Imported(new=0, changed=1, same=1, problems=())
        now = {session.session_id: session for session in sessions(services)}
        assert now.keys() == {first.session_id, second.session_id}
        assert now[first.session_id].wall_start.date() == day
        assert now[first.session_id].moved_from_at == first.start_at
        assert now[second.session_id] == second


def test_rows_that_exchange_their_hosting_universities_stay_the_same_sessions(services: Services, table: Path) -> None:
    first_import(services, table)
    first, second = sessions(services)
    malta, vilnius = "University of Malta", "Vilnius University"
    table.write_text(table.read_text().replace(malta, "?").replace(vilnius, malta).replace("?", vilnius))
    assert import_series(services, SERIES, str(table)) == Imported(new=0, changed=2, same=0, problems=())
    assert {session.session_id: session.hosting_university for session in sessions(services)} == {
        first.session_id: vilnius,
        second.session_id: malta,
    }


def test_a_row_that_is_taken_out_or_says_so_is_cancelled(services: Services, table: Path) -> None:
    first_import(services, table)
    lines = table.read_text().replace("join link", "status").replace("https://meet.example/1", "cancelled").splitlines()
    table.write_text("\n".join([lines[0], lines[2]]))
    assert import_series(services, SERIES, str(table)).changed == 1
    assert [session.status for session in sessions(services)] == [Status.CANCELLED, Status.PLANNED]
    table.write_text("\n".join(lines))
    import_series(services, SERIES, str(table))
    assert [session.status for session in sessions(services)] == [Status.CANCELLED, Status.PLANNED]


def test_a_published_spreadsheet_is_read_from_its_address(services: Services, table: Path) -> None:
    body = table.read_bytes()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: %d\r\n\r\n" % len(body)
    with site(answering(head + body)) as published:
        source = f"{published.url}pub?output=csv"
        assert import_series(services, SERIES, source, rule_if_new=RULE).new == 2


@pytest.mark.parametrize(
    ("name", "wanted"), [("plan.csv", True), ("PLAN.XLSX", True), ("plan.ics", False), ("plan", False)]
)
def test_a_name_tells_what_words_do_not(name: str, wanted: bool) -> None:  # noqa: FBT001 - a parameter of the table
    assert is_table(b"just words", f"https://files.example/{name}?v=1") is wanted
    assert not is_table(b"BEGIN:VCALENDAR\r\n", name), "a calendar is one, whatever its name"
    assert is_table(b"Datum;Beginn;Titel\n", name)


def test_a_preview_changes_nothing(services: Services, table: Path) -> None:
    shown = preview_import(services, SERIES, str(table))
    assert [session.title for session in shown.new] == ["Inquiry at the beach", "Measuring and geometry"]
    with services.database.read() as connection:
        assert list_series(connection) == []


def test_a_preview_tells_what_the_import_then_does(services: Services, table: Path) -> None:
    first_import(services, table)
    first, second = sessions(services)
    lines = table.read_text().splitlines()
    moved = lines[1].replace("16:00,18:00", "17:00,19:00")
    other = table.with_name("other.csv")
    other.write_text("\n".join([lines[0], moved, lines[2], lines[2].replace("geometry", "algebra")]))
    shown = preview_import(services, SERIES, str(other))
    ((before, after),) = shown.changed
    assert (before, after.start_at - before.start_at) == (first, timedelta(hours=1))
    assert ([session.title for session in shown.new], shown.unchanged) == (["Measuring and algebra"], [second])
    assert (shown.vanished, shown.reasons) == ([], ())
    with services.database.read() as connection:
        assert [series.source for series in list_series(connection)] == [str(table)]
    imported = import_series(services, SERIES, str(other), by_hand=True)
    assert (imported.new, imported.changed, imported.problems) == (1, 1, shown.problems)
    assert after in sessions(services)


def test_a_row_with_another_title_is_held_as_perhaps_the_same(services: Services, table: Path) -> None:
    first_import(services, table)
    table.write_text(table.read_text().replace("geometry", "dynamic geometry"))
    shown = preview_import(services, SERIES, str(table))
    assert "It would wait for a yes: entries have gone" in "\n".join(preview_lines(shown))
    imported = import_series(services, SERIES, str(table))
    assert imported.held is not None
    assert imported.held.reasons == shown.reasons
