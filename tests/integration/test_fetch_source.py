"""What a calendar's server may answer: the last good plan stays, and why and since when is kept."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from moodle_sync.errors import NotACalendar, SourceUnreadable
from moodle_sync.fetch_source import FIRST_WAIT, LONGEST_WAIT, failed
from moodle_sync.import_series import Imported
from series.store.calendar_sources import CalendarSource, due_sources, source_of
from series.store.sessions import set_source
from tests.conftest import NOW
from tests.examples import SERIES
from tests.integration.coordinator import Coordinator, Web, as_calendar, open_coordinator, serve_calendar, weekly

DAY = timedelta(days=1)
AS_BEFORE = Imported(new=0, changed=0, same=3, problems=())


@pytest.fixture
def web() -> Iterator[Web]:
    with serve_calendar() as served:
        served.body = as_calendar(*weekly(3))
        yield served


@pytest.fixture
def coordinator(sqlite_url: str, tmp_path: Path, web: Web) -> Iterator[Coordinator]:
    """Their calendar has been read once, from the web."""
    with open_coordinator(sqlite_url, tmp_path) as made:
        made.imports(first=True, source=web.url)
        yield made


def state(coordinator: Coordinator, web: Web) -> CalendarSource:
    with coordinator.services.database.read() as connection:
        return source_of(connection, SERIES.series_id, web.url)


def due(coordinator: Coordinator) -> bool:
    with coordinator.services.database.read() as connection:
        return SERIES.slug in due_sources(connection, now=coordinator.services.clock.now())


def test_what_is_as_before_is_asked_for_conditionally(coordinator: Coordinator, web: Web) -> None:
    web.headers = {"ETag": '"1"', "Last-Modified": "Tue, 24 Nov 2026 12:00:00 GMT"}
    web.body = as_calendar(*weekly(3), *weekly(1))
    coordinator.imports(source=web.url)
    web.status, web.body = 304, b""
    assert coordinator.imports(source=web.url) == AS_BEFORE
    asked = web.asked[-1]
    assert (asked["If-None-Match"], asked["If-Modified-Since"]) == ('"1"', "Tue, 24 Nov 2026 12:00:00 GMT")
    assert len(web.asked) == 3


def test_what_is_as_before_is_not_written_again(coordinator: Coordinator, web: Web) -> None:
    web.status, web.body = 304, b""
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement.split(maxsplit=1)[0])

    sa.event.listen(coordinator.services.database.engine, "before_cursor_execute", note)
    assert coordinator.imports(source=web.url) == AS_BEFORE
    assert set(said) == {"SELECT"}


def test_validators_are_not_trusted_for_ever(coordinator: Coordinator, web: Web) -> None:
    web.headers, web.body = {"ETag": '"1"'}, as_calendar(*weekly(3), *weekly(1))
    coordinator.imports(source=web.url)
    coordinator.waits((DAY + timedelta(seconds=1)).total_seconds())
    web.body = as_calendar(*weekly(4))
    assert coordinator.imports(source=web.url).new == 1
    assert "If-None-Match" not in web.asked[-1]


def test_a_304_that_nobody_asked_for_is_a_failure(coordinator: Coordinator, web: Web) -> None:
    coordinator.waits(2 * DAY.total_seconds())
    web.status, web.body = 304, b""
    with pytest.raises((SourceUnreadable, NotACalendar)):
        coordinator.imports(source=web.url)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "asks for a password"),
        (403, "refuses us"),
        (404, "has no calendar at this address"),
        (410, "has no calendar at this address any more"),
        (429, "is asked too often"),
        (500, "answered with status 500"),
    ],
)
def test_an_answer_without_a_calendar_says_what_it_was(
    coordinator: Coordinator, web: Web, status: int, words: str
) -> None:
    web.status = status
    before = coordinator.sessions()
    with pytest.raises(SourceUnreadable, match=words):
        coordinator.imports(source=web.url)
    assert coordinator.sessions() == before
    assert words in str(state(coordinator, web).reason)


@pytest.mark.parametrize(
    "body", [b"<!DOCTYPE html><title>Sign in</title>", as_calendar(*weekly(3))[:200], b"", as_calendar()]
)
def test_a_body_that_is_no_calendar_leaves_the_plan(coordinator: Coordinator, web: Web, body: bytes) -> None:
    before, web.body = coordinator.sessions(), body
    with pytest.raises((SourceUnreadable, NotACalendar)):
        coordinator.imports(source=web.url)
    assert coordinator.sessions() == before
    assert state(coordinator, web).failures == 1


def test_a_body_that_breaks_off_leaves_the_plan(coordinator: Coordinator, web: Web) -> None:
    web.headers = {"Content-Length": str(len(web.body) + 100)}
    with pytest.raises(SourceUnreadable):
        coordinator.imports(source=web.url)
    assert len(coordinator.sessions()) == 3


def test_since_when_and_why_it_fails_is_kept_until_it_is_well_again(coordinator: Coordinator, web: Web) -> None:
    web.status = 500
    for _ in range(3):
        with pytest.raises(SourceUnreadable):
            coordinator.imports(source=web.url)
        coordinator.waits(60)
    failing = state(coordinator, web)
    assert failing.failures == 3
    assert failing.failing_since is not None
    assert failing.next_fetch_at is not None
    assert failing.next_fetch_at - failing.failing_since > timedelta(minutes=2)
    web.status = 200
    assert coordinator.imports(source=web.url) == AS_BEFORE
    well = state(coordinator, web)
    assert (well.failing_since, well.failures, well.reason, well.next_fetch_at) == (None, 0, None, None)


def test_the_worker_waits_as_long_as_it_is_told(coordinator: Coordinator, web: Web) -> None:
    with coordinator.services.database.write() as connection:
        set_source(connection, SERIES.series_id, web.url)
    assert due(coordinator)
    web.status, web.headers = 429, {"Retry-After": "3600"}
    assert coordinator.runs_the_job().outcome == "failed"
    assert not due(coordinator)
    coordinator.waits(3590)
    assert not due(coordinator)
    coordinator.waits(20)
    assert due(coordinator)


def test_each_failure_waits_longer_up_to_a_bound() -> None:
    error, source = SourceUnreadable("no"), CalendarSource(source="x")
    waits = []
    for _ in range(20):
        source = failed(source, error, now=NOW)
        assert source.next_fetch_at is not None
        waits.append(source.next_fetch_at - NOW)
    assert FIRST_WAIT * 0.8 <= waits[0] <= FIRST_WAIT * 1.2
    assert waits[0] < waits[2] < waits[4] < waits[6]
    assert max(waits) <= LONGEST_WAIT * 1.2
    assert source.failing_since == NOW


def test_another_source_begins_anew(coordinator: Coordinator, web: Web) -> None:
    web.headers = {"ETag": '"1"'}
    coordinator.writes(*weekly(3))
    coordinator.imports()
    coordinator.imports(source=web.url)
    assert "If-None-Match" not in web.asked[-1]
