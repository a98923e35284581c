"""What the instructor's forms bring: checked here, and shown once more where it does not do."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from flask import abort, request
from flask_babel import gettext

from series.sessions import Session
from series.store.database import Connection
from series.store.sessions import get_session

MAX_REASON = 1000
MAX_MINUTES = 1440
ANY_ID = "int(max=9007199254740991)"  # what a database can be asked for


class NotAccepted(Exception):
    """What is wrong with a form, in words for who has filled it in. `name`: of the field that is to be mended."""

    def __init__(self, words: str, name: str = "") -> None:
        super().__init__(words)
        self.name = name


@dataclass(frozen=True, kw_only=True)
class Fault:
    """`words` empty: nothing is wrong. `do`: which of the page's forms it is about; `name`: which of its fields."""

    words: str = ""
    do: str = ""
    name: str = ""
    code: int = 422
    typed: dict[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        return self.code if self.words else 200


NO_FAULT = Fault()


def fault_of(error: Exception, *, do: str = "") -> Fault:
    return Fault(words=str(error), do=do, name=getattr(error, "name", ""), typed=request.form.to_dict())


def typed_text(name: str, *, missing: str, longest: int = MAX_REASON) -> str:
    """Raises NotAccepted."""
    text = request.form.get(name, "").replace("\r\n", "\n").replace("\0", "").strip()
    if not text:
        raise NotAccepted(missing, name)
    if len(text) > longest:
        raise NotAccepted(gettext("Please keep it shorter than %(n)s characters.", n=longest), name)
    return text


def typed_reason() -> str:
    """Raises NotAccepted."""
    return typed_text("reason", missing=gettext("Please write a reason: the student is shown it."))


def typed_number(name: str, *, least: int, most: int, missing: str) -> int:
    """Raises NotAccepted."""
    text = request.form.get(name, "").strip()
    if not re.fullmatch(r"[0-9]{1,6}", text) or not least <= int(text) <= most:
        raise NotAccepted(missing, name)
    return int(text)


def instant_of_form(text: str) -> datetime:
    """A moment that our form has carried; 400 for what no form of ours carries."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        abort(400)
    if at.tzinfo is None:
        abort(400)
    return at


def typed_form_id() -> str:
    """Of the form itself, so that sending it twice does it once."""
    text = request.form.get("form_id", "")
    if not is_form_id(text):
        abort(400)
    return text


def is_form_id(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{32}", text) is not None


def new_form_id() -> str:
    return uuid4().hex


def session_or_404(connection: Connection, session_id: UUID, series_id: UUID) -> Session:
    """One that counts: nobody is confirmed in a rehearsal, excused from it, or told of its changes."""
    session = get_session(connection, session_id)
    if session is None or session.series_id != series_id or session.is_rehearsal:
        abort(404)
    return session
