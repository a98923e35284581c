"""What waits for a person, on both databases: for the coordinator, an LMS admin, and who teaches a course."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from series.announcements import State
from series.checks import Check, Code, Outcome, encode_checks
from series.people import Visit
from series.sessions import Status
from series.store.announcement_postings import claim, note_not_posted
from series.store.announcements import (
    announcements_of,
    decide,
    make_due,
    switch_on,
    to_tell,
)
from series.store.database import Database
from series.store.merging import merge_courses
from series.store.mirrors import show_series
from series.store.moodle_connections import NewConnection, save_checks, save_connection
from series.store.moodle_tables import announcement, course_collect
from series.store.sessions import change_session
from series.store.tables import (
    calendar_source,
    course,
    course_roster,
    delivery,
    deployment,
    gradebook_pause,
    held_plan,
    moodle_connection,
    platform,
    series,
    uploaded_table,
)
from series.store.waiting import waiting_for_coordinator, waiting_for_course, waiting_for_university
from series.waiting import Waiting, WaitingKind, sentence
from tests.conftest import NOW
from tests.examples import MALTA, SERIES, VILNIUS
from tests.seeds import ENCRYPTION_KEY, Seeded, code_of, launch, record, seed

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
OLD = NOW - timedelta(hours=2)


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def student(database: Database, seeded: Seeded) -> Visit:
    return launch(database, now=OLD)


def write(database: Database, statement: Any) -> None:
    with database.write() as connection:
        connection.execute(statement)


def connect(database: Database, failures: int = 0, **values: Any) -> None:
    new = NewConnection(university_id=MALTA.university_id, base_url="https://m.example", token="t", moodle_user_id=9)
    with database.write() as connection:
        save_connection(connection, new, encryption_key=ENCRYPTION_KEY, now=NOW)
        connection.execute(sa.update(moodle_connection).values(failures=failures, **values))


def everywhere(database: Database, now: datetime = NOW) -> list[Waiting]:
    with database.read() as connection:
        return waiting_for_coordinator(connection, now=now)


def kinds(database: Database, now: datetime = NOW) -> list[WaitingKind]:
    return [one.kind for one in everywhere(database, now)]


def at(database: Database, university_id: int) -> list[Waiting]:
    with database.read() as connection:
        return waiting_for_university(connection, university_id, now=NOW)


def in_course(database: Database, visit: Visit) -> list[WaitingKind]:
    assert visit.course_id
    with database.read() as connection:
        return [one.kind for one in waiting_for_course(connection, visit.course_id, SERIES.series_id, now=NOW)]


def hold(*, is_rejected: bool) -> Any:
    return sa.insert(held_plan).values(
        series_id=SERIES.series_id,
        is_rejected=is_rejected,
        source="",
        digest="",
        plan="",
        sessions_before="",
        reasons="",
        held_at=OLD,
    )


def cancel(database: Database, seeded: Seeded) -> None:
    with database.write() as connection:
        change_session(connection, replace(seeded.sessions[1], status=Status.CANCELLED), by="staff 1", now=NOW)


def test_where_nothing_waits_nothing_is_said(database: Database, student: Visit) -> None:
    assert (everywhere(database), at(database, MALTA.university_id), in_course(database, student)) == ([], [], [])


def test_a_held_plan_waits_for_the_coordinator_alone(database: Database, seeded: Seeded) -> None:
    write(database, hold(is_rejected=True))
    assert kinds(database) == []
    write(database, hold(is_rejected=False))
    (found,) = everywhere(database)
    assert (found.kind, found.since_at, found.path) == (
        WaitingKind.HELD_PLAN,
        OLD,
        "/coordinator/series/autumn/held",
    )
    assert sentence(found).startswith("European STEM Workshop Series: changes that its calendar would make")
    assert at(database, MALTA.university_id) == []


def test_a_source_waits_after_an_hour_and_a_table_after_two_minutes(database: Database, seeded: Seeded) -> None:
    write(database, sa.update(series).values(source="https://c.example/a.ics"))
    write(
        database,
        sa.insert(calendar_source).values(
            series_id=SERIES.series_id, source="https://c.example/a.ics", failing_since=NOW, failures=3, reason="down"
        ),
    )
    write(
        database,
        sa.insert(uploaded_table).values(series_id=SERIES.series_id, run_id=7, name="", body=b"", uploaded_at=NOW),
    )
    assert kinds(database, NOW + MINUTE) == []
    assert kinds(database, NOW + HOUR) == [WaitingKind.SOURCE_FAILS, WaitingKind.TABLE]
    write(database, sa.update(series).values(source="https://c.example/b.ics"))
    assert kinds(database, NOW + HOUR) == [WaitingKind.TABLE], "another source begins anew"


def test_a_moodle_waits_after_ten_minutes_at_its_own_university(database: Database, seeded: Seeded) -> None:
    connect(database, failures=2, failing_since=NOW - 9 * MINUTE, reason="No.")
    assert kinds(database) == []
    write(database, sa.update(moodle_connection).values(failing_since=NOW - 10 * MINUTE))
    assert kinds(database) == [WaitingKind.MOODLE_FAILS]
    assert [one.kind for one in at(database, MALTA.university_id)] == [WaitingKind.MOODLE_FAILS]
    assert at(database, VILNIUS.university_id) == []


def test_only_gaps_of_a_check_wait(database: Database, seeded: Seeded) -> None:
    fine = [{"code": "functions", "outcome": "ok", "facts": {"gap": "gap"}}, {"code": "clock", "outcome": "unknown"}]
    connect(database, checks=json.dumps(fine), checked_at=NOW)
    assert kinds(database) == []
    write(
        database,
        sa.update(moodle_connection).values(checks=json.dumps([*fine, {"code": "forum", "outcome": "gap", "ms": 4}])),
    )
    (found,) = everywhere(database)
    assert (found.kind, found.facts["count"], found.path) == (
        WaitingKind.MOODLE_GAPS,
        1,
        "/admin/moodle/malta/connection/",
    )
    write(database, sa.update(moodle_connection).values(checks='{"gap": 1}'))
    assert kinds(database) == [], "what another version has written"


def test_what_is_held_in_a_course_waits_for_its_teachers_and_is_seen_by_staff(
    database: Database, student: Visit
) -> None:
    for table, more in ((course_roster, {"failures": 0}), (course_collect, {"results": "{}"})):
        write(database, sa.insert(table).values(course_id=student.course_id, held="[]", held_at=OLD, **more))
    held = [WaitingKind.HELD_COMPLETIONS, WaitingKind.HELD_ROSTER]
    assert kinds(database) == held
    assert sorted(in_course(database, student)) == held
    assert "University of Malta, course “Teaching STEM”" in sentence(everywhere(database)[1])
    write(database, sa.update(course_roster).values(held=None))
    assert kinds(database) == [WaitingKind.HELD_COMPLETIONS]


def test_a_gradebook_waits_after_an_hour_and_failed_grades_are_counted(
    database: Database, seeded: Seeded, student: Visit
) -> None:
    record(database, code_of(student, seeded.session_ids[0]), now=NOW)
    pause = {"failures": 1, "failing_since": NOW, "until": NOW, "reason": "No answer."}
    write(database, sa.insert(gradebook_pause).values(platform_id=seeded.platform_id, **pause))
    assert kinds(database) == []
    write(database, sa.update(delivery).values(state="failed"))
    write(database, sa.update(gradebook_pause).values(failing_since=NOW - HOUR))
    failing, failed = everywhere(database)
    assert (failing.kind, failed.kind) == (WaitingKind.GRADEBOOK_FAILS, WaitingKind.GRADES_NOT_SENT)
    assert (
        sentence(failed)
        == "University of Malta: 1 grade could not be sent. The instructor's page says why, and sends it again."
    )
    assert at(database, VILNIUS.university_id) == []


def test_a_pending_deployment_waits(database: Database, seeded: Seeded) -> None:
    new = {"platform_id": seeded.platform_id, "deployment_id": "9", "state": "pending", "first_course": "Physics"}
    write(database, sa.insert(deployment).values(**new, first_seen_at=OLD))
    (found,) = everywhere(database)
    assert "(9, Physics)" in sentence(found)
    write(database, sa.update(deployment).values(state="approved"))
    assert kinds(database) == []


def test_a_change_waits_for_the_teachers_of_a_course_that_was_not_told(
    database: Database, seeded: Seeded, student: Visit
) -> None:
    cancel(database, seeded)
    assert in_course(database, student) == [WaitingKind.TO_ANNOUNCE]
    assert kinds(database) == []
    with database.write() as connection:
        (one,) = to_tell(connection, [student.course_id or 0], now=NOW)
        assert decide(connection, one, State.SET_ASIDE, by="participant 1", now=NOW)
        assert not decide(connection, one, State.DUE, by="participant 1", now=NOW), "it is told"
    assert in_course(database, student) == []


def test_what_is_posted_by_itself_waits_for_nobody_until_it_fails(
    database: Database, seeded: Seeded, student: Visit
) -> None:
    connect(database)
    with database.write() as connection:
        connection.execute(sa.update(course).values(moodle_course_id=2))
        assert switch_on(connection, student.course_id or 0, now=NOW)
        assert not switch_on(connection, student.course_id or 0, now=NOW)
    cancel(database, seeded)
    assert in_course(database, student) == []
    write(database, sa.update(moodle_connection).values(failures=1))
    assert in_course(database, student) == [WaitingKind.TO_ANNOUNCE], "its Moodle does not answer"
    with database.write() as connection:
        (one,) = to_tell(connection, [student.course_id or 0], now=NOW)
        decide(connection, one, State.DUE, by="participant 1", now=NOW)
        connection.execute(sa.update(announcement).values(state="failed", problem="No forum."))
    assert in_course(database, student) == [WaitingKind.NOT_ANNOUNCED]
    (found,) = at(database, MALTA.university_id)
    assert (found.kind, found.facts["reason"]) == (WaitingKind.NOT_ANNOUNCED, "No forum.")


def test_what_was_due_waits_for_a_person_once_the_course_does_not_want_it_posted(
    database: Database, seeded: Seeded, student: Visit
) -> None:
    connect(database)
    own = student.course_id or 0
    with database.write() as connection:
        connection.execute(sa.update(course).values(moodle_course_id=2, announces=True))
        other = sa.insert(course).values(university_id=VILNIUS.university_id, title="", announces=True)
        connection.execute(other)
    cancel(database, seeded)
    with database.write() as connection:
        make_due(connection, to_tell(connection, [own], now=NOW), now=NOW)
        connection.execute(sa.update(announcement).values(began_at=NOW))
    assert in_course(database, student) == []
    with database.write() as connection:
        (one,) = to_tell(connection, [own], now=NOW)
        assert not decide(connection, one, State.SET_ASIDE, by="participant 1", now=NOW), "it is being posted"
        connection.execute(sa.update(course).where(course.c.id == own).values(announces=False))
        (row,) = announcements_of(connection, [own])
        assert not claim(connection, row, now=NOW), "what another course wants says nothing"
    assert in_course(database, student) == [WaitingKind.TO_ANNOUNCE]
    with database.write() as connection:
        assert decide(connection, one, State.SET_ASIDE, by="participant 1", now=NOW)
        note_not_posted(connection, row.announcement_id, problem="No.", attempts=5, next_at=None, is_sure=False)
    assert in_course(database, student) == [], "what a person has done stands"


def test_each_gap_waits_by_itself_since_it_was_first_found(database: Database, seeded: Seeded) -> None:
    connect(database)

    def find(*codes: Code, now: datetime) -> dict[str, datetime]:
        gaps = [Check(code=code, outcome=Outcome.GAP, facts={"course": "C", "course_id": 2}) for code in codes]
        with database.write() as connection:
            save_checks(connection, MALTA.university_id, encode_checks(gaps), now=now)
        return {str(one.facts["reason"]).split(".")[0]: one.since_at for one in everywhere(database, now)}

    closed, untracked = (
        "“C”: The account may not open the course",
        "“C”: The course does not track completion: nothing in it can be completed",
    )
    assert find(Code.COURSE_OPEN, now=OLD) == {closed: OLD}
    assert find(Code.COURSE_OPEN, Code.COURSE_COMPLETION, now=NOW) == {closed: OLD, untracked: NOW}
    assert find(now=NOW) == {}
    assert find(Code.COURSE_OPEN, now=NOW) == {closed: NOW}


def test_grades_that_fail_for_another_cause_wait_by_themselves(
    database: Database, seeded: Seeded, student: Visit
) -> None:
    for number, session_id in enumerate(seeded.session_ids[:2]):
        record(database, code_of(student, session_id, source_id=str(number)), now=NOW)
    failed = sa.update(delivery).values(state="failed", outcome="Gone.")
    write(database, failed)
    (first,) = everywhere(database)
    assert (first.facts["count"], first.facts["reason"]) == (2, "“Teaching STEM”: Gone.")
    write(database, failed.values(outcome="Locked.").where(delivery.c.version == 2))
    keys = {one.key for one in everywhere(database)}
    assert (len(keys), first.key in keys) == (2, True)


def test_two_courses_that_turn_out_to_be_one_were_told_once(database: Database, seeded: Seeded, student: Visit) -> None:
    with database.write() as connection:
        other = connection.execute(
            sa.insert(course).values(university_id=MALTA.university_id, title="", announces=True).returning(course.c.id)
        ).scalar_one()
        show_series(connection, other, SERIES.series_id, now=NOW)
    cancel(database, seeded)
    with database.write() as connection:
        (one,) = to_tell(connection, [student.course_id or 0], now=NOW)
        decide(connection, one, State.SET_ASIDE, by="participant 1", now=NOW)
        decide(connection, replace(one, course_id=other), State.DUE, by="participant 2", now=NOW)
        merge_courses(connection, kept=student.course_id or 0, dropped=other)
        (row,) = announcements_of(connection, [student.course_id or 0, other])
        is_on = connection.execute(sa.select(course.c.announces)).scalar_one()
    assert (row.state, row.set_by, bool(is_on)) == (State.SET_ASIDE, "participant 1", True)


# Who waits to be let in


def test_an_lms_that_has_registered_waits_for_the_coordinator_alone(database: Database, seeded: Seeded) -> None:
    write(database, sa.update(platform).values(state="pending", created_at=OLD))
    (one,) = everywhere(database)
    assert (one.kind, one.since_at, one.path) == (WaitingKind.PLATFORM, OLD, "/admin/lms/malta/connect/")
    assert sentence(one).startswith("University of Malta: its LMS has registered (https://lms.malta.example)")
    with database.read() as connection:
        assert waiting_for_university(connection, MALTA.university_id, now=NOW) == []


def test_a_part_of_an_lms_that_is_switched_off_waits_for_nobody(database: Database, seeded: Seeded) -> None:
    write(database, sa.update(deployment).values(state="pending", first_seen_at=OLD))
    write(database, sa.update(platform).values(state="disabled"))
    assert everywhere(database) == []


def test_a_part_of_an_lms_waits_for_its_own_administrator_too(database: Database, seeded: Seeded) -> None:
    write(database, sa.update(deployment).values(state="pending", first_seen_at=OLD, first_course="Physics"))
    (one,) = everywhere(database)
    assert (one.kind, one.path) == (WaitingKind.DEPLOYMENT, "/admin/lms/malta/")
    assert sentence(one).endswith("(1, Physics). Look whether it is theirs, and approve it.")
    with database.read() as connection:
        assert waiting_for_university(connection, MALTA.university_id, now=NOW) == [one]
        assert waiting_for_university(connection, VILNIUS.university_id, now=NOW) == []
