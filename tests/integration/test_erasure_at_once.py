"""While somebody is erased, requests of theirs and readings of their LMS are under way: whatever waits for the erasure
finds nobody, and what was stored a moment before it goes with the rest. By two connections, in a fixed order."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.hosts import CameAs, RequestState
from series.people import Visit
from series.rosters import RosterMember
from series.rule import Kind
from series.store.approvals import Word, record_word
from series.store.check_ins import give_more_time, open_check_in
from series.store.database import Connection, Database
from series.store.declarations import declare_recording
from series.store.erasure import erase_person
from series.store.evidence import NothingToRetract, record_evidence, retract_evidence
from series.store.host_invitations import invite_host, use_invitation
from series.store.hosts import NotToBeConfirmed, answer_request, ask_to_host
from series.store.launches import PersonErased, open_visit
from series.store.objecting import object_to_use, take_objection_back
from series.store.objections import raise_objection
from series.store.reflections import hand_in, save_draft
from series.store.rescoring import rescore
from series.store.rosters import ensure_participants, roster_of, save_roster
from series.store.tables import check_in, course, evidence, metadata, participant
from series.store.tombstones import without_erased
from series.store.transfer import CodeOver, move_progress, save_code
from series.tombstones import NobodyThere, Whom
from tests.conftest import NOW
from tests.examples import SERIES
from tests.seeds import ISSUER, LAUNCH, SECRET_KEY, Seeded, code_of, launch, record, seed
from tests.waiting import until

MARIA = Whom(university_id=1, issuer=ISSUER, sub="5")
CODE, OTHER_CODE = "a" * 64, "b" * 64
Act = Callable[[Connection, Visit, Seeded], Any]


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def maria(database: Database, seeded: Seeded) -> Visit:
    """She has checked in once, and asked to host; somebody else has a code with which progress moves."""
    visit = launch(database)
    other = launch(database, structs.replace(LAUNCH, sub="6"))
    record(database, code_of(visit, seeded.session_ids[0]))
    record(database, code_of(other, seeded.session_ids[1]))
    with database.write() as connection:
        open_check_in(connection, session_id=seeded.session_ids[0], code="123456", participant_id=None, now=NOW)
        invite_host(connection, seeded.sessions[0], "somebody", by="staff 1", now=NOW)
        session_id = seeded.session_ids[1]
        ask_to_host(
            connection, session_id=session_id, participant_id=visit.participant_id, course_id=visit.course_id, now=NOW
        )
        save_code(connection, visit.participant_id, CODE, now=NOW)
        save_code(connection, other.participant_id, OTHER_CODE, now=NOW)
    return visit


def of(visit: Visit, seeded: Seeded, session: int = 2) -> dict[str, Any]:
    return {"participant_id": visit.participant_id, "session_id": seeded.session_ids[session], "now": NOW}


def fact_of(connection: Connection, visit: Visit) -> int:
    """Her first one, if it is still there."""
    query = sa.select(sa.func.min(evidence.c.id)).where(evidence.c.participant_id == visit.participant_id)
    return connection.execute(query).scalar_one() or 1


def say(connection: Connection, visit: Visit, seeded: Seeded) -> list[int]:
    word = Word(
        session_id=seeded.session_ids[2],
        kind=Kind.APPROVAL,
        by="participant 2",
        reason="was there",
        form_id="f" * 32,
        observed_at=NOW,
    )
    return record_word(connection, word, [visit.participant_id], now=NOW)


def raise_one(connection: Connection, visit: Visit, seeded: Seeded) -> int:
    assert visit.course_id is not None
    about = {"course_id": visit.course_id, "series_id": SERIES.series_id}
    return raise_objection(connection, **of(visit, seeded), **about, text="This is wrong.")


def more_time(connection: Connection, visit: Visit, seeded: Seeded) -> None:
    opening = connection.execute(sa.select(check_in.c.id)).scalar_one()
    give_more_time(connection, check_in_id=opening, participant_id=visit.participant_id, now=NOW)


def answer(connection: Connection, visit: Visit, seeded: Seeded) -> None:
    answer_request(
        connection, **of(visit, seeded, 1), seen=RequestState.WAITING, answer=RequestState.REFUSED, by="staff 1"
    )


def open_again(connection: Connection, visit: Visit, seeded: Seeded) -> None:
    new = structs.replace(LAUNCH, visit_id="again", nonce="again")
    open_visit(connection, new, now=NOW, secret_key=SECRET_KEY)


# Each by what it is told when she is nobody any more; None: that nothing was done.
WRITERS: dict[str, tuple[Act, type[Exception] | None]] = {
    "check in": (lambda c, v, s: record_evidence(c, code_of(v, s.session_ids[2]), now=NOW), NobodyThere),
    "save a draft": (lambda c, v, s: save_draft(c, **of(v, s), text="x"), NobodyThere),
    "hand in": (lambda c, v, s: hand_in(c, **of(v, s), text="x", at_least=1), NobodyThere),
    "declare a recording": (lambda c, v, s: declare_recording(c, **of(v, s), percent=90), NobodyThere),
    "ask for time": (more_time, NobodyThere),
    "write to the teachers": (raise_one, NobodyThere),
    "object": (lambda c, v, s: object_to_use(c, v.participant_id, now=NOW), NobodyThere),
    "object no more": (lambda c, v, s: take_objection_back(c, v.participant_id, now=NOW), NobodyThere),
    "make a code": (lambda c, v, s: save_code(c, v.participant_id, "c" * 64, now=NOW), NobodyThere),
    "take progress": (lambda c, v, s: move_progress(c, OTHER_CODE, to=v.participant_id, now=NOW), NobodyThere),
    "give progress": (lambda c, v, s: move_progress(c, CODE, to=2, now=NOW), CodeOver),
    "ask to host": (lambda c, v, s: ask_to_host(c, **of(v, s), course_id=v.course_id), NobodyThere),
    "use an invitation": (
        lambda c, v, s: use_invitation(c, 1, participant_id=v.participant_id, came_as=CameAs.TEACHER, now=NOW),
        NobodyThere,
    ),
    "be confirmed": (say, None),
    "be withdrawn from": (
        lambda c, v, s: retract_evidence(c, fact_of(c, v), by="participant 2", reason="no", now=NOW),
        NothingToRetract,
    ),
    "be answered": (answer, NotToBeConfirmed),
    "be rescored": (lambda c, v, s: rescore(c, [v.participant_id], SERIES.series_id, now=NOW), None),
    "launch": (open_again, PersonErased),
}


@contextmanager
def erased_at_once(database: Database, act: Callable[[Connection], Any]) -> Iterator[Future[Any]]:
    """She is erased; before that is committed, another connection begins to act, and comes after it."""
    other = Database(database.url)

    def work() -> Any:
        with other.write() as connection:
            return act(connection)

    try:
        with ThreadPoolExecutor(1) as threads:
            with database.write() as connection:
                erase_person(connection, MARIA, by="operator", secret_key=SECRET_KEY, now=NOW)
                done = threads.submit(work)
                if not database.is_sqlite:  # there it waits for the only writer from its beginning
                    until(lambda: waits(database) or done.done(), "somebody waits", within_s=20)
            yield done
    finally:
        other.dispose()


def waits(database: Database) -> bool:
    with database.read() as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        return bool(connection.execute(sa.text(query)).scalar_one())


def left_of(database: Database, participant_id: int) -> set[str]:
    """Tables with a row that points to this participant."""
    naming = [
        column
        for table in metadata.tables.values()
        for column in table.columns
        if any(key.column is participant.c.id for key in column.foreign_keys)
    ]
    with database.read() as connection:
        return {
            column.table.name
            for column in naming
            if connection.execute(sa.select(sa.literal(1)).where(column == participant_id).limit(1)).first()
        }


@pytest.mark.parametrize("name", WRITERS)
def test_dpo_12_whatever_waits_for_an_erasure_finds_nobody(
    database: Database, seeded: Seeded, maria: Visit, name: str
) -> None:
    act, refusal = WRITERS[name]
    with erased_at_once(database, lambda connection: act(connection, maria, seeded)) as done:
        if refusal is None:
            assert not done.result(20)
        else:
            with pytest.raises(refusal):
                done.result(20)
    assert left_of(database, maria.participant_id) == set()
    with database.read() as connection:
        row = connection.execute(sa.select(participant).where(participant.c.id == maria.participant_id)).one()
    assert (row.issuer, row.objected_at) == ("", None)


def test_a_code_is_not_used_up_by_who_was_erased(database: Database, seeded: Seeded, maria: Visit) -> None:
    def take(connection: Connection) -> list[int]:
        return move_progress(connection, OTHER_CODE, to=maria.participant_id, now=NOW)

    with erased_at_once(database, take) as done, pytest.raises(NobodyThere):
        done.result(20)
    newcomer = launch(database, structs.replace(LAUNCH, sub="7"))
    with database.write() as connection:
        assert len(move_progress(connection, OTHER_CODE, to=newcomer.participant_id, now=NOW)) == 1


# The lists of the LMS


def store_roster(connection: Connection) -> list[str]:
    course_id = connection.execute(sa.select(course.c.id)).scalar_one()
    listed = [RosterMember(sub=sub, is_learner=True, is_suspended=False) for sub in ("5", "6")]
    save_roster(connection, course_id, without_erased(connection, course_id, listed, secret_key=SECRET_KEY), now=NOW)
    ensure_participants(connection, course_id=course_id, subs=["5", "6"], now=NOW)
    return sorted(one.sub for one in roster_of(connection, course_id).members)


def test_dpo_12_a_roster_that_waits_for_an_erasure_is_stored_without_them(database: Database, maria: Visit) -> None:
    """Also where the course's roster was never read before: there is no row of it that could be locked."""
    with erased_at_once(database, store_roster) as done:
        assert done.result(20) == ["6"]
    assert left_of(database, maria.participant_id) == set()
    with database.read() as connection:
        assert "5" not in connection.execute(sa.select(participant.c.sub)).scalars().all()


def test_dpo_12_an_erasure_that_waits_for_a_roster_takes_them_out_of_it(database: Database, maria: Visit) -> None:
    other = Database(database.url)

    def erase() -> int:
        with other.write() as connection:
            return erase_person(connection, MARIA, by="operator", secret_key=SECRET_KEY, now=NOW)

    with ThreadPoolExecutor(1) as threads:
        with database.write() as connection:
            assert store_roster(connection) == ["5", "6"]
            done = threads.submit(erase)
            if not database.is_sqlite:
                until(lambda: waits(database), "the erasure waits", within_s=20)
        assert done.result(20) > 0
    other.dispose()
    with database.read() as connection:
        assert [one.sub for one in roster_of(connection, 1).members] == ["6"]
