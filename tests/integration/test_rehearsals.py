"""A rehearsal counts for nothing, anywhere: each place that lists or counts sessions, on both databases."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from msgspec import structs

from moodle_sync.plan_import import Known, plan_import
from moodle_sync.read_calendar import Occurrence
from series.course_counts import CountProblem
from series.people import Visit
from series.plans import Plan, brake
from series.rounds import copy_round
from series.rule import CHECK_IN, Demand, Kind, Rule, SessionRule
from series.sessions import Session, Status, this_weeks_session
from series.standing import CourseCount, score_of, standing
from series.store import moodle_tables, tables
from series.store.announcements import switch_on, to_tell
from series.store.audit import OPERATOR
from series.store.check_facts import known_courses
from series.store.check_ins import open_by_itself, open_check_in, sessions_to_open
from series.store.counts import completions_elsewhere
from series.store.course_counts import CountRefused, check_count
from series.store.database import Database
from series.store.evidence import derive_completion, early_evidence, facts_of, retract_evidence
from series.store.hand_edits import EditOutdated, swap_sessions, version_of
from series.store.line_items import due_placements
from series.store.mirrors import tie_course
from series.store.moodle_connections import NewConnection, save_connection
from series.store.objections import raise_objection
from series.store.picks import offered_series
from series.store.proposals import effect_of, proposal_of
from series.store.records import completions_of, records_of
from series.store.rehearsals import TRIED, NoRehearsal, remove_rehearsal
from series.store.rescoring import people_to_rescore, rescore
from series.store.round_choices import round_choice
from series.store.rules import course_count_of, rule_of, set_session_rule, somebody_relies_on
from series.store.scores import queue_missing_scores
from series.store.sessions import (
    add_session,
    change_session,
    dated_sessions_of,
    get_session,
    name_host,
    rehearsals_of,
    sessions_of,
)
from series.store.staff_notices import MailReader, week_around
from tests.conftest import NOW
from tests.examples import MALTA, SERIES, SESSION, VILNIUS, moved
from tests.rounds import next_round
from tests.seeds import ENCRYPTION_KEY, LAUNCH, Seeded, code_of, count, launch, record, seed

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
REHEARSAL = replace(  # it runs at NOW, beside the session of the week
    moved(SESSION, timedelta(minutes=-5)), session_id=UUID(int=99), title="Rehearsal", is_own=True, is_rehearsal=True
)
AHEAD = replace(moved(REHEARSAL, DAY), session_id=UUID(int=98))


@pytest.fixture
def seeded(database: Database) -> Seeded:
    """Three sessions, of which two are demanded; and two rehearsals."""
    made = seed(database)
    with database.write() as connection:
        add_session(connection, REHEARSAL, now=NOW)
        add_session(connection, AHEAD, now=NOW)
    return made


@pytest.fixture
def student(database: Database, seeded: Seeded) -> Visit:
    return launch(database)


@pytest.fixture
def tried(database: Database, student: Visit) -> Visit:
    """They have entered the rehearsal's code."""
    assert record(database, code_of(student, REHEARSAL.session_id)) == []
    return student


def change(database: Database, changed: Session) -> None:
    with database.write() as connection:
        change_session(connection, changed, by="staff 1", now=NOW)


# Lists


def test_the_sessions_of_a_series_are_those_that_count(database: Database, seeded: Seeded) -> None:
    with database.read() as connection:
        assert [one.session_id for one in sessions_of(connection, SERIES.series_id)] == seeded.session_ids
        assert rehearsals_of(connection, SERIES.series_id) == [REHEARSAL, AHEAD]
        everything = sessions_of(connection, SERIES.series_id, with_rehearsals=True)
        assert {one.session_id for one in everything} == {*seeded.session_ids, UUID(int=98), UUID(int=99)}


def test_it_is_in_no_feed(database: Database, seeded: Seeded) -> None:
    with database.read() as connection:
        dated = dated_sessions_of(connection, [SERIES.series_id])
    assert {one.session.session_id for one in dated} == set(seeded.session_ids)


def test_it_is_never_the_session_of_the_week(database: Database, seeded: Seeded) -> None:
    with database.read() as connection:
        found = this_weeks_session(sessions_of(connection, SERIES.series_id), now=NOW, zone=SERIES.time_zone)
    assert found == SESSION


def test_it_is_not_copied_into_the_next_round(seeded: Seeded) -> None:
    copies = copy_round([REHEARSAL, *seeded.sessions], UUID(int=5), starts_on=datetime(2027, 3, 1).date(), hosts=[])  # noqa: DTZ001 - a date
    assert [one.title for one in copies] == [SESSION.title] * 3
    assert not any(one.is_rehearsal for one in copies)


# What is done in it


def test_a_code_entered_in_it_is_kept_and_completes_nothing(database: Database, tried: Visit) -> None:
    with database.read() as connection:
        (fact,) = facts_of(connection, participant_id=tried.participant_id, series_id=SERIES.series_id)
        assert (fact.session_id, fact.retraction) == (REHEARSAL.session_id, None)
        assert completions_of(connection, participant_id=tried.participant_id, series_id=SERIES.series_id) == {}
    assert count(database, tables.completion) == 0
    assert count(database, tables.delivery) == 0


@pytest.mark.parametrize("kind", list(Kind))
def test_no_kind_of_evidence_completes_it_or_excuses_from_it(database: Database, student: Visit, kind: Kind) -> None:
    ways = tuple((Demand(kind=one),) for one in Kind if one is not Kind.EXCUSED)
    with database.write() as connection:
        set_session_rule(connection, AHEAD.session_id, SessionRule(ways=ways), by="test", now=NOW)
    record(database, replace(code_of(student, AHEAD.session_id), kind=kind, amount=100))
    assert count(database, tables.evidence) == 1
    assert count(database, tables.completion) == count(database, tables.excuse) == count(database, tables.delivery) == 0


def test_withdrawing_and_deriving_anew_make_nothing_of_it(database: Database, tried: Visit) -> None:
    with database.write() as connection:
        (fact,) = facts_of(connection, participant_id=tried.participant_id, series_id=SERIES.series_id)
        derive_completion(
            connection, participant_id=tried.participant_id, session_id=REHEARSAL.session_id, now=NOW + DAY
        )
        assert not retract_evidence(connection, fact.evidence.evidence_id, by="staff 1", reason="no", now=NOW + DAY)
    assert count(database, tables.completion) == count(database, tables.delivery) == 0


def test_its_check_in_opens_by_itself_as_that_of_any_session(database: Database, seeded: Seeded) -> None:
    with database.write() as connection:
        assert REHEARSAL.session_id in sessions_to_open(connection, now=NOW)
        assert open_by_itself(connection, REHEARSAL.session_id, now=NOW)


# Counts


def test_standing_and_scores_are_those_without_it(database: Database, tried: Visit) -> None:
    record(database, code_of(tried, SESSION.session_id))
    with database.read() as connection:
        records = records_of(connection, [tried.participant_id], SERIES.series_id)[tried.participant_id]
        rule = rule_of(connection, SERIES.series_id)
    assert len(records) == 3
    found = standing(records, rule, NOW)
    assert (found.done, found.required, found.live) == (1, 2, 2)
    assert score_of(records, None, rule, NOW, None).given == 1
    assert score_of(records, REHEARSAL.session_id, rule, NOW, None).given == 0
    counting_it = CourseCount(required=2, session_ids=frozenset({SESSION.session_id, REHEARSAL.session_id}))
    found = standing(records, rule, NOW, counting_it)
    assert (found.done, found.required) == (1, 1)


def test_it_does_not_raise_the_number_that_there_are(database: Database, seeded: Seeded, student: Visit) -> None:
    """Of three sessions two are cancelled: one is demanded, and a rehearsal does not make it two."""
    for one in seeded.sessions[1:]:
        change(database, replace(one, status=Status.CANCELLED))
    with database.read() as connection:
        records = records_of(connection, [student.participant_id], SERIES.series_id)[student.participant_id]
        assert standing(records, rule_of(connection, SERIES.series_id), NOW).required == 1


def test_a_course_cannot_count_it(database: Database, student: Visit) -> None:
    assert student.course_id
    new = CourseCount(required=1, session_ids=frozenset({AHEAD.session_id}))
    with database.read() as connection, pytest.raises(CountRefused) as refused:
        check_count(connection, student.course_id, SERIES.series_id, new, now=NOW - DAY)
    assert refused.value.problem is not CountProblem.HARDER
    with database.read() as connection:
        assert course_count_of(connection, student.course_id, SERIES.series_id) is None


def test_other_universities_see_nobody_more_for_it(database: Database, tried: Visit) -> None:
    with database.read() as connection:
        for session_id in (REHEARSAL.session_id, SESSION.session_id):
            elsewhere = completions_elsewhere(connection, session_id=session_id, university_id=VILNIUS.university_id)
            assert elsewhere == 0


def test_no_gradebook_is_asked_for_a_place_because_of_it(database: Database, seeded: Seeded) -> None:
    lacking = structs.replace(LAUNCH, line_item_url=None)
    visit = launch(database, lacking)
    record(database, code_of(visit, REHEARSAL.session_id))
    with database.write() as connection:
        assert due_placements(connection, scopes=LAUNCH.ags_scopes, now=NOW, limit=9) == []
        missing = queue_missing_scores(
            connection, participant_id=visit.participant_id, placement_id=visit.placement_id, now=NOW
        )
    assert missing == []


def test_working_out_all_scores_anew_finds_nothing_of_it(database: Database, tried: Visit) -> None:
    early = code_of(tried, AHEAD.session_id, source_id="2")
    record(database, early)
    with database.write() as connection:
        assert early_evidence(connection, SERIES.series_id, now=NOW) == {}
        assert people_to_rescore(connection, SERIES.series_id) == []
        assert rescore(connection, [tried.participant_id], SERIES.series_id, now=NOW + 2 * DAY) == set()
    assert count(database, tables.completion) == count(database, tables.delivery) == 0


def test_neither_adding_nor_changing_it_makes_anybody_work(database: Database, seeded: Seeded) -> None:
    with database.write() as connection:
        connection.execute(sa.update(tables.series).values(scores_stale_at=None))
        add_session(connection, replace(AHEAD, session_id=UUID(int=97)), now=NOW)
        change_session(connection, moved(AHEAD, DAY), by="staff 1", now=NOW)
        assert connection.execute(sa.select(tables.series.c.scores_stale_at)).scalar_one() is None


# The rule


def test_what_was_tried_in_it_fixes_no_rule(database: Database, tried: Visit) -> None:
    with database.read() as connection:
        assert not somebody_relies_on(connection, SERIES.series_id)
        proposal = proposal_of(connection, SERIES.series_id, Rule(required=1), now=NOW)
        effect = effect_of(connection, SERIES.series_id, proposal, now=NOW)
    assert (effect.complete_now, effect.complete_then) == (0, 0)


def test_a_proposed_rule_shows_the_sessions_that_count(database: Database, seeded: Seeded) -> None:
    """Also when a rehearsal has a rule of its own."""
    with database.write() as connection:
        set_session_rule(connection, AHEAD.session_id, SessionRule(ways=(CHECK_IN,)), by="test", now=NOW)
        proposal = proposal_of(connection, SERIES.series_id, Rule(ways=(CHECK_IN,), required=1), now=NOW)
    shown = proposal.followers | proposal.frozen | proposal.own
    assert not shown & {REHEARSAL.session_id, AHEAD.session_id}


# Calendars


def test_no_import_pairs_it_cancels_it_or_sees_it(database: Database, seeded: Seeded) -> None:
    """A calendar with an event of its title at its time makes a session of its own."""
    known = _known(database)
    same = Occurrence(
        source_uid="rehearsal@example",
        original_start_at=AHEAD.start_at,
        start_at=AHEAD.start_at,
        end_at=AHEAD.end_at,
        wall_start=AHEAD.wall_start,
        zone=AHEAD.zone,
        title=AHEAD.title,
        description="",
        hosting_university=None,
        join_url=None,
        cancelled=False,
        sequence=0,
    )
    plan = plan_import((same,), known, now=NOW)
    assert AHEAD.session_id not in {one.session_id for one in plan.changed} | set(plan.paired)
    assert AHEAD.session_id not in {session_id for _, session_id in plan.rekeyed}


def test_the_brake_takes_its_share_of_the_sessions_that_count(database: Database, seeded: Seeded) -> None:
    """Two of two to come are cancelled: that is all of them, however many rehearsals there are."""
    sessions = _known(database).sessions
    assert len(sessions) == 3
    gone = [replace(one, status=Status.CANCELLED) for one in seeded.sessions[1:]]
    assert brake(Plan(new=(), changed=tuple(gone), rekeyed=()), sessions, now=NOW)


def test_its_university_is_not_swapped_with_that_of_a_session(database: Database, seeded: Seeded) -> None:
    ahead = seeded.sessions[1]
    with database.write() as connection, pytest.raises(EditOutdated):
        swap_sessions(
            connection,
            SERIES.series_id,
            ahead.session_id,
            version_of(ahead),
            AHEAD.session_id,
            lambda one, other: (one, other),
            actor=OPERATOR,
            now=NOW,
        )


# Rounds


def test_a_round_of_which_only_a_rehearsal_is_left_does_not_go_on(database: Database, seeded: Seeded) -> None:
    """Nor is a course kept from the question whether it takes the new one."""
    teacher = launch(database, structs.replace(LAUNCH, sub="8", is_teacher=True, is_learner=False))
    new, _ = next_round(database, (NOW + 20 * WEEK).date())
    after = NOW + 10 * WEEK
    change(database, moved(AHEAD, 11 * WEEK))
    with database.read() as connection:
        assert [one.series_id for one in offered_series(connection, None, now=after)] == [new.series_id]
        choice = round_choice(connection, teacher, now=after)
    assert choice is not None
    assert choice.is_asked


def test_a_rehearsal_does_not_begin_the_new_round(database: Database, seeded: Seeded) -> None:
    """So an activity that is added now is meant for the old one."""
    new, _ = next_round(database, (NOW + 20 * WEEK).date())
    early = replace(moved(AHEAD, -WEEK), session_id=UUID(int=97), series_id=new.series_id)
    with database.write() as connection:
        add_session(connection, early, now=NOW)
    of_old = structs.replace(LAUNCH, sub="8", is_teacher=True, is_learner=False, custom_series_id=str(SERIES.series_id))
    teacher = launch(database, of_old)
    with database.read() as connection:
        choice = round_choice(connection, teacher, now=NOW)
    assert choice is not None
    assert not choice.is_asked


# Moodle, announcements, mail


@pytest.fixture
def course_id(database: Database, student: Visit) -> int:
    """Of Malta's Moodle, which is connected; it wants its changes announced."""
    assert student.course_id
    with database.write() as connection:
        save_connection(
            connection,
            NewConnection(
                university_id=MALTA.university_id,
                base_url=LAUNCH.issuer,
                token="t" * 32,
                moodle_user_id=3,
                site_name="Malta",
            ),
            encryption_key=ENCRYPTION_KEY,
            now=NOW,
        )
        tie_course(
            connection,
            university_id=MALTA.university_id,
            moodle_course_id=int(LAUNCH.context_id or ""),
            title="Teaching STEM",
            series_id=SERIES.series_id,
            now=NOW,
        )
        switch_on(connection, student.course_id, now=NOW)
    return student.course_id


def test_moving_or_cancelling_it_is_announced_nowhere(database: Database, course_id: int) -> None:
    change(database, moved(AHEAD, DAY))
    change(database, replace(AHEAD, status=Status.CANCELLED))
    with database.read() as connection:
        assert to_tell(connection, [course_id], now=NOW) == []
    assert count(database, moodle_tables.seen_session) == 0


def test_a_check_of_a_moodle_course_knows_only_sessions_that_count(
    database: Database, course_id: int, seeded: Seeded
) -> None:
    change(database, replace(SESSION, status=Status.CANCELLED))
    with database.read() as connection:
        (known,) = known_courses(connection, MALTA.university_id, base_url=LAUNCH.issuer, now=NOW)
    assert known.first_at == seeded.sessions[1].start_at, "and no rehearsal that is before it"


def test_no_mail_speaks_of_it(database: Database, seeded: Seeded) -> None:
    change(database, moved(AHEAD, timedelta(hours=1)))
    reader = MailReader(staff_id=1, email="", university_id=None, university_slug=None, zone="UTC", last_digest_at=NOW)
    with database.read() as connection:
        week = week_around(connection, reader, now=NOW + timedelta(hours=2))
    assert not any(one.is_rehearsal for one in (*week.held, *week.coming, *week.replanned))
    assert [one.session_id for one in week.held] == [SESSION.session_id]


def test_no_activity_hangs_on_it(database: Database, seeded: Seeded) -> None:
    """Whoever types its id into an activity gets the whole series."""
    visit = launch(
        database,
        structs.replace(LAUNCH, resource_link_id="9", custom_session_id=str(REHEARSAL.session_id)),
    )
    assert (visit.series_id, visit.session_id) == (SERIES.series_id, None)


# Removing it


def test_removing_it_takes_all_that_was_tried_and_leaves_all_that_counts(database: Database, tried: Visit) -> None:
    record(database, code_of(tried, SESSION.session_id))
    assert tried.course_id
    with database.write() as connection:
        open_check_in(
            connection, session_id=REHEARSAL.session_id, code="123456", participant_id=tried.participant_id, now=NOW
        )
        (fact, *_) = facts_of(connection, participant_id=tried.participant_id, series_id=SERIES.series_id)
        retract_evidence(connection, fact.evidence.evidence_id, by="staff 1", reason="no", now=NOW)
        name_host(connection, session_id=REHEARSAL.session_id, participant_id=tried.participant_id)
        raise_objection(
            connection,
            participant_id=tried.participant_id,
            course_id=tried.course_id,
            series_id=SERIES.series_id,
            session_id=REHEARSAL.session_id,
            text="wrong",
            now=NOW,
        )
        change_session(connection, replace(REHEARSAL, join_url="https://x.example"), by="staff 1", now=NOW)
    with database.write() as connection:
        remove_rehearsal(connection, SERIES.series_id, REHEARSAL.session_id, by="staff 1", now=NOW)
    with database.read() as connection:
        assert get_session(connection, REHEARSAL.session_id) is None
        (left,) = facts_of(connection, participant_id=tried.participant_id, series_id=SERIES.series_id)
        assert left.session_id == SESSION.session_id
        removed = connection.execute(sa.select(tables.audit).order_by(tables.audit.c.id.desc())).first()
    assert removed is not None
    assert (removed.actor, removed.action, removed.detail) == ("staff 1", "remove_rehearsal", '{"evidence": 1}')
    assert count(database, tables.completion) == 1
    assert [count(database, table) for table in TRIED] == [0] * len(TRIED)


def test_what_counts_cannot_be_removed(database: Database, seeded: Seeded) -> None:
    for series_id, session_id in (
        (SERIES.series_id, SESSION.session_id),
        (UUID(int=1), REHEARSAL.session_id),
        (SERIES.series_id, UUID(int=1)),
    ):
        with database.write() as connection, pytest.raises(NoRehearsal):
            remove_rehearsal(connection, series_id, session_id, by="staff 1", now=NOW)
    assert count(database, tables.session) == 5


NEVER_OF_A_REHEARSAL = {  # because it is not completed, mirrored, announced, imported, mapped, placed or copied
    "completion",
    "excuse",
    "mirror",
    "announcement",
    "seen_session",
    "session_alias",
    "mapped_activity",
    "activity_state",
    "placement",
    "session",
}
ASIDE = {"evidence", "rule_version"}  # deleted in their own way; a rule's history stays


def test_every_table_that_speaks_of_a_session_is_thought_of() -> None:
    """Whoever makes another one decides what becomes of it when a rehearsal is removed."""
    speaks = {
        table.name
        for table in tables.metadata.sorted_tables
        if any(key.column.table is tables.session for key in table.foreign_keys)
    }
    assert speaks == {table.name for table in TRIED} | NEVER_OF_A_REHEARSAL | ASIDE


def _known(database: Database) -> Known:
    with database.read() as connection:
        sessions = {one.session_id: one for one in sessions_of(connection, SERIES.series_id)}
    return Known(series_id=SERIES.series_id, sessions=sessions, aliases={}, universities=(MALTA, VILNIUS))
