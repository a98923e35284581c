"""Reflections and objections in the store, on both databases."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
import sqlalchemy as sa
from msgspec import structs

from series.people import Visit
from series.reflections import (
    HandedInAnew,
    NothingToReturn,
    ReflectionLocked,
    ReflectionState,
    ReflectionTooShort,
    SavedMeanwhile,
)
from series.rule import Demand, Kind, Rule, SessionRule
from series.store.course_reflections import (
    list_done,
    list_waiting,
    reflection_of_course,
    waiting_of_course,
)
from series.store.database import Database
from series.store.evidence import facts_of, retract_evidence
from series.store.objections import (
    MAX_OPEN_OBJECTIONS,
    ObjectionNotOpen,
    TooManyOpen,
    answer_objection,
    objections_of_course,
    objections_of_participant,
    raise_objection,
)
from series.store.records import completions_of
from series.store.reflections import (
    expect_unchanged,
    hand_in,
    mark_read,
    reflection_of,
    return_reflection,
    save_draft,
)
from series.store.rules import set_session_rule
from series.store.sessions import add_series
from series.store.tables import delivery, evidence, rule_version
from tests.at_once import at_once
from tests.conftest import NOW
from tests.examples import SERIES, SESSION, weekly
from tests.seeds import LAUNCH, count, launch, seed

LATER = NOW + timedelta(minutes=1)
TEXT = "Heute lernte ich Ενέργεια."


@pytest.fixture
def student(database: Database) -> Visit:
    """In a session that a reflection of three words completes."""
    before = SESSION.start_at - timedelta(days=1)
    seed(database, sessions=weekly(1), now=before)
    with database.write() as connection:
        rule = SessionRule(ways=((Demand(kind=Kind.REFLECTION, at_least=3),),))
        set_session_rule(connection, SESSION.session_id, rule, by="staff 1", now=before)
    return launch(database)


def key(visit: Visit) -> dict[str, object]:
    return {"participant_id": visit.participant_id, "session_id": SESSION.session_id}


def send(connection: sa.Connection, visit: Visit, text: str = TEXT, *, now: datetime = NOW) -> list[int]:
    return hand_in(
        connection,
        participant_id=visit.participant_id,
        session_id=SESSION.session_id,
        text=text,
        at_least=3,
        now=now,
    )


def evidence_id(connection: sa.Connection, visit: Visit) -> int:
    """Of what was handed in last."""
    found = reflection_of(connection, participant_id=visit.participant_id, session_id=SESSION.session_id)
    assert found is not None
    return found.evidence_id or 0


def give_back(
    connection: sa.Connection, visit: Visit, comment: str = "Mehr, bitte.", *, read: int | None = None
) -> list[int]:
    return return_reflection(
        connection,
        participant_id=visit.participant_id,
        session_id=SESSION.session_id,
        evidence_id=read or evidence_id(connection, visit),
        comment=comment,
        by="participant 77",
        now=LATER,
    )


def completed(connection: sa.Connection, visit: Visit) -> bool:
    found = completions_of(connection, participant_id=visit.participant_id, series_id=SERIES.series_id)
    return SESSION.session_id in found


def test_handed_in_it_completes_the_session_and_returned_it_no_longer_does(database: Database, student: Visit) -> None:
    with database.write() as connection:
        assert len(send(connection, student)) == 1
        assert completed(connection, student)
        assert len(give_back(connection, student)) == 1
        assert not completed(connection, student)
        (fact,) = facts_of(connection, participant_id=student.participant_id, series_id=SERIES.series_id)
        assert fact.retraction is not None
        assert (fact.evidence.amount, fact.retraction.reason, fact.retraction.by) == (
            4,
            "Mehr, bitte.",
            "participant 77",
        )
        assert len(send(connection, student, f"{TEXT} Und Wind.")) == 1
        assert completed(connection, student)
        scores = connection.execute(sa.select(delivery.c.score_given).order_by(delivery.c.version)).scalars().all()
    assert scores == [1, 0, 1]


def test_handed_in_by_many_tabs_at_once_it_is_one_fact(database: Database, student: Visit) -> None:
    def one(own: Database, _: int) -> bool:
        try:
            with own.write() as connection:
                send(connection, student)
        except ReflectionLocked:
            return False
        return True

    assert at_once(database, one).count(True) == 1
    assert count(database, evidence) == 1


def test_too_short_is_not_handed_in(database: Database, student: Visit) -> None:
    with database.write() as connection, pytest.raises(ReflectionTooShort) as refused:
        send(connection, student, "– Zwei Worte! –")
    assert (refused.value.words, refused.value.at_least) == (2, 3)
    assert count(database, evidence) == 0


def test_what_is_handed_in_is_not_overwritten(database: Database, student: Visit) -> None:
    with database.write() as connection:
        send(connection, student)
    with database.write() as connection, pytest.raises(ReflectionLocked):
        save_draft(connection, **key(student), text="Another", now=LATER)  # type: ignore[arg-type]
    with database.read() as connection:
        found = reflection_of(connection, **key(student))  # type: ignore[arg-type]
    assert found is not None
    assert (found.text, found.state) == (TEXT, ReflectionState.HANDED_IN)


def test_a_draft_cannot_be_returned_nor_anything_twice(database: Database, student: Visit) -> None:
    with database.write() as connection:
        save_draft(connection, **key(student), text=TEXT, now=NOW)  # type: ignore[arg-type]
        with pytest.raises(NothingToReturn):
            give_back(connection, student, read=1)
        send(connection, student)
        give_back(connection, student)
        with pytest.raises(NothingToReturn):
            give_back(connection, student)


def test_it_is_returned_also_when_its_fact_was_withdrawn_already(database: Database, student: Visit) -> None:
    with database.write() as connection:
        send(connection, student)
        fact_id = connection.execute(sa.select(evidence.c.id)).scalar_one()
        retract_evidence(connection, fact_id, by="staff 1", reason="No.", now=NOW)
        assert give_back(connection, student) == []
        found = reflection_of(connection, **key(student))  # type: ignore[arg-type]
    assert found is not None
    assert (found.state, found.comment) == (ReflectionState.RETURNED, "Mehr, bitte.")


def test_handed_in_once_more_after_its_time_it_counts_as_it_did(database: Database, student: Visit) -> None:
    rule = SessionRule(ways=((Demand(kind=Kind.REFLECTION, at_least=3, within_days=14),),))
    with database.write() as connection:
        connection.execute(sa.update(rule_version).values(rule=msgspec.json.encode(rule).decode()))
        send(connection, student, now=SESSION.end_at + timedelta(days=14))
        give_back(connection, student)
        send(connection, student, f"{TEXT} Und Wind.", now=SESSION.end_at + timedelta(days=20))
        assert completed(connection, student)
        facts = facts_of(connection, participant_id=student.participant_id, series_id=SERIES.series_id)
    assert {fact.evidence.observed_at for fact in facts} == {SESSION.end_at + timedelta(days=14)}


def test_what_nobody_has_read_is_neither_returned_nor_marked(database: Database, student: Visit) -> None:
    with database.write() as connection:
        send(connection, student)
        read = evidence_id(connection, student)
        give_back(connection, student)
        send(connection, student, f"{TEXT} Und Wind.")
        with pytest.raises(HandedInAnew):
            give_back(connection, student, read=read)
        with pytest.raises(HandedInAnew):
            mark_read(connection, **key(student), evidence_id=read, now=LATER)  # type: ignore[arg-type]
        assert completed(connection, student)


def test_another_text_saved_meanwhile_is_not_overwritten(database: Database, student: Visit) -> None:
    with database.write() as connection:
        expect_unchanged(connection, **key(student), text=TEXT, saved_at=None)  # type: ignore[arg-type]
        save_draft(connection, **key(student), text=TEXT, now=NOW)  # type: ignore[arg-type]
        for text, saved_at in ((TEXT, None), ("Anderes.", NOW)):
            expect_unchanged(connection, **key(student), text=text, saved_at=saved_at)  # type: ignore[arg-type]
        for saved_at in (None, LATER):
            with pytest.raises(SavedMeanwhile):
                expect_unchanged(connection, **key(student), text="Anderes.", saved_at=saved_at)  # type: ignore[arg-type]


def test_a_course_reads_what_was_handed_in_and_no_drafts(database: Database, student: Visit) -> None:
    assert student.course_id is not None
    of: dict[str, Any] = {"course_id": student.course_id, "series_id": SERIES.series_id}
    one: dict[str, Any] = of | key(student)
    with database.write() as connection:
        save_draft(connection, **key(student), text="Noch nicht", now=NOW)  # type: ignore[arg-type]
        assert reflection_of_course(connection, **one) is None
        send(connection, student)
        found = reflection_of_course(connection, **one)
        assert found is not None
        assert (found.sub, found.reflection.text, found.reflection.words) == ("5", TEXT, 4)
        assert reflection_of_course(connection, **one | {"course_id": student.course_id + 1}) is None
        give_back(connection, student)
        found = reflection_of_course(connection, **one)
        assert found is not None
        assert (found.reflection.state, found.reflection.text) == (ReflectionState.RETURNED, TEXT)
        save_draft(connection, **key(student), text="Noch nicht", now=LATER + timedelta(1))  # type: ignore[arg-type]
        found = reflection_of_course(connection, **one)
        assert found is not None
        assert found.reflection.text == ""


def test_it_waits_until_it_is_read_or_returned_and_again_when_it_is_new(database: Database, student: Visit) -> None:
    of: dict[str, Any] = {"course_id": student.course_id, "series_id": SERIES.series_id}

    def lists(connection: sa.Connection) -> tuple[int, int, int]:
        page = of | {"first": 0, "most": 5}
        waiting, done = list_waiting(connection, **page), list_done(connection, **page)
        return waiting_of_course(connection, **of), len(waiting), len(done)

    with database.write() as connection:
        save_draft(connection, **key(student), text="Noch nicht", now=NOW)  # type: ignore[arg-type]
        assert lists(connection) == (0, 0, 0)
        send(connection, student)
        assert lists(connection) == (1, 1, 0)
        read = evidence_id(connection, student)
        mark_read(connection, **key(student), evidence_id=read, now=NOW)  # type: ignore[arg-type]
        assert lists(connection) == (0, 0, 1)
        give_back(connection, student)
        assert lists(connection) == (0, 0, 1)
        send(connection, student, f"{TEXT} Und Wind.")
        assert lists(connection) == (1, 1, 0)
        assert list_waiting(connection, **of, first=1, most=5) == []
        assert waiting_of_course(connection, **of | {"series_id": UUID(int=1)}) == 0


# Objections


def test_an_objection_is_answered_once_and_by_its_own_course(database: Database, student: Visit) -> None:
    assert student.course_id is not None
    course_id = student.course_id
    with database.write() as connection:
        one = raise_objection(
            connection,
            participant_id=student.participant_id,
            course_id=course_id,
            series_id=SERIES.series_id,
            session_id=SESSION.session_id,
            text="Ich war da.",
            now=NOW,
        )
        answer = {"objection_id": one, "answer": "Stimmt.", "by": "participant 77", "now": LATER}
        with pytest.raises(ObjectionNotOpen):
            answer_objection(connection, course_id=course_id + 1, **answer)  # type: ignore[arg-type]
        of_course = {"course_id": course_id, "series_id": SERIES.series_id, "open_only": True}
        assert [found.text for found in objections_of_course(connection, **of_course)] == ["Ich war da."]
        answer_objection(connection, course_id=course_id, **answer)  # type: ignore[arg-type]
        with pytest.raises(ObjectionNotOpen):
            answer_objection(connection, course_id=course_id, **(answer | {"answer": "Nein."}))  # type: ignore[arg-type]
        assert objections_of_course(connection, **of_course) == []
        who = {"participant_id": student.participant_id, "series_id": SERIES.series_id}
        (found,) = objections_of_participant(connection, **who)
    assert (found.answer, found.answered_by, found.answered_at, found.sub) == ("Stimmt.", "participant 77", LATER, "5")


def test_so_many_objections_wait_and_no_more_also_at_once(database: Database, student: Visit) -> None:
    other = launch(database, structs.replace(LAUNCH, sub="6"))

    def one(own: Database, number: int, visit: Visit = student, session_id: UUID | None = None) -> bool:
        assert visit.course_id is not None
        try:
            with own.write() as connection:
                raise_objection(
                    connection,
                    participant_id=visit.participant_id,
                    course_id=visit.course_id,
                    series_id=SERIES.series_id,
                    session_id=session_id,
                    text=f"Number {number}",
                    now=NOW,
                )
        except TooManyOpen:
            return False
        return True

    assert at_once(database, one).count(True) == MAX_OPEN_OBJECTIONS
    assert one(database, 99, other)


def test_what_waits_about_another_series_is_none_of_this_ones(database: Database, student: Visit) -> None:
    assert student.course_id is not None
    last_term = replace(SERIES, series_id=UUID(int=9), slug="last-term")
    who = {"participant_id": student.participant_id}
    with database.write() as connection:
        add_series(connection, last_term, rule=Rule(), now=NOW)
        for series in [last_term] * MAX_OPEN_OBJECTIONS + [SERIES]:
            text = f"The count, {len(objections_of_participant(connection, **who, series_id=series.series_id))}"
            raise_objection(
                connection,
                **who,
                course_id=student.course_id,
                series_id=series.series_id,
                session_id=None,
                text=text,
                now=NOW,
            )
        (own,) = objections_of_participant(connection, **who, series_id=SERIES.series_id)
        of_course = {"course_id": student.course_id, "series_id": SERIES.series_id}
        assert objections_of_course(connection, **of_course, open_only=True) == [own]
