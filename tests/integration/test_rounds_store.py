"""Copied courses and new rounds, in the store."""

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.people import Visit
from series.store.database import Database
from series.store.evidence import facts_of
from series.store.launch_values import NewVisit
from series.store.picks import offered_series
from series.store.round_choices import RoundChoice, RoundEffect, round_choice, round_effect, take_round
from series.store.rounds import newest_round
from series.store.tables import audit, course_series, delivery, placement, series, session
from tests.conftest import NOW
from tests.examples import SERIES
from tests.rounds import next_round
from tests.seeds import LAUNCH, LINE_ITEM, Seeded, code_of, launch, record, seed

SPRING = date(2027, 3, 16)
AFTER = NOW + timedelta(weeks=10)  # the old round is over, the new one has not begun
TEACHER = structs.replace(LAUNCH, sub="8", is_teacher=True, is_learner=False)
COPY = structs.replace(
    TEACHER, context_id="3", resource_link_id="11", context_history=("2",), line_item_url=f"{LINE_ITEM}&c"
)


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


def shown(database: Database, visit: Visit) -> tuple[UUID, UUID | None]:
    with database.read() as connection:
        query = sa.select(placement.c.series_id, placement.c.session_id).where(placement.c.id == visit.placement_id)
        return tuple(connection.execute(query).one())


def choice_of(database: Database, visit: Visit, at: object = AFTER) -> RoundChoice | None:
    with database.read() as connection:
        return round_choice(connection, visit, now=at)  # type: ignore[arg-type]


def effect_of(database: Database, visit: Visit, choice: RoundChoice) -> RoundEffect:
    assert visit.course_id is not None
    with database.read() as connection:
        return round_effect(connection, visit.course_id, from_id=choice.old.series_id, to_id=choice.new.series_id)


def take(database: Database, visit: Visit, *, is_taken: bool = True, at: datetime = AFTER) -> None:
    choice = choice_of(database, visit, at)
    assert choice is not None
    with database.write() as connection:
        take_round(connection, visit, choice, is_taken=is_taken, by="participant 8", now=at)


def of_session(new: NewVisit, session_id: UUID, link: str) -> NewVisit:
    return structs.replace(
        new, resource_link_id=link, custom_session_id=str(session_id), line_item_url=f"{LINE_ITEM}&{link}"
    )


# Copied courses


def test_pitfall_34_our_ids_find_the_session_in_a_copy(database: Database, seeded: Seeded) -> None:
    wanted = seeded.session_ids[1]
    assert shown(database, launch(database, of_session(COPY, wanted, "12"))) == (SERIES.series_id, wanted)


@pytest.mark.parametrize("foreign", ["5e551000-0000-4000-8000-00000000ffff", "$ResourceLink.x", "17", "x' OR 1=1"])
def test_ids_of_another_installation_show_the_courses_series(database: Database, seeded: Seeded, foreign: str) -> None:
    copied = structs.replace(COPY, custom_session_id=foreign, custom_series_id=foreign)
    assert shown(database, launch(database, copied)) == (SERIES.series_id, None)


def test_pitfall_34_a_copy_without_our_ids_shows_what_its_original_shows(database: Database, seeded: Seeded) -> None:
    wanted = seeded.session_ids[1]
    launch(database, of_session(TEACHER, wanted, "5"))
    copied = structs.replace(COPY, resource_link_history=("99", "5", "1"))
    assert shown(database, launch(database, copied)) == (SERIES.series_id, wanted)


def test_a_history_of_another_deployment_says_nothing(database: Database, seeded: Seeded) -> None:
    wanted = seeded.session_ids[1]
    launch(database, of_session(TEACHER, wanted, "5"))
    with database.write() as connection:
        connection.execute(
            sa.text("INSERT INTO deployment (platform_id, deployment_id, state) VALUES (1, '2', 'approved')")
        )
    copied = structs.replace(COPY, deployment_id="2", resource_link_history=("5",))
    assert shown(database, launch(database, copied)) == (SERIES.series_id, None)


def test_a_copy_by_hand_shows_the_series_of_its_original_course(database: Database, seeded: Seeded) -> None:
    launch(database, TEACHER)
    next_round(database, SPRING, now=NOW + timedelta(days=1))
    assert shown(database, launch(database, COPY)) == (SERIES.series_id, None)
    fresh = structs.replace(COPY, context_id="4", resource_link_id="12", context_history=())
    assert shown(database, launch(database, fresh))[0] != SERIES.series_id  # the newest


# The question


def test_a_round_knows_the_one_before(database: Database, seeded: Seeded) -> None:
    new, copies = next_round(database, SPRING)
    with database.read() as connection:
        of_series = connection.execute(
            sa.select(series.c.copied_from_id).where(series.c.id == new.series_id)
        ).scalar_one()
        query = sa.select(session.c.copied_from_id).where(session.c.series_id == new.series_id)
        of_sessions = set(connection.execute(query).scalars())
        assert newest_round(connection, SERIES.series_id) == new.series_id
        assert newest_round(connection, new.series_id) is None
    assert of_series == SERIES.series_id
    assert of_sessions == set(seeded.session_ids)
    assert len(copies) == 3


def test_nobody_is_asked_without_a_new_round(database: Database, seeded: Seeded) -> None:
    assert choice_of(database, launch(database, TEACHER)) is None


def test_a_course_is_asked_when_the_old_round_is_over(database: Database, seeded: Seeded) -> None:
    visit = launch(database, TEACHER)
    next_round(database, SPRING)
    now, after = choice_of(database, visit, NOW), choice_of(database, visit)
    assert now is not None
    assert after is not None
    assert (now.is_asked, after.is_asked, after.is_taken) == (False, True, None)


def test_a_copied_course_is_asked_at_once(database: Database, seeded: Seeded) -> None:
    visit = launch(database, COPY)
    next_round(database, SPRING)
    choice = choice_of(database, visit, NOW)
    assert choice is not None
    assert choice.is_asked


def test_an_activity_that_comes_when_the_new_round_has_begun_is_asked_about(database: Database, seeded: Seeded) -> None:
    next_round(database, NOW.date() - timedelta(weeks=1))
    tied = structs.replace(TEACHER, custom_series_id=str(SERIES.series_id))
    choice = choice_of(database, launch(database, tied), NOW)
    assert choice is not None
    assert choice.is_asked


def test_the_newest_of_several_rounds_is_offered(database: Database, seeded: Seeded) -> None:
    visit = launch(database, TEACHER)
    second, _ = next_round(database, SPRING)
    third, _ = next_round(database, SPRING + timedelta(weeks=30), of=second, slug="autumn-2")
    choice = choice_of(database, visit)
    assert choice is not None
    assert choice.new.series_id == third.series_id


# The answer


def test_yes_takes_all_activities_of_the_course_to_the_new_round(database: Database, seeded: Seeded) -> None:
    whole = launch(database, TEACHER)
    one = launch(database, of_session(TEACHER, seeded.session_ids[1], "5"))
    elsewhere = launch(database, structs.replace(TEACHER, context_id="9", resource_link_id="9"))
    new, copies = next_round(database, SPRING)
    take(database, whole)
    assert shown(database, whole) == (new.series_id, None)
    assert shown(database, one) == (new.series_id, copies[1].session_id)
    assert shown(database, elsewhere) == (SERIES.series_id, None)
    choice = choice_of(database, launch(database, TEACHER))
    assert choice is not None
    assert (choice.is_taken, choice.is_asked) == (True, False)


def test_sessions_are_followed_over_several_rounds(database: Database, seeded: Seeded) -> None:
    one = launch(database, of_session(TEACHER, seeded.session_ids[2], "5"))
    second, _ = next_round(database, SPRING)
    third, copies = next_round(database, SPRING + timedelta(weeks=30), of=second, slug="autumn-2")
    take(database, one)
    assert shown(database, one) == (third.series_id, copies[2].session_id)


def test_an_activity_that_is_opened_later_follows(database: Database, seeded: Seeded) -> None:
    whole = launch(database, COPY)
    new, copies = next_round(database, SPRING)
    take(database, whole)
    later = launch(database, of_session(COPY, seeded.session_ids[0], "12"))
    assert shown(database, later) == (new.series_id, copies[0].session_id)
    again = launch(database, structs.replace(COPY, custom_series_id=str(SERIES.series_id)))
    assert shown(database, again) == (new.series_id, None)
    with database.read() as connection:
        tied = set(connection.execute(sa.select(course_series.c.series_id)).scalars())
    assert tied == {SERIES.series_id, new.series_id}


def test_a_session_without_a_counterpart_stays(database: Database, seeded: Seeded) -> None:
    with database.write() as connection:
        connection.execute(sa.update(session).where(session.c.id == seeded.session_ids[1]).values(status="cancelled"))
    one = launch(database, of_session(TEACHER, seeded.session_ids[1], "5"))
    next_round(database, SPRING)
    choice = choice_of(database, one)
    assert choice is not None
    effect = effect_of(database, one, choice)
    assert (effect.moved, effect.left) == (0, (seeded.sessions[1].title,))
    take(database, one)
    assert shown(database, one) == (SERIES.series_id, seeded.session_ids[1])


def test_no_keeps_the_old_round_and_is_asked_no_more(database: Database, seeded: Seeded) -> None:
    visit = launch(database, TEACHER)
    next_round(database, SPRING)
    take(database, visit, is_taken=False)
    choice = choice_of(database, visit)
    assert choice is not None
    assert (choice.is_taken, choice.is_asked) == (False, False)
    assert shown(database, visit) == (SERIES.series_id, None)


def test_the_answer_can_be_changed_and_changed_back(database: Database, seeded: Seeded) -> None:
    visit = launch(database, of_session(TEACHER, seeded.session_ids[1], "5"))
    new, copies = next_round(database, SPRING)
    take(database, visit, is_taken=False)
    take(database, visit)
    assert shown(database, visit) == (new.series_id, copies[1].session_id)
    take(database, launch(database, of_session(TEACHER, seeded.session_ids[1], "5")), is_taken=False)
    assert shown(database, visit) == (SERIES.series_id, seeded.session_ids[1])
    with database.read() as connection:
        said = list(connection.execute(sa.select(audit.c.action).order_by(audit.c.id)).scalars())
    assert said == ["keep_round", "take_round", "keep_round"]


def test_what_was_done_stays_and_no_grade_is_lowered(database: Database, seeded: Seeded) -> None:
    """The same course is used again: its column holds the old round's grades."""
    student = launch(database, LAUNCH)
    record(database, code_of(student, seeded.session_ids[0]))
    record(database, code_of(student, seeded.session_ids[1], source_id="2"))
    visit = launch(database, TEACHER)
    _, copies = next_round(database, SPRING)
    choice = choice_of(database, visit)
    assert choice is not None
    assert effect_of(database, visit, choice).grades == 1
    take(database, visit)
    launch(database, LAUNCH, now=AFTER)
    record(database, code_of(student, copies[0].session_id, source_id="3", at=AFTER), now=AFTER)
    with database.read() as connection:
        facts = facts_of(connection, participant_id=student.participant_id, series_id=SERIES.series_id)
        scores = [
            tuple(row)
            for row in connection.execute(
                sa.select(delivery.c.score_given, delivery.c.version).order_by(delivery.c.version)
            )
        ]
    assert len(facts) == 2
    assert scores == [(1, 1), (2, 2)]  # and no 1 of 2 of the new round


def test_the_columns_of_a_copied_course_begin_empty(database: Database, seeded: Seeded) -> None:
    visit = launch(database, COPY)
    _, copies = next_round(database, SPRING)
    choice = choice_of(database, visit)
    assert choice is not None
    assert effect_of(database, visit, choice).grades == 0
    take(database, visit)
    student = launch(database, structs.replace(COPY, sub="5", is_teacher=False, is_learner=True), now=AFTER)
    record(database, code_of(student, copies[0].session_id, at=AFTER), now=AFTER)
    with database.read() as connection:
        row = connection.execute(sa.select(delivery.c.line_item_url, delivery.c.score_given)).one()
    assert row == (f"{LINE_ITEM}&c", 1)


def test_a_yes_that_has_missed_an_activity_is_asked_for_again(database: Database, seeded: Seeded) -> None:
    """It was opened for the first time in the very moment of the answer."""
    visit = launch(database, TEACHER)
    next_round(database, SPRING)
    take(database, visit)
    with database.write() as connection:
        connection.execute(sa.update(placement).values(series_id=SERIES.series_id))
    visit = launch(database, TEACHER)
    choice = choice_of(database, visit)
    assert choice is not None
    assert (choice.is_taken, choice.is_asked) == (None, True)


# The calendar and the feed


def ties(database: Database) -> dict[UUID, bool]:
    """Series that the course shows: whether they stand in its calendar."""
    with database.read() as connection:
        rows = connection.execute(sa.select(course_series.c.series_id, course_series.c.is_mirrored))
        return {row.series_id: row.is_mirrored for row in rows}


def test_what_is_over_stays_in_the_calendar_of_a_course_that_goes_over(database: Database, seeded: Seeded) -> None:
    visit = launch(database, TEACHER)
    new, _ = next_round(database, SPRING)
    take(database, visit)
    assert ties(database) == {SERIES.series_id: True, new.series_id: True}


def test_a_round_that_is_left_while_it_goes_on_leaves_the_calendar(database: Database, seeded: Seeded) -> None:
    visit = launch(database, COPY)
    new, _ = next_round(database, SPRING)
    take(database, visit, at=NOW)
    assert ties(database) == {new.series_id: True}


def test_going_back_takes_the_new_round_out_of_the_calendar(database: Database, seeded: Seeded) -> None:
    visit = launch(database, TEACHER)
    new, _ = next_round(database, SPRING)
    take(database, visit)
    take(database, launch(database, TEACHER), is_taken=False)
    assert ties(database) == {SERIES.series_id: True}
    by_hand = structs.replace(TEACHER, resource_link_id="12", line_item_url=f"{LINE_ITEM}&12")
    assert shown(database, launch(database, by_hand)) == (SERIES.series_id, None), "as chosen"
    take(database, launch(database, TEACHER))
    assert ties(database) == {SERIES.series_id: True, new.series_id: True}


def test_a_round_that_another_activity_still_shows_stays_in_the_calendar(database: Database, seeded: Seeded) -> None:
    with database.write() as connection:
        connection.execute(sa.update(session).where(session.c.id == seeded.session_ids[1]).values(status="cancelled"))
    visit = launch(database, COPY)
    launch(database, of_session(COPY, seeded.session_ids[1], "5"))
    new, _ = next_round(database, SPRING)
    take(database, visit, at=NOW)
    assert ties(database) == {SERIES.series_id: True, new.series_id: True}


def test_who_wants_no_events_gets_none_of_the_new_round(database: Database, seeded: Seeded) -> None:
    visit = launch(database, TEACHER)
    with database.write() as connection:
        connection.execute(sa.update(course_series).values(is_mirrored=False))
    new, _ = next_round(database, SPRING)
    take(database, visit)
    assert ties(database) == {SERIES.series_id: False, new.series_id: False}


# Both rounds in one course, each with a column of its own


@pytest.fixture
def of_new_round(database: Database, seeded: Seeded) -> Visit:
    """The new round was put into the course as an activity of its own, as the page of the round advises."""
    launch(database, TEACHER)
    new, _ = next_round(database, SPRING)
    added = structs.replace(
        TEACHER, resource_link_id="20", line_item_url=f"{LINE_ITEM}&20", custom_series_id=str(new.series_id)
    )
    return launch(database, added)


def test_to_keep_the_old_round_leaves_an_activity_of_the_new_one(database: Database, of_new_round: Visit) -> None:
    new_id = of_new_round.series_id
    take(database, launch(database, TEACHER), is_taken=False)
    assert shown(database, of_new_round) == (new_id, None)
    assert set(ties(database)) == {SERIES.series_id, new_id}


def test_only_what_went_over_goes_back(database: Database, of_new_round: Visit) -> None:
    new_id, visit = of_new_round.series_id, launch(database, TEACHER)
    take(database, visit)
    later = launch(database, structs.replace(COPY, context_id="2", custom_series_id=str(SERIES.series_id)))
    assert shown(database, later) == (new_id, None), "opened for the first time"
    take(database, launch(database, TEACHER), is_taken=False)
    assert shown(database, of_new_round) == (new_id, None)
    assert shown(database, visit) == shown(database, later) == (SERIES.series_id, None)
    assert set(ties(database)) == {SERIES.series_id, new_id}


def offered(database: Database, course_id: int | None, at: datetime = NOW) -> list[UUID]:
    with database.read() as connection:
        return [one.series_id for one in offered_series(connection, course_id, now=at)]


def test_the_picker_offers_no_round_that_the_course_has_left(database: Database, seeded: Seeded) -> None:
    """It would show the new one all the same."""
    visit = launch(database, TEACHER)
    new, _ = next_round(database, SPRING)
    assert set(offered(database, visit.course_id)) == {SERIES.series_id, new.series_id}
    take(database, visit)
    assert offered(database, visit.course_id) == [new.series_id]
    assert offered(database, visit.course_id, NOW + timedelta(weeks=500)) == [new.series_id]
    assert set(offered(database, None)) == {SERIES.series_id, new.series_id}
    take(database, launch(database, TEACHER), is_taken=False)
    assert set(offered(database, visit.course_id)) == {SERIES.series_id, new.series_id}
