"""Moved and cancelled sessions into a course's forum, over real HTTP: what is posted, once, and what is healed."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from config.command_line import Failure
from moodle_sync.cli import moodle_sync
from moodle_sync.moodle_runs import Came, access_to
from moodle_sync.post_announcements import planned
from sandbox_lms.announcements import Discussion, add_discussion, all_discussions
from sandbox_lms.site import Site
from series.announcements import SETTLE, Announcement, ChangeKind, State
from series.moodle_jobs import LATE_EFFECT, MoodleJob
from series.sessions import Session, Status
from series.store.announcement_postings import claim, drop_outdated
from series.store.announcements import announcements_of, decide, make_due, switch_off, switch_on, to_tell
from series.store.mirrors import hide_series
from series.store.moodle_tables import announcement
from series.store.schema import installation_id
from series.store.tables import course
from tests.conftest import make_environment
from tests.databases import Databases, Snapshot
from tests.examples import MALTA, SERIES, moved
from tests.integration.partner import Partner, open_partner

DAY = timedelta(days=1)
TEACHER = "participant 1"


@pytest.fixture(scope="module")
def open_once(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Partner, Snapshot]]:
    """One LMS for all tests of this file: to start it takes longer than a test."""
    with (
        databases.fresh("sqlite") as url,
        open_partner(tmp_path_factory.mktemp("partner"), url) as opened,
    ):
        opened.connect()
        opt_in(opened)
        with Snapshot(url) as snapshot:
            yield opened, snapshot


@pytest.fixture
def partner(open_once: tuple[Partner, Snapshot]) -> Partner:
    """Its course wants to be told."""
    opened, snapshot = open_once
    snapshot.restore()
    opened.world.advance(-opened.world.clock.offset().total_seconds())
    site(opened).switches.reset()
    forget_posts(opened)
    opened.calls()
    return opened


def forget_posts(partner: Partner) -> None:
    with site(partner).database.write() as connection:
        connection.execute("DELETE FROM discussion")


def site(partner: Partner) -> Site:
    return partner.world.sandbox.sites["malta"]


def course_id(partner: Partner) -> int:
    with partner.services.database.read() as connection:
        return int(
            connection.execute(sa.select(course.c.id).where(course.c.moodle_course_id.is_not(None))).scalar_one()
        )


def opt_in(partner: Partner) -> None:
    own = course_id(partner)
    with partner.services.database.write() as connection:
        switch_on(connection, own, now=partner.now)


def wait(partner: Partner, time: timedelta) -> None:
    partner.world.advance(time.total_seconds())


def move(partner: Partner, number: int = 1, by: timedelta = DAY) -> Session:
    """As the calendar does it."""
    session = partner.seeded.sessions[number]
    return partner.change(replace(moved(session, by), moved_from_at=session.start_at))


def cancel(partner: Partner, number: int = 1) -> Session:
    return partner.change(replace(partner.seeded.sessions[number], status=Status.CANCELLED))


def announce(partner: Partner) -> Came:
    return partner.run(MoodleJob.ANNOUNCE)


def ask(partner: Partner, state: State) -> None:
    """What a teacher says of everything that their course does not know."""
    own = course_id(partner)
    with partner.services.database.write() as connection:
        for one in to_tell(connection, [own], now=partner.now):
            assert decide(connection, one, state, by=TEACHER, now=partner.now)


def posted(partner: Partner) -> list[Discussion]:
    return all_discussions(site(partner))


def rows(partner: Partner) -> list[Announcement]:
    with partner.services.database.read() as connection:
        return announcements_of(connection, [course_id(partner)])


def state_of(partner: Partner) -> State:
    (row,) = rows(partner)
    return row.state


def forget_answer(partner: Partner) -> None:
    """As if the worker had been killed after the call and before it noted the answer."""
    fresh = {"state": "due", "discussion_id": None, "began_at": partner.now, "done_at": None}
    with partner.services.database.write() as connection:
        connection.execute(sa.update(announcement).values(**fresh))


def test_a_moved_session_is_posted_once(partner: Partner) -> None:
    session = move(partner)
    wait(partner, SETTLE)
    assert announce(partner) == Came(counts={"posted": 1}, calls=2)
    (post,) = posted(partner)
    with partner.services.database.read() as connection:
        mark = f"/s/{session.session_id}?i={installation_id(connection)}&amp;a={rows(partner)[0].token}"
    assert post.subject == f"Session moved: {session.title}"
    assert mark in post.message
    assert (state_of(partner), rows(partner)[0].discussion_id) == (State.POSTED, post.discussion_id)
    partner.calls()
    assert announce(partner) == Came()
    assert partner.calls() == []


def test_nothing_to_announce_is_no_call(partner: Partner) -> None:
    assert announce(partner) == Came()
    assert partner.calls() == []


def test_a_slip_is_not_posted(partner: Partner) -> None:
    cancel(partner)
    wait(partner, SETTLE - timedelta(seconds=30))
    assert announce(partner) == Came()
    partner.change(partner.seeded.sessions[1])
    wait(partner, SETTLE)
    assert announce(partner) == Came()
    assert posted(partner) == []


def test_moved_twice_in_a_moment_is_one_announcement(partner: Partner) -> None:
    move(partner)
    wait(partner, timedelta(minutes=3))
    session = move(partner, by=2 * DAY)
    wait(partner, SETTLE)
    assert announce(partner).counts == {"posted": 1}
    assert len(posted(partner)) == 1
    assert rows(partner)[0].about == f"moved {session.start_at:%Y-%m-%dT%H:%MZ}"


def test_one_that_takes_place_after_all_is_posted_where_the_contrary_was(partner: Partner) -> None:
    cancel(partner)
    wait(partner, SETTLE)
    announce(partner)
    partner.change(partner.seeded.sessions[1])
    wait(partner, SETTLE)
    announce(partner)
    assert [post.subject.partition(":")[0] for post in posted(partner)] == [
        "Session takes place after all",
        "Session cancelled",
    ]


def test_what_changed_before_the_course_wanted_it_is_left_to_its_teacher(partner: Partner) -> None:
    with partner.services.database.write() as connection:
        switch_off(connection, course_id(partner))
    cancel(partner)
    opt_in(partner)
    wait(partner, SETTLE)
    assert announce(partner) == Came()
    assert state_of(partner) is State.LEFT
    ask(partner, State.DUE)
    assert announce(partner).counts == {"posted": 1}


def test_a_teacher_has_one_posted_without_more(partner: Partner) -> None:
    with partner.services.database.write() as connection:
        switch_off(connection, course_id(partner))
    cancel(partner, 1)
    ask(partner, State.DUE)
    cancel(partner, 2)
    wait(partner, SETTLE)
    assert announce(partner).counts == {"posted": 1}


def opt_out(partner: Partner) -> None:
    with partner.services.database.write() as connection:
        switch_off(connection, course_id(partner))


def make_due_only(partner: Partner) -> None:
    """As if the worker had been killed before the first call."""
    with partner.services.database.write() as connection:
        wanted = to_tell(connection, [course_id(partner)], now=partner.now)
        make_due(connection, wanted, now=partner.now)


def test_what_was_due_is_not_posted_by_itself_in_a_course_that_was_connected_anew(partner: Partner) -> None:
    cancel(partner)
    wait(partner, SETTLE)
    make_due_only(partner)
    with partner.services.database.write() as connection:
        connection.execute(sa.update(course).values(announces=False))  # as a disconnected Moodle leaves it
    assert planned(partner.services, access_to(partner.services, partner.connection())) == []
    assert announce(partner) == Came()
    assert (posted(partner), rows(partner)) == ([], [])


def test_what_is_switched_off_a_moment_ago_is_not_begun(partner: Partner) -> None:
    cancel(partner)
    wait(partner, SETTLE)
    make_due_only(partner)
    (row,) = rows(partner)
    with partner.services.database.write() as connection:
        connection.execute(sa.update(course).values(announces=False))
        assert not claim(connection, row, now=partner.now)
        connection.execute(sa.update(announcement).values(set_by=TEACHER, state="due"))
        drop_outdated(connection, [row])
        assert claim(connection, row, now=partner.now), "a teacher wants it, whatever the switch says"


@pytest.mark.parametrize("there", [1, 0])
def test_what_was_begun_before_it_was_switched_off_is_looked_for_and_not_posted(partner: Partner, there: int) -> None:
    cancel(partner)
    wait(partner, SETTLE)
    announce(partner)
    forget_answer(partner)
    if not there:
        forget_posts(partner)
    opt_out(partner)
    wait(partner, LATE_EFFECT)
    assert announce(partner).counts == ({"found": 1} if there else {})
    assert [row.state for row in rows(partner)] == [State.POSTED] * there
    assert len(posted(partner)) == there
    assert announce(partner) == Came()


@pytest.mark.parametrize(
    ("first", "then"),
    [(move, "Session moved: "), (cancel, "Session takes place after all: ")],
    ids=["moved", "restored"],
)
def test_what_changed_while_it_was_off_and_back_while_it_is_on_is_posted(
    partner: Partner, first: Callable[[Partner], Session], then: str
) -> None:
    opt_out(partner)
    first(partner)
    opt_in(partner)
    wait(partner, SETTLE)
    assert announce(partner) == Came()
    partner.change(partner.seeded.sessions[1])
    wait(partner, SETTLE)
    assert announce(partner).counts == {"posted": 1}
    (post,) = posted(partner)
    assert post.subject.startswith(then)
    assert "This replaces" not in post.message
    assert state_of(partner) is State.POSTED, "what was left to a person is over"
    assert announce(partner) == Came()


def day_of(session: Session) -> str:
    there = session.start_at.astimezone(ZoneInfo(MALTA.time_zone))
    return f"{there:%A}, {there.day} {there:%B %Y},"


def test_a_course_reads_the_time_that_it_saw_and_not_the_first_one(partner: Partner) -> None:
    """Moved before it came, and once more."""
    with partner.services.database.write() as connection:
        hide_series(connection, course_id(partner), SERIES.series_id, now=partner.now)
    first = move(partner)
    partner.connect()
    opt_in(partner)
    assert announce(partner) == Came()
    partner.change(replace(moved(first, DAY), moved_from_at=partner.seeded.sessions[1].start_at))
    wait(partner, SETTLE)
    announce(partner)
    (post,) = posted(partner)
    assert f"Until now: <strong>{day_of(first)} " in post.message


def test_moved_untold_and_then_cancelled_names_both_times(partner: Partner) -> None:
    move(partner)
    session = partner.seeded.sessions[1]
    partner.change(replace(moved(session, DAY), status=Status.CANCELLED, moved_from_at=session.start_at))
    wait(partner, SETTLE)
    announce(partner)
    (post,) = posted(partner)
    assert f"announced before: {day_of(session)} " in post.message


def test_what_a_course_saw_is_forgotten_with_the_series(partner: Partner) -> None:
    """And what it was told is not."""
    cancel(partner, 1)
    wait(partner, SETTLE)
    announce(partner)
    move(partner, 2)
    with partner.services.database.write() as connection:
        hide_series(connection, course_id(partner), SERIES.series_id, now=partner.now)
    partner.change(partner.seeded.sessions[1])
    partner.connect()
    with partner.services.database.read() as connection:
        (one,) = to_tell(connection, [course_id(partner)], now=partner.now)
    assert (one.session.session_id, one.change.kind) == (partner.seeded.sessions[1].session_id, ChangeKind.RESTORED)


def give_up(partner: Partner) -> None:
    """As if the answers to all tries had been lost."""
    gone = {"state": "failed", "discussion_id": None, "done_at": None, "next_at": None, "attempts": 5}
    with partner.services.database.write() as connection:
        connection.execute(sa.update(announcement).values(**gone))


def test_one_that_was_given_up_and_is_there_is_put_right(partner: Partner) -> None:
    cancel(partner)
    wait(partner, SETTLE)
    announce(partner)
    give_up(partner)
    assert announce(partner) == Came(), "it is left to a person as long as it is true"
    partner.change(partner.seeded.sessions[1])
    wait(partner, SETTLE)
    assert announce(partner).counts == {"found": 1}
    assert announce(partner).counts == {"posted": 1}
    assert posted(partner)[0].subject.startswith("Session takes place after all: ")


def test_one_that_was_given_up_and_is_not_there_is_forgotten(partner: Partner) -> None:
    cancel(partner)
    wait(partner, SETTLE)
    announce(partner)
    give_up(partner)
    forget_posts(partner)
    partner.change(partner.seeded.sessions[1])
    with partner.services.database.read() as connection:
        (one,) = to_tell(connection, [course_id(partner)], now=partner.now)
    assert one.change.kind is ChangeKind.RESTORED, "until it is looked for, they may have read it"
    wait(partner, LATE_EFFECT)
    site(partner).switches.set(lacks=("mod/forum:viewdiscussion",))
    assert len(announce(partner).problems) == 1
    assert state_of(partner) is State.FAILED
    site(partner).switches.reset()
    wait(partner, DAY)
    assert announce(partner).counts == {}
    assert (rows(partner), posted(partner)) == ([], [])


def test_a_row_in_the_place_of_another_is_not_taken_for_it(partner: Partner) -> None:
    """SQLite gives the number of a deleted row to the next one."""
    cancel(partner)
    wait(partner, SETTLE)
    announce(partner)
    with partner.services.database.write() as connection:
        connection.execute(sa.delete(announcement))
    move(partner)
    wait(partner, SETTLE)
    make_due_only(partner)
    with partner.services.database.write() as connection:
        connection.execute(sa.update(announcement).values(began_at=partner.now))
    wait(partner, LATE_EFFECT)
    assert announce(partner).counts == {"posted": 1}
    assert [post.subject.partition(":")[0] for post in posted(partner)] == ["Session moved", "Session cancelled"]


def test_what_a_teacher_has_told_is_not_posted(partner: Partner) -> None:
    cancel(partner)
    ask(partner, State.SET_ASIDE)
    wait(partner, SETTLE)
    assert announce(partner) == Came()


def test_a_posting_whose_answer_was_lost_is_found_again(partner: Partner) -> None:
    cancel(partner)
    wait(partner, SETTLE)
    announce(partner)
    forget_answer(partner)
    assert announce(partner).counts == {"found": 1}
    assert (state_of(partner), len(posted(partner))) == (State.POSTED, 1)


def test_a_posting_that_may_still_appear_is_waited_for_and_not_made_twice(partner: Partner) -> None:
    cancel(partner)
    wait(partner, SETTLE)
    announce(partner)
    (post,) = posted(partner)
    forget_answer(partner)
    forget_posts(partner)
    assert announce(partner).counts == {}
    add_discussion(site(partner), subject=post.subject, message=post.message, pinned=False)
    wait(partner, LATE_EFFECT)
    assert announce(partner).counts == {"found": 1}
    assert len(posted(partner)) == 1


def test_a_posting_that_never_appeared_is_made_once_more(partner: Partner) -> None:
    cancel(partner)
    wait(partner, SETTLE)
    announce(partner)
    forget_answer(partner)
    forget_posts(partner)
    assert announce(partner).counts == {}
    wait(partner, LATE_EFFECT)
    assert announce(partner).counts == {"posted": 1}
    assert len(posted(partner)) == 1


def test_what_is_no_longer_true_is_looked_for_and_then_put_right(partner: Partner) -> None:
    """Cancelled, posted, the answer lost; then it takes place after all."""
    cancel(partner)
    wait(partner, SETTLE)
    announce(partner)
    forget_answer(partner)
    partner.change(partner.seeded.sessions[1])
    wait(partner, SETTLE)
    assert announce(partner).counts == {"found": 1}
    assert announce(partner).counts == {"posted": 1}
    assert [row.state for row in rows(partner)] == [State.POSTED, State.POSTED]


def test_a_site_that_is_down_loses_nothing(partner: Partner) -> None:
    cancel(partner)
    wait(partner, SETTLE)
    site(partner).switches.set(down=True)
    assert announce(partner).down is not None
    site(partner).switches.reset()
    wait(partner, LATE_EFFECT)
    assert announce(partner).counts == {"posted": 1}


def test_a_missing_right_is_named_and_after_some_tries_given_up(partner: Partner) -> None:
    cancel(partner)
    wait(partner, SETTLE)
    site(partner).switches.set(lacks=("mod/forum:addnews",))
    came = announce(partner)
    assert "mod/forum:addnews" in came.problems[0]
    (row,) = rows(partner)
    assert (row.state, row.began_at, row.attempts) == (State.DUE, None, 1)
    for _ in range(4):
        wait(partner, timedelta(hours=2))
        announce(partner)
    (row,) = rows(partner)
    assert row.state is State.FAILED
    assert "mod/forum:addnews" in str(row.problem)
    partner.calls()
    wait(partner, timedelta(hours=2))
    assert announce(partner) == Came()
    site(partner).switches.reset()
    ask(partner, State.DUE)
    assert announce(partner).counts == {"posted": 1}


def test_a_course_without_a_forum_is_told_how_to_get_one(partner: Partner) -> None:
    cancel(partner)
    wait(partner, SETTLE)
    site(partner).switches.set(lacks=("mod/forum:viewdiscussion",))
    assert "Number of announcements" in announce(partner).problems[0]


def test_who_only_looks_makes_no_call(partner: Partner) -> None:
    cancel(partner)
    wait(partner, SETTLE)
    (one,) = planned(partner.services, access_to(partner.services, partner.connection()))
    assert one[1].subject.startswith("Session cancelled: ")
    assert (partner.calls(), rows(partner)) == ([], [])


def test_the_command_says_what_it_would_post_and_posts_it(partner: Partner) -> None:
    environment = make_environment(partner.world.tool_url, partner.services.settings.database_url)
    environment["SHARED_SESSIONS_CLOCK_FILE"] = str(partner.world.clock.offset_file)
    cancel(partner)
    wait(partner, SETTLE)
    commands = (["--dry-run"], [], ["--dry-run"], ["--university", "vilnius"])
    runner = CliRunner(env=environment)
    said = [runner.invoke(moodle_sync, ["run", "announce", *command]) for command in commands]
    assert [one.output for one in said[:3]] == [
        "malta, course 2: Session cancelled: Inquiry at the beach\n",
        "malta: 1 posted (2 calls)\n",
        "malta: nothing to post\n",
    ]
    assert isinstance(said[3].exception, Failure)
