"""What many lose at once in a Moodle course waits for a person, over real HTTP."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox_lms.completion import INCOMPLETE, complete
from sandbox_lms.course_modules import READING, find_module
from sandbox_lms.made_up import made_up_campus
from series.rosters import RosterMember
from series.store.held_completions import accept_held, reject_held
from series.store.rosters import save_roster
from tests.integration.collected import Collected, open_collected

Crowd = tuple[Collected, list[str]]


@pytest.fixture
def crowd(tmp_path: Path, sqlite_url: str) -> Iterator[Crowd]:
    """Eight students whom the roster knows, and all of whom have completed the activity."""
    campus = replace(made_up_campus(1, students=8), slug="malta")
    everybody = [person.user_id for person in campus.students]
    with open_collected(tmp_path, sqlite_url, campus) as opened:
        with opened.partner.services.database.write() as connection:
            members = [RosterMember(sub=sub, is_learner=True) for sub in everybody]
            save_roster(connection, opened.course_id, members, now=opened.partner.now)
        opened.map()
        opened.complete(*everybody)
        assert opened.collect().counts == {"read": 8, "completed": 8}
        yield opened, everybody


def test_too_much_at_once_waits_for_a_person(crowd: Crowd) -> None:
    course, everybody = crowd
    course.complete(*everybody[:6], state=INCOMPLETE)  # somebody resets it
    came = course.collect()
    assert came.counts == {"read": 6 + 8, "held": 6}  # everybody is asked about before that is decided
    assert "6 people" in came.problems[0]
    course.complete(everybody[0])  # one is given back, and the rest is no way around the brake
    assert course.collect().counts == {"read": 1, "held": 5}
    assert course.sources() == ["activity"] * 8

    course.decide(accept_held)
    assert course.recollect().counts == {"read": 8}
    assert course.sources()[8:] == ["retraction"] * 5


def test_a_reset_is_one_however_few_have_been_there_since(crowd: Crowd) -> None:
    course, everybody = crowd
    reading = find_module(course.site, READING.cmid)
    assert reading is not None
    for sub in everybody:
        complete(course.site, reading, sub, INCOMPLETE)
    course.visit(*everybody[:2])
    assert course.collect().counts == {"read": 2 + 8, "held": 8}
    course.decide(reject_held)
    course.visit(*everybody[:2])
    assert course.collect().counts == {"read": 2}  # of what is decided, nobody asks again
    assert course.sources() == ["activity"] * 8
