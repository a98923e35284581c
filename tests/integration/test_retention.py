"""What has had its time goes, with proof; nothing goes that a series still needs, nor a grade that is to be sent."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from msgspec import structs

from lti_tool.cli import lti_tool
from moodle_sync.housekeeping import Housekeeping
from series.people import Visit
from series.retention import RETENTION, Kept, period
from series.rule import Rule
from series.staff import Role
from series.store.activity_states import Outcome
from series.store.audit import append_audit
from series.store.audit_commitments import ensure_salts
from series.store.audit_seals import complete_up_to, seal_next, verify
from series.store.database import Database, DatabaseBusy
from series.store.lms_tables import host_request, lms_invitation, staff_binding
from series.store.moodle_tables import activity_state, course_collect
from series.store.privacy_tables import audit_salt, transfer_code
from series.store.retention import DAILY, count_ripe
from series.store.retention_run import delete_what_had_its_time
from series.store.runs import EVERYWHERE
from series.store.sessions import add_series, save_import
from series.store.staff import add_staff
from series.store.tables import (
    audit,
    check_in,
    completion,
    course_roster,
    course_series,
    delivery,
    evidence,
    excuse,
    membership,
    more_time,
    objection,
    participant,
    reflection,
    roster_member,
    session_host,
    staff,
    visit,
)
from tests.conftest import NOW
from tests.examples import SERIES, weekly
from tests.integration.collect_store import UNKNOWN, open_store
from tests.integration.partner import Partner, open_partner
from tests.integration.test_key_commands import environment_of
from tests.seeds import LAUNCH, Seeded, code_of, count, launch, record, seed

YEAR = period(Kept.COMPLETION)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
RUNNING = replace(SERIES, series_id=UUID(int=77), slug="running")
OF_A_PERSON = (completion, evidence, excuse, objection, reflection, delivery, membership, session_host, host_request)


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def end(seeded: Seeded) -> datetime:
    return max(one.end_at for one in seeded.sessions)


@pytest.fixture
def student(database: Database, seeded: Seeded) -> Visit:
    """Somebody of whom there is something in every table, nothing of it due; and somebody after them."""
    one = launch(database)
    fill(database, one, seeded.session_ids[0], SERIES.series_id)
    launch(database, structs.replace(LAUNCH, sub="9"))
    with database.write() as connection:
        connection.execute(sa.delete(visit))
    return one


def fill(database: Database, one: Visit, session_id: UUID, series_id: UUID) -> None:
    record(database, code_of(one, session_id))
    who, at = {"participant_id": one.participant_id, "session_id": session_id}, {"asked_at": NOW}
    with database.write() as connection:
        fact = connection.execute(sa.select(evidence.c.id).filter_by(**who)).scalar_one()
        say = connection.execute
        retraction = {"kind": "code", "source": "person", "source_id": "2", "observed_at": NOW, "recorded_at": NOW}
        say(sa.insert(evidence).values(**who, **retraction, retracts_evidence_id=fact))
        say(sa.insert(excuse).values(**who))
        say(sa.insert(reflection).values(**who, text="x", state="handed_in", saved_at=NOW, evidence_id=fact))
        say(sa.insert(objection).values(**about(one), series_id=series_id, text="no", raised_at=NOW))
        say(sa.insert(session_host).values(**who))
        say(sa.insert(host_request).values(**who, **at, state="waiting"))
        say(sa.insert(transfer_code).values(id=uuid4().hex, **who_of(one), created_at=NOW, expires_at=NOW + 14 * DAY))
        say(sa.update(delivery).values(state="delivered"))


def who_of(one: Visit) -> dict[str, int]:
    return {"participant_id": one.participant_id}


def about(one: Visit) -> dict[str, object]:
    return {**who_of(one), "course_id": one.course_id}


def run(database: Database, now: datetime) -> dict[Kept, int]:
    """Delete; what was counted before must be what went, and nothing is left to go."""
    with database.read() as connection:
        before = count_ripe(connection, now=now)
    deleted = delete_what_had_its_time(database, by="worker", now=now)
    assert {kept: count for kept, count in before.items() if count and kept is not Kept.PARTICIPATION} == {
        kept: count for kept, count in deleted.items() if count and kept is not Kept.PARTICIPATION
    }
    with database.read() as connection:
        assert not any(count_ripe(connection, now=now).values())
    return {kept: count for kept, count in deleted.items() if count}


def counts(database: Database) -> dict[str, int]:
    return {table.name: count(database, table) for table in OF_A_PERSON}


# Completions, and who took part


def test_dpo_09_before_its_time_nothing_of_a_person_goes(database: Database, student: Visit, end: datetime) -> None:
    before = counts(database)
    assert set(run(database, end + YEAR - SECOND)) <= {Kept.TRANSFER}
    assert counts(database) == before


def test_dpo_09_a_year_after_its_end_all_of_a_series_goes(database: Database, student: Visit, end: datetime) -> None:
    done = run(database, end + YEAR)
    assert counts(database) == dict.fromkeys(counts(database), 0)
    assert done[Kept.COMPLETION] == 6  # two facts, a completion or none, an excuse, an objection, a grade
    assert done[Kept.REFLECTION] == 1
    with database.read() as connection:
        there = connection.execute(sa.select(participant.c.sub)).scalars().all()
    assert there == ["9"]  # the newest number is not given out again


def test_dpo_09_what_a_running_series_needs_stays(database: Database, student: Visit, end: datetime) -> None:
    last = replace(weekly(1)[0], session_id=uuid4(), series_id=SERIES.series_id, start_at=end, end_at=end + DAY)
    with database.write() as connection:
        save_import(
            connection, SERIES.series_id, new=[(last, ("late@example", last.start_at))], changed=(), rekeyed=(), now=NOW
        )
    before = counts(database)
    assert not set(run(database, end + YEAR)) - {Kept.TRANSFER, Kept.ATTENDANCE}
    assert counts(database) == before


def test_dpo_09_who_takes_part_in_a_newer_series_stays_there(database: Database, student: Visit, end: datetime) -> None:
    later = replace(weekly(1)[0], session_id=uuid4(), series_id=RUNNING.series_id, end_at=end + YEAR + 2 * DAY)
    with database.write() as connection:
        add_series(connection, RUNNING, rule=Rule(required=1), now=NOW)
        save_import(connection, RUNNING.series_id, new=[(later, ("new@example", end))], changed=(), rekeyed=(), now=NOW)
    record(database, code_of(student, later.session_id, source_id="new"))
    run(database, end + YEAR + DAY)
    with database.read() as connection:
        assert connection.execute(sa.select(completion.c.session_id)).scalars().all() == [later.session_id]
        assert student.participant_id in connection.execute(sa.select(participant.c.id)).scalars().all()


@pytest.mark.parametrize("values", [{"state": "due"}, {"state": "superseded", "in_flight": True}])
def test_dpo_09_a_grade_that_is_due_keeps_what_it_stands_on(
    database: Database, student: Visit, end: datetime, values: dict[str, object]
) -> None:
    with database.write() as connection:
        connection.execute(sa.update(delivery).values(values))
    before = counts(database)
    run(database, end + YEAR)
    kept = {name: number for name, number in counts(database).items() if number}
    assert {"evidence", "delivery", "reflection"} <= set(kept)
    assert all(before[name] == number for name, number in kept.items() if name != "membership")


def test_dpo_09_what_moodle_says_of_a_series_that_was_deleted_is_not_taken_in_again(database: Database) -> None:
    """Moodle remembers longer than we do, and is asked about everybody once a day."""
    store = open_store(database)
    assert store.add().completed == 1
    after = max(one.end_at for one in store.seeded.sessions) + YEAR
    with database.write() as connection:
        connection.execute(sa.update(delivery).values(state="delivered"))
    assert run(database, after)[Kept.COMPLETION] == 4  # what Moodle said, the fact, the completion, the grade
    assert store.add(now=after) == Outcome()
    assert (count(database, evidence), count(database, activity_state)) == (0, 0)


def test_dpo_09_who_waits_to_be_known_goes_sixty_days_after_the_end(database: Database) -> None:
    store = open_store(database)
    assert store.add(sub=UNKNOWN).waiting == 1
    after = max(one.end_at for one in store.seeded.sessions) + period(Kept.ACTIVITY)
    assert Kept.ACTIVITY not in run(database, after - SECOND)
    assert run(database, after)[Kept.ACTIVITY] == 1


# The rest, each by its own time


def test_dpo_09_drafts_go_thirty_days_after_the_end(database: Database, student: Visit, end: datetime) -> None:
    with database.write() as connection:
        connection.execute(sa.update(reflection).values(state="draft", evidence_id=None))
    assert Kept.DRAFT not in run(database, end + 30 * DAY - SECOND)
    assert run(database, end + 30 * DAY)[Kept.DRAFT] == 1


def test_dpo_09_a_draft_that_is_still_written_stays(database: Database, student: Visit, end: datetime) -> None:
    with database.write() as connection:
        connection.execute(sa.update(reflection).values(state="draft", saved_at=end + 5 * DAY))
    assert Kept.DRAFT not in run(database, end + 30 * DAY)


def test_dpo_09_attendance_detail_goes_thirty_days_after_the_session(
    database: Database, seeded: Seeded, student: Visit
) -> None:
    with database.write() as connection:
        row = {"code": "123456", "opens_at": NOW, "closes_at": NOW, "opened_by_participant_id": student.participant_id}
        opened = sa.insert(check_in).values(session_id=seeded.session_ids[0], **row).returning(check_in.c.id)
        asked = {"check_in_id": connection.execute(opened).scalar_one(), "asked_at": NOW}
        connection.execute(sa.insert(more_time).values(**who_of(student), **asked))
    after = seeded.sessions[0].end_at + 30 * DAY
    assert Kept.ATTENDANCE not in run(database, after - SECOND)
    assert run(database, after)[Kept.ATTENDANCE] == 2


def list_in_course(database: Database, course_id: int, *, gone_at: datetime | None = None) -> None:
    row = {"course_id": course_id, "sub": "5", "is_learner": True, "is_suspended": False, "gone_at": gone_at}
    with database.write() as connection:
        connection.execute(sa.insert(roster_member).values(row))


def course_of(one: Visit) -> int:
    assert one.course_id is not None
    return one.course_id


def test_dpo_09_who_left_a_course_goes_from_its_list_thirty_days_later(database: Database, student: Visit) -> None:
    list_in_course(database, course_of(student), gone_at=NOW)
    assert Kept.ROSTER not in run(database, NOW + 30 * DAY - SECOND)
    assert run(database, NOW + 30 * DAY)[Kept.ROSTER] == 1


def test_dpo_09_lists_of_a_course_go_thirty_days_after_its_last_series(
    database: Database, student: Visit, end: datetime
) -> None:
    list_in_course(database, course_of(student))
    with database.write() as connection:
        held = {"course_id": course_of(student), "held": "{}", "held_at": NOW}
        connection.execute(sa.insert(course_roster).values(**held, failures=0))
        connection.execute(sa.insert(course_collect).values(**held, refused='["5"]'))
    assert not {Kept.ROSTER, Kept.HELD} & set(run(database, end + 30 * DAY - SECOND))
    done = run(database, end + 30 * DAY)
    assert (done[Kept.ROSTER], done[Kept.HELD]) == (1, 2)
    with database.read() as connection:
        assert connection.execute(sa.select(course_collect.c.held, course_collect.c.refused)).one() == (None, "[]")


def test_dpo_09_a_course_that_shows_a_newer_series_keeps_its_list(
    database: Database, student: Visit, end: datetime
) -> None:
    list_in_course(database, course_of(student))
    with database.write() as connection:
        add_series(connection, RUNNING, rule=Rule(required=1), now=NOW)
        tie = {"course_id": course_of(student), "series_id": RUNNING.series_id}
        connection.execute(sa.insert(course_series).values(tie))
    assert Kept.ROSTER not in run(database, end + 30 * DAY)


def test_dpo_09_codes_that_move_progress_go_when_their_time_is_over(database: Database, student: Visit) -> None:
    assert Kept.TRANSFER not in run(database, NOW + 14 * DAY - SECOND)
    assert run(database, NOW + 14 * DAY)[Kept.TRANSFER] == 1


@pytest.mark.parametrize("name", ["used_at", "revoked_at", "expires_at"])
def test_dpo_09_invitations_go_a_year_after_their_end(database: Database, seeded: Seeded, name: str) -> None:
    with database.write() as connection:
        row = {"university_id": 1, "approves": False, "created_by": "staff 1", "created_at": NOW}
        row |= {"expires_at": NOW + 9 * DAY, name: NOW}
        connection.execute(sa.insert(lms_invitation).values(row))
    assert Kept.INVITATION not in run(database, NOW + YEAR - SECOND)
    assert run(database, NOW + YEAR)[Kept.INVITATION] == 1


def test_dpo_09_accounts_switched_off_go_two_years_after_their_last_sign_in(database: Database, student: Visit) -> None:
    with database.write() as connection:
        of = {"role": Role.COORDINATOR, "university_id": None, "now": NOW}
        off = add_staff(connection, email="a@example.org", name="A", **of)
        add_staff(connection, email="b@example.org", name="B", **of)
        connection.execute(sa.update(staff).where(staff.c.id == off).values(state="disabled"))
        connection.execute(sa.insert(staff_binding).values(**who_of(student), staff_id=off, bound_at=NOW))
    assert Kept.STAFF not in run(database, NOW + period(Kept.STAFF) - SECOND)
    assert run(database, NOW + period(Kept.STAFF))[Kept.STAFF] == 1
    with database.read() as connection:
        assert connection.execute(sa.select(staff.c.email)).scalars().all() == ["b@example.org"]


# The audit


def seal(database: Database, now: datetime) -> None:
    with database.write() as connection:
        up_to = complete_up_to(connection)
    with database.write() as connection:
        seal_next(connection, up_to=up_to, now=now, secret_key=b"k")


def test_dpo_09_lines_of_the_audit_go_after_two_years_and_seals_stay(database: Database, student: Visit) -> None:
    with database.write() as connection:
        thing = f"participant {student.participant_id}"
        append_audit(connection, actor="staff 1", action="see", thing=thing, now=NOW)
    seal(database, NOW)
    with database.write() as connection:
        append_audit(connection, actor="staff 1", action="see", thing="course 1", now=NOW + DAY)
    seal(database, NOW + DAY)
    later = NOW + period(Kept.AUDIT)
    assert run(database, later)[Kept.AUDIT] == 1
    with database.read() as connection:
        done = verify(connection, secret_key=b"k", now=later)
    assert (done.findings, done.seals, done.purged) == ([], 2, 1)


def test_dpo_09_an_unsealed_line_waits_for_its_seal(database: Database, seeded: Seeded) -> None:
    with database.write() as connection:
        append_audit(connection, actor="staff 1", action="see", thing="course 1", now=NOW)
    assert Kept.AUDIT not in run(database, NOW + 2 * period(Kept.AUDIT))


def test_dpo_09_who_goes_for_good_goes_from_the_audit_too(database: Database, student: Visit, end: datetime) -> None:
    with database.write() as connection:
        thing = f"participant {student.participant_id}"
        append_audit(connection, actor="staff 1", action="see", thing=thing, now=end + YEAR)
        ensure_salts(connection, [student.participant_id])
    run(database, end + YEAR)
    assert count(database, audit_salt) == 0
    with database.read() as connection:
        assert "erased participant" in connection.execute(sa.select(audit.c.object)).scalars().all()


# The proof


def test_dpo_09_each_run_is_proved_by_a_line_in_the_audit(database: Database, student: Visit, end: datetime) -> None:
    delete_what_had_its_time(database, by="worker", now=end + YEAR)
    with database.read() as connection:
        row = connection.execute(sa.select(audit).order_by(audit.c.id.desc()).limit(1)).one()
    assert (row.actor, row.action, row.object) == ("worker", "retention", EVERYWHERE)
    said = json.loads(row.detail)
    assert set(said) == set(DAILY)
    assert (said["completion"], said["roster"]) == (6, 0)


@pytest.fixture
def partner(tmp_path: Path, sqlite_url: str) -> Iterator[Partner]:
    with open_partner(tmp_path, sqlite_url) as opened:
        yield opened


def retention_runs(partner: Partner) -> list[tuple[str, int]]:
    return [(run.outcome, sum(run.counts.values())) for run in partner.runs() if run.job == "retention"]


def test_dpo_09_the_worker_deletes_once_a_day(partner: Partner) -> None:
    workers = [Housekeeping(partner.services), Housekeeping(partner.services)]
    for housekeeping in workers * 2:
        housekeeping()
    assert retention_runs(partner) == [("done", 0)]
    partner.world.advance(24 * 3600)
    for housekeeping in workers:
        housekeeping()
    assert retention_runs(partner) == [("done", 0)] * 2


def test_dpo_09_a_day_on_which_the_database_was_busy_is_not_skipped(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> int:
        raise DatabaseBusy("busy")

    housekeeping = Housekeeping(partner.services)
    with monkeypatch.context() as patched:
        patched.setattr("moodle_sync.jobs.begin", busy)
        with pytest.raises(DatabaseBusy):
            housekeeping()
    housekeeping()
    assert retention_runs(partner) == [("done", 0)]


def types(partner: Partner, *arguments: str) -> list[dict[str, object]]:
    environment = environment_of(partner.services.settings)
    done = CliRunner().invoke(lti_tool, ["retention", "--json", *arguments], env=environment)
    assert done.exit_code == 0, done.exception
    rows: list[dict[str, object]] = json.loads(done.stdout)
    return rows


def test_dpo_09_a_dry_run_counts_and_deletes_nothing(partner: Partner) -> None:
    expired = {"id": "x", "participant_id": 1, "created_at": NOW - 20 * DAY, "expires_at": NOW - DAY}
    with partner.services.database.write() as connection:
        connection.execute(sa.insert(participant).values(university_id=1, issuer="i", sub="s", created_at=NOW))
        connection.execute(sa.insert(transfer_code).values(expired))
    for arguments, left in ((("--dry-run",), 1), ((), 0)):
        (row,) = [row for row in types(partner, *arguments) if row["rows"]]
        assert row == {"class": "transfer", "rows": 1, "kept": RETENTION[Kept.TRANSFER].words}
        assert count(partner.services.database, transfer_code) == left


def test_every_class_has_a_period_or_says_what_ends_it() -> None:
    assert set(RETENTION) == set(Kept)
    with pytest.raises(ValueError, match="no date ends proof"):
        period(Kept.PROOF)
