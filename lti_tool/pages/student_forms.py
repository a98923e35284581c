"""What the student's forms bring, and what is wrong with it."""

import re
from dataclasses import dataclass
from uuid import UUID

from flask import abort, request
from flask_babel import gettext

from lti_tool.tool import the_tool
from series.people import Visit
from series.permissions import Action, may
from series.sessions import Session
from series.store.sessions import get_session

NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """`at`: the form that was not taken; `words` for who has sent it; `typed`: what was in it, to be shown again."""

    at: str = ""
    words: str = ""
    typed: str = ""
    status: int = 200


NO_FAULT = Fault()


class NotTaken(Exception):
    """A form is shown once more, with what is wrong."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.words)
        self.fault = fault


def typed_text(name: str = "text") -> str:
    """As the database takes it: PostgreSQL stores no NUL."""
    text = request.form.get(name, "").replace("\r\n", "\n").replace("\r", "\n")
    return NOT_TEXT.sub("", text).strip()


def session_for(visit: Visit, session_id: UUID, action: Action) -> Session:
    """404 for what is not there or not of this series, 403 for whoever may not."""
    session = session_of_visit(visit, session_id)
    if not may(visit, action, session):
        abort(403)
    return session


def session_of_visit(visit: Visit, session_id: UUID) -> Session:
    with the_tool().database.read() as connection:
        session = get_session(connection, session_id)
    if session is None or session.series_id != visit.series_id:
        abort(404)
    return session


def too_long(at: str, text: str, longest: int) -> NotTaken:
    words = gettext(
        "Your text has %(n)s characters; at most %(most)s can be kept. Please shorten it. It is still here, but not"
        " saved.",
        n=len(text),
        most=longest,
    )
    return NotTaken(Fault(at=at, words=words, typed=text, status=422))
