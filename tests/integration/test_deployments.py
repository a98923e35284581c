"""Deployments that wait, are approved or disabled; and platforms that are switched off; on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.store import deliveries
from series.store.database import Database
from series.store.deployments import (
    MAX_PENDING,
    DeploymentRow,
    approve_deployment,
    disable_deployment,
    list_deployments,
    note_pending,
)
from series.store.tables import deployment
from series.store.universities import NotThere, disable_platform, enable_platform, require_platform
from tests.at_once import at_once
from tests.conftest import NOW
from tests.replacing import REGISTERED_AGAIN, find, register
from tests.seeds import LAUNCH, Seeded, code_of, count, launch, record, seed

LATER = NOW + timedelta(days=1)


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


def note(database: Database, deployment_id: str = "7", *, course: str = "Teaching STEM", platform_id: int = 1) -> None:
    with database.write() as connection:
        note_pending(connection, platform_id=platform_id, deployment_id=deployment_id, course_title=course, now=NOW)


def rows(database: Database, platform_id: int | None = None) -> list[DeploymentRow]:
    with database.read() as connection:
        return list_deployments(connection, platform_id=platform_id)


def set_state(database: Database, state: str, deployment_id: str = "1") -> None:
    change = approve_deployment if state == "approved" else disable_deployment
    with database.write() as connection:
        change(connection, require_platform(connection, "malta"), deployment_id)


def due(database: Database) -> list[int]:
    with database.read() as connection:
        return deliveries.due_ids(connection, now=NOW, limit=10)


def claim(database: Database, delivery_id: int) -> bool:
    with database.write() as connection:
        return deliveries.claim(connection, delivery_id, now=NOW) is not None


# Pending


def test_pitfall_11_an_unknown_deployment_waits_with_the_course_it_came_from(
    database: Database, seeded: Seeded
) -> None:
    note(database)
    assert rows(database)[1] == DeploymentRow(
        deployment_pk=2,
        deployment_id="7",
        platform="malta",
        university="malta",
        state="pending",
        first_seen_at=NOW,
        first_course="Teaching STEM",
    )


def test_a_launch_from_no_course_is_noted_without_one(database: Database, seeded: Seeded) -> None:
    note(database, course="")
    assert rows(database)[1].first_course is None


def test_a_long_title_is_cut(database: Database, seeded: Seeded) -> None:
    note(database, course="ż" * 300)
    assert rows(database)[1].first_course == "ż" * 255


@pytest.mark.parametrize("state", ["pending", "approved", "disabled"])
def test_another_launch_changes_nothing(database: Database, seeded: Seeded, state: str) -> None:
    note(database)
    with database.write() as connection:
        connection.execute(sa.update(deployment).where(deployment.c.deployment_id == "7").values(state=state))
    before = rows(database)
    with database.write() as connection:
        note_pending(connection, platform_id=1, deployment_id="7", course_title="Another", now=LATER)
    assert rows(database) == before


def test_more_than_a_hundred_are_not_kept(database: Database, seeded: Seeded) -> None:
    with database.write() as connection:
        for number in range(MAX_PENDING + 2):
            note_pending(connection, platform_id=1, deployment_id=f"d{number}", course_title="", now=NOW)
    assert count(database, deployment) == 1 + MAX_PENDING
    set_state(database, "disabled", "d5")
    note(database, "the next")
    assert rows(database)[-1].deployment_id == "the next"


def test_many_at_once_keep_to_the_limit(database: Database, seeded: Seeded) -> None:
    with database.write() as connection:
        for number in range(MAX_PENDING - 1):
            note_pending(connection, platform_id=1, deployment_id=f"d{number}", course_title="", now=NOW)
    at_once(database, lambda own, number: note(own, f"late {number}"))
    assert count(database, deployment) == 1 + MAX_PENDING


def test_the_same_at_once_is_one(database: Database, seeded: Seeded) -> None:
    at_once(database, lambda own, _: note(own))
    assert [row.deployment_id for row in rows(database)] == ["1", "7"]


def test_each_platform_has_its_own(database: Database, seeded: Seeded) -> None:
    again = register(database, REGISTERED_AGAIN)
    note(database, "1", platform_id=again.platform_id)
    assert [row.state for row in rows(database, platform_id=1)] == ["approved"]
    assert [row.state for row in rows(database, platform_id=again.platform_id)] == ["approved", "pending"]
    assert len(rows(database)) == 3


# Approved and disabled


def test_an_approved_one_opens(database: Database, seeded: Seeded) -> None:
    note(database)
    set_state(database, "approved", "7")
    assert launch(database, structs.replace(LAUNCH, deployment_id="7")).deployment_is_approved


def test_a_disabled_one_asks_no_more(database: Database, seeded: Seeded) -> None:
    set_state(database, "disabled")
    note(database, "1")
    assert [row.state for row in rows(database)] == ["disabled"]


@pytest.mark.parametrize("state", ["approved", "disabled"])
def test_one_that_nobody_has_named_cannot_be_changed(database: Database, seeded: Seeded, state: str) -> None:
    with pytest.raises(NotThere, match="lti-tool deployment list"):
        set_state(database, state, "unknown")


def test_scores_of_a_disabled_deployment_wait(database: Database, seeded: Seeded) -> None:
    (delivery_id,) = record(database, code_of(launch(database), seeded.session_ids[0]))
    set_state(database, "disabled")
    assert due(database) == []
    assert not claim(database, delivery_id)
    set_state(database, "approved")
    assert due(database) == [delivery_id]
    assert claim(database, delivery_id)


def test_scores_of_a_disabled_platform_wait_until_it_is_enabled(database: Database, seeded: Seeded) -> None:
    (delivery_id,) = record(database, code_of(launch(database), seeded.session_ids[0]))
    with database.write() as connection:
        disable_platform(connection, seeded.platform_id)
    assert find(database, "malta").state == "disabled"
    assert due(database) == []
    assert not claim(database, delivery_id)
    with database.write() as connection:
        enable_platform(connection, require_platform(connection, "malta"))
    assert find(database, "malta").state == "active"
    assert due(database) == [delivery_id]


def test_the_same_deployment_twice_is_registered_once(database: Database, seeded: Seeded) -> None:
    register(database, replace(REGISTERED_AGAIN, deployment_ids=("7", "7")))
    assert len(rows(database)) == 2
