"""While a university's doors are closed, others store something of it: by two connections, in a fixed order."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.rosters import RosterMember
from series.staff import Role
from series.store.database import Connection, Database
from series.store.leaving import Leaving, close_doors
from series.store.leaving_rows import rows_that_go
from series.store.moodle_connections import NewConnection, save_connection
from series.store.staff import add_staff, enable_account
from series.store.tables import participant, platform, staff, university
from series.store.taking_part import refuse_left
from series.store.tombstones import without_erased
from series.store.turns import take_turns
from series.store.universities import add_platform, approve_platform
from tests.conftest import NOW
from tests.examples import MALTA
from tests.integration.test_erasure_at_once import waits
from tests.seeds import ENCRYPTION_KEY, LAUNCH, PLATFORM, SECRET_KEY, launch, seed
from tests.waiting import until

LEAVING = Leaving(home=MALTA, by="operator", secret_key=SECRET_KEY, clock=lambda: NOW)
_MOODLE = NewConnection(university_id=1, base_url="https://m.example", token="t", moodle_user_id=7)
WRITERS: dict[str, Callable[[Connection], object]] = {
    "approval": lambda connection: approve_platform(connection, 2),
    "account": lambda connection: enable_account(connection, 1),
    "moodle": lambda connection: save_connection(connection, _MOODLE, encryption_key=ENCRYPTION_KEY, now=NOW),
}


@pytest.mark.parametrize("name", WRITERS)
def test_who_stores_something_new_and_who_closes_the_doors_do_not_wait_in_a_circle(
    database: Database, name: str
) -> None:
    """The doors begin to be closed when somebody has just seen that the university takes part."""
    seed(database)
    with database.write() as connection:
        add_platform(connection, replace(PLATFORM, slug="new", client_id="2", is_approved=False), now=NOW)
        add_staff(connection, email="b@example.org", name="N", role=Role.LMS_ADMIN, university_id=1, now=NOW)
        save_connection(connection, _MOODLE, encryption_key=ENCRYPTION_KEY, now=NOW)
    other = Database(database.url)

    def close() -> bool:
        with other.write() as connection:
            return close_doors(connection, LEAVING)

    try:
        with ThreadPoolExecutor(1) as threads:
            with database.write() as connection:
                refuse_left(connection, 1)
                done = threads.submit(close)
                if not database.is_sqlite:  # there it waits for the only writer from its beginning
                    until(lambda: waits(database), "the doors wait", within_s=20)
                WRITERS[name](connection)
            assert done.result(20)
    finally:
        other.dispose()
    with database.read() as connection:
        assert connection.execute(sa.select(university.c.left_at).where(university.c.id == 1)).scalar_one() == NOW
        for table in (platform, staff):
            states = connection.execute(sa.select(table.c.state).where(table.c.university_id == 1))
            assert set(states.scalars()) == {"disabled"}


def test_a_roster_is_stored_after_the_university_was_asked_for_and_before_the_course(database: Database) -> None:
    seed(database)
    visit = launch(database)
    locks: list[str] = []
    with database.write() as connection:
        sa.event.listen(connection, "before_execute", lambda *args: locks.append(str(args[1])))
        listed = [RosterMember(sub="7", is_learner=True, is_suspended=False)]
        assert without_erased(connection, visit.course_id, listed, secret_key=SECRET_KEY) == listed
    locked = [one for one in locks if "FOR " in one]
    assert [one.split("FROM ")[1].split()[0] for one in locked] == ["university", "course"]


def test_who_empties_people_and_who_writes_for_several_do_not_wait_in_a_circle(database: Database) -> None:
    """Their rows lie in no order, and somebody has taken the turn of the first."""
    seed(database)
    first, *others = (launch(database, structs.replace(LAUNCH, sub=f"{n}")).participant_id for n in range(20))
    with database.write() as connection:
        changed = sa.update(participant).where(participant.c.id == first)
        connection.execute(changed.values(feed_generation=participant.c.feed_generation + 1))
    going = next(one for one in rows_that_go(1, now=NOW) if one.table is participant)
    other = Database(database.url)

    def empty() -> int:
        with other.write() as connection:
            return going.some(connection)

    try:
        with ThreadPoolExecutor(1) as threads:
            with database.write() as connection:
                take_turns(connection, [first])
                done = threads.submit(empty)
                if not database.is_sqlite:
                    until(lambda: waits(database), "the batch waits", within_s=20)
                assert take_turns(connection, others) == set(others)
            assert done.result(20) == 20
    finally:
        other.dispose()
