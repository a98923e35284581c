"""What the tables say of how ready universities are, on both databases, and in how many looks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from series.checks import Check, Code, Outcome, encode_checks
from series.people import Visit
from series.readiness import Case, Readiness, State, Step
from series.rule import Rule
from series.staff import INVITATION_LIFE, Role
from series.store.database import Database
from series.store.feeds import NOTED_EVERY, note_feed_read
from series.store.host_invitations import invite_host
from series.store.launches import upsert_participant
from series.store.lms_tables import host_invitation, lms_invitation, platform_arrival, platform_check
from series.store.mirrors import tie_course
from series.store.moodle_connections import NewConnection, save_connection
from series.store.moodle_tables import moodle_job
from series.store.readiness import FEED_READ_WITHIN, readiness, running_series
from series.store.sessions import add_series, get_session, name_host
from series.store.staff import add_link, add_staff, disable_account
from series.store.tables import (
    delivery,
    deployment,
    moodle_connection,
    platform,
    session,
    staff,
    staff_link,
    university,
)
from tests.conftest import NOW
from tests.examples import MALTA, SERIES, SESSION, VILNIUS
from tests.seeds import ENCRYPTION_KEY, ISSUER, Seeded, launch, seed

DAY = timedelta(days=1)


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def visit(database: Database, seeded: Seeded) -> Visit:
    """Somebody of Malta has opened the series in a course."""
    return launch(database)


def write(database: Database, statement: Any) -> None:
    with database.write() as connection:
        connection.execute(statement)


def of(
    database: Database, slug: str = "malta", *, now: datetime = NOW, series_id: UUID | None = SERIES.series_id
) -> Readiness:
    with database.read() as connection:
        return next(one for one in readiness(connection, series_id, now=now) if one.university.slug == slug)


def found(database: Database, step: Step, **more: Any) -> tuple[State, Case, datetime | None]:
    (finding,) = (finding for finding in of(database, **more).findings if finding.step is step)
    return finding.state, finding.case, finding.since


def admin(database: Database, email: str = "anna@example.org") -> int:
    """As `lti-tool admin create` makes one: with a link."""
    with database.write() as connection:
        staff_id = add_staff(
            connection, email=email, name="Anna Vella", role=Role.LMS_ADMIN, university_id=MALTA.university_id, now=NOW
        )
        add_link(connection, staff_id, "of the link", now=NOW, life=INVITATION_LIFE)
        return staff_id


def connect_moodle(database: Database, **values: Any) -> None:
    new = NewConnection(university_id=MALTA.university_id, base_url="https://m.example", token="t", moodle_user_id=9)
    with database.write() as connection:
        save_connection(connection, new, encryption_key=ENCRYPTION_KEY, now=NOW)
        if values:
            connection.execute(sa.update(moodle_connection).values(**values))


def tie(database: Database) -> None:
    with database.write() as connection:
        tie_course(
            connection,
            university_id=MALTA.university_id,
            moodle_course_id=4,
            title="STEM",
            series_id=SERIES.series_id,
            now=NOW,
        )


def invite_lms(database: Database, **values: Any) -> None:
    row = {
        "university_id": MALTA.university_id,
        "approves": False,
        "created_by": "staff 1",
        "created_at": NOW - DAY,
        "expires_at": NOW + DAY,
    }
    write(database, sa.insert(lms_invitation).values(**row | values))


# Invited


def test_an_account_that_works_is_an_invitation(database: Database, seeded: Seeded) -> None:
    assert found(database, Step.INVITED)[:2] == (State.GAP, Case.NOBODY)
    staff_id = admin(database)
    assert found(database, Step.INVITED) == (State.READY, Case.DONE, NOW)
    assert of(database).contact == "Anna Vella"
    assert found(database, Step.INVITED, slug="vilnius")[:2] == (State.GAP, Case.NOBODY)
    with database.write() as connection:
        disable_account(connection, staff_id)
    assert found(database, Step.INVITED)[:2] == (State.GAP, Case.NOBODY)


def test_an_account_whose_link_is_over_is_none(database: Database, seeded: Seeded) -> None:
    """Nobody can come by it until the coordinator makes a new one."""
    staff_id = admin(database)
    assert found(database, Step.INVITED, now=NOW + 8 * DAY) == (State.YOURS, Case.LINK_OVER, None)
    write(database, sa.delete(staff_link))  # as the worker clears up
    assert found(database, Step.INVITED)[:2] == (State.YOURS, Case.LINK_OVER)
    write(database, sa.update(staff).where(staff.c.id == staff_id).values(password_hash="x"))
    assert found(database, Step.INVITED, now=NOW + 8 * DAY) == (State.READY, Case.DONE, NOW)


def test_so_is_a_link_for_its_lms_until_it_is_over_or_taken_back(database: Database, seeded: Seeded) -> None:
    invite_lms(database)
    assert found(database, Step.INVITED) == (State.READY, Case.PENDING, NOW - DAY)
    assert found(database, Step.INVITED, now=NOW + DAY) == (State.GAP, Case.OVER, NOW + DAY)
    write(database, sa.update(lms_invitation).values(revoked_at=NOW))
    assert found(database, Step.INVITED)[:2] == (State.GAP, Case.NOBODY)


# Connected


def test_registered_is_not_yet_used(database: Database, seeded: Seeded) -> None:
    assert found(database, Step.CONNECTED) == (State.GAP, Case.NO_LAUNCH, NOW)


def test_a_launch_shows_that_it_is_connected(database: Database, visit: Visit) -> None:
    assert found(database, Step.CONNECTED) == (State.READY, Case.DONE, None)
    at = NOW.replace(minute=0)
    row = {"message_type": "x", "claims": "[]", "unexpanded": "[]", "seen_at": at}
    write(database, sa.insert(platform_arrival).values(platform_id=visit.platform_id, **row))
    assert found(database, Step.CONNECTED) == (State.READY, Case.DONE, at)


@pytest.mark.parametrize(
    ("state", "expected"),
    [("pending", (State.YOURS, Case.PENDING)), ("disabled", (State.YOURS, Case.DISABLED)), ("rejected", None)],
)
def test_a_platform_that_is_not_active_is_not_connected(
    database: Database, visit: Visit, state: str, expected: tuple[State, Case] | None
) -> None:
    write(database, sa.update(platform).values(state=state))
    assert found(database, Step.CONNECTED)[:2] == (expected or (State.LATER, Case.EARLIER))
    assert found(database, Step.PLACED)[0] is State.LATER


def test_a_deployment_that_a_launch_has_named_waits_for_the_coordinator(database: Database, seeded: Seeded) -> None:
    write(database, sa.update(deployment).values(state="pending", first_seen_at=NOW))
    assert found(database, Step.CONNECTED) == (State.YOURS, Case.DEPLOYMENT, NOW)


def test_why_a_registration_failed_is_passed_on(database: Database, seeded: Seeded) -> None:
    write(database, sa.delete(deployment))
    write(database, sa.delete(platform))
    invite_lms(database, problem="The LMS answered 422.", problem_at=NOW)
    assert found(database, Step.CONNECTED) == (State.GAP, Case.TRIED, NOW)


# Placed, calendar


def test_an_activity_is_of_its_series_alone(database: Database, visit: Visit) -> None:
    assert found(database, Step.PLACED)[:2] == (State.READY, Case.DONE)
    assert found(database, Step.PLACED, series_id=UUID(int=9))[:2] == (State.GAP, Case.NOBODY)
    assert found(database, Step.PLACED, series_id=None)[:2] == (State.GAP, Case.NOBODY)


def test_without_a_moodle_the_feed_is_offered_and_seen_when_it_is_fetched(database: Database, visit: Visit) -> None:
    assert found(database, Step.CALENDAR)[:2] == (State.FREE, Case.FEED_OFFERED)
    assert visit.course_id
    with database.write() as connection:
        note_feed_read(connection, visit.course_id, now=NOW)
        note_feed_read(connection, visit.course_id, now=NOW + NOTED_EVERY / 2)  # is known already
    assert found(database, Step.CALENDAR) == (State.READY, Case.FEED, NOW)
    late = NOW + FEED_READ_WITHIN
    assert found(database, Step.CALENDAR, now=late)[:2] == (State.FREE, Case.FEED_OFFERED)


def test_the_moodles_calendar_is_right_when_it_was_written_without_gaps(database: Database, visit: Visit) -> None:
    connect_moodle(database)
    assert found(database, Step.CALENDAR)[:2] == (State.GAP, Case.NO_COURSE)
    tie(database)
    assert found(database, Step.CALENDAR)[:2] == (State.LATER, Case.NOT_RUN)
    write(database, sa.update(moodle_job).values(ran_at=NOW - DAY))
    assert found(database, Step.CALENDAR) == (State.READY, Case.DONE, NOW - DAY)
    write(database, sa.update(moodle_job).where(moodle_job.c.job == "mirror").values(failures=2))
    assert found(database, Step.CALENDAR) == (State.GAP, Case.FAILING, NOW - DAY)


def test_a_moodle_that_does_not_answer_or_has_gaps_is_not_right(database: Database, visit: Visit) -> None:
    gap = encode_checks([Check(code=Code.TOKEN, outcome=Outcome.GAP)])
    connect_moodle(database, checks=gap, checked_at=NOW)
    tie(database)
    assert found(database, Step.CALENDAR) == (State.GAP, Case.SETTINGS, NOW)
    write(database, sa.update(moodle_connection).values(failing_since=NOW - DAY))
    assert found(database, Step.CALENDAR) == (State.GAP, Case.FAILING, NOW - DAY)


# Test score


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        ('[{"code":"test_score","outcome":"ok","facts":{},"ms":3}]', (State.READY, Case.DONE)),
        ('[{"code":"test_score","outcome":"gap"},{"code":"token","outcome":"ok"}]', (State.GAP, Case.REFUSED)),
        ('[{"code":"test_score","outcome":"skipped"}]', (State.GAP, Case.UNTRIED)),
        ('[{"code":"token","outcome":"ok"}]', (State.GAP, Case.UNTRIED)),
        ('{"another": "version"}', (State.GAP, Case.UNTRIED)),
        (None, (State.GAP, Case.UNTRIED)),
    ],
)
def test_the_pre_flight_says_whether_a_test_grade_arrived(
    database: Database, visit: Visit, checks: str | None, expected: tuple[State, Case]
) -> None:
    row = {"next_at": NOW, "checked_at": NOW, "checks": checks}
    write(database, sa.insert(platform_check).values(platform_id=visit.platform_id, **row))
    assert found(database, Step.SCORE)[:2] == expected


def send(database: Database, visit: Visit, *, state: str = "delivered", at: datetime = NOW) -> None:
    sent = {
        "placement_id": visit.placement_id,
        "participant_id": visit.participant_id,
        "line_item_url": "https://x",
        "version": 1,
        "score_given": 1,
        "score_maximum": 2,
        "score_at": NOW,
        "in_flight": False,
        "attempts": 1,
        "next_attempt_at": NOW,
        "created_at": NOW,
        "delivered_at": at,
    }
    write(database, sa.insert(delivery).values(state=state, **sent))


@pytest.mark.parametrize(("state", "expected"), [("delivered", Case.DELIVERED), ("failed", Case.UNTRIED)])
def test_so_does_a_real_grade(database: Database, visit: Visit, state: str, expected: Case) -> None:
    send(database, visit, state=state)
    assert found(database, Step.SCORE)[1] is expected


def test_a_grade_of_another_series_proves_nothing(database: Database, visit: Visit) -> None:
    """It may be years old."""
    send(database, visit)
    another = replace(SERIES, series_id=UUID(int=5), slug="spring")
    with database.write() as connection:
        add_series(connection, another, rule=Rule(), now=NOW)
    assert found(database, Step.SCORE, series_id=another.series_id)[1] is Case.UNTRIED


@pytest.mark.parametrize(("days", "expected"), [(-1, Case.REFUSED), (1, Case.DELIVERED)])
def test_of_a_refused_test_grade_and_a_real_one_the_later_counts(
    database: Database, visit: Visit, days: int, expected: Case
) -> None:
    checks = '[{"code":"test_score","outcome":"gap"},{"code":"deliveries","outcome":"ok","facts":{"last":"x"}}]'
    row = {"next_at": NOW, "checked_at": NOW, "checks": checks}
    write(database, sa.insert(platform_check).values(platform_id=visit.platform_id, **row))
    send(database, visit, at=NOW + days * DAY)
    assert found(database, Step.SCORE)[1] is expected


# Hosts


def test_every_session_to_come_needs_a_host_of_its_own(database: Database, seeded: Seeded) -> None:
    """Three sessions of Malta: one runs, two are to come."""
    (finding,) = (one for one in of(database).findings if one.step is Step.HOSTS)
    assert (finding.case, finding.facts["count"], finding.next_at) == (Case.UNNAMED, 3, SESSION.start_at)
    with database.write() as connection:
        participant_id = upsert_participant(connection, university_id=1, issuer=ISSUER, sub="5", now=NOW)
        for session_id in seeded.session_ids[:2]:
            name_host(connection, session_id=session_id, participant_id=participant_id)
    (finding,) = (one for one in of(database).findings if one.step is Step.HOSTS)
    assert (finding.facts["count"], finding.facts["session"]) == (1, str(seeded.session_ids[2]))
    write(database, sa.update(session).where(session.c.id == seeded.session_ids[2]).values(is_rehearsal=True))
    assert found(database, Step.HOSTS)[:2] == (State.READY, Case.DONE)
    assert found(database, Step.HOSTS, slug="vilnius")[:2] == (State.FREE, Case.NOTHING)


def test_whom_the_coordinator_has_named_is_named_before_they_come(database: Database, seeded: Seeded) -> None:
    with database.write() as connection:
        for session_id in seeded.session_ids:
            wanted = get_session(connection, session_id)
            assert wanted
            invite_host(connection, wanted, "Prof. Borg", by="staff 1", now=NOW - DAY)
    assert found(database, Step.HOSTS)[:2] == (State.READY, Case.CODE_OUT)
    write(database, sa.update(host_invitation).values(revoked_at=NOW))
    assert found(database, Step.HOSTS)[:2] == (State.YOURS, Case.UNNAMED)


def test_what_is_over_or_cancelled_needs_no_host(database: Database, seeded: Seeded) -> None:
    write(database, sa.update(session).where(session.c.id == seeded.session_ids[2]).values(status="cancelled"))
    assert found(database, Step.HOSTS, now=NOW + 10 * DAY)[:2] == (State.FREE, Case.NOTHING)


# Series


def test_the_newest_series_that_runs_comes_first(database: Database, seeded: Seeded) -> None:
    newer = replace(SERIES, series_id=UUID(int=5), slug="spring")
    with database.write() as connection:
        add_series(connection, newer, rule=Rule(), now=NOW + DAY)
    with database.read() as connection:
        assert [one.slug for one in running_series(connection, now=NOW)] == ["autumn"]
        assert [one.slug for one in running_series(connection, now=NOW + 90 * DAY)] == ["spring"]


def test_without_a_series_nothing_runs(database: Database) -> None:
    with database.read() as connection:
        assert running_series(connection, now=NOW) == []
        assert readiness(connection, None, now=NOW) == []


# How quick it is


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    yield said
    sa.event.remove(database.engine, "before_cursor_execute", note)


def test_a_thousand_universities_take_as_many_looks_as_two(database: Database, visit: Visit) -> None:
    def looks() -> int:
        with counted(database) as said, database.read() as connection:
            readiness(connection, SERIES.series_id, now=NOW)
        return len(said)

    few = looks()
    row = {"country": "MT", "time_zone": "Europe/Malta", "language": "en"}
    with database.write() as connection:
        many = [{"slug": f"u-{n}", "name": f"University {n}", **row} for n in range(1_000)]
        ids = connection.execute(sa.insert(university).returning(university.c.id), many).scalars().all()
        connection.execute(
            sa.insert(platform),
            [
                {
                    "slug": f"p-{n}",
                    "university_id": n,
                    "issuer": f"https://{n}.example",
                    "client_id": "c",
                    "authorization_endpoint": "https://x",
                    "token_endpoint": "https://x",
                    "jwks_uri": "https://x",
                    "state": "active",
                    "created_at": NOW,
                }
                for n in ids
            ],
        )
    assert (looks(), len(of_all(database))) == (few, 1_002)


def of_all(database: Database) -> list[Readiness]:
    with database.read() as connection:
        return readiness(connection, SERIES.series_id, now=NOW)


def test_one_university_is_told_as_among_all(database: Database, visit: Visit) -> None:
    with database.read() as connection:
        (one,) = readiness(connection, SERIES.series_id, now=NOW, university_id=MALTA.university_id)
    assert one == of(database)
    assert VILNIUS.slug not in str(one)
