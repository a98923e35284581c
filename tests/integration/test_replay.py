"""Case 93: one launch posted many times at once, to two real server processes on one database."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
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
from tests.databases import KINDS, Databases
from tests.integration.lti.conftest import new_lms
from tests.integration.lti.lms import KeySets, Lms
from tests.integration.lti.tool import Login, login_form, prepare
from tests.ports import free_port
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


@dataclass(frozen=True)
class Installation:
    """Two servers on one database, and the LMS that it knows."""

    one: Server
    other: Server
    malta: Lms
    database: Database

    def rows(self) -> dict[str, int]:
        with self.database.read() as connection:
            return {
                table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
                for table in (visit, spent_nonce, participant)
            }

    def logged(self, words: str) -> int:
        return sum(server.log.read_text().count(words) for server in (self.one, self.other))


@pytest.fixture(scope="module")
def key_sets() -> Iterator[KeySets]:
    served = KeySets()
    yield served
    served.stop()


@pytest.fixture(scope="module", params=KINDS)
def installation(
    request: pytest.FixtureRequest, databases: Databases, key_sets: KeySets, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    malta, folder = new_lms("malta", key_sets), tmp_path_factory.mktemp("servers")
    with databases.fresh(request.param) as url, ExitStack() as stack:
        prepare(url, malta)
        one, other = (stack.enter_context(serving(url, folder / f"{name}.log")) for name in ("one", "other"))
        for server in (one, other):
            until(server.is_ready, "the server answers", within_s=START_WITHIN_S)
        made = Installation(one, other, malta, Database(url))
        login, cookie = begin_login(made)
        form = {"state": login.state, "id_token": login.id_token()}
        assert one.send("POST", "/lti/launch", cookie=cookie, data=form).status_code == 303  # the keys are at hand now
        yield made
        made.database.dispose()


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


def begin_login(installation: Installation) -> tuple[Login, str]:
    """The login at one process, the check step at the other; the login and its cookie."""
    malta = installation.malta
    started = installation.one.send("POST", "/lti/login/malta", data=login_form(malta))
    cookie = started.headers["Set-Cookie"].partition(";")[0]
    check = urlsplit(started.headers["Location"])
    checked = installation.other.send("GET", f"{check.path}?{check.query}", cookie=cookie)
    assert checked.status_code == 302, checked.text
    parameters = dict(parse_qsl(urlsplit(checked.headers["Location"]).query))
    return Login(lms=malta, parameters=parameters, target_link_uri=login_form(malta)["target_link_uri"]), cookie


def post_at_once(installation: Installation, launches: Sequence[tuple[dict[str, str], str]]) -> list[requests.Response]:
    """Each form with its cookie, all in the same moment, in turns to the two servers."""
    at_once = threading.Barrier(len(launches))

    def post(number: int) -> requests.Response:
        form, cookie = launches[number]
        server = (installation.one, installation.other)[number % 2]
        at_once.wait()
        return server.send("POST", "/lti/launch", cookie=cookie, data=form)

    with ThreadPoolExecutor(len(launches)) as pool:
        return list(pool.map(post, range(len(launches))))


def test_lti_093_pitfall_21_of_sixteen_parallel_posts_to_two_processes_exactly_one_is_accepted(
    installation: Installation,
) -> None:
    before, launched = installation.rows(), installation.logged('"event": "launched"')
    login, cookie = begin_login(installation)
    form = {"state": login.state, "id_token": login.id_token({"sub": "nobody-else"})}
    answers = post_at_once(installation, [(form, cookie)] * POSTS)
    assert Counter(answer.status_code for answer in answers) == {303: 1, 400: POSTS - 1}
    assert all("(nonce_spent)" in answer.text for answer in answers if answer.status_code == 400)
    assert installation.rows() == {name: count + 1 for name, count in before.items()}
    assert installation.logged('"event": "launched"') == launched + 1
    assert installation.logged('"code": "nonce_spent"') == POSTS - 1
    assert installation.logged("Traceback") == 0


def test_lti_093_sixteen_parallel_launches_of_different_people_are_all_accepted(installation: Installation) -> None:
    before, launches = installation.rows(), []
    for number in range(POSTS):
        login, cookie = begin_login(installation)
        token = login.id_token({"sub": f"person-{number}"})
        launches.append(({"state": login.state, "id_token": token}, cookie))
    assert {answer.status_code for answer in post_at_once(installation, launches)} == {303}
    assert installation.rows() == {name: count + POSTS for name, count in before.items()}


def test_a_form_of_a_megabyte_gets_a_page_from_the_real_server(installation: Installation) -> None:
    answer = installation.one.send("POST", "/lti/launch", data={"state": "A" * 1_000_000})
    assert answer.status_code == 413
    assert "(too_large)" in answer.text
    assert installation.logged('"code": "too_large"') == 1
