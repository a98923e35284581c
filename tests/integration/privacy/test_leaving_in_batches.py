"""A university leaves in batches: it may be broken off anywhere, and goes on; nothing new comes in meanwhile."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
import sqlalchemy as sa
from msgspec import structs

from config.command_line import Failure
from series.certificates import Certificate
from series.feed_address import OwnerKind
from series.rosters import RosterMember
from series.staff import Role
from series.store import leaving, leaving_rows
from series.store.audit import append_audit
from series.store.belongings import of_university
from series.store.database import Database
from series.store.deletion_certificates import list_certificates
from series.store.evidence import retract_evidence
from series.store.feeds import feed_owner
from series.store.known import PlatformDisabled
from series.store.leaving import Leaving, close_doors, count_what_goes, delete_all
from series.store.lms_invitations import make_invitation
from series.store.moodle_connections import NewConnection, save_connection
from series.store.moodle_jobs import due_jobs
from series.store.pseudonyms import key_of
from series.store.roster_reads import universities_due
from series.store.staff import add_staff, enable_account
from series.store.tables import audit, completion, course, delivery, evidence, membership, participant, placement, visit
from series.store.taking_part import UniversityLeft
from series.store.tombstones import without_erased
from series.store.universities import add_platform, approve_platform, enable_platform, find_platform
from tests.conftest import NOW, make_settings
from tests.examples import MALTA, VILNIUS
from tests.integration.audit.sealing import KEY, look, seal
from tests.integration.privacy.test_leaving import AT_VILNIUS, _run
from tests.seeds import ENCRYPTION_KEY, LAUNCH, PLATFORM, Seeded, code_of, launch, record, seed

LEAVING = Leaving(home=MALTA, by="operator", secret_key=make_settings("sqlite:///x").secret_key, clock=lambda: NOW)
PEOPLE = 7


class Killed(Exception):
    pass


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def held(database: Database, seeded: Seeded, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Seven people of Malta, each with two facts of which one is withdrawn, in sealed lines of the audit; one of
    Vilnius; and batches of three."""
    monkeypatch.setattr(leaving_rows, "AT_ONCE", 3)
    monkeypatch.setattr(leaving, "LINES_AT_ONCE", 3)
    for number in range(PEOPLE):
        one = launch(database, structs.replace(LAUNCH, sub=f"m{number}"))
        for session_id in seeded.session_ids[:2]:
            record(database, code_of(one, session_id))
        person = f"participant {one.participant_id}"
        with database.write() as connection:
            first = connection.execute(sa.select(sa.func.max(evidence.c.id))).scalar_one()
            retract_evidence(connection, first, by="staff 1", reason="private", now=NOW)
            append_audit(connection, actor="staff 1", action="see_person", thing=person, now=NOW, session="s")
            append_audit(connection, actor=person, action="see_own_data", thing="course 1", now=NOW)
    with database.write() as connection:
        there = replace(PLATFORM, slug="vilnius", university_id=VILNIUS.university_id, issuer=AT_VILNIUS.issuer)
        add_platform(connection, there, now=NOW)
    other = launch(database, AT_VILNIUS)
    record(database, code_of(other, seeded.session_ids[0]))
    with database.write() as connection:
        person = f"participant {other.participant_id}"
        append_audit(connection, actor=person, action="see_own_data", thing=person, now=NOW)
    seal(database)
    return database


def test_dpo_21_wherever_it_is_killed_it_is_taken_up_again(held: Database) -> None:
    """After the first batch, the second, …, until one run comes to its end: nothing is counted twice, or lost."""
    before = _counts(held)
    for dies_after in count(1):
        certificate = _leave(held, dies_after=dies_after)
        if certificate is not None:
            break
        assert _certificates(held) == []
    assert dies_after > 5
    counts = certificate.deletion.counts
    assert {name: counts[name] for name in before} == before
    assert _certificates(held) == [certificate]
    assert [one for one in _texts(held) if "m0" in one or "private" in one] == []


def test_dpo_21_a_run_that_was_killed_leaves_the_seals_whole(held: Database) -> None:
    for dies_after in (1, 2, 5, 9, 30):
        _leave(held, dies_after=dies_after)
        assert look(held).findings == []
    assert _leave(held) is not None
    assert look(held).findings == []
    with held.read() as connection:
        lines = connection.execute(sa.select(audit.c.actor, audit.c.object)).all()
    named = {text for line in lines for text in line if text.startswith("participant ")}
    assert named == {f"participant {PEOPLE + 1}"}


def test_no_batch_is_larger_than_it_may_be(held: Database) -> None:
    batches: list[int] = []
    with held.read() as connection:
        expected = count_what_goes(connection, LEAVING)
    with held.write() as connection:
        close_doors(connection, LEAVING)
    delete_all(held, LEAVING, on_batch=batches.append)
    assert max(batches) <= 3
    assert 0 < sum(batches) <= expected


def test_what_was_being_written_when_the_doors_were_closed_goes_in_another_pass(held: Database, seeded: Seeded) -> None:
    """A check-in whose evidence comes when that table was looked through already."""
    somebody = launch(held, structs.replace(LAUNCH, sub="m0"))
    with held.write() as connection:
        close_doors(connection, LEAVING)
    new = replace(code_of(somebody, seeded.session_ids[2]), source_id="late")
    late = iter([new])

    def write_late(_: int) -> None:
        with held.read() as connection:
            is_through = connection.execute(sa.select(sa.func.count()).select_from(evidence)).scalar_one() == 1
        if is_through and (one := next(late, None)) is not None:
            record(held, one)

    certificate = delete_all(held, LEAVING, on_batch=write_late)
    assert next(late, None) is None
    assert certificate.deletion.counts["evidence"] == 3 * PEOPLE + 1


def test_somebody_who_goes_on_writing_is_said(held: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaving, "_is_over", lambda *_: False)
    with held.write() as connection:
        close_doors(connection, LEAVING)
    with pytest.raises(leaving.StillWritten, match="run this again"):
        delete_all(held, LEAVING)
    assert _certificates(held) == []


@pytest.mark.parametrize(
    "write",
    [
        lambda connection: add_platform(connection, replace(PLATFORM, slug="malta-2", client_id="2"), now=NOW),
        lambda connection: approve_platform(connection, 1),
        lambda connection: enable_platform(connection, find_platform(connection, "malta")),
        lambda connection: add_staff(
            connection, email="a@example.org", name="N", role=Role.LMS_ADMIN, university_id=1, now=NOW
        ),
        lambda connection: enable_account(connection, 1),
        lambda connection: make_invitation(
            connection, MALTA, approves=True, life=timedelta(days=1), actor="staff 2", now=NOW
        ),
        lambda connection: save_connection(connection, _MOODLE, encryption_key=ENCRYPTION_KEY, now=NOW),
        lambda connection: key_of(connection, 1, encryption_key=ENCRYPTION_KEY, now=NOW),
        lambda connection: without_erased(connection, 1, [_MEMBER], secret_key=KEY),
    ],
    ids=["platform", "approval", "enabled", "staff", "account", "invitation", "moodle", "pseudonyms", "roster"],
)
def test_dpo_21_while_it_leaves_nothing_new_is_stored(held: Database, write: Callable[[sa.Connection], object]) -> None:
    with held.write() as connection:
        add_staff(connection, email="b@example.org", name="N", role=Role.LMS_ADMIN, university_id=1, now=NOW)
    _leave(held, dies_after=1)
    with pytest.raises(UniversityLeft, match=r"University of Malta has left"), held.write() as connection:
        write(connection)


_MOODLE = NewConnection(university_id=1, base_url="https://m.example", token="t", moodle_user_id=7)
_MEMBER = RosterMember(sub="99", is_learner=True, is_suspended=False)


def test_dpo_21_while_it_leaves_nobody_comes_in_and_nothing_is_read(held: Database) -> None:
    with held.write() as connection:
        save_connection(connection, _MOODLE, encryption_key=ENCRYPTION_KEY, now=NOW)
        connection.execute(sa.update(course).values(memberships_url="https://lms.malta.example/members"))
    assert _reads(held) == ({"malta"}, {"vilnius", "malta"})
    _leave(held, dies_after=1)
    assert _reads(held) == (set(), {"vilnius"})
    with pytest.raises(PlatformDisabled):
        launch(held)
    assert launch(held, AT_VILNIUS)


def test_dpo_21_visits_that_are_open_go_first(held: Database) -> None:
    assert _leave(held)
    with held.read() as connection:
        gone = sa.select(audit.c.detail).where(audit.c.action == leaving.ROWS_GONE).order_by(audit.c.id)
        tables = [json.loads(detail)["table"] for detail in connection.execute(gone).scalars()]
    assert tables[0] == "visit"
    assert "visit" not in tables[tables.index("evidence") :]


def test_dpo_21_calendar_addresses_and_times_of_whom_has_left_are_worth_nothing(held: Database) -> None:
    with held.read() as connection:
        before = feed_owner(connection, OwnerKind.PARTICIPANT, 1)
    later = NOW + timedelta(days=1)
    assert _leave(held, of=Leaving(home=MALTA, by="operator", secret_key=b"k", clock=lambda: later))
    with held.read() as connection:
        after = feed_owner(connection, OwnerKind.PARTICIPANT, 1)
        row = connection.execute(sa.select(participant).where(participant.c.id == 1)).one()
    assert before is not None
    assert after is not None
    assert after.generation == before.generation + 1
    assert row.created_at == later


def test_its_progress_is_shown_and_breaking_off_says_how_it_goes_on(
    held: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_off(*_: object, **__: object) -> Certificate:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("lti_tool.cli_leaving.delete_all", broken_off)
        error = _run(held, "leave", "malta", "--yes").exception
    assert isinstance(error, Failure)
    assert "`lti-tool university leave malta` goes on" in str(error)
    done = _run(held, "leave", "malta", "--yes")
    assert "has begun to leave before; this goes on" in done.stderr
    assert "Deleting" in done.stderr
    assert "Certificate of deletion no. 1" in done.stdout


def _leave(database: Database, *, dies_after: int | None = None, of: Leaving = LEAVING) -> Certificate | None:
    """One run; it is killed after so many batches, if it has not ended by then."""
    left = count(1) if dies_after is None else iter(range(1, dies_after))

    def on_batch(_: int) -> None:
        if next(left, None) is None:
            raise Killed

    with database.write() as connection:
        close_doors(connection, of)
    try:
        return delete_all(database, of, on_batch=on_batch)
    except Killed:
        return None


def _counts(database: Database) -> dict[str, int]:
    """Of the university, in some tables."""
    with database.read() as connection:
        return {
            table.name: connection.execute(
                sa.select(sa.func.count()).select_from(table).where(of_university(table, 1))
            ).scalar_one()
            for table in (participant, evidence, completion, delivery, visit, membership, placement)
        }


def _certificates(database: Database) -> list[Certificate]:
    with database.read() as connection:
        return list_certificates(connection)


def _texts(database: Database) -> list[str]:
    """Whatever is still held of anybody."""
    with database.read() as connection:
        tables = (participant, evidence, course, audit, delivery)
        return [str(row) for table in tables for row in connection.execute(sa.select(table))]


def _reads(database: Database) -> tuple[set[str], set[str]]:
    """Universities of which a Moodle is to be asked, and a roster to be read."""
    with database.read() as connection:
        due = due_jobs(connection, now=NOW, limit=10, are_suspect=False)
        return {one.university_slug for one in due}, set(universities_due(connection, now=NOW))
