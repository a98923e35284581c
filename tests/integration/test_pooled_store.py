"""Counting in steps: what is counted, who is left out, and that only changes are kept; on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from series.audience import Audience, CourseAudience
from series.pooled import TERM, Block, PooledBy
from series.sessions import Status
from series.store.course_audiences import set_audience
from series.store.database import Database
from series.store.evidence import record_evidence
from series.store.pooled import series_due
from series.store.pooled_own import own_counts
from series.store.pooled_settings import pooled_by_of, set_smallest_group
from series.store.pooled_tables import pooled_count
from series.store.sessions import change_session
from series.store.tables import membership, participant, placement, university
from tests.at_once import at_once
from tests.conftest import NOW
from tests.databases import Databases
from tests.examples import MALTA, SERIES, VILNIUS
from tests.integration.pooled import MONDAY, Crowd, by_key, complete, gather, step, steps
from tests.seeds import code_of, count, record

WEEK = timedelta(weeks=1)


@pytest.fixture
def crowd(database: Database) -> Crowd:
    """Three people of Malta and one of Vilnius in the first session, one of Malta in the second."""
    made = gather(database)
    complete(database, made.sessions[0], [*made.malta, made.vilnius[0]])
    complete(database, made.sessions[1], [made.malta[0]], at=NOW + WEEK)
    return made


def test_a_step_counts_distinct_people_of_every_university(database: Database, crowd: Crowd) -> None:
    first, second, _ = (f"session:{one}" for one in crowd.sessions)
    assert by_key(step(database)) == {
        first: {MALTA.university_id: 3, VILNIUS.university_id: 1},
        second: {MALTA.university_id: 1, VILNIUS.university_id: 0},
        "month:2026-11": {MALTA.university_id: 3, VILNIUS.university_id: 1},
        "term": {MALTA.university_id: 3, VILNIUS.university_id: 1},
    }


def test_blocks_are_in_the_order_of_time_and_the_term_is_last(database: Database, crowd: Crowd) -> None:
    taken = step(database)
    assert taken is not None
    first, second, _ = crowd.sessions
    wanted = [Block(session_id=first), Block(session_id=second), Block(month="2026-11"), TERM]
    assert list(taken.counts) == wanted


def test_a_month_waits_for_its_last_session(database: Database, crowd: Crowd) -> None:
    """The second and the third session are in December; only the second one is over."""
    assert "month:2026-12" not in by_key(step(database))
    assert "month:2026-12" in by_key(step(database, at=MONDAY + WEEK))


def test_a_session_counts_when_it_is_over(database: Database, crowd: Crowd) -> None:
    complete(database, crowd.sessions[2], crowd.vilnius, at=MONDAY - WEEK)  # confirmed ahead
    assert f"session:{crowd.sessions[2]}" not in by_key(step(database))
    assert by_key(steps(database)[-1])["term"][VILNIUS.university_id] == 1
    later = by_key(step(database, at=MONDAY + WEEK))
    assert later[f"session:{crowd.sessions[2]}"][VILNIUS.university_id] == 2


def test_only_what_has_changed_is_written(database: Database, crowd: Crowd) -> None:
    step(database)
    rows = count(database, pooled_count)
    complete(database, crowd.sessions[0], [crowd.vilnius[1]])
    step(database, at=MONDAY + timedelta(days=1))
    assert count(database, pooled_count) == rows + 3  # its session, its month, the term


def test_each_step_is_given_back_whole_and_as_it_was(database: Database, crowd: Crowd) -> None:
    one = step(database)
    complete(database, crowd.sessions[0], [crowd.vilnius[1]])
    other = step(database, at=MONDAY + WEEK)
    assert steps(database) == (one, other)
    assert [by_key(taken)["term"][VILNIUS.university_id] for taken in (one, other)] == [1, 2]


def test_what_happens_between_two_steps_is_seen_by_nobody(database: Database, crowd: Crowd) -> None:
    before = step(database)
    complete(database, crowd.sessions[0], [crowd.vilnius[1]])
    assert steps(database) == (before,)
    assert step(database) is None  # for this Monday there is one


def test_dpo_13_who_has_objected_is_in_no_pooled_number(database: Database, crowd: Crowd) -> None:
    with database.write() as connection:
        them = participant.c.id == crowd.malta[0].participant_id
        connection.execute(sa.update(participant).where(them).values(objected_at=NOW))
    counts = by_key(step(database))
    assert counts[f"session:{crowd.sessions[0]}"][MALTA.university_id] == 2
    assert counts[f"session:{crowd.sessions[1]}"][MALTA.university_id] == 0
    assert counts["term"][MALTA.university_id] == 2


def test_what_a_university_had_when_it_left_stays_as_it_was_published(database: Database, crowd: Crowd) -> None:
    step(database)
    complete(database, crowd.sessions[0], [crowd.vilnius[1]])
    with database.write() as connection:
        connection.execute(sa.update(university).where(university.c.id == VILNIUS.university_id).values(left_at=NOW))
    counts = by_key(step(database, at=MONDAY + WEEK))
    assert counts["term"] == {MALTA.university_id: 3, VILNIUS.university_id: 1}
    assert counts[f"session:{crowd.sessions[2]}"] == {MALTA.university_id: 0}  # it had left before


def test_dpo_13_who_objects_later_goes_when_k_have_gone(database: Database) -> None:
    """One less in exactly their sessions would tell whoever knows of it where they had been."""
    made = gather(database, malta=6)
    complete(database, made.sessions[0], made.malta)
    with database.write() as connection:
        set_smallest_group(connection, SERIES.series_id, 3, by="staff 1", now=NOW)
    step(database)
    told = []
    for week, one in enumerate(made.malta[:3], start=1):
        with database.write() as connection:
            them = participant.c.id == one.participant_id
            connection.execute(sa.update(participant).where(them).values(objected_at=NOW))
        counts = by_key(step(database, at=MONDAY + week * WEEK))
        told.append([counts[block][MALTA.university_id] for block in (f"session:{made.sessions[0]}", "term")])
    assert told == [[6, 6], [6, 6], [3, 3]]


def test_people_are_counted_by_whom_their_courses_teach(database: Database, crowd: Crowd) -> None:
    step(database)
    assert not any(block.audience for block in steps(database)[-1].counts), "nobody has said it"
    malta = crowd.malta[0].course_id
    assert malta is not None
    with database.write() as connection:
        audience = CourseAudience(audience=Audience.IN_SERVICE)
        set_audience(connection, malta, SERIES.series_id, audience, by="visit 1", now=NOW)
    counts = by_key(step(database, at=MONDAY + WEEK))
    assert counts["audience:in_service"] == {MALTA.university_id: 3, VILNIUS.university_id: 0}
    assert counts["audience:not_said"] == {MALTA.university_id: 0, VILNIUS.university_id: 1}


def test_whoever_is_in_courses_of_both_kinds_counts_once(database: Database, crowd: Crowd) -> None:
    malta, vilnius = crowd.malta[0].course_id, crowd.vilnius[0].course_id
    assert malta is not None
    assert vilnius is not None
    with database.write() as connection:
        for course_id, audience in ((malta, Audience.IN_SERVICE), (vilnius, Audience.PRE_SERVICE)):
            said = CourseAudience(audience=audience)
            set_audience(connection, course_id, SERIES.series_id, said, by="visit 1", now=NOW)
        placement_id = connection.execute(
            sa.select(placement.c.id).where(placement.c.course_id == vilnius)
        ).scalar_one()
        connection.execute(
            sa.insert(membership).values(
                participant_id=crowd.malta[0].participant_id, placement_id=placement_id, is_learner=True
            )
        )
    counts = by_key(step(database))
    assert {key: cells[MALTA.university_id] for key, cells in counts.items() if "audience" in key} == {
        "audience:both": 1,
        "audience:in_service": 2,
        "audience:pre_service": 0,
    }


def test_a_cancelled_session_is_no_block(database: Database, crowd: Crowd) -> None:
    with database.write() as connection:
        third = replace(crowd.seeded.sessions[2], status=Status.CANCELLED)
        change_session(connection, third, by="staff 1", now=NOW)
    counts = by_key(step(database, at=MONDAY + WEEK))
    assert f"session:{crowd.sessions[2]}" not in counts
    assert "month:2026-12" in counts


def test_by_which_columns_is_decided_by_the_first_step_and_kept(database: Database, crowd: Crowd) -> None:
    step(database)  # of five people: by session, nothing could be shown
    for later in (MONDAY + WEEK, MONDAY + 2 * WEEK):
        with database.write() as connection:
            assert pooled_by_of(connection, SERIES.series_id) is PooledBy.MONTH
            set_smallest_group(connection, SERIES.series_id, 3, by="staff 1", now=NOW)
        complete(database, crowd.sessions[1], [*crowd.malta, *crowd.vilnius])
        step(database, at=later)


def test_many_workers_take_one_step(database: Database, crowd: Crowd) -> None:
    taken = at_once(database, lambda opened, _: step(opened))
    assert sum(one is not None for one in taken) == 1
    assert len(steps(database)) == 1


def test_the_first_step_is_of_the_monday_after_the_first_evidence(database: Database) -> None:
    crowd = gather(database)
    complete(database, crowd.sessions[0], crowd.malta, at=NOW)
    due = MONDAY - WEEK
    with database.read() as connection:
        assert series_due(connection, now=due - timedelta(seconds=1)) == {}  # Tuesday to Sunday
        assert series_due(connection, now=due) == {SERIES.slug: due}
        assert series_due(connection, now=due + timedelta(days=3)) == {SERIES.slug: due}  # the worker was down


def test_a_series_in_which_nobody_is_takes_no_step(database: Database) -> None:
    gather(database)
    with database.read() as connection:
        assert series_due(connection, now=MONDAY) == {}


def test_a_step_is_due_once_a_week_until_half_a_year_after_the_end(database: Database, crowd: Crowd) -> None:
    step(database)
    end = crowd.seeded.sessions[-1].end_at
    with database.read() as connection:
        assert series_due(connection, now=MONDAY + timedelta(days=6)) == {}
        assert series_due(connection, now=MONDAY + WEEK) == {SERIES.slug: MONDAY + WEEK}
        assert series_due(connection, now=end + 25 * WEEK) != {}
        assert series_due(connection, now=end + 28 * WEEK) == {}


def test_own_people_are_counted_as_of_now(database: Database, crowd: Crowd) -> None:
    malta = crowd.malta[0]
    assert malta.course_id is not None
    with database.read() as connection:
        of_malta = {"university_id": MALTA.university_id, "course_id": malta.course_id}
        own = own_counts(connection, series_id=SERIES.series_id, **of_malta, now=MONDAY)
    first, second, third = (Block(session_id=one) for one in crowd.sessions)
    november, december = Block(month="2026-11"), Block(month="2026-12")
    assert own.university == {first: 3, second: 1, third: 0, november: 3, december: 1, TERM: 3}
    assert own.course == own.university


def test_dpo_08_few_people_in_a_colleagues_course_are_not_told_apart(database: Database, crowd: Crowd) -> None:
    """Whoever teaches one course of a university knows it, and must not work out a small other one."""
    with database.write() as connection:
        own = own_counts(connection, series_id=SERIES.series_id, **_colleague(crowd), now=MONDAY)
        assert (own.course[TERM], own.university[TERM]) == (0, None)
        set_smallest_group(connection, SERIES.series_id, 3, by="staff 1", now=NOW)
        own = own_counts(connection, series_id=SERIES.series_id, **_colleague(crowd), now=MONDAY)
    first, second, _ = (Block(session_id=one) for one in crowd.sessions)
    assert (own.university[first], own.university[second]) == (3, None)
    november, december = Block(month="2026-11"), Block(month="2026-12")
    assert own.university[november] == 3
    assert own.university[december] is None
    assert own.university[TERM] is None, "less what is shown, it would be what is hidden"


def test_a_cancelled_session_hides_no_sum_of_the_own_university(database: Database, crowd: Crowd) -> None:
    """It says that it was cancelled: nobody of a small course can be worked out from the sum."""
    _, second, third = crowd.seeded.sessions
    complete(database, second.session_id, crowd.malta, at=NOW + WEEK)
    with database.write() as connection:
        change_session(connection, replace(third, status=Status.CANCELLED), by="staff 1", now=NOW)
        set_smallest_group(connection, SERIES.series_id, 3, by="staff 1", now=NOW)
        own = own_counts(connection, series_id=SERIES.series_id, **_colleague(crowd), now=third.end_at)
    assert own.university[TERM] == 3


def _colleague(crowd: Crowd) -> dict[str, int]:
    """Somebody who teaches a course of Malta in which nobody of Malta is."""
    vilnius = crowd.vilnius[0]
    assert vilnius.course_id is not None
    return {"university_id": MALTA.university_id, "course_id": vilnius.course_id}


def test_a_check_in_waits_for_nobody_elses(databases: Databases) -> None:
    """Though both change the same numbers: with one counter row the second would wait until the first has ended."""
    with databases.fresh("postgresql") as url:  # SQLite has one writer at a time
        database, impatient = Database(url), Database(url, busy_timeout_s=1)
        crowd = gather(database)
        complete(database, crowd.sessions[0], crowd.malta[2:])  # by the very first one, the session's rule is frozen
        first, second = (code_of(one, crowd.sessions[0]) for one in crowd.malta[:2])
        with database.write() as open_one:
            record_evidence(open_one, first, now=NOW)
            record(impatient, second)
        assert by_key(step(database))["term"][MALTA.university_id] == 3
        database.dispose()
        impatient.dispose()
