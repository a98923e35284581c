"""The proof that a browser is signed in as staff: a cookie whose hash is the row's key, and forms bound to it.

`__Host-` ties the cookie to this very host over https: https://httpwg.org/http-extensions/draft-ietf-httpbis-rfc6265bis.html#name-the-__host-prefix
"""

import hmac
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import quote

from flask import Response, request

from lti_tool.pages.visit_proof import FormNotOurs, hash_proof
from lti_tool.tool import the_tool
from series.staff import SEEN_EVERY, Staff
from series.store.staff_sessions import find_session, note_seen

HOME = "/admin/"
OWN_PATH = re.compile(
    r"/(?:admin|coordinator)/(?:[\w-]+/)*[\w-]*(?:\?[\w=&%+-]*)?", re.ASCII
)  # no dots, no empty part, no host
SIGN_IN = "/admin/sign-in"
P = ParamSpec("P")
R = TypeVar("R")


class NotSignedIn(Exception):
    """No sign-in of staff in this browser, or it is over."""


def with_staff(view: Callable[Concatenate[Staff, P], R]) -> Callable[P, R]:
    """Hand the view who is signed in. Raises NotSignedIn."""

    @wraps(view)
    def signed_in_view(*args: P.args, **kwargs: P.kwargs) -> R:
        staff = signed_in()
        if staff is None:
            raise NotSignedIn
        return view(staff, *args, **kwargs)

    return signed_in_view


def signed_in() -> Staff | None:
    """Who is signed in in this browser; that they are here is noted."""
    session_hash = session_hash_of_browser()
    if session_hash is None:
        return None
    tool, now = the_tool(), the_tool().clock.now()
    with tool.database.read() as connection:
        found = find_session(connection, session_hash, now=now)
    if found is None:
        return None
    if found.seen_at <= now - SEEN_EVERY:
        with tool.database.write(wait_for_disk=False) as connection:
            note_seen(connection, session_hash, now=now)
    return found.staff


def who(staff: Staff) -> str:
    """For the audit."""
    return f"staff {staff.staff_id}"


def session_hash_of_browser() -> str | None:
    secret = request.cookies.get(host_cookie("staff"))
    return hash_proof(secret) if secret else None


def set_staff_cookie(response: Response, secret: str) -> None:
    """Until the browser is closed; the row knows when it is over before."""
    response.set_cookie(host_cookie("staff"), secret, **cookie_attributes())


def drop_staff_cookie(response: Response) -> None:
    response.delete_cookie(host_cookie("staff"), **cookie_attributes())


def host_cookie(name: str) -> str:
    return f"__Host-{name}" if _is_https() else name


def cookie_attributes() -> dict[str, Any]:
    return {"path": "/", "secure": _is_https(), "httponly": True, "samesite": "Lax"}


def form_token(action: str) -> str:
    """For a hidden field of a form in this sign-in."""
    return token_for(request.cookies.get(host_cookie("staff"), ""), action)


def token_for(secret: str, action: str) -> str:
    return hmac.digest(secret.encode(), f"staff form {action}".encode(), "sha256").hex()


def check_form(action: str) -> None:
    """Raises FormNotOurs unless this form was made in this sign-in for this action, on our own page."""
    check_token(form_token(action))


def check_token(expected: str) -> None:
    """Raises FormNotOurs."""
    given = request.form.get("form_token", "")
    if comes_from_elsewhere() or not hmac.compare_digest(given.encode(), expected.encode()):
        raise FormNotOurs


def comes_from_elsewhere() -> bool:
    """Whether the browser says so, by either header: https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header"""
    public_url = the_tool().settings.public_url
    fetched_from = request.headers.get("Sec-Fetch-Site", "same-origin")
    return request.headers.get("Origin", public_url) != public_url or fetched_from != "same-origin"


def own_path(wanted: str | None) -> str:
    """`wanted`, if it is plainly a staff page of ours, else the first one."""
    return wanted if wanted and OWN_PATH.fullmatch(wanted) else HOME


def sign_in_path(onward: str) -> str:
    """The sign-in that leads on to `onward`, a path of ours."""
    return SIGN_IN if onward == HOME else f"{SIGN_IN}?next={quote(onward, safe='/')}"


def _is_https() -> bool:
    return the_tool().settings.public_url.startswith("https://")
