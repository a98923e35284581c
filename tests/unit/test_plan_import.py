"""What a calendar says, paired with the sessions that we have."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from moodle_sync.plan_import import ImportPlan, Key, Known, plan_import
from moodle_sync.read_calendar import Occurrence
from series.sessions import Session, Status
from tests.examples import MALTA, SERIES, VILNIUS

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
NOTHING = ImportPlan(new=(), changed=(), rekeyed=(), problems=())

FIRST = Occurrence(
    source_uid="series@example",
    original_start_at=datetime(2026, 11, 10, 15, tzinfo=UTC),
    start_at=datetime(2026, 11, 10, 15, tzinfo=UTC),
    end_at=datetime(2026, 11, 10, 17, tzinfo=UTC),
    wall_start=datetime(2026, 11, 10, 16),  # noqa: DTZ001 - a wall time
    zone="Europe/Berlin",
    title="Inquiry at the beach",
    description="Bring a ruler.",
    hosting_university="University of Malta",
    join_url="https://meet.example/beach",
    cancelled=False,
    sequence=0,
)


def moved(occurrence: Occurrence, by: timedelta) -> Occurrence:
    return replace(
        occurrence,
        start_at=occurrence.start_at + by,
        end_at=occurrence.end_at + by,
        wall_start=occurrence.wall_start + by,
    )


def single(*, by: timedelta) -> Occurrence:
    """SINGLE, moved: its original start goes with it."""
    shifted = moved(SINGLE, by)
    return replace(shifted, original_start_at=shifted.start_at)


def week(number: int) -> Occurrence:
    shifted = moved(FIRST, number * WEEK)
    return replace(shifted, original_start_at=shifted.start_at, title=f"Week {number}")


SECOND, THIRD = week(1), week(2)
SINGLE = replace(week(5), source_uid="single@example", title="Extra session")
CALENDAR = (FIRST, SECOND, THIRD)


def nothing_known() -> Known:
    return Known(series_id=SERIES.series_id, sessions={}, aliases={}, universities=(MALTA, VILNIUS))


def after(plan: ImportPlan, known: Known) -> Known:
    """What we have when the plan has been saved."""
    sessions = {**known.sessions, **{new.session.session_id: new.session for new in plan.new}}
    sessions |= {session.session_id: session for session in plan.changed}
    aliases: dict[Key, UUID] = {**known.aliases, **{new.key: new.session.session_id for new in plan.new}}
    return replace(known, sessions=sessions, aliases=aliases | dict(plan.rekeyed))


def imported(*occurrences: Occurrence) -> Known:
    known = nothing_known()
    return after(plan_import(occurrences, known, now=NOW), known)


def session_of(known: Known, occurrence: Occurrence) -> Session:
    return known.sessions[known.aliases[occurrence.source_uid, occurrence.original_start_at]]


def change(known: Known, before: Occurrence, now_says: Occurrence, *, now: datetime = NOW) -> ImportPlan:
    """The plan when one occurrence of CALENDAR has changed."""
    return plan_import(tuple(now_says if o == before else o for o in CALENDAR), known, now=now)


# The first import


def test_every_occurrence_becomes_a_session_with_an_id_of_its_own() -> None:
    plan = plan_import(CALENDAR, nothing_known(), now=NOW)
    assert [new.session.title for new in plan.new] == [occurrence.title for occurrence in CALENDAR]
    assert [new.key for new in plan.new] == [("series@example", o.original_start_at) for o in CALENDAR]
    assert len({new.session.session_id for new in plan.new}) == 3
    assert replace(plan, new=()) == NOTHING


def test_a_copy_of_the_round_before_that_the_calendar_agrees_with_is_as_it_was() -> None:
    known = imported(*CALENDAR)
    copies = {key: replace(one, copied_from_id=UUID(int=7)) for key, one in known.sessions.items()}
    assert plan_import(CALENDAR, replace(known, sessions=copies), now=NOW) == NOTHING


def test_a_session_is_what_its_occurrence_says() -> None:
    session = session_of(imported(FIRST), FIRST)
    assert session == Session(
        session_id=session.session_id,
        series_id=SERIES.series_id,
        title="Inquiry at the beach",
        description="Bring a ruler.",
        hosting_university="University of Malta",
        hosting_university_id=MALTA.university_id,
        join_url="https://meet.example/beach",
        start_at=FIRST.start_at,
        end_at=FIRST.end_at,
        wall_start=FIRST.wall_start,
        zone="Europe/Berlin",
        status=Status.PLANNED,
        moved_from_at=None,
        sequence=0,
    )


def test_what_is_moved_or_cancelled_at_the_first_import_is_shown_so() -> None:
    known = imported(moved(FIRST, DAY), replace(SECOND, cancelled=True))
    assert session_of(known, FIRST).moved_from_at == FIRST.original_start_at
    assert session_of(known, SECOND).status is Status.CANCELLED


@pytest.mark.parametrize("name", ["University of Malta", "UNIVERSITY OF MALTA", "malta"])
def test_a_hosting_university_is_known_by_its_name_or_its_slug(name: str) -> None:
    assert session_of(imported(replace(FIRST, hosting_university=name)), FIRST).hosting_university_id == 1


def test_an_unknown_hosting_university_is_reported_and_the_session_read_without_it() -> None:
    plan = plan_import((replace(FIRST, hosting_university="Atlantis"), SECOND), nothing_known(), now=NOW)
    assert [new.session.hosting_university for new in plan.new] == [None, "University of Malta"]
    (problem,) = plan.problems
    assert (problem.event, problem.done) == (FIRST.title, "read without it")
    assert "Atlantis" in problem.fact


def test_a_session_without_a_hosting_university_is_no_problem() -> None:
    plan = plan_import((replace(FIRST, hosting_university=None),), nothing_known(), now=NOW)
    assert plan.problems == ()
    assert plan.new[0].session.hosting_university_id is None


def test_a_session_needs_a_title_that_fits() -> None:
    known = imported(replace(FIRST, title=""), replace(SECOND, title="x" * 300))
    assert session_of(known, FIRST).title == "Untitled session"
    assert session_of(known, SECOND).title == "x" * 255


# The second import


def test_a_second_import_of_the_same_calendar_changes_nothing() -> None:
    calendar = (*CALENDAR, SINGLE, moved(week(7), HOUR), replace(week(8), cancelled=True, title="", join_url=None))
    assert plan_import(calendar, imported(*calendar), now=NOW) == NOTHING


def test_the_order_of_the_calendar_does_not_matter() -> None:
    assert plan_import(CALENDAR[::-1], imported(*CALENDAR), now=NOW) == NOTHING


def test_a_new_date_is_a_new_session_and_leaves_the_others_alone() -> None:
    plan = plan_import((*CALENDAR, week(3)), imported(*CALENDAR), now=NOW)
    assert [new.session.title for new in plan.new] == ["Week 3"]
    assert replace(plan, new=()) == NOTHING


def test_a_moved_session_keeps_its_id_and_says_from_when() -> None:
    known = imported(*CALENDAR)
    (session,) = change(known, SECOND, moved(SECOND, DAY)).changed
    assert session.session_id == session_of(known, SECOND).session_id
    assert (session.start_at, session.moved_from_at) == (SECOND.start_at + DAY, SECOND.start_at)


def test_a_session_that_is_moved_twice_says_when_it_would_have_been() -> None:
    once = imported(FIRST, moved(SECOND, DAY), THIRD)
    (session,) = change(once, SECOND, moved(SECOND, 2 * DAY)).changed
    assert (session.start_at, session.moved_from_at) == (SECOND.start_at + 2 * DAY, SECOND.start_at)


def test_a_session_that_is_moved_back_is_no_longer_moved() -> None:
    once = imported(FIRST, moved(SECOND, DAY), THIRD)
    (session,) = plan_import(CALENDAR, once, now=NOW).changed
    assert (session.start_at, session.moved_from_at) == (SECOND.start_at, None)


def test_a_longer_session_is_not_a_moved_one() -> None:
    (session,) = change(imported(*CALENDAR), SECOND, replace(SECOND, end_at=SECOND.end_at + HOUR)).changed
    assert session.end_at == SECOND.end_at + HOUR
    assert session.moved_from_at is None


def test_a_cancelled_session_keeps_its_id() -> None:
    known = imported(*CALENDAR)
    plan = change(known, SECOND, replace(SECOND, cancelled=True))
    assert plan.changed == (replace(session_of(known, SECOND), status=Status.CANCELLED, sequence=1),)


def test_a_cancelled_session_can_be_restored() -> None:
    known = imported(FIRST, replace(SECOND, cancelled=True), THIRD)
    (session,) = plan_import(CALENDAR, known, now=NOW).changed
    assert session.status is Status.PLANNED
    assert session.session_id == session_of(known, SECOND).session_id


def test_a_renamed_session_keeps_its_id() -> None:
    known = imported(*CALENDAR)
    plan = change(known, SECOND, replace(SECOND, title="Another title"))
    assert plan.changed == (replace(session_of(known, SECOND), title="Another title"),)


@pytest.mark.parametrize(
    ("changed", "grows"),
    [
        (moved(SECOND, HOUR), True),
        (replace(SECOND, end_at=SECOND.end_at + HOUR), True),
        (replace(SECOND, cancelled=True), True),
        (replace(SECOND, join_url="https://meet.example/other"), True),
        (replace(SECOND, title="Another title"), False),
        (replace(SECOND, description="Bring a pen."), False),
        (replace(SECOND, hosting_university="vilnius"), False),
    ],
    ids=["moved", "longer", "cancelled", "join link", "title", "description", "hosting university"],
)
def test_the_sequence_grows_with_time_place_and_status_alone(changed: Occurrence, *, grows: bool) -> None:
    (session,) = change(imported(*CALENDAR), SECOND, changed).changed
    assert session.sequence == int(grows)


def test_a_hosting_university_that_was_added_meanwhile_is_found() -> None:
    known = replace(imported(*CALENDAR), universities=())
    before_it_was_added = after(plan_import(CALENDAR, known, now=NOW), known)
    plan = plan_import(CALENDAR, replace(before_it_was_added, universities=(MALTA,)), now=NOW)
    assert {session.hosting_university for session in plan.changed} == {"University of Malta"}


# The past


@pytest.mark.parametrize(
    "changed", [moved(SECOND, DAY), replace(SECOND, cancelled=True), replace(SECOND, title="Another title")]
)
def test_a_session_that_has_begun_is_left_as_it_was_and_reported(changed: Occurrence) -> None:
    plan = change(imported(*CALENDAR), SECOND, changed, now=SECOND.start_at)
    assert plan.changed == ()
    (problem,) = plan.problems
    assert (problem.fact, problem.done) == ("was changed in the calendar after it had begun", "left as it was")


def test_a_session_can_be_changed_until_it_begins() -> None:
    now = SECOND.start_at - timedelta(seconds=1)
    assert len(change(imported(*CALENDAR), SECOND, replace(SECOND, cancelled=True), now=now).changed) == 1


def test_an_unchanged_past_is_not_reported() -> None:
    assert plan_import(CALENDAR, imported(*CALENDAR), now=NOW + 52 * WEEK) == NOTHING


# Entries that vanish


def test_a_session_whose_entry_is_gone_is_cancelled() -> None:
    known = imported(*CALENDAR)
    plan = plan_import((FIRST, THIRD), known, now=NOW)
    gone = session_of(known, SECOND)
    assert plan == replace(NOTHING, changed=(replace(gone, status=Status.CANCELLED, sequence=1),))
    again = after(plan, known)
    assert plan_import((FIRST, THIRD), again, now=NOW) == NOTHING
    (restored,) = plan_import(CALENDAR, again, now=NOW).changed
    assert (restored.status, restored.sequence) == (Status.PLANNED, 2)


def test_what_may_only_have_been_unreadable_is_kept_and_reported() -> None:
    plan = plan_import((FIRST, THIRD), imported(*CALENDAR), now=NOW, is_complete=False)
    assert replace(plan, problems=()) == NOTHING
    (problem,) = plan.problems
    assert (problem.event, problem.done) == (SECOND.title, "kept as it was")


def test_what_lies_beyond_the_time_that_is_read_is_not_gone() -> None:
    known = imported(*CALENDAR)
    assert plan_import((FIRST, SECOND), known, now=NOW, read_until=THIRD.start_at) == NOTHING
    assert len(plan_import((FIRST, SECOND), known, now=NOW, read_until=THIRD.end_at + HOUR).changed) == 1


def test_a_past_or_cancelled_session_may_vanish() -> None:
    known = imported(FIRST, replace(SECOND, cancelled=True), THIRD)
    assert plan_import((THIRD,), known, now=FIRST.start_at) == NOTHING


def test_a_session_that_was_made_by_hand_does_not_vanish() -> None:
    known = imported(*CALENDAR)
    by_hand = replace(session_of(known, SECOND), session_id=UUID(int=9), is_own=True)
    known = replace(known, sessions={**known.sessions, by_hand.session_id: by_hand})
    assert plan_import(CALENDAR, known, now=NOW) == NOTHING


# Entries that were made again


def again(*occurrences: Occurrence, uid: str = "another@example", by: timedelta = timedelta()) -> list[Occurrence]:
    """The same under another UID, and at another time."""
    shifted = [moved(occurrence, by) for occurrence in occurrences]
    return [replace(each, source_uid=uid, original_start_at=each.start_at) for each in shifted]


@pytest.mark.parametrize("by", [timedelta(), HOUR, DAY])
def test_an_entry_that_was_deleted_and_made_again_is_taken_for_its_session(by: timedelta) -> None:
    known = imported(*CALENDAR)
    (made_again,) = again(SECOND, by=by)
    plan = plan_import((FIRST, made_again, THIRD), known, now=NOW)
    same = session_of(known, SECOND)
    assert plan.paired == (same.session_id,)
    assert plan.rekeyed == ((("another@example", made_again.start_at), same.session_id),)
    assert [(s.session_id, s.start_at) for s in plan.changed] == (
        [(same.session_id, made_again.start_at)] if by else []
    )
    assert plan.new == ()
    assert plan_import((FIRST, made_again, THIRD), after(plan, known), now=NOW) == NOTHING


def test_a_guess_is_made_also_when_something_could_not_be_read() -> None:
    known = imported(*CALENDAR)
    plan = plan_import((FIRST, *again(SECOND, by=HOUR)), known, now=NOW, is_complete=False)
    assert (plan.new, plan.paired) == ((), (session_of(known, SECOND).session_id,))
    assert [problem.event for problem in plan.problems] == [THIRD.title]


def test_of_two_entries_for_one_session_the_one_that_agrees_counts() -> None:
    known = imported(*CALENDAR)
    made_again = again(SECOND, by=HOUR)
    known = after(plan_import((FIRST, *made_again, THIRD), known, now=NOW), known)
    for order in ((*CALENDAR, *made_again), (*made_again, *CALENDAR)):
        plan = plan_import(order, known, now=NOW)
        assert (plan.new, plan.changed) == ((), ())
        assert [problem.done for problem in plan.problems] == ["left out"]


def test_a_session_is_not_moved_into_the_past() -> None:
    plan = change(imported(*CALENDAR), SECOND, moved(SECOND, -52 * WEEK))
    assert plan.changed == ()
    assert [problem.fact for problem in plan.problems] == ["was moved into the past"]


def test_what_a_source_cannot_say_stays_as_it_is() -> None:
    known = imported(*CALENDAR)
    silent = replace(SECOND, join_url=None, speakers="", title="Renamed", silent_on=("join_url", "speakers"))
    (changed,) = change(known, SECOND, silent).changed
    assert (changed.title, changed.join_url) == ("Renamed", SECOND.join_url)


def test_one_that_was_cancelled_meanwhile_is_found_again() -> None:
    known = imported(*CALENDAR)
    known = after(plan_import((FIRST, THIRD), known, now=NOW), known)
    plan = plan_import((FIRST, *again(SECOND), THIRD), known, now=NOW)
    assert [s.status for s in plan.changed] == [Status.PLANNED]
    assert plan.paired == (session_of(known, SECOND).session_id,)


def test_without_guesses_the_new_are_new_and_the_gone_are_cancelled() -> None:
    known = imported(*CALENDAR)
    plan = plan_import((FIRST, *again(SECOND), THIRD), known, now=NOW, may_guess=False)
    assert [new.session.title for new in plan.new] == [SECOND.title]
    assert [s.status for s in plan.changed] == [Status.CANCELLED]
    assert plan.paired == ()


def test_a_series_that_was_split_and_moved_by_an_hour_keeps_its_sessions() -> None:
    known = imported(*CALENDAR)
    plan = plan_import((FIRST, *again(SECOND, THIRD, by=HOUR)), known, now=NOW)
    assert {s.session_id for s in plan.changed} == {session_of(known, one).session_id for one in (SECOND, THIRD)}
    assert (plan.new, len(plan.paired)) == ((), 2)


def test_another_source_of_the_same_plan_changes_no_session() -> None:
    known = imported(*CALENDAR)
    plan = plan_import(tuple(again(*CALENDAR)), known, now=NOW)
    assert (plan.new, plan.changed, len(plan.rekeyed)) == ((), (), 3)


def test_what_is_over_stays_as_it_was_held_whatever_becomes_of_its_entry() -> None:
    known = imported(*CALENDAR)
    plan = plan_import(tuple(again(*CALENDAR, by=HOUR)), known, now=SECOND.end_at)
    over = [session_of(known, one).session_id for one in (FIRST, SECOND)]
    assert {s.session_id for s in plan.changed} == {session_of(known, THIRD).session_id}
    assert (plan.new, plan.paired) == ((), (session_of(known, THIRD).session_id,))
    assert {session_id for _, session_id in plan.rekeyed} >= set(over)
    later = plan_import(tuple(again(*CALENDAR, by=HOUR)), after(plan, known), now=SECOND.end_at)
    assert (later.new, later.changed, later.rekeyed) == ((), (), ())


def test_a_past_entry_that_comes_later_makes_no_session() -> None:
    known = imported(FIRST, THIRD)
    early = replace(SECOND, source_uid="late@example", title="Never told")
    plan = plan_import((FIRST, THIRD, early), known, now=THIRD.start_at - HOUR)
    assert replace(plan, problems=()) == NOTHING
    assert [problem.done for problem in plan.problems] == ["left out"]


def test_an_entry_of_the_past_is_taken_for_no_session_to_come() -> None:
    known = imported(*CALENDAR)
    plan = plan_import((FIRST, THIRD, *again(SECOND, by=-2 * WEEK)), known, now=SECOND.start_at - WEEK)
    assert plan.paired == ()


# Single events: their original start is their start


def test_a_single_event_that_was_moved_keeps_its_session() -> None:
    known = imported(*CALENDAR, SINGLE)
    elsewhere = single(by=DAY)
    plan = plan_import((*CALENDAR, elsewhere), known, now=NOW)
    (session,) = plan.changed
    assert session.session_id == session_of(known, SINGLE).session_id
    assert (session.start_at, session.moved_from_at, session.sequence) == (elsewhere.start_at, SINGLE.start_at, 1)
    assert plan.rekeyed == (((SINGLE.source_uid, elsewhere.start_at), session.session_id),)
    assert (plan.new, plan.problems) == ((), ())
    assert plan_import((*CALENDAR, elsewhere), after(plan, known), now=NOW) == NOTHING
    back = plan_import((*CALENDAR, SINGLE), after(plan, known), now=NOW)
    assert [(s.start_at, s.moved_from_at) for s in back.changed] == [(SINGLE.start_at, None)]


def test_a_single_event_that_is_used_again_after_it_was_held_is_a_new_session() -> None:
    known = imported(SINGLE)
    plan = plan_import((single(by=WEEK),), known, now=SINGLE.end_at)
    assert [new.session.start_at for new in plan.new] == [SINGLE.start_at + WEEK]
    assert replace(plan, new=()) == NOTHING


def test_a_single_event_whose_past_is_corrected_is_left_as_it_was_and_reported() -> None:
    plan = plan_import((single(by=HOUR),), imported(SINGLE), now=SINGLE.end_at + DAY)
    assert (plan.new, plan.changed) == ((), ())
    assert [problem.done for problem in plan.problems] == ["left as it was"]


def test_a_date_that_a_series_gains_is_not_taken_for_a_moved_one() -> None:
    known = imported(FIRST)
    plan = plan_import((FIRST, SECOND), known, now=NOW)
    assert plan.rekeyed == ()
    assert len(plan.new) == 1
