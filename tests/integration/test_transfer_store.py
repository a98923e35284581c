"""Progress moves to another account of the same person: nothing is lost, and the same session counts once."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.people import Visit
from series.pooled import TERM
from series.rule import Kind
from series.store.borders import record_instrument
from series.store.database import Database
from series.store.deliveries import claim, mark_delivered
from series.store.erasure import erase_person
from series.store.evidence import NewEvidence, facts_of, retract_evidence
from series.store.gradebook_gaps import gaps_of_course
from series.store.objecting import object_to_use, objected_at, take_objection_back
from series.store.pooled import take_step
from series.store.privacy_tables import transfer_code
from series.store.records import completions_of
from series.store.sent_grades import grades_of_participant
from series.store.tables import evidence, reflection, university
from series.store.tombstones import whom
from series.store.transfer import (
    BorderClosed,
    CodeOver,
    Move,
    OwnCode,
    move_progress,
    preview_move,
    purge_codes,
    save_code,
)
from series.store.universities import add_platform
from series.transfer_codes import CODE_LIFE, hash_of_code, new_transfer_code
from tests.at_once import at_once
from tests.conftest import NOW
from tests.examples import SERIES, VILNIUS
from tests.seeds import LAUNCH, PLATFORM, Seeded, code_of, launch, record, seed

LATER = NOW + timedelta(hours=1)
AFTER = NOW + timedelta(weeks=5)  # all sessions are over
CODE = new_transfer_code()
HASH = hash_of_code(CODE) or ""
ELSEWHERE = "https://lms.vilnius.example"


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def old(database: Database, seeded: Seeded) -> Visit:
    """The account in Malta, with a code made in it."""
    visit = launch(database)
    with database.write() as connection:
        save_code(connection, visit.participant_id, HASH, now=NOW)
    return visit


@pytest.fixture
def new(database: Database, seeded: Seeded) -> Visit:
    """The account in Vilnius."""
    with database.write() as connection:
        there = replace(PLATFORM, slug="vilnius", university_id=VILNIUS.university_id, issuer=ELSEWHERE)
        platform_id = add_platform(connection, there, now=NOW)
    return launch(
        database,
        structs.replace(
            LAUNCH,
            platform_id=platform_id,
            university_id=VILNIUS.university_id,
            issuer=ELSEWHERE,
            sub="77",
            line_item_url=f"{ELSEWHERE}/lineitem",
        ),
    )


def move(database: Database, new: Visit, code_hash: str = HASH) -> list[int]:
    with database.write() as connection:
        return move_progress(connection, code_hash, to=new.participant_id, now=LATER)


def done(database: Database, visit: Visit) -> set[UUID]:
    with database.read() as connection:
        return set(completions_of(connection, participant_id=visit.participant_id, series_id=SERIES.series_id))


def test_all_that_was_done_counts_in_the_new_account_and_its_gradebook_is_told(
    database: Database, seeded: Seeded, old: Visit, new: Visit
) -> None:
    first, second, _ = seeded.session_ids
    record(database, code_of(old, first))
    record(database, code_of(new, second))
    assert len(move(database, new)) == 1
    assert (done(database, old), done(database, new)) == (set(), {first, second})
    with database.read() as connection:
        (grade,) = grades_of_participant(connection, participant_id=new.participant_id, series_id=SERIES.series_id)
        (told,) = grades_of_participant(connection, participant_id=old.participant_id, series_id=SERIES.series_id)
    assert (grade.score_given, grade.score_maximum) == (2, 2)
    assert told.score_given == 1  # the old gradebook keeps what it was told


def test_the_old_courses_teacher_is_not_asked_to_lower_what_was_told(
    database: Database, seeded: Seeded, old: Visit, new: Visit
) -> None:
    (delivery_id,) = record(database, code_of(old, seeded.session_ids[0]))
    with database.write() as connection:
        claim(connection, delivery_id, now=NOW)
        mark_delivered(connection, delivery_id, outcome="Delivered.", now=NOW)
    move(database, new)
    assert old.course_id is not None
    with database.read() as connection:
        assert gaps_of_course(connection, course_id=old.course_id, series_id=SERIES.series_id, now=LATER) == []


def test_the_same_session_counts_once_and_no_fact_is_lost(
    database: Database, seeded: Seeded, old: Visit, new: Visit
) -> None:
    first = seeded.session_ids[0]
    for visit in (old, new):
        record(database, code_of(visit, first))
    with database.read() as connection:
        found = preview_move(connection, HASH, to=new.participant_id, now=LATER)
    assert found == Move(university="University of Malta", since=NOW, sessions=1, both=1, is_objected_to=False)
    move(database, new)
    assert done(database, new) == {first}
    with database.read() as connection:
        facts = facts_of(connection, participant_id=new.participant_id, series_id=SERIES.series_id)
    assert len(facts) == 2


def test_the_numbers_of_both_universities_have_one_person_once(
    database: Database, seeded: Seeded, old: Visit, new: Visit
) -> None:
    first, second, _ = seeded.session_ids
    record(database, code_of(old, first))
    record(database, code_of(old, second))
    record(database, code_of(new, first))
    move(database, new)
    assert people(database, AFTER) == {1: 0, 2: 1}


def people(database: Database, due_at: datetime) -> dict[int, int]:
    """Distinct ones of the term by university, as a step finds them."""
    with database.write() as connection:
        step = take_step(connection, SERIES.series_id, due_at=due_at, now=due_at)
    assert step is not None
    return dict(step.counts[TERM])


@pytest.mark.parametrize("who", ["old", "new"])
def test_dpo_13_an_objection_in_either_account_holds_in_the_new_one(
    database: Database, seeded: Seeded, old: Visit, new: Visit, who: str
) -> None:
    record(database, code_of(old, seeded.session_ids[0]))
    (waiting,) = record(database, code_of(new, seeded.session_ids[1]))
    with database.write() as connection:
        object_to_use(connection, {"old": old, "new": new}[who].participant_id, now=NOW)
    with database.read() as connection:
        assert preview_move(connection, HASH, to=new.participant_id, now=LATER).is_objected_to
    assert move(database, new) == []
    with database.write() as connection:
        assert (claim(connection, waiting, now=LATER), objected_at(connection, new.participant_id)) == (None, NOW)
        assert len(take_objection_back(connection, new.participant_id, now=LATER)) == 1


def test_what_was_withdrawn_stays_withdrawn(database: Database, seeded: Seeded, old: Visit, new: Visit) -> None:
    record(database, code_of(old, seeded.session_ids[0]))
    with database.write() as connection:
        fact = connection.execute(sa.select(evidence.c.id)).scalar_one()
        retract_evidence(connection, fact, by="participant 9", reason="A mistake", now=NOW)
    move(database, new)
    assert done(database, new) == set()


def test_of_two_reflections_the_greater_moves_and_none_is_lost(
    database: Database, seeded: Seeded, old: Visit, new: Visit
) -> None:
    first, second, third = seeded.session_ids
    write(database, old, first, "handed in there", is_handed_in=True)
    write(database, new, first, "a draft here")
    write(database, old, second, "a draft there")
    write(database, new, second, "handed in here", is_handed_in=True)
    write(database, old, third, "only there")
    move(database, new)
    with database.read() as connection:
        query = sa.select(reflection.c.participant_id, reflection.c.session_id, reflection.c.text)
        found = {(row.participant_id, row.session_id): row.text for row in connection.execute(query)}
    assert found == {
        (new.participant_id, first): "handed in there",
        (old.participant_id, first): "a draft here",
        (new.participant_id, second): "handed in here",
        (old.participant_id, second): "a draft there",
        (new.participant_id, third): "only there",
    }


def test_afterwards_either_account_can_be_erased(database: Database, seeded: Seeded, old: Visit, new: Visit) -> None:
    write(database, old, seeded.session_ids[0], "there", is_handed_in=True)
    write(database, new, seeded.session_ids[0], "here", is_handed_in=True)
    move(database, new)
    for visit in (new, old):
        with database.write() as connection:
            person = whom(connection, visit.participant_id)
            erase_person(connection, person, by="operator", secret_key=b"key", now=LATER)


def test_a_code_works_once(database: Database, seeded: Seeded, old: Visit, new: Visit) -> None:
    move(database, new)
    with pytest.raises(CodeOver):
        move(database, new)


def test_of_many_who_use_a_code_at_once_one_does(database: Database, seeded: Seeded, old: Visit, new: Visit) -> None:
    record(database, code_of(old, seeded.session_ids[0]))
    accounts = [new, *(launch(database, structs.replace(LAUNCH, sub=f"also {number}")) for number in range(7))]

    def one(database: Database, number: int) -> bool:
        try:
            move(database, accounts[number])
        except CodeOver:
            return False
        return True

    assert sorted(at_once(database, one)) == [False] * 7 + [True]
    assert sorted(len(done(database, one)) for one in accounts) == [0] * 7 + [1]


def test_a_code_is_over_after_14_days(database: Database, old: Visit, new: Visit) -> None:
    with pytest.raises(CodeOver), database.write() as connection:
        move_progress(connection, HASH, to=new.participant_id, now=NOW + CODE_LIFE)
    with database.write() as connection:
        purge_codes(connection, now=NOW + CODE_LIFE)
        assert connection.execute(sa.select(transfer_code)).all() == []


def test_a_new_code_ends_the_old_one(database: Database, old: Visit, new: Visit) -> None:
    with database.write() as connection:
        save_code(connection, old.participant_id, "another", now=NOW)
    with pytest.raises(CodeOver):
        move(database, new)


def test_the_own_account_is_no_other_one_and_the_code_still_works(database: Database, old: Visit, new: Visit) -> None:
    with pytest.raises(OwnCode):
        move(database, old)
    move(database, new)


def test_dpo_20_nothing_moves_to_a_country_that_no_agreement_covers(
    database: Database, seeded: Seeded, old: Visit, new: Visit
) -> None:
    with database.write() as connection:
        abroad = university.c.id == VILNIUS.university_id
        connection.execute(sa.update(university).where(abroad).values(country="TR"))
    with pytest.raises(BorderClosed):
        move(database, new)
    with database.write() as connection:
        record_instrument(connection, VILNIUS.university_id, "Standard clauses of 2026", actor="staff 1", now=NOW)
    move(database, new)  # the code still works


def test_the_code_itself_is_stored_nowhere(database: Database, old: Visit) -> None:
    with database.read() as connection:
        (row,) = connection.execute(sa.select(transfer_code))
    assert CODE.replace("-", "") not in str(row)


def write(database: Database, visit: Visit, session_id: UUID, text: str, *, is_handed_in: bool = False) -> None:
    row = {
        "participant_id": visit.participant_id,
        "session_id": session_id,
        "text": text,
        "state": "draft",
        "saved_at": NOW,
    }
    if is_handed_in:
        new = NewEvidence(
            participant_id=visit.participant_id,
            session_id=session_id,
            kind=Kind.REFLECTION,
            source="reflection",
            source_id="1",
            observed_at=NOW,
            amount=3,
        )
        record(database, new)
        with database.read() as connection:
            of_them = evidence.c.participant_id == visit.participant_id
            newest = connection.execute(sa.select(sa.func.max(evidence.c.id)).where(of_them)).scalar_one()
        row |= {"state": "handed_in", "handed_in_at": NOW, "evidence_id": newest}
    with database.write() as connection:
        connection.execute(sa.insert(reflection).values(row))
