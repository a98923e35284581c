"""Which sessions new entries stand for."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from moodle_sync.pair_sessions import guess_pairs
from moodle_sync.read_calendar import Occurrence
from series.sessions import Session, Status
from tests.examples import MALTA, VILNIUS, moved, weekly

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)


def entry(session: Session, **changes: object) -> Occurrence:
    values: dict[str, object] = {
        "source_uid": "new",
        "original_start_at": session.start_at,
        "start_at": session.start_at,
        "end_at": session.end_at,
        "wall_start": session.wall_start,
        "zone": session.zone,
        "title": session.title,
        "description": "",
        "hosting_university": session.hosting_university,
        "join_url": None,
        "cancelled": False,
        "sequence": 0,
    }
    return Occurrence(**{**values, **changes})  # type: ignore[arg-type]


def titled(count: int) -> list[Session]:
    """Weekly sessions of one title each, hosted by nobody."""
    return [
        replace(session, title=f"Week {number}", hosting_university=None)
        for number, session in enumerate(weekly(count))
    ]


def ids(pairs: list[tuple[Occurrence, UUID]]) -> list[UUID]:
    return [session_id for _, session_id in pairs]


def test_the_same_title_is_the_same_session_whatever_its_time() -> None:
    one, other = titled(2)
    pairs = guess_pairs([entry(moved(other, HOUR), title="  week  1 "), entry(moved(one, 3 * WEEK))], [one, other])
    assert {(pair.title.strip(), id_) for pair, id_ in pairs} == {
        ("week  1", other.session_id),
        ("Week 0", one.session_id),
    }


def test_a_title_that_several_have_says_nothing_but_the_start_does() -> None:
    gone = [replace(session, title="Workshop", hosting_university=None) for session in weekly(3)]
    assert ids(guess_pairs([entry(gone[1])], gone)) == [gone[1].session_id]


def test_a_series_of_one_title_is_known_by_its_days_when_one_is_dropped() -> None:
    gone = [replace(session, title="Workshop", hosting_university=None) for session in weekly(4)]
    fresh = [entry(moved(session, HOUR)) for session in (gone[0], gone[2], gone[3])]
    assert ids(guess_pairs(fresh, gone)) == [gone[0].session_id, gone[2].session_id, gone[3].session_id]


def test_the_hosting_university_is_asked_last() -> None:
    malta, vilnius = titled(2)
    malta, vilnius = replace(malta, hosting_university=MALTA.name), replace(vilnius, hosting_university=VILNIUS.name)
    elsewhere = entry(moved(vilnius, HOUR), title="Another title", hosting_university=VILNIUS.name.upper())
    assert ids(guess_pairs([elsewhere], [malta, vilnius])) == [vilnius.session_id]


def test_as_many_that_have_nothing_in_common_go_by_their_order() -> None:
    gone = titled(3)
    fresh = [entry(moved(session, 3 * DAY), title=f"New {number}") for number, session in enumerate(gone)]
    assert ids(guess_pairs(list(reversed(fresh)), gone)) == [session.session_id for session in gone]


@pytest.mark.parametrize(("entries", "sessions"), [(1, 1), (1, 2), (3, 2)])
def test_else_nothing_is_guessed(entries: int, sessions: int) -> None:
    fresh = [entry(moved(session, 3 * DAY), title=f"New {session.start_at}") for session in titled(entries)]
    assert guess_pairs(fresh, titled(sessions)) == []


def test_a_cancelled_session_is_not_taken_for_its_order() -> None:
    gone = [replace(session, status=Status.CANCELLED) for session in titled(2)]
    fresh = [entry(moved(session, 3 * DAY), title=f"New {session.start_at}") for session in gone]
    assert guess_pairs(fresh, gone) == []
