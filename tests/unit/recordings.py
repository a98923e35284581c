"""Exchanges recorded at a real Moodle 4.5.6 (tests/data/moodle), and how they are played back to our clients."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import responses
from joserfc.jwk import RSAKey
from responses import matchers

from lms.guarded import GuardedSession
from lms.moodle_events import EventDraft
from lms.service_tokens import ServicePlatform
from lms.tool_keys import SigningKey

FOLDER = Path(__file__).parents[1] / "data" / "moodle"
PLATFORM = ServicePlatform(
    platform_id=1, client_id="MPbqm4hItJRKNRw", token_endpoint="http://127.0.0.1:8101/mod/lti/token.php"
)
MOODLE_URL = "http://127.0.0.1:8101"
MOODLE_SERVER = f"{MOODLE_URL}/webservice/rest/server.php"
MOODLE_TOKEN = "0123456789abcdef-a-secret-token"
SIGNING_KEY = SigningKey(kid="our-key", key=RSAKey.generate_key(2048))


def recording(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return content


def loopback_session() -> GuardedSession:
    """The recorded sites were on loopback."""
    return GuardedSession(allowed_networks=(), allow_loopback=True)


def body_of(recorded: Any) -> str:
    return recorded if isinstance(recorded, str) else json.dumps(recorded)


def grant_token(access_token: str = "a-token", *, expires_in: object = 3600) -> None:
    """The token endpoint grants this token once more."""
    responses.post(PLATFORM.token_endpoint, json={"access_token": access_token, "expires_in": expires_in})


def play_service(name: str, **changes: Any) -> responses.BaseResponse:
    """Plays the recorded answer of an LTI service at its recorded URL. `changes` go to `responses`."""
    exchange = recording(name)
    headers = {key: value for key, value in exchange["response_headers"].items() if key != "Content-Type"}
    answer: dict[str, Any] = {
        "method": exchange["method"],
        "url": exchange["url"],
        "status": exchange["status"],
        "body": body_of(exchange["response"]),
        "content_type": exchange["response_headers"]["Content-Type"],
        "headers": headers,
    }
    played: responses.BaseResponse = responses.add(**{**answer, **changes})
    return played


def play_moodle(name: str, *, same_form: bool = False) -> responses.BaseResponse:
    """Plays a recorded web service answer; `same_form`: only to a request with exactly the recorded arguments."""
    exchange = recording(name)
    headers = {key: value for key, value in exchange["headers"].items() if key != "Content-Type"}
    form = {key: str(value) for key, value in exchange["request_params_form"].items()}
    form |= {"wstoken": MOODLE_TOKEN, "wsfunction": exchange["function"], "moodlewsrestformat": "json"}
    played: responses.BaseResponse = responses.post(
        MOODLE_SERVER,
        status=exchange["status"],
        body=body_of(exchange["response"]),
        content_type=exchange["headers"]["Content-Type"],
        headers=headers,
        match=[matchers.urlencoded_params_matcher(form)] if same_form else (),
    )
    return played


def sent_form(index: int = -1) -> dict[str, str]:
    """The form fields of a call that was made."""
    form = parse_qs(str(responses.calls[index].request.body), keep_blank_values=True)
    return {key: value for key, (value,) in form.items()}


def recorded_draft(name: str, index: int = 0) -> EventDraft:
    """The draft that a recorded creation of events sent."""
    event = recording(name)["request_params_structured"]["events"][index]
    return EventDraft(
        course_id=event["courseid"],
        name=event["name"],
        description=event["description"],
        start_at=datetime.fromtimestamp(event["timestart"], UTC),
        duration_minutes=event["timeduration"] // 60,
    )
