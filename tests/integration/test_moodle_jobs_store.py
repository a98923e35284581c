"""When which job is next done for a connected university, and who has it: on both databases."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from moodle_sync.moodle_runs import begin_planned
from moodle_sync.services import make_services
from series.announcements import SETTLE
from series.mirrors import Mirror
from series.moodle_jobs import CLOCKS_DIFFER, LATE_EFFECT, Level, MoodleJob
from series.store import runs
from series.store.database import Database
from series.store.mirrors import mirrored_courses, mirrors_of, save_mirrors, tie_course
from series.store.moodle_clocks import hurry_all, hurry_what_is_of_the_future
from series.store.moodle_connections import (
    NewConnection,
    connections,
    disconnect,
    note_answer,
    note_failure,
    save_connection,
)
from series.store.moodle_jobs import (
    ABANDONED_AFTER,
    DueJob,
    PlannedJob,
    ask_again,
    ask_for,
    ask_for_all,
    begin_job,
    due_jobs,
    end_job,
    planned_jobs,
)
from series.store.moodle_tables import moodle_job
from series.store.sessions import add_session
from tests.at_once import at_once
from tests.conftest import NOW, make_settings
from tests.examples import MALTA, SERIES, SESSION, VILNIUS
from tests.integration.faulty_course import HandClock
from tests.seeds import ENCRYPTION_KEY, seed

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
INTERVAL = 5 * MINUTE
FAR = NOW + 40 * DAY
MIRROR, SWEEP, COLLECT, CHECK = MoodleJob.MIRROR, MoodleJob.SWEEP, MoodleJob.COLLECT, MoodleJob.CHECK


@pytest.fixture
def connected(database: Database) -> Database:
    """Malta with both, and all jobs far ahead; Vilnius is not connected."""
    seed(database, sessions=())
    connect(database)
    plan_all(database, FAR)
    return database


def connect(database: Database, university_id: int = MALTA.university_id, level: Level = Level.COMPLETIONS) -> None:
    new = NewConnection(
        university_id=university_id, base_url="https://m.example", token="t", moodle_user_id=3, level=level
    )
    with database.write() as connection:
        save_connection(connection, new, encryption_key=ENCRYPTION_KEY, now=NOW)


def plan_all(database: Database, at: datetime, *, ran_at: datetime | None = NOW) -> None:
    with database.write() as connection:
        connection.execute(sa.update(moodle_job).values(next_at=at, asked_at=None, ran_at=ran_at))


def ask(database: Database, job: MoodleJob = MIRROR, at: datetime = NOW, university_id: int = 1) -> bool:
    with database.write() as connection:
        return ask_for(connection, university_id, job, at=at)


def due(database: Database, now: datetime = NOW, *, are_suspect: bool = False, limit: int = 10) -> list[DueJob]:
    with database.read() as connection:
        return due_jobs(connection, now=now, limit=limit, are_suspect=are_suspect)


def due_names(database: Database, now: datetime = NOW, *, are_suspect: bool = False) -> set[MoodleJob]:
    return {one.job for one in due(database, now, are_suspect=are_suspect)}


def begin(database: Database, job: MoodleJob = MIRROR, now: datetime = NOW) -> int | None:
    """By hand."""
    with database.write() as connection:
        return begin_job(connection, 1, "malta", job, slot=runs.slot_by_hand(), now=now)


def begin_due(database: Database, one: DueJob, now: datetime = NOW) -> int | None:
    with database.write() as connection:
        return begin_job(
            connection, 1, "malta", one.job, slot=one.next_at.isoformat()[:32], now=now, planned_at=one.next_at
        )


def end(
    database: Database,
    run_id: int,
    job: MoodleJob = MIRROR,
    now: datetime = NOW,
    *,
    failed: bool = False,
    retry_at: datetime | None = None,
    is_dropped: bool = False,
) -> PlannedJob:
    with database.write() as connection:
        end_job(connection, 1, job, failed=failed, interval=INTERVAL, jitter=0.0, now=now, retry_at=retry_at)
        if is_dropped:
            runs.drop_run(connection, run_id)
        else:
            runs.end_run(connection, run_id, outcome="done", counts={}, reason=None, now=now)
    return planned(database, job)


def planned(database: Database, job: MoodleJob = MIRROR, university_id: int = 1) -> PlannedJob:
    with database.read() as connection:
        return next(one for one in planned_jobs(connection, university_id) if one.job is job)


def go_down(database: Database, *, retry_after_s: int | None = None, now: datetime = NOW) -> datetime:
    with database.write() as connection:
        return note_failure(connection, 1, reason="No answer.", retry_after_s=retry_after_s, jitter=0.0, now=now)


def answer(database: Database) -> None:
    with database.write() as connection:
        note_answer(connection, 1)


def outcomes(database: Database) -> list[tuple[str, str]]:
    """The oldest first."""
    with database.read() as connection:
        return [(run.job, run.outcome) for run in reversed(runs.list_runs(connection, limit=20))]


# What is due


def test_a_new_connection_has_the_jobs_of_its_level_at_once(connected: Database) -> None:
    connect(connected, VILNIUS.university_id, Level.CALENDAR)
    with connected.read() as connection:
        jobs = planned_jobs(connection, VILNIUS.university_id)
    assert {one.job for one in jobs} == set(MoodleJob) - {COLLECT, MoodleJob.RECOLLECT}
    assert {one.next_at for one in jobs} == {NOW}


def test_a_lower_level_drops_the_jobs_that_it_has_not(connected: Database) -> None:
    connect(connected, level=Level.CALENDAR)
    with connected.read() as connection:
        assert COLLECT not in {one.job for one in planned_jobs(connection, 1)}


def test_nothing_is_due_before_its_time(connected: Database) -> None:
    assert due(connected) == []
    ask(connected, at=NOW + SECOND)
    assert due(connected) == []
    assert due_names(connected, NOW + SECOND) == {MIRROR}


def test_of_each_lane_the_longest_due_comes_alone(connected: Database) -> None:
    for job, at in {SWEEP: NOW - MINUTE, MIRROR: NOW, COLLECT: NOW, MoodleJob.RECOLLECT: NOW - SECOND}.items():
        ask(connected, job, at)
    assert [one.job for one in due(connected)] == [SWEEP, MoodleJob.RECOLLECT]


def test_a_full_lane_of_one_site_takes_no_place_from_others(connected: Database) -> None:
    connect(connected, VILNIUS.university_id, Level.CALENDAR)
    plan_all(connected, NOW)
    ask(connected, at=NOW - MINUTE)
    assert {one.university_slug for one in due(connected, limit=3)} == {"malta", "vilnius"}


def test_a_job_that_this_worker_does_not_know_is_left(connected: Database) -> None:
    with connected.write() as connection:
        row = {"university_id": 1, "job": "tidy", "next_at": NOW - DAY, "failures": 0}
        connection.execute(sa.insert(moodle_job).values(row))
    assert due(connected) == []
    ask(connected)
    with connected.read() as connection:
        assert due_jobs(connection, now=NOW, limit=9, are_suspect=False, jobs={SWEEP}) == []
        assert "tidy" not in {one.job for one in planned_jobs(connection, 1)}


def test_a_lane_that_is_under_way_is_not_due_and_the_other_is(connected: Database) -> None:
    plan_all(connected, NOW)
    assert begin(connected, SWEEP) is not None
    assert due_names(connected) == {COLLECT}


# Begun once


def test_of_many_workers_one_has_the_job(connected: Database) -> None:
    ask(connected)
    (one,) = due(connected)
    begun = at_once(connected, lambda own, _: begin_due(own, one))
    assert len([run_id for run_id in begun if run_id is not None]) == 1


def test_of_many_workers_one_has_the_lane(connected: Database) -> None:
    jobs = [MIRROR, SWEEP, CHECK, MoodleJob.ANNOUNCE] * 2
    begun = at_once(connected, lambda own, number: begin(own, jobs[number]))
    assert len([run_id for run_id in begun if run_id is not None]) == 1


def test_both_lanes_may_be_under_way(connected: Database) -> None:
    assert begin(connected, MIRROR) is not None
    assert begin(connected, COLLECT) is not None


def test_a_worker_that_comes_late_does_not_repeat_what_another_has_done(connected: Database) -> None:
    """Also when nothing was to do, so that no run tells of it."""
    ask(connected)
    (one,) = due(connected)
    run_id = begin_due(connected, one)
    assert run_id is not None
    end(connected, run_id, is_dropped=True)
    assert begin_due(connected, one, NOW + SECOND) is None


def test_a_worker_that_comes_late_does_not_ask_a_site_that_went_down(connected: Database) -> None:
    ask(connected)
    (one,) = due(connected)
    go_down(connected)
    assert begin_due(connected, one) is None
    assert begin(connected) is not None, "by hand, no pause is asked for"


def test_a_university_that_was_disconnected_begins_nothing(connected: Database) -> None:
    ask(connected)
    (one,) = due(connected)
    with connected.write() as connection:
        disconnect(connection, 1)
    assert (begin_due(connected, one), begin(connected)) == (None, None)
    assert due(connected) == []


def test_a_university_that_was_disconnected_in_the_middle_is_planned_no_more(connected: Database) -> None:
    run_id = begin(connected)
    assert run_id is not None
    with connected.write() as connection:
        disconnect(connection, 1)
        end_job(connection, 1, MIRROR, failed=False, interval=INTERVAL, jitter=0.0, now=NOW)
        note_failure(connection, 1, reason="", retry_after_s=None, jitter=0.0, now=NOW)
        assert (planned_jobs(connection, 1), connections(connection, encryption_key=ENCRYPTION_KEY)) == ([], [])


# The next time


def test_after_a_run_the_interval_begins(connected: Database) -> None:
    run_id = begin(connected)
    assert run_id is not None
    after = end(connected, run_id, now=NOW + SECOND)
    assert (after.next_at, after.ran_at, after.failures) == (NOW + SECOND + INTERVAL, NOW + SECOND, 0)


def test_failures_lengthen_the_wait_and_a_success_ends_that(connected: Database) -> None:
    waits = []
    for failed in (True, True, False):
        run_id = begin(connected)
        assert run_id is not None
        waits.append((end(connected, run_id, failed=failed).next_at - NOW) / INTERVAL)
    assert waits == [2, 4, 1]


def test_who_could_not_work_tries_again_then_and_has_not_failed(connected: Database) -> None:
    run_id = begin(connected)
    assert run_id is not None
    after = end(connected, run_id, retry_at=NOW + 7 * SECOND)
    assert (after.next_at, after.failures) == (NOW + 7 * SECOND, 0)


def test_what_is_asked_for_while_it_runs_is_done_once_more(connected: Database) -> None:
    run_id = begin(connected)
    assert run_id is not None
    ask(connected, at=NOW + SECOND)
    assert end(connected, run_id, now=NOW + 2 * SECOND).next_at == NOW + SECOND
    run_id = begin(connected, now=NOW + 3 * SECOND)
    assert run_id is not None
    assert end(connected, run_id, now=NOW + 3 * SECOND).next_at == NOW + 3 * SECOND + INTERVAL, "and only once"


def test_what_is_asked_for_later_while_it_runs_is_done_then(connected: Database) -> None:
    """Longer ahead than a run is waited for: after the late effect of a call."""
    run_id = begin(connected)
    assert run_id is not None
    ask(connected, at=NOW + 4 * MINUTE)
    assert end(connected, run_id).next_at == NOW + 4 * MINUTE


def test_who_asks_for_later_changes_nothing(connected: Database) -> None:
    ask(connected)
    ask(connected, at=NOW + MINUTE)
    assert planned(connected).next_at == NOW


def test_a_job_that_is_not_of_the_level_cannot_be_asked_for(connected: Database) -> None:
    connect(connected, level=Level.CALENDAR)
    assert not ask(connected, COLLECT)
    assert not ask(connected, MIRROR, university_id=VILNIUS.university_id)
    assert ask(connected, MIRROR)


def test_a_new_plan_is_brought_to_who_shows_the_series_and_nobody_else(connected: Database) -> None:
    connect(connected, VILNIUS.university_id)
    plan_all(connected, FAR)
    with connected.write() as connection:
        tie_course(connection, university_id=1, moodle_course_id=2, title="", series_id=SERIES.series_id, now=NOW)
        ask_for_all(connection, SERIES.series_id, now=NOW)
    assert {(one.university_slug, one.job) for one in due(connected)} == {("malta", MIRROR)}
    told = planned(connected, MoodleJob.ANNOUNCE)
    assert (told.next_at, told.again_at) == (NOW + SETTLE, NOW + SETTLE), "as soon as it is no slip"
    assert (planned(connected).next_at, planned(connected, SWEEP).next_at) == (NOW, FAR)
    assert planned(connected, university_id=VILNIUS.university_id).next_at == FAR


def test_many_may_ask_and_begin_at_once(connected: Database) -> None:
    """Who locks two rows in another order would be refused by PostgreSQL."""
    connect(connected, VILNIUS.university_id)
    with connected.write() as connection:
        for university_id in (1, 2):
            tie_course(
                connection,
                university_id=university_id,
                moodle_course_id=2,
                title="",
                series_id=SERIES.series_id,
                now=NOW,
            )

    def work(own: Database, number: int) -> None:
        if number % 4 == 0:
            begin(own, MIRROR)
        elif number % 4 == 1:
            with own.write() as connection:
                hurry_all(connection, now=NOW)
        else:
            with own.write() as connection:
                ask_for_all(connection, SERIES.series_id, now=NOW)

    at_once(connected, work)
    assert ("mirror", "running") in outcomes(connected)


def test_workers_that_find_the_same_jobs_begin_each_lane_once(connected: Database) -> None:
    plan_all(connected, NOW)

    def work(own: Database, _: int) -> list[int | None]:
        return [begin_planned(replace(services, database=own), one) for one in found]

    found = due(connected)
    services = replace(make_services(make_settings(connected.url)), clock=HandClock())
    begun = [run_id for run_ids in at_once(connected, work) for run_id in run_ids if run_id is not None]
    assert len(begun) == len(found) == 2
    assert {outcome for _, outcome in outcomes(connected)} == {"running"}
    services.http.close()


# A run that dies


def test_a_run_of_a_machine_whose_clock_is_behind_is_not_given_up(connected: Database) -> None:
    begin(connected, SWEEP, NOW - CLOCKS_DIFFER)
    assert begin(connected, MIRROR, NOW + MINUTE) is None


def test_a_dead_run_makes_room_for_its_lane(connected: Database) -> None:
    plan_all(connected, NOW)
    begin(connected, SWEEP)
    late = NOW + ABANDONED_AFTER + SECOND
    assert due_names(connected, NOW + ABANDONED_AFTER) == {COLLECT}
    assert due_names(connected, late) == {MoodleJob.ANNOUNCE, COLLECT}
    assert begin(connected, MIRROR, late) is not None
    assert outcomes(connected) == [("sweep", "failed"), ("mirror", "running")]


def test_a_job_whose_worker_died_is_due_again_soon(connected: Database) -> None:
    ask(connected)
    begin(connected)
    assert due_names(connected, NOW + ABANDONED_AFTER + SECOND) == {MIRROR}


@pytest.mark.parametrize("job", [MIRROR, SWEEP])
def test_after_a_death_in_the_calendar_it_is_compared_once_late_effects_are_over(
    connected: Database, job: MoodleJob
) -> None:
    begin(connected, SWEEP)
    late = NOW + ABANDONED_AFTER + SECOND
    run_id = begin(connected, job, late)
    assert run_id is not None
    end(connected, run_id, job, late)
    assert planned(connected, SWEEP).next_at <= late + LATE_EFFECT
    run_id = begin(connected, MoodleJob.ANNOUNCE, late + SECOND)
    assert run_id is not None
    end(connected, run_id, MoodleJob.ANNOUNCE, late + SECOND)
    with connected.read() as connection:
        asked = connection.execute(sa.select(moodle_job.c.again_at).where(moodle_job.c.job == "sweep")).scalar_one()
    assert asked == late + LATE_EFFECT, "asked for once, not by everyone who comes later"


def test_after_a_death_in_the_completions_no_calendar_is_compared(connected: Database) -> None:
    begin(connected, COLLECT)
    begin(connected, COLLECT, NOW + ABANDONED_AFTER + SECOND)
    assert planned(connected, SWEEP).next_at == FAR


def test_a_run_that_was_given_up_cannot_say_that_it_is_alive(connected: Database) -> None:
    run_id = begin(connected)
    assert run_id is not None
    begin(connected, SWEEP, NOW + ABANDONED_AFTER + SECOND)
    with connected.write() as connection:
        assert not runs.still_alive(connection, run_id, now=NOW + DAY)
    assert outcomes(connected) == [("mirror", "failed"), ("sweep", "running")]


# A site that does not answer


def test_a_site_that_is_down_is_left_alone_and_then_on_trial(connected: Database) -> None:
    ask(connected)
    until = go_down(connected)
    assert until == NOW + MINUTE
    assert due_names(connected, are_suspect=True) == set()
    assert due_names(connected, until) == set(), "it takes no place of a site that answers"
    assert due_names(connected, until, are_suspect=True) == {MIRROR}


def test_a_site_that_answers_again_is_like_all_others(connected: Database) -> None:
    ask(connected)
    go_down(connected)
    answer(connected)
    assert due_names(connected) == {MIRROR}
    assert go_down(connected) == NOW + MINUTE, "and its next pause is the first again"


def test_the_time_since_when_it_fails_stays(connected: Database) -> None:
    go_down(connected)
    go_down(connected, now=NOW + MINUTE)
    with connected.read() as connection:
        (site,) = connections(connection, encryption_key=ENCRYPTION_KEY)
    assert (site.failures, site.failing_since, site.paused_until) == (2, NOW, NOW + 3 * MINUTE)


def test_a_new_connection_is_given_a_new_chance_at_once(connected: Database) -> None:
    go_down(connected)
    run_id = begin(connected)
    assert run_id is not None
    connect(connected)
    assert end(connected, run_id, now=NOW + SECOND).next_at == NOW, "what ran with the old token is done again"


# Clocks


def test_when_the_clock_is_set_everything_is_done_and_nobody_at_work_is_given_up(connected: Database) -> None:
    begin(connected)
    go_down(connected, retry_after_s=3600)
    past = NOW - 3 * DAY
    with connected.write() as connection:
        hurry_all(connection, now=past)
    assert due_names(connected, past, are_suspect=True) == {COLLECT}, "the calendar's lane is still taken"
    assert due_names(connected, past + ABANDONED_AFTER + SECOND, are_suspect=True) == {MoodleJob.ANNOUNCE, COLLECT}


@pytest.mark.parametrize("hurry", [hurry_all, hurry_what_is_of_the_future])
def test_nothing_is_taken_for_late_for_longer_than_a_call_can_be(
    connected: Database, hurry: Callable[..., None]
) -> None:
    begun = Mirror(session_id=SESSION.session_id, event_id=None, fingerprint="", began_at=FAR)
    with connected.write() as connection:
        add_session(connection, SESSION, now=NOW)
        tie_course(
            connection,
            university_id=MALTA.university_id,
            moodle_course_id=2,
            title="",
            series_id=SERIES.series_id,
            now=NOW,
        )
        (course,) = mirrored_courses(connection, MALTA.university_id)
        save_mirrors(connection, course.course_id, [begun], now=FAR)
        ask_again(connection, MALTA.university_id, SWEEP, at=FAR + LATE_EFFECT)
        hurry(connection, now=NOW)
        assert mirrors_of(connection, course.course_id) == [replace(begun, began_at=NOW)]
    assert planned(connected, SWEEP).again_at == NOW + LATE_EFFECT


@pytest.mark.parametrize(("ran_at", "is_hurried"), [(NOW, False), (NOW + DAY, True), (None, True)])
def test_what_was_planned_by_a_clock_that_went_ahead_does_not_wait_for_it(
    connected: Database, ran_at: datetime | None, *, is_hurried: bool
) -> None:
    plan_all(connected, FAR, ran_at=ran_at)
    with connected.write() as connection:
        hurry_what_is_of_the_future(connection, now=NOW)
    assert bool(due(connected)) == is_hurried


def test_a_pause_that_nobody_can_have_asked_for_ends(connected: Database) -> None:
    plan_all(connected, NOW)
    go_down(connected, now=NOW + 9 * DAY)
    begin(connected, SWEEP, NOW + 9 * DAY)
    with connected.write() as connection:
        hurry_what_is_of_the_future(connection, now=NOW)
    assert due_names(connected, are_suspect=True) == {COLLECT}
    assert MoodleJob.ANNOUNCE in due_names(connected, NOW + ABANDONED_AFTER + SECOND, are_suspect=True)
