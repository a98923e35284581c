"""Drafts, details, lists, codes, invitations, accounts: each goes by its own time."""

from datetime import datetime

import pytest
import sqlalchemy as sa

from series.people import Visit
from series.retention import Kept, period
from series.rule import Rule
from series.staff import Role
from series.store.database import Database
from series.store.lms_tables import lms_invitation, staff_binding
from series.store.moodle_tables import course_collect
from series.store.sessions import add_series
from series.store.staff import add_staff
from series.store.tables import (
    check_in,
    course_roster,
    course_series,
    more_time,
    reflection,
    roster_member,
    staff,
)
from tests.conftest import NOW
from tests.integration.retention.kept import DAY, RUNNING, SECOND, YEAR, run, who_of
from tests.seeds import Seeded


def test_dpo_09_drafts_go_thirty_days_after_the_end(database: Database, student: Visit, end: datetime) -> None:
    with database.write() as connection:
        connection.execute(sa.update(reflection).values(state="draft", evidence_id=None))
    assert Kept.DRAFT not in run(database, end + 30 * DAY - SECOND)
    assert run(database, end + 30 * DAY)[Kept.DRAFT] == 1


def test_dpo_09_a_draft_that_is_still_written_stays(database: Database, student: Visit, end: datetime) -> None:
    with database.write() as connection:
        connection.execute(sa.update(reflection).values(state="draft", saved_at=end + 5 * DAY))
    assert Kept.DRAFT not in run(database, end + 30 * DAY)


def test_dpo_09_attendance_detail_goes_thirty_days_after_the_session(
    database: Database, seeded: Seeded, student: Visit
) -> None:
    with database.write() as connection:
        row = {"code": "123456", "opens_at": NOW, "closes_at": NOW, "opened_by_participant_id": student.participant_id}
        opened = sa.insert(check_in).values(session_id=seeded.session_ids[0], **row).returning(check_in.c.id)
        asked = {"check_in_id": connection.execute(opened).scalar_one(), "asked_at": NOW}
        connection.execute(sa.insert(more_time).values(**who_of(student), **asked))
    after = seeded.sessions[0].end_at + 30 * DAY
    assert Kept.ATTENDANCE not in run(database, after - SECOND)
    assert run(database, after)[Kept.ATTENDANCE] == 2


def list_in_course(database: Database, course_id: int, *, gone_at: datetime | None = None) -> None:
    row = {"course_id": course_id, "sub": "5", "is_learner": True, "is_suspended": False, "gone_at": gone_at}
    with database.write() as connection:
        connection.execute(sa.insert(roster_member).values(row))


def course_of(one: Visit) -> int:
    assert one.course_id is not None
    return one.course_id


def test_dpo_09_who_left_a_course_goes_from_its_list_thirty_days_later(database: Database, student: Visit) -> None:
    list_in_course(database, course_of(student), gone_at=NOW)
    assert Kept.ROSTER not in run(database, NOW + 30 * DAY - SECOND)
    assert run(database, NOW + 30 * DAY)[Kept.ROSTER] == 1


def test_dpo_09_lists_of_a_course_go_thirty_days_after_its_last_series(
    database: Database, student: Visit, end: datetime
) -> None:
    list_in_course(database, course_of(student))
    with database.write() as connection:
        held = {"course_id": course_of(student), "held": "{}", "held_at": NOW}
        connection.execute(sa.insert(course_roster).values(**held, failures=0))
        connection.execute(sa.insert(course_collect).values(**held, refused='["5"]'))
    assert not {Kept.ROSTER, Kept.HELD} & set(run(database, end + 30 * DAY - SECOND))
    done = run(database, end + 30 * DAY)
    assert (done[Kept.ROSTER], done[Kept.HELD]) == (1, 2)
    with database.read() as connection:
        assert connection.execute(sa.select(course_collect.c.held, course_collect.c.refused)).one() == (None, "[]")


def test_dpo_09_a_course_that_shows_a_newer_series_keeps_its_list(
    database: Database, student: Visit, end: datetime
) -> None:
    list_in_course(database, course_of(student))
    with database.write() as connection:
        add_series(connection, RUNNING, rule=Rule(required=1), now=NOW)
        tie = {"course_id": course_of(student), "series_id": RUNNING.series_id}
        connection.execute(sa.insert(course_series).values(tie))
    assert Kept.ROSTER not in run(database, end + 30 * DAY)


def test_dpo_09_codes_that_move_progress_go_when_their_time_is_over(database: Database, student: Visit) -> None:
    assert Kept.TRANSFER not in run(database, NOW + 14 * DAY - SECOND)
    assert run(database, NOW + 14 * DAY)[Kept.TRANSFER] == 1


@pytest.mark.parametrize("name", ["used_at", "revoked_at", "expires_at"])
def test_dpo_09_invitations_go_a_year_after_their_end(database: Database, seeded: Seeded, name: str) -> None:
    with database.write() as connection:
        row = {"university_id": 1, "approves": False, "created_by": "staff 1", "created_at": NOW}
        row |= {"expires_at": NOW + 9 * DAY, name: NOW}
        connection.execute(sa.insert(lms_invitation).values(row))
    assert Kept.INVITATION not in run(database, NOW + YEAR - SECOND)
    assert run(database, NOW + YEAR)[Kept.INVITATION] == 1


def test_dpo_09_accounts_switched_off_go_two_years_after_their_last_sign_in(database: Database, student: Visit) -> None:
    with database.write() as connection:
        of = {"role": Role.COORDINATOR, "university_id": None, "now": NOW}
        off = add_staff(connection, email="a@example.org", name="A", **of)
        add_staff(connection, email="b@example.org", name="B", **of)
        connection.execute(sa.update(staff).where(staff.c.id == off).values(state="disabled"))
        connection.execute(sa.insert(staff_binding).values(**who_of(student), staff_id=off, bound_at=NOW))
    assert Kept.STAFF not in run(database, NOW + period(Kept.STAFF) - SECOND)
    assert run(database, NOW + period(Kept.STAFF))[Kept.STAFF] == 1
    with database.read() as connection:
        assert connection.execute(sa.select(staff.c.email)).scalars().all() == ["b@example.org"]
