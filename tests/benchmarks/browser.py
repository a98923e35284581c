"""Browser and LMS in one, on one kept-alive connection: what the servers are asked, and by whom the tokens are signed.

No cookie jar: each login carries its own cookies, also the Secure ones that a browser would not send over http.
"""

import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.conftest import PUBLIC_URL
from tests.integration.lti.lms import Lms
from tests.integration.lti.tool import LAUNCH_URL, Login, login_form

STUDENTS = 1000  # who come again and again


@dataclass(frozen=True, kw_only=True)
class Step:
    """Where the last answer leads, with the cookies of this login."""

    location: str
    cookies: str


@dataclass(frozen=True, kw_only=True)
class SignedLaunch:
    """The form that the LMS gives the browser."""

    state: str
    id_token: str
    cookies: str


class Browser:
    """The server answers at `port`, as if behind a proxy at PUBLIC_URL."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)

    def close(self) -> None:
        self._connection.close()

    def start_login(self, lms: Lms) -> Step:
        return self._follow(self._ask("POST", f"/lti/login/{lms.slug}", form=login_form(lms)), cookies="")

    def reach_lms(self, step: Step) -> Step:
        """Go through the server's own steps up to the LMS; none, when the login already led there."""
        while step.location.startswith(PUBLIC_URL):
            path = step.location.removeprefix(PUBLIC_URL)
            step = self._follow(self._ask("GET", path, cookies=step.cookies), cookies=step.cookies)
        return step

    def launch(self, signed: SignedLaunch) -> int:
        """The status of the answer."""
        form = {"state": signed.state, "id_token": signed.id_token}
        return self._ask("POST", "/lti/launch", form=form, cookies=signed.cookies).status

    def _ask(self, method: str, path: str, *, form: dict[str, str] | None = None, cookies: str = "") -> HTTPResponse:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        if cookies:
            headers["Cookie"] = cookies
        self._connection.request(method, path, body=urlencode(form) if form else None, headers=headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer

    def _follow(self, answer: HTTPResponse, *, cookies: str) -> Step:
        location = answer.headers["Location"]
        assert location, f"no redirect but {answer.status}"
        fresh = [cookie.partition(";")[0] for cookie in answer.headers.get_all("Set-Cookie", [])]
        return Step(location=location, cookies="; ".join(filter(None, [cookies, *fresh])))


def sign(lms: Lms, at_lms: Step, number: int) -> SignedLaunch:
    """A valid launch by one of the students, with the nonce of this login."""
    parameters = dict(parse_qsl(urlsplit(at_lms.location).query, keep_blank_values=True))
    login = Login(lms=lms, parameters=parameters, target_link_uri=LAUNCH_URL)
    lives_long = int(time.time()) + 600  # a burst on a busy machine takes its time
    id_token = login.id_token({"sub": f"student-{number % STUDENTS}", "exp": lives_long})
    return SignedLaunch(state=login.state, id_token=id_token, cookies=at_lms.cookies)
