"""What lowers a score, and what never does, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.people import Visit
from series.rule import CHECK_IN, Demand, Kind, Rule
from series.sessions import Session, Status
from series.store.approvals import withdrawal_of
from series.store.database import Database
from series.store.declarations import declare_recording, take_back_recording
from series.store.deliveries import list_deliveries, mark_failed
from series.store.evidence import NothingToRetract, facts_of, record_evidence, retract_evidence
from series.store.records import records_of
from series.store.rules import set_rule
from series.store.scores import queue_scores
from series.store.sessions import change_session
from series.store.tables import completion, delivery, evidence, excuse
from tests.at_once import THREADS, at_once
from tests.conftest import NOW
from tests.examples import SERIES, weekly
from tests.seeds import LAUNCH, LINE_ITEM, Seeded, code_of, count, launch, record, seed

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def student(database: Database, seeded: Seeded) -> Visit:
    return launch(database)


@pytest.fixture
def fact(database: Database, seeded: Seeded, student: Visit) -> int:
    """The id of a check-in that completes the first of two required sessions."""
    record(database, code_of(student, seeded.session_ids[0]))
    with database.read() as connection:
        return int(connection.execute(sa.select(evidence.c.id)).scalar_one())


def retract(database: Database, evidence_id: int, reason: str = "Typed for a friend.") -> list[int]:
    with database.write() as connection:
        return retract_evidence(connection, evidence_id, by="participant 9", reason=reason, now=LATER)


def scores(database: Database) -> list[tuple[str, int, int, int]]:
    with database.read() as connection:
        rows = list_deliveries(connection, state=None)
    return [(row.state, row.version, row.score_given, row.score_maximum) for row in rows]


def approve(database: Database, student: Visit, seeded: Seeded, session: int = 0, kind: Kind = Kind.APPROVAL) -> None:
    new = code_of(student, seeded.session_ids[session])
    record(database, replace(new, kind=kind, source="teacher", recorded_by="participant 9", reason="Was there."))


def test_a_retraction_takes_the_completion_and_the_score_back(database: Database, fact: int) -> None:
    assert len(retract(database, fact)) == 1
    assert count(database, completion) == 0
    assert scores(database) == [("superseded", 1, 1, 2), ("due", 2, 0, 2)]


def test_a_retraction_keeps_the_fact_and_says_who_and_why(database: Database, student: Visit, fact: int) -> None:
    retract(database, fact)
    with database.read() as connection:
        (known,) = facts_of(connection, participant_id=student.participant_id, series_id=SERIES.series_id)
    assert known.evidence.kind is Kind.CODE
    assert known.retraction is not None
    assert (known.retraction.by, known.retraction.reason) == ("participant 9", "Typed for a friend.")
    assert known.retraction.at == LATER


def test_the_score_stays_when_other_evidence_stands(
    database: Database, seeded: Seeded, student: Visit, fact: int
) -> None:
    approve(database, student, seeded)
    assert retract(database, fact) == []
    assert count(database, completion) == 1


def test_a_fact_is_withdrawn_once(database: Database, fact: int) -> None:
    retract(database, fact)
    with pytest.raises(NothingToRetract):
        retract(database, fact)
    assert count(database, evidence) == 2


def test_of_many_retractions_at_once_one_counts(database: Database, fact: int) -> None:
    def try_it(own: Database, _: int) -> int:
        try:
            return len(retract(own, fact))
        except NothingToRetract:
            return -1

    assert sorted(at_once(database, try_it)) == [-1] * (THREADS - 1) + [1]


@pytest.mark.parametrize("evidence_id", [0, 99])
def test_what_is_not_there_cannot_be_withdrawn(database: Database, fact: int, evidence_id: int) -> None:
    with pytest.raises(NothingToRetract):
        retract(database, evidence_id)


def test_a_retraction_cannot_be_withdrawn(database: Database, fact: int) -> None:
    retract(database, fact)
    with database.read() as connection:
        last = connection.execute(sa.select(sa.func.max(evidence.c.id))).scalar_one()
    with pytest.raises(NothingToRetract):
        retract(database, last)


def test_the_same_code_again_does_not_undo_a_retraction(
    database: Database, seeded: Seeded, student: Visit, fact: int
) -> None:
    retract(database, fact)
    assert record(database, code_of(student, seeded.session_ids[0])) == []
    assert count(database, completion) == 0


def test_new_evidence_after_a_retraction_raises_the_score_again(
    database: Database, seeded: Seeded, student: Visit, fact: int
) -> None:
    retract(database, fact)
    approve(database, student, seeded)
    assert scores(database)[-1] == ("due", 3, 1, 2)


def test_a_score_of_nought_is_only_sent_to_take_another_one_back(
    database: Database, seeded: Seeded, student: Visit
) -> None:
    record(database, replace(code_of(student, seeded.session_ids[0]), kind=Kind.RECORDING))
    with database.read() as connection:
        number = connection.execute(sa.select(evidence.c.id)).scalar_one()
    assert retract(database, number) == []
    assert count(database, delivery) == 0


# Excused


def test_who_is_excused_from_a_session_needs_one_less_when_too_few_are_left(database: Database) -> None:
    seeded = seed(database, sessions=weekly(3), required=3)
    student = launch(database)
    record(database, code_of(student, seeded.session_ids[0]))
    approve(database, student, seeded, session=1, kind=Kind.EXCUSED)
    assert scores(database)[-1] == ("due", 2, 1, 2)
    with database.read() as connection:
        records = records_of(connection, [student.participant_id], SERIES.series_id)[student.participant_id]
    assert [one.outcome.is_excused for one in records] == [False, True, False]


def test_who_is_no_longer_excused_has_the_old_number_again(database: Database) -> None:
    seeded = seed(database, sessions=weekly(3), required=3)
    student = launch(database)
    record(database, code_of(student, seeded.session_ids[0]))
    approve(database, student, seeded, session=1, kind=Kind.EXCUSED)
    with database.read() as connection:
        number = connection.execute(sa.select(evidence.c.id).where(evidence.c.kind == "excused")).scalar_one()
    retract(database, number)
    assert count(database, excuse) == 0
    assert scores(database)[-1] == ("due", 3, 1, 3)


# What never lowers


RECORDING = (Demand(kind=Kind.RECORDING, at_least=80),)
LIVE = (Demand(kind=Kind.LIVE, at_least=75),)


def set_ways(database: Database, *ways: tuple[Demand, ...], required: int) -> None:
    with database.write() as connection:
        before = NOW - timedelta(days=1)
        set_rule(connection, SERIES.series_id, Rule(ways=ways, required=required), by="staff 1", now=before)


def declare_and_take_back(database: Database, student: Visit, session: Session) -> list[int]:
    """The recording of the session; the deliveries of taking it back."""
    who = {"participant_id": student.participant_id, "session_id": session.session_id, "now": session.end_at}
    with database.write() as connection:
        declare_recording(connection, percent=80, **who)  # type: ignore[arg-type]
    with database.write() as connection:
        number = connection.execute(sa.select(sa.func.max(evidence.c.id))).scalar_one()
        of = {"participant_id": student.participant_id, "course_id": student.course_id, "series_id": SERIES.series_id}
        shown = withdrawal_of(connection, number, **of, now=LATER)
        assert shown
        assert (shown.before, shown.standing_before) == (shown.after, shown.standing_after), "as it is shown before"
        return take_back_recording(connection, **who)  # type: ignore[arg-type]


def test_a_withdrawal_takes_no_completion_that_a_corrected_end_has_left_standing(database: Database) -> None:
    (session,) = weekly(1)
    seed(database, sessions=[session], required=1)
    set_ways(database, LIVE, RECORDING, required=1)
    student = launch(database)
    present = replace(code_of(student, session.session_id), kind=Kind.LIVE, source="meeting report", amount=90)
    record(database, present)
    with database.write() as connection:
        change_session(
            connection, replace(session, end_at=session.end_at + timedelta(minutes=30)), by="staff 1", now=LATER
        )
    assert declare_and_take_back(database, student, session) == []
    assert count(database, completion) == 1
    with database.read() as connection:
        number = connection.execute(sa.select(sa.func.min(evidence.c.id))).scalar_one()
        who = {"participant_id": student.participant_id, "course_id": None, "series_id": SERIES.series_id}
        shown = withdrawal_of(connection, number, **who, now=LATER)
    assert shown
    assert (shown.before.completed_at, shown.after.completed_at) == (NOW, None)
    assert len(retract(database, number)) == 1, "what it rests on is withdrawn"
    assert count(database, completion) == 0
    assert scores(database)[-1] == ("due", 2, 0, 1)


def test_a_withdrawal_lowers_no_grade_that_restored_sessions_have_left_standing(database: Database) -> None:
    sessions = weekly(3)
    cancelled = [replace(session, status=Status.CANCELLED) for session in sessions[1:]]
    seed(database, sessions=[sessions[0], *cancelled], required=3)
    set_ways(database, *Rule().ways, RECORDING, required=3)
    student = launch(database)
    record(database, code_of(student, sessions[0].session_id))
    with database.write() as connection:
        for session in sessions[1:]:
            change_session(connection, session, by="staff 1", now=LATER)
    assert declare_and_take_back(database, student, sessions[0]) == []
    assert scores(database) == [("due", 1, 1, 1)]


def test_what_was_completed_live_does_not_become_a_recording(database: Database) -> None:
    (session,) = weekly(1)
    seed(database, sessions=[session], required=1)
    set_ways(database, LIVE, RECORDING, required=1)
    student = launch(database)
    present = replace(code_of(student, session.session_id), kind=Kind.LIVE, source="meeting report", amount=90)
    record(database, present)
    with database.write() as connection:
        change_session(
            connection, replace(session, end_at=session.end_at + timedelta(minutes=30)), by="staff 1", now=LATER
        )
    record(database, replace(present, kind=Kind.RECORDING, amount=80, observed_at=session.end_at))
    with database.read() as connection:
        assert connection.execute(sa.select(completion.c.by_recording)).scalar_one() is False


def test_a_withdrawal_of_something_else_leaves_an_excuse(database: Database, seeded: Seeded, student: Visit) -> None:
    approve(database, student, seeded, kind=Kind.EXCUSED)
    record(database, code_of(student, seeded.session_ids[0], source_id="1"))
    record(database, code_of(student, seeded.session_ids[0], source_id="2"))
    with database.read() as connection:
        last = connection.execute(sa.select(sa.func.max(evidence.c.id))).scalar_one()
    retract(database, last)
    assert (count(database, completion), count(database, excuse)) == (1, 1)


def test_a_session_that_is_restored_lowers_nobodys_grade(database: Database) -> None:
    sessions = weekly(2)
    seeded = seed(database, sessions=[sessions[0], replace(sessions[1], status=Status.CANCELLED)], required=2)
    student = launch(database)
    record(database, code_of(student, seeded.session_ids[0]))
    assert scores(database) == [("due", 1, 1, 1)]
    with database.write() as connection:
        change_session(connection, sessions[1], by="staff 1", now=LATER)
        who = {"participant_id": student.participant_id, "series_id": SERIES.series_id}
        assert queue_scores(connection, **who, now=LATER) == []
        assert len(queue_scores(connection, **who, now=LATER, may_lower_in=[student.placement_id])) == 1
    assert scores(database) == [("superseded", 1, 1, 1), ("due", 2, 1, 2)]


def test_a_grade_that_its_gradebook_has_refused_gives_way_to_the_right_one(database: Database) -> None:
    sessions = weekly(2)
    seeded = seed(database, sessions=[sessions[0], replace(sessions[1], status=Status.CANCELLED)], required=2)
    student = launch(database)
    (refused,) = record(database, code_of(student, seeded.session_ids[0]))
    with database.write() as connection:
        mark_failed(connection, refused, outcome="No.", was_refused=True)
        change_session(connection, sessions[1], by="staff 1", now=LATER)
        queue_scores(connection, participant_id=student.participant_id, series_id=SERIES.series_id, now=LATER)
    assert scores(database) == [("failed", 1, 1, 1), ("due", 2, 1, 2)]


def test_a_stricter_rule_lowers_nobody_who_has_completed_before(
    database: Database, seeded: Seeded, student: Visit
) -> None:
    second = seeded.session_ids[1]  # it has not started
    record(database, code_of(student, second))
    strict = Rule(ways=((*CHECK_IN, Demand(kind=Kind.LIVE, at_least=75)),), required=2)
    with database.write() as connection:
        set_rule(connection, SERIES.series_id, strict, by="staff 1", now=NOW)
    record(database, replace(code_of(student, second), source_id="2"))
    assert count(database, completion) == 1
    assert scores(database) == [("due", 1, 1, 2)]


def test_a_session_moved_away_under_the_evidence_lowers_nobody(database: Database) -> None:
    sessions = weekly(1)
    seeded = seed(database, sessions=sessions, required=1)
    student = launch(database)
    with database.write() as connection:
        rule = Rule(ways=((Demand(kind=Kind.RECORDING, within_days=1),),), required=1)
        before = NOW - timedelta(days=1)
        set_rule(connection, SERIES.series_id, rule, by="staff 1", now=before)
        watched = replace(
            code_of(student, seeded.session_ids[0]), kind=Kind.RECORDING, observed_at=sessions[0].end_at + timedelta(1)
        )
        assert record_evidence(connection, watched, now=NOW)
        earlier = timedelta(days=3)
        moved = replace(sessions[0], start_at=sessions[0].start_at - earlier, end_at=sessions[0].end_at - earlier)
        change_session(connection, moved, by="staff 1", now=LATER)
        assert record_evidence(connection, replace(watched, source_id="2"), now=LATER) == []
    assert count(database, completion) == 1


def test_evidence_tells_only_the_line_items_of_its_own_session(
    database: Database, seeded: Seeded, student: Visit, fact: int
) -> None:
    of_second = structs.replace(
        LAUNCH,
        resource_link_id="2",
        line_item_url=f"{LINE_ITEM}&2",
        custom_session_id=str(seeded.session_ids[1]),
    )
    launch(database, of_second)
    retract(database, fact)
    with database.read() as connection:
        assert {row.line_item_url for row in list_deliveries(connection, state=None)} == {LINE_ITEM}
