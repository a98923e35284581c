"""Every role against every address: who comes through, and who is turned away with nothing done."""

from collections.abc import Iterator

import pytest
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.databases import Snapshot
from tests.integration.lti.course import CourseUnderTest, names_told
from tests.integration.lti.role_crowd import Crowd, gathered
from tests.integration.lti.role_doors import DOORS, PUBLIC, Who

TURNED_AWAY = {401, 403, 404, 410}
METHODS = ("GET", "POST")
NOTED = {"audit", "rate_limit", "staff_session"}  # that somebody came by may be noted


@pytest.fixture(scope="module")
def crowd(open_once: tuple[CourseUnderTest, Snapshot]) -> Iterator[tuple[Crowd, Snapshot]]:
    course, snapshot = open_once
    snapshot.restore()
    with names_told(course.tool.malta), gathered(course) as people, Snapshot(str(course.tool.database.url)) as then:
        yield people, then


def rules(crowd: Crowd) -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for rule in crowd.course.tool.app.url_map.iter_rules():
        for method in METHODS:
            if method in (rule.methods or ()):
                found.setdefault(f"{method} {rule.endpoint}", []).append(rule)
    return found


def test_every_address_says_who_may_come(crowd: tuple[Crowd, Snapshot]) -> None:
    assert set(DOORS) == set(rules(crowd[0]))


@pytest.mark.parametrize("who", list(Who))
def test_exactly_those_come_through(who: Who, crowd: tuple[Crowd, Snapshot]) -> None:
    people, snapshot = crowd
    wrong = []
    for name, found in rules(people).items():
        if name in PUBLIC:
            continue
        for rule in found:
            snapshot.restore()
            before = people.course.tool.rows()
            answer = people.knock(who, rule, name.partition(" ")[0], DOORS[name])
            assert answer.status_code < 500, (name, answer.text)
            came = not is_turned_away(answer)
            if came != (who in DOORS[name].may):
                wrong.append((name, answer.status_code, answer.location))
            if not came:
                assert {table for table, n in people.course.tool.rows().items() if n != before[table]} <= NOTED, name
    assert not wrong, wrong


def is_turned_away(answer: TestResponse) -> bool:
    to_sign_in = answer.status_code == 303 and "/admin/sign-in" in answer.location and "done=" not in answer.location
    return answer.status_code in TURNED_AWAY or to_sign_in
