"""One of each role, in a browser of their own, at one tool; and the values with which its addresses are filled in."""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import Client, TestResponse

from lti_tool.tool import Tool
from series.moodle_jobs import Level
from series.staff import Role
from series.store.database import Database
from series.store.lms_invitations import make_invitation
from series.store.mirrors import tie_course
from series.store.moodle_connections import NewConnection, save_connection
from series.store.sessions import name_host
from series.store.visits import find_visit
from tests.examples import MALTA, SERIES
from tests.integration.lti.course import CourseUnderTest, as_test_user, open_as
from tests.integration.lti.lms import INSTRUCTOR, LEARNER
from tests.integration.lti.role_doors import STAFF, Door, Who
from tests.integration.lti.test_course_grades import objects
from tests.integration.lti.test_course_reflections import write
from tests.integration.lti.tool import Browser
from tests.integration.staff.desk import OURS, PASSWORD, Desk, add_account, cheap_passwords
from tests.seeds import ENCRYPTION_KEY

ADMINISTRATOR = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator"
ACCOUNTS = {
    Who.COORDINATOR: (Role.COORDINATOR, None),
    Who.LMS_ADMIN: (Role.LMS_ADMIN, 1),
    Who.OTHER_LMS_ADMIN: (Role.LMS_ADMIN, 2),
}


@dataclass(frozen=True, kw_only=True)
class Badge:
    """The cookie of one person, and the visit that their addresses name: their own, or else the teacher's."""

    cookie: str
    secret: str
    visit_id: str


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """Whoever has no visit holds the address of the teacher's."""

    course: CourseUnderTest
    badges: dict[Who, Badge]
    values: dict[str, Any]

    def knock(self, who: Who, rule: Rule, method: str, door: Door) -> TestResponse:
        """What the address answers this person, who has filled in the form with a token of their own."""
        badge, slug = self.badges[who], "malta" if rule.rule.startswith("/admin/") else SERIES.slug
        numbers = {"number": 1} if rule.rule.startswith("/admin/lms/") else {}  # the first of each in these tests
        values = {**self.values, **numbers, "slug": slug, "visit_id": badge.visit_id}
        action = f"{'staff form ' if who in STAFF else ''}{door.action.format(**values)}"
        token = hmac.digest(badge.secret.encode(), action.encode(), "sha256").hex()
        form = dict(door.fields) | {"form_token": token} if method == "POST" else None
        client = Client(self.course.tool.app, use_cookies=False)
        headers = (OURS if method == "POST" else {}) | {"Cookie": badge.cookie}
        return client.open(self._path(rule, values), method=method, data=form, headers=headers)

    def _path(self, rule: Rule, values: dict[str, Any]) -> str:
        bound = self.course.tool.app.url_map.bind("localhost")
        wanted = {name: values.get(name, values["free"]) for name in rule.arguments}
        numbers = {name: values["number"] for name in rule.arguments if name not in values and _is_number(rule, name)}
        return bound.build(rule.endpoint, wanted | numbers)


def _is_number(rule: Rule, name: str) -> bool:
    return type(rule._converters[name]).__name__ == "IntegerConverter"


@contextmanager
def gathered(course: CourseUnderTest) -> Iterator[Crowd]:
    tool = course.tool
    own: Tool = tool.app.extensions["shared_sessions"]
    tool.app.extensions["shared_sessions"] = own = replace(own, passwords=cheap_passwords())
    for who, (role, university_id) in ACCOUNTS.items():
        add_account(tool.database, _email(who), who.value, role, own.settings, university_id=university_id)
    _connect_malta(tool.database, own.clock.now())
    with tool.database.write() as connection:
        make_invitation(connection, MALTA, approves=False, life=timedelta(days=7), actor="staff 1", now=own.clock.now())
    host = open_as(tool, tool.malta, roles=[LEARNER], sub="31")
    with tool.database.write() as connection:
        found = find_visit(connection, host[1].strip("/").removeprefix("visit/"), now=own.clock.now())
        assert found
        name_host(connection, session_id=course.running, participant_id=found.visit.participant_id)
    visits = {
        Who.STUDENT: open_as(tool, tool.malta, roles=[LEARNER], sub="5"),
        Who.TEST_STUDENT: as_test_user(tool, tool.malta),
        Who.TEACHER: (course.browser, course.path),
        Who.OTHER_TEACHER: open_as(tool, tool.malta, roles=[INSTRUCTOR], sub="21", course="course-2"),
        Who.ADMINISTRATOR: open_as(tool, tool.malta, roles=[ADMINISTRATOR], sub="32"),
        Who.HOST: host,
    }
    course.check_in(course.maria, course.running)
    write(course, course.maria, course.running)
    values = {
        "series": SERIES.slug,
        "session": course.running,
        "session_id": course.running,
        "person": course.maria.participant_id,
        "participant_id": course.maria.participant_id,
        "placement": course.maria.placement_id,
        "placement_id": course.maria.placement_id,
        "fact": 1,
        "evidence_id": 1,
        "objection": (asked := objects(course, course.maria)),
        "objection_id": asked,
        "generation": 0,
        "cmid": 21,
        "level": "calendar",
        "kind": "system",
        "suffix": "csv",
        "job": "mirror",
        "decision": "accept",
        "number": 42,
        "platform": "malta",
        "staff_id": 3,
        "deployment_pk": 1,
        "invitation_id": 1,
        "token": "unknown",
        "name": "notice",  # of a document
        "ending": "md",
        "free": "unknown",
    }
    home = course.path.strip("/").removeprefix("visit/")
    visitors = {who: _visitors_badge(*visit) for who, visit in visits.items()}
    staff = {who: _staff_badge(tool.app, who, home) for who in ACCOUNTS}
    nobody = Badge(cookie="", secret="", visit_id=home)
    yield Crowd(course=course, badges={Who.NOBODY: nobody, **visitors, **staff}, values=values)


def _connect_malta(database: Database, now: datetime) -> None:
    new = NewConnection(
        university_id=1,
        base_url="https://moodle.malta.example",
        token="a token",
        moodle_user_id=3,
        level=Level.COMPLETIONS,
        site_name="Malta",
    )
    with database.write() as connection:
        save_connection(connection, new, encryption_key=ENCRYPTION_KEY, now=now)
        tie_course(connection, university_id=1, moodle_course_id=42, title="STEM", series_id=SERIES.series_id, now=now)


def _visitors_badge(browser: Browser, path: str) -> Badge:
    secret = _cookie(browser, "visit", path)
    return Badge(cookie=f"visit={secret}", secret=secret, visit_id=path.strip("/").removeprefix("visit/"))


def _staff_badge(app: Flask, who: Who, visit_id: str) -> Badge:
    desk = Desk(app, app.response_class, use_cookies=True)
    assert desk.sign_in(_email(who), PASSWORD).status_code == 303
    secret = _cookie(desk, "staff", "/")
    return Badge(cookie=f"staff={secret}", secret=secret, visit_id=visit_id)


def _email(who: Who) -> str:
    return f"{who.value.replace(' ', '.')}@example.org"


def _cookie(browser: Client, name: str, path: str) -> str:
    cookie = browser.get_cookie(name, path=path, domain="localhost")
    assert cookie, (name, path)
    return cookie.value
