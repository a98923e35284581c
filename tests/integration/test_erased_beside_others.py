"""One erasure touches one person: the same number in another LMS of the university is somebody else."""

from dataclasses import replace

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.own_data import Part
from series.people import Visit
from series.rosters import RosterMember
from series.store.database import Database
from series.store.own_data import read_own_data
from series.store.rosters import roster_of, save_roster
from series.store.tables import moodle_connection
from series.store.tombstones import erased_subs, is_erased
from series.store.universities import NewPlatform, add_platform
from tests.conftest import NOW
from tests.integration.test_erased_and_replaced import BESIDE, LATER, MARIA, erase
from tests.replacing import NEW_ISSUER, RENAMED, register, succeed
from tests.seeds import ISSUER, LAUNCH, PLATFORM, SECRET_KEY, launch, seed

MARIA_NOW = replace(MARIA, issuer=NEW_ISSUER)


@pytest.fixture
def maria(database: Database) -> Visit:
    seed(database)
    return launch(database)


def come(database: Database, new: NewPlatform) -> Visit:
    """Somebody else with Maria's number, who is in a roster."""
    with database.write() as connection:
        platform_id = add_platform(connection, new, now=NOW)
    arrives = structs.replace(LAUNCH, platform_id=platform_id, issuer=new.issuer, visit_id="other", nonce="other")
    visit = launch(database, arrives)
    with database.write() as connection:
        listed = [RosterMember(sub=MARIA.sub, is_learner=True, is_suspended=False)]
        save_roster(connection, visit.course_id, listed, now=NOW)
    return visit


def in_roster(database: Database, course_id: int) -> list[str]:
    with database.read() as connection:
        return [one.sub for one in roster_of(connection, course_id).members]


@pytest.fixture
def beside(database: Database, maria: Visit) -> Visit:
    """In an LMS beside Maria's, which is a Moodle that we read."""
    with database.write() as connection:
        row = {"university_id": 1, "base_url": ISSUER, "token_sealed": "x", "moodle_user_id": 1}
        connection.execute(sa.insert(moodle_connection).values(row))
    return come(database, replace(PLATFORM, slug="beside", issuer=BESIDE))


def test_dpo_10_nobody_is_shown_the_courses_of_somebody_else(database: Database, maria: Visit, beside: Visit) -> None:
    with database.read() as connection:
        assert read_own_data(connection, maria.participant_id, now=NOW).parts[Part.ROSTER] == ()


def test_dpo_12_nobody_is_erased_from_the_list_of_another_lms(database: Database, beside: Visit) -> None:
    erase(database)
    assert in_roster(database, beside.course_id) == [MARIA.sub]


@pytest.fixture
def at_old_address(database: Database, maria: Visit) -> Visit:
    """Maria's LMS has got another address, and another LMS has been put where it was."""
    register(database, RENAMED)
    succeed(database)
    return come(database, replace(PLATFORM, slug="new", client_id="new"))


def erased(database: Database, issuer: str) -> set[str]:
    with database.read() as connection:
        return erased_subs(connection, university_id=1, issuer=issuer, subs=[MARIA.sub], secret_key=SECRET_KEY)


def test_dpo_12_somebody_new_at_the_old_address_does_not_bring_back_who_was_erased(
    database: Database, at_old_address: Visit
) -> None:
    erase(database, MARIA_NOW)
    assert erased(database, NEW_ISSUER) == {MARIA.sub}
    assert erased(database, ISSUER) == set()
    assert in_roster(database, at_old_address.course_id) == [MARIA.sub]


def test_dpo_12_who_begins_again_does_not_bring_back_somebody_else(database: Database, at_old_address: Visit) -> None:
    """Both were erased; Maria says that she begins again."""
    erase(database, MARIA)  # as somebody at the old address is called by now
    erase(database, MARIA_NOW)
    new = structs.replace(LAUNCH, platform_id=2, issuer=NEW_ISSUER, deployment_id="7", starts_again=True)
    launch(database, structs.replace(new, visit_id="again", nonce="again"), now=LATER)
    with database.read() as connection:
        assert is_erased(connection, MARIA, secret_key=SECRET_KEY)
    assert erased(database, ISSUER) == {MARIA.sub}
    assert erased(database, NEW_ISSUER) == set()
