"""Case 93: one launch posted many times at once, to two real server processes on one database."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import sqlalchemy as sa

from series.store.database import Database
from series.store.tables import participant, spent_nonce, visit
from tests.integration.lti.conftest import new_lms
from tests.integration.lti.lms import KeySets, Lms
from tests.integration.lti.tool import Login, login_form, prepare
from tests.waiting import until

POSTS = 16
START_WITHIN_S, STOP_WITHIN_S, ANSWER_WITHIN_S = 60, 15, 60


@dataclass(frozen=True)
class Server:
    """One `lti-tool serve`."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def send(
        self, method: str, path: str, *, cookie: str = "", data: dict[str, str] | None = None
    ) -> requests.Response:
        return requests.request(
            method,
            f"http://127.0.0.1:{self.port}{path}",
            data=data,
            headers={"Cookie": cookie},
            allow_redirects=False,
            timeout=ANSWER_WITHIN_S,
        )

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.send("GET", "/healthz").ok
        except requests.ConnectionError:
            return False


@pytest.fixture(scope="module")
def key_sets() -> Iterator[KeySets]:
    served = KeySets()
    yield served
    served.stop()


@pytest.fixture
def malta(key_sets: KeySets) -> Lms:
    return new_lms("malta", key_sets)


@pytest.fixture
def servers(database_url: str, malta: Lms, tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    prepare(database_url, malta)
    with ExitStack() as stack:
        one, other = (stack.enter_context(serving(database_url, tmp_path / f"{name}.log")) for name in ("one", "other"))
        for server in (one, other):
            until(server.is_ready, "the server answers", within_s=START_WITHIN_S)
        yield one, other


@contextmanager
def serving(database_url: str, log: Path) -> Iterator[Server]:
    port = free_port()
    command = [str(Path(sys.executable).with_name("lti-tool")), "serve", "--port", str(port)]
    environment = os.environ | {
        "SHARED_SESSIONS_PUBLIC_URL": "http://localhost:8999",  # of the proxy that would stand before both
        "SHARED_SESSIONS_DATABASE_URL": database_url,
        "SHARED_SESSIONS_SECRET_KEY": "a test's secret key, long enough for all",
        "SHARED_SESSIONS_ENCRYPTION_KEY": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        try:
            yield Server(process, port, log)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def begin_login(malta: Lms, one: Server, other: Server) -> tuple[Login, str]:
    """The login at one process, the check step at the other; the login and its cookie."""
    started = one.send("POST", "/lti/login/malta", data=login_form(malta))
    cookie = started.headers["Set-Cookie"].partition(";")[0]
    check = urlsplit(started.headers["Location"])
    checked = other.send("GET", f"{check.path}?{check.query}", cookie=cookie)
    assert checked.status_code == 302, checked.text
    parameters = dict(parse_qsl(urlsplit(checked.headers["Location"]).query))
    return Login(lms=malta, parameters=parameters, target_link_uri=login_form(malta)["target_link_uri"]), cookie


def test_lti_093_of_sixteen_parallel_posts_to_two_processes_exactly_one_is_accepted(
    servers: tuple[Server, Server], malta: Lms, database: Database
) -> None:
    login, cookie = begin_login(malta, *servers)
    form = {"state": login.state, "id_token": login.id_token()}
    at_once = threading.Barrier(POSTS)

    def post(number: int) -> requests.Response:
        at_once.wait()
        return servers[number % 2].send("POST", "/lti/launch", cookie=cookie, data=form)

    with ThreadPoolExecutor(POSTS) as pool:
        answers = list(pool.map(post, range(POSTS)))
    assert Counter(answer.status_code for answer in answers) == {303: 1, 400: POSTS - 1}
    assert all("(nonce_spent)" in answer.text for answer in answers if answer.status_code == 400)
    assert rows(database) == [1, 1, 1]
    log = "".join(server.log.read_text() for server in servers)
    assert log.count('"code": "nonce_spent"') == POSTS - 1
    assert log.count('"event": "launched"') == 1
    assert "Traceback" not in log


def test_lti_093_sixteen_parallel_launches_of_their_own_are_all_accepted(
    servers: tuple[Server, Server], malta: Lms, database: Database
) -> None:
    logins = [begin_login(malta, *servers) for _ in range(POSTS)]
    at_once = threading.Barrier(POSTS)

    def post(number: int) -> int:
        login, cookie = logins[number]
        form = {"state": login.state, "id_token": login.id_token({"sub": f"student-{number}"})}
        at_once.wait()
        return servers[number % 2].send("POST", "/lti/launch", cookie=cookie, data=form).status_code

    with ThreadPoolExecutor(POSTS) as pool:
        assert set(pool.map(post, range(POSTS))) == {303}
    assert rows(database) == [POSTS] * 3


def test_a_form_of_a_megabyte_gets_a_page_from_the_real_server(servers: tuple[Server, Server], malta: Lms) -> None:
    answer = servers[0].send("POST", "/lti/launch", data={"state": "A" * 1_000_000})
    assert answer.status_code == 413
    assert "(too_large)" in answer.text
    assert '"code": "too_large"' in servers[0].log.read_text()


def rows(database: Database) -> list[int]:
    with database.read() as connection:
        return [
            connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in (visit, spent_nonce, participant)
        ]
