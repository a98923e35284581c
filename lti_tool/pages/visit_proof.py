"""The proof that a browser holds a visit: a cookie for the visit's path alone, and forms bound to it.

The id in the address is worthless without the cookie. Forms carry an HMAC of (visit proof, action) and no time, so a
form opened at 16:00 can be sent at 18:30.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from flask import Response, g, request
from werkzeug.http import dump_cookie

from lti_tool.tool import the_tool
from series.people import VISIT_LIFE, Visit
from series.store.visits import KEEP_OVER, find_visit

COOKIE = "visit"
P = ParamSpec("P")
R = TypeVar("R")


class VisitOver(Exception):
    """There is no such visit in this browser: it is over, or the address was copied from somebody else.

    `return_url`: the way back to the course, if this browser has proved that the visit was its own.
    """

    def __init__(self, return_url: str | None = None) -> None:
        super().__init__()
        self.return_url = return_url


class FormNotOurs(Exception):
    """A form that was not made in this visit."""


def hash_proof(proof: str) -> str:
    return hashlib.sha256(proof.encode()).hexdigest()


def proof_of_login(login_proof: str, visit_id: str) -> str:
    """The proof of the visit that a login has opened. Whoever holds the login's cookie can be given it again: the
    answer to a double click is the one that a browser drops."""
    key = hmac.digest(login_proof.encode(), f"visit {visit_id}".encode(), "sha256")
    return base64.urlsafe_b64encode(key).rstrip(b"=").decode("ascii")


def set_visit_cookie(response: Response, visit_id: str, proof: str) -> None:
    """It outlives the visit, so that a form which is sent too late is still known to be from this browser."""
    add_cookie(response, COOKIE, proof, life=VISIT_LIFE + KEEP_OVER, **_attributes(visit_id))


def add_cookie(response: Response, name: str, value: str, *, life: timedelta, **attributes: Any) -> None:
    """`Response.set_cookie` without `Expires`, which says the same as Max-Age in more time."""
    cookie = dump_cookie(name, value, max_age=int(life.total_seconds()), sync_expires=False, **attributes)
    response.headers.add("Set-Cookie", cookie)


def drop_visit_cookie(response: Response, visit_id: str) -> None:
    response.delete_cookie(COOKIE, **_attributes(visit_id))


def _attributes(visit_id: str) -> dict[str, Any]:
    return {
        "path": f"/visit/{visit_id}/",
        "secure": True,
        "httponly": True,
        "samesite": "None",
        "partitioned": True,
    }


def with_visit(view: Callable[Concatenate[Visit, P], R]) -> Callable[P, R]:
    """Hand the view the visit that this browser has proved. Raises VisitOver."""

    @wraps(view)
    def proved(*args: Any, **kwargs: Any) -> R:
        return view(proved_visit(kwargs.pop("visit_id")), *args, **kwargs)

    return proved


def form_token(action: str) -> str:
    """For a hidden field of a form in this visit."""
    proof = request.cookies.get(COOKIE, "")
    return hmac.digest(proof.encode(), action.encode(), "sha256").hex()


def check_form(action: str) -> None:
    """Raises FormNotOurs unless this form was made in this visit for this action, on our own origin."""
    if "Origin" in request.headers and not is_our_own_form():
        raise FormNotOurs
    if not hmac.compare_digest(request.form.get("form_token", "").encode(), form_token(action).encode()):
        raise FormNotOurs


def is_our_own_form() -> bool:
    """Whether a page of ours has posted this form. Browsers send an Origin with every POST; those that also say from
    where the request came must say: from here. https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header"""
    fetched_from = request.headers.get("Sec-Fetch-Site", "same-origin")
    return request.headers.get("Origin") == the_tool().settings.public_url and fetched_from == "same-origin"


def proved_visit(visit_id: str) -> Visit:
    """Raises VisitOver."""
    tool = the_tool()
    proof = request.cookies.get(COOKIE)
    if not proof or not visit_id.isprintable():  # PostgreSQL cannot even be asked for a NUL
        raise VisitOver
    with tool.database.read() as connection:
        found = find_visit(connection, visit_id, now=tool.clock.now())
    if found is None or not secrets.compare_digest(hash_proof(proof), found.visit.proof_hash):
        raise VisitOver
    g.return_url = found.visit.return_url  # whose page may frame the answer
    if not found.is_open:
        raise VisitOver(found.visit.return_url)
    return found.visit
