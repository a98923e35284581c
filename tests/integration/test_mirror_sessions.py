"""Sessions into a course calendar, over real HTTP: what is made, changed, left alone, and healed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from moodle_sync.cli import moodle_sync
from moodle_sync.mirror_sessions import plan_university
from moodle_sync.moodle_runs import Came, begin, run_job
from sandbox_lms.calendar import all_events, delete_event, put_event
from sandbox_lms.campus import MALTA as CAMPUS
from sandbox_lms.site import Site
from series.moodle_jobs import LATE_EFFECT, MoodleJob
from series.sessions import Session, Status
from series.store.mirrors import mirrored_courses, mirrors_of, save_mirrors
from series.store.moodle_connections import disconnect
from tests.conftest import make_environment
from tests.examples import MALTA, moved
from tests.integration.partner import Partner, open_partner

DAY = timedelta(days=1)


@pytest.fixture
def partner(tmp_path: Path, sqlite_url: str) -> Iterator[Partner]:
    with open_partner(tmp_path, sqlite_url) as opened:
        opened.connect()
        yield opened


@pytest.fixture
def mirrored(partner: Partner) -> Partner:
    """Three sessions, each with its event."""
    assert partner.mirror().counts == {"created": 3}
    partner.calls()
    return partner


def site(partner: Partner) -> Site:
    return partner.world.sandbox.sites["malta"]


def events(partner: Partner) -> list[dict[str, Any]]:
    """By their start."""
    return partner.world.events()


def forget_answers(partner: Partner) -> None:
    """As if the worker had been killed after each call and before it noted the answer."""
    with partner.services.database.write() as connection:
        (course,) = mirrored_courses(connection, MALTA.university_id)
        forgotten = [
            replace(known, event_id=None, began_at=partner.now) for known in mirrors_of(connection, course.course_id)
        ]
        save_mirrors(connection, course.course_id, forgotten, now=partner.now)


def remove(partner: Partner, event_id: int) -> None:
    """A teacher deletes an event."""
    with site(partner).database.write() as connection:
        delete_event(connection, site(partner), event_id)


def later(session: Session) -> Session:
    return replace(moved(session, DAY), moved_from_at=session.start_at, sequence=1)


# Making and changing


def test_every_session_becomes_an_event(partner: Partner) -> None:
    assert partner.mirror() == Came(counts={"created": 3}, calls=2)
    made = events(partner)
    assert [event["timestart"] for event in made] == [int(s.start_at.timestamp()) for s in partner.seeded.sessions]
    assert {event["timeduration"] for event in made} == {7200}
    for event, session in zip(made, partner.seeded.sessions, strict=True):
        assert event["name"] == session.title
        assert f"/s/{session.session_id}?i=" in event["description"]
        assert str(session.join_url) not in event["description"]


def test_a_second_run_makes_no_call(mirrored: Partner) -> None:
    assert mirrored.mirror() == Came()
    assert mirrored.calls() == []


def test_a_run_is_written_down(mirrored: Partner) -> None:
    (run,) = mirrored.runs()
    assert (run.job, run.scope, run.outcome, run.counts, run.reason) == (
        "mirror", "malta", "done", {"created": 3}, None,
    )  # fmt: skip


def test_a_moved_session_moves_its_event(mirrored: Partner) -> None:
    first, second, third = events(mirrored)
    changed = mirrored.change(later(mirrored.seeded.sessions[1]))
    assert mirrored.mirror().counts == {"updated": 1}
    after = events(mirrored)
    assert [event["event_id"] for event in after] == [first["event_id"], second["event_id"], third["event_id"]]
    assert after[1]["timestart"] == int(changed.start_at.timestamp())
    assert after[1]["timeduration"] == 7200
    assert "Moved from" in after[1]["description"]
    assert [after[0], after[2]] == [first, third]


def test_a_cancelled_session_says_so_in_its_event(mirrored: Partner) -> None:
    cancelled = mirrored.change(replace(mirrored.seeded.sessions[1], status=Status.CANCELLED, sequence=1))
    assert mirrored.mirror().counts == {"updated": 1}
    assert [event["name"] for event in events(mirrored)][1] == f"CANCELLED: {cancelled.title}"


def test_a_cancelled_sessions_event_goes_when_its_date_has_passed(mirrored: Partner) -> None:
    cancelled = mirrored.change(replace(mirrored.seeded.sessions[0], status=Status.CANCELLED, sequence=1))
    mirrored.world.advance((cancelled.end_at - mirrored.now + DAY).total_seconds())
    assert mirrored.mirror().counts == {"deleted": 1}
    assert len(events(mirrored)) == 2


def test_a_dry_run_calls_nothing(partner: Partner) -> None:
    (planned,) = plan_university(partner.services, partner.connection())
    assert len(planned.plan.create) == 3
    assert partner.calls() == []


# Healing


def test_an_event_that_somebody_deleted_is_made_again_with_the_next_change(mirrored: Partner) -> None:
    gone = events(mirrored)[1]["event_id"]
    remove(mirrored, gone)
    changed = mirrored.change(later(mirrored.seeded.sessions[1]))
    assert mirrored.mirror().counts == {"created": 1}
    made = events(mirrored)
    assert [event["timestart"] for event in made][1] == int(changed.start_at.timestamp())
    assert gone not in [event["event_id"] for event in made]
    mirrored.calls()
    mirrored.mirror()
    assert mirrored.calls() == []


def test_a_crash_between_call_and_note_is_healed_and_leaves_no_double(mirrored: Partner) -> None:
    before = [event["event_id"] for event in events(mirrored)]
    forget_answers(mirrored)
    assert mirrored.mirror().counts == {"adopted": 3}
    assert [event["event_id"] for event in events(mirrored)] == before
    mirrored.calls()
    mirrored.mirror()
    assert mirrored.calls() == []


def test_a_crash_before_the_call_is_healed(mirrored: Partner) -> None:
    for event in events(mirrored):
        remove(mirrored, event["event_id"])
    forget_answers(mirrored)
    assert mirrored.mirror() == Came(counts={"waiting": 3}, calls=1)
    mirrored.world.advance(LATE_EFFECT.total_seconds())
    assert mirrored.mirror().counts == {"created": 3}
    assert len(events(mirrored)) == 3


def test_a_double_that_carries_our_marker_is_removed(mirrored: Partner) -> None:
    with site(mirrored).database.write() as connection:
        original = all_events(connection, site(mirrored))[0]
        put_event(connection, site(mirrored), replace(original, event_id=900))
    forget_answers(mirrored)
    mirrored.mirror()
    assert original.event_id in [event["event_id"] for event in events(mirrored)]
    assert len(events(mirrored)) == 3


def test_an_event_of_somebody_else_is_never_touched(mirrored: Partner) -> None:
    with site(mirrored).database.write() as connection:
        original = all_events(connection, site(mirrored))[0]
        copied = replace(original, event_id=900, user_id=8, name="A teacher's copy, with our link")
        put_event(connection, site(mirrored), copied)
    forget_answers(mirrored)
    mirrored.change(replace(mirrored.seeded.sessions[0], status=Status.CANCELLED))
    mirrored.mirror()
    (found,) = [event for event in events(mirrored) if event["event_id"] == 900]
    assert (found["name"], found["user_id"]) == ("A teacher's copy, with our link", 8)


# Trouble


def test_an_unreachable_moodle_fails_the_run_in_words_and_the_next_run_goes_on(partner: Partner) -> None:
    partner.world.sandbox.switches["malta"].set(down=True)
    report = partner.mirror()
    assert report.counts == {}
    assert "503" in report.problems[0]
    (run,) = partner.runs()
    assert (run.outcome, run.reason) == ("failed", report.problems[0])

    partner.world.sandbox.switches["malta"].reset()
    partner.mirror()
    assert len(events(partner)) == 3


def test_an_event_that_moodle_refuses_does_not_hold_up_the_others(tmp_path: Path, sqlite_url: str) -> None:
    """Moodle lets us make an event before its course starts, and then refuses to change it."""
    starts_on = (datetime.now(UTC) + 10 * DAY).date()
    with open_partner(tmp_path, sqlite_url, replace(CAMPUS, course_starts_on=starts_on)) as partner:
        partner.connect()
        assert partner.mirror().counts == {"created": 3}
        _, in_a_week, in_two_weeks = partner.seeded.sessions
        for session in (in_a_week, in_two_weeks):
            partner.change(later(session))
        report = partner.mirror()
        assert report.counts == {"updated": 1}
        (problem,) = report.problems
        assert "start date of the course" in problem
        assert partner.runs()[0].outcome == "done"


def test_a_run_says_before_its_call_that_it_is_alive(partner: Partner) -> None:
    run_id = begin(partner.services, partner.connection(), MoodleJob.MIRROR, slot="1")
    assert run_id is not None
    partner.world.advance(100)
    called_at = partner.now
    run_job(partner.services, MoodleJob.MIRROR, run_id)
    assert partner.runs()[0].alive_at >= called_at


def test_a_university_that_is_no_longer_connected_is_no_crash(partner: Partner) -> None:
    run_id = begin(partner.services, partner.connection(), MoodleJob.MIRROR, slot="1")
    assert run_id is not None
    with partner.services.database.write() as connection:
        disconnect(connection, MALTA.university_id)
    assert run_job(partner.services, MoodleJob.MIRROR, run_id) == Came()
    assert partner.runs()[0].outcome == "failed"


def test_a_run_that_was_given_up_does_nothing(partner: Partner) -> None:
    run_id = begin(partner.services, partner.connection(), MoodleJob.MIRROR, slot="1")
    assert run_id is not None
    partner.world.advance(3600)
    partner.mirror()
    partner.calls()
    assert run_job(partner.services, MoodleJob.MIRROR, run_id) == Came()
    assert partner.calls() == []


# By hand


def test_a_sweep_by_hand_says_what_it_would_do_and_then_does_it(mirrored: Partner) -> None:
    environment = make_environment(mirrored.world.tool_url, mirrored.services.settings.database_url)
    environment["SHARED_SESSIONS_CLOCK_FILE"] = str(mirrored.world.clock.offset_file)
    run = partial(CliRunner(env=environment).invoke, moodle_sync)
    original = events(mirrored)[1]
    with site(mirrored).database.write() as connection:
        for event in all_events(connection, site(mirrored)):
            if event.event_id == original["event_id"]:
                put_event(connection, site(mirrored), replace(event, name="Room 7"))
    said = run(["run", "sweep", "--dry-run"]).output
    assert f"put right event {original['event_id']}" in said
    assert "(called “Room 7”)" in said
    assert events(mirrored)[1]["name"] == "Room 7"
    done = run(["run", "sweep", "--university", "malta"])
    assert done.output.startswith("malta: 1 repaired")
    assert "was changed in Moodle (called “Room 7”)" in done.output
    assert {**events(mirrored)[1], "timemodified": 0} == {**original, "timemodified": 0}
    assert run(["run", "sweep", "--dry-run"]).output.splitlines()[1:] == ["  nothing to do"]
