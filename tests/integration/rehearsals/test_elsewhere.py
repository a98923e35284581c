"""No calendar, round, Moodle course, announcement or mail knows of a rehearsal, on both databases."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from msgspec import structs

from moodle_sync.plan_import import Known, plan_import
from moodle_sync.read_calendar import Occurrence
from series.people import Visit
from series.plans import Plan, brake
from series.sessions import Status
from series.store import moodle_tables
from series.store.announcements import switch_on, to_tell
from series.store.audit import OPERATOR
from series.store.check_facts import known_courses
from series.store.database import Database
from series.store.hand_edits import EditOutdated, swap_sessions, version_of
from series.store.mirrors import tie_course
from series.store.moodle_connections import NewConnection, save_connection
from series.store.picks import offered_series
from series.store.round_choices import round_choice
from series.store.sessions import add_session, sessions_of
from series.store.staff_notices import MailReader, week_around
from tests.conftest import NOW
from tests.examples import MALTA, SERIES, SESSION, VILNIUS, moved
from tests.integration.rehearsals.examples import AHEAD, DAY, REHEARSAL, WEEK, change
from tests.rounds import next_round
from tests.seeds import ENCRYPTION_KEY, LAUNCH, Seeded, count, launch

# Calendars


def test_no_import_pairs_it_cancels_it_or_sees_it(database: Database, seeded: Seeded) -> None:
    """A calendar with an event of its title at its time makes a session of its own."""
    known = _known(database)
    same = Occurrence(
        source_uid="rehearsal@example",
        original_start_at=AHEAD.start_at,
        start_at=AHEAD.start_at,
        end_at=AHEAD.end_at,
        wall_start=AHEAD.wall_start,
        zone=AHEAD.zone,
        title=AHEAD.title,
        description="",
        hosting_university=None,
        join_url=None,
        cancelled=False,
        sequence=0,
    )
    plan = plan_import((same,), known, now=NOW)
    assert AHEAD.session_id not in {one.session_id for one in plan.changed} | set(plan.paired)
    assert AHEAD.session_id not in {session_id for _, session_id in plan.rekeyed}


def test_the_brake_takes_its_share_of_the_sessions_that_count(database: Database, seeded: Seeded) -> None:
    """Two of two to come are cancelled: that is all of them, however many rehearsals there are."""
    sessions = _known(database).sessions
    assert len(sessions) == 3
    gone = [replace(one, status=Status.CANCELLED) for one in seeded.sessions[1:]]
    assert brake(Plan(new=(), changed=tuple(gone), rekeyed=()), sessions, now=NOW)


def test_its_university_is_not_swapped_with_that_of_a_session(database: Database, seeded: Seeded) -> None:
    ahead = seeded.sessions[1]
    with database.write() as connection, pytest.raises(EditOutdated):
        swap_sessions(
            connection,
            SERIES.series_id,
            ahead.session_id,
            version_of(ahead),
            AHEAD.session_id,
            lambda one, other: (one, other),
            actor=OPERATOR,
            now=NOW,
        )


# Rounds


def test_a_round_of_which_only_a_rehearsal_is_left_does_not_go_on(database: Database, seeded: Seeded) -> None:
    """Nor is a course kept from the question whether it takes the new one."""
    teacher = launch(database, structs.replace(LAUNCH, sub="8", is_teacher=True, is_learner=False))
    new, _ = next_round(database, (NOW + 20 * WEEK).date())
    after = NOW + 10 * WEEK
    change(database, moved(AHEAD, 11 * WEEK))
    with database.read() as connection:
        assert [one.series_id for one in offered_series(connection, None, now=after)] == [new.series_id]
        choice = round_choice(connection, teacher, now=after)
    assert choice is not None
    assert choice.is_asked


def test_a_rehearsal_does_not_begin_the_new_round(database: Database, seeded: Seeded) -> None:
    """So an activity that is added now is meant for the old one."""
    new, _ = next_round(database, (NOW + 20 * WEEK).date())
    early = replace(moved(AHEAD, -WEEK), session_id=UUID(int=97), series_id=new.series_id)
    with database.write() as connection:
        add_session(connection, early, now=NOW)
    of_old = structs.replace(LAUNCH, sub="8", is_teacher=True, is_learner=False, custom_series_id=str(SERIES.series_id))
    teacher = launch(database, of_old)
    with database.read() as connection:
        choice = round_choice(connection, teacher, now=NOW)
    assert choice is not None
    assert not choice.is_asked


# Moodle, announcements, mail


@pytest.fixture
def course_id(database: Database, student: Visit) -> int:
    """Of Malta's Moodle, which is connected; it wants its changes announced."""
    assert student.course_id
    with database.write() as connection:
        save_connection(
            connection,
            NewConnection(
                university_id=MALTA.university_id,
                base_url=LAUNCH.issuer,
                token="t" * 32,
                moodle_user_id=3,
                site_name="Malta",
            ),
            encryption_key=ENCRYPTION_KEY,
            now=NOW,
        )
        tie_course(
            connection,
            university_id=MALTA.university_id,
            moodle_course_id=int(LAUNCH.context_id or ""),
            title="Teaching STEM",
            series_id=SERIES.series_id,
            now=NOW,
        )
        switch_on(connection, student.course_id, now=NOW)
    return student.course_id


def test_moving_or_cancelling_it_is_announced_nowhere(database: Database, course_id: int) -> None:
    change(database, moved(AHEAD, DAY))
    change(database, replace(AHEAD, status=Status.CANCELLED))
    with database.read() as connection:
        assert to_tell(connection, [course_id], now=NOW) == []
    assert count(database, moodle_tables.seen_session) == 0


def test_a_check_of_a_moodle_course_knows_only_sessions_that_count(
    database: Database, course_id: int, seeded: Seeded
) -> None:
    change(database, replace(SESSION, status=Status.CANCELLED))
    with database.read() as connection:
        (known,) = known_courses(connection, MALTA.university_id, base_url=LAUNCH.issuer, now=NOW)
    assert known.first_at == seeded.sessions[1].start_at, "and no rehearsal that is before it"


def test_no_mail_speaks_of_it(database: Database, seeded: Seeded) -> None:
    change(database, moved(AHEAD, timedelta(hours=1)))
    reader = MailReader(staff_id=1, email="", university_id=None, university_slug=None, zone="UTC", last_digest_at=NOW)
    with database.read() as connection:
        week = week_around(connection, reader, now=NOW + timedelta(hours=2))
    assert not any(one.is_rehearsal for one in (*week.held, *week.coming, *week.replanned))
    assert [one.session_id for one in week.held] == [SESSION.session_id]


def test_no_activity_hangs_on_it(database: Database, seeded: Seeded) -> None:
    """Whoever types its id into an activity gets the whole series."""
    visit = launch(
        database,
        structs.replace(LAUNCH, resource_link_id="9", custom_session_id=str(REHEARSAL.session_id)),
    )
    assert (visit.series_id, visit.session_id) == (SERIES.series_id, None)


def _known(database: Database) -> Known:
    with database.read() as connection:
        sessions = {one.session_id: one for one in sessions_of(connection, SERIES.series_id)}
    return Known(series_id=SERIES.series_id, sessions=sessions, aliases={}, universities=(MALTA, VILNIUS))
