"""A started sandbox, its tool's key set, and what a browser, a tool and a worker send to it."""

import html
import json
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

import requests
from joserfc import jwt
from joserfc.jwk import RSAKey

from config.clock import Clock
from sandbox_lms.campus import AGS_SCOPE, MALTA, NRPS_SCOPE, Campus
from sandbox_lms.server import Sandbox
from series.store.universities import NewPlatform
from tests.clocks import move_clock

TIMEOUT_S = 30
TOOL_KEY = RSAKey.generate_key(2048, {"kid": "tool-key", "use": "sig", "alg": "RS256"})
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCORE = "application/vnd.ims.lis.v1.score+json"
SCOPES = {name: AGS_SCOPE + name for name in ("lineitem", "lineitem.readonly", "result.readonly", "score")} | {
    "roster": NRPS_SCOPE
}


def campus_platform(campus: Campus, slug: str, university_id: int, *, product: str = "generic") -> NewPlatform:
    """As it is registered with us."""
    registration = campus.registration()
    return NewPlatform(
        slug=slug,
        university_id=university_id,
        issuer=registration.issuer,
        client_id=registration.client_id,
        authorization_endpoint=registration.authorization_endpoint,
        token_endpoint=registration.token_endpoint,
        jwks_uri=registration.jwks_uri,
        token_audience=None,
        deployment_ids=(registration.deployment_id,),
        product=product,
    )


class _ToolHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"keys": [TOOL_KEY.as_dict(private=False)]}).encode()
        self.send_response(200 if self.path == "/lti/jwks.json" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@dataclass(frozen=True)
class Form:
    """A form that posts itself."""

    action: str
    fields: dict[str, str]


class Browser:
    """One browser at one campus. requests keeps `Secure` cookies from http; a browser trusts loopback."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.headers: dict[str, str] = {}

    def get(self, path: str, **arguments: Any) -> requests.Response:
        return self._send("GET", path, **arguments)

    def post(self, path: str, **arguments: Any) -> requests.Response:
        return self._send("POST", path, **arguments)

    def _send(self, method: str, path: str, **arguments: Any) -> requests.Response:
        url = path if path.startswith("http") else self.issuer + path
        answer = requests.request(
            method, url, headers=self.headers, allow_redirects=False, timeout=TIMEOUT_S, **arguments
        )
        cookie = re.match(r"(LMSSession\w+=[^;]+);", answer.headers.get("Set-Cookie", ""))
        if cookie:
            self.headers = {"Cookie": cookie[1]}
        return answer


class World:
    """A sandbox on free ports, with a tool that only publishes its keys, and a clock that can be moved."""

    def __init__(self, folder: Path, campuses: Iterable[Campus] = (MALTA,)) -> None:
        self.clock = Clock(offset_file=folder / "offset")
        self._tool = ThreadingHTTPServer(("127.0.0.1", 0), _ToolHandler)
        self._tool_thread = threading.Thread(target=self._tool.serve_forever, args=(0.02,))
        self.tool_url = f"http://127.0.0.1:{self._tool.server_port}"
        campuses = [replace(campus, port=0) for campus in campuses]
        self.sandbox = Sandbox(folder / "sandbox", campuses, self.tool_url, self.clock)

    def __enter__(self) -> Self:
        self._tool_thread.start()
        self.sandbox.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sandbox.stop()
        self._tool.shutdown()
        self._tool_thread.join()
        self._tool.server_close()

    @property
    def campus(self) -> Campus:
        return next(iter(self.sandbox.campuses.values()))

    def url(self, path: str) -> str:
        return self.campus.url + path

    def now_s(self) -> int:
        return int(self.clock.now().timestamp())

    def advance(self, seconds: float) -> None:
        """Move the clock; what follows happens that much later (or earlier)."""
        move_clock(self.clock, by=timedelta(seconds=seconds))

    def browser(self, username: str | None = None) -> Browser:
        browser = Browser(self.campus.url)
        if username is not None:
            answer = browser.post("/sign-in", data={"username": username, "password": f"{username}-demo"})
            assert answer.status_code == 303, answer.text
        return browser

    def begin_launch(self, browser: Browser, activity_id: int = 1) -> Form:
        """The login initiation that the LMS sends the browser to the tool with."""
        answer = browser.get(f"/launch/{activity_id}")
        if answer.status_code == 302:
            parts = urlsplit(answer.headers["Location"])
            return Form(parts._replace(query="").geturl(), dict(parse_qsl(parts.query)))
        return form_of(answer)

    def authentication_request(self, login: Form) -> dict[str, str]:
        """What a tool asks the authorization endpoint after this login initiation."""
        return {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "prompt": "none",
            "client_id": login.fields["client_id"],
            "redirect_uri": f"{self.tool_url}/lti/launch",
            "login_hint": login.fields["login_hint"],
            "lti_message_hint": login.fields["lti_message_hint"],
            "state": "the-state",
            "nonce": "the-nonce",
        }

    def assertion(self, *, key: RSAKey = TOOL_KEY, header: dict[str, str] | None = None, **changes: Any) -> str:
        """A valid client assertion with changes; a claim that is None is left out."""
        now_s = self.now_s()
        claims = {
            "iss": self.campus.client_id,
            "sub": self.campus.client_id,
            "aud": self.campus.habits.token_audience or self.campus.registration().token_endpoint,
            "iat": now_s - 60,
            "exp": now_s + 240,
            "jti": str(uuid4()),
        } | changes
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": "tool-key"} | (header or {}), kept, key)

    def ask_token(self, *, assertion: str | None = None, **changes: str) -> requests.Response:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion or self.assertion(),
            "scope": SCOPES["score"],
        } | changes
        return requests.post(self.campus.registration().token_endpoint, data=form, timeout=TIMEOUT_S)

    def bearer(self, *scopes: str) -> dict[str, str]:
        answer = self.ask_token(scope=" ".join(SCOPES[scope] for scope in scopes))
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def line_item_url(self, service: str = "", line_item_id: int = 4, query: str = "?type_id=1") -> str:
        return self.url(f"/mod/lti/services.php/2/lineitems/{line_item_id}/lineitem{service}{query}")

    def score(self, *, at: str | None = None, **changes: Any) -> dict[str, Any]:
        """A valid score of Maria's; a member that is None is left out."""
        score = {
            "userId": "3",
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
            "timestamp": at or self.clock.now().astimezone(UTC).isoformat(),
            "scoreGiven": 7,
            "scoreMaximum": 13,
        } | changes
        return {name: value for name, value in score.items() if value is not None}

    def post_score(
        self, score: Any, *, headers: dict[str, str] | None = None, url: str | None = None
    ) -> requests.Response:
        bearer = {} if headers and "Authorization" in headers else self.bearer("score")
        sent = {"Content-Type": SCORE} | bearer | (headers or {})
        return requests.post(
            url or self.line_item_url("/scores"), data=json.dumps(score), headers=sent, timeout=TIMEOUT_S
        )

    def grades(self) -> dict[str, float | None]:
        """The first activity's column of the gradebook, by user id."""
        state = requests.get(self.url("/sandbox/state"), timeout=TIMEOUT_S).json()
        return {grade["user_id"]: grade["score"] for grade in state["grades"] if grade["line_item_id"] == 4}

    def events(self) -> list[dict[str, Any]]:
        state = requests.get(self.url("/sandbox/state"), timeout=TIMEOUT_S).json()
        events: list[dict[str, Any]] = state["events"]
        return events

    def call(self, function: str, fields: dict[str, Any] | None = None, **changes: str) -> Any:
        """What a Moodle web service function answers."""
        form = {
            "wstoken": self.campus.moodle_token,
            "wsfunction": function,
            "moodlewsrestformat": "json",
        } | (fields or {})
        answer = requests.post(self.url("/webservice/rest/server.php"), data=form | changes, timeout=TIMEOUT_S)
        assert answer.status_code == 200
        return answer.json()


def form_of(answer: requests.Response) -> Form:
    """The form of a page that posts itself."""
    action = re.search(r'<form id="form-post" method="post" action="([^"]+)"', answer.text)
    assert action, answer.text
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', answer.text)
    return Form(html.unescape(action[1]), {name: html.unescape(value) for name, value in fields})


def moodle_event_form(event_id: int, **changes: Any) -> dict[str, str]:
    """The arguments of core_calendar_submit_create_update_form; a field that is None is left out."""
    form = {
        "id": event_id,
        "eventtype": "course",
        "courseid": 2,
        "name": "Workshop 1, moved",
        "timestart[year]": 2026,
        "timestart[month]": 12,
        "timestart[day]": 2,
        "timestart[hour]": 16,
        "timestart[minute]": 30,
        "description[text]": "<p>New</p>",
        "description[format]": 1,
        "description[itemid]": 0,
        "duration": 2,
        "timedurationminutes": 60,
        "visible": 1,
        "_qf__core_calendar_local_event_forms_update": 1,
    } | changes
    return {"formdata": urlencode({key: value for key, value in form.items() if value is not None})}


def event_fields(number: int = 0, **changes: Any) -> dict[str, Any]:
    """One event of core_calendar_create_calendar_events; a key that is None is left out."""
    event = {
        "name": "Workshop 1",
        "description": "<p>Come</p>",
        "format": 1,
        "courseid": 2,
        "eventtype": "course",
        "timestart": int(datetime(2026, 11, 25, 15, tzinfo=UTC).timestamp()),
        "timeduration": 5400,
        "visible": 1,
    } | changes
    return {f"events[{number}][{key}]": value for key, value in event.items() if value is not None}
