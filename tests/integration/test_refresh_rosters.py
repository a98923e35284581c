"""Rosters of a partner's courses, read over real HTTP: lti-cases 42 to 45, and what becomes of people who leave."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from msgspec import structs

from lms.errors import LmsError, NotFound, TryLater
from lms.nrps import MEDIA_TYPE_MEMBERSHIPS, SCOPE_MEMBERSHIPS
from moodle_sync import jobs
from moodle_sync.cli import main
from moodle_sync.deliver_scores import deliver
from moodle_sync.refresh_rosters import next_after_failure
from moodle_sync.worker import Tick
from sandbox_lms.campus import MALTA as CAMPUS
from sandbox_lms.campus import Campus
from sandbox_lms.made_up import made_up_campus
from series.store.erasure import erase_person
from series.store.records import completions_of
from series.store.rosters import Roster, roster_of
from series.store.runs import SyncRun, slot_by_hand
from series.store.tables import audit
from series.tombstones import Whom
from tests.conftest import NOW
from tests.examples import SERIES
from tests.integration.partner import Partner, launch_at, open_partner
from tests.seeds import ENCRYPTION_KEY, launch

MEMBERSHIPS = "/mod/lti/services.php/CourseSection/2/bindings/1/memberships"
EVERYBODY = {"3", "4", "5", "6", "7", "8"}
TEACHER = "8"
INTERVAL = timedelta(hours=6)
Run = Callable[..., str]


@pytest.fixture
def campus() -> Campus:
    return CAMPUS


@pytest.fixture
def partner(tmp_path: Path, sqlite_url: str, campus: Campus) -> Iterator[Partner]:
    """The student has come from a course that tells where its roster is."""
    with open_partner(tmp_path, sqlite_url, campus) as opened:
        come(opened, "3")
        yield opened


def come(partner: Partner, sub: str, *, path: str = MEMBERSHIPS, **changes: str) -> int:
    """Somebody opens the activity of a course; the course's id."""
    new = structs.replace(
        launch_at(partner.world, partner.seeded, sub), memberships_url=partner.world.url(path), **changes
    )
    visit = launch(partner.services.database, new, now=partner.now)
    assert visit.course_id is not None
    return visit.course_id


def refresh(partner: Partner) -> SyncRun:
    """One run by hand, over all courses."""
    run_id = jobs.begin(partner.services, "rosters", "malta", slot=slot_by_hand())
    assert run_id is not None
    jobs.run_rosters(partner.services, run_id, only_due=False)
    return next(run for run in partner.runs() if run.run_id == run_id)


def roster(partner: Partner, course_id: int = 1) -> Roster:
    with partner.services.database.read() as connection:
        return roster_of(connection, course_id)


def there(partner: Partner, course_id: int = 1) -> set[str]:
    return {member.sub for member in roster(partner, course_id).members if member.is_there}


def test_dpo_12_who_was_erased_is_not_read_in_again(partner: Partner) -> None:
    refresh(partner)
    person = Whom(university_id=1, issuer=partner.world.url(""), sub="3")
    with partner.services.database.write() as connection:
        key = partner.services.settings.secret_key
        assert erase_person(connection, person, by="participant 1", secret_key=key, now=partner.now)
    refresh(partner)
    assert {one.sub for one in roster(partner).members} == EVERYBODY - {"3"}


def switch(partner: Partner, **switches: object) -> None:
    partner.world.sandbox.switches["malta"].set(**switches)  # type: ignore[arg-type]


# Names and Roles, as the conformance suite asks for it


def test_lti_042_the_roster_is_asked_for_in_its_media_type(partner: Partner) -> None:
    refresh(partner)
    asked = [entry for entry in partner.world.sandbox.sites["malta"].journal.entries() if entry.path == MEMBERSHIPS]
    assert [entry.accept for entry in asked] == [MEDIA_TYPE_MEMBERSHIPS]


def test_lti_043_it_is_asked_for_with_a_token_that_is_kept_for_the_next_time(partner: Partner) -> None:
    for _ in range(2):
        refresh(partner)
    entries = partner.world.sandbox.sites["malta"].journal.entries()
    asked = [(entry.path, entry.status) for entry in entries]
    assert asked == [("/mod/lti/token.php", 200), (MEMBERSHIPS, 200), (MEMBERSHIPS, 200)]


@pytest.mark.parametrize(
    "campus", [replace(CAMPUS, scopes=tuple(scope for scope in CAMPUS.scopes if scope != SCOPE_MEMBERSHIPS))]
)
def test_lti_044_without_its_scope_there_is_no_roster_and_its_administrator_is_named(partner: Partner) -> None:
    run = refresh(partner)
    assert run.outcome == "failed"
    assert "administrator" in str(run.reason)
    assert roster(partner).failing_since is not None


def test_lti_045_who_is_listed_is_in_the_course_and_students_are_told_from_teachers(partner: Partner) -> None:
    assert refresh(partner).counts == {"read": 1, "held": 0, "new": 6, "suspended": 0, "gone": 0}
    assert there(partner) == EVERYBODY
    assert {member.sub for member in roster(partner).members if not member.is_learner} == {TEACHER}


# Over several readings


def test_the_walk_of_somebody_who_leaves(partner: Partner) -> None:
    refresh(partner)
    done = partner.check_in()
    switch(partner, left=["3"], suspended=["4"], roster_page_size=2)
    deliver(partner.services, done)
    row = partner.delivery(done)
    assert row.state == "failed"
    assert "no longer a student of the course" in str(row.outcome)
    assert refresh(partner).counts == {"read": 1, "held": 0, "new": 0, "suspended": 1, "gone": 1}
    assert there(partner) == EVERYBODY - {"3", "4"}
    with partner.services.database.read() as connection:
        kept = completions_of(connection, participant_id=partner.student.participant_id, series_id=SERIES.series_id)
    assert list(kept) == partner.seeded.session_ids[:1]


def test_pitfall_32_a_list_that_is_suddenly_empty_is_held_and_the_run_says_so(partner: Partner) -> None:
    refresh(partner)
    switch(partner, left=sorted(EVERYBODY))
    run = refresh(partner)
    assert (run.outcome, run.counts["held"], run.counts["gone"]) == ("done", 1, 0)
    assert "6 of 6 people are gone" in str(run.reason)
    assert "--accept 1" in str(run.reason)
    assert there(partner) == EVERYBODY


@pytest.mark.parametrize("campus", [replace(CAMPUS, people=made_up_campus(1, students=20).people)])
def test_pitfall_32_a_list_that_ends_early_takes_nobody_away(partner: Partner) -> None:
    refresh(partner)
    everybody = there(partner)
    switch(partner, roster_lists=12)
    assert refresh(partner).counts == {"read": 1, "held": 1, "new": 0, "suspended": 0, "gone": 0}
    assert there(partner) == everybody
    switch(partner, roster_lists=None)
    refresh(partner)
    assert len(there(partner)) == 21


def test_one_course_that_fails_delays_no_other_and_is_tried_again_later(partner: Partner) -> None:
    broken = come(partner, "3", path="/nowhere", context_id="9", resource_link_id="9")
    run = refresh(partner)
    assert (run.outcome, run.counts["read"]) == ("done", 1)
    assert f"course {broken}" in str(run.reason)
    assert there(partner) == EVERYBODY
    assert roster(partner, broken).failing_since is not None
    assert "no roster at the address" in str(roster(partner, broken).reason)


def test_an_lms_that_is_down_changes_nothing(partner: Partner) -> None:
    refresh(partner)
    switch(partner, down=True)
    assert refresh(partner).outcome == "failed"
    assert there(partner) == EVERYBODY
    switch(partner, down=False)
    refresh(partner)
    assert roster(partner).failing_since is None


def test_a_platform_that_is_down_is_asked_once_and_all_its_courses_are_postponed(partner: Partner) -> None:
    other = come(partner, "3", context_id="9", resource_link_id="9")
    switch(partner, down=True)
    partner.calls()
    assert refresh(partner).outcome == "failed"
    assert len(partner.calls()) == 1
    assert all(roster(partner, course_id).failing_since for course_id in (1, other))


# When


def rosters_of(partner: Partner) -> list[SyncRun]:
    return [run for run in partner.runs() if run.job == "rosters"]


def test_a_new_course_is_read_at_the_next_look_and_then_once_an_interval(partner: Partner) -> None:
    tick = Tick(partner.services)
    for seconds, runs in ((0, 1), (60, 1), (INTERVAL.total_seconds(), 2)):
        partner.world.advance(seconds)
        tick()
        for run in rosters_of(partner):
            if run.outcome == "running":
                jobs.run_rosters(partner.services, run.run_id)
        assert len(rosters_of(partner)) == runs
    assert {run.counts["read"] for run in rosters_of(partner)} == {1}


def test_two_workers_look_at_once_and_one_reads(partner: Partner) -> None:
    for _ in range(2):
        Tick(partner.services)()
    assert [run.scope for run in rosters_of(partner)] == ["malta"]


@pytest.mark.parametrize(
    ("failures", "error", "minutes"),
    [
        (1, TryLater("lms.example", status=503), 5),
        (3, TryLater("lms.example", status=503), 20),
        (90, TryLater("lms.example", status=503), 360),
        (1, TryLater("lms.example", status=429, retry_after_s=3600), 60),
        (1, NotFound("It is gone.", status=404), 360),
    ],
)
def test_after_a_failure_it_is_asked_later_each_time_and_never_less_often_than_else(
    failures: int, error: LmsError, minutes: int
) -> None:
    times = [
        next_after_failure(NOW, failures=failures, interval=INTERVAL, error=error, jitter=jitter) - NOW
        for jitter in (0, 1)
    ]
    assert times == [timedelta(minutes=minutes), timedelta(minutes=minutes) * 1.25]


# By hand


@pytest.fixture
def run(partner: Partner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `moodle-sync run rosters` in this process; gives what it printed, or what it said when it failed."""
    settings = partner.services.settings
    environment = {
        "PUBLIC_URL": settings.public_url,
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": settings.secret_key.decode(),
        "ENCRYPTION_KEY": ENCRYPTION_KEY.decode(),
        "CLOCK_FILE": str(settings.clock_file),
    }
    for name, value in environment.items():
        monkeypatch.setenv(f"SHARED_SESSIONS_{name}", value)

    def run(*options: str, status: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["moodle-sync", "run", "rosters", *options])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert (ended.value.code or 0) == status, (out, err)
        return str(err if status else out)

    return run


def test_a_dry_run_says_what_would_change_and_writes_nothing(partner: Partner, run: Run) -> None:
    assert run("--dry-run", "--university", "malta") == "malta, course 1 “Teaching STEM”: 6 new\n"
    assert roster(partner) == Roster()
    assert partner.runs() == []


def test_all_are_read_by_hand(partner: Partner, run: Run) -> None:
    assert "malta: 0 gone, 0 held, 6 new, 1 read, 0 suspended\n" in run()
    assert there(partner) == EVERYBODY


def test_what_is_held_is_accepted_by_hand_and_written_down(partner: Partner, run: Run) -> None:
    refresh(partner)
    switch(partner, left=sorted(EVERYBODY))
    assert "would be held: 6 of 6 people are gone" in run("--dry-run")
    assert "6 of 6 people are gone" in run("--university", "malta", status=1)
    assert run("--accept", "1") == "Course 1: 6 of 6 are no longer in the course.\n"
    assert there(partner) == set()
    with partner.services.database.read() as connection:
        (line,) = connection.execute(sa.select(audit))
    assert (line.actor, line.action, line.object) == ("operator", "accept_roster", "course 1")


def test_what_is_asked_wrongly_is_said_in_a_sentence(run: Run) -> None:
    assert "Nothing is held for a course 7" in run("--accept", "7", status=1)
    assert "There is no university 'nowhere'" in run("--university", "nowhere", status=1)
    assert "goes with no other option" in run("--accept", "1", "--dry-run", status=2)
