"""What tests of hosts need of the store and of a browser."""

import hmac
from uuid import UUID

import sqlalchemy as sa
from werkzeug.test import TestResponse

from series.sessions import Session
from series.store.sessions import get_session, name_host
from series.store.tables import audit
from tests.integration.lti.course import CourseUnderTest
from tests.integration.lti.tool import Browser

STAFF = "staff 1"


def session_now(course: CourseUnderTest, session_id: UUID) -> Session:
    with course.database.read() as connection:
        found = get_session(connection, session_id)
    assert found is not None
    return found


def become_host(course: CourseUnderTest, session_id: UUID) -> None:
    with course.database.write() as connection:
        actor = connection.execute(sa.select(audit.c.actor).order_by(audit.c.id.desc())).scalars().first()
        assert actor is not None
        name_host(connection, session_id=session_id, participant_id=int(actor.removeprefix("participant ")))


def made_token(browser: Browser, action: str) -> str:
    """As the page would have made it: no page of theirs has such a form."""
    (cookie,) = [one for one in browser._cookies.values() if one.key == "visit"]
    return hmac.digest(cookie.value.encode(), action.encode(), "sha256").hex()


def teacher_of(course: CourseUnderTest) -> tuple[Browser, str]:
    return course.browser, course.path


def code_page(who: tuple[Browser, str], session_id: UUID) -> TestResponse:
    browser, path = who
    return browser.get(f"{path}sessions/{session_id}/code/")
