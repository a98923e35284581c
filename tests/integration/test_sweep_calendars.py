"""A course calendar compared with the plan, whole: what people and late calls have done to it is healed and said."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from moodle_sync.mirror_sessions import CoursePlan, plan_university
from moodle_sync.moodle_runs import Came, access_to
from moodle_sync.sweep_calendars import look_at
from sandbox_lms.calendar import Event
from series.mirrors import Mirror
from series.moodle_jobs import LATE_EFFECT, MoodleJob
from series.sessions import Session, Status
from series.store.mirrors import save_mirrors
from series.store.moodle_connections import NewConnection, save_connection
from tests.databases import Databases
from tests.examples import MALTA, SERIES, moved, weekly
from tests.integration.faulty_course import FaultyCourse, open_course
from tests.integration.in_process_moodle import CREATE, Fault
from tests.seeds import ENCRYPTION_KEY

LIST = "core_calendar_get_calendar_events"
RUNNING, IN_A_WEEK, IN_TWO_WEEKS = weekly(3)
START_S = int(IN_A_WEEK.start_at.timestamp())


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[FaultyCourse]:
    with databases.fresh("sqlite") as url, open_course(tmp_path_factory.mktemp("swept"), url) as course:
        yield course


@pytest.fixture
def course(opened: FaultyCourse) -> FaultyCourse:
    """Shows three sessions, each with its event, and what others have in it."""
    opened.start_again()
    for session in weekly(3):
        opened.add(session)
    opened.show(SERIES)
    opened.add_foreign(IN_A_WEEK)
    assert mirror(opened).counts == {"created": 3}
    opened.moodle.calls.clear()
    return opened


def mirror(course: FaultyCourse) -> Came:
    came = course.run(MoodleJob.MIRROR)
    assert came is not None
    return came


def sweep(course: FaultyCourse) -> Came:
    came = course.run(MoodleJob.SWEEP)
    assert came is not None
    return came


def event_of(course: FaultyCourse, session: Session) -> Event:
    (event,) = course.events_of(session)
    return event


def fail(course: FaultyCourse, *faults: Fault | None) -> None:
    """The next calls."""
    course.moodle.calls.clear()
    course.moodle.faults = faults


def is_equal(course: FaultyCourse) -> bool:
    return course.foreign_now() == course.foreign and all(
        course.is_right(session, event_of(course, session)) for session in weekly(3)
    )


def test_where_all_is_right_one_listing_is_the_only_call(course: FaultyCourse) -> None:
    assert sweep(course) == Came(calls=1)
    assert course.moodle.calls == [LIST]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"timestart": START_S - 3600}, "15:00 instead of 16:00"),
        ({"timestart": START_S + 86_400}, "Wed 2 December 2026, 16:00 instead of Tue 1 December 2026, 16:00"),
        ({"timeduration": 5400}, "90 instead of 120 minutes"),
        ({"name": "Room 7"}, "called “Room 7”"),
        ({"visible": 0}, "hidden from students"),
    ],
)
def test_a_change_by_hand_is_undone_and_said(course: FaultyCourse, changes: dict[str, Any], words: str) -> None:
    course.edit(replace(event_of(course, IN_A_WEEK), **changes))
    came = sweep(course)
    assert came.counts == {"repaired": 1}
    (problem,) = came.notes
    assert f"“{IN_A_WEEK.title}” was changed in Moodle ({words})" in problem
    assert is_equal(course)
    assert sweep(course) == Came(calls=1)


def test_a_text_that_was_added_by_hand_goes(course: FaultyCourse) -> None:
    event = event_of(course, IN_A_WEEK)
    course.edit(replace(event, description=f"<p>Bring a pencil.</p>{event.description}"))
    assert "(another description)" in sweep(course).notes[0]
    assert is_equal(course)


def test_a_past_event_is_left_as_it_is(course: FaultyCourse) -> None:
    course.edit(replace(event_of(course, RUNNING), name="As it was"))
    course.advance(timedelta(hours=3))
    assert sweep(course) == Came(calls=1)
    assert event_of(course, RUNNING).name == "As it was"


def test_an_event_that_somebody_deleted_is_made_again(course: FaultyCourse) -> None:
    course.remove(event_of(course, IN_A_WEEK))
    assert sweep(course).counts == {"created": 1}
    assert is_equal(course)


def test_an_event_that_somebody_moved_years_away_comes_back(course: FaultyCourse) -> None:
    event = event_of(course, IN_A_WEEK)
    course.edit(replace(event, timestart=event.timestart + 5 * 365 * 86_400))
    assert sweep(course).counts == {"repaired": 1}
    assert event_of(course, IN_A_WEEK).event_id == event.event_id
    assert is_equal(course)


def test_of_doubles_the_one_that_we_know_stays(course: FaultyCourse) -> None:
    known = event_of(course, IN_A_WEEK)
    course.edit(replace(known, event_id=known.event_id + 500))
    course.edit(replace(known, event_id=0))
    assert sweep(course).counts == {"doubles": 2}
    assert event_of(course, IN_A_WEEK) == known


def test_events_of_sessions_that_the_course_does_not_show_go(course: FaultyCourse) -> None:
    stray = event_of(course, IN_A_WEEK)
    gone = stray.description.replace(str(IN_A_WEEK.session_id), "5e551000-0000-4000-8000-0000000000ff")
    course.edit(replace(stray, event_id=500, description=gone))
    assert sweep(course).counts == {"deleted": 1}
    assert is_equal(course)


def test_a_series_that_the_course_no_longer_shows_takes_its_events_along(course: FaultyCourse) -> None:
    course.hide(SERIES)
    assert course.planned(MoodleJob.MIRROR).next_at <= course.clock.now()
    assert mirror(course).counts == {"deleted": 3}
    assert course.events() == []
    assert course.foreign_now() == course.foreign


def test_an_event_that_has_lost_our_link_is_left_alone_and_named_once(course: FaultyCourse) -> None:
    event = event_of(course, IN_A_WEEK)
    rewritten = replace(event, name="Our own workshop", description="<p>Come to room 7.</p>")
    course.edit(rewritten)
    came = sweep(course)
    assert came.counts == {"created": 1}
    assert "“Our own workshop” was rewritten by hand" in came.notes[0]
    assert rewritten in course.events()
    assert sweep(course) == Came(calls=1)


def test_what_a_filter_of_moodles_makes_of_our_text_is_let_be(
    course: FaultyCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = course.moodle._send

    def shown(*request: Any) -> tuple[int, dict[str, str], bytes]:
        status, _, body = send(*request)
        return status, {}, body.replace(b"Session page", b"Session &#128196;")

    monkeypatch.setattr(course.moodle, "_send", shown)
    first = sweep(course)
    assert (first.counts, first.problems + first.notes) == ({}, [])
    assert sweep(course) == Came(calls=1)
    course.edit(replace(event_of(course, IN_A_WEEK), name="Room 7"))
    assert sweep(course).counts == {"repaired": 1}


def test_events_that_a_former_account_of_ours_made_are_still_ours(course: FaultyCourse) -> None:
    for event in course.events():
        course.edit(replace(event, user_id=77))
    account = course.moodle.site.campus.moodle_user_id
    with course.services.database.write() as connection:
        for user_id in (77, account):
            new = NewConnection(
                university_id=MALTA.university_id,
                base_url=course.moodle.url,
                token=course.moodle.site.campus.moodle_token,
                moodle_user_id=user_id,
            )
            save_connection(connection, new, encryption_key=ENCRYPTION_KEY, now=course.clock.now())
    course.change(replace(IN_A_WEEK, title="Retitled"))
    assert mirror(course).counts == {"updated": 1}
    assert sweep(course) == Came(calls=1)


def test_a_look_changes_nothing(course: FaultyCourse) -> None:
    course.edit(replace(event_of(course, IN_A_WEEK), name="Room 7"))
    before = course.events()
    (plan,) = plan_university(course.services, course.connection())
    access = access_to(course.services, course.connection())
    (repair,) = look_at(course.services, access, plan).repair
    assert repair.differences == ("called “Room 7”",)
    assert course.events() == before


def of_another_course(course: FaultyCourse, session: Session) -> Event:
    """As after a restore of the site: the id that we know is now that of an event of ours in another course."""
    event = replace(event_of(course, session), course_id=9)
    course.edit(event)
    return event


@pytest.mark.parametrize("job", [MoodleJob.MIRROR, MoodleJob.SWEEP])
def test_an_event_of_another_course_is_not_this_ones(course: FaultyCourse, job: MoodleJob) -> None:
    other = of_another_course(course, IN_A_WEEK)
    changed = replace(IN_A_WEEK, title="Retitled")
    course.change(changed)
    came = course.run(job)
    assert came is not None
    assert (came.counts, came.notes) == ({"created": 1}, [])
    (made,) = (event for event in course.events_of(IN_A_WEEK) if event != other)
    assert course.is_right(changed, made)
    assert sweep(course) == Came(calls=1)
    assert other in course.events()


def test_an_event_of_another_course_is_not_deleted_with_this_ones(course: FaultyCourse) -> None:
    other = of_another_course(course, IN_A_WEEK)
    course.hide(SERIES)
    assert mirror(course).counts == {"deleted": 2}
    assert course.events() == [other]


def test_the_last_series_that_leaves_takes_its_doubles_along(course: FaultyCourse) -> None:
    course.edit(replace(event_of(course, IN_TWO_WEEKS), event_id=500))  # a course restored from a backup
    course.hide(SERIES)
    assert mirror(course).counts == {"deleted": 4}
    assert course.events() == []


def test_the_double_of_an_only_session_that_is_moved_years_away_goes(opened: FaultyCourse) -> None:
    opened.start_again()
    opened.add(IN_A_WEEK)
    opened.show(SERIES)
    mirror(opened)
    opened.edit(replace(event_of(opened, IN_A_WEEK), event_id=500))
    opened.change(moved(IN_A_WEEK, timedelta(days=1000)))
    assert sweep(opened).counts == {"updated": 1, "doubles": 1}


def test_where_two_sessions_have_one_event_by_mistake_nobody_is_told_to_delete_it(course: FaultyCourse) -> None:
    event = event_of(course, IN_A_WEEK)
    (planned,) = plan_university(course.services, course.connection())
    known = replace(mirror_in(planned, IN_TWO_WEEKS), event_id=event.event_id)
    with course.services.database.write() as connection:
        save_mirrors(connection, planned.course.course_id, [known], now=course.clock.now())
    course.remove(event_of(course, IN_TWO_WEEKS))
    came = sweep(course)
    assert (came.counts, came.notes) == ({"created": 1}, [])
    assert is_equal(course)


def mirror_in(planned: CoursePlan, session: Session) -> Mirror:
    return next(one for one in planned.known.mirrors if one.session_id == session.session_id)


# After calls that were given up


def test_a_creation_that_is_late_is_waited_for(course: FaultyCourse) -> None:
    new = replace(IN_TWO_WEEKS, session_id=UUID(int=7), title="Extra")
    course.add(new)
    fail(course, None, Fault.LATE)
    mirror(course)
    course.advance(LATE_EFFECT / 2)
    assert mirror(course).counts == {"waiting": 1}
    assert course.planned(MoodleJob.MIRROR).again_at == course.clock.now() + LATE_EFFECT / 2
    course.moodle.let_late_ones_through()
    assert mirror(course).counts == {"adopted": 1}
    assert course.is_right(new, event_of(course, new))


def test_a_sweep_comes_after_an_update_that_may_be_late(course: FaultyCourse) -> None:
    planned_before = course.planned(MoodleJob.SWEEP)
    course.change(replace(IN_A_WEEK, title="Second title"))
    fail(course, None, Fault.LATE)
    mirror(course)
    course.advance(timedelta(minutes=1))
    course.change(replace(IN_A_WEEK, title="Third title"))
    assert mirror(course).counts == {"updated": 1}
    course.moodle.let_late_ones_through()
    assert event_of(course, IN_A_WEEK).name == "Second title"
    again_at = course.planned(MoodleJob.SWEEP).again_at
    assert again_at is not None
    assert course.planned(MoodleJob.SWEEP).next_at <= max(again_at, planned_before.next_at)
    course.advance(again_at - course.clock.now())
    assert sweep(course).counts == {"repaired": 1}
    assert event_of(course, IN_A_WEEK).name == "Third title"
    assert course.planned(MoodleJob.SWEEP).again_at is None


def test_what_comes_late_in_the_middle_of_a_sweep_is_not_taken_for_a_filter(course: FaultyCourse) -> None:
    course.change(replace(IN_A_WEEK, title="Second title"))
    fail(course, None, Fault.LATE, None, None, None, None, None)
    mirror(course)
    course.change(replace(IN_A_WEEK, title="Third title"))
    mirror(course)
    course.edit(replace(event_of(course, IN_A_WEEK), name="Second title"))
    course.moodle.late_before = frozenset({len(course.moodle.calls) + 3})  # after the repair, before the look at it
    sweep(course)
    course.moodle.let_late_ones_through()
    course.advance(LATE_EFFECT)
    sweep(course)
    assert event_of(course, IN_A_WEEK).name == "Third title"


@pytest.mark.parametrize("is_seen", [True, False])
def test_a_clock_that_is_put_back_leaves_nothing_unmade(course: FaultyCourse, *, is_seen: bool) -> None:
    new = replace(IN_TWO_WEEKS, session_id=UUID(int=7), title="Extra")
    course.add(new)
    fail(course, None, Fault.TIMEOUT_BEFORE)
    mirror(course)
    back = timedelta(days=2)
    if is_seen:
        course.put_clock_back(back)
        assert mirror(course).counts == {"waiting": 1}, "as if it had been given up now"
        course.advance(LATE_EFFECT)
    else:
        course.clock.times.append(course.clock.now() - back)
    assert mirror(course).counts == {"created": 1}
    assert course.is_right(new, event_of(course, new))


def test_a_run_that_ended_well_leaves_the_sweep_as_it_was_planned(course: FaultyCourse) -> None:
    sweep(course)
    before = course.planned(MoodleJob.SWEEP)
    course.change(replace(IN_A_WEEK, title="Second title"))
    mirror(course)
    assert course.planned(MoodleJob.SWEEP) == before


def test_a_worker_that_is_killed_leaves_a_sweep_behind(course: FaultyCourse) -> None:
    sweep(course)
    began_at = course.clock.now()
    course.change(replace(IN_A_WEEK, title="Second title"))
    fail(course, None, Fault.CRASH)
    assert course.run(MoodleJob.MIRROR) is None
    assert course.planned(MoodleJob.SWEEP).next_at == began_at + LATE_EFFECT


def test_a_sweep_that_broke_is_made_again_soon(course: FaultyCourse) -> None:
    fail(course, Fault.TRUNCATED)
    assert sweep(course).problems
    assert course.planned(MoodleJob.SWEEP).next_at == course.clock.now() + LATE_EFFECT


def test_of_a_form_that_was_cut_the_rest_is_looked_for_and_made(opened: FaultyCourse) -> None:
    opened.start_again()
    for session in weekly(3):
        opened.add(session)
    opened.show(SERIES)
    fail(opened, None, Fault.CUT_FORM)
    came = mirror(opened)
    assert (came.counts, len(came.problems)) == ({"created": 2}, 1)
    assert mirror(opened).counts == {"created": 1}
    assert is_equal(opened)


def test_the_first_mirror_looks_once_and_writes_once(opened: FaultyCourse) -> None:
    opened.start_again()
    for session in weekly(13):
        opened.add(session)
    opened.show(SERIES)
    opened.moodle.calls.clear()
    assert mirror(opened).counts == {"created": 13}
    assert opened.moodle.calls == [LIST, CREATE]


def test_a_cancelled_event_whose_date_has_passed_goes(course: FaultyCourse) -> None:
    course.change(replace(IN_A_WEEK, status=Status.CANCELLED))
    mirror(course)
    course.advance(timedelta(days=9))
    assert sweep(course).counts == {"deleted": 1}
    assert course.events_of(IN_A_WEEK) == []
