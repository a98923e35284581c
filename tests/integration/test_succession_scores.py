"""One platform takes the place of another: what becomes of scores, on both databases."""

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.people import Visit
from series.store import deliveries
from series.store.database import Database
from series.store.scores import OTHERS_AT_ONCE, queue_missing_scores
from series.store.tables import participant
from series.store.universities import PlatformRow
from tests.conftest import NOW
from tests.replacing import (
    LATER,
    NEW_LINE_ITEM,
    REGISTERED_AGAIN,
    launch_and_tell,
    register,
    scores,
    succeed,
    tell_missing,
    through,
)
from tests.seeds import LAUNCH, LINE_ITEM, Seeded, code_of, last_sent, launch, record, seed


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def student(database: Database, seeded: Seeded) -> Visit:
    return launch(database)


@pytest.fixture
def again(database: Database, seeded: Seeded) -> PlatformRow:
    """The same LMS, registered once more."""
    return register(database, REGISTERED_AGAIN)


def claim(database: Database, delivery_id: int) -> deliveries.Delivery | None:
    with database.write() as connection:
        return deliveries.claim(connection, delivery_id, now=LATER)


def test_a_score_that_has_not_arrived_waits_for_the_new_line_item(
    database: Database, seeded: Seeded, student: Visit, again: PlatformRow
) -> None:
    (delivery_id,) = record(database, code_of(student, seeded.session_ids[0]))
    assert succeed(database).scores_waiting == 1
    assert claim(database, delivery_id) is None
    with database.write() as connection:
        assert deliveries.due_ids(connection, now=LATER, limit=10) == []
        assert deliveries.retry(connection, delivery_id=None, now=LATER) == 0
        (row,) = deliveries.list_deliveries(connection, state="unaddressed")
    assert row.outcome == "Waits for the first launch through malta-2, which brings the new line item."


def test_the_next_launch_sends_the_score_to_the_new_line_item(
    database: Database, seeded: Seeded, student: Visit, again: PlatformRow
) -> None:
    record(database, code_of(student, seeded.session_ids[0]))
    succeed(database)
    after, (delivery_id,) = launch_and_tell(database, through(again))
    assert scores(database) == [
        (LINE_ITEM, "superseded", student.participant_id, 1, 1),
        (NEW_LINE_ITEM, "due", student.participant_id, 1, 1),
    ]
    claimed = claim(database, delivery_id)
    assert claimed is not None
    assert (claimed.platform_id, claimed.line_item_url) == (again.platform_id, NEW_LINE_ITEM)
    assert tell_missing(database, after) == []


def test_any_launch_sends_the_scores_of_those_who_do_not_come_again(
    database: Database, seeded: Seeded, student: Visit, again: PlatformRow
) -> None:
    record(database, code_of(student, seeded.session_ids[0]))
    succeed(database)
    teacher = through(again, structs.replace(LAUNCH, sub="8", is_learner=False, is_teacher=True))
    _, queued = launch_and_tell(database, teacher)
    assert len(queued) == 1
    assert scores(database)[-1] == (NEW_LINE_ITEM, "due", student.participant_id, 1, 1)


def test_a_launch_without_a_line_item_sends_nothing_yet(
    database: Database, seeded: Seeded, student: Visit, again: PlatformRow
) -> None:
    record(database, code_of(student, seeded.session_ids[0]))
    succeed(database)
    _, queued = launch_and_tell(database, structs.replace(through(again), line_item_url=None))
    assert queued == []
    assert [state for _, state, *_ in scores(database)] == ["unaddressed"]


def test_a_launch_tells_of_fifty_others_at_most_and_the_next_one_of_the_rest(
    database: Database, seeded: Seeded, again: PlatformRow
) -> None:
    for number in range(OTHERS_AT_ONCE + 3):
        record(database, code_of(launch(database, structs.replace(LAUNCH, sub=f"s{number}")), seeded.session_ids[0]))
    succeed(database)
    teacher = through(again, structs.replace(LAUNCH, sub="8", is_learner=False, is_teacher=True))
    assert [len(launch_and_tell(database, teacher)[1]) for _ in range(3)] == [OTHERS_AT_ONCE, 3, 0]


def test_a_score_that_the_old_gradebook_has_is_sent_to_the_new_one_when_its_owner_comes(
    database: Database, seeded: Seeded, student: Visit, again: PlatformRow
) -> None:
    (delivery_id,) = record(database, code_of(student, seeded.session_ids[0]))
    with database.write() as connection:
        deliveries.mark_delivered(connection, delivery_id, outcome="Delivered.", now=NOW)
    done = succeed(database)
    assert (done.scores_waiting, done.scores_queued) == (0, 0)
    visit_, queued = launch_and_tell(database, through(again))
    assert len(queued) == 1
    with database.read() as connection:
        assert last_sent(connection, visit_) == ("due", None)


def test_what_the_old_registration_could_not_deliver_is_tried_again(
    database: Database, seeded: Seeded, student: Visit, again: PlatformRow
) -> None:
    (delivery_id,) = record(database, code_of(student, seeded.session_ids[0]))
    with database.write() as connection:
        deliveries.mark_failed(connection, delivery_id, outcome="Never.")
    assert succeed(database).scores_waiting == 1
    _, queued = launch_and_tell(database, through(again))
    assert len(queued) == 1


def test_a_worker_in_the_middle_changes_nothing_any_more(
    database: Database, seeded: Seeded, student: Visit, again: PlatformRow
) -> None:
    (first,) = record(database, code_of(student, seeded.session_ids[0]))
    assert claim(database, first)
    record(database, code_of(student, seeded.session_ids[1]))
    assert succeed(database).scores_waiting == 1
    with database.write() as connection:
        deliveries.mark_failed(connection, first, outcome="Never.")
    assert [(state, version) for _, state, _, version, _ in scores(database)] == [("superseded", 1), ("unaddressed", 2)]


def test_a_gradebook_that_is_known_already_is_told_at_once(
    database: Database, seeded: Seeded, student: Visit, again: PlatformRow
) -> None:
    record(database, code_of(student, seeded.session_ids[0]))
    launch(database, through(again, structs.replace(LAUNCH, sub="6")))
    done = succeed(database)
    assert (done.scores_queued, done.scores_waiting) == (1, 0)
    assert scores(database) == [
        (LINE_ITEM, "superseded", student.participant_id, 1, 1),
        (NEW_LINE_ITEM, "due", student.participant_id, 1, 1),
    ]


def test_a_gradebook_that_is_known_already_under_the_same_address_is_told_at_once(
    database: Database, seeded: Seeded, student: Visit, again: PlatformRow
) -> None:
    record(database, code_of(student, seeded.session_ids[0]))
    launch(database, structs.replace(through(again, structs.replace(LAUNCH, sub="6")), line_item_url=LINE_ITEM))
    done = succeed(database)
    assert (done.scores_queued, done.scores_waiting) == (1, 0)
    assert [(state, version) for _, state, _, version, _ in scores(database)] == [("superseded", 1), ("due", 2)]


@pytest.mark.parametrize("arrived", [True, False])
def test_a_line_item_that_keeps_its_address_hears_the_score_once(
    database: Database, seeded: Seeded, student: Visit, again: PlatformRow, *, arrived: bool
) -> None:
    (delivery_id,) = record(database, code_of(student, seeded.session_ids[0]))
    if arrived:
        with database.write() as connection:
            deliveries.mark_delivered(connection, delivery_id, outcome="Delivered.", now=NOW)
    succeed(database)
    launch_and_tell(database, structs.replace(through(again), line_item_url=LINE_ITEM))
    states = [(state, version) for _, state, _, version, _ in scores(database)]
    assert states == ([("delivered", 1)] if arrived else [("superseded", 1), ("due", 2)])


def test_evidence_that_comes_before_the_new_line_item_is_not_lost(
    database: Database, seeded: Seeded, student: Visit, again: PlatformRow
) -> None:
    succeed(database)
    assert record(database, code_of(student, seeded.session_ids[0]), now=LATER) == []
    _, queued = launch_and_tell(database, through(again))
    assert len(queued) == 1


def test_a_launch_with_nothing_to_tell_asks_the_database_once(database: Database, seeded: Seeded) -> None:
    student = launch(database)
    record(database, code_of(student, seeded.session_ids[0]))
    still_to_come = structs.replace(
        LAUNCH, resource_link_id="2", line_item_url=NEW_LINE_ITEM, custom_session_id=str(seeded.session_ids[1])
    )
    for one in (student, launch(database, structs.replace(LAUNCH, sub="6")), launch(database, still_to_come)):
        statements: list[str] = []
        with database.write() as connection:
            sa.event.listen(connection, "before_cursor_execute", lambda *args, said=statements: said.append(args[2]))
            told = {"participant_id": one.participant_id, "placement_id": one.placement_id}
            assert queue_missing_scores(connection, **told, now=LATER) == []
        assert len(statements) == 1


def test_a_person_who_is_busy_is_left_to_their_own_launch(
    database: Database, seeded: Seeded, student: Visit, again: PlatformRow
) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    record(database, code_of(student, seeded.session_ids[0]))
    succeed(database)
    teacher = through(again, structs.replace(LAUNCH, sub="8", is_learner=False))
    with database.write() as busy:
        busy.execute(sa.select(participant.c.id).where(participant.c.id == student.participant_id).with_for_update())
        assert launch_and_tell(database, teacher)[1] == []
    assert len(launch_and_tell(database, teacher)[1]) == 1
