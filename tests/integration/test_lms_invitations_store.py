"""Invitations to register an LMS, on both databases."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from series.lms_invitations import LmsInvitation, Standing, make_token, proves, read_token
from series.store.database import Database
from series.store.deployments import list_deployments
from series.store.lms_invitations import (
    Claim,
    InvitationOver,
    UniversityBusy,
    claim_invitation,
    find_invitation,
    let_go,
    list_invitations,
    make_invitation,
    revoke_invitation,
    use_claim,
    use_invitation,
)
from series.store.tables import university
from series.store.universities import (
    AlreadyThere,
    NewPlatform,
    PlatformNotApproved,
    add_platform,
    approve_platform,
    disable_platform,
    enable_platform,
    find_platform,
    require_platform,
)
from tests.at_once import at_once
from tests.conftest import NOW
from tests.examples import MALTA, VILNIUS
from tests.seeds import PLATFORM, seed

KEY = b"a test's secret key, long enough for all"
LEASE = timedelta(minutes=2)
NEW = replace(PLATFORM, slug="malta-2", client_id="client-2", granted_scopes="a b", lms_version="4.5")


@pytest.fixture(autouse=True)
def seeded(database: Database) -> None:
    """Malta has a platform of its name."""
    seed(database)


def invite(database: Database, *, approves: bool = True) -> LmsInvitation:
    with database.write() as connection:
        return make_invitation(connection, MALTA, approves=approves, life=timedelta(days=7), actor="operator", now=NOW)


def claim(database: Database, invitation: LmsInvitation, *, after: timedelta = timedelta()) -> Claim:
    with database.write() as connection:
        return claim_invitation(connection, invitation.invitation_id, lease=LEASE, now=NOW + after)


def standing(database: Database, invitation: LmsInvitation, *, after: timedelta = timedelta()) -> Standing:
    with database.read() as connection:
        found = find_invitation(connection, invitation.invitation_id)
    assert found
    return found.standing(NOW + after)


def test_an_invitation_is_found_with_its_university(database: Database) -> None:
    made = invite(database)
    with database.read() as connection:
        assert find_invitation(connection, made.invitation_id) == made
        assert list_invitations(connection, MALTA.university_id) == [made]
        assert list_invitations(connection, VILNIUS.university_id) == []
    assert made.university.name == MALTA.name


def test_its_address_proves_it_and_no_other(database: Database) -> None:
    one, other = invite(database), invite(database)
    token = read_token(make_token(one, secret_key=KEY))
    assert token
    assert proves(token, one, secret_key=KEY)
    assert not proves(token, other, secret_key=KEY)
    assert not proves(token, one, secret_key=KEY + b"2")
    assert not proves(token, replace(one, created_at=NOW + timedelta(seconds=1)), secret_key=KEY)


def test_it_is_used_once(database: Database) -> None:
    invitation = invite(database)
    held = claim(database, invitation)
    assert held.slug == "malta-2"
    with database.write() as connection:
        platform_id = use_claim(connection, held, replace(NEW, slug=held.slug), now=NOW)
        row = require_platform(connection, "malta-2")
    assert (row.platform_id, row.state, row.granted_scopes, row.lms_version) == (platform_id, "active", "a b", "4.5")
    assert standing(database, invitation) is Standing.USED
    with pytest.raises(InvitationOver) as over:
        claim(database, invitation)
    assert over.value.standing is Standing.USED


def test_a_claim_that_is_let_go_leaves_the_reason_and_the_link(database: Database) -> None:
    invitation = invite(database)
    held = claim(database, invitation)
    assert standing(database, invitation) is Standing.UNDER_WAY
    with database.write() as connection:
        let_go(connection, held, problem="x" * 1000, now=NOW)
        found = find_invitation(connection, invitation.invitation_id)
    assert found
    assert (found.standing(NOW), found.problem, found.problem_at) == (Standing.OPEN, "x" * 500, NOW)


def test_a_claim_ends_with_its_lease_and_another_takes_it(database: Database) -> None:
    invitation = invite(database)
    slow = claim(database, invitation)
    fast = claim(database, invitation, after=LEASE)
    with database.write() as connection:
        let_go(connection, slow, problem="late", now=NOW + LEASE)  # it is not theirs any more
    with pytest.raises(InvitationOver), database.write() as connection:
        use_claim(connection, slow, NEW, now=NOW + LEASE)
    with database.write() as connection:
        use_claim(connection, fast, NEW, now=NOW + LEASE)


def test_one_that_was_revoked_meanwhile_registers_nothing(database: Database) -> None:
    invitation = invite(database)
    held = claim(database, invitation)
    with database.write() as connection:
        assert revoke_invitation(connection, invitation, actor="staff 1", now=NOW)
        assert not revoke_invitation(connection, invitation, actor="staff 1", now=NOW)
    with pytest.raises(InvitationOver) as over, database.write() as connection:
        use_claim(connection, held, NEW, now=NOW)
    assert over.value.standing is Standing.REVOKED
    with database.read() as connection:
        assert find_platform(connection, "malta-2") is None


def test_one_that_has_expired_is_over(database: Database) -> None:
    invitation = invite(database)
    assert standing(database, invitation, after=timedelta(days=7)) is Standing.EXPIRED
    with pytest.raises(InvitationOver), database.write() as connection:
        use_invitation(connection, invitation.invitation_id, NEW, now=NOW + timedelta(days=7))


def test_what_cannot_be_saved_leaves_the_invitation_as_it_was(database: Database) -> None:
    invitation = invite(database)
    with pytest.raises(AlreadyThere), database.write() as connection:
        use_invitation(connection, invitation.invitation_id, replace(NEW, slug="malta"), now=NOW)
    assert standing(database, invitation) is Standing.OPEN


def test_two_of_one_university_do_not_take_the_same_name(database: Database) -> None:
    one, other = invite(database), invite(database)
    claim(database, one)
    with pytest.raises(UniversityBusy):
        claim(database, other)
    assert claim(database, other, after=LEASE).slug == "malta-2"


def test_of_many_at_once_one_claims(database: Database) -> None:
    invitation = invite(database)

    def try_it(here: Database, _: int) -> bool:
        try:
            claim(here, invitation)
        except (InvitationOver, UniversityBusy):
            return False
        return True

    assert sum(at_once(database, try_it)) == 1


# Approval


def pending(database: Database) -> None:
    invitation = invite(database, approves=False)
    with database.write() as connection:
        use_invitation(connection, invitation.invitation_id, replace(NEW, is_approved=False), now=NOW)


def state_of(database: Database) -> tuple[str, list[str]]:
    with database.read() as connection:
        row = require_platform(connection, "malta-2")
        return row.state, [one.state for one in list_deployments(connection, platform_id=row.platform_id)]


def approve(database: Database) -> bool:
    with database.write() as connection:
        return approve_platform(connection, require_platform(connection, "malta-2").platform_id)


def test_what_was_not_approved_waits_with_its_deployments(database: Database) -> None:
    pending(database)
    assert state_of(database) == ("pending", ["pending"])
    assert approve(database)
    assert state_of(database) == ("active", ["approved"])
    assert not approve(database)


def test_neither_disabling_nor_enabling_approves(database: Database) -> None:
    pending(database)
    for _ in range(2):
        with pytest.raises(PlatformNotApproved), database.write() as connection:
            enable_platform(connection, require_platform(connection, "malta-2"))
        with database.write() as connection:
            disable_platform(connection, require_platform(connection, "malta-2").platform_id)
        assert state_of(database) == ("rejected", ["pending"])
    assert approve(database)


def test_an_approved_one_is_disabled_and_enabled_as_ever(database: Database) -> None:
    pending(database)
    approve(database)
    with database.write() as connection:
        disable_platform(connection, require_platform(connection, "malta-2").platform_id)
    assert state_of(database)[0] == "disabled"
    with database.write() as connection:
        enable_platform(connection, require_platform(connection, "malta-2"))
    assert state_of(database)[0] == "active"


# By link and by hand at once


def test_a_link_and_a_form_at_once_do_not_wait_for_each_other_in_vain(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form's transaction is held up where it has read the invitation and not yet made the platform."""
    invitation, other = invite(database), Database(database.url)
    read, claiming = threading.Event(), threading.Event()

    def slowly(connection: sa.Connection, new: NewPlatform, *, now: datetime) -> int:
        read.set()
        claiming.wait(1)
        return add_platform(connection, new, now=now)

    def by_link() -> Standing | None:
        read.wait(10)
        try:
            with other.write() as connection:
                connection.execute(sa.select(university).with_for_update())  # where a claim begins
                claiming.set()
                claim_invitation(connection, invitation.invitation_id, lease=LEASE, now=NOW)
        except InvitationOver as over:
            return over.standing
        return None

    monkeypatch.setattr("series.store.lms_invitations.add_platform", slowly)
    with ThreadPoolExecutor() as threads:
        claimed = threads.submit(by_link)
        with database.write() as connection:
            use_invitation(connection, invitation.invitation_id, NEW, now=NOW)
        assert claimed.result() is Standing.USED
    other.dispose()
    assert standing(database, invitation) is Standing.USED
