"""Whom a breach touches: everybody who is held in any table is in the list of their university, or of the coordinators.

Each test puts one person into one place and nowhere else.
"""

import json
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from series.staff import Role
from series.store.audit import append_audit
from series.store.breach import Affected, affected_people
from series.store.database import Database
from series.store.lms_tables import host_invitation, platform_check
from series.store.moodle_tables import activity_state, course_collect, mapped_activity, moodle_account
from series.store.staff import add_staff
from series.store.tables import (
    course,
    course_roster,
    evidence,
    excuse,
    held_plan,
    moodle_connection,
    participant,
    roster_member,
    session,
    session_host,
    uploaded_table,
)
from tests.conftest import NOW
from tests.examples import MALTA, SERIES, VILNIUS
from tests.seeds import ISSUER, LAUNCH, Seeded, code_of, launch, record, seed

LATER = NOW + timedelta(days=1)


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def held(database: Database, seeded: Seeded) -> Database:
    """One student of Malta with a completion, in a course; and no session is hosted by anybody."""
    record(database, code_of(launch(database), seeded.session_ids[0]))
    put(database, sa.update(session).values(hosting_university_id=None, co_hosts="", speakers=""))
    return database


def put(database: Database, statement: sa.Executable) -> None:
    with database.write() as connection:
        connection.execute(statement)


def course_of(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(sa.select(course.c.id)).scalar_one())


def touched(
    database: Database, of: int | None = MALTA.university_id, *, since: datetime | None = None
) -> list[Affected]:
    with database.read() as connection:
        return list(affected_people(connection, of, since=since))


def others(database: Database, of: int | None = MALTA.university_id) -> list[Affected]:
    """But the one student."""
    return [one for one in touched(database, of) if one.sub != LAUNCH.sub]


def connect(database: Database) -> None:
    row = {"university_id": 1, "base_url": ISSUER, "token_sealed": "x", "moodle_user_id": 77, "connected_at": NOW}
    put(database, sa.insert(moodle_connection).values(row))


def state(database: Database, seeded: Seeded, **more: object) -> None:
    row = {"course_id": course_of(database), "cmid": 3, "source": "activity", "session_id": seeded.session_ids[0]}
    put(database, sa.insert(activity_state).values(**row, is_complete=True, changed_at=NOW, **more))


@pytest.mark.parametrize("text", ['{"members": [["99", true, false]]}', '{"kept": ["99"]}'])
def test_dpo_18_whom_only_a_held_roster_names(held: Database, text: str) -> None:
    put(held, sa.insert(course_roster).values(course_id=course_of(held), failures=0, held=text, held_at=NOW))
    (one,) = others(held)
    assert (one.kind, one.issuer, one.sub) == ("only in a list of the LMS", ISSUER, "99")
    assert (one.courses, one.last_at) == ("Teaching STEM", NOW)


@pytest.mark.parametrize(
    "values",
    [
        {"refused": '["99"]'},
        {"held": json.dumps({"waits": [["99", 3, "activity", 0]]})},
        {"held": json.dumps({"stays": [["99", 3, "activity", 0]]})},
    ],
)
def test_dpo_18_whom_only_a_reading_of_moodle_names(held: Database, values: dict[str, str]) -> None:
    put(held, sa.insert(course_collect).values(course_id=course_of(held), read_at=NOW, **values))
    (one,) = others(held)
    assert (one.sub, one.last_at) == ("99", NOW)


def test_dpo_18_whom_an_activity_names_and_who_has_set_it(held: Database, seeded: Seeded) -> None:
    state(held, seeded, sub="99", said_by="17")
    assert [one.sub for one in others(held)] == ["17", "99"]


def test_dpo_18_a_teacher_of_whom_only_moodle_knows_the_number(held: Database) -> None:
    put(held, sa.update(evidence).values(recorded_by="moodle user 17"))
    (one,) = others(held)
    assert (one.issuer, one.sub, one.held) == (ISSUER, "17", "number in the LMS; who did what")
    assert others(held, VILNIUS.university_id) == []


def test_who_is_in_a_list_and_has_come_is_one_person(held: Database, seeded: Seeded) -> None:
    state(held, seeded, sub=LAUNCH.sub)
    (one,) = touched(held)
    assert "completions" in one.held
    assert "activities in the LMS" in one.held


def test_dpo_18_whom_an_invitation_to_host_names(held: Database, seeded: Seeded) -> None:
    put(held, sa.update(session).values(hosting_university_id=1))
    row = {"session_id": seeded.session_ids[0], "label": "Dr Borg", "created_by": "staff 1", "created_at": NOW}
    put(held, sa.insert(host_invitation).values(**row, expires_at=LATER))
    (one,) = others(held)
    assert (one.kind, one.name, one.held) == ("known by name alone", "Dr Borg", "invitation to host a session")
    assert others(held, VILNIUS.university_id) == others(held, None) == []


def test_dpo_18_whom_the_plan_names(held: Database) -> None:
    put(held, sa.update(session).values(hosting_university_id=1, speakers="Ada L.", co_hosts="Dr Zammit"))
    assert [one.name for one in others(held)] == ["Ada L.", "Dr Zammit"]
    put(held, sa.update(session).values(hosting_university_id=None))
    assert others(held) == []
    assert [one.name for one in others(held, None)] == ["Ada L.", "Dr Zammit"]


def test_dpo_18_accounts_and_test_students(held: Database) -> None:
    connect(held)
    put(held, sa.insert(moodle_account).values(university_id=1, base_url="https://old.example", user_id=78))
    put(held, sa.insert(platform_check).values(platform_id=1, next_at=NOW, test_user="79"))
    found = {(one.kind, one.issuer, one.sub) for one in others(held)}
    assert found == {("account in the LMS", issuer, sub) for issuer, sub in _ACCOUNTS}
    assert others(held, VILNIUS.university_id) == []


_ACCOUNTS = ((ISSUER, "77"), ("https://old.example", "78"), (ISSUER, "79"))


def test_dpo_18_coordinators_are_in_a_list_of_their_own(held: Database) -> None:
    with held.write() as connection:
        for email, role, home in (("c@example.org", Role.COORDINATOR, None), ("a@example.org", Role.LMS_ADMIN, 1)):
            add_staff(connection, email=email, name="N", role=role, university_id=home, now=NOW)
    assert [(one.kind, one.email) for one in touched(held, None)] == [("coordinator", "c@example.org")]
    assert [(one.kind, one.email) for one in others(held)] == [("LMS administrator", "a@example.org")]


def test_dpo_18_texts_that_may_name_anybody_are_said_to_the_coordinators(held: Database) -> None:
    row = {"series_id": SERIES.series_id, "run_id": 1, "name": "x.csv", "body": b"", "uploaded_at": NOW}
    put(held, sa.insert(uploaded_table).values(row))
    plan = {"source": "x", "digest": "0", "plan": "{}", "sessions_before": "[]", "reasons": "", "held_at": NOW}
    put(held, sa.insert(held_plan).values(series_id=SERIES.series_id, is_rejected=False, **plan))
    (one,) = touched(held, None)
    assert (one.kind, one.name) == ("a text that may name people", SERIES.title)
    assert one.held == "uploaded plan; plan held back"


def test_dpo_18_an_excuse_is_of_somebody_whatever_the_moment(held: Database, seeded: Seeded) -> None:
    """Nobody notes when it was worked out."""
    assert touched(held, since=LATER) == []
    row = {"participant_id": 1, "session_id": seeded.session_ids[1]}
    put(held, sa.insert(excuse).values(row))
    (one,) = touched(held, since=LATER)
    assert "excuses" in one.held


def test_dpo_18_who_was_looked_at_since_is_touched(held: Database) -> None:
    with held.write() as connection:
        append_audit(connection, actor="staff 1", action="see_person", thing="participant 1", now=LATER)
    assert len(touched(held, since=LATER)) == 1
    put(held, sa.text("DELETE FROM audit"))
    assert touched(held, since=LATER) == []
    with held.write() as connection:
        append_audit(connection, actor="staff 1", action="confirm", thing="session 1", now=LATER, participant=1)
    assert len(touched(held, since=LATER)) == 1


def test_dpo_18_who_has_set_something_since_is_touched(held: Database, seeded: Seeded) -> None:
    row = {"course_id": course_of(held), "cmid": 3, "session_id": seeded.session_ids[0], "module": "page", "name": "x"}
    put(held, sa.insert(mapped_activity).values(**row, mapped_by="participant 1", mapped_at=LATER))
    (one,) = touched(held, since=LATER)
    assert "who did what" in one.held


def test_dpo_18_a_list_that_was_not_read_since_touches_nobody(held: Database) -> None:
    row = {"course_id": course_of(held), "sub": "99", "is_learner": True, "is_suspended": False}
    put(held, sa.insert(roster_member).values(row))
    put(held, sa.insert(course_roster).values(course_id=course_of(held), failures=0, read_at=NOW))
    assert touched(held, since=LATER) == []
    put(held, sa.update(course_roster).values(read_at=LATER))
    assert [one.sub for one in touched(held, since=LATER)] == ["99"]


def test_of_whom_only_the_number_has_stayed_is_nobody(held: Database, seeded: Seeded) -> None:
    put(held, sa.insert(session_host).values(session_id=seeded.session_ids[0], participant_id=1))
    put(held, sa.update(participant).values(issuer="", sub="erased 1"))
    assert touched(held) == []
