"""What a coordinator edits by hand, and what the calendar may still say."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from series import hand_edits
from series.hand_edits import NotPossible, with_hand_edits
from series.join_links import JoinPlaces
from series.sessions import Field, Session, Status
from tests.conftest import NOW
from tests.examples import MALTA, SERIES, VILNIUS, weekly

SESSION, OTHER = weekly(3)[1:]  # the next two weeks
HOURS = timedelta(hours=2)
NEXT_DAY = SESSION.wall_start + timedelta(days=1)
BEGUN = SESSION.start_at
Edit = Callable[[Session, datetime], Session]
EDITS: dict[str, Edit] = {
    "move": lambda session, now: hand_edits.move(session, wall_start=NEXT_DAY, length=HOURS, now=now),
    "cancel": lambda session, now: hand_edits.cancel(session, now=now),
    "restore": lambda session, now: hand_edits.restore(replace(session, status=Status.CANCELLED), now=now),
    "rewrite": lambda session, now: hand_edits.rewrite(session, title="x", description="y", now=now),
    "join link": lambda session, now: hand_edits.change_join_url(
        session, "https://meet.example/x", places=JoinPlaces(), now=now
    ),
    "host": lambda session, now: hand_edits.change_host(session, VILNIUS, now=now),
}


def test_a_move_keeps_where_it_was() -> None:
    moved = hand_edits.move(SESSION, wall_start=NEXT_DAY, length=HOURS, now=NOW)
    assert moved == replace(
        SESSION,
        start_at=SESSION.start_at + timedelta(days=1),
        end_at=SESSION.start_at + timedelta(days=1) + HOURS,
        wall_start=NEXT_DAY,
        moved_from_at=SESSION.start_at,
        sequence=1,
        by_hand=(Field.TIME,),
    )
    back = hand_edits.move(moved, wall_start=SESSION.wall_start, length=HOURS, now=NOW)
    assert (back.start_at, back.moved_from_at) == (SESSION.start_at, None)


def test_a_move_over_the_switch_of_clocks_keeps_the_wall_time() -> None:
    wall = datetime(2027, 4, 6, 16)  # noqa: DTZ001 - a wall time
    assert hand_edits.move(SESSION, wall_start=wall, length=HOURS, now=NOW).start_at == datetime(
        2027, 4, 6, 14, tzinfo=UTC
    )


def test_cancelled_and_restored_each_count_for_the_feeds() -> None:
    cancelled = hand_edits.cancel(SESSION, now=NOW)
    assert (cancelled.status, cancelled.sequence, cancelled.by_hand) == (Status.CANCELLED, 1, (Field.STATUS,))
    restored = hand_edits.restore(cancelled, now=NOW)
    assert (restored.status, restored.sequence) == (Status.PLANNED, 2)


def test_words_and_hosts_do_not_count_for_the_feeds() -> None:
    edited = hand_edits.rewrite(SESSION, title="  A  new title ", description=" y ", now=NOW)
    edited = hand_edits.change_host(edited, VILNIUS, now=NOW)
    assert (edited.title, edited.description, edited.hosting_university) == ("A new title", "y", VILNIUS.name)
    assert (edited.sequence, set(edited.by_hand)) == (0, {Field.TITLE, Field.DESCRIPTION, Field.HOST})


def test_two_universities_swap_their_dates() -> None:
    theirs = replace(OTHER, hosting_university=VILNIUS.name, hosting_university_id=VILNIUS.university_id)
    one, other = hand_edits.swap_hosts(SESSION, theirs, now=NOW)
    assert (one.hosting_university, other.hosting_university) == (VILNIUS.name, MALTA.name)
    assert (one.start_at, other.start_at) == (SESSION.start_at, theirs.start_at)


def test_what_is_not_changed_is_not_by_hand() -> None:
    assert hand_edits.change_join_url(SESSION, SESSION.join_url or "", places=JoinPlaces(), now=NOW) == SESSION
    assert hand_edits.restore(SESSION, now=NOW) == SESSION


@pytest.mark.parametrize("edit", [name for name in EDITS if name != "join link"])
def test_a_session_that_has_begun_is_not_edited(edit: str) -> None:
    EDITS[edit](SESSION, BEGUN - timedelta(seconds=1))
    with pytest.raises(NotPossible, match="has begun"):
        EDITS[edit](SESSION, BEGUN)


def test_a_join_link_is_changed_until_the_end() -> None:
    EDITS["join link"](SESSION, SESSION.end_at - timedelta(seconds=1))
    with pytest.raises(NotPossible, match="is over"):
        EDITS["join link"](SESSION, SESSION.end_at)


@pytest.mark.parametrize(
    ("wall", "length", "sentence"),
    [
        (datetime(2026, 1, 1, 16), HOURS, "in the past"),  # noqa: DTZ001 - a wall time
        (datetime(1, 1, 1), HOURS, "in the past"),  # noqa: DTZ001 - a wall time
        (datetime(9999, 12, 31, 23), HOURS, "two years"),  # noqa: DTZ001 - a wall time
        (NEXT_DAY, timedelta(0), "lasts"),
        (NEXT_DAY, timedelta(hours=13), "lasts"),
        (datetime(2027, 3, 28, 2, 30), HOURS, "no such time"),  # noqa: DTZ001 - a wall time
    ],
)
def test_a_time_that_cannot_be_is_refused(wall: datetime, length: timedelta, sentence: str) -> None:
    with pytest.raises(NotPossible, match=sentence):
        hand_edits.move(SESSION, wall_start=wall, length=length, now=NOW)


@pytest.mark.parametrize(
    "url",
    [
        "meet.example",
        "http://meet.example",
        "javascript:alert(1)",
        "https://",
        "https://a b",
        "https://me@meet.example",
        "https://[",
        "https://meet.example/\n",
        f"https://meet.example/{'x' * 2000}",
    ],
)
def test_only_a_whole_https_address_is_a_join_link(url: str) -> None:
    with pytest.raises(NotPossible, match="https"):
        hand_edits.change_join_url(SESSION, f"x{url}" if url.endswith("\n") else url, places=JoinPlaces(), now=NOW)


@pytest.mark.parametrize("title", ["", "  ", "x" * 256])
def test_a_title_must_be_one(title: str) -> None:
    with pytest.raises(NotPossible, match="title"):
        hand_edits.rewrite(SESSION, title=title, description="", now=NOW)


def test_a_session_made_by_hand_is_whole_and_stays() -> None:
    made = hand_edits.add(
        SERIES.series_id,
        title="Extra",
        wall_start=NEXT_DAY,
        length=HOURS,
        zone="Europe/Berlin",
        host=MALTA,
        now=NOW,
    )
    assert (made.title, made.wall_start, made.hosting_university, made.join_url) == (
        "Extra",
        NEXT_DAY,
        MALTA.name,
        None,
    )
    assert (made.moved_from_at, made.sequence, made.by_hand, made.is_own) == (None, 0, (), True)
    assert hand_edits.cancel(made, now=NOW).by_hand == ()


@pytest.mark.parametrize("edit", [name for name in EDITS if name != "restore"])
def test_the_calendar_does_not_take_an_edit_back_until_it_is_released(edit: str) -> None:
    edited = EDITS[edit](SESSION, NOW)
    assert with_hand_edits(edited, SESSION) == replace(edited, sequence=SESSION.sequence)
    released = hand_edits.release(edited, edited.by_hand)
    assert with_hand_edits(released, SESSION) == SESSION


def test_the_calendar_still_says_what_was_not_edited() -> None:
    edited = hand_edits.cancel(SESSION, now=NOW)
    fresh = with_hand_edits(edited, replace(SESSION, title="From the calendar"))
    assert (fresh.title, fresh.status) == ("From the calendar", Status.CANCELLED)
