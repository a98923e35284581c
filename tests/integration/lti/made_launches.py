"""Launches made by hypothesis: a valid one, twisted at one or more of its steps."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Flask
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.integration.lti.lms import Claims, Lms, claim, rsa_key, valid_claims
from tests.integration.lti.tool import LAUNCH_URL, login_form
from tests.integration.lti.twists import (
    HEADER_FIELDS,
    LAUNCH_FIELDS,
    LOGIN_FIELDS,
    MARK,
    Pairs,
    Request,
    Twist,
    any_json,
    claims_twists,
    request_twists,
)

PERSON = {
    "sub": f"{MARK}-5",
    "picture": f"https://malta.lms.example/{MARK}.jpg",
    claim("lis"): {"person_sourcedid": f"{MARK}-A000010"},
    claim("ext"): {"user_username": f"{MARK}10"},
    claim("custom"): {"uname": f"{MARK}10", "uid": f"{MARK}-5"},
    claim("launch_presentation"): {"return_url": f"https://malta.lms.example/return.php?sesskey={MARK}"},
}
HINTS = {"login_hint": f"{MARK}-5", "lti_message_hint": f'{{"user":"{MARK}"}}'}
PATHS = ("/lti/login", "/lti/login/malta", "/lti/login/vilnius", "/lti/login/nobody")


@dataclass(frozen=True, kw_only=True)
class MadeLaunch:
    """What is done to each step of a valid launch."""

    by: str = "POST"
    path: str = "/lti/login/malta"
    login: list[Twist] = field(default_factory=list)
    check: list[Twist] = field(default_factory=list)
    claims: list[Twist] = field(default_factory=list)
    header: dict[str, Any] = field(default_factory=dict)
    signature: str = "good"
    launch: list[Twist] = field(default_factory=list)

    @property
    def has_a_valid_login(self) -> bool:
        return (self.by, self.path, self.login, self.check) == ("POST", "/lti/login/malta", [], [])


# Made once: hypothesis looks every new strategy through before it draws from it.
of_each_step = {
    "by": st.sampled_from(["POST", "GET"]),
    "path": st.sampled_from(PATHS),
    "login": st.lists(request_twists((*LOGIN_FIELDS, *HINTS)), max_size=3),
    "check": st.lists(request_twists((*LOGIN_FIELDS, *HINTS, "state")), min_size=1, max_size=2),
    "claims": st.lists(claims_twists, min_size=1, max_size=1),
    "header": st.dictionaries(st.sampled_from(("alg", "kid", *HEADER_FIELDS)), any_json, min_size=1, max_size=3),
    "signature": st.sampled_from(("stranger's", "another payload's", "cut off", "none")),
    "launch": st.lists(request_twists(LAUNCH_FIELDS), min_size=1, max_size=3),
}
some_steps = st.one_of(  # of the login, of the launch, of both
    st.lists(st.sampled_from(steps), min_size=1, max_size=3, unique=True)
    for steps in (list(of_each_step)[:4], list(of_each_step)[4:], list(of_each_step))
)


@st.composite
def made_launches(draw: st.DrawFn) -> MadeLaunch:
    return MadeLaunch(**{step: draw(of_each_step[step]) for step in draw(some_steps)})


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """A login that has come as far as the LMS."""

    state: str
    nonce: str
    cookies: Pairs


@dataclass(frozen=True, kw_only=True)
class Walk:
    """What one browser got on its way, and what nobody else may learn."""

    answers: list[TestResponse] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)


@dataclass(kw_only=True)
class Walker:
    """Goes as far as the tool lets it. A valid login serves until a launch has spent it: that halves the time."""

    app: Flask
    lms: Lms
    _ready: Arrived | None = None

    def go(self, made: MadeLaunch) -> Walk:
        walk = Walk()
        arrived = self._ready if made.has_a_valid_login and self._ready else self._arrive(made, walk)
        if arrived is None:
            return walk
        id_token = _signed(made, self.lms, self._claims(made, arrived))
        fields = (("state", arrived.state), ("id_token", id_token))
        walk.secrets.update({arrived.state, arrived.nonce, *dict(arrived.cookies).values(), id_token})
        walk.secrets.update(filter(None, id_token.split(".")))
        launch = Request(method="POST", path="/lti/launch", fields=fields, cookies=arrived.cookies)
        opened = self._send(walk, launch, made.launch)
        self._ready = arrived if opened.status_code != 303 else None
        if opened.status_code == 303:
            self._send(walk, _get(opened.location, _cookies(opened, walk)))
        return walk

    def _arrive(self, made: MadeLaunch, walk: Walk) -> Arrived | None:
        form = tuple((login_form(self.lms) | HINTS).items())
        where = {"query": form} if made.by == "GET" else {"fields": form}
        started = self._send(walk, Request(method=made.by, path=made.path, **where), made.login)
        if started.status_code != 303:
            return None
        cookies = _cookies(started, walk)
        checked = self._send(walk, _get(started.location, cookies), made.check)
        if checked.status_code != 302:
            return None
        sent = dict(parse_qsl(urlsplit(checked.location).query, keep_blank_values=True))
        return Arrived(state=sent["state"], nonce=sent["nonce"], cookies=cookies)

    def _claims(self, made: MadeLaunch, arrived: Arrived) -> Claims:
        claims = valid_claims(self.lms, nonce=arrived.nonce, target_link_uri=LAUNCH_URL) | PERSON
        for twist in made.claims:
            claims = twist(claims)
        return claims

    def _send(self, walk: Walk, request: Request, twists: Iterable[Twist] = ()) -> TestResponse:
        for twist in twists:
            request = twist(request)
        answer = request.send(self.app)
        walk.answers.append(answer)
        return answer


def _cookies(answer: TestResponse, walk: Walk) -> Pairs:
    """Those that it sets; their values are proofs."""
    firsts = [header.partition(";")[0].partition("=") for header in answer.headers.getlist("Set-Cookie")]
    walk.secrets.update(value for _, _, value in firsts)
    return tuple((name, value) for name, _, value in firsts)


def _get(location: str, cookies: Pairs) -> Request:
    parts = urlsplit(location)
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    return Request(method="GET", path=parts.path, query=query, cookies=cookies)


def _signed(made: MadeLaunch, lms: Lms, claims: Claims) -> str:
    key = rsa_key("a stranger's") if made.signature == "stranger's" else lms.key
    good = lms.sign(claims, header={"alg": "RS256", "kid": lms.kid} | made.header, key=key)
    signed, _, signature = good.rpartition(".")
    match made.signature:
        case "another payload's":
            return f"{signed}.{lms.sign({}).rpartition('.')[2]}"
        case "cut off":
            return f"{signed}.{signature[:-8]}"
        case "none":
            return f"{signed}."
    return good
