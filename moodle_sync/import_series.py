"""A calendar or a table becomes the sessions of a series: fetch, read, pair, save in one transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from lms.errors import LmsError
from lms.guarded import CALENDAR_MAX_BYTES, GuardedSession
from moodle_sync.calendar_lines import BYTE_ORDER_MARK
from moodle_sync.errors import SourceUnreadable
from moodle_sync.plan_import import Known, plan_import
from moodle_sync.preview_import import Preview
from moodle_sync.read_calendar import Problem, Reading, read_calendar
from moodle_sync.read_table import looks_like_table, read_table
from moodle_sync.services import Services
from series.rule import Rule
from series.sessions import Series
from series.store.sessions import add_series, aliases_of, save_import, sessions_of, set_source
from series.store.universities import list_universities

ACCEPT = "text/calendar, text/csv, application/vnd.openxmlformats-officedocument.spreadsheetml.sheet, */*;q=0.5"
TABLE_NAMES = (".csv", ".tsv", ".xlsx", ".xls")
BEFORE, AHEAD = timedelta(days=400), timedelta(days=800)


@dataclass(frozen=True, kw_only=True)
class Imported:
    """How many sessions are new, changed, and the same as before; what to look at."""

    new: int
    changed: int
    same: int
    problems: tuple[Problem, ...]


def import_series(services: Services, series: Series, source: str, *, rule_if_new: Rule | None = None) -> Imported:
    """Read the series' sessions from `source`, and remember it. With `rule_if_new` the series is made, too.

    Raises SourceUnreadable or NotACalendar; then nothing was changed and nothing made.
    """
    now = services.clock.now()
    reading = _read(services, series, source, now)
    if not reading.occurrences:  # not even for a known series: its sessions and its source stay
        raise SourceUnreadable(_why_nothing(reading, now))
    with services.database.write() as connection:
        if rule_if_new is not None:
            add_series(connection, series, rule=rule_if_new, now=now)
        set_source(connection, series.series_id, source)
        known = Known(
            series_id=series.series_id,
            sessions={session.session_id: session for session in sessions_of(connection, series.series_id)},
            aliases=aliases_of(connection, series.series_id),
            universities=tuple(list_universities(connection)),
        )
        found = plan_import(reading.occurrences, known, now=now)
        save_import(
            connection,
            series.series_id,
            new=[(new.session, new.key) for new in found.new],
            changed=found.changed,
            rekeyed=found.rekeyed,
            now=now,
        )
    return Imported(
        new=len(found.new),
        changed=len(found.changed),
        same=len(reading.occurrences) - len(found.new) - len(found.changed),
        problems=(*reading.problems, *found.problems),
    )


def preview_import(services: Services, series: Series, source: str) -> Preview:
    """What import_series would do now, also for a series that is not there yet. Nothing is changed.

    Raises SourceUnreadable or NotACalendar.
    """
    now = services.clock.now()
    reading = _read(services, series, source, now)
    with services.database.read() as connection:
        known = Known(
            series_id=series.series_id,
            sessions={session.session_id: session for session in sessions_of(connection, series.series_id)},
            aliases=aliases_of(connection, series.series_id),
            universities=tuple(list_universities(connection)),
        )
    plan = plan_import(reading.occurrences, known, now=now)
    return Preview(series=series, reading=reading, known=known, plan=plan, now=now)


def is_table(body: bytes, source: str) -> bool:
    """By its first line, else by its name, else by the names of its columns."""
    if body.removeprefix(BYTE_ORDER_MARK).lstrip()[:15].upper() == b"BEGIN:VCALENDAR":
        return False
    return source.partition("?")[0].lower().endswith(TABLE_NAMES) or looks_like_table(body)


def _read(services: Services, series: Series, source: str, now: datetime) -> Reading:
    body = read_source(services.http, source)
    read = read_table if is_table(body, source) else read_calendar
    return read(body, default_zone=series.time_zone, window=(now - BEFORE, now + AHEAD))


def _why_nothing(reading: Reading, now: datetime) -> str:
    problems = [f"“{problem.event}” {problem.fact}." for problem in reading.problems[:3]]
    window = f"from {now - BEFORE:%B %Y} to {now + AHEAD:%B %Y}"
    return " ".join([f"The calendar has no session {window} that can be read. Nothing was changed.", *problems])


def read_source(http: GuardedSession, source: str) -> bytes:
    """The bytes of a file or of an https or webcal address."""
    if "://" not in source:
        return _read_file(Path(source))
    url = "https://" + source.removeprefix("webcal://") if source.startswith("webcal://") else source
    try:
        answer = http.get(url, headers={"Accept": ACCEPT}, max_bytes=CALENDAR_MAX_BYTES, max_redirects=3)
    except LmsError as error:
        raise SourceUnreadable(f"The calendar cannot be fetched: {error} Nothing was changed.") from error
    if not answer.ok:
        raise SourceUnreadable(
            f"The calendar cannot be fetched: {answer.host} answered with status {answer.status}. Nothing was changed."
        )
    return answer.body


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            body = file.read(CALENDAR_MAX_BYTES + 1)
    except OSError as error:
        raise SourceUnreadable(f"The calendar file {path} cannot be read: {error.strerror}.") from error
    if len(body) > CALENDAR_MAX_BYTES:
        raise SourceUnreadable(f"The calendar file {path} is larger than {CALENDAR_MAX_BYTES // 1_000_000} MB.")
    return body
