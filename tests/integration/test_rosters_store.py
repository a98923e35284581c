"""The stored roster of a course and its brake, on both databases."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.people import Visit
from series.rosters import RosterChanges
from series.rule import Kind
from series.store.database import Database
from series.store.evidence import NewEvidence
from series.store.records import completions_of
from series.store.rosters import (
    Roster,
    RosterMember,
    accept_roster,
    ensure_participants,
    reject_roster,
    roster_of,
    save_roster,
)
from series.store.tables import course, course_roster, delivery, membership, participant
from tests.conftest import NOW
from tests.examples import SERIES
from tests.seeds import LAUNCH, LINE_ITEM, Seeded, code_of, count, launch, record, seed

LATER = NOW + timedelta(hours=6)
STUDENTS = [str(number) for number in range(5, 35)]  # 30; the one of LAUNCH is among them


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def student(database: Database, seeded: Seeded) -> Visit:
    """Makes the course, too: its id is 1."""
    return launch(database)


@pytest.fixture
def course_id(database: Database, student: Visit) -> int:
    """A course whose roster was read once."""
    assert student.course_id is not None
    read(database, student.course_id, STUDENTS)
    return student.course_id


def members(subs: Iterable[str]) -> list[RosterMember]:
    return [RosterMember(sub=sub, is_learner=True) for sub in subs]


def read(database: Database, course_id: int, subs: Iterable[str], *, hours: int = 0) -> RosterChanges:
    with database.write() as connection:
        return save_roster(connection, course_id, members(subs), now=NOW + timedelta(hours=hours))


def roster(database: Database, course_id: int) -> Roster:
    with database.read() as connection:
        return roster_of(connection, course_id)


def there(database: Database, course_id: int) -> set[str]:
    return {member.sub for member in roster(database, course_id).members if member.is_there}


def ensure(database: Database, course_id: int, *subs: str) -> dict[str, int]:
    with database.write() as connection:
        return ensure_participants(connection, course_id=course_id, subs=subs, now=NOW)


# Readings


def test_a_course_that_was_never_read_has_an_empty_roster(database: Database, student: Visit) -> None:
    assert roster(database, 1) == Roster()


def test_a_reading_is_kept(database: Database, course_id: int) -> None:
    kept = roster(database, course_id)
    assert (kept.read_at, kept.held, kept.reason) == (NOW, None, None)
    assert set(kept.members) == set(members(STUDENTS))


def test_whoever_is_no_longer_listed_is_gone_since_then_and_comes_back(database: Database, course_id: int) -> None:
    assert read(database, course_id, STUDENTS[1:], hours=6).gone == {"5"}
    read(database, course_id, STUDENTS[1:], hours=12)
    assert {m.sub: m.gone_at for m in roster(database, course_id).members}["5"] == LATER
    assert read(database, course_id, STUDENTS, hours=18).back == {"5"}
    assert there(database, course_id) == set(STUDENTS)


# The brake


def test_a_list_that_lacks_too_many_is_held_and_changes_nothing(database: Database, course_id: int) -> None:
    assert read(database, course_id, [*STUDENTS[12:], "99"], hours=6).is_held
    kept = roster(database, course_id)
    assert kept.read_at == NOW
    assert kept.held is not None
    assert (kept.held.held_at, kept.held.gone, kept.held.of) == (LATER, 12, 30)
    assert kept.held.subs == tuple(sorted(STUDENTS[:12]))
    assert there(database, course_id) == set(STUDENTS)


def test_a_list_that_suspends_too_many_is_held_and_whom_a_person_keeps_is_not_suspended(
    database: Database, course_id: int
) -> None:
    listed = [replace(one, is_suspended=one.sub in STUDENTS[:12]) for one in members(STUDENTS)]
    with database.write() as connection:
        assert save_roster(connection, course_id, listed, now=LATER).is_held
        reject_roster(connection, course_id, now=LATER)
    for _ in range(2):
        with database.write() as connection:
            assert not save_roster(connection, course_id, listed, now=LATER).is_held
        assert there(database, course_id) == set(STUDENTS)


def test_the_same_list_again_is_held_since_the_first_time_and_another_one_since_now(
    database: Database, course_id: int
) -> None:
    held_at = []
    for hours, gone in enumerate((12, 12, 13)):
        read(database, course_id, STUDENTS[gone:], hours=hours)
        held = roster(database, course_id).held
        assert held is not None
        held_at.append(held.held_at - NOW)
    assert held_at == [timedelta(0), timedelta(0), timedelta(hours=2)]


def test_a_held_list_is_taken_over_when_somebody_says_yes(database: Database, course_id: int) -> None:
    read(database, course_id, [*STUDENTS[12:], "99"])
    with database.write() as connection:
        assert accept_roster(connection, course_id, now=LATER) is not None
    kept = roster(database, course_id)
    assert (kept.read_at, kept.held) == (LATER, None)
    assert there(database, course_id) == {*STUDENTS[12:], "99"}


def test_yes_to_what_was_seen_is_no_yes_to_what_came_after(database: Database, course_id: int) -> None:
    read(database, course_id, STUDENTS[12:], hours=6)
    read(database, course_id, STUDENTS[25:], hours=12)
    for decide in (accept_roster, reject_roster):
        with database.write() as connection:
            assert decide(connection, course_id, now=LATER, held_at=LATER) is None
    assert there(database, course_id) == set(STUDENTS)


def test_where_nothing_is_held_there_is_nothing_to_say_yes_to(database: Database, course_id: int) -> None:
    with database.write() as connection:
        assert accept_roster(connection, course_id, now=LATER) is None
    assert roster(database, course_id).read_at == NOW


def test_a_list_within_bounds_drops_what_was_held(database: Database, course_id: int) -> None:
    read(database, course_id, STUDENTS[12:])
    read(database, course_id, STUDENTS[1:])
    assert roster(database, course_id).held is None
    assert there(database, course_id) == set(STUDENTS[1:])


def test_who_is_still_there_by_a_persons_word_stays_whatever_is_listed_and_others_come(
    database: Database, course_id: int
) -> None:
    read(database, course_id, STUDENTS[12:])
    with database.write() as connection:
        assert reject_roster(connection, course_id, now=LATER) is not None
    assert not read(database, course_id, [*STUDENTS[12:], "99"]).is_held
    assert there(database, course_id) == {*STUDENTS, "99"}


def test_once_listed_again_they_are_gone_when_the_list_says_so(database: Database, course_id: int) -> None:
    read(database, course_id, STUDENTS[12:])
    with database.write() as connection:
        reject_roster(connection, course_id, now=LATER)
    read(database, course_id, STUDENTS)
    assert read(database, course_id, STUDENTS[1:]).gone == {"5"}


# What does not depend on it


def test_whoever_is_gone_keeps_what_they_have_done(
    database: Database, seeded: Seeded, student: Visit, course_id: int
) -> None:
    record(database, code_of(student, seeded.session_ids[0]))
    read(database, course_id, STUDENTS[1:])
    with database.read() as connection:
        done = completions_of(connection, participant_id=student.participant_id, series_id=SERIES.series_id)
    assert list(done) == seeded.session_ids[:1]


# People whom only the roster knows


def test_whoever_never_came_gets_an_id_and_their_confirmation_reaches_the_gradebook(
    database: Database, seeded: Seeded, course_id: int
) -> None:
    participant_id = ensure(database, course_id, "6")["6"]
    confirmed = NewEvidence(
        participant_id=participant_id,
        session_id=seeded.session_ids[0],
        kind=Kind.APPROVAL,
        source="instructor",
        source_id="1",
        observed_at=NOW,
        recorded_by="participant 1",
        reason="Sat beside me.",
    )
    assert len(record(database, confirmed)) == 1
    with database.read() as connection:
        assert connection.execute(sa.select(delivery.c.line_item_url)).scalar_one() == LINE_ITEM


def test_to_ensure_people_again_makes_nobody_twice(
    database: Database, seeded: Seeded, student: Visit, course_id: int
) -> None:
    first = ensure(database, course_id, "5", "6")
    assert first["5"] == student.participant_id
    assert ensure(database, course_id, "5", "6") == first
    assert (count(database, participant), count(database, membership)) == (2, 2)


def test_they_get_a_place_in_every_activity_of_the_course_and_of_no_other(
    database: Database, student: Visit, course_id: int
) -> None:
    launch(database, structs.replace(LAUNCH, resource_link_id="2", sub="7"))
    launch(database, structs.replace(LAUNCH, resource_link_id="3", context_id="9", sub="7"))
    participant_id = ensure(database, course_id, "6")["6"]
    query = sa.select(membership.c.placement_id).where(membership.c.participant_id == participant_id)
    with database.read() as connection:
        assert set(connection.execute(query).scalars()) == {1, 2}


def test_nobody_else_can_be_made_up(database: Database, course_id: int) -> None:
    """A stranger, a teacher, somebody who has left, and a student of another course."""
    with database.write() as connection:
        teacher = RosterMember(sub="teacher", is_learner=False)
        save_roster(connection, course_id, [*members(STUDENTS[:-1]), teacher], now=NOW)
    launch(database, structs.replace(LAUNCH, resource_link_id="3", context_id="9", sub="elsewhere"))
    assert ensure(database, course_id, "stranger", "teacher", STUDENTS[-1], "elsewhere") == {}
    assert count(database, participant) == 2


def test_a_course_that_no_launch_has_told_of_has_no_participants(database: Database, seeded: Seeded) -> None:
    with database.write() as connection:
        bare = connection.execute(
            sa.insert(course).values(university_id=1, title="From Moodle").returning(course.c.id)
        ).scalar_one()
        assert ensure_participants(connection, course_id=bare, subs=["5"], now=NOW) == {}


def test_the_first_launch_of_somebody_from_the_roster_is_written_down(database: Database, course_id: int) -> None:
    participant_id = ensure(database, course_id, "6")["6"]
    query = sa.select(membership.c.launched_at).where(membership.c.participant_id == participant_id)
    with database.read() as connection:
        assert connection.execute(query).scalar_one() is None
    assert launch(database, structs.replace(LAUNCH, sub="6"), now=LATER).participant_id == participant_id
    launch(database, structs.replace(LAUNCH, sub="6"), now=LATER + timedelta(hours=1))
    with database.read() as connection:
        assert connection.execute(query).scalar_one() == LATER


def test_no_name_is_ever_kept() -> None:
    columns = {
        column.name for table in ("roster_member", "course_roster") for column in course_roster.metadata.tables[table].c
    }
    assert not {name for name in columns if "name" in name or "mail" in name}
