"""The feed from a real server process: its headers on the wire, and what the server writes down."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from series.feed_address import OwnerKind, make_token
from series.store.database import Database
from series.store.feeds import feed_owner
from tests.conftest import make_settings
from tests.integration.test_replay import ANSWER_WITHIN_S, START_WITHIN_S, Server, serving
from tests.seeds import launch, seed
from tests.waiting import until


@pytest.fixture
def token(sqlite_url: str) -> str:
    database = Database(sqlite_url)
    seed(database)
    student = launch(database)
    with database.read() as connection:
        owner = feed_owner(connection, OwnerKind.PARTICIPANT, student.participant_id)
    database.dispose()
    assert owner is not None
    return make_token(owner, secret_key=make_settings("").secret_key)


@pytest.fixture
def server(sqlite_url: str, tmp_path: Path) -> Iterator[Server]:
    with serving(sqlite_url, tmp_path / "log") as started:
        until(started.is_ready, "the server answers", within_s=START_WITHIN_S)
        yield started


def test_the_server_sends_the_feed_once_and_writes_its_address_nowhere(server: Server, token: str) -> None:
    url = f"http://127.0.0.1:{server.port}/calendar/{token}.ics"
    full = requests.get(url, timeout=ANSWER_WITHIN_S)
    assert (full.status_code, full.content.count(b"BEGIN:VEVENT")) == (200, 3)
    same = requests.get(url, headers={"If-None-Match": full.headers["ETag"]}, timeout=ANSWER_WITHIN_S)
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", full.headers["ETag"])
    head = requests.head(url, timeout=ANSWER_WITHIN_S)
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(full.content)))
    wrong = requests.get(url.replace("-", "-0"), timeout=ANSWER_WITHIN_S)
    assert (wrong.status_code, wrong.headers["Content-Type"]) == (404, "text/plain; charset=utf-8")
    written = server.log.read_text()
    assert "calendar/" not in written
    assert token.partition("-")[2] not in written
