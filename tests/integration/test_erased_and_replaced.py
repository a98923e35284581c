"""Who had everything erased before their university's LMS was replaced is erased in the new one, too."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.people import Visit
from series.rosters import RosterMember
from series.store.database import Database
from series.store.erasure import erase_marked, erase_person
from series.store.launch_values import NewVisit
from series.store.launches import PersonErased, open_visit
from series.store.moodle_tables import activity_state
from series.store.picks import begin_picking
from series.store.privacy_tables import erased_person
from series.store.rosters import roster_of, save_roster
from series.store.tables import course, moodle_connection
from series.store.tombstones import Mark, erased_subs, is_erased, without_erased
from series.store.universities import add_platform
from series.tombstones import Whom, tombstone_of
from tests.conftest import NOW
from tests.replacing import NEW_ISSUER, RENAMED, register, succeed, through
from tests.seeds import ISSUER, LAUNCH, PLATFORM, SECRET_KEY, Seeded, code_of, launch, record, seed

MARIA = Whom(university_id=1, issuer=ISSUER, sub="5")
BESIDE = "https://other.malta.example"
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def maria(database: Database, seeded: Seeded) -> Visit:
    visit = launch(database)
    record(database, code_of(visit, seeded.session_ids[0]))
    launch(database, structs.replace(LAUNCH, sub="6"))
    return visit


def erase(database: Database, person: Whom = MARIA) -> None:
    with database.write() as connection:
        erase_person(connection, person, by="operator", secret_key=SECRET_KEY, now=LATER)


@pytest.fixture
def renamed(database: Database, maria: Visit) -> NewVisit:
    """Maria was erased; then her LMS got another address. Her launch from there."""
    erase(database)
    new = register(database, RENAMED)
    succeed(database)
    return structs.replace(through(new), visit_id="new", nonce="new")


def open_it(database: Database, new: NewVisit) -> None:
    with database.write() as connection:
        open_visit(connection, new, now=LATER, secret_key=SECRET_KEY)


def test_dpo_12_a_launch_from_the_new_address_is_asked_first(database: Database, renamed: NewVisit) -> None:
    with pytest.raises(PersonErased):
        open_it(database, renamed)
    with pytest.raises(PersonErased), database.write() as connection:
        begin_picking(connection, renamed, is_allowed=True, now=LATER, secret_key=SECRET_KEY)


def test_dpo_12_starting_again_ends_every_mark_of_the_person(database: Database, renamed: NewVisit) -> None:
    open_it(database, structs.replace(renamed, starts_again=True))
    with database.read() as connection:
        assert connection.execute(sa.select(erased_person)).all() == []
    erase(database, replace(MARIA, issuer=NEW_ISSUER))
    with database.read() as connection:
        assert is_erased(connection, MARIA, secret_key=SECRET_KEY)  # her only mark is of the new address now


def test_dpo_12_the_roster_of_the_new_address_does_not_bring_them_back(database: Database, renamed: NewVisit) -> None:
    with database.write() as connection:
        course_id = connection.execute(sa.select(course.c.id)).scalar_one()
        listed = [RosterMember(sub=sub, is_learner=True, is_suspended=False) for sub in ("5", "6")]
        save_roster(
            connection, course_id, without_erased(connection, course_id, listed, secret_key=SECRET_KEY), now=NOW
        )
        assert [one.sub for one in roster_of(connection, course_id).members] == ["6"]


def test_dpo_12_a_moodle_that_is_still_read_at_its_old_address_brings_nobody_back(
    database: Database, seeded: Seeded, maria: Visit
) -> None:
    register(database, RENAMED)
    succeed(database)
    with database.write() as connection:
        row = {"university_id": 1, "base_url": ISSUER, "token_sealed": "x", "moodle_user_id": 1}
        connection.execute(sa.insert(moodle_connection).values(row))
        alone = sa.insert(course).values(university_id=1, title="Only in Moodle", moodle_course_id=3)
        course_id = connection.execute(alone.returning(course.c.id)).scalar_one()
        state = {"course_id": course_id, "cmid": 3, "source": "activity", "session_id": seeded.session_ids[0]}
        said = {"sub": "5", "is_complete": True, "changed_at": NOW}
        connection.execute(sa.insert(activity_state).values(**state, **said))
    erase(database, replace(MARIA, issuer=NEW_ISSUER))
    with database.read() as connection:
        assert connection.execute(sa.select(activity_state)).all() == []
        asked = {"university_id": 1, "issuer": ISSUER, "subs": ["5", "6"], "secret_key": SECRET_KEY}
        assert erased_subs(connection, **asked) == {"5"}


def test_who_had_begun_in_the_new_lms_before_it_took_over_is_there(database: Database, maria: Visit) -> None:
    erase(database)
    begun = through(register(database, RENAMED))
    launch(database, begun)
    succeed(database)
    with database.read() as connection:
        asked = {"university_id": 1, "issuer": NEW_ISSUER, "subs": ["5"], "secret_key": SECRET_KEY}
        assert erased_subs(connection, **asked) == set()
    launch(database, begun, now=LATER)


def test_dpo_12_marks_of_the_new_address_are_applied_once_a_restored_lms_is_replaced_again(
    database: Database, maria: Visit
) -> None:
    """The backup is older than the replacement, and she was erased after it."""
    mark = tombstone_of(replace(MARIA, issuer=NEW_ISSUER), secret_key=SECRET_KEY)
    marks = [Mark(university="malta", mark=mark, erased_at=LATER)]

    def erase_again() -> int:
        with database.write() as connection:
            return erase_marked(connection, marks, secret_key=SECRET_KEY, now=LATER)

    assert erase_again() == 0
    register(database, RENAMED)
    succeed(database)
    assert erase_again() == 1


def test_somebody_with_the_same_number_in_an_lms_beside_it_is_somebody_else(
    database: Database, renamed: NewVisit
) -> None:
    with database.write() as connection:
        beside = replace(PLATFORM, slug="beside", issuer=BESIDE)
        platform_id = add_platform(connection, beside, now=NOW)
    launch(database, structs.replace(LAUNCH, platform_id=platform_id, issuer=BESIDE))
    with database.read() as connection:
        assert not is_erased(connection, replace(MARIA, issuer=BESIDE), secret_key=SECRET_KEY)
        assert is_erased(connection, replace(MARIA, issuer=NEW_ISSUER), secret_key=SECRET_KEY)


def test_where_nothing_was_replaced_the_prepared_query_asks_it_all(database: Database, maria: Visit) -> None:
    erase(database)
    statements: list[str] = []
    with database.read() as connection:
        sa.event.listen(connection, "before_cursor_execute", lambda *args: statements.append(args[2]))
        assert not is_erased(connection, replace(MARIA, sub="7"), secret_key=SECRET_KEY)
    assert statements == []  # SQLAlchemy sees none of the prepared ones


def test_a_launch_of_somebody_known_does_not_ask(database: Database, maria: Visit) -> None:
    statements: list[str] = []
    with database.write() as connection:
        sa.event.listen(connection, "before_cursor_execute", lambda *args: statements.append(args[2]))
        open_visit(connection, structs.replace(LAUNCH, visit_id="n", nonce="n"), now=LATER, secret_key=SECRET_KEY)
    assert not [one for one in statements if "erased_person" in one or "succeeds_platform_id" in one]
