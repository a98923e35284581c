"""The worker's lanes at a Moodle over HTTP: once over all workers, nobody waits for another, stop and pause hold."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from moodle_sync import moodle_runs
from moodle_sync.mirror_sessions import mirror
from moodle_sync.moodle_access import MoodleAccess
from moodle_sync.moodle_lanes import MoodleLanes
from moodle_sync.moodle_runs import begin_planned
from moodle_sync.services import Services
from series.moodle_jobs import Level, MoodleJob
from series.store import runs
from series.store.database import Database
from series.store.moodle_connections import NewConnection, disconnect, note_answer, save_connection
from series.store.moodle_jobs import ABANDONED_AFTER, DueJob, PlannedJob, ask_for, planned_jobs
from tests.examples import VILNIUS
from tests.integration.partner import Partner, open_partner
from tests.seeds import ENCRYPTION_KEY
from tests.waiting import until

MIRROR = MoodleJob.MIRROR
TEN_MINUTES = timedelta(minutes=10)
Job = Callable[[Services, MoodleAccess], None]


@pytest.fixture
def partner(tmp_path: Path, sqlite_url: str) -> Iterator[Partner]:
    with open_partner(tmp_path, sqlite_url) as opened:
        yield opened


@pytest.fixture(autouse=True)
def mirror_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Of the real jobs, one is enough here; a test may know others."""
    with jobs_are(monkeypatch, mirror=mirror):
        yield


class Hanging:
    """A job whose one call lasts until it is let go, as at a Moodle that hangs; for everybody but `but_not`."""

    def __init__(self, *but_not: str) -> None:
        self.but_not = but_not
        self.begun = threading.Semaphore(0)
        self.go = threading.Event()

    def __call__(self, _: Services, access: MoodleAccess) -> None:
        if access.connection.university_slug not in self.but_not:
            access.before_call()
            self.begun.release()
            assert self.go.wait(10)
        access.moodle.site_info()
        access.counts["looked"] += 1


def look(_: Services, access: MoodleAccess) -> None:
    access.moodle.site_info()
    access.counts["looked"] += 1


@contextmanager
def jobs_are(monkeypatch: pytest.MonkeyPatch, **known: Job) -> Iterator[None]:
    with monkeypatch.context() as patch:
        jobs = {MoodleJob(name): job for name, job in known.items()}
        patch.setattr("moodle_sync.moodle_runs.JOBS", jobs)
        patch.setattr("moodle_sync.moodle_lanes.JOBS", jobs)
        yield


@contextmanager
def lanes_of(
    partner: Partner, *, places: int = 4, suspect_places: int = 1, most_threads: int = 8
) -> Iterator[MoodleLanes]:
    lanes = MoodleLanes(partner.services, places=places, suspect_places=suspect_places, most_threads=most_threads)
    try:
        yield lanes
    finally:
        lanes.stop()


def connect_vilnius(partner: Partner) -> None:
    """At the same sandbox, whose account it may as well be."""
    campus = partner.world.campus
    new = NewConnection(
        university_id=VILNIUS.university_id,
        base_url=campus.issuer,
        token=campus.moodle_token,
        moodle_user_id=campus.moodle_user_id,
    )
    with partner.services.database.write() as connection:
        save_connection(connection, new, encryption_key=ENCRYPTION_KEY, now=partner.now)


def work_off(lanes: MoodleLanes) -> None:
    lanes.begin_due()
    until(lanes.is_idle, "the runs end", within_s=30)


def ran(partner: Partner) -> list[tuple[str, str, str]]:
    """(scope, job, outcome), sorted."""
    return sorted((run.scope, run.job, run.outcome) for run in partner.runs() if run.job in set(MoodleJob))


def planned(partner: Partner, job: MoodleJob = MIRROR) -> PlannedJob:
    with partner.services.database.read() as connection:
        return next(one for one in planned_jobs(connection, 1) if one.job is job)


def ask(partner: Partner, job: MoodleJob = MIRROR) -> None:
    with partner.services.database.write() as connection:
        assert ask_for(connection, 1, job, at=partner.now)


def test_what_is_due_is_done_once_and_then_waits_for_its_interval(partner: Partner) -> None:
    partner.connect()
    with lanes_of(partner) as lanes:
        work_off(lanes)
        work_off(lanes)
        assert ran(partner) == [("malta", "mirror", "done")]
        after = planned(partner)
        assert after.ran_at is not None
        assert timedelta(seconds=240) < after.next_at - after.ran_at <= timedelta(seconds=300)


def test_a_run_with_nothing_to_do_leaves_no_row_and_is_known(partner: Partner) -> None:
    partner.connect()
    partner.mirror()
    ask(partner)
    began_at = partner.now
    with lanes_of(partner) as lanes:
        work_off(lanes)
    after = planned(partner)
    assert (len(ran(partner)), after.ran_at is not None and after.ran_at > began_at) == (1, True)


def test_many_workers_do_a_job_once(partner: Partner) -> None:
    partner.connect()
    with ExitStack() as stack:
        workers = [stack.enter_context(lanes_of(partner)) for _ in range(4)]
        threads = [threading.Thread(target=lanes.begin_due) for lanes in workers * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        until(lambda: all(lanes.is_idle() for lanes in workers), "the runs end", within_s=30)
    assert ran(partner) == [("malta", "mirror", "done")]
    assert len(partner.world.events()) == 3


def test_a_moodle_that_hangs_delays_nobody_else(partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    partner.connect()
    connect_vilnius(partner)
    hanging = Hanging("vilnius")
    with jobs_are(monkeypatch, mirror=hanging), lanes_of(partner, places=2) as lanes:
        lanes.begin_due()
        assert hanging.begun.acquire(timeout=30)
        until(lambda: ("vilnius", "mirror", "done") in ran(partner), "the other one's run ends", within_s=30)
        assert ("malta", "mirror", "running") in ran(partner)
        hanging.go.set()


def test_a_suspect_site_takes_only_a_place_for_suspects(partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    partner.connect(Level.COMPLETIONS)
    connect_vilnius(partner)
    partner.world.sandbox.sites["malta"].switches.set(moodle_status=503, moodle_status_times=1)
    assert partner.run(MIRROR).down is not None
    hanging = Hanging("vilnius")
    with jobs_are(monkeypatch, mirror=hanging, collect=hanging), lanes_of(partner, places=1) as lanes:
        partner.world.advance(TEN_MINUTES.total_seconds())
        lanes.begin_due()
        assert hanging.begun.acquire(timeout=30)
        until(lambda: ("vilnius", "mirror", "done") in ran(partner), "the other one's run ends", within_s=30)
        lanes.begin_due()
        assert not hanging.begun.acquire(timeout=0), "its second job waits: the one place for trials is taken"
        hanging.go.set()


def test_a_site_that_is_slow_gives_its_place_to_another_after_a_while(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner.connect()
    connect_vilnius(partner)
    switches = partner.world.sandbox.sites["malta"].switches
    with jobs_are(monkeypatch, mirror=look), lanes_of(partner, places=1) as lanes:
        switches.set(slow_s=1.5)
        lanes.begin_due()
        until(lambda: ("malta", "mirror", "running") in ran(partner), "the slow one's run begins", within_s=30)
        until(lambda: any(place.called_s for place in lanes._places), "it calls", within_s=30)
        lanes.begin_due()
        assert len(lanes._places) == 1, "the one place is taken"
        monkeypatch.setattr("moodle_sync.moodle_lanes.STUCK_S", 0.3)
        until(lambda: any(place.is_stuck for place in lanes._places), "it is stuck", within_s=30)
        switches.reset()
        lanes.begin_due()
        until(lambda: ("vilnius", "mirror", "done") in ran(partner), "the other one's run ends", within_s=30)
        assert ("malta", "mirror", "running") in ran(partner)


def test_suspects_that_are_stuck_leave_threads_to_the_others(partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    partner.connect(Level.COMPLETIONS)
    connect_vilnius(partner)
    partner.world.sandbox.sites["malta"].switches.set(moodle_status=503, moodle_status_times=1)
    assert partner.run(MIRROR).down is not None
    partner.world.advance(TEN_MINUTES.total_seconds())
    monkeypatch.setattr("moodle_sync.moodle_lanes.STUCK_S", 0.0)
    hanging = Hanging("vilnius")
    with jobs_are(monkeypatch, mirror=hanging, collect=hanging), lanes_of(partner, most_threads=2) as lanes:
        with monkeypatch.context() as patch:
            patch.setattr(lanes, "_most", {False: 0, True: 2})  # the suspects come first
            lanes.begin_due()
            assert hanging.begun.acquire(timeout=30)
            assert hanging.begun.acquire(timeout=30)
        lanes.begin_due()
        until(lambda: ("vilnius", "mirror", "done") in ran(partner), "the other one's run ends", within_s=30)
        until(lambda: len(lanes._places) == 2, "its thread ends", within_s=30)
        hanging.go.set()


def test_no_more_threads_than_the_most_of_a_sort(partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    partner.connect(Level.COMPLETIONS)
    connect_vilnius(partner)
    monkeypatch.setattr("moodle_sync.moodle_lanes.STUCK_S", 0.0)
    hanging = Hanging()
    with jobs_are(monkeypatch, mirror=hanging, collect=hanging), lanes_of(partner, most_threads=2) as lanes:
        lanes.begin_due()
        assert hanging.begun.acquire(timeout=30)
        assert hanging.begun.acquire(timeout=30)
        lanes.begin_due()
        assert len(lanes._places) == 2
        hanging.go.set()


def test_a_database_that_is_busy_is_a_warning_and_the_job_stays_due(partner: Partner) -> None:
    partner.connect()
    database = Database(partner.services.settings.database_url, busy_timeout_s=0)
    lanes = MoodleLanes(replace(partner.services, database=database))
    lanes._seen_at = partner.now
    with capture_logs() as records, partner.services.database.write():
        lanes.begin_due()
        until(lanes.is_idle, "it gives up", within_s=30)
    assert {(record["event"], record["log_level"]) for record in records} == {("moodle_run_skipped", "warning")}
    work_off(lanes)
    assert ran(partner) == [("malta", "mirror", "done")]
    database.dispose()


def test_runs_take_turns_at_the_database(partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    """One connection and one in reserve, and nobody waits for them: more at once would be refused."""
    partner.connect(Level.COMPLETIONS)
    connect_vilnius(partner)
    monkeypatch.setattr("series.store.database.THREADS", 1)
    monkeypatch.setattr("moodle_sync.moodle_lanes.AT_DATABASE", 1)
    database = Database(partner.services.settings.database_url, busy_timeout_s=0)
    together = threading.Barrier(3)

    def begin_together(services: Services, due: DueJob) -> int | None:
        together.wait(10)
        return begin_planned(services, due)

    monkeypatch.setattr("moodle_sync.moodle_lanes.begin_planned", begin_together)
    with jobs_are(monkeypatch, mirror=look, collect=look):
        lanes = MoodleLanes(replace(partner.services, database=database))
        work_off(lanes)
    assert [outcome for _, _, outcome in ran(partner)] == ["done"] * 3
    database.dispose()


def test_nothing_is_begun_after_a_stop_and_who_hangs_is_not_waited_for(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner.connect()
    hanging = Hanging()
    with jobs_are(monkeypatch, mirror=hanging), lanes_of(partner) as lanes:
        lanes.begin_due()
        assert hanging.begun.acquire(timeout=30)
        connect_vilnius(partner)
        lanes.begin_no_more()
        lanes.begin_due()
        with capture_logs() as records:
            lanes.stop(within_s=0)
        assert [(record["event"], record["threads"]) for record in records] == [("moodle_runs_left", 1)]
        hanging.go.set()
    assert [run.scope for run in partner.runs()] == ["malta"]


def test_a_site_that_is_down_is_not_called_in_its_pause_and_tried_after_it(partner: Partner) -> None:
    partner.connect()
    switches = partner.world.sandbox.sites["malta"].switches
    switches.set(moodle_status=503)
    with lanes_of(partner) as lanes:
        work_off(lanes)
        assert len(partner.calls()) == 1
        paused_until = partner.connection().paused_until
        assert paused_until is not None
        assert planned(partner).next_at == paused_until, "after the pause, not after its interval"
        assert planned(partner).failures == 0, "the site's fault is not the job's"
        work_off(lanes)
        assert partner.calls() == []
        switches.reset()
        with partner.services.database.write() as connection:  # "run now"
            note_answer(connection, 1)
            ask_for(connection, 1, MIRROR, at=partner.now)
        work_off(lanes)
    assert partner.calls()
    site = partner.connection()
    assert (site.failures, site.paused_until, site.reason) == (0, None, None)
    assert len(partner.world.events()) == 3


def test_the_longer_a_site_is_down_the_longer_it_is_left_alone(partner: Partner) -> None:
    partner.connect()
    partner.world.sandbox.sites["malta"].switches.set(moodle_status=503)
    pauses = []
    for _ in range(3):
        partner.run(MIRROR)
        paused_until = partner.connection().paused_until
        assert paused_until is not None
        pauses.append(round((paused_until - partner.now) / timedelta(minutes=1), 1))
    assert 1 <= pauses[0] < 2 <= pauses[1] < 4 <= pauses[2] <= 5


def test_a_stop_lets_the_call_in_hand_end_and_makes_no_other(partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    partner.connect()
    partner.calls()
    hanging = Hanging()
    with jobs_are(monkeypatch, mirror=hanging):
        lanes = MoodleLanes(partner.services, places=1, suspect_places=1)
        lanes.begin_due()
        assert hanging.begun.acquire(timeout=30)
        stopping = threading.Thread(target=lanes.stop)
        stopping.start()
        until(lanes._stopping.is_set, "the stop is said", within_s=30)
        assert stopping.is_alive()
        hanging.go.set()
        stopping.join()
    assert partner.calls() == []
    (run,) = partner.runs()
    assert (run.outcome, run.calls, "stopped" in str(run.reason)) == ("failed", 1, True)
    after = planned(partner)
    assert (after.failures, after.next_at <= partner.now) == (0, True), "the next worker goes on at once"


def test_a_run_that_was_given_up_makes_no_more_call_and_writes_nothing_down(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that slept in the middle: another worker has taken over."""
    partner.connect()
    partner.calls()
    hanging = Hanging()
    monkeypatch.setattr("moodle_sync.moodle_access.ALIVE_EVERY_S", 0.0)
    with jobs_are(monkeypatch, mirror=hanging, sweep=look), lanes_of(partner, places=1) as lanes:
        lanes.begin_due()
        assert hanging.begun.acquire(timeout=30)
        with partner.services.database.write() as connection:
            late = partner.now + ABANDONED_AFTER + timedelta(seconds=1)
            runs.close_abandoned(connection, jobs=[MIRROR], scope="malta", before=late, now=late)
        before = planned(partner)
        hanging.go.set()
        until(lanes.is_idle, "it ends", within_s=30)
        assert partner.calls() == []
        assert planned(partner) == before
    (run,) = partner.runs()
    assert "The worker ended" in str(run.reason)


def test_a_job_that_this_worker_lacks_stops_nobody(partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    partner.connect()
    with jobs_are(monkeypatch, sweep=look), lanes_of(partner) as lanes:
        work_off(lanes)
    assert ran(partner) == [("malta", "sweep", "done")]


def test_an_error_of_ours_is_written_down_and_waits_longer_each_time(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(_: Services, __: MoodleAccess) -> None:
        raise KeyError("a secret of the campus")

    partner.connect()
    with jobs_are(monkeypatch, mirror=break_down):
        partner.run(MIRROR)
        came = partner.run(MIRROR)
    assert came.problems == ["An error of ours (KeyError); it has been noted."]
    after = planned(partner)
    assert (after.failures, after.next_at - partner.now > timedelta(seconds=1000)) == (2, True)


def test_what_a_run_counts_may_have_any_name_and_no_zero_is_kept(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def count(_: Services, access: MoodleAccess) -> None:
        access.counts.update(event=1, calls=2, job=3, read=0)

    partner.connect()
    with jobs_are(monkeypatch, mirror=count):
        partner.run(MIRROR)
    assert [run.counts for run in partner.runs()] == [{"event": 1, "calls": 2, "job": 3}]


def test_a_university_that_is_disconnected_in_the_middle_is_said_so(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected = partner.connect()
    run_id = moodle_runs.begin(partner.services, connected, MIRROR, slot="1")
    assert run_id is not None
    with partner.services.database.write() as connection:
        disconnect(connection, 1)
    assert moodle_runs.run_job(partner.services, MIRROR, run_id) == moodle_runs.Came()
    (run,) = partner.runs()
    assert (run.outcome, run.reason) == (
        "failed",
        "The Moodle was disconnected or connected anew in the middle of the run.",
    )


def test_a_token_that_cannot_be_opened_is_said_in_words(partner: Partner) -> None:
    connected = partner.connect()
    run_id = moodle_runs.begin(partner.services, connected, MIRROR, slot="1")
    assert run_id is not None
    other = replace(partner.services.settings, encryption_key=ENCRYPTION_KEY[::-1].replace(b"=", b"") + b"=")
    came = moodle_runs.run_job(replace(partner.services, settings=other), MIRROR, run_id)
    assert "ENCRYPTION_KEY" in came.problems[0]
    assert [run.outcome for run in partner.runs()] == ["failed"]


def test_when_the_clock_is_put_back_the_plan_follows_it(partner: Partner) -> None:
    partner.connect()
    with lanes_of(partner) as lanes:
        work_off(lanes)
        partner.world.advance(-timedelta(days=7).total_seconds())
        work_off(lanes)
        after = planned(partner)
        assert after.ran_at is not None
        assert abs(after.ran_at - partner.now) < timedelta(minutes=1)
