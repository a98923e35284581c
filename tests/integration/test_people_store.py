"""Accounts as the coordinator sees them, on both databases; and that one coordinator always stays."""

from contextlib import suppress
from datetime import timedelta

import pytest
import sqlalchemy as sa

from series.staff import INVITATION_LIFE, AccountState, Role
from series.store.audit import OPERATOR
from series.store.bindings import bindings_of, bound_account, undo_binding
from series.store.database import Database
from series.store.launches import upsert_participant
from series.store.lms_tables import staff_binding
from series.store.merging import merge_participants
from series.store.people import LastCoordinator, disable_person, find_person, people, people_of
from series.store.staff import add_link, add_staff, disable_account, enable_account, get_account
from series.store.tables import staff
from tests.at_once import at_once
from tests.conftest import NOW
from tests.examples import MALTA, SESSION, VILNIUS
from tests.seeds import seed, somebody_takes_part

MINUTE = timedelta(minutes=1)


@pytest.fixture
def office(database: Database) -> Database:
    seed(database)
    return database


def add(database: Database, name: str, university_id: int | None = None) -> int:
    role = Role.COORDINATOR if university_id is None else Role.LMS_ADMIN
    with database.write() as connection:
        return add_staff(
            connection, email=f"{name}@example.org", name=name, role=role, university_id=university_id, now=NOW
        )


def listed(database: Database, search: str = "", limit: int = 10, offset: int = 0) -> tuple[list[str], int]:
    with database.read() as connection:
        found, total = people(connection, search=search, limit=limit, offset=offset, now=NOW)
    return [person.account.name for person in found], total


def test_coordinators_come_first_and_each_page_has_its_part(office: Database) -> None:
    for name, home in (("anna", MALTA.university_id), ("zoe", None), ("bert", VILNIUS.university_id)):
        add(office, name, home)
    assert listed(office) == (["zoe", "anna", "bert"], 3)
    assert listed(office, limit=1, offset=1) == (["anna"], 3)
    assert listed(office, "VILNIUS") == (["bert"], 1)
    assert listed(office, "a_na") == ([], 0)


def test_the_admins_of_one_university_are_not_anothers(office: Database) -> None:
    add(office, "anna", MALTA.university_id)
    add(office, "bert", VILNIUS.university_id)
    with office.read() as connection:
        (one,) = people_of(connection, MALTA.university_id, now=NOW)
    assert (one.account.name, one.university, one.zone) == ("anna", MALTA.name, MALTA.time_zone)


def test_a_link_waits_until_it_is_over(office: Database) -> None:
    anna = add(office, "anna", MALTA.university_id)
    with office.write() as connection:
        until = add_link(connection, anna, "hash", now=NOW, life=INVITATION_LIFE)
    assert until == NOW + timedelta(days=7)
    with office.read() as connection:
        waiting, over = (find_person(connection, anna, now=at) for at in (until - MINUTE, until))
    assert waiting is not None
    assert over is not None
    assert (waiting.link_until, over.link_until) == (until, None)


def test_the_last_coordinator_stays(office: Database) -> None:
    maria, zoe = add(office, "maria"), add(office, "zoe")
    add(office, "anna", MALTA.university_id)
    with office.write() as connection:
        disable_person(connection, zoe)
    with pytest.raises(LastCoordinator), office.write() as connection:
        disable_person(connection, maria)
    with office.read() as connection:
        assert get_account(connection, maria).state is AccountState.ACTIVE


def test_two_who_disable_each_other_at_once_leave_one(office: Database) -> None:
    both = [add(office, "maria"), add(office, "zoe")]

    def disable(database: Database, number: int) -> None:
        with suppress(LastCoordinator), database.write() as connection:
            disable_person(connection, both[number % 2])

    at_once(office, disable)
    with office.read() as connection:
        states = connection.execute(sa.select(staff.c.state)).scalars().all()
    assert sorted(states) == ["active", "disabled"]


# Bindings


@pytest.fixture
def participant_id(office: Database) -> int:
    """Of Malta."""
    return somebody_takes_part(office, SESSION.session_id)


def bind(database: Database, participant_id: int, staff_id: int) -> None:
    with database.write() as connection:
        connection.execute(
            sa.insert(staff_binding).values(participant_id=participant_id, staff_id=staff_id, bound_at=NOW)
        )


def whose(database: Database, participant_id: int) -> str | None:
    with database.read() as connection:
        account = bound_account(connection, participant_id)
    return account and account.name


def test_a_launch_is_bound_to_an_admin_of_its_own_university_alone(office: Database, participant_id: int) -> None:
    anna, bert, maria = (
        add(office, "anna", MALTA.university_id),
        add(office, "bert", VILNIUS.university_id),
        add(office, "m"),
    )
    for staff_id, name in ((bert, None), (maria, None), (anna, "anna")):
        with office.write() as connection:
            connection.execute(sa.delete(staff_binding))
        bind(office, participant_id, staff_id)
        assert whose(office, participant_id) == name


def test_a_disabled_account_is_bound_to_nothing_for_good(office: Database, participant_id: int) -> None:
    anna = add(office, "anna", MALTA.university_id)
    bind(office, participant_id, anna)
    with office.write() as connection:
        disable_account(connection, anna)
        enable_account(connection, anna)
        assert bindings_of(connection, anna) == []


def test_undoing_may_be_repeated(office: Database, participant_id: int) -> None:
    anna = add(office, "anna", MALTA.university_id)
    bind(office, participant_id, anna)
    for _ in range(2):
        with office.write() as connection:
            undo_binding(connection, anna, participant_id, actor=OPERATOR, now=NOW)
    assert whose(office, participant_id) is None


def test_rights_do_not_move_with_a_person_whose_lms_registers_anew(office: Database, participant_id: int) -> None:
    anna = add(office, "anna", MALTA.university_id)
    with office.write() as connection:
        other = upsert_participant(connection, university_id=1, issuer="https://new.example", sub="5", now=NOW)
    bind(office, other, anna)
    with office.write() as connection:
        merge_participants(connection, kept=participant_id, dropped=other)
        assert bindings_of(connection, anna) == []
