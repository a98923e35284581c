"""Launches made by hypothesis: a valid one, twisted at one or more of its steps."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import unescape
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Flask
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.conftest import PUBLIC_URL
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
OWN = (("Origin", PUBLIC_URL), ("Sec-Fetch-Site", "same-origin"))
PATHS = ("/lti/login", "/lti/login/malta", "/lti/login/vilnius", "/lti/login/nobody")


@dataclass(frozen=True, kw_only=True)
class MadeLaunch:
    """What is done to each step of a valid launch."""

    by: str = "POST"
    path: str = "/lti/login/malta"
    login: list[Twist] = field(default_factory=list)
    check: list[Twist] = field(default_factory=list)
    in_frame_without_cookies: bool = False  # of an LMS that offers platform storage
    claims: list[Twist] = field(default_factory=list)
    header: dict[str, Any] = field(default_factory=dict)
    signature: str = "good"
    launch: list[Twist] = field(default_factory=list)
    ticket: list[Twist] = field(default_factory=list)  # by which a visit leaves such a frame


# Made once: hypothesis looks every new strategy through before it draws from it.
LOGIN_STEPS = {
    "by": st.sampled_from(["POST", "GET"]),
    "path": st.sampled_from(PATHS),
    "login": st.lists(request_twists((*LOGIN_FIELDS, *HINTS)), max_size=3),
    "check": st.lists(request_twists((*LOGIN_FIELDS, *HINTS, "state")), min_size=1, max_size=2),
    "in_frame_without_cookies": st.sampled_from([True]),
}
LAUNCH_STEPS = {
    "claims": st.lists(claims_twists, min_size=1, max_size=1),
    "header": st.dictionaries(st.sampled_from(("alg", "kid", *HEADER_FIELDS)), any_json, min_size=1, max_size=3),
    "signature": st.sampled_from(("stranger's", "another payload's", "cut off", "none")),
    "launch": st.lists(request_twists(LAUNCH_FIELDS), min_size=1, max_size=3),
}
IN_FRAME_STEPS = {
    "in_frame_without_cookies": st.sampled_from([True]),
    "launch": LAUNCH_STEPS["launch"],
    "ticket": st.lists(request_twists(("ticket", "proof")), min_size=1, max_size=2),
}
STEPS = LOGIN_STEPS | LAUNCH_STEPS | IN_FRAME_STEPS
some_steps = st.one_of(
    st.lists(st.sampled_from(list(steps)), min_size=1, max_size=3, unique=True)
    for steps in (LOGIN_STEPS, LAUNCH_STEPS, LAUNCH_STEPS, IN_FRAME_STEPS, STEPS)
)


@st.composite
def made_launches(draw: st.DrawFn) -> MadeLaunch:
    return MadeLaunch(**{step: draw(STEPS[step]) for step in draw(some_steps)})


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """A login that has come as far as the LMS, with its proof in a cookie or with the LMS."""

    parameters: dict[str, str]
    cookies: Pairs = ()
    stored_proof: str | None = None

    @property
    def secrets(self) -> set[str]:
        proofs = {value for _, value in self.cookies} | {self.stored_proof or ""}
        return {self.parameters["state"], self.parameters["nonce"]} | proofs - {""}


@dataclass(frozen=True, kw_only=True)
class Walk:
    """What one browser got on its way, and what nobody else may learn."""

    answers: list[TestResponse] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)


@dataclass(kw_only=True)
class Walker:
    """Goes as far as the tool lets it, each time as another person. A valid login serves until a launch has spent it:
    that halves the time."""

    app: Flask
    lms: Lms
    _ready: Arrived | None = None
    _people: Iterator[int] = field(default_factory=count)

    def go(self, made: MadeLaunch) -> Walk:
        walk = Walk()
        has_valid_login = all(getattr(made, step) == getattr(MadeLaunch(), step) for step in LOGIN_STEPS)
        arrived = self._ready if has_valid_login and self._ready else self._arrive(made, walk)
        if arrived is None:
            return walk
        opened = self._launch(made, arrived, walk)
        if has_valid_login:
            self._ready = arrived if opened.status_code != 303 else None
        if 'name="ticket"' in opened.text:
            opened = self._take_ticket(made, opened.text, walk)
        if opened.status_code == 303 and made.claims:  # without, all visits look the same
            visit = self._send(walk, _get(opened.location, _cookies(opened, walk)))
            assert visit.status_code == 200
        return walk

    def _arrive(self, made: MadeLaunch, walk: Walk) -> Arrived | None:
        offered = {"lti_storage_target": "_parent"} if made.in_frame_without_cookies else {}
        form = tuple((login_form(self.lms) | HINTS | offered).items())
        where = {"query": form} if made.by == "GET" else {"fields": form}
        started = self._send(walk, Request(method=made.by, path=made.path, **where), made.login)
        if started.status_code != 303:
            return None
        cookies = () if made.in_frame_without_cookies else _cookies(started, walk)
        checked = self._send(walk, _get(started.location, cookies), made.check)
        if 'data-step="store"' in checked.text:
            stored_proof = _attribute(checked.text, "data-value")
            return Arrived(parameters=_query(_attribute(checked.text, "data-next")), stored_proof=stored_proof)
        return Arrived(parameters=_query(checked.location), cookies=cookies) if checked.status_code == 302 else None

    def _launch(self, made: MadeLaunch, arrived: Arrived, walk: Walk) -> TestResponse:
        claims = valid_claims(self.lms, nonce=arrived.parameters["nonce"], target_link_uri=LAUNCH_URL)
        claims |= PERSON | {"sub": f"{MARK}-{next(self._people)}"}
        for twist in made.claims:
            claims = twist(claims)
        id_token = _signed(made, self.lms, claims)
        walk.secrets.update(arrived.secrets, {id_token}, filter(None, id_token.split(".")))
        fields = {"state": arrived.parameters["state"], "id_token": id_token}
        if arrived.stored_proof:
            fields["proof"] = arrived.stored_proof
        headers = OWN if arrived.stored_proof else ()
        return self._send(walk, _post("/lti/launch", fields, cookies=arrived.cookies, headers=headers), made.launch)

    def _take_ticket(self, made: MadeLaunch, page: str, walk: Walk) -> TestResponse:
        ticket = _attribute(page, 'name="ticket" value')
        walk.secrets.add(ticket)
        return self._send(walk, _post(_attribute(page, "action"), {"ticket": ticket}, headers=OWN), made.ticket)

    def _send(self, walk: Walk, request: Request, twists: Iterable[Twist] = ()) -> TestResponse:
        for twist in twists:
            request = twist(request)
        answer = request.send(self.app)
        walk.answers.append(answer)
        return answer


def _cookies(answer: TestResponse, walk: Walk) -> Pairs:
    """Those that it sets; their values are proofs."""
    firsts = [header.partition(";")[0].partition("=") for header in answer.headers.getlist("Set-Cookie")]
    walk.secrets.update(value for _, _, value in firsts if value)
    return tuple((name, value) for name, _, value in firsts if value)


def _get(location: str, cookies: Pairs) -> Request:
    return Request(method="GET", path=urlsplit(location).path, query=tuple(_query(location).items()), cookies=cookies)


def _post(path: str, fields: dict[str, str], *, headers: Pairs, cookies: Pairs = ()) -> Request:
    return Request(method="POST", path=path, fields=tuple(fields.items()), cookies=cookies, headers=headers)


def _query(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def _attribute(page: str, name: str) -> str:
    found = re.search(rf'{name}="([^"]*)"', page)
    assert found, page
    return unescape(found[1])


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
