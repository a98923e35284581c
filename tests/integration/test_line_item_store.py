"""Which placements want a line item, and whose turn it is to give them one."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec import structs

from lms.ags import SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READONLY, SCOPE_SCORE
from moodle_sync.find_line_items import SCOPES
from series.deliveries import LEASE
from series.store import line_items
from series.store.database import Database
from series.store.deliveries import DeliveryRow, list_deliveries
from series.store.tables import delivery, deployment, platform
from series.store.universities import disable_platform
from tests.at_once import at_once
from tests.conftest import NOW
from tests.seeds import LAUNCH, Seeded, code_of, launch, record, seed

GRANTED = (SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READONLY, SCOPE_SCORE)
PLACEMENT = 2  # placement 1 has a line item


LACKING = structs.replace(LAUNCH, resource_link_id="2", line_item_url=None, ags_scopes=GRANTED)


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Database]:
    opened = Database(sqlite_url)
    yield opened
    opened.dispose()


def fill(database: Database) -> Seeded:
    """One placement with a line item, one without, and a student who has done something."""
    seeded = seed(database)
    launch(database)
    record(database, code_of(launch(database, LACKING), seeded.session_ids[0]))
    return seeded


def queued(database: Database, url: str) -> list[DeliveryRow]:
    with database.read() as connection:
        return [row for row in list_deliveries(connection, state=None) if row.line_item_url == url]


def due_in(database: Database, now: datetime = NOW) -> list[int]:
    with database.read() as connection:
        return line_items.due_placements(connection, scopes=SCOPES, now=now, limit=10)


def claim_in(database: Database, now: datetime = NOW) -> bool:
    with database.write() as connection:
        return line_items.claim_placement(connection, PLACEMENT, scopes=SCOPES, now=now) is not None


def test_a_placement_is_claimed_once_until_its_lease_ends(database: Database) -> None:
    fill(database)
    assert due_in(database) == [PLACEMENT]
    assert sorted(at_once(database, lambda one, _: claim_in(one))) == [False] * 7 + [True]
    assert due_in(database) == []
    after = NOW + LEASE
    assert due_in(database, after) == [PLACEMENT]
    assert claim_in(database, after)


@pytest.mark.parametrize(
    "change",
    [
        {"ags_scopes": (SCOPE_SCORE, SCOPE_LINE_ITEM_READONLY)},
        {"ags_scopes": (SCOPE_LINE_ITEM,)},
    ],
    ids=["columns may only be looked at", "scores may not be written"],
)
def test_a_placement_that_the_next_launch_changes_is_not_due(sqlite: Database, change: dict[str, Any]) -> None:
    fill(sqlite)
    launch(sqlite, structs.replace(LACKING, **change))
    assert due_in(sqlite) == []
    assert not claim_in(sqlite)


def test_a_placement_that_names_no_place_for_line_items_is_not_due(sqlite: Database) -> None:
    seeded = seed(sqlite)
    launch(sqlite)
    visit = launch(sqlite, structs.replace(LACKING, line_items_url=None))
    record(sqlite, code_of(visit, seeded.session_ids[0]))
    assert due_in(sqlite) == []


@pytest.mark.parametrize("who", [{"sub": "6"}, {"is_learner": False, "is_teacher": True}, {"is_test_user": True}])
def test_a_placement_for_which_nobody_has_anything_to_tell_is_not_due(sqlite: Database, who: dict[str, Any]) -> None:
    seeded = seed(sqlite)
    record(sqlite, code_of(launch(sqlite), seeded.session_ids[0]))
    launch(sqlite, structs.replace(LACKING, **who))
    assert due_in(sqlite) == []


def test_a_placement_of_a_session_waits_for_that_session(sqlite: Database) -> None:
    seeded = seed(sqlite)
    launch(sqlite)
    visit = launch(sqlite, structs.replace(LACKING, custom_session_id=str(seeded.session_ids[1])))
    record(sqlite, code_of(visit, seeded.session_ids[0]))
    assert due_in(sqlite) == []
    record(sqlite, code_of(visit, seeded.session_ids[1]))
    assert due_in(sqlite) == [PLACEMENT]


def test_a_disabled_lms_is_left_alone(sqlite: Database) -> None:
    seeded = fill(sqlite)
    with sqlite.write() as connection:
        disable_platform(connection, seeded.platform_id)
    assert due_in(sqlite) == []
    with sqlite.write() as connection:
        connection.execute(sa.update(platform).values(state="active"))
        connection.execute(sa.update(deployment).values(state="disabled"))
    assert not claim_in(sqlite)


def test_scores_that_a_crash_left_unqueued_are_queued_by_the_next_attempt(database: Database) -> None:
    fill(database)
    assert claim_in(database)
    with database.write() as connection:
        line_items.save_line_item(connection, PLACEMENT, "https://lms.malta.example/made")
    assert due_in(database) == []
    after = NOW + LEASE
    assert due_in(database, after) == [PLACEMENT]
    with database.write() as connection:
        claimed = line_items.claim_placement(connection, PLACEMENT, scopes=SCOPES, now=after)
        assert claimed is not None
        assert claimed.line_item_url == "https://lms.malta.example/made"
        for participant_id in line_items.learners_of(connection, PLACEMENT):
            line_items.queue_score_of(connection, PLACEMENT, participant_id, now=after)
        line_items.end_search(connection, PLACEMENT, line_items.line_item_of(connection, PLACEMENT))
    assert [row.state for row in queued(database, "https://lms.malta.example/made")] == ["due"]
    assert due_in(database, after + LEASE) == []


def test_a_score_is_queued_once_however_often_that_is_asked(sqlite: Database) -> None:
    fill(sqlite)
    assert claim_in(sqlite)
    for _ in range(2):
        with sqlite.write() as connection:
            line_items.save_line_item(connection, PLACEMENT, "https://lms.malta.example/made")
            line_items.queue_score_of(connection, PLACEMENT, 1, now=NOW)
    with sqlite.read() as connection:
        states = connection.execute(sa.select(delivery.c.state).where(delivery.c.placement_id == PLACEMENT))
        assert list(states.scalars()) == ["due"]
