"""A person or a course that was known twice: what people have written, and what was decided of them, goes along."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.people import Visit
from series.rule import Kind, Rule
from series.store.database import Database
from series.store.declarations import declare_recording, take_back_recording
from series.store.lms_tables import join_link_change, round_answer
from series.store.reflections import hand_in, save_draft
from series.store.rules import set_rule
from series.store.tables import (
    check_in,
    completion,
    course,
    course_count,
    course_roster,
    evidence,
    excuse,
    membership,
    more_time,
    objection,
    reflection,
    roster_member,
    rule_version,
)
from series.store.universities import PlatformRow
from tests.conftest import NOW
from tests.examples import SERIES, SESSION
from tests.replacing import LATER, REGISTERED_AGAIN, RENAMED, register, succeed, through, values
from tests.rounds import next_round
from tests.seeds import LAUNCH, Seeded, code_of, count, launch, record, seed


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def before(database: Database, seeded: Seeded) -> Visit:
    return launch(database)


@pytest.fixture
def renamed(database: Database, seeded: Seeded) -> PlatformRow:
    return register(database, RENAMED)


@pytest.fixture
def after(database: Database, before: Visit, renamed: PlatformRow) -> Visit:
    """The same student, through the new address, before anybody has said that it is the same LMS."""
    return launch(database, through(renamed))


def put(database: Database, table: sa.Table, **row: Any) -> None:
    with database.write() as connection:
        connection.execute(sa.insert(table).values(**row))


def write(database: Database, visit: Visit, seeded: Seeded, *, session: int, text: str = "What I learnt.") -> None:
    who = {"participant_id": visit.participant_id, "session_id": seeded.session_ids[session]}
    put(database, excuse, **who)
    put(database, reflection, **who, text=text, state="draft", saved_at=NOW)
    about = {"course_id": visit.course_id, "series_id": SERIES.series_id}
    put(database, objection, **who, **about, text="I was there.", raised_at=NOW)


def test_what_was_written_by_the_new_address_is_kept(
    database: Database, seeded: Seeded, before: Visit, after: Visit
) -> None:
    opening = {"code": "123456", "opens_at": NOW, "closes_at": LATER, "session_id": seeded.session_ids[0]}
    put(database, check_in, **opening)
    put(database, more_time, check_in_id=1, participant_id=after.participant_id, asked_at=NOW)
    write(database, after, seeded, session=1)
    succeed(database)
    for table in (excuse, reflection, objection, more_time):
        assert values(database, table.c.participant_id) == [(before.participant_id,)], table.name


def test_where_both_have_written_the_newer_one_stays_and_no_objection_is_lost(
    database: Database, seeded: Seeded, before: Visit, after: Visit
) -> None:
    write(database, before, seeded, session=1, text="The first.")
    write(database, after, seeded, session=1, text="The second.")
    change(database, after, saved_at=LATER)
    succeed(database)
    assert values(database, reflection.c.text) == [("The second.",)]
    assert count(database, excuse) == 1
    assert values(database, objection.c.participant_id) == [(before.participant_id,)] * 2


def change(database: Database, visit: Visit, **written: Any) -> None:
    own = reflection.c.participant_id == visit.participant_id
    with database.write() as connection:
        connection.execute(sa.update(reflection).where(own).values(**written))


@pytest.mark.parametrize("first", ["before", "after"])
def test_what_was_handed_in_is_more_than_a_newer_draft(
    database: Database, seeded: Seeded, before: Visit, after: Visit, first: str
) -> None:
    handing_in, drafting = (before, after) if first == "before" else (after, before)
    of = {"session_id": seeded.session_ids[0]}
    with database.write() as connection:
        who = {"participant_id": handing_in.participant_id}
        hand_in(connection, **who, **of, text="Handed in.", at_least=1, now=NOW)  # type: ignore[arg-type]
        who = {"participant_id": drafting.participant_id}
        save_draft(connection, **who, **of, text="A draft.", now=LATER)  # type: ignore[arg-type]
    succeed(database)
    (number,) = values(database, evidence.c.id)
    kept = values(database, reflection.c.participant_id, reflection.c.text, reflection.c.evidence_id)
    assert kept == [(before.participant_id, "Handed in.", *number)]


def test_what_was_returned_is_more_than_a_newer_draft(
    database: Database, seeded: Seeded, before: Visit, after: Visit
) -> None:
    write(database, before, seeded, session=1, text="A draft.")
    write(database, after, seeded, session=1, text="Returned.")
    change(database, before, saved_at=LATER)
    change(database, after, state="returned", comment="More, please.")
    succeed(database)
    assert values(database, reflection.c.text, reflection.c.comment) == [("Returned.", "More, please.")]


def test_what_they_have_said_by_the_new_address_is_said_by_the_same_person(
    database: Database, seeded: Seeded, before: Visit, after: Visit
) -> None:
    who, ended = {"participant_id": after.participant_id, "session_id": seeded.session_ids[0]}, SESSION.end_at
    with database.write() as connection:
        declare_recording(connection, **who, percent=80, now=ended)  # type: ignore[arg-type]
        take_back_recording(connection, **who, now=ended)  # type: ignore[arg-type]
    own = f"participant {after.participant_id}"
    count_of = {"course_id": before.course_id, "series_id": SERIES.series_id}
    put(database, course_count, **count_of, required=1, set_by=own, set_at=NOW)
    write(database, after, seeded, session=1)
    with database.write() as connection:
        connection.execute(sa.update(objection).values(answer="Yes.", answered_by=own, answered_at=NOW))
        set_rule(connection, SERIES.series_id, Rule(required=1), by=own, now=NOW)
    succeed(database)
    for column in (evidence.c.recorded_by, course_count.c.set_by, objection.c.answered_by, rule_version.c.set_by):
        said = {row[0] for row in values(database, column)}
        assert f"participant {before.participant_id}" in said
        assert own not in said
    with database.write() as connection:
        mine = {"participant_id": before.participant_id, "session_id": seeded.session_ids[0]}
        declare_recording(connection, **mine, percent=80, now=ended)  # type: ignore[arg-type]


def test_what_a_change_of_plan_has_left_standing_goes_along(
    database: Database, seeded: Seeded, before: Visit, after: Visit
) -> None:
    record(database, replace(code_of(after, seeded.session_ids[0]), kind=Kind.RECORDING))
    who = {"participant_id": after.participant_id, "session_id": seeded.session_ids[0]}
    put(database, completion, **who, university_id=LAUNCH.university_id, completed_at=NOW)
    succeed(database)
    assert values(database, completion.c.participant_id) == [(before.participant_id,)]


def test_a_course_that_was_known_twice_keeps_its_count_and_reads_its_roster_anew(
    database: Database, before: Visit
) -> None:
    again = register(database, REGISTERED_AGAIN)
    twin = launch(database, through(again, structs.replace(LAUNCH, sub="6")))
    assert twin.course_id != before.course_id
    put(
        database,
        course_count,
        course_id=twin.course_id,
        series_id=SERIES.series_id,
        required=1,
        set_by="participant 1",
        set_at=NOW,
    )
    for course_id in (before.course_id, twin.course_id):
        put(database, course_roster, course_id=course_id, failures=0, read_at=NOW)
        put(database, roster_member, course_id=course_id, sub="5", is_learner=True, is_suspended=False)
    succeed(database)
    assert values(database, course_count.c.course_id, course_count.c.required) == [(before.course_id, 1)]
    assert [count(database, table) for table in (course_roster, roster_member)] == [0, 0]


def test_who_is_known_from_the_roster_alone_and_by_a_launch_has_launched(
    database: Database, seeded: Seeded, before: Visit, after: Visit
) -> None:
    with database.write() as connection:
        roster_alone = membership.c.participant_id == before.participant_id
        connection.execute(sa.update(membership).where(roster_alone).values(launched_at=None))
    succeed(database)
    assert (before.participant_id, NOW) in values(database, membership.c.participant_id, membership.c.launched_at)


def test_links_that_they_have_changed_are_changed_by_the_same_person(
    database: Database, seeded: Seeded, before: Visit, after: Visit
) -> None:
    by = f"participant {after.participant_id}"
    put(database, join_link_change, session_id=seeded.session_ids[0], changed_by=by, changed_at=NOW)
    succeed(database)
    assert values(database, join_link_change.c.changed_by) == [(f"participant {before.participant_id}",)]


def test_what_a_course_was_asked_of_a_new_round_goes_along(database: Database, before: Visit) -> None:
    new, _ = next_round(database, date(2027, 3, 16))
    again = register(database, REGISTERED_AGAIN)
    twin = launch(database, through(again, structs.replace(LAUNCH, sub="6", context_history=("1",))))
    rounds = {"old_series_id": SERIES.series_id, "new_series_id": new.series_id}
    for course_id, is_taken in ((before.course_id, True), (twin.course_id, False)):
        answer = {"is_taken": is_taken, "answered_by": f"participant {twin.participant_id}", "answered_at": NOW}
        put(database, round_answer, course_id=course_id, **rounds, **answer)
    succeed(database)
    answers = values(database, round_answer.c.course_id, round_answer.c.is_taken)
    assert answers == [(before.course_id, True)]
    assert values(database, course.c.copied_from) == [("1",)]
