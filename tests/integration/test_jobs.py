"""The periodic jobs and the tick that begins them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from config.sample_series import read_sample_series, shift_sample_series
from moodle_sync import jobs
from moodle_sync.import_series import import_series
from moodle_sync.worker import Tick
from series.moodle_jobs import MoodleJob
from series.people import VISIT_LIFE
from series.rule import Rule
from series.staff import LINK_LIFE, Role
from series.store.database import Database
from series.store.mirrors import tie_course
from series.store.moodle_jobs import planned_jobs
from series.store.runs import slot_by_hand
from series.store.sessions import sessions_of
from series.store.staff import add_link, add_staff, get_account
from series.store.staff_sessions import open_session
from series.store.tables import check_in, staff_link, staff_session, visit
from series.store.visits import KEEP_OVER
from tests.examples import SERIES
from tests.integration.partner import Partner, open_partner
from tests.seeds import count

CALENDAR = replace(SERIES, series_id=UUID(int=5), slug="from-a-calendar")


@pytest.fixture
def partner(tmp_path: Path, sqlite_url: str) -> Iterator[Partner]:
    with open_partner(tmp_path, sqlite_url) as opened:
        yield opened


@pytest.fixture
def file(partner: Partner, tmp_path: Path) -> Path:
    """The calendar of a second series, imported once."""
    path = tmp_path / "series.ics"
    path.write_bytes(shift_sample_series(read_sample_series(), this_week=partner.now.date()))
    import_series(partner.services, CALENDAR, str(path), rule_if_new=Rule())
    return path


def read_calendar_again(partner: Partner) -> int:
    run_id = jobs.begin(partner.services, "calendar", CALENDAR.slug, slot=slot_by_hand())
    assert run_id is not None
    jobs.run_calendar(partner.services, run_id)
    return run_id


def jobs_of(partner: Partner) -> list[tuple[str, str, str]]:
    """(job, scope, outcome) of all runs. Scores are worked out anew soon after a series was made: left out here."""
    return sorted((run.job, run.scope, run.outcome) for run in partner.runs() if run.job != "rescore")


# The calendar job


def test_a_calendar_that_says_the_same_changes_nothing_and_mirrors_nothing(partner: Partner, file: Path) -> None:
    partner.connect()
    read_calendar_again(partner)
    (run,) = partner.runs()
    assert (run.outcome, run.counts) == ("done", {"new": 0, "changed": 0, "same": 14})


def test_a_calendar_that_says_something_else_is_mirrored_at_once(partner: Partner, file: Path) -> None:
    partner.connect()
    with partner.services.database.write() as connection:
        tie_course(
            connection, university_id=1, moodle_course_id=2, title="", series_id=CALENDAR.series_id, now=partner.now
        )
    partner.mirror()
    assert mirror_at(partner) > partner.now
    file.write_bytes(file.read_bytes().replace(b"SUMMARY:", b"SUMMARY:New: "))
    run_id = read_calendar_again(partner)
    assert next(run for run in partner.runs() if run.run_id == run_id).counts["changed"] > 0
    assert mirror_at(partner) <= partner.now


def mirror_at(partner: Partner) -> datetime:
    """When the course calendars are looked after next."""
    with partner.services.database.read() as connection:
        planned = planned_jobs(connection, 1)
    return next(one.next_at for one in planned if one.job is MoodleJob.MIRROR)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Please sign in</html>",
        b"",
        b"BEGIN:VCALENDAR\r\n",
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n",
    ],
)
def test_a_calendar_that_broke_fails_the_run_in_words_and_changes_nothing(
    partner: Partner, file: Path, body: bytes
) -> None:
    with partner.services.database.read() as connection:
        before = sessions_of(connection, CALENDAR.series_id)
    file.write_bytes(body)
    read_calendar_again(partner)
    (run,) = partner.runs()
    assert run.outcome == "failed"
    assert run.reason
    with partner.services.database.read() as connection:
        assert sessions_of(connection, CALENDAR.series_id) == before


def test_a_calendar_that_went_away_fails_the_run_in_words(partner: Partner, file: Path) -> None:
    file.unlink()
    read_calendar_again(partner)
    (run,) = partner.runs()
    assert (run.outcome, "cannot be read" in str(run.reason)) == ("failed", True)


# The tick


def test_a_tick_hands_over_what_is_due(partner: Partner) -> None:
    partner.check_in()
    Tick(partner.services)()
    assert partner.services.queue.huey.pending_count() == 1


def test_a_tick_does_not_pile_up_what_waits_already(partner: Partner) -> None:
    partner.check_in()
    for _ in range(3):
        Tick(partner.services)()
    assert partner.services.queue.huey.pending_count() == 1


def test_two_workers_begin_each_job_once_a_slot(partner: Partner, file: Path) -> None:
    ticks = [Tick(partner.services), Tick(partner.services)]
    for tick in ticks * 3:
        tick()
    assert jobs_of(partner) == [("calendar", CALENDAR.slug, "running")]


def test_two_workers_open_a_check_in_that_nobody_has_opened_once(partner: Partner) -> None:
    partner.world.advance(5 * 60)  # the session began with the hour
    for tick in [Tick(partner.services), Tick(partner.services)] * 2:
        tick()
    assert count(partner.services.database, check_in) == 1


def test_the_next_slot_begins_the_job_again(partner: Partner, file: Path) -> None:
    tick = Tick(partner.services)
    tick()
    (run,) = [run for run in partner.runs() if run.job == "calendar"]
    jobs.run_calendar(partner.services, run.run_id)
    partner.world.advance(partner.services.settings.calendar_interval_s)
    tick()
    assert jobs_of(partner) == [("calendar", CALENDAR.slug, "done"), ("calendar", CALENDAR.slug, "running")]


def test_a_clock_that_jumps_back_finds_slots_of_its_own(partner: Partner, file: Path, tmp_path: Path) -> None:
    """The demo's "Jump to the session", pressed twice: the same hour comes again."""
    settings = replace(partner.services.settings, clock_file=tmp_path / "jump")
    services = replace(partner.services, settings=settings, clock=settings.clock())
    tick = Tick(services)
    for number, offset in enumerate(("0", "86400", "86401"), start=1):
        settings.clock_file.write_text(offset)  # type: ignore[union-attr]
        tick()
        assert sum(run.job == "calendar" for run in partner.runs()) == number
        for run in partner.runs():
            if run.outcome == "running":
                jobs.run_calendar(services, run.run_id)


def test_a_database_that_is_locked_for_a_while_fails_the_run_in_words(partner: Partner, file: Path) -> None:
    run_id = jobs.begin(partner.services, "calendar", CALENDAR.slug, slot=slot_by_hand())
    assert run_id is not None
    file.write_bytes(file.read_bytes().replace(b"SUMMARY:", b"SUMMARY:New: "))
    impatient = Database(partner.services.database.url, busy_timeout_s=0)
    locks = Locks(impatient, partner.services.database, times=2)
    jobs.run_calendar(replace(partner.services, database=locks), run_id)
    (run,) = partner.runs()
    assert (run.outcome, run.reason) == ("failed", "The database is busy. Nothing was written; please try again.")
    impatient.dispose()


class Locks(Database):
    """The database, while somebody else holds its lock for the first `times` writes."""

    def __init__(self, impatient: Database, holder: Database, *, times: int) -> None:
        self._impatient, self._holder, self._times = impatient, holder, times
        self.url, self.is_sqlite, self.engine = impatient.url, impatient.is_sqlite, impatient.engine

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        self._times -= 1
        with ExitStack() as stack:
            if self._times >= 0:
                stack.enter_context(self._holder.write())
            yield stack.enter_context(self._impatient.write())


def test_closed_visits_are_cleaned_up(partner: Partner) -> None:
    partner.world.advance((VISIT_LIFE + KEEP_OVER).total_seconds() + 3600)
    jobs.clean_up(partner.services)
    assert count(partner.services.database, visit) == 0


def test_sign_ins_and_links_of_staff_are_cleaned_up_when_they_are_over(partner: Partner) -> None:
    database = partner.services.database
    with database.write() as connection:
        staff_id = add_staff(
            connection, email="a@b.example", name="A", role=Role.COORDINATOR, university_id=None, now=partner.now
        )
        open_session(connection, get_account(connection, staff_id), "hash", now=partner.now)
        add_link(connection, staff_id, "hash", now=partner.now)
    jobs.clean_up(partner.services)
    assert (count(database, staff_session), count(database, staff_link)) == (1, 1)
    partner.world.advance(LINK_LIFE.total_seconds())
    jobs.clean_up(partner.services)
    assert (count(database, staff_session), count(database, staff_link)) == (0, 0)
