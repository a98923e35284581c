"""The coordinator's page of a session."""

from werkzeug.test import TestResponse

from series.sessions import Session
from tests.examples import SERIES
from tests.integration.staff.desk import Desk, path_of

PLAN = f"/coordinator/series/{SERIES.slug}/"


def page_of(session: Session) -> str:
    return f"{PLAN}sessions/{session.session_id}"


def follow(desk: Desk, answer: TestResponse) -> str:
    return desk.get(path_of(answer)).text
