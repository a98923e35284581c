"""The tool as a browser and an LMS meet it: the real Flask app on a real database, in the words of a launch."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import sqlalchemy as sa
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from structlog.testing import capture_logs
from werkzeug.test import Client, TestResponse

from lti_tool.app import create_app
from lti_tool.tool import Tool
from series.rule import Rule
from series.store.database import Database
from series.store.sessions import add_series
from series.store.tables import metadata
from series.store.universities import NewPlatform, add_platform, add_university
from tests.conftest import NOW, PUBLIC_URL, make_settings
from tests.examples import MALTA, SERIES, VILNIUS
from tests.integration.lti.lms import Claims, Lms, claim, valid_claims

LAUNCH_URL = f"{PUBLIC_URL}/lti/launch"
COMPILED_TEMPLATES = FileSystemBytecodeCache()  # each test has an app of its own, with the same templates
NOT_OF_PEOPLE = {"platform_key_set", "refusal"}  # what a refused launch may change


@dataclass(frozen=True, kw_only=True)
class Login:
    """A login that has come as far as the LMS; `parameters` is what the LMS was sent."""

    lms: Lms
    parameters: dict[str, str]
    target_link_uri: str

    @property
    def state(self) -> str:
        return self.parameters["state"]

    def claims(self, changes: Mapping[str, object] | None = None, *, without: tuple[str, ...] = ()) -> Claims:
        """The claims with which the LMS answers, but for `changes`; an LTI claim may go by its short name."""
        claims = valid_claims(self.lms, nonce=self.parameters["nonce"], target_link_uri=self.target_link_uri)
        claims |= {_full_name(name, claims): value for name, value in (changes or {}).items()}
        for name in without:
            del claims[_full_name(name, claims)]
        return claims

    def id_token(self, changes: Mapping[str, object] | None = None, *, without: tuple[str, ...] = ()) -> str:
        return self.lms.sign(self.claims(changes, without=without))


class Browser(Client):
    """One browser with its cookies."""

    def start_login(self, lms: Lms, changes: Mapping[str, str] | None = None, *, by: str = "POST") -> TestResponse:
        """What the LMS makes the browser send first; the answer leads to our check step."""
        form = login_form(lms) | dict(changes or {})
        path = f"/lti/login/{lms.slug}"
        return self.get(path, query_string=form) if by == "GET" else self.post(path, data=form)

    def begin_login(self, lms: Lms, changes: Mapping[str, str] | None = None) -> Login:
        """Login and check step, up to the redirect to the LMS."""
        started = self.start_login(lms, changes)
        return self.pass_check(lms, started, login_form(lms) | dict(changes or {}))

    def pass_check(self, lms: Lms, started: TestResponse, form: Mapping[str, str]) -> Login:
        assert started.status_code == 303, started.text
        checked = self.get(started.location)
        assert checked.status_code == 302, checked.text
        parameters = dict(parse_qsl(urlsplit(checked.location).query, keep_blank_values=True))
        return Login(lms=lms, parameters=parameters, target_link_uri=form["target_link_uri"])

    def launch(self, login: Login, id_token: str | None = None) -> TestResponse:
        """The LMS's answer, as the browser posts it: a valid one, unless another is given."""
        id_token = login.id_token() if id_token is None else id_token
        return self.post("/lti/launch", data={"state": login.state, "id_token": id_token})

    def sign_out(self, path: str) -> TestResponse:
        return self.post(f"{path}sign-out", data={"form_token": form_token(self.get(path).text, "sign-out")})

    def open_visit(self, login: Login, id_token: str | None = None) -> str:
        """Launch and follow to the visit; its path."""
        answer = self.launch(login, id_token)
        assert answer.status_code == 303, answer.text
        return urlsplit(answer.location).path


@dataclass(frozen=True, kw_only=True)
class ToolUnderTest:
    """Malta and Vilnius are registered; the series is there, without a session."""

    app: Flask
    database: Database
    malta: Lms
    vilnius: Lms
    clock_file: Path

    def new_browser(self) -> Browser:
        return Browser(self.app, self.app.response_class, use_cookies=True)

    def jump(self, by: timedelta) -> None:
        """Move the tool's clock, as seen from the real one (and the LMSs')."""
        self.clock_file.write_text(str(by.total_seconds()))

    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        tables = [table for table in metadata.sorted_tables if table.name not in NOT_OF_PEOPLE]
        query = sa.union_all(
            *(sa.select(sa.literal(table.name), sa.func.count()).select_from(table) for table in tables)
        )
        with self.database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def rows_of(self, table: sa.Table) -> int:
        with self.database.read() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())

    def refuses(self, code: str, send: Callable[[], TestResponse]) -> str:
        """The page of the refusal. It has a status of 4xx, the code and a reference; there is exactly one log record,
        with the same code and reference; nothing was written."""
        before = self.rows()
        with capture_logs() as records:
            answer = send()
        assert 400 <= answer.status_code < 500, answer.text
        assert [(record["event"], record["code"]) for record in records] == [("refused", code)]
        reference = records[0]["reference"]
        assert f"{reference} ({code})" in answer.text
        assert re.search(r'<p role="alert">[^<]{20,}</p>', answer.text)
        assert "eyJ" not in str(records), "a token is in the log"
        assert "Marija" not in str(records) + answer.text
        assert self.rows() == before
        return answer.text

    def refuses_token(self, code: str, login: Login, browser: Browser, id_token: str) -> str:
        return self.refuses(code, lambda: browser.launch(login, id_token))


def form_token(page: str, action: str) -> str:
    """The token of the form that posts to an address which ends with `action`, wherever on its page it then leads."""
    found = re.search(
        rf'action="[^"]*{re.escape(action)}(?:#[^"]*)?">\s*<input type="hidden" name="form_token" value="(\w+)"', page
    )
    assert found, page
    return found[1]


def login_form(lms: Lms) -> dict[str, str]:
    """What an LMS sends first, complete. The target is the tool's launch address, as in Moodle."""
    return {
        "iss": lms.issuer,
        "client_id": lms.client_id,
        "login_hint": "hint-5",
        "lti_message_hint": "message-hint-7",
        "lti_deployment_id": lms.deployment_id,
        "target_link_uri": LAUNCH_URL,
    }


@contextmanager
def open_tool(database_url: str, malta: Lms, vilnius: Lms, clock_file: Path) -> Iterator[ToolUnderTest]:
    prepare(database_url, malta, vilnius)
    app = create_app(replace(make_settings(database_url), clock_file=clock_file))
    app.jinja_env.bytecode_cache = COMPILED_TEMPLATES
    tool: Tool = app.extensions["shared_sessions"]
    yield ToolUnderTest(app=app, database=tool.database, malta=malta, vilnius=vilnius, clock_file=clock_file)
    tool.database.dispose()
    tool.http.close()
    tool.queue.huey.storage.close()


def prepare(database_url: str, *platforms: Lms) -> None:
    """Register the LMSs, and make the series."""
    database = Database(database_url)
    with database.write() as connection:
        add_series(connection, SERIES, rule=Rule(), now=NOW)
        for home, lms in zip((MALTA, VILNIUS), platforms, strict=False):
            university_id = add_university(
                connection,
                slug=home.slug,
                name=home.name,
                country=home.country,
                time_zone=home.time_zone,
                language=home.language,
            )
            add_platform(connection, _registration(lms, university_id), now=NOW)
    database.dispose()


def _registration(lms: Lms, university_id: int) -> NewPlatform:
    return NewPlatform(
        slug=lms.slug,
        university_id=university_id,
        issuer=lms.issuer,
        client_id=lms.client_id,
        authorization_endpoint=lms.authorization_endpoint,
        token_endpoint=f"{lms.issuer}/token",
        jwks_uri=lms.jwks_uri,
        token_audience=None,
        deployment_ids=(lms.deployment_id,),
    )


def _full_name(name: str, claims: Claims) -> str:
    return claim(name) if claim(name) in claims else name
