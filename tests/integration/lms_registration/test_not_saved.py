"""The LMS says yes, and then we cannot write it down."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from lti_tool.tool import Tool
from series.store.database import Database
from tests.integration.lms_registration.campus import Campus


@contextmanager
def impatient(tool: Tool) -> Iterator[Database]:
    """Another way to the same rows, that waits for nobody."""
    database = Database(tool.database.url, busy_timeout_s=0)
    yield database
    database.dispose()


def test_what_cannot_be_saved_after_the_lms_said_yes_is_said(campus: Campus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else holds the database from the moment at which the LMS makes the client id."""
    invitation, own, extensions = campus.invite(), campus.office.tool, campus.office.app.extensions
    page = campus.ask(invitation)
    with impatient(own) as ours, impatient(own) as elsewhere, ExitStack() as held:
        extensions["shared_sessions"] = replace(own, database=ours)

        def hold(_: int) -> str:
            held.enter_context(elsewhere.write())
            return "client-7"

        monkeypatch.setattr("sandbox_lms.registration.secrets", SimpleNamespace(token_hex=hold))
        answer = campus.press(invitation, page)
    extensions["shared_sessions"] = own
    monkeypatch.undo()
    assert (answer.status_code, "our database could not be had" in answer.text) == (503, True)
    assert "delete it there" in answer.text
    assert (campus.platforms(), len(campus.tools())) == ([], 1)
    campus.office.jump(timedelta(minutes=3))
    assert campus.register(invitation).status_code == 303
