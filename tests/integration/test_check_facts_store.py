"""What we know of a connected university's courses, on both databases."""

import pytest
import sqlalchemy as sa

from series.sessions import Status
from series.store.check_facts import KnownActivity, KnownCourse, has_announcements, known_courses
from series.store.connecting import FrontPage, choose_course, connect_moodle, disconnect_moodle
from series.store.database import Database
from series.store.moodle_connections import NewConnection
from series.store.moodle_tables import mapped_activity
from series.store.tables import audit, course, roster_member, session
from tests.conftest import NOW
from tests.examples import MALTA, SERIES
from tests.seeds import ENCRYPTION_KEY, ISSUER, Seeded, launch, seed


def connected(database: Database) -> Seeded:
    """Malta's Moodle, with the course that a student has opened the series from."""
    seeded = seed(database)
    launch(database)
    new = NewConnection(university_id=MALTA.university_id, base_url=ISSUER, token="a-token", moodle_user_id=35)
    with database.write() as connection:
        connect_moodle(connection, new, encryption_key=ENCRYPTION_KEY, actor="staff 1", now=NOW)
        series, by = seeded.series, {"actor": "staff 1", "now": NOW}
        choose_course(connection, MALTA, series, moodle_course_id=2, title="Teaching\0", **by)
    return seeded


def the_course(database: Database, base_url: str = ISSUER) -> KnownCourse:
    with database.read() as connection:
        (known,) = known_courses(connection, MALTA.university_id, base_url=base_url, now=NOW)
    return known


def test_a_course_is_known_with_its_people_activities_and_first_session(database: Database) -> None:
    seeded = connected(database)
    with database.write() as connection:
        course_id = connection.execute(sa.select(course.c.id)).scalar_one()
        of_course = {"course_id": course_id, "is_learner": True, "is_suspended": False}
        connection.execute(sa.insert(roster_member), [{**of_course, "sub": "6"}, {**of_course, "sub": "7"}])
        gone = sa.update(roster_member).where(roster_member.c.sub == "7").values(gone_at=NOW)
        connection.execute(gone)
        mapped = {"cmid": 4, "module": "quiz", "name": "Quiz", "mapped_by": "participant 1", "mapped_at": NOW}
        connection.execute(
            sa.insert(mapped_activity).values(course_id=course_id, session_id=seeded.session_ids[0], **mapped)
        )
    known = the_course(database)
    assert (known.title, known.moodle_course_id, known.announces) == ("Teaching STEM", 2, False)
    assert (known.learners, known.has_placement) == ({"5", "6"}, True)
    assert known.activities == (KnownActivity(cmid=4, module="quiz", name="Quiz"),)
    assert known.first_at == seeded.sessions[0].start_at


def test_people_of_another_lms_have_other_numbers(database: Database) -> None:
    connected(database)
    known = the_course(database, "https://another.example")
    assert (known.learners, known.has_placement) == (frozenset(), False)


def test_cancelled_sessions_are_no_first_ones(database: Database) -> None:
    seeded = connected(database)
    with database.write() as connection:
        first = session.c.id == seeded.session_ids[0]
        connection.execute(sa.update(session).where(first).values(status=Status.CANCELLED.value))
    assert the_course(database).first_at == seeded.sessions[1].start_at


def test_who_connected_and_disconnected_is_kept(database: Database) -> None:
    connected(database)
    with database.write() as connection:
        assert not has_announcements(connection, MALTA.university_id)
        connection.execute(sa.update(course).values(announces=True))
        assert has_announcements(connection, MALTA.university_id)
        disconnect_moodle(connection, MALTA.university_id, actor="staff 1", now=NOW)
        assert not has_announcements(connection, MALTA.university_id)
        rows = connection.execute(sa.select(audit.c.action, audit.c.detail).order_by(audit.c.id)).all()
    assert [row.action for row in rows] == ["connect_moodle", "choose_moodle_course", "disconnect_moodle"]
    assert not [row for row in rows if "a-token" in row.detail]


def test_the_front_page_is_not_chosen(database: Database) -> None:
    connected(database)
    by = {"title": "Home", "actor": "staff 1", "now": NOW}
    with database.write() as connection, pytest.raises(FrontPage):
        choose_course(connection, MALTA, SERIES, moodle_course_id=1, **by)
    assert the_course(database).moodle_course_id == 2
