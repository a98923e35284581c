"""The next round of a series."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest

from series.hand_edits import NotPossible
from series.rounds import copy_round
from series.sessions import Session, Status
from tests.examples import MALTA, VILNIUS, moved, weekly

NEW_ID, STARTS = UUID(int=5), date(2027, 3, 16)


def copied(*sessions: Session, hosts: tuple[object, ...] = ()) -> list[Session]:
    return copy_round(sessions, NEW_ID, starts_on=STARTS, hosts=hosts)  # type: ignore[arg-type]


def test_the_sessions_are_as_far_apart_and_keep_their_wall_time() -> None:
    sessions = weekly(4)
    copies = copied(*reversed(sessions))
    assert [copy.wall_start for copy in copies] == [
        datetime(2027, 3, 16, 16) + n * timedelta(weeks=1)  # noqa: DTZ001 - a wall time
        for n in range(4)
    ]
    assert [copy.start_at.hour for copy in copies] == [15, 15, 14, 14]  # summer time begins on 28 March
    assert {copy.end_at - copy.start_at for copy in copies} == {timedelta(hours=2)}
    assert {copy.series_id for copy in copies} == {NEW_ID}
    assert not {copy.session_id for copy in copies} & {session.session_id for session in sessions}


def test_what_was_cancelled_is_left_out_and_what_was_moved_comes_where_it_was_planned() -> None:
    one, two, three = weekly(3)
    late = replace(moved(two, timedelta(days=2)), moved_from_at=two.start_at)
    copies = copied(one, late, replace(three, status=Status.CANCELLED))
    assert [copy.wall_start.date() for copy in copies] == [STARTS, STARTS + timedelta(weeks=1)]
    assert [copy.moved_from_at for copy in copies] == [None, None]


def test_hosts_take_turns_and_join_links_are_made_anew() -> None:
    copies = copied(*weekly(3), hosts=(VILNIUS, MALTA))
    assert [copy.hosting_university for copy in copies] == [VILNIUS.name, MALTA.name, VILNIUS.name]
    assert {copy.join_url for copy in copies} == {None}
    assert [copy.hosting_university for copy in copied(*weekly(2))] == [MALTA.name, MALTA.name]


def test_a_series_without_sessions_gives_none() -> None:
    assert copied() == []


def test_a_time_that_the_clocks_leave_out_is_refused() -> None:
    (session,) = weekly(1)
    night = replace(session, wall_start=session.wall_start.replace(hour=2, minute=30))
    with pytest.raises(NotPossible, match="no such time"):
        copy_round([night], NEW_ID, starts_on=date(2027, 3, 28), hosts=())
