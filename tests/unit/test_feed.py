"""Our own feed: what stands in it, that it is the same at any time, and that others read it back."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import icalendar
import pytest
import recurring_ical_events
from hypothesis import given
from hypothesis import strategies as st

from moodle_sync.read_calendar import read_calendar
from series.feed import Reader, one_line, plain, write_feed
from series.sessions import DatedSession, Session, Status
from tests.conftest import NOW
from tests.examples import SESSION, moved, weekly

PUBLIC_URL = "https://sessions.example"
PAGE = f"{PUBLIC_URL}/s/{SESSION.session_id}"
CHANGED_AT = datetime(2026, 11, 20, 9, 30, 15, 250_000, tzinfo=UTC)
CANCELLED = replace(SESSION, status=Status.CANCELLED, sequence=1)
WINDOW = (NOW - timedelta(days=30), NOW + timedelta(days=200))


def feed(*sessions: Session, now: datetime = NOW, reader: Reader = Reader.CALENDAR, name: str = "Workshops") -> bytes:
    entries = [DatedSession(session=session, changed_at=CHANGED_AT) for session in sessions]
    return write_feed(entries, name=name, public_url=PUBLIC_URL, now=now, reader=reader)


def events(body: bytes) -> list[icalendar.Event]:
    return list(icalendar.Calendar.from_ical(body).walk("VEVENT"))


def lines(body: bytes) -> list[str]:
    """The content lines, unfolded."""
    return body.decode().replace("\r\n ", "").split("\r\n")


# What stands in it


def test_a_session_is_one_event_with_all_that_a_calendar_needs() -> None:
    expected = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Shared Sessions//Feed//EN",
        "METHOD:PUBLISH",
        "NAME:Workshops",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
        "X-WR-CALNAME:Workshops",
        "BEGIN:VEVENT",
        "SUMMARY:Inquiry at the beach",
        "DTSTART:20261124T150000Z",
        "DTEND:20261124T170000Z",
        "DTSTAMP:20261120T093015Z",
        "UID:session-5e551000-0000-4000-8000-000000000007@sessions.example",
        "SEQUENCE:2",
        rf"DESCRIPTION:Hosting university: University of Malta\n\nWeek 7.\n\n{PAGE}",
        "LAST-MODIFIED:20261120T093015Z",
        "STATUS:CONFIRMED",
        f"URL:{PAGE}",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    assert sorted(lines(feed(replace(SESSION, sequence=2)))) == sorted(expected)


def test_the_port_of_a_development_machine_is_not_in_the_uid() -> None:
    body = write_feed(
        [DatedSession(session=SESSION, changed_at=NOW)], name="x", public_url="http://localhost:8999", now=NOW
    )
    assert b"UID:session-5e551000-0000-4000-8000-000000000007@localhost\r\n" in body


def test_a_session_that_moves_keeps_its_uid() -> None:
    later = replace(moved(SESSION, timedelta(days=1)), title="Another title", sequence=1)
    assert events(feed(later))[0]["UID"] == events(feed(SESSION))[0]["UID"]


def test_nothing_recurs() -> None:
    body = feed(*weekly(3))
    assert len(events(body)) == 3
    assert not re.search(rb"RRULE|RDATE|RECURRENCE-ID|VTIMEZONE", body)


def test_a_series_without_sessions_is_an_empty_calendar() -> None:
    assert events(feed()) == []


def test_a_session_without_hosting_university_and_text_has_the_address_of_its_page() -> None:
    bare = replace(SESSION, hosting_university=None, description="")
    assert events(feed(bare))[0]["DESCRIPTION"] == PAGE


def test_text_is_not_made_into_html() -> None:
    body = feed(replace(SESSION, title="Teaching with a <b> & “friends”"))
    assert events(body)[0]["SUMMARY"] == "Teaching with a <b> & “friends”"
    assert not re.search(rb"&amp;|&lt;|X-ALT-DESC|<a |<br|<p", body)


# The join link


@pytest.mark.parametrize(
    "text",
    [
        "Zoom: https://meet.example/beach",
        "Zoom: https://meet.example/beach?pwd=secret&x=1",
        "Zoom: HTTPS://MEET.example/beach#secret",
        "Zoom: meet.example/beach/secret",
        "<a href=\"https://meet.example/beach?pwd=secret\">",
    ],
)  # fmt: skip
@pytest.mark.parametrize("reader", Reader)
def test_the_join_link_is_nowhere(text: str, reader: Reader) -> None:
    body = feed(replace(SESSION, title=text, description=f"Before.\n{text}\nAfter."), reader=reader)
    unfolded = "\n".join(lines(body)).lower()
    assert "meet.example" not in unfolded
    assert "secret" not in unfolded
    assert "before." in unfolded
    assert "after." in unfolded


def test_a_slash_at_its_end_makes_no_other_link() -> None:
    session = replace(SESSION, join_url="https://meet.example/beach/", description="https://meet.example/beach?pwd=1")
    assert "meet.example" not in "".join(lines(feed(session)))


def test_other_links_stay() -> None:
    body = feed(replace(SESSION, description="Slides: https://files.example/beach"))
    assert "https://files.example/beach" in events(body)[0]["DESCRIPTION"]


# Cancelled


def test_a_cancelled_session_is_said_to_be_cancelled() -> None:
    (event,) = events(feed(CANCELLED))
    assert (event["STATUS"], event["SEQUENCE"], event["SUMMARY"]) == ("CANCELLED", 1, SESSION.title)


def test_for_moodle_the_title_says_it_and_nothing_else_differs() -> None:
    for_moodle = feed(CANCELLED, *weekly(3)[1:], reader=Reader.MOODLE)
    assert f"SUMMARY:CANCELLED: {SESSION.title}" in lines(for_moodle)
    same = for_moodle.replace(b"CANCELLED: ", b"")
    assert same == feed(CANCELLED, *weekly(3)[1:])


@pytest.mark.parametrize(("after", "events_left"), [(timedelta(days=30), 1), (timedelta(days=30, seconds=1), 0)])
def test_a_cancelled_session_is_left_out_30_days_after_its_date(after: timedelta, events_left: int) -> None:
    assert len(events(feed(CANCELLED, now=CANCELLED.end_at + after))) == events_left


def test_a_session_that_took_place_stays() -> None:
    assert len(events(feed(SESSION, now=SESSION.end_at + timedelta(days=400)))) == 1


# The same bytes


def test_the_bytes_do_not_depend_on_the_time_nor_on_the_order_of_the_sessions() -> None:
    sessions = weekly(3)
    assert feed(*sessions) == feed(*reversed(sessions), now=NOW + timedelta(days=7))


# The format


GREEK = "Διερεύνηση στην παραλία: πώς μαθαίνουν μαθητές φυσικές επιστήμες έξω από την τάξη του σχολείου"
GERMAN = "Überprüfung größerer Übungsräume für Schülerinnen und Schüler: Straßen, Maße, Füße; \\ und, Komma"


@pytest.mark.parametrize("text", [GREEK, GERMAN, "🧪" * 60, "x" * 300])
def test_lines_end_with_crlf_and_are_folded_between_characters_at_75_octets(text: str) -> None:
    session = replace(SESSION, title=text, description=f"{text}\n{text}", hosting_university=text)
    body = feed(session, name=text)
    assert b"\n" not in body.replace(b"\r\n", b"")
    assert b"\r" not in body.replace(b"\r\n", b"")
    folded = body.split(b"\r\n")
    assert max(map(len, folded)) <= 75
    assert all(line.decode() for line in folded[:-1]), "a character is cut in two"
    (event,) = events(body)
    assert event["SUMMARY"] == text
    assert event["DESCRIPTION"] == f"Hosting university: {text}\n\n{text}\n{text}\n\n{PAGE}"


def test_no_text_breaks_out_of_its_line() -> None:
    hostile = "x\r\nEND:VEVENT\r\nBEGIN:VALARM\u2028ATTACH:y\x00\x07\x85z"
    body = feed(replace(SESSION, title=hostile, description=hostile, hosting_university=hostile), name=hostile)
    assert len(events(body)) == 1
    assert not [line for line in lines(body) if line.startswith(("BEGIN:VALARM", "ATTACH"))]
    assert len(body.decode().splitlines()) == body.count(b"\r\n"), "what Unicode calls a line end is one for some"


def test_names_do_not_tell_the_meetings_address_either() -> None:
    body = feed(
        replace(SESSION, join_url="https://meet.example/beach", speakers="Bob https://meet.example/beach?pwd=1")
    )
    assert b"meet.example" not in body
    assert b"Guest speakers: Bob" in body


# Read back


def test_our_own_reader_reads_our_plan() -> None:
    plan = [
        SESSION,
        replace(moved(weekly(2)[1], timedelta(hours=2)), title=GREEK, sequence=1),
        replace(weekly(3)[2], title=GERMAN, status=Status.CANCELLED, description=GREEK),
    ]
    reading = read_calendar(feed(*plan), default_zone="Europe/Berlin", window=WINDOW)
    assert reading.problems == ()
    assert [
        (o.start_at, o.end_at, o.wall_start, o.zone, o.title, o.hosting_university, o.cancelled, o.sequence)
        for o in reading.occurrences
    ] == [
        (s.start_at, s.end_at, s.wall_start, s.zone, s.title, s.hosting_university, s.is_cancelled, s.sequence)
        for s in plan
    ]
    assert {o.source_uid for o in reading.occurrences} == {f"session-{s.session_id}@sessions.example" for s in plan}


def test_recurring_ical_events_finds_each_session_on_its_day() -> None:
    found = recurring_ical_events.of(icalendar.Calendar.from_ical(feed(*weekly(3)))).between(
        date(2026, 11, 1), date(2027, 2, 1)
    )
    assert sorted((event.start, event.end) for event in found) == [(s.start_at, s.end_at) for s in weekly(3)]


INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda instant: instant.replace(microsecond=0)
)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=200) | st.sampled_from(
    [r"a\nb", r"a\Nb", r"\\n", "a\\", ";,:\"'^n"]
)


@st.composite
def entries(draw: st.DrawFn) -> DatedSession:
    start_at, length = draw(INSTANTS), draw(st.timedeltas(timedelta(minutes=1), timedelta(days=2)))
    session = replace(
        SESSION,
        session_id=draw(st.uuids()),
        title=draw(TEXTS),
        description=draw(TEXTS),
        hosting_university=draw(st.none() | TEXTS),
        co_hosts=draw(TEXTS),
        speakers=draw(TEXTS),
        join_url=draw(st.sampled_from([None, "https://meet.example/beach?pwd=1"])),
        start_at=start_at,
        end_at=start_at + timedelta(seconds=int(length.total_seconds())),
        status=draw(st.sampled_from(Status)),
        sequence=draw(st.integers(0, 2**31 - 1)),
    )
    return DatedSession(session=session, changed_at=draw(INSTANTS))


@given(st.lists(entries(), max_size=6, unique_by=lambda entry: entry.session.session_id), TEXTS)
def test_whatever_the_sessions_are_icalendar_reads_them_back(made: Sequence[DatedSession], name: str) -> None:
    long_ago = datetime(1999, 1, 1, tzinfo=UTC)
    body = write_feed(made, name=name, public_url=PUBLIC_URL, now=long_ago)
    calendar = icalendar.Calendar.from_ical(body)
    assert calendar["NAME"] == one_line(name)
    assert max(map(len, body.split(b"\r\n"))) <= 75
    read = {str(event["UID"]): event for event in calendar.walk("VEVENT")}
    assert len(read) == len(made)
    for entry in made:
        session, event = entry.session, read[f"session-{entry.session.session_id}@sessions.example"]
        assert (event.start, event.end) == (session.start_at, session.end_at)
        assert (event["DTSTAMP"].dt, event["LAST-MODIFIED"].dt) == (entry.changed_at, entry.changed_at)
        assert (event["SEQUENCE"], event["STATUS"] == "CANCELLED") == (session.sequence, session.is_cancelled)
        assert event["SUMMARY"] == one_line(session.title)
        assert plain(session.description).strip() in event["DESCRIPTION"]
        assert UUID(str(event["URL"]).rpartition("/")[2]) == session.session_id


@given(st.lists(entries(), max_size=6, unique_by=lambda one: one.session.session_id))
def test_whatever_the_sessions_are_our_own_reader_gives_the_plan(made: Sequence[DatedSession]) -> None:
    long_ago = datetime(1999, 1, 1, tzinfo=UTC)
    body = write_feed(made, name="Workshops", public_url=PUBLIC_URL, now=long_ago)
    read = read_calendar(body, default_zone="Europe/Berlin", window=(long_ago, datetime(2061, 1, 1, tzinfo=UTC)))
    assert {problem.fact for problem in read.problems} <= {"has no title"}
    expected = {
        f"session-{s.session_id}@sessions.example": (
            s.start_at,
            s.end_at,
            s.is_cancelled,
            s.sequence,
            one_line(s.title),
        )
        for s in (one.session for one in made)
    }
    assert {
        o.source_uid: (o.start_at, o.end_at, o.cancelled, o.sequence, o.title) for o in read.occurrences
    } == expected
