"""A course of Malta with a teacher, seen by the browser; students who came, one whom only the roster knows, one who is
suspended; and another course with its own. The second of three weekly sessions has begun ten minutes ago."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import responses
import sqlalchemy as sa
from msgspec import structs
from werkzeug.test import TestResponse

from lms.tool_keys import ensure_tool_key
from lti_tool.tool import Tool
from series.people import Visit
from series.sessions import Session
from series.store.database import Database
from series.store.sessions import save_import
from series.store.tables import audit, evidence, tool_key
from tests.examples import SERIES, SESSION, moved, weekly
from tests.integration.lti.lms import INSTRUCTOR, LEARNER, TEST_USER, Lms
from tests.integration.lti.tool import Browser, ToolUnderTest, form_token
from tests.seeds import LAUNCH, code_of, launch, record

NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
MARIA, GORG, NEVER_CAME, SUSPENDED, OF_ANOTHER_COURSE, TEACHER = "5", "6", "7", "8", "9", "20"
NAMES = {
    MARIA: "Marija Borg",
    GORG: "Ġorġ Vella",
    NEVER_CAME: "Αλεξάνδρα Παπαδοπούλου",
    SUSPENDED: "Żaren Żahra",
    TEACHER: "Karmenu Żammit",
}


@dataclass(frozen=True, kw_only=True)
class CourseUnderTest:
    """`path`: of the teacher's visit. `other`: a student of another course of the same university."""

    tool: ToolUnderTest
    browser: Browser
    path: str
    maria: Visit
    gorg: Visit
    other: Visit
    sessions: tuple[Session, ...]
    now: datetime

    @property
    def database(self) -> Database:
        return self.tool.database

    @property
    def over(self) -> UUID:
        return self.sessions[0].session_id

    @property
    def running(self) -> UUID:
        return self.sessions[1].session_id

    @property
    def ahead(self) -> UUID:
        return self.sessions[2].session_id

    def get(self, page: str = "", *, status: int = 200) -> str:
        answer = self.browser.get(f"{self.path}course/{page}")
        assert answer.status_code == status, answer.text
        return answer.text

    def post(self, page: str, data: dict[str, Any], *, on: str, status: int = 303) -> str:
        """Fill in the form that page `on` has for this address, and follow to what it leads to."""
        token = form_token(self.get(on), f"course/{page}")
        answer = self.send(page, {"form_token": token} | data)
        assert answer.status_code == status, answer.text
        if status != 303:
            return answer.text
        return self.browser.get(answer.location.partition("localhost:8999")[2]).text

    def send(self, page: str, data: dict[str, Any]) -> TestResponse:
        return self.browser.post(f"{self.path}course/{page}", data=data)

    def person(self, visit: Visit) -> str:
        return f"people/{visit.participant_id}/"

    def record_page(self, visit: Visit, session_id: UUID) -> str:
        return f"people/{visit.participant_id}/sessions/{session_id}/"

    def check_in(self, visit: Visit, session_id: UUID) -> int:
        """Of the delivery that it makes."""
        (delivery_id,) = record(self.database, code_of(visit, session_id, at=self.now), now=self.now)
        return delivery_id

    def facts(self) -> list[tuple[Any, ...]]:
        """(participant, kind, reason, what it retracts), in the order in which they were recorded."""
        columns = (evidence.c.participant_id, evidence.c.kind, evidence.c.reason, evidence.c.retracts_evidence_id)
        with self.database.read() as connection:
            return [tuple(row) for row in connection.execute(sa.select(*columns).order_by(evidence.c.id))]

    def audited(self, action: str) -> list[tuple[str, str]]:
        """(actor, thing)."""
        query = sa.select(audit.c.actor, audit.c.object).where(audit.c.action == action).order_by(audit.c.id)
        with self.database.read() as connection:
            return [tuple(row) for row in connection.execute(query)]


@contextmanager
def open_course(tool: ToolUnderTest, lms: Lms) -> Iterator[CourseUnderTest]:
    now = datetime.now(UTC).replace(microsecond=0)
    begin = now - timedelta(minutes=10, weeks=1) - SESSION.start_at
    sessions = tuple(moved(session, begin) for session in weekly(3))
    with tool.database.write() as connection:
        new = [(session, (f"{session.session_id}", session.start_at)) for session in sessions]
        save_import(connection, SERIES.series_id, new=new, changed=[], rekeyed=[], now=now)
    give_key(tool)
    browser, path = open_as(tool, lms, roles=[INSTRUCTOR], sub=TEACHER)
    yield CourseUnderTest(
        tool=tool,
        browser=browser,
        path=path,
        maria=student(tool, lms, MARIA, now),
        gorg=student(tool, lms, GORG, now),
        other=student(tool, lms, OF_ANOTHER_COURSE, now, course="course-2"),
        sessions=sessions,
        now=now,
    )


_KEYS: list[dict[str, Any]] = []  # made once for all tests, because that takes longer than all the rest


def give_key(tool: ToolUnderTest) -> None:
    """The tool's own, with which it asks for rosters."""
    if not _KEYS:
        own: Tool = tool.app.extensions["shared_sessions"]
        ensure_tool_key(tool.database, encryption_key=own.settings.encryption_key, now=own.clock.now())
        with tool.database.read() as connection:
            _KEYS.extend(dict(row) for row in connection.execute(sa.select(tool_key)).mappings())
        return
    with tool.database.write() as connection:
        connection.execute(sa.insert(tool_key), _KEYS)


def open_as(
    tool: ToolUnderTest, lms: Lms, *, roles: list[str], sub: str, course: str = "course-1"
) -> tuple[Browser, str]:
    """A visit in a browser of its own."""
    browser = tool.new_browser()
    login = browser.begin_login(lms)
    changes = {
        "roles": roles,
        "sub": sub,
        "context": {"id": course, "title": "Physics teaching"},
        "resource_link": {"id": f"activity of {course}", "title": "The series"},
    }
    claims = login.claims(changes) | {NRPS: {"context_memberships_url": f"{lms.issuer}/memberships/{course}"}}
    return browser, browser.open_visit(login, lms.sign(claims))


def as_test_user(tool: ToolUnderTest, lms: Lms) -> tuple[Browser, str]:
    return open_as(tool, lms, roles=[LEARNER, TEST_USER], sub="99")


def student(tool: ToolUnderTest, lms: Lms, sub: str, now: datetime, *, course: str = "course-1") -> Visit:
    """Has opened the activity of the course."""
    new = structs.replace(
        LAUNCH,
        issuer=lms.issuer,
        deployment_id=lms.deployment_id,
        sub=sub,
        context_id=course,
        resource_link_id=f"activity of {course}",
        line_item_url=f"{lms.issuer}/lineitems/{course}/lineitem",
        memberships_url=f"{lms.issuer}/memberships/{course}",
        nonce_expires_at=now + timedelta(minutes=20),
    )
    return launch(tool.database, new, now=now)


@contextmanager
def names_told(lms: Lms, names: dict[str, str] = NAMES) -> Iterator[None]:
    """The LMS shows who is in the first course; its key set is served as before."""
    members = [
        {
            "user_id": sub,
            "name": name,
            "roles": ["Instructor" if sub == TEACHER else "Learner"],
            "status": "Inactive" if sub == SUSPENDED else "Active",
        }
        for sub, name in names.items()
    ]
    with responses.RequestsMock(assert_all_requests_are_fired=False) as played:
        played.add_passthru("http://127.0.0.1")
        played.post(f"{lms.issuer}/token", json={"access_token": "a-token", "expires_in": 3600})
        played.get(f"{lms.issuer}/memberships/course-1", json={"id": "1", "members": members})
        yield


def form_id() -> str:
    return uuid4().hex
