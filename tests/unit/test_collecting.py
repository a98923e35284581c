"""What a Moodle says against what is known: what is new, what is taken back, what is an echo, what is held."""

from dataclasses import replace
from datetime import timedelta

import pytest

from series.collecting import (
    Changes,
    Graded,
    Known,
    Said,
    SentScore,
    Source,
    changes_of,
    is_echo,
    is_held,
    moved_since,
    possible_echoes,
    said_by_grade,
)
from tests.conftest import NOW
from tests.examples import SESSION

KEY = (21, Source.ACTIVITY)
DONE = Said(key=KEY, session_id=SESSION.session_id, is_complete=True, changed_at=NOW)
NOT_DONE = replace(DONE, is_complete=False)
GIVEN = Known(session_id=SESSION.session_id, is_complete=True, changed_at=NOW, evidence_id=1)
WAITS = replace(GIVEN, evidence_id=None)
TAKEN_BACK = replace(WAITS, is_complete=False)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("said", "known", "changes"),
    [
        (DONE, None, Changes(completed=(DONE,))),
        (DONE, TAKEN_BACK, Changes(completed=(DONE,))),
        (DONE, GIVEN, Changes(standing=(DONE,))),
        (replace(DONE, changed_at=NOW + HOUR), GIVEN, Changes(standing=(replace(DONE, changed_at=NOW + HOUR),))),
        (DONE, WAITS, Changes(standing=(DONE,))),
        (NOT_DONE, None, Changes()),
        (NOT_DONE, TAKEN_BACK, Changes()),
        (NOT_DONE, GIVEN, Changes(taken_back=(NOT_DONE,))),
        (NOT_DONE, WAITS, Changes(forgotten=(NOT_DONE,))),
        (None, GIVEN, Changes()),
        (None, WAITS, Changes()),
    ],
)
def test_what_is_said_changes_what_is_known(said: Said | None, known: Known | None, changes: Changes) -> None:
    assert changes_of([said] if said else [], {KEY: known} if known else {}) == changes


def test_what_it_gave_for_another_session_is_not_touched() -> None:
    for_another = replace(GIVEN, session_id=SESSION.series_id)
    assert changes_of([DONE], {KEY: for_another}).completed == (DONE,)
    assert changes_of([NOT_DONE], {KEY: for_another}) == Changes()


def test_what_another_source_says_of_the_same_thing_is_not_touched() -> None:
    override = replace(NOT_DONE, key=(21, Source.OVERRIDE))
    assert changes_of([override], {KEY: GIVEN}) == Changes()


@pytest.mark.parametrize(
    ("people", "of", "held"),
    [
        (2, 2, False),
        (3, 3, True),
        (5, 6, False),
        (6, 7, True),
        (6, 20, False),
        (7, 20, True),
        (90, 300, False),
        (0, 0, False),
    ],
)
def test_more_than_five_people_and_thirty_percent_or_all_of_three_are_held(*, people: int, of: int, held: bool) -> None:
    assert is_held(people, of=of) is held


def test_a_visit_counts_from_three_minutes_before_the_last_reading() -> None:
    assert moved_since(NOW - timedelta(minutes=3), NOW)
    assert not moved_since(NOW - timedelta(minutes=4), NOW)
    assert not moved_since(None, NOW)


FULL, NOTHING = Graded(part=1, changed_at=NOW), Graded(part=0, changed_at=NOW + HOUR)
SENT_FULL = SentScore(part=1, score_at=NOW, delivered_at=NOW)
SENT_NOTHING = SentScore(part=0, score_at=NOW - HOUR, delivered_at=NOW - HOUR)
STANDS = replace(GIVEN, changed_at=NOW)


@pytest.mark.parametrize(
    ("graded", "sent", "known", "is_complete"),
    [
        (FULL, [], None, True),
        (FULL, [SENT_NOTHING], None, True),
        (FULL, [replace(SENT_NOTHING, score_at=NOW + HOUR)], None, None),  # it is kept there, whatever we sent since
        (FULL, [replace(SENT_NOTHING, score_at=NOW + timedelta(minutes=4))], None, True),  # by another clock
        (FULL, [SENT_FULL], None, None),
        (replace(FULL, part=0.99999), [SENT_FULL], None, None),
        (replace(FULL, part=0.5), [], None, None),
        (NOTHING, [], None, None),
        (FULL, [SENT_FULL], STANDS, None),
        (NOTHING, [SENT_FULL], STANDS, False),
        (NOTHING, [SENT_NOTHING, SENT_FULL], STANDS, False),  # ours was there before the teacher's grade
        (NOTHING, [replace(SENT_NOTHING, delivered_at=NOW + HOUR)], STANDS, None),
        (NOTHING, [replace(SENT_NOTHING, delivered_at=None)], STANDS, None),  # it may arrive just now
        (FULL, [], TAKEN_BACK, True),
    ],
)
def test_a_grade_is_a_teachers_word_unless_we_have_sent_it(
    *, graded: Graded, sent: list[SentScore], known: Known | None, is_complete: bool | None
) -> None:
    said = said_by_grade(graded, sent, known, placement_id=4, session_id=SESSION.session_id)
    assert (said.is_complete if said else None) is is_complete
    assert said is None or said.key == (4, Source.GRADE)


def test_a_score_is_an_echo_of_the_same_share() -> None:
    assert is_echo(Graded(part=7 / 13, changed_at=None), [SENT_FULL, replace(SENT_FULL, part=0.5384615)])
    assert not is_echo(FULL, [])


LOST, LATE = replace(SENT_FULL, delivered_at=None), replace(SENT_FULL, score_at=NOW + HOUR, delivered_at=NOW + HOUR)


@pytest.mark.parametrize(
    ("sent", "possible"),
    [
        ([SENT_NOTHING, SENT_FULL], [SENT_FULL]),
        ([LOST, SENT_NOTHING], [LOST, SENT_NOTHING]),  # it may have arrived
        ([replace(LOST, score_at=NOW - 2 * HOUR), SENT_NOTHING], [SENT_NOTHING]),  # or has been replaced
        ([SENT_FULL, LATE], [SENT_FULL, LATE]),  # which arrived after the gradebook was read
        ([LOST], [LOST]),
    ],
)
def test_what_a_gradebook_may_hold_is_what_arrived_last_or_later(
    sent: list[SentScore], possible: list[SentScore]
) -> None:
    assert possible_echoes(sent, read_at=NOW) == possible
