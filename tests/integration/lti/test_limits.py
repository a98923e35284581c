"""Sizes, and a database that cannot be had."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from structlog.testing import capture_logs

from lti_tool.tool import Tool
from series.store.database import Database
from tests.integration.lti.lms import Lms
from tests.integration.lti.tool import Browser, Login, ToolUnderTest, login_form, open_tool

MEGABYTE = 1_000_000


def test_a_state_of_a_megabyte_is_refused(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    form = {"state": "A" * MEGABYTE, "id_token": login.id_token()}
    tool.refuses("too_large", lambda: browser.post("/lti/launch", data=form))


@pytest.mark.parametrize("chars", [MEGABYTE, 70_000])
def test_a_large_id_token_is_refused(tool: ToolUnderTest, browser: Browser, login: Login, chars: int) -> None:
    tool.refuses_token("too_large", login, browser, "A" * chars)


def test_a_large_id_token_that_is_well_signed_is_refused(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    tool.refuses_token("too_large", login, browser, login.id_token({"name": "x" * 60_000}))


@pytest.mark.parametrize("name", ["iss", "login_hint", "lti_message_hint", "target_link_uri", "client_id", "state"])
@pytest.mark.parametrize("chars", [MEGABYTE, 9_000])
def test_a_large_login_is_refused(tool: ToolUnderTest, browser: Browser, malta: Lms, name: str, chars: int) -> None:
    tool.refuses("too_large", lambda: browser.start_login(malta, {name: "A" * chars}))


def test_a_target_that_fits_no_state_is_refused(tool: ToolUnderTest, browser: Browser, malta: Lms) -> None:
    target = login_form(malta)["target_link_uri"] + "?x=" + "é" * 4_000
    tool.refuses("too_large", lambda: browser.start_login(malta, {"target_link_uri": target}))


def test_thousands_of_fields_are_no_error(browser: Browser) -> None:
    many = "&".join(f"a{n}=1" for n in range(20_000))
    answer = browser.post("/lti/launch", data=many, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400


@contextmanager
def locked(tool: ToolUnderTest) -> Iterator[None]:
    """Somebody else writes and does not end."""
    if tool.database.is_sqlite:
        holder = sqlite3.connect(tool.database.url.removeprefix("sqlite:///"), isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")
        holder.close()
    else:
        with psycopg.connect(tool.database.url.replace("+psycopg", "")) as connection:
            connection.execute("LOCK TABLE spent_nonce")
            yield


@contextmanager
def impatient(tool: ToolUnderTest) -> Iterator[None]:
    """Without the ten seconds for which the tool waits for a lock."""
    own: Tool = tool.app.extensions["shared_sessions"]
    database = Database(tool.database.url, busy_timeout_s=0)
    tool.app.extensions["shared_sessions"] = replace(own, database=database)
    yield
    tool.app.extensions["shared_sessions"] = own
    database.dispose()


def test_a_locked_database_is_said_so_and_the_launch_can_be_sent_again(
    database_url: str, malta: Lms, vilnius: Lms, tmp_path: Path
) -> None:
    with open_tool(database_url, malta, vilnius, tmp_path / "clock") as tool:
        browser = tool.new_browser()
        browser.open_visit(browser.begin_login(malta))
        before, login = tool.rows(), browser.begin_login(malta)
        token = login.id_token()
        with impatient(tool), locked(tool), capture_logs() as records:
            answer = browser.launch(login, token)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert "Please try again in a moment" in answer.text
        assert [(record["event"], record["log_level"]) for record in records] == [("database_unusable", "error")]
        assert records[0]["reference"] in answer.text
        assert tool.rows() == before
        browser.open_visit(login, token)


def test_a_database_that_is_not_there_is_said_so(
    tool: ToolUnderTest, browser: Browser, login: Login, tmp_path: Path
) -> None:
    own: Tool = tool.app.extensions["shared_sessions"]
    nowhere = Database(f"sqlite:///{tmp_path}/nowhere/x.db")
    tool.app.extensions["shared_sessions"] = replace(own, database=nowhere)
    answer = browser.launch(login)
    tool.app.extensions["shared_sessions"] = own
    nowhere.dispose()
    browser.open_visit(login)
    assert answer.status_code == 503
    assert "frame-ancestors" in answer.headers["Content-Security-Policy"]
