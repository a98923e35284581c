"""The brake: what the calendar says waits until a person has seen exactly what would change."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from moodle_sync.import_series import import_series
from series import hand_edits
from series.plans import Kind, Reason
from series.sessions import Session
from series.store.audit import OPERATOR
from series.store.hand_edits import edit_session, version_of
from series.store.held_plans import HeldPlan, NothingHeld, PlanOutdated, accept, reject
from series.store.sessions import add_session, find_series, save_import
from tests.examples import SERIES
from tests.integration.coordinator import WEEK, Coordinator, as_calendar, open_coordinator, weekly

HOUR = timedelta(hours=1)


@pytest.fixture
def coordinator(database_url: str, tmp_path: Path) -> Iterator[Coordinator]:
    with open_coordinator(database_url, tmp_path) as made:
        made.begins_with(*weekly(6))
        yield made


def yes(coordinator: Coordinator, held: HeldPlan, *, apart: bool = False) -> HeldPlan:
    with coordinator.services.database.write() as connection:
        return accept(
            connection,
            SERIES.series_id,
            held.digest,
            apart=apart,
            actor=OPERATOR,
            now=coordinator.services.clock.now(),
        )


def no(coordinator: Coordinator, held: HeldPlan) -> HeldPlan:
    with coordinator.services.database.write() as connection:
        return reject(connection, SERIES.series_id, held.digest, actor=OPERATOR, now=coordinator.services.clock.now())


def held_of(coordinator: Coordinator, *, without: int) -> HeldPlan:
    """After the calendar has lost its first entries."""
    held = coordinator.changes_to(*weekly(6)[without:]).held
    assert held is not None
    return held


def source(coordinator: Coordinator) -> str | None:
    with coordinator.services.database.read() as connection:
        return find_series(connection, SERIES.slug).source


def change(coordinator: Coordinator, session: Session) -> None:
    with coordinator.services.database.write() as connection:
        save_import(
            connection, SERIES.series_id, new=[], changed=[session], rekeyed=[], now=coordinator.services.clock.now()
        )


def test_a_single_deleted_entry_is_one_cancelled_session(coordinator: Coordinator) -> None:
    imported = coordinator.changes_to(*weekly(6)[1:])
    assert (imported.changed, imported.held) == (1, None)
    assert coordinator.sessions()["Week 1"].is_cancelled


def test_several_deleted_entries_change_nothing_until_somebody_says_yes(coordinator: Coordinator) -> None:
    before = coordinator.sessions()
    held = held_of(coordinator, without=3)
    assert held.reasons == (Reason.MANY_CANCELLED,)
    assert [(c.kind, c.after.title) for c in held.changes] == [(Kind.CANCELLED, f"Week {n}") for n in (1, 2, 3)]
    assert coordinator.sessions() == before
    yes(coordinator, held)
    assert [title for title, s in coordinator.sessions().items() if s.is_cancelled] == ["Week 1", "Week 2", "Week 3"]
    assert coordinator.held() is None
    assert coordinator.imports().held is None


def test_the_same_plan_is_held_once_and_since_then(coordinator: Coordinator) -> None:
    held = held_of(coordinator, without=3)
    coordinator.waits(60)
    assert coordinator.imports().held == held


def test_another_plan_takes_its_place_and_the_old_one_can_no_longer_be_accepted(coordinator: Coordinator) -> None:
    old = held_of(coordinator, without=3)
    new = held_of(coordinator, without=4)
    assert new.digest != old.digest
    with pytest.raises(NothingHeld):
        yes(coordinator, old)
    assert not any(session.is_cancelled for session in coordinator.sessions().values())


def test_a_calendar_that_was_mended_is_held_no_longer(coordinator: Coordinator) -> None:
    held_of(coordinator, without=3)
    assert coordinator.changes_to(*weekly(6)).held is None
    assert coordinator.held() is None


def test_a_no_is_remembered_until_the_calendar_says_something_else(coordinator: Coordinator) -> None:
    before = coordinator.sessions()
    held = held_of(coordinator, without=3)
    no(coordinator, held)
    again = coordinator.imports()
    assert again.held is None
    assert again.refused
    assert again.refused.changes == held.changes
    assert coordinator.sessions() == before


def test_after_a_no_the_rest_goes_on(coordinator: Coordinator) -> None:
    no(coordinator, held_of(coordinator, without=3))
    *some, last = weekly(6)[3:]
    imported = coordinator.changes_to(*some, replace(last, uid="Week-6", title="Renamed"))
    assert (imported.changed, imported.held) == (1, None)
    assert coordinator.changes_to(*some).changed == 1
    assert [title for title, session in coordinator.sessions().items() if session.is_cancelled] == ["Renamed"]


def test_what_the_calendar_takes_back_is_no_longer_refused(coordinator: Coordinator) -> None:
    no(coordinator, held_of(coordinator, without=3))
    assert coordinator.changes_to(*weekly(6)).refused is None
    assert coordinator.changes_to(*weekly(6)[1:]).changed == 1


def test_a_second_no_adds_to_the_first(coordinator: Coordinator) -> None:
    no(coordinator, held_of(coordinator, without=3))
    no(coordinator, held_of(coordinator, without=5))
    imported = coordinator.imports()
    assert imported.held is None
    assert imported.refused
    assert len(imported.refused.changes) == 5
    assert not any(session.is_cancelled for session in coordinator.sessions().values())


@pytest.mark.parametrize("answered", [False, True])
def test_a_plan_does_not_carry_itself_out_as_time_passes(coordinator: Coordinator, answered: bool) -> None:  # noqa: FBT001
    """Of three sessions to be cancelled, two are left when the first has begun."""
    coordinator.changes_to(*weekly(12))
    held = coordinator.changes_to(*weekly(12)[3:]).held
    assert held
    if answered:
        no(coordinator, held)
    coordinator.waits((WEEK + HOUR).total_seconds())
    imported = coordinator.imports()
    assert (imported.changed, imported.held is None) == (0, answered)
    assert not any(session.is_cancelled for session in coordinator.sessions().values())


def test_what_is_held_leaves_the_source_as_it_was_until_it_is_accepted(
    coordinator: Coordinator, tmp_path: Path
) -> None:
    other = tmp_path / "other.ics"
    other.write_bytes(as_calendar(*weekly(6)[3:]))
    held = import_series(coordinator.services, coordinator.series, str(other), by_hand=True).held
    assert held
    assert source(coordinator) == str(coordinator.file)
    assert coordinator.imports().held is None
    assert coordinator.held() == held
    yes(coordinator, held)
    assert source(coordinator) == str(other)


def test_the_worker_does_not_put_another_plan_before_the_one_that_somebody_looks_at(
    coordinator: Coordinator, tmp_path: Path
) -> None:
    other = tmp_path / "other.ics"
    other.write_bytes(as_calendar(*weekly(6)[3:]))
    held = import_series(coordinator.services, coordinator.series, str(other), by_hand=True).held
    assert coordinator.changes_to(*weekly(6)[4:]).held == held
    assert coordinator.held() == held
    assert held
    yes(coordinator, held)
    assert source(coordinator) == str(other)


def test_a_worker_that_comes_late_does_not_put_the_old_source_back(coordinator: Coordinator, tmp_path: Path) -> None:
    other = tmp_path / "other.ics"
    other.write_bytes(as_calendar(*weekly(6), replace(weekly(7)[6], title="Of the new source")))
    import_series(coordinator.services, coordinator.series, str(other), by_hand=True)
    coordinator.writes(*weekly(5))
    assert coordinator.imports().changed == 0
    assert source(coordinator) == str(other)
    assert not any(session.is_cancelled for session in coordinator.sessions().values())


def test_a_plan_that_comes_too_late_is_not_accepted(coordinator: Coordinator) -> None:
    """It moves a session to a time that has passed meanwhile."""
    early = [replace(e, start_at=e.start_at - timedelta(days=number)) for number, e in enumerate(weekly(6), 1)]
    held = coordinator.changes_to(*early).held
    assert held
    coordinator.waits((WEEK - HOUR).total_seconds())
    with pytest.raises(PlanOutdated):
        yes(coordinator, held)


def test_after_a_no_it_can_still_be_accepted(coordinator: Coordinator) -> None:
    no(coordinator, held_of(coordinator, without=3))
    refused = coordinator.imports().refused
    assert refused
    yes(coordinator, refused)
    assert sum(session.is_cancelled for session in coordinator.sessions().values()) == 3


def test_sessions_that_changed_since_are_not_overwritten(coordinator: Coordinator) -> None:
    held = held_of(coordinator, without=3)
    change(coordinator, replace(coordinator.sessions()["Week 2"], title="Another title"))
    with pytest.raises(PlanOutdated):
        yes(coordinator, held)
    assert not any(session.is_cancelled for session in coordinator.sessions().values())
    assert coordinator.held() == held


def test_a_session_that_has_begun_since_is_not_cancelled(coordinator: Coordinator) -> None:
    held = held_of(coordinator, without=3)
    coordinator.waits((WEEK + HOUR).total_seconds())
    with pytest.raises(PlanOutdated):
        yes(coordinator, held)


def test_an_entry_that_was_made_again_is_held_as_a_guess_with_both_ways_out(coordinator: Coordinator) -> None:
    first, *others = weekly(6)
    week_1 = coordinator.sessions()["Week 1"]
    made_again = replace(first, uid="made-again", start_at=first.start_at + HOUR)
    held = coordinator.changes_to(made_again, *others).held
    assert held is not None
    assert held.reasons == (Reason.GUESSED,)
    assert [(c.kind, c.after.session_id) for c in held.changes] == [(Kind.PAIRED, week_1.session_id)]
    assert [c.kind for c in held.changes_apart] == [Kind.CANCELLED, Kind.NEW]
    yes(coordinator, held)
    (same,) = [s for s in coordinator.sessions().values() if s.title == "Week 1"]
    assert (same.session_id, same.start_at) == (week_1.session_id, made_again.start_at)
    assert coordinator.imports() == replace(coordinator.imports(), new=0, changed=0, held=None)


def test_what_was_guessed_wrongly_becomes_a_session_of_its_own(coordinator: Coordinator) -> None:
    first, *others = weekly(6)
    held = coordinator.changes_to(replace(first, uid="made-again", title="Something else"), *others).held
    assert held is not None
    yes(coordinator, held, apart=True)
    found = coordinator.sessions()
    assert found["Week 1"].is_cancelled
    assert not found["Something else"].is_cancelled
    assert coordinator.imports().held is None


def test_all_moved_by_an_hour_under_new_uids_orphans_nothing(coordinator: Coordinator) -> None:
    ids = {title: session.session_id for title, session in coordinator.sessions().items()}
    moved = [replace(e, uid=f"new-{e.title[-1]}", start_at=e.start_at + HOUR) for e in weekly(6)]
    held = coordinator.changes_to(*moved).held
    assert held is not None
    assert set(held.reasons) == {Reason.MANY_MOVED, Reason.GUESSED}
    yes(coordinator, held)
    assert {title: session.session_id for title, session in coordinator.sessions().items()} == ids


def test_the_first_import_is_never_held(database_url: str, tmp_path: Path) -> None:
    with open_coordinator(database_url, tmp_path) as coordinator:
        soon = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=30)
        coordinator.begins_with(*[replace(e, cancelled=True) for e in weekly(5, first_at=soon)])
        assert coordinator.held() is None
        assert len(coordinator.sessions()) == 5


def test_an_event_that_cannot_be_read_cancels_nothing(coordinator: Coordinator) -> None:
    broken = coordinator.file.read_bytes().replace(b"DTSTART:", b"DTSTART:x", 4)
    coordinator.file.write_bytes(broken)
    imported = coordinator.imports()
    assert (imported.changed, imported.held) == (0, None)
    assert not any(session.is_cancelled for session in coordinator.sessions().values())
    assert {problem.done for problem in imported.problems} >= {"kept as it was"}


def test_an_edit_by_hand_wins_until_it_is_released(coordinator: Coordinator) -> None:
    now = coordinator.services.clock.now()
    week_2 = coordinator.sessions()["Week 2"]
    change(coordinator, hand_edits.cancel(week_2, now=now))
    first, second, *others = weekly(6)
    assert coordinator.changes_to(first, replace(second, start_at=second.start_at + HOUR), *others).changed == 1
    edited = coordinator.sessions()["Week 2"]
    assert (edited.is_cancelled, edited.start_at) == (True, week_2.start_at + HOUR)
    assert edited.sequence > week_2.sequence
    change(coordinator, hand_edits.release(edited, edited.by_hand))
    coordinator.waits(25 * 3600)
    coordinator.imports()
    assert not coordinator.sessions()["Week 2"].is_cancelled


def test_a_session_made_by_hand_survives_the_calendar(coordinator: Coordinator) -> None:
    now = coordinator.services.clock.now()
    wall = coordinator.sessions()["Week 6"].wall_start + WEEK
    made = hand_edits.add(
        SERIES.series_id,
        title="Extra",
        wall_start=wall,
        length=HOUR,
        zone="Europe/Berlin",
        host=None,
        now=now,
    )
    with coordinator.services.database.write() as connection:
        add_session(connection, made, now=now)
    assert coordinator.changes_to(*weekly(7)).new == 1
    assert coordinator.changes_to(*weekly(6)).changed == 1
    assert not coordinator.sessions()["Extra"].is_cancelled


def test_the_run_says_that_it_holds_and_why(coordinator: Coordinator) -> None:
    coordinator.writes(*weekly(6)[3:])
    run = coordinator.runs_the_job()
    assert (run.outcome, run.counts) == ("done", {"new": 0, "changed": 0, "same": 6, "held": 3})
    assert run.reason
    assert run.reason.startswith("Held, nothing was changed: it cancels several sessions.")


def test_an_edit_by_hand_is_not_lost_to_an_import_at_the_same_time(coordinator: Coordinator) -> None:
    """The import waits for the edit, or the edit is told that the session has changed."""
    first, second, *others = weekly(6)
    coordinator.writes(first, replace(second, start_at=second.start_at + HOUR), *others)
    week_2 = coordinator.sessions()["Week 2"]
    now = coordinator.services.clock.now()
    with ThreadPoolExecutor(1) as thread:
        with coordinator.services.database.write() as connection:
            cancelled = edit_session(
                connection,
                SERIES.series_id,
                week_2.session_id,
                version_of(week_2),
                lambda session: hand_edits.cancel(session, now=now),
                actor=OPERATOR,
                action="edit_cancel",
                now=now,
            )
            importing = thread.submit(coordinator.imports)
            with pytest.raises(TimeoutError):
                importing.result(timeout=0.5)
        importing.result()
    found = coordinator.sessions()["Week 2"]
    assert (found.status, found.by_hand) == (cancelled.status, cancelled.by_hand)
    assert found.start_at == week_2.start_at + HOUR
