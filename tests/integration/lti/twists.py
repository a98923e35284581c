"""Requests and claims as plain values, and strategies for what may be wrong with them.

A twist names one of the functions here and what it is given, so that hypothesis can say what it did.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app

from tests.conftest import PUBLIC_URL
from tests.integration.lti.lms import AGS, claim

Pairs = tuple[tuple[str, str], ...]
Place = tuple[str, ...]
FORM = "application/x-www-form-urlencoded"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
MARK = "Marija"  # part of everything personal that an LMS sends, so that one search finds it in the log


class Long(str):
    """A text that hypothesis can print."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{self[0]!r} * {len(self)}"


PERSONAL_CLAIMS = ("sub", "name", "given_name", "family_name", "email", "picture", claim("lis"), claim("ext"))
PLACES: list[Place] = [
    *((name,) for name in ("iss", "aud", "azp", "iat", "exp", "nonce", AGS, NRPS)),
    *((claim(name),) for name in ("version", "message_type", "deployment_id", "target_link_uri", "roles")),
    *((claim(name),) for name in ("resource_link", "context", "custom", "launch_presentation", "role_scope_mentor")),
    *((claim("resource_link"), name) for name in ("id", "title")),
    *((claim("context"), name) for name in ("id", "title", "label", "type")),
    *((claim("launch_presentation"), name) for name in ("return_url", "locale")),
    *((claim("custom"), name) for name in ("shared_sessions_session", "shared_sessions_series", "other")),
    *((AGS, name) for name in ("scope", "lineitem", "lineitems")),
    (NRPS, "context_memberships_url"),
    *((name,) for name in PERSONAL_CLAIMS),
]
HEADER_FIELDS = ("typ", "crit", "b64", "x5c", "jku", "jwk", "zip", "odd")
PERSONAL_FIELDS = ("login_hint", "lti_message_hint")
LOGIN_FIELDS = ("iss", "client_id", "target_link_uri", "lti_deployment_id", "deployment_id", "lti_storage_target")
LAUNCH_FIELDS = ("state", "id_token", "proof", "error", "error_description", "error_uri", "iss")
TEXTS = (
    *("", "\0", "null", "[]", "%00", "../..", "' OR 1=1 --", "<script>", "{{7*7}}", Long("x" * 9_000)),
    *("http://[", "javascript:alert(1)", f"{PUBLIC_URL}/\0", f"{PUBLIC_URL}/é", f"{PUBLIC_URL}@evil.example/"),
    *("https://malta.lms.example/", "https://vilnius.lms.example", "client-of-vilnius", "deployment-of-vilnius"),
)
HEADERS = (
    *("Origin", "Referer", "Host", "Forwarded", "Sec-Fetch-Site", "User-Agent", "Accept", "Accept-Language", "Range"),
    *("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "X-HTTP-Method-Override"),
    *("Authorization", "If-None-Match", "If-Modified-Since", "Transfer-Encoding", "Connection", "X-Request-Id"),
)
HEADER_TEXTS = (
    *("", "null", "*", Long("x" * 20_000), ",,,", "en;q=x", "*/*;q=2", "bytes=-1", "chunked", "Basic :", "a:99999999"),
    *("https://evil.example", "evil.example", "localhost:8999, evil", "[::1", "127.0.0.1", "é", "Sat, 99 Nov 2026"),
)
CONTENT_TYPES = (
    *("multipart/form-data; boundary=x", "multipart/form-data", "application/json", "text/plain", "", "…", "a/b; c=\0"),
    *(f"{FORM}; charset=utf-16", f"{FORM}; charset=nonsense", f"{FORM};;;"),
)
COOKIE_NAMES = ("visit", "session", "lti-", "lti-0123456789abcdef", "__Host-lti", "lti-" + "x" * 200, "é", "")
METHODS = ("GET", "POST", "PUT", "OPTIONS", "DELETE", "PATCH", "TRACE", "ODD")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a browser sends."""

    method: str
    path: str
    query: Pairs = ()
    fields: Pairs = ()
    cookies: Pairs = ()
    headers: Pairs = ()
    content_type: str = FORM
    body: bytes | None = None  # in place of the fields

    def send(self, app: Flask) -> TestResponse:
        """Past the test client, which cannot send what it cannot read itself."""
        named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers}
        cookie = {"HTTP_COOKIE": "; ".join(f"{name}={value}" for name, value in self.cookies)}
        builder = EnvironBuilder(
            method=self.method,
            path=self.path,
            base_url=PUBLIC_URL,
            query_string=urlencode(self.query, errors="surrogatepass"),
            data=urlencode(self.fields, errors="surrogatepass") if self.body is None else self.body,
            content_type=self.content_type,
            environ_overrides=(cookie if self.cookies else {}) | named,
        )
        environ = builder.get_environ()
        return TestResponse(*run_wsgi_app(app, environ, buffered=True), request=app.request_class(environ))


@dataclass(frozen=True)
class Twist:
    """Something done to a request or to claims."""

    does: Callable[..., Any]
    arguments: dict[str, Any]

    def __call__(self, subject: Any) -> Any:
        return self.does(subject, **self.arguments)


def with_claims(claims: dict[str, Any], changes: Iterable[tuple[Place, Any]], gone: Iterable[str]) -> dict[str, Any]:
    for place, value in changes:
        claims = changed(claims, place, value)
    return {name: value for name, value in claims.items() if name not in gone}


def changed(claims: dict[str, Any], place: Place, value: object) -> dict[str, Any]:
    if len(place) == 1:
        return claims | {place[0]: value}
    inner = claims.get(place[0])
    return claims | {place[0]: {"id": "1"} | (inner if isinstance(inner, dict) else {}) | {place[1]: value}}


def with_field(request: Request, field: tuple[str, str]) -> Request:
    return replace(request, fields=(*_without(request.fields, field[0]), field))


def with_field_twice(request: Request, field: tuple[str, str]) -> Request:
    return replace(request, fields=(field, *request.fields, field))


def with_field_in_the_address(request: Request, field: tuple[str, str]) -> Request:
    return replace(request, fields=_without(request.fields, field[0]), query=(*request.query, field))


def with_field_in_both(request: Request, field: tuple[str, str]) -> Request:
    return replace(request, query=(field, *request.query))


def without_field(request: Request, name: str) -> Request:
    return replace(request, fields=_without(request.fields, name), query=_without(request.query, name))


def with_headers(request: Request, headers: list[tuple[str, str]]) -> Request:
    named = {name for name, _ in headers}
    kept = (header for header in request.headers if header[0] not in named)
    return replace(request, headers=(*kept, *headers))


def with_cookies(request: Request, cookies: list[tuple[str, str]]) -> Request:
    return replace(request, cookies=(*cookies, *request.cookies, *cookies))


def with_other_proof(request: Request, proof: str) -> Request:
    return replace(request, cookies=tuple((name, proof) for name, _ in request.cookies))


def without_cookies(request: Request) -> Request:
    return replace(request, cookies=())


def sent_otherwise(request: Request, **how: Any) -> Request:
    return replace(request, **how)


def _without(pairs: Pairs, name: str) -> Pairs:
    return tuple(pair for pair in pairs if pair[0] != name)


def json_of(text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return st.recursive(
        st.none() | st.booleans() | any_number | text,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
        max_leaves=5,
    )


def twist(does: Callable[..., Any], **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Twist]:
    return st.builds(Twist, st.just(does), st.fixed_dictionaries(arguments))


any_text = st.text(st.characters(exclude_categories=()), max_size=60)  # with NUL and half surrogates
any_number = st.integers() | st.floats() | st.sampled_from([10**400, -(10**400), 2**63, 1e308, 253402300800])
any_json = json_of(any_text)
personal_text = any_text.map(lambda text: MARK + text)
personal_json = json_of(personal_text)
any_header = st.fixed_dictionaries(
    {"alg": st.just("RS256"), "kid": st.just("key-of-malta")}, optional=dict.fromkeys(HEADER_FIELDS, any_json)
)
change_of_a_claim = st.one_of(
    st.tuples(st.sampled_from([place for place in PLACES if place[0] not in PERSONAL_CLAIMS]), any_json),
    st.tuples(st.sampled_from([(name,) for name in PERSONAL_CLAIMS]), personal_json),
)
claims_twists = twist(
    with_claims,
    changes=st.lists(change_of_a_claim, min_size=1, max_size=4),
    gone=st.sets(st.sampled_from([place[0] for place in PLACES]), max_size=2),
)
header_text = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60)


def request_twists(names: tuple[str, ...]) -> st.SearchStrategy[Twist]:
    """What may be wrong with a request whose fields have these names."""
    field = st.tuples(st.sampled_from(names), st.sampled_from(TEXTS) | any_text)
    if personal := [name for name in names if name in PERSONAL_FIELDS]:
        impersonal = st.sampled_from([name for name in names if name not in PERSONAL_FIELDS])
        field = st.tuples(impersonal, st.sampled_from(TEXTS) | any_text) | st.tuples(
            st.sampled_from(personal), personal_text
        )
    cookies = st.lists(st.tuples(st.sampled_from(COOKIE_NAMES) | header_text, header_text), min_size=1, max_size=3)
    header = st.tuples(st.sampled_from(HEADERS), st.sampled_from(HEADER_TEXTS) | header_text)
    content_type = st.sampled_from((FORM, *CONTENT_TYPES))
    return st.one_of(
        twist(with_field, field=field),
        twist(with_field_twice, field=field),
        twist(with_field_in_the_address, field=field),
        twist(with_field_in_both, field=field),
        twist(without_field, name=st.sampled_from(names)),
        twist(with_headers, headers=st.lists(header, min_size=1, max_size=3)),
        twist(with_cookies, cookies=cookies),
        twist(with_other_proof, proof=header_text),
        twist(without_cookies),
        twist(sent_otherwise, method=st.sampled_from(METHODS)),
        twist(sent_otherwise, content_type=content_type),
        twist(sent_otherwise, body=st.binary(max_size=300), content_type=content_type),
    )
