"""How the Moodles go, read from both databases."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from series.moodle_jobs import MoodleJob
from series.store import runs
from series.store.database import Database
from series.store.mirrors import tie_course
from series.store.moodle_connections import NewConnection, note_failure, save_connection
from series.store.moodle_jobs import begin_job, end_job
from series.store.moodle_overview import connected_states, state_of, states, tied_courses
from series.store.tables import mirror
from tests.conftest import NOW
from tests.examples import MALTA, SERIES, VILNIUS
from tests.seeds import ENCRYPTION_KEY, Seeded, seed

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


@pytest.fixture
def seeded(database: Database) -> Seeded:
    """Malta is connected, with one course."""
    made = seed(database)
    new = NewConnection(university_id=1, base_url="https://m.example", token="t", moodle_user_id=3)
    with database.write() as connection:
        save_connection(connection, new, encryption_key=ENCRYPTION_KEY, now=NOW)
        tie_course(connection, university_id=1, moodle_course_id=42, title="STEM", series_id=SERIES.series_id, now=NOW)
    return made


def mirror_run(database: Database, slot: str, *, reason: str | None = None, is_dropped: bool = False) -> None:
    at = NOW + int(slot) * SECOND
    with database.write() as connection:
        run_id = begin_job(connection, 1, "malta", MoodleJob.MIRROR, slot=slot, now=at)
        assert run_id is not None
        end_job(connection, 1, MoodleJob.MIRROR, failed=False, interval=HOUR, jitter=0.0, now=at)
        if is_dropped:
            runs.drop_run(connection, run_id)
        else:
            runs.end_run(connection, run_id, outcome="done", counts={"created": 1}, reason=reason, now=at)


def test_each_job_has_its_last_run(database: Database, seeded: Seeded) -> None:
    for slot in ("1", "2"):
        mirror_run(database, slot)
    with database.read() as connection:
        state = state_of(connection, 1)
    assert list(state.jobs) == [MoodleJob.MIRROR, MoodleJob.SWEEP, MoodleJob.CHECK, MoodleJob.ANNOUNCE]
    job = state.jobs[MoodleJob.MIRROR]
    assert job.last is not None
    assert (job.last.started_at, job.ran_at) == (NOW + 2 * SECOND, NOW + 2 * SECOND)
    assert state.jobs[MoodleJob.SWEEP].last is None
    assert (state.university, state.site is not None and state.site.connected_at) == (MALTA, NOW)


def test_a_problem_stands_until_a_later_run_had_none(database: Database, seeded: Seeded) -> None:
    mirror_run(database, "1", reason="Refused.")
    with database.read() as connection:
        assert state_of(connection, 1).has_gaps
    mirror_run(database, "2", is_dropped=True)
    with database.read() as connection:
        assert not state_of(connection, 1).has_gaps


def test_the_next_time_waits_for_the_pause(database: Database, seeded: Seeded) -> None:
    with database.write() as connection:
        until = note_failure(connection, 1, reason="Down.", retry_after_s=None, jitter=0.0, now=NOW)
    with database.read() as connection:
        state = state_of(connection, 1)
    assert {state.next_at(job) for job in state.jobs.values()} == {until}


def test_universities_are_found_by_name_and_connected_ones_apart(database: Database, seeded: Seeded) -> None:
    with database.read() as connection:
        found, total = states(connection, search="UNIV", limit=1, offset=1)
        assert ([state.university for state in found], total) == ([VILNIUS], 2)
        assert found[0].site is None
        assert states(connection, search="100%", limit=9, offset=0) == ([], 0)
        assert [state.university for state in connected_states(connection)] == [MALTA]


def test_courses_are_listed_with_the_events_that_are_there(database: Database, seeded: Seeded) -> None:
    with database.write() as connection:
        connection.execute(
            sa.insert(mirror),
            [
                {
                    "course_id": 1,
                    "session_id": seeded.session_ids[number],
                    "event_id": event_id,
                    "fingerprint": "",
                    "updated_at": NOW + number * SECOND,
                }
                for number, event_id in enumerate((7, 8, None))
            ],
        )
    with database.read() as connection:
        (course,) = tied_courses(connection, 1)
        assert tied_courses(connection, 2) == []
    assert (course.title, course.moodle_course_id, course.series_titles) == ("STEM", 42, (SERIES.title,))
    assert (course.events, course.changed_at) == (2, NOW + 2 * SECOND)
