"""Who is signed in in which browser."""

import functools
import hashlib
import secrets
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec
from urllib.parse import quote

from flask import redirect, request
from werkzeug.wrappers import Response

from sandbox_lms.campus import Person
from sandbox_lms.course_access import note_access
from sandbox_lms.site import Site, the_site

P = ParamSpec("P")


def cookie_name(site: Site) -> str:
    """A name per campus: cookies ignore ports, so that all campuses on 127.0.0.1 see each other's."""
    return f"LMSSession{site.slug}"


def sign_in(site: Site, person: Person, response: Response) -> None:
    cookie = secrets.token_urlsafe(32)
    with site.database.write() as connection:
        connection.execute(
            "INSERT INTO sign_in (cookie_hash, campus, user_id) VALUES (?, ?, ?)",
            (_hash(cookie), site.slug, person.user_id),
        )
    # SameSite=None: the launch comes back to us through a frame of the tool, which is another site.
    response.set_cookie(cookie_name(site), cookie, path="/", secure=True, httponly=True, samesite="None")


def sign_out(site: Site, response: Response) -> None:
    with site.database.write() as connection:
        connection.execute("DELETE FROM sign_in WHERE cookie_hash = ?", (_hash(_cookie(site)),))
    response.delete_cookie(cookie_name(site), path="/", secure=True, httponly=True, samesite="None")


def signed_in_person(site: Site) -> Person | None:
    with site.database.read() as connection:
        row = connection.execute(
            "SELECT user_id FROM sign_in WHERE cookie_hash = ? AND campus = ?", (_hash(_cookie(site)), site.slug)
        ).fetchone()
    return site.campus.person(row["user_id"]) if row else None


def with_person(view: Callable[Concatenate[Site, Person, P], Any]) -> Callable[P, Any]:
    """A page of the course: whoever is not signed in is asked to, and comes back."""

    @functools.wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> Any:
        site = the_site()
        person = signed_in_person(site)
        if person is None:
            return redirect(f"/sign-in?next={quote(request.full_path.rstrip('?'))}", 303)
        note_access(site, person)
        return view(site, person, *args, **kwargs)

    return checked


def _cookie(site: Site) -> str:
    return request.cookies.get(cookie_name(site), "")


def _hash(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
