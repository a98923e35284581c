"""The instructor's page of activities that count: what can be chosen, what is refused, and what waits for a yes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import responses
import sqlalchemy as sa
from msgspec import structs

from lti_tool.tool import Tool
from series.collecting import Said, Source
from series.moodle_jobs import Level, MoodleJob
from series.rule import Demand, Kind, SessionRule
from series.store.activity_states import Place, add_completed, known_states
from series.store.held_completions import weigh
from series.store.mapped_activities import MappedActivity, mapped_activities
from series.store.moodle_connections import NewConnection, save_connection
from series.store.moodle_jobs import planned_jobs
from series.store.records import completions_of
from series.store.rules import set_session_rule
from series.store.tables import course as course_table
from tests.examples import MALTA, SERIES
from tests.integration.lti.course import CourseUnderTest, names_told, open_as
from tests.integration.lti.lms import LEARNER
from tests.integration.lti.tool import form_token
from tests.seeds import LAUNCH, launch

READING, QUIZ, UNTRACKED, OURS, TOOL = 21, 22, 23, 24, 25


def module(cmid: int, name: str, **changes: Any) -> dict[str, Any]:
    return {"id": cmid, "modname": "page", "instance": cmid, "name": name, "completion": 1, "visible": 1} | changes


CONTENTS = [
    {
        "name": "Week 1",
        "modules": [
            module(READING, "Reading <b>one</b> &amp; two"),
            module(QUIZ, "Quiz", modname="quiz", visible=0),
            module(UNTRACKED, "Slides", completion=0),
            module(OURS, "The series", modname="lti", instance=77),
            module(TOOL, "Nobody has opened it yet", modname="lti", instance=78),
        ],
    }
]


def connect(course: CourseUnderTest, level: Level = Level.COMPLETIONS, moodle_course_id: int | None = 2) -> None:
    own: Tool = course.tool.app.extensions["shared_sessions"]
    new = NewConnection(
        university_id=MALTA.university_id,
        base_url=course.tool.malta.issuer,
        token="a-token",
        moodle_user_id=35,
        level=level,
    )
    with course.database.write() as connection:
        save_connection(connection, new, encryption_key=own.settings.encryption_key, now=course.now)
        connection.execute(
            sa.update(course_table)
            .where(course_table.c.id == course.maria.course_id)
            .values(moodle_course_id=moodle_course_id)
        )


@contextmanager
def moodle_says(course: CourseUnderTest, contents: Any) -> Iterator[None]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as played:
        played.post(f"{course.tool.malta.issuer}/webservice/rest/server.php", json=contents)
        yield


@pytest.fixture
def connected(course: CourseUnderTest) -> Iterator[CourseUnderTest]:
    connect(course)
    link_77 = structs.replace(
        LAUNCH,
        issuer=course.tool.malta.issuer,
        deployment_id=course.tool.malta.deployment_id,
        context_id="course-1",
        resource_link_id="77",
        memberships_url=f"{course.tool.malta.issuer}/memberships/course-1",
        nonce_expires_at=course.now + timedelta(minutes=20),
    )
    launch(course.database, link_77, now=course.now)
    with moodle_says(course, CONTENTS):
        yield course


def mapped(course: CourseUnderTest) -> list[MappedActivity]:
    assert course.maria.course_id is not None
    with course.database.read() as connection:
        return mapped_activities(connection, course.maria.course_id)


def choose(course: CourseUnderTest, cmid: int = READING, **changes: Any) -> str:
    data = {"cmid": str(cmid), "session": str(course.over)} | changes
    return course.post("activities/", data, on="activities/")


def give(course: CourseUnderTest, by: str | None = None) -> Place:
    """The reading has given Maria its session."""
    assert course.maria.course_id is not None
    place = Place(
        course_id=course.maria.course_id,
        university_id=MALTA.university_id,
        base_url=course.tool.malta.issuer,
        knows_people=True,
    )
    said = Said(key=(READING, Source.ACTIVITY), session_id=course.ahead, is_complete=True, changed_at=course.now, by=by)
    with course.database.write() as connection:
        add_completed(connection, place, course.maria.sub, [said], now=course.now)
    return place


def has_it(course: CourseUnderTest) -> bool:
    who = {"participant_id": course.maria.participant_id, "series_id": SERIES.series_id}
    with course.database.read() as connection:
        return course.ahead in completions_of(connection, **who)


def count_activities(course: CourseUnderTest) -> None:
    """By the rule of the session that is still to come."""
    rule = SessionRule(ways=((Demand(kind=Kind.LMS),),))
    with course.database.write() as connection:
        set_session_rule(connection, course.ahead, rule, by="operator", now=course.now)


def test_an_activity_is_chosen_for_a_session_and_collected_soon(connected: CourseUnderTest) -> None:
    page = connected.get("activities/")
    assert "Reading &lt;b&gt;one&lt;/b&gt; &amp; two" in page
    assert "Week 1" in page
    assert "hidden from students" in page

    page = choose(connected)

    assert "Within some minutes it counts" in page
    (found,) = mapped(connected)
    assert (found.cmid, found.session_id, found.module) == (READING, connected.over, "page")
    assert connected.audited("map_activity") == [(f"participant {teacher(connected)}", "course 1")]
    assert "activities of the course do not count" in page  # by the rule of this session
    with connected.database.read() as connection:
        planned = {one.job: one.next_at for one in planned_jobs(connection, MALTA.university_id)}
    own: Tool = connected.tool.app.extensions["shared_sessions"]
    assert planned[MoodleJob.COLLECT] <= own.clock.now()


def test_a_rule_that_counts_activities_is_not_complained_about(connected: CourseUnderTest) -> None:
    count_activities(connected)
    assert "do not count" not in choose(connected, session=str(connected.ahead))


def test_what_counts_is_removed_with_or_without_what_it_gave(connected: CourseUnderTest) -> None:
    count_activities(connected)
    choose(connected, session=str(connected.ahead))
    give(connected)
    page = connected.get(f"activities/{READING}/remove")
    assert "Remove it, and withdraw it from 1 person" in page

    page = connected.post(f"activities/{READING}/remove", {"do": "keep"}, on=f"activities/{READING}/remove")
    assert "What it gave stays" in page
    assert mapped(connected) == []
    assert has_it(connected)

    choose(connected, session=str(connected.ahead))
    give(connected)  # the same fact: nothing new is recorded
    assert len(connected.facts()) == 1
    page = connected.post(f"activities/{READING}/remove", {"do": "withdraw"}, on=f"activities/{READING}/remove")
    assert "what it gave is withdrawn" in page
    assert not has_it(connected)

    choose(connected, session=str(connected.ahead))
    give(connected)  # it counts anew
    assert has_it(connected)
    assert len(connected.audited("unmap_activity")) == 2


def test_what_is_held_is_decided_once_and_as_it_was_shown(connected: CourseUnderTest) -> None:
    count_activities(connected)
    choose(connected, session=str(connected.ahead))
    hold(connected)
    held_at = connected.now.isoformat()
    with names_told(connected.tool.malta):
        page = connected.get("activities/")
    assert "1 of 1 people" in page
    about = page[page.index("Who it is about") : page.index("Yes, take it back")]
    assert "Activity “Reading &lt;b&gt;one&lt;/b&gt; &amp; two”, " in about
    assert "<li>Marija Borg</li>" in about
    assert connected.audited("see_held_completions")
    token = form_token(page, "held/accept")
    stale = {"form_token": token, "held_at": (connected.now - timedelta(hours=1)).isoformat()}
    assert connected.send("activities/held/accept", stale).status_code == 403

    page = connected.post("activities/held/reject", {"held_at": held_at}, on="activities/")
    assert "You are not asked about this again" in page
    assert has_it(connected)
    assert "Held back" not in page
    again = {"form_token": token, "held_at": held_at}
    assert connected.send("activities/held/accept", again).status_code == 303
    assert has_it(connected)  # too late
    assert connected.audited("accept_taken_back") == []


def test_a_yes_takes_back_what_is_held(connected: CourseUnderTest) -> None:
    count_activities(connected)
    choose(connected, session=str(connected.ahead))
    hold(connected)
    with names_told(connected.tool.malta):
        assert "completions of 1 person" in connected.get()
    page = connected.post("activities/held/accept", {"held_at": connected.now.isoformat()}, on="activities/")
    assert "It is taken back" in page
    assert not has_it(connected)
    with names_told(connected.tool.malta):
        person = connected.get(connected.person(connected.maria))
    assert "Activity “Reading &lt;b&gt;one&lt;/b&gt; &amp; two”" in person
    assert "your Moodle" in person
    browser, path = open_as(connected.tool, connected.tool.malta, roles=[LEARNER], sub=connected.maria.sub)
    own = browser.get(path).text
    assert "Activity “Reading &lt;b&gt;one&lt;/b&gt; &amp; two” in your course</span>, seen complete in Moodle, " in own
    assert "by your course in Moodle" in own


def test_what_a_teacher_has_set_is_said_to_be_theirs(connected: CourseUnderTest) -> None:
    choose(connected, session=str(connected.ahead))
    give(connected, by="8")
    browser, path = open_as(connected.tool, connected.tool.malta, roles=[LEARNER], sub=connected.maria.sub)
    assert "in your course, set to complete by a teacher" in browser.get(path).text


@pytest.mark.parametrize(
    ("level", "moodle_course_id", "words"),
    [(None, None, "is not connected"), (Level.CALENDAR, 2, "calendar alone"), (Level.COMPLETIONS, None, "not one of")],
)
def test_the_page_says_who_can_connect_what_is_not(
    course: CourseUnderTest, level: Level | None, moodle_course_id: int | None, words: str
) -> None:
    if level is not None:
        connect(course, level, moodle_course_id)
    page = course.get("activities/")
    assert words in page
    assert "administrator" in page


def test_what_counts_is_shown_when_moodle_does_not_answer(course: CourseUnderTest) -> None:
    connect(course)
    with moodle_says(course, CONTENTS):
        choose(course)
        token = form_token(course.get("activities/"), "course/activities/")
    with moodle_says(course, {"exception": "x", "errorcode": "sitemaintenance", "message": "x"}):
        page = course.get("activities/")
        assert "Reading" in page
        assert "in maintenance" in page
        data = {"form_token": token, "cmid": str(QUIZ), "session": str(course.over)}
        answer = course.send("activities/", data)
        assert answer.status_code == 422
        assert "Nothing was saved" in answer.text


def hold(course: CourseUnderTest) -> None:
    """Moodle takes back what it gave to Maria; of so few, nobody would be asked, had somebody else not been held."""
    place = give(course)
    with course.database.write() as connection:
        (key, before), *_ = known_states(connection, place.course_id, course.maria.sub).items()
        said = Said(key=key, session_id=before.session_id, is_complete=False, changed_at=course.now)
        others = {str(number): [said] for number in range(1000, 1006)}
        weigh(connection, place.course_id, {course.maria.sub: [said], **others}, {}, now=course.now)
        weigh(connection, place.course_id, {}, {sub: [said] for sub in others}, now=course.now)


def teacher(course: CourseUnderTest) -> int:
    with course.database.read() as connection:
        return int(connection.execute(sa.text("SELECT id FROM participant WHERE sub = '20'")).scalar_one())


@pytest.mark.parametrize(
    ("cmid", "changes", "status", "words"),
    [
        (UNTRACKED, {}, 422, "does not track its completion"),
        (OURS, {}, 422, "only be its own echo"),
        (TOOL, {}, 422, "External tools are not offered"),
        (99, {}, 422, "no longer in the course"),
        (READING, {"session": ""}, 422, "choose the session"),
        (READING, {"session": "x\0"}, 400, ""),
        (READING, {"session": "5e551000-0000-4000-8000-0000000000ff"}, 404, ""),
    ],
)
def test_what_cannot_count_is_refused(
    connected: CourseUnderTest, cmid: int, changes: dict[str, str], status: int, words: str
) -> None:
    token = form_token(connected.get("activities/"), "course/activities/")
    answer = connected.send(
        "activities/", {"form_token": token, "cmid": str(cmid), "session": str(connected.over)} | changes
    )
    assert answer.status_code == status
    assert words in answer.text
    assert mapped(connected) == []
