"""Who becomes a host: by a code, or by the coordinator's yes; on both databases."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.hosts import CameAs, InvitationState, RequestState
from series.people import Visit
from series.sessions import Session
from series.store import tables
from series.store.database import Database
from series.store.host_invitations import (
    InvitationUsed,
    find_invitation,
    invitations_of,
    invite_host,
    revoke_invitation,
    use_invitation,
)
from series.store.hosts import (
    NotToBeConfirmed,
    answer_request,
    ask_to_host,
    hosted_sessions,
    hosts_of_session,
    remove_host,
    requests_of_participant,
    requests_of_session,
)
from series.store.lms_tables import host_invitation, host_request
from series.store.merging import merge_participants
from series.store.sessions import change_session
from series.store.visits import find_visit
from series.store.waiting import waiting_for_coordinator
from series.waiting import WaitingKind, sentence
from tests.conftest import NOW
from tests.examples import MALTA, SERIES, SESSION, VILNIUS, moved
from tests.seeds import LAUNCH, Seeded, count, launch, seed

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
STAFF = "staff 1"


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def teacher(database: Database, seeded: Seeded) -> Visit:
    """Of Malta, which hosts."""
    return launch(database, structs.replace(LAUNCH, sub="8", is_teacher=True, is_learner=False))


def invite(database: Database, session: Session = SESSION, *, label: str = "Prof. Borg") -> int:
    with database.write() as connection:
        return invite_host(connection, session, label, by=STAFF, now=NOW)


def use(database: Database, invitation_id: int, participant_id: int, **more: object) -> UUID:
    now = more.get("now", NOW)
    with database.write() as connection:
        return use_invitation(
            connection,
            invitation_id,
            participant_id=participant_id,
            came_as=CameAs.TEACHER,
            now=now,  # type: ignore[arg-type]
        )


def ask(database: Database, visit: Visit, session_id: UUID = SESSION.session_id) -> None:
    with database.write() as connection:
        ask_to_host(
            connection,
            session_id=session_id,
            participant_id=visit.participant_id,
            course_id=visit.course_id,
            now=NOW,
        )


def answer(database: Database, visit: Visit, said: RequestState, *, seen: RequestState = RequestState.WAITING) -> None:
    with database.write() as connection:
        answer_request(
            connection,
            session_id=SESSION.session_id,
            participant_id=visit.participant_id,
            seen=seen,
            answer=said,
            by=STAFF,
            now=NOW,
        )


def hosted(database: Database, visit: Visit) -> frozenset[UUID]:
    with database.read() as connection:
        found = find_visit(connection, visit.visit_id, now=NOW)
    assert found is not None
    return found.visit.hosted_session_ids


def audited(database: Database) -> list[tuple[str, str, str]]:
    with database.read() as connection:
        rows = connection.execute(sa.select(tables.audit).order_by(tables.audit.c.id))
        return [(row.actor, row.action, row.object) for row in rows]


# Codes


def test_who_uses_an_invitation_hosts_that_session_alone(database: Database, teacher: Visit) -> None:
    assert use(database, invite(database), teacher.participant_id) == SESSION.session_id
    assert hosted(database, teacher) == {SESSION.session_id}
    with database.read() as connection:
        (host,) = hosts_of_session(connection, SESSION.session_id)
        assert hosted_sessions(connection, [SESSION.session_id], now=NOW) == [SESSION]
        assert hosted_sessions(connection, [SESSION.session_id], now=SESSION.end_at) == []
    assert (host.label, host.university, host.sub, host.came_as) == ("Prof. Borg", MALTA.name, "8", CameAs.TEACHER)
    thing = f"session {SESSION.session_id}"
    assert audited(database)[-2:] == [
        (STAFF, "invite_host", thing),
        (f"participant {teacher.participant_id}", "use_host_invitation", thing),
    ]


def test_an_invitation_is_used_once(database: Database, teacher: Visit) -> None:
    invitation_id = invite(database)
    use(database, invitation_id, teacher.participant_id)
    other = launch(database)
    with pytest.raises(InvitationUsed):
        use(database, invitation_id, other.participant_id)
    assert hosted(database, other) == frozenset()


def test_of_many_at_once_one_becomes_host(database: Database, teacher: Visit) -> None:
    invitation_id, others = invite(database), [launch(database, structs.replace(LAUNCH, sub=f"{n}")) for n in range(6)]

    def try_it(visit: Visit) -> bool:
        try:
            use(database, invitation_id, visit.participant_id)
        except InvitationUsed:
            return False
        return True

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(try_it, others)) == 1
    assert count(database, tables.session_host) == 1


@pytest.mark.parametrize(
    ("what", "state"),
    [
        ("taken back", InvitationState.REVOKED),
        ("over", InvitationState.EXPIRED),
    ],
)
def test_what_was_taken_back_or_is_over_makes_nobody_a_host(
    database: Database, teacher: Visit, what: str, state: InvitationState
) -> None:
    invitation_id = invite(database)
    if what == "taken back":
        _revoke(database, invitation_id)
    with pytest.raises(InvitationUsed):
        use(database, invitation_id, teacher.participant_id, now=SESSION.end_at)
    with database.read() as connection:
        found = find_invitation(connection, invitation_id)
    assert found is not None
    assert found.state(SESSION.end_at) is state
    assert hosted(database, teacher) == frozenset()


def _revoke(database: Database, invitation_id: int) -> None:
    with database.write() as connection:
        assert not revoke_invitation(connection, UUID(int=1), invitation_id, by=STAFF, now=NOW), "of another session"
        assert revoke_invitation(connection, SESSION.session_id, invitation_id, by=STAFF, now=NOW)
        assert not revoke_invitation(connection, SESSION.session_id, invitation_id, by=STAFF, now=NOW)


def test_an_invitation_lasts_until_the_end_of_its_session_and_thirty_days_at_most(
    database: Database, seeded: Seeded
) -> None:
    invite(database)
    assert _until(database) == SESSION.end_at
    _move(database, by=90 * DAY)
    assert _until(database) == NOW + 30 * DAY


def test_a_code_goes_with_its_session_when_that_is_moved(database: Database, teacher: Visit) -> None:
    invitation_id = invite(database)
    _move(database, by=7 * DAY)
    assert use(database, invitation_id, teacher.participant_id, now=SESSION.end_at) == SESSION.session_id


def test_a_code_is_over_with_a_session_that_was_brought_forward(database: Database, teacher: Visit) -> None:
    invitation_id = invite(database)
    _move(database, by=-DAY)
    with pytest.raises(InvitationUsed):
        use(database, invitation_id, teacher.participant_id)


def _until(database: Database) -> datetime:
    with database.read() as connection:
        (invitation,) = invitations_of(connection, SESSION.session_id)
    return invitation.expires_at


def _move(database: Database, *, by: timedelta) -> None:
    with database.write() as connection:
        change_session(connection, moved(SESSION, by), by=STAFF, now=NOW)


# Asking


def test_who_asks_opens_nothing_before_the_yes(database: Database, teacher: Visit) -> None:
    ask(database, teacher)
    ask(database, teacher)
    assert hosted(database, teacher) == frozenset()
    assert count(database, host_request) == 1
    with database.read() as connection:
        (waiting,) = waiting_for_coordinator(connection, now=NOW)
        assert requests_of_participant(connection, teacher.participant_id) == {SESSION.session_id: RequestState.WAITING}
    assert (waiting.kind, waiting.since_at) == (WaitingKind.HOST_REQUEST, NOW)
    assert waiting.path == f"/coordinator/series/{SERIES.slug}/sessions/{SESSION.session_id}"
    assert sentence(waiting) == (
        "European STEM Workshop Series: a teacher of University of Malta (Teaching STEM) says that they host “Inquiry"
        " at the beach”, and waits for your yes or no."
    )


def test_from_the_yes_on_they_host(database: Database, teacher: Visit) -> None:
    ask(database, teacher)
    answer(database, teacher, RequestState.CONFIRMED)
    assert hosted(database, teacher) == {SESSION.session_id}
    with database.read() as connection:
        assert waiting_for_coordinator(connection, now=NOW) == []
        assert requests_of_session(connection, SESSION.session_id) == []
        (host,) = hosts_of_session(connection, SESSION.session_id)
    assert (host.confirmed_at, host.course_title, host.label) == (NOW, "Teaching STEM", None)
    assert [action for _, action, _ in audited(database)][-2:] == ["ask_to_host", "confirm_host"]


def test_after_a_no_asking_again_changes_nothing_and_a_yes_is_still_possible(
    database: Database, teacher: Visit
) -> None:
    ask(database, teacher)
    answer(database, teacher, RequestState.REFUSED)
    ask(database, teacher)
    assert hosted(database, teacher) == frozenset()
    with database.read() as connection:
        (request,) = requests_of_session(connection, SESSION.session_id)
        assert waiting_for_coordinator(connection, now=NOW) == []
    assert request.state is RequestState.REFUSED
    with pytest.raises(NotToBeConfirmed):
        answer(database, teacher, RequestState.REFUSED)
    with pytest.raises(NotToBeConfirmed):  # by who has not seen the no
        answer(database, teacher, RequestState.CONFIRMED)
    answer(database, teacher, RequestState.CONFIRMED, seen=RequestState.REFUSED)
    assert hosted(database, teacher) == {SESSION.session_id}


def test_nobody_is_confirmed_who_did_not_ask(database: Database, teacher: Visit) -> None:
    with pytest.raises(NotToBeConfirmed):
        answer(database, teacher, RequestState.CONFIRMED)
    assert hosted(database, teacher) == frozenset()


def test_a_yes_does_not_count_once_another_university_hosts(database: Database, teacher: Visit) -> None:
    ask(database, teacher)
    other = replace(SESSION, hosting_university=VILNIUS.name, hosting_university_id=VILNIUS.university_id)
    with database.write() as connection:
        change_session(connection, other, by=STAFF, now=NOW)
    with pytest.raises(NotToBeConfirmed):
        answer(database, teacher, RequestState.CONFIRMED)
    assert hosted(database, teacher) == frozenset()
    answer(database, teacher, RequestState.REFUSED)


def test_nobody_waits_any_more_after_the_session(database: Database, teacher: Visit) -> None:
    ask(database, teacher)
    with database.read() as connection:
        assert waiting_for_coordinator(connection, now=SESSION.end_at) == []


# The end of it


def test_who_is_removed_hosts_no_more_and_sees_that(database: Database, teacher: Visit) -> None:
    ask(database, teacher)
    answer(database, teacher, RequestState.CONFIRMED)
    who = {"session_id": SESSION.session_id, "participant_id": teacher.participant_id}
    with database.write() as connection:
        assert remove_host(connection, **who, by=STAFF, now=NOW)  # type: ignore[arg-type]
        assert not remove_host(connection, **who, by=STAFF, now=NOW)  # type: ignore[arg-type]
    assert hosted(database, teacher) == frozenset()
    with database.read() as connection:
        assert requests_of_participant(connection, teacher.participant_id) == {SESSION.session_id: RequestState.REFUSED}


def test_a_person_who_was_known_twice_keeps_what_they_host_and_ask(
    database: Database, teacher: Visit, seeded: Seeded
) -> None:
    kept, dropped = teacher, launch(database, structs.replace(LAUNCH, sub="9", is_teacher=True, is_learner=False))
    use(database, invite(database), dropped.participant_id)
    ask(database, kept, seeded.session_ids[1])
    ask(database, dropped, seeded.session_ids[1])
    ask(database, dropped, seeded.session_ids[2])
    with database.write() as connection:
        merge_participants(connection, kept=kept.participant_id, dropped=dropped.participant_id)
    assert hosted(database, kept) == {SESSION.session_id}
    with database.read() as connection:
        assert set(requests_of_participant(connection, kept.participant_id)) == set(seeded.session_ids[1:])
        used_by = connection.execute(sa.select(host_invitation.c.participant_id)).scalar_one()
    assert used_by == kept.participant_id
