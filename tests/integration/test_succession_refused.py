"""One platform takes the place of another: what cannot be, on both databases."""

from dataclasses import replace
from typing import Any

import pytest

from series.people import Visit
from series.store.database import Database
from series.store.universities import PlatformRow, disable_platform
from series.succession import CannotReplace, Moved
from tests.examples import VILNIUS
from tests.replacing import REGISTERED_AGAIN, everything, register, succeed
from tests.seeds import Seeded, launch, seed


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


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"university_id": VILNIUS.university_id}, "belong to different universities"),
        ({"deployment_ids": ()}, "no approved deployment yet"),
        ({"deployment_ids": ("7", "8")}, "OLD_ID=NEW_ID"),
    ],
)
def test_what_does_not_fit_is_refused(
    database: Database, student: Visit, changes: dict[str, Any], sentence: str
) -> None:
    register(database, replace(REGISTERED_AGAIN, **changes))
    before = everything(database)
    with pytest.raises(CannotReplace, match=sentence):
        succeed(database)
    assert everything(database) == before


def test_a_platform_does_not_replace_itself(database: Database, student: Visit) -> None:
    with pytest.raises(CannotReplace, match="its own place"):
        succeed(database, new="malta")


def test_a_deployment_that_the_old_one_has_not_is_refused(
    database: Database, student: Visit, again: PlatformRow
) -> None:
    with pytest.raises(CannotReplace, match="'malta' has no deployment '9'"):
        succeed(database, deployments={"9": "7"})


def test_a_disabled_platform_takes_no_place(database: Database, student: Visit, again: PlatformRow) -> None:
    with database.write() as connection:
        disable_platform(connection, again.platform_id)
    with pytest.raises(CannotReplace, match="lti-tool platform enable malta-2"):
        succeed(database)


def test_a_platform_that_nobody_has_approved_takes_no_place(database: Database, student: Visit) -> None:
    register(database, replace(REGISTERED_AGAIN, is_approved=False))
    with pytest.raises(CannotReplace, match="lti-tool platform approve malta-2"):
        succeed(database)


def test_a_place_is_taken_once(database: Database, student: Visit, again: PlatformRow) -> None:
    succeed(database)
    register(database, replace(REGISTERED_AGAIN, slug="malta-3", client_id="client-3"))
    with pytest.raises(CannotReplace, match="was replaced by 'malta-2' already"):
        succeed(database, new="malta-3")
    register(database, replace(REGISTERED_AGAIN, slug="malta-4", client_id="client-4"))
    with pytest.raises(CannotReplace, match="has replaced another platform already"):
        succeed(database, old="malta-4", new="malta-2")
    assert succeed(database, old="malta-2", new="malta-3").courses == Moved(all=1, merged=0)
