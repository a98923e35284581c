"""A calendar file becomes sessions in the tables: all or nothing, and the same again changes nothing."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from config.sample_series import read_sample_series, read_sample_universities, shift_sample_series
from moodle_sync.errors import NotACalendar, SourceUnreadable
from moodle_sync.import_series import Imported, import_series
from moodle_sync.services import Services, make_services
from series.rule import Rule
from series.sessions import Session, Status
from series.store.sessions import list_series, sessions_of
from series.store.universities import add_university
from tests.conftest import make_settings
from tests.examples import SERIES

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
