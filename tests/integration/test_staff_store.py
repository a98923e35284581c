"""Accounts, sign-ins and links, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from series.staff import LINK_LIFE, SESSION_IDLE, SESSION_LIFE, AccountState, Role
from series.store.database import Database
from series.store.staff import (
    Account,
    AccountChanged,
    LinkOver,
    add_link,
    add_staff,
    change_password,
    count_try,
    disable_account,
    enable_account,
    end_sign_ins,
    find_account,
    get_account,
    list_staff,
    owner_of_link,
    purge_links,
    require_account,
    save_rehash,
    spend_link,
)
from series.store.staff_sessions import (
    SignIn,
    close_session,
    find_session,
    note_seen,
    open_session,
    purge_sessions,
)
from series.store.tables import staff, staff_link, staff_session
from series.store.universities import AlreadyThere, NotThere
from tests.at_once import THREADS, at_once
from tests.conftest import NOW
from tests.examples import COORDINATOR, VILNIUS
from tests.seeds import count, seed

SECOND = timedelta(seconds=1)
EMAIL = COORDINATOR.email


@pytest.fixture
def account(database: Database) -> Account:
    """A coordinator with a password, beside two universities."""
    seed(database)
    with database.write() as connection:
        staff_id = add_staff(
            connection, email=EMAIL, name=COORDINATOR.name, role=Role.COORDINATOR, university_id=None, now=NOW
        )
        add_link(connection, staff_id, "first", now=NOW)
        spend_link(connection, "first", password_hash="hash", now=NOW)
        return get_account(connection, staff_id)


def now_of(database: Database) -> Account:
    with database.read() as connection:
        return require_account(connection, EMAIL)


def open_one(database: Database, account: Account, session_hash: str = "s") -> int:
    with database.write() as connection:
        return open_session(connection, account, session_hash, now=NOW)


def found(database: Database, session_hash: str = "s", *, at: timedelta = timedelta(0)) -> SignIn | None:
    with database.read() as connection:
        return find_session(connection, session_hash, now=NOW + at)


# Accounts


def test_a_new_account_has_no_password(database: Database) -> None:
    seed(database)
    with database.write() as connection:
        add_staff(connection, email=" Jonas@B.Example", name="J", role=Role.LMS_ADMIN, university_id=2, now=NOW)
        (made,) = list_staff(connection)
    assert (made.email, made.university_slug, made.state) == ("jonas@b.example", "vilnius", AccountState.ACTIVE)
    assert (made.password_hash, made.tries, made.created_at, made.signed_in_at) == (None, 0, NOW, None)


@pytest.mark.parametrize("email", [EMAIL, EMAIL.upper(), f" {EMAIL}"])
def test_an_address_has_one_account(database: Database, account: Account, email: str) -> None:
    with pytest.raises(AlreadyThere, match="lti-tool admin list"), database.write() as connection:
        add_staff(connection, email=email, name="Another", role=Role.COORDINATOR, university_id=None, now=NOW)
    with database.read() as connection:
        assert find_account(connection, email) == account


def test_an_address_made_at_once_has_one_account(database: Database) -> None:
    def make(own: Database, number: int) -> bool:
        try:
            with own.write() as connection:
                add_staff(connection, email=EMAIL, name=str(number), role=Role.COORDINATOR, university_id=None, now=NOW)
        except AlreadyThere:
            return False
        return True

    assert at_once(database, make).count(True) == 1


@pytest.mark.parametrize(("role", "university_id"), [(Role.COORDINATOR, 1), (Role.LMS_ADMIN, None)])
def test_an_lms_admin_has_a_university_and_a_coordinator_none(
    database: Database, account: Account, role: Role, university_id: int | None
) -> None:
    with pytest.raises(sa.exc.IntegrityError), database.write() as connection:
        add_staff(connection, email="x@b.example", name="X", role=role, university_id=university_id, now=NOW)


def test_an_unknown_account_is_named(database: Database) -> None:
    with pytest.raises(NotThere, match=r"nobody@b\.example"), database.read() as connection:
        require_account(connection, "nobody@b.example")


def test_an_accounts_hash_is_not_in_its_repr(account: Account) -> None:
    assert account.password_hash == "hash"
    assert "hash" not in repr(account)


# Sign-ins


def test_a_sign_in_shows_who_it_is(database: Database, account: Account) -> None:
    open_one(database, account)
    expected = replace(COORDINATOR, staff_id=account.staff_id, epoch=account.epoch)
    assert found(database) == SignIn(staff=expected, seen_at=NOW)
    assert found(database, "another") is None


def test_a_sign_in_shows_the_one_before(database: Database, account: Account) -> None:
    open_one(database, account)
    with database.write() as connection:
        open_session(connection, now_of(database), "second", now=NOW + SECOND)
    second = found(database, "second")
    assert second
    assert second.staff.seen_before_at == NOW


def test_an_lms_admin_has_a_university(database: Database, account: Account) -> None:
    with database.write() as connection:
        admin_id = add_staff(connection, email="j@b.example", name="J", role=Role.LMS_ADMIN, university_id=2, now=NOW)
        open_session(connection, get_account(connection, admin_id), "j", now=NOW)
    signed_in = found(database, "j")
    assert signed_in
    assert (signed_in.staff.role, signed_in.staff.university) == (Role.LMS_ADMIN, VILNIUS)


def test_a_sign_in_counts_the_tries_that_failed_before(database: Database, account: Account) -> None:
    with database.write() as connection:
        for _ in range(3):
            count_try(connection, EMAIL.upper())
        count_try(connection, "nobody@b.example")
    assert open_one(database, now_of(database)) == 2
    assert now_of(database).tries == 0


def test_a_sign_in_ends_by_idleness_and_by_its_time(database: Database, account: Account) -> None:
    open_one(database, account)
    assert found(database, at=SESSION_IDLE - SECOND)
    assert found(database, at=SESSION_IDLE) is None
    with database.write() as connection:
        note_seen(connection, "s", now=NOW + SESSION_LIFE - SECOND)
    assert found(database, at=SESSION_LIFE - SECOND)
    assert found(database, at=SESSION_LIFE) is None


def test_signing_out_ends_one(database: Database, account: Account) -> None:
    open_one(database, account)
    open_one(database, account, "other")
    for _ in range(2):
        with database.write() as connection:
            close_session(connection, "s")
    assert found(database) is None
    assert found(database, "other")


def test_a_sign_in_that_was_under_way_does_not_outlive_its_end_everywhere(database: Database, account: Account) -> None:
    with database.write() as connection:
        end_sign_ins(connection, account.staff_id)
    with pytest.raises(AccountChanged):
        open_one(database, account)
    open_one(database, now_of(database))


def test_a_row_of_an_older_epoch_opens_nothing(database: Database, account: Account) -> None:
    open_one(database, account)
    with database.write() as connection:
        connection.execute(sa.update(staff).values(epoch=account.epoch + 1))
    assert found(database) is None


def test_a_disabled_account_ends_at_once_and_begins_no_more(database: Database, account: Account) -> None:
    open_one(database, account)
    with database.write() as connection:
        add_link(connection, account.staff_id, "link", now=NOW)
        disable_account(connection, account.staff_id)
    assert found(database) is None
    assert (count(database, staff_session), count(database, staff_link)) == (0, 0)
    with pytest.raises(AccountChanged):
        open_one(database, now_of(database))
    with database.write() as connection:
        enable_account(connection, account.staff_id)
    assert now_of(database).password_hash == "hash"
    open_one(database, now_of(database))


def test_what_is_over_is_dropped(database: Database, account: Account) -> None:
    open_one(database, account)
    open_one(database, account, "busy")
    with database.write() as connection:
        add_link(connection, account.staff_id, "link", now=NOW)
        note_seen(connection, "busy", now=NOW + SESSION_IDLE)
        purge_sessions(connection, now=NOW + SESSION_IDLE)
        purge_links(connection, now=NOW + LINK_LIFE - SECOND)
        assert connection.execute(sa.select(staff_session.c.id)).scalars().all() == ["busy"]
        purge_sessions(connection, now=NOW + SESSION_LIFE)
    assert (count(database, staff_session), count(database, staff_link)) == (0, 1)
    with database.write() as connection:
        purge_links(connection, now=NOW + LINK_LIFE)
    assert count(database, staff_link) == 0


# Links and passwords


def test_one_link_used_by_many_at_once_sets_one_password(database: Database, account: Account) -> None:
    with database.write() as connection:
        add_link(connection, account.staff_id, "link", now=NOW)

    def spend(own: Database, number: int) -> str | None:
        try:
            with own.write() as connection:
                spend_link(connection, "link", password_hash=f"of {number}", now=NOW)
        except LinkOver:
            return None
        return f"of {number}"

    ends = at_once(database, spend)
    assert ends.count(None) == THREADS - 1
    assert now_of(database).password_hash in ends
    assert now_of(database).epoch == account.epoch + 1


def test_a_link_is_over_after_a_day(database: Database, account: Account) -> None:
    with database.write() as connection:
        assert add_link(connection, account.staff_id, "link", now=NOW) == NOW + LINK_LIFE
        assert owner_of_link(connection, "link", now=NOW + LINK_LIFE - SECOND) == account
        with pytest.raises(LinkOver):
            owner_of_link(connection, "link", now=NOW + LINK_LIFE)
        with pytest.raises(LinkOver):
            spend_link(connection, "link", password_hash="new", now=NOW + LINK_LIFE)


def test_a_link_of_an_account_that_is_disabled_meanwhile_sets_nothing(database: Database, account: Account) -> None:
    with database.write() as connection:
        add_link(connection, account.staff_id, "link", now=NOW)
        connection.execute(sa.update(staff).values(state="disabled"))
    with pytest.raises(LinkOver), database.write() as connection:
        spend_link(connection, "link", password_hash="new", now=NOW)
    assert now_of(database).password_hash == "hash"


def test_a_changed_password_ends_sign_ins_and_links(database: Database, account: Account) -> None:
    open_one(database, account)
    with database.write() as connection:
        add_link(connection, account.staff_id, "link", now=NOW)
        change_password(connection, account, password_hash="new")
    assert found(database) is None
    assert (count(database, staff_session), count(database, staff_link)) == (0, 0)
    assert now_of(database).password_hash == "new"


def test_of_two_changes_at_once_one_is_made(database: Database, account: Account) -> None:
    def change(own: Database, number: int) -> bool:
        try:
            with own.write() as connection:
                change_password(connection, account, password_hash=f"of {number}")
        except AccountChanged:
            return False
        return True

    assert at_once(database, change).count(True) == 1


def test_a_better_hash_does_not_take_the_place_of_another_password(database: Database, account: Account) -> None:
    with database.write() as connection:
        save_rehash(connection, account, password_hash="better")
        save_rehash(connection, account, password_hash="too late")
    assert now_of(database).password_hash == "better"
    assert now_of(database).epoch == account.epoch, "nobody is signed out by it"
