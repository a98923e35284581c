"""What a teacher's course is to be told: shown ready to copy, set aside, posted, and posted by itself."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest
import responses
import sqlalchemy as sa

from lms.moodle_levels import ANNOUNCEMENTS, NEEDS
from series.announcements import State
from series.moodle_jobs import MoodleJob
from series.sessions import Session, Status
from series.store.announcement_postings import note_not_posted, note_posted
from series.store.announcements import announcements_of, announces
from series.store.moodle_connections import NewConnection, save_connection
from series.store.moodle_jobs import planned_jobs
from series.store.moodle_tables import moodle_job
from series.store.sessions import change_session
from series.store.tables import course as course_table
from series.store.tables import university
from tests.examples import MALTA, moved
from tests.integration.lti.course import CourseUnderTest
from tests.seeds import ENCRYPTION_KEY

PAGE = "announcements/"
MOODLE = "https://moodle.example"
FUNCTIONS = [function.value for function in NEEDS[ANNOUNCEMENTS].functions]


def cancel(course: CourseUnderTest) -> Session:
    return change(course, replace(course.sessions[2], status=Status.CANCELLED))


def change(course: CourseUnderTest, session: Session) -> Session:
    with course.database.write() as connection:
        change_session(connection, session, by="staff 1", now=course.now + timedelta(minutes=1))
    return session


def course_id(course: CourseUnderTest) -> int:
    assert course.maria.course_id
    return course.maria.course_id


@pytest.fixture
def connected(course: CourseUnderTest) -> CourseUnderTest:
    new = NewConnection(university_id=MALTA.university_id, base_url=MOODLE, token="token", moodle_user_id=9)
    with course.database.write() as connection:
        save_connection(connection, new, encryption_key=ENCRYPTION_KEY, now=course.now)
        of_course = course_table.c.id == course_id(course)
        connection.execute(sa.update(course_table).where(of_course).values(moodle_course_id=2))
    return course


@contextmanager
def moodle_offers(functions: list[str]) -> Iterator[None]:
    site = {"sitename": "Moodle", "siteurl": MOODLE, "userid": 9, "functions": [{"name": name} for name in functions]}
    with responses.RequestsMock(assert_all_requests_are_fired=False) as played:
        played.post(f"{MOODLE}/webservice/rest/server.php", json=site)
        yield


@pytest.fixture
def open_forum(connected: CourseUnderTest) -> Iterator[CourseUnderTest]:
    with moodle_offers(FUNCTIONS):
        yield connected


def about(course: CourseUnderTest) -> str:
    found = re.search(r'name="about" value="([^"]+)"', course.get(PAGE))
    assert found
    return unescape(found[1])


def deal(course: CourseUnderTest, do: str, **changes: str) -> str:
    return course.post(f"{PAGE}{course.ahead}", {"do": do, "about": about(course)} | changes, on=PAGE)


def states(course: CourseUnderTest) -> list[tuple[State, str | None]]:
    with course.database.read() as connection:
        return [(row.state, row.set_by) for row in announcements_of(connection, [course_id(course)])]


def is_on(course: CourseUnderTest) -> bool:
    with course.database.read() as connection:
        return announces(connection, course_id(course))


def test_where_nothing_has_changed_nothing_is_to_be_told(course: CourseUnderTest) -> None:
    page = course.get(PAGE)
    assert "Nothing is to be told" in page
    assert "not connected to it" in page
    assert "Post it to" not in page


def test_a_change_is_shown_in_the_universitys_language_and_time(course: CourseUnderTest) -> None:
    greek = {"language": "el", "time_zone": "Europe/Athens"}
    with course.database.write() as connection:
        connection.execute(sa.update(university).values(**greek))
    session = course.sessions[2]
    change(course, replace(moved(session, timedelta(days=1)), moved_from_at=session.start_at))
    page = unescape(course.get(PAGE))
    assert "Η συνάντηση «Inquiry at the beach» μεταφέρθηκε σε άλλη ημέρα ή ώρα." in page
    assert "(Αθήνα)" in page
    assert f"/s/{session.session_id}\n" in page
    assert re.search(r'<textarea[^>]* lang="el" readonly data-select>', page)


def test_the_first_page_says_that_something_is_to_be_told(course: CourseUnderTest) -> None:
    assert "to tell your course" not in course.get()
    cancel(course)
    assert "1 change to tell your course" in course.get()


def test_what_the_teacher_has_told_is_set_aside_once(course: CourseUnderTest) -> None:
    cancel(course)
    page = deal(course, "told")
    assert "Noted: your course has been told." in page
    assert "Told by a teacher" in page
    assert "Nothing is to be told" in page
    (state,) = states(course)
    assert state[0] is State.SET_ASIDE
    (audited,) = course.audited("tell_change")
    assert audited == (state[1], f"course {course_id(course)}")
    assert "to tell your course" not in course.get()


def test_only_what_was_shown_is_set_aside(course: CourseUnderTest) -> None:
    cancel(course)
    shown = about(course)
    change(course, course.sessions[2])
    token = re.search(
        rf'{PAGE}{course.ahead}">\s*<input type="hidden" name="form_token" value="(\w+)"', course.get(PAGE)
    )
    assert token is None, "it takes place after all, and nobody was told the contrary"
    cancel(course)
    change(course, replace(moved(course.sessions[2], timedelta(days=1)), status=Status.CANCELLED))
    page = course.post(f"{PAGE}{course.ahead}", {"do": "told", "about": shown}, on=PAGE)
    assert "This has changed meanwhile" in page
    assert states(course) == []


def test_a_teacher_has_it_posted_by_the_worker(open_forum: CourseUnderTest) -> None:
    course = open_forum
    cancel(course)
    page = deal(course, "post")
    assert "It is posted to your course's announcements forum within minutes." in unescape(page)
    assert [state for state, _ in states(course)] == [State.DUE]
    assert "Post it to" not in page
    with course.database.read() as connection:
        due = {job.job: job.next_at for job in planned_jobs(connection, MALTA.university_id)}
    assert due[MoodleJob.ANNOUNCE] <= course.now + timedelta(minutes=1)
    assert len(course.audited("post_change")) == 1


def test_what_was_posted_is_shown_with_its_address_and_what_failed_with_its_reason(
    open_forum: CourseUnderTest,
) -> None:
    course = open_forum
    cancel(course)
    deal(course, "post")
    with course.database.write() as connection:
        (row,) = announcements_of(connection, [course_id(course)])
        note_not_posted(
            connection, row.announcement_id, problem="There is no forum.", attempts=5, next_at=None, is_sure=True
        )
    assert "There is no forum." in course.get(PAGE)
    assert "1 announcement could not be posted" in course.get()
    with course.database.write() as connection:
        note_posted(connection, row.announcement_id, 17, now=course.now)
    page = course.get(PAGE)
    assert "Posted to the forum on" in page
    assert f'href="{MOODLE}/mod/forum/discuss.php?d=17"' in page


def test_a_teacher_switches_it_on_and_off_for_the_own_course(open_forum: CourseUnderTest) -> None:
    course = open_forum
    cancel(course)
    with course.database.write() as connection:
        connection.execute(sa.update(moodle_job).values(next_at=course.now + timedelta(days=1)))
    page = course.post("announcements/switch", {"announces": "on"}, on=PAGE)
    with course.database.read() as connection:
        planned = {one.job: one.next_at for one in planned_jobs(connection, MALTA.university_id)}
    assert planned[MoodleJob.CHECK] < course.now + timedelta(days=1), "whether the account may post is tried soon"
    assert "From now on" in page
    assert is_on(course)
    assert states(course) == [(State.LEFT, None)], "what had changed before is left to a person"
    assert "Post it to" in page
    course.post("announcements/switch", {"announces": "off"}, on=PAGE)
    assert (is_on(course), states(course)) == (False, [])
    assert len(course.audited("switch_announcements")) == 2


def test_what_the_lms_admin_has_to_add_is_named(connected: CourseUnderTest) -> None:
    with moodle_offers(["core_webservice_get_site_info"]):
        page = connected.get(PAGE)
        assert "<code>mod_forum_add_discussion</code>" in page
        assert "mod/forum:addnews" in page
        assert "Post such announcements by itself" not in page
        cancel(connected)
        shown = {"do": "post", "about": about(connected)}
        page = connected.post(f"{PAGE}{connected.ahead}", shown, on=PAGE, status=409)
    assert states(connected) == []


def test_a_moodle_that_does_not_answer_is_said_so(connected: CourseUnderTest) -> None:
    page = connected.get(PAGE)
    assert "Your Moodle does not answer this tool at the moment" in page
    assert "Post such announcements by itself" not in page


@pytest.mark.parametrize(("page", "changes"), [("switch", {"announces": "maybe"}), ("{ahead}", {"do": "shout"})])
def test_a_form_that_is_none_of_ours_changes_nothing(
    course: CourseUnderTest, page: str, changes: dict[str, str]
) -> None:
    cancel(course)
    action = f"{PAGE}{page.format(ahead=course.ahead)}"
    data = {"form_token": "0" * 64} | changes
    assert course.send(action, data).status_code == 403
    assert states(course) == []


def test_an_about_that_cannot_be_stored_is_nothing_that_was_shown(course: CourseUnderTest) -> None:
    cancel(course)
    for strange in ("\0", "x" * 10_000, ""):
        page = course.post(f"{PAGE}{course.ahead}", {"do": "told", "about": strange}, on=PAGE)
        assert "This has changed meanwhile" in page
    assert states(course) == []
