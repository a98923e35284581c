"""The proof that a browser holds a visit: a cookie for the visit's path alone, and forms bound to it.

The id in the address is worthless without the cookie. Forms carry an HMAC of (visit proof, action) and no time, so a
form opened at 16:00 can be sent at 18:30.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from flask import Response, g, request

from lti_tool.tool import the_tool
from series.people import VISIT_LIFE, Visit
from series.store.launches import find_visit

COOKIE = "visit"
P = ParamSpec("P")
R = TypeVar("R")


class VisitOver(Exception):
    """There is no such visit in this browser: it is over, or the address was copied from somebody else."""


class FormNotOurs(Exception):
    """A form that was not made in this visit."""


def hash_proof(proof: str) -> str:
    return hashlib.sha256(proof.encode()).hexdigest()


def set_visit_cookie(response: Response, visit_id: str, proof: str) -> None:
    response.set_cookie(
        COOKIE,
        proof,
        max_age=int(VISIT_LIFE.total_seconds()),
        path=f"/visit/{visit_id}/",
        secure=True,
        httponly=True,
        samesite="None",
        partitioned=True,
    )


def with_visit(view: Callable[Concatenate[Visit, P], R]) -> Callable[P, R]:
    """Hand the view the visit that this browser has proved. Raises VisitOver."""

    @wraps(view)
    def proved(*args: Any, **kwargs: Any) -> R:
        return view(_proved_visit(kwargs.pop("visit_id")), *args, **kwargs)

    return proved


def form_token(action: str) -> str:
    """For a hidden field of a form in this visit."""
    proof = request.cookies.get(COOKIE, "")
    return hmac.new(proof.encode(), action.encode(), hashlib.sha256).hexdigest()


def check_form(action: str) -> None:
    """Raises FormNotOurs unless this form was made in this visit for this action, on our own origin."""
    origin = request.headers.get("Origin")
    if origin is not None and origin != the_tool().settings.public_url:
        raise FormNotOurs
    if not hmac.compare_digest(request.form.get("form_token", "").encode(), form_token(action).encode()):
        raise FormNotOurs


def _proved_visit(visit_id: str) -> Visit:
    tool = the_tool()
    proof = request.cookies.get(COOKIE)
    if not proof or not visit_id.isprintable():  # PostgreSQL cannot even be asked for a NUL
        raise VisitOver
    with tool.database.read() as connection:
        visit = find_visit(connection, visit_id, now=tool.clock.now())
    if visit is None or not secrets.compare_digest(hash_proof(proof), visit.proof_hash):
        raise VisitOver
    g.visit = visit
    return visit
