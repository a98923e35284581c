"""Who is in a course, what its teachers say of them, and the course's own number; on both databases."""

from datetime import datetime

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.people import Visit
from series.rule import Kind
from series.standing import CourseCount
from series.store.approvals import Word, outcomes_of_session, record_word, said_by_form, withdrawal_of
from series.store.counts import people_of_course, person_of_course, subs_beside
from series.store.course_counts import CountRefused, digest_of_count, set_count
from series.store.database import Database
from series.store.evidence import NothingToRetract, retract_evidence
from series.store.gradebook_gaps import gaps_of_course
from series.store.rules import course_count_of
from series.store.tables import completion, course_roster, delivery, evidence, participant, roster_member
from tests.conftest import NOW
from tests.examples import SERIES, VILNIUS
from tests.seeds import ISSUER, LAUNCH, Seeded, code_of, launch, record, seed

BEFORE = NOW.replace(year=2025)


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def student(database: Database, seeded: Seeded) -> Visit:
    return launch(database)


@pytest.fixture
def course_id(student: Visit) -> int:
    assert student.course_id is not None
    return student.course_id


def add_participant(database: Database, sub: str, **changes: object) -> int:
    values = {"university_id": 1, "issuer": ISSUER, "sub": sub, "created_at": NOW} | changes
    with database.write() as connection:
        return int(connection.execute(sa.insert(participant).values(values).returning(participant.c.id)).scalar_one())


def add_to_roster(database: Database, course_id: int, sub: str, **changes: object) -> None:
    values = {"course_id": course_id, "sub": sub, "is_learner": True, "is_suspended": False, "gone_at": None} | changes
    with database.write() as connection:
        if connection.execute(sa.select(course_roster)).first() is None:
            connection.execute(sa.insert(course_roster).values(course_id=course_id, failures=0))
        connection.execute(sa.insert(roster_member).values(values))


def test_a_course_has_who_came_and_who_is_in_its_rosters(database: Database, student: Visit, course_id: int) -> None:
    launch(database, structs.replace(LAUNCH, sub="teacher", is_learner=False, is_teacher=True))
    launch(database, structs.replace(LAUNCH, sub="elsewhere", context_id="3", resource_link_id="3"))
    for sub, changes in {"stored": {}, "gone": {"gone_at": NOW}, "helper": {"is_learner": False}}.items():
        add_participant(database, sub)
        add_to_roster(database, course_id, sub, **changes)
    add_to_roster(database, course_id, "unknown")
    add_participant(database, "shown now")
    add_participant(database, "stored", university_id=VILNIUS.university_id)
    add_participant(database, "shown now", issuer="https://other.example")
    with database.read() as connection:
        people = people_of_course(connection, course_id, subs=["shown now", "nobody"])
        assert [(one.sub, one.has_started) for one in people] == [
            (student.sub, True),
            ("stored", False),
            ("shown now", False),
        ]
        shown_now = people[-1].participant_id
        assert person_of_course(connection, course_id, shown_now) is None
        assert person_of_course(connection, course_id, shown_now, subs=["shown now"]) == people[-1]


def test_only_people_of_the_same_lms_have_a_number_there(database: Database, student: Visit) -> None:
    foreign = add_participant(database, "5", university_id=VILNIUS.university_id, issuer="https://other.example")
    with database.read() as connection:
        asked = [student.participant_id, foreign]
        assert subs_beside(connection, asked, of=student.participant_id) == {student.participant_id: "5"}


def say(
    database: Database, seeded: Seeded, people: list[int], kind: Kind = Kind.APPROVAL, form: str = "1"
) -> list[int]:
    word = Word(
        session_id=seeded.session_ids[0], kind=kind, by="participant 9", reason="So.", form_id=form, observed_at=NOW
    )
    with database.write() as connection:
        return record_word(connection, word, people, now=NOW)


def test_what_a_form_says_is_said_once(database: Database, seeded: Seeded, student: Visit) -> None:
    assert len(say(database, seeded, [student.participant_id])) == 1
    assert say(database, seeded, [student.participant_id]) == []
    session_id = seeded.session_ids[0]
    with database.read() as connection:
        assert said_by_form(connection, by="participant 9", session_id=session_id, form_id="1") == 1
        assert said_by_form(connection, by="participant 8", session_id=session_id, form_id="1") == 0
        outcome = outcomes_of_session(connection, [student.participant_id], session_id)[student.participant_id]
    assert outcome.completed_at == NOW


def test_an_excuse_gives_way_to_a_confirmation(database: Database, seeded: Seeded, student: Visit) -> None:
    for kind, is_excused in ((Kind.EXCUSED, True), (Kind.APPROVAL, False)):
        say(database, seeded, [student.participant_id], kind)
        with database.read() as connection:
            (outcome,) = outcomes_of_session(connection, [student.participant_id], seeded.session_ids[0]).values()
        assert outcome.is_excused is is_excused


def test_a_withdrawal_leaves_what_else_there_is(
    database: Database, seeded: Seeded, student: Visit, course_id: int
) -> None:
    record(database, code_of(student, seeded.session_ids[0]))
    for expected in (0, 1):  # alone, then beside a confirmation
        with database.read() as connection:
            (first, *_) = connection.execute(sa.select(evidence.c.id).order_by(evidence.c.id)).scalars()
            found = withdrawal_of(
                connection,
                first,
                participant_id=student.participant_id,
                course_id=course_id,
                series_id=SERIES.series_id,
                now=NOW,
            )
        assert found is not None
        assert (found.standing_before.done, found.standing_after.done) == (1, expected)
        say(database, seeded, [student.participant_id])


def test_what_a_withdrawal_foretells_comes_true_and_is_told_once(
    database: Database, seeded: Seeded, student: Visit, course_id: int
) -> None:
    record(database, code_of(student, seeded.session_ids[0]))
    asked = {
        "participant_id": student.participant_id,
        "course_id": course_id,
        "series_id": SERIES.series_id,
        "now": NOW,
    }
    with database.write() as connection:
        first = connection.execute(sa.select(evidence.c.id)).scalar_one()
        assert withdrawal_of(connection, first + 1, **asked) is None  # type: ignore[arg-type]  # as they are named
        retract_evidence(connection, first, by="participant 9", reason="So.", now=NOW)
        assert connection.execute(sa.select(completion)).first() is None
        with pytest.raises(NothingToRetract):
            withdrawal_of(connection, first, **asked)  # type: ignore[arg-type]


OWN = CourseCount(required=1, session_ids=None)


def set_seen_count(
    connection: sa.Connection, course_id: int, new: CourseCount | None, *, by: str, now: datetime
) -> bool:
    seen = digest_of_count(connection, course_id, SERIES.series_id)
    return set_count(connection, course_id, SERIES.series_id, new, seen=seen, by=by, now=now)


def test_a_course_sets_its_own_number_and_takes_it_back(database: Database, seeded: Seeded, course_id: int) -> None:
    some = CourseCount(required=1, session_ids=frozenset(seeded.session_ids[:2]))
    for new, is_new in ((OWN, True), (OWN, False), (some, True), (None, True), (None, False)):
        with database.write() as connection:
            assert set_seen_count(connection, course_id, new, by="participant 9", now=BEFORE) is is_new
            assert course_count_of(connection, course_id, SERIES.series_id) == new


def test_after_the_start_a_number_becomes_no_harder(database: Database, seeded: Seeded, course_id: int) -> None:
    harder = CourseCount(required=1, session_ids=frozenset(seeded.session_ids[1:]))
    with database.write() as connection:
        set_seen_count(connection, course_id, OWN, by="participant 9", now=NOW)
    for new in (harder, None):
        with database.write() as connection, pytest.raises(CountRefused):
            set_seen_count(connection, course_id, new, by="participant 9", now=NOW)


@pytest.mark.parametrize(
    ("state", "is_gap"), [("delivered", True), ("due", True), ("failed", False), ("unaddressed", False)]
)
def test_a_gradebook_that_was_told_more_than_counts_is_a_gap(
    database: Database, seeded: Seeded, student: Visit, course_id: int, state: str, *, is_gap: bool
) -> None:
    record(database, code_of(student, seeded.session_ids[0]))
    with database.write() as connection:
        connection.execute(sa.update(delivery).values(state=state))
        ask = {"course_id": course_id, "series_id": SERIES.series_id, "now": NOW}
        assert gaps_of_course(connection, **ask) == []  # type: ignore[arg-type]  # as they are named
        connection.execute(sa.delete(completion))
        gaps = gaps_of_course(connection, **ask)  # type: ignore[arg-type]
    assert [(gap.grade.score_given, gap.counts.given) for gap in gaps] == ([(1, 0)] if is_gap else [])
