"""Ways to send a launch that differs from a valid one in one point; each says in words what is sent."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from werkzeug.test import TestResponse

from tests.integration.lti.lms import Claims, Lms, claim
from tests.integration.lti.sides import Side, arrive, forget_cookies_older_than
from tests.integration.lti.tool import Browser, Login, login_form

VOCABULARY = "http://purl.imsglobal.org/vocab/lis/v2/"
UNITS_S = {"year": 365 * 24 * 3600, "min": 60, "s": 1}


@dataclass(frozen=True)
class Sent:
    """`says` is how docs/differences-to-pylti1p3.md tells what was sent."""

    says: str
    send: Callable[[Side], TestResponse]


# Another answer of the LMS to a valid login


def form(says: str, fields: Callable[[Login], Mapping[str, str]]) -> Sent:
    def send(side: Side) -> TestResponse:
        browser = side.new_browser()
        return browser.post("/lti/launch", data=fields(arrive(side, browser)))

    return Sent(says, send)


def token(says: str, makes: Callable[[Login], str]) -> Sent:
    return form(says, lambda login: {"state": login.state, "id_token": makes(login)})


def claims(changes: Mapping[str, Any], *, without: tuple[str, ...] = (), says: str | None = None) -> Sent:
    """Well signed, with these claims changed or left out."""
    told = [f"`{_short(name)}` {_shown(value)}" for name, value in changes.items()]
    told += [f"no `{_short(name)}`" for name in without]
    return token(says or ", ".join(told), lambda login: login.id_token(changes, without=without))


def without(*names: str) -> Sent:
    return claims({}, without=names)


def literal(name: str, value: str) -> Sent:
    """A claim that no Python value stands for."""

    def makes(login: Login) -> str:
        return login.lms.sign(json.dumps(login.claims({name: "here"})).replace('"here"', value).encode())

    return token(f"`{name}` `{value}`", makes)


def payload(content: bytes, says: str | None = None) -> Sent:
    return token(says or f"the payload `{content.decode()}`", lambda login: login.lms.sign(content))


def header(fields: Mapping[str, Any]) -> Sent:
    """The rest of a good header stays: RS256 and the right `kid`."""
    told = ", ".join(f"`{name}` {_shown(value)}" for name, value in fields.items())

    def makes(login: Login) -> str:
        return login.lms.sign(login.claims(), header={"alg": "RS256", "kid": login.lms.kid, **fields})

    return token(f"{told} in the header", makes)


def in_as_login(says: str, makes: Callable[[Lms, Lms, Claims], str]) -> Sent:
    """Malta is A, Vilnius is B; the claims are those that B would send."""

    def send(side: Side) -> TestResponse:
        browser, a, b = side.new_browser(), side.malta, side.vilnius
        login = arrive(side, browser)
        bs_claims = login.claims({"iss": b.issuer, "aud": b.client_id, "deployment_id": b.deployment_id})
        return browser.launch(login, makes(a, b, bs_claims))

    return Sent(says, send)


# At another time, or by other means


def times(**offsets_s: int) -> Sent:
    """`iat` and `exp`, in seconds from now."""

    def makes(side: Side, login: Login) -> str:
        return login.id_token({name: int(side.now()) + offset for name, offset in offsets_s.items()})

    def send(side: Side) -> TestResponse:
        browser = side.new_browser()
        login = arrive(side, browser)
        return browser.launch(login, makes(side, login))

    return Sent(", ".join(f"`{name}` {_ago(offset)}" for name, offset in offsets_s.items()), send)


def after(wait: timedelta, says: str) -> Sent:
    """The LMS answers so long after the login, with a fresh token."""

    def send(side: Side) -> TestResponse:
        browser = side.new_browser()
        login = arrive(side, browser)
        side.wait(wait)
        forget_cookies_older_than(browser, wait)
        now = int(side.now())
        return browser.launch(login, login.id_token({"iat": now, "exp": now + 300}))

    return Sent(says, send)


def between(says: str, happens: Callable[[Side], None]) -> Sent:
    """Something happens between login and launch."""

    def send(side: Side) -> TestResponse:
        browser = side.new_browser()
        login = arrive(side, browser)
        happens(side)
        return browser.launch(login)

    return Sent(says, send)


def keys(says: str, publish: Callable[[Side], None]) -> Sent:
    """A valid launch, while the LMS's key set holds other keys."""

    def send(side: Side) -> TestResponse:
        publish(side)
        browser = side.new_browser()
        return browser.launch(arrive(side, browser))

    return Sent(says, send)


def _in_the_address(method: str) -> Callable[[Side], TestResponse]:
    def send(side: Side) -> TestResponse:
        browser = side.new_browser()
        login = arrive(side, browser)
        query = {"state": login.state, "id_token": login.id_token()}
        return browser.open("/lti/launch", method=method, query_string=query)

    return send


by_get = Sent("by GET", _in_the_address("GET"))
in_the_address = Sent("by POST with everything in the address", _in_the_address("POST"))


# Another login


def login(
    changes: Mapping[str, str | None], *, path: str = "/lti/login/malta", then: Mapping[str, Any] | None = None
) -> Sent:
    """The login form with these fields changed (None: left out), then the answer of an LMS that takes it so."""
    told = [f"`{name}` {_shown(value)}" if value else f"no `{name}`" for name, value in changes.items()]
    told = [f"a login with {', '.join(told)}" + (f" at {path}" if path == "/lti/login" else "")]
    told += [f"`{name}` {_shown(value)}" for name, value in (then or {}).items()]

    def send(side: Side) -> TestResponse:
        browser, good = side.new_browser(), login_form(side.malta)
        changed = {name: value for name, value in (good | changes).items() if value is not None}
        arrived = arrive(side, browser, changed, path=path)
        return browser.launch(arrived, arrived.id_token({"target_link_uri": good["target_link_uri"], **(then or {})}))

    return Sent(", then ".join(told), send)


def _at_a_disabled_platform(side: Side) -> TestResponse:
    side.disable_malta()
    browser = side.new_browser()
    return browser.launch(arrive(side, browser))


at_a_disabled_platform = Sent("a login of a disabled platform", _at_a_disabled_platform)


# Two of something


def two_logins(says: str, makes: Callable[[Login, Login], tuple[Login, str]]) -> Sent:
    """Two logins of one browser; (whose state, which token) of them is posted."""

    def send(side: Side) -> TestResponse:
        browser = side.new_browser()
        return browser.launch(*makes(arrive(side, browser), arrive(side, browser)))

    return Sent(says, send)


def two_launches(says: str, first: Callable[[Login], str], second: Callable[[Login], str]) -> Sent:
    """Two tokens in one login; the verdict is on the second."""

    def send(side: Side) -> TestResponse:
        browser = side.new_browser()
        login = arrive(side, browser)
        browser.launch(login, first(login))
        return browser.launch(login, second(login))

    return Sent(says, send)


def twice(says: str) -> Sent:
    """One form; the verdict is on its second time."""

    def send(side: Side) -> TestResponse:
        browser = side.new_browser()
        login = arrive(side, browser)
        id_token = login.id_token()
        browser.launch(login, id_token)
        return browser.launch(login, id_token)

    return Sent(says, send)


def two_browsers(says: str, post: Callable[[Side, Login, Browser], TestResponse]) -> Sent:
    """A login in one browser, and another browser."""
    return Sent(says, lambda side: post(side, arrive(side, side.new_browser()), side.new_browser()))


def into_another_login(side: Side, attackers: Login, victim: Browser) -> TestResponse:
    return victim.launch(arrive(side, victim), attackers.id_token())


def _short(name: str) -> str:
    return name.removeprefix(claim("")).rpartition("/")[2]


def _shown(value: Any) -> str:
    return f"`{json.dumps(value, ensure_ascii=False).replace(VOCABULARY, '')}`"


def _ago(offset_s: int) -> str:
    unit = next(unit for unit, seconds in UNITS_S.items() if offset_s % seconds == 0)
    return f"{abs(offset_s) // UNITS_S[unit]} {unit} {'ahead' if offset_s > 0 else 'ago'}"
