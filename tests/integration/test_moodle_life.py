"""The life of a Moodle's connection: other addresses and accounts, courses that are let go, runs in the middle."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from uuid import UUID

import pytest
import sqlalchemy as sa

from moodle_sync import moodle_runs
from moodle_sync.mirror_sessions import plan_university
from moodle_sync.moodle_access import Stopped
from moodle_sync.moodle_runs import Came
from series.limits import Limit, Pace
from series.moodle_jobs import LATE_EFFECT, MoodleJob
from series.store import tables as t
from series.store.connecting import CourseOfAnother, choose_course, untie_course
from series.store.course_ties import events_there, shown_by_others, shown_series
from series.store.database import Database
from series.store.mirrors import hide_series, mirrored_courses, show_series, tie_course
from series.store.moodle_connections import NewConnection, disconnect, find_connection, save_connection
from series.store.moodle_jobs import planned_jobs
from series.store.runs import slot_by_hand
from tests.conftest import NOW
from tests.databases import Databases
from tests.examples import MALTA, SERIES, VILNIUS, weekly
from tests.integration.faulty_course import OTHER_SERIES, FaultyCourse, open_course
from tests.integration.in_process_moodle import CREATE, Fault
from tests.seeds import ENCRYPTION_KEY, launch, seed

ELSEWHERE = "http://127.0.0.1:9/elsewhere"
NEXT = replace(weekly(3)[2], session_id=UUID(int=7), title="Extra")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[FaultyCourse]:
    with databases.fresh("sqlite") as url, open_course(tmp_path_factory.mktemp("life"), url) as course:
        yield course


@pytest.fixture
def course(opened: FaultyCourse) -> Iterator[FaultyCourse]:
    """Shows three sessions, each with its event."""
    opened.start_again()
    for session in weekly(3):
        opened.add(session)
    opened.show(SERIES)
    assert run(opened).counts == {"created": 3}
    opened.moodle.calls.clear()
    yield opened
    opened.moodle.__dict__.pop("fault", None)


def run(course: FaultyCourse, job: MoodleJob = MoodleJob.MIRROR, slug: str = "malta") -> Came:
    connected = moodle_runs.connection_of(course.services, slug)
    assert connected is not None
    run_id = moodle_runs.begin(course.services, connected, job, slot=slot_by_hand())
    assert run_id is not None
    return moodle_runs.run_job(course.services, job, run_id)


def connect(course: FaultyCourse, **changes: object) -> bool:
    """Whether courses were let go."""
    campus = course.moodle.site.campus
    new = NewConnection(
        university_id=MALTA.university_id,
        base_url=course.moodle.url,
        token=campus.moodle_token,
        moodle_user_id=campus.moodle_user_id,
    )
    with course.services.database.write() as connection:
        changed = replace(new, **changes)  # type: ignore[arg-type]
        return save_connection(connection, changed, encryption_key=ENCRYPTION_KEY, now=course.clock.now()).needs_courses


def let_go(course: FaultyCourse) -> None:
    with course.services.database.write() as connection:
        disconnect(connection, MALTA.university_id)


def write(course: FaultyCourse, statement: sa.Executable) -> None:
    with course.services.database.write() as connection:
        connection.execute(statement)


def tied(course: FaultyCourse) -> list[tuple[int | None, bool]]:
    """Number in Moodle and announcements of each course."""
    with course.services.database.read() as connection:
        return [(row.moodle_course_id, row.announces) for row in connection.execute(sa.select(t.course))]


def mirrors(course: FaultyCourse) -> int:
    with course.services.database.read() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(t.mirror)).scalar_one())


def in_the_middle(course: FaultyCourse, act: Callable[[], object], call: int = 1) -> Came:
    """What comes of a run when this happens during one of its calls."""

    def fault(function: str, call_number: int) -> Fault | None:
        if call_number == call:
            act()
        return None

    course.moodle.calls.clear()
    course.moodle.fault = fault  # type: ignore[method-assign]
    return run(course)


# Another address


@pytest.mark.parametrize("is_disconnected_first", [False, True])
def test_another_moodle_has_other_courses(course: FaultyCourse, *, is_disconnected_first: bool) -> None:
    write(course, sa.update(t.course).values(announces=True))
    if is_disconnected_first:
        let_go(course)
    assert connect(course, base_url=ELSEWHERE)
    assert (tied(course), mirrors(course)) == ([(None, False)], 0)
    assert plan_university(course.services, course.connection()) == []
    assert not connect(course, base_url=ELSEWHERE), "and nothing is lost by a new token"


@pytest.mark.parametrize("is_disconnected_first", [False, True])
def test_the_same_moodle_at_a_new_address_keeps_courses_events_and_accounts(
    course: FaultyCourse, *, is_disconnected_first: bool
) -> None:
    connect(course, moodle_user_id=77)
    for event in course.events():
        course.edit(replace(event, user_id=77))
    if is_disconnected_first:
        let_go(course)
    for base_url in (ELSEWHERE, course.moodle.url):
        assert not connect(course, base_url=base_url, is_same_site=True)
    assert 77 in course.connection().own_user_ids
    course.advance(LATE_EFFECT)
    before = course.events()
    assert run(course).counts == {"adopted": 3}
    assert course.events() == before


def test_the_own_address_once_more_keeps_the_courses(course: FaultyCourse) -> None:
    let_go(course)
    assert not connect(course)
    assert tied(course) == [(2, False)]


# Another account


def test_events_of_an_account_before_a_disconnect_are_not_made_twice(course: FaultyCourse) -> None:
    connect(course, moodle_user_id=77)
    for event in course.events():
        course.edit(replace(event, user_id=77))
    let_go(course)
    connect(course)
    assert run(course).counts == {"adopted": 3}
    assert run(course, MoodleJob.SWEEP).counts == {}
    assert len(course.events()) == 3


def test_the_same_number_elsewhere_is_no_account_of_ours(course: FaultyCourse) -> None:
    connect(course, base_url=ELSEWHERE, moodle_user_id=77)
    connect(course)
    assert 77 not in course.connection().own_user_ids


# A course that was the wrong one


def untie(course: FaultyCourse) -> None:
    with course.services.database.write() as connection:
        (shown,) = shown_series(connection, MALTA.university_id)
        untie_course(connection, MALTA, shown, actor="operator", now=course.clock.now())


def test_a_course_that_is_untied_loses_its_events_and_is_forgotten(course: FaultyCourse) -> None:
    write(course, sa.update(t.course).values(announces=True))
    course.edit(replace(course.events()[-1], event_id=500))
    untie(course)
    assert tied(course) == [(2, False)], "until its events are gone"
    assert run(course).counts == {"deleted": 4}
    assert course.events() == []
    assert tied(course) == [(None, False)]
    with course.services.database.read() as connection:
        (row,) = connection.execute(sa.select(t.audit))
    assert (row.action, "2" in row.detail) == ("untie_moodle_course", True)


def test_of_a_course_that_is_gone_the_events_are_forgotten(course: FaultyCourse) -> None:
    write(course, sa.update(t.course).values(moodle_course_id=99))
    write(course, sa.update(t.mirror).values(event_id=t.mirror.c.event_id + 100))
    course.change(replace(weekly(3)[1], title="Retitled"))
    assert "Course 99" in run(course).problems[0], "as long as it is shown"
    assert mirrors(course) == 3
    untie(course)
    came = run(course)
    assert (came.problems, came.notes[0][:10]) == ([], "Course 99:")
    assert (mirrors(course), tied(course)) == (0, [(None, False)])


def test_a_launched_course_still_shows_the_series_and_a_launch_does_not_tie_it_again(database: Database) -> None:
    seed(database)
    course_id = launch(database).course_id
    assert course_id is not None
    new = NewConnection(university_id=1, base_url="https://m.example", token="t", moodle_user_id=3)
    with database.write() as connection:
        save_connection(connection, new, encryption_key=ENCRYPTION_KEY, now=NOW)
        connection.execute(sa.update(t.course).values(moodle_course_id=2))
        hide_series(connection, course_id, SERIES.series_id, now=NOW)
        assert mirrored_courses(connection, 1) == []
        show_series(connection, course_id, SERIES.series_id, now=NOW)
        assert mirrored_courses(connection, 1) == []
        assert connection.execute(sa.select(t.course_series.c.series_id)).scalars().all() == [SERIES.series_id]
        tie_course(connection, university_id=1, moodle_course_id=2, title="", series_id=SERIES.series_id, now=NOW)
        assert [one.series_ids for one in mirrored_courses(connection, 1)] == [(SERIES.series_id,)]


def test_moves_and_conflicts_are_the_same_on_both_databases(database: Database) -> None:
    seed(database)
    here, there = "https://m.example", "https://new.example"
    new = NewConnection(university_id=1, base_url=here, token="t", moodle_user_id=3)
    by = {"title": "", "actor": "operator", "now": NOW}
    with database.write() as connection:
        save = partial(save_connection, connection, encryption_key=ENCRYPTION_KEY, now=NOW)
        save(new)
        save(replace(new, university_id=2))
        choose_course(connection, MALTA, SERIES, moodle_course_id=2, **by)  # type: ignore[arg-type]
        with pytest.raises(CourseOfAnother):
            choose_course(connection, VILNIUS, SERIES, moodle_course_id=2, **by)  # type: ignore[arg-type]
        tie_course(connection, university_id=2, moodle_course_id=2, title="", series_id=SERIES.series_id, now=NOW)
        (course_id, _) = connection.execute(sa.select(t.course.c.id)).scalars()
        assert len(shown_by_others(connection, course_id)) == 3
        assert not save(replace(new, base_url=there, moodle_user_id=4, is_same_site=True)).needs_courses
        moved = find_connection(connection, "malta", encryption_key=ENCRYPTION_KEY)
        assert moved is not None
        assert (moved.own_user_ids, shown_by_others(connection, course_id)) == ({3, 4}, frozenset())
        assert [save(replace(new, base_url=url)).needs_courses for url in (here, there)] == [True, False]
        assert (events_there(connection, 1), shown_series(connection, 1)) == (0, [])


# Two universities in one Moodle


def connect_vilnius(course: FaultyCourse) -> bool:
    return connect(course, university_id=VILNIUS.university_id)


def test_a_course_that_another_university_ties_is_refused(course: FaultyCourse) -> None:
    connect_vilnius(course)
    by = {"title": "", "actor": "operator", "now": NOW}
    with (
        course.services.database.write() as connection,
        pytest.raises(CourseOfAnother, match=f"{MALTA.name} shows a series"),
    ):
        choose_course(connection, VILNIUS, SERIES, moodle_course_id=2, **by)  # type: ignore[arg-type]
    connect(course, university_id=VILNIUS.university_id, base_url=ELSEWHERE)
    with course.services.database.write() as connection:
        choose_course(connection, VILNIUS, SERIES, moodle_course_id=2, **by)  # type: ignore[arg-type]
    let_go(course)
    assert connect_vilnius(course), "the address is another one again"


def test_who_comes_back_to_a_course_that_another_has_taken_chooses_anew(course: FaultyCourse) -> None:
    let_go(course)
    connect_vilnius(course)
    with course.services.database.write() as connection:
        choose_course(connection, VILNIUS, SERIES, moodle_course_id=2, title="", actor="operator", now=NOW)
    assert connect(course)
    with course.services.database.read() as connection:
        shown = [len(shown_series(connection, one.university_id)) for one in (MALTA, VILNIUS)]
    assert shown == [0, 1]


def test_nobody_deletes_the_events_of_another_university_in_the_same_course(course: FaultyCourse) -> None:
    """However the two came into it: at the same moment, or before this was refused."""
    connect_vilnius(course)
    with course.services.database.write() as connection:
        tie_course(
            connection,
            university_id=VILNIUS.university_id,
            moodle_course_id=2,
            title="",
            series_id=OTHER_SERIES.series_id,
            now=NOW,
        )
    course.add(replace(NEXT, series_id=OTHER_SERIES.series_id))
    assert run(course, slug="vilnius").counts == {"created": 1}
    for slug in ("malta", "vilnius", "malta"):
        assert run(course, MoodleJob.SWEEP, slug).counts == {}
    assert len(course.events()) == 4
    untie(course)
    run(course)
    assert run(course, MoodleJob.SWEEP, "vilnius").counts == {}
    assert [event.name for event in course.events()] == ["Extra"]


def test_two_universities_share_the_pace_of_one_moodle(course: FaultyCourse) -> None:
    connect_vilnius(course)
    services = replace(course.services, moodle_pace=Pace(Limit(burst=1, every_s=60), lambda: 0.0))
    stopping = threading.Event()
    first, second = (
        moodle_runs.access_to(services, found, stopping=stopping)
        for slug in ("malta", "vilnius")
        if (found := moodle_runs.connection_of(services, slug))
    )
    first.before_call()
    stopping.set()
    assert services.moodle_pace.wait_s(course.moodle.url) > 0
    with pytest.raises(Stopped):
        second.before_call()


# In the middle of a run


def test_a_run_of_a_moodle_that_is_disconnected_calls_and_writes_nothing_more(course: FaultyCourse) -> None:
    course.hide(SERIES)
    in_the_middle(course, lambda: let_go(course), call=2)
    assert (len(course.moodle.calls), len(course.events()), mirrors(course)) == (2, 3, 0)


def test_what_is_answered_after_the_end_is_not_written_down(course: FaultyCourse) -> None:
    course.add(NEXT)
    in_the_middle(course, lambda: let_go(course), call=2)
    assert course.moodle.calls[-1] == CREATE
    assert mirrors(course) == 1, "what was begun, and may still appear"
    connect(course)
    assert course.planned(MoodleJob.SWEEP).again_at == course.clock.now() + LATE_EFFECT
    assert run(course).counts == {"adopted": 4}, "it is found by its link"


def test_a_token_that_was_replaced_is_not_held_against_the_new_one(course: FaultyCourse) -> None:
    connect(course, token="wrong")
    course.add(NEXT)
    in_the_middle(course, lambda: connect(course))
    known = course.connection()
    assert (known.failures, known.paused_until, known.reason) == (0, None, None)
    with course.services.database.read() as connection:
        (sweep,) = [one for one in planned_jobs(connection, 1) if one.job is MoodleJob.SWEEP]
    assert sweep.again_at == course.clock.now() + LATE_EFFECT
    course.moodle.__dict__.pop("fault")
    assert run(course).counts == {"created": 1}


def test_a_check_of_the_former_connection_is_not_shown_for_the_new_one(course: FaultyCourse) -> None:
    run_id = moodle_runs.begin(course.services, course.connection(), MoodleJob.CHECK, slot="1")
    assert run_id is not None

    def fault(function: str, call_number: int) -> Fault | None:
        if course.moodle.calls[-2:-1] == ["core_calendar_delete_calendar_events"]:  # this is the last one
            connect(course)
        return None

    course.moodle.fault = fault  # type: ignore[method-assign]
    moodle_runs.run_job(course.services, MoodleJob.CHECK, run_id)
    assert course.connection().checks is None
