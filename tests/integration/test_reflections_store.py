"""Reflections and objections in the store, on both databases."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.people import Visit
from series.reflections import NothingToReturn, ReflectionLocked, ReflectionState, ReflectionTooShort
from series.rule import Demand, Kind, Rule, SessionRule
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
    hand_in,
    reflection_of,
    reflections_of_course,
    return_reflection,
    save_draft,
)
from series.store.rules import set_session_rule
from series.store.sessions import add_series
from series.store.tables import delivery, evidence
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


def send(connection: sa.Connection, visit: Visit, text: str = TEXT) -> list[int]:
    return hand_in(
        connection,
        participant_id=visit.participant_id,
        session_id=SESSION.session_id,
        text=text,
        at_least=3,
        now=NOW,
    )


def give_back(connection: sa.Connection, visit: Visit, comment: str = "Mehr, bitte.") -> list[int]:
    return return_reflection(
        connection,
        participant_id=visit.participant_id,
        session_id=SESSION.session_id,
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
            give_back(connection, student)
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


def test_a_course_reads_what_was_handed_in_and_no_drafts(database: Database, student: Visit) -> None:
    assert student.course_id is not None
    of = {"course_id": student.course_id, "series_id": SERIES.series_id}
    with database.write() as connection:
        save_draft(connection, **key(student), text="Noch nicht", now=NOW)  # type: ignore[arg-type]
        assert reflections_of_course(connection, **of) == []  # type: ignore[arg-type]
        send(connection, student)
        (found,) = reflections_of_course(connection, **of)  # type: ignore[arg-type]
        assert (found.sub, found.reflection.text, found.reflection.words) == ("5", TEXT, 4)
        give_back(connection, student)
        (found,) = reflections_of_course(connection, **of)  # type: ignore[arg-type]
        assert (found.reflection.state, found.reflection.text) == (ReflectionState.RETURNED, TEXT)
        save_draft(connection, **key(student), text="Noch nicht", now=LATER + timedelta(1))  # type: ignore[arg-type]
        (found,) = reflections_of_course(connection, **of)  # type: ignore[arg-type]
        assert found.reflection.text == ""
        assert reflections_of_course(connection, course_id=student.course_id + 1, series_id=SERIES.series_id) == []


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
