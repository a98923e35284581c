"""Headers of every answer: who may frame us, and that nothing foreign runs here.

`frame-ancestors` decides framing; X-Frame-Options cannot name an LMS and is not sent.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request

from lti_tool.tool import the_tool
from series.store.database import DatabaseBusy, DatabaseUnreachable
from series.store.universities import NOT_APPROVED, PlatformRow, list_platforms

ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
STAFF_PATHS = ("/admin/", "/coordinator/")
REDIRECTS = {301, 302, 303, 307, 308}


@dataclass
class KnownOrigins:
    """Of all registered LMSs, and of those that somebody has let in, as this process last saw them."""

    origins: list[str] = field(default_factory=list)
    let_in: list[str] = field(default_factory=list)


def register_security_headers(app: Flask) -> None:
    app.extensions["known_origins"] = KnownOrigins()
    app.after_request(_add)


def _add(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    if request.path.startswith(("/static/", "/bootstrap/static/")):
        return response
    _add_to_all(response)
    if response.mimetype != "text/html" or response.status_code in REDIRECTS:  # nobody looks at it in a frame
        return response
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"connect-src 'self'; base-uri 'none'; form-action {_form_action()}; frame-ancestors {_frame_ancestors()}"
    )
    if _is_for_staff():
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
    return response


def _add_to_all(response: Response) -> None:
    response.headers["Referrer-Policy"] = "same-origin"
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    if the_tool().settings.public_url.startswith("https://"):
        response.headers["Strict-Transport-Security"] = "max-age=31536000"


def _frame_ancestors() -> str:
    """Visits and the picker: the LMS of the launch, or all that were let in where it named no way back; login and
    fallback pages: all that we know, also to say that one waits; public pages: nobody. And whom the operator lists.
    Pages of staff: nobody at all."""
    if _is_for_staff():
        return "'none'"
    listed = " ".join(the_tool().settings.frame_ancestors)
    if request.path.startswith("/visit/") or "return_url" in g:
        return_url: str | None = g.get("return_url")
        own = origin(return_url) if return_url else None
        return " ".join(filter(None, [own or _let_in(), listed])) or "'none'"
    if request.path.startswith("/lti/register/"):
        return "*"  # an LMS that nobody knows yet frames it; the address itself is the secret
    if request.path.startswith("/lti/"):
        return " ".join(filter(None, [_all_platforms(), listed])) or "'none'"
    return listed or "'none'"


def _form_action() -> str:
    """Ourselves; and where Deep Linking is answered, the LMS, which may lead the browser on to a host of its own."""
    url: str | None = g.get("form_action_url")
    return " ".join(filter(None, ["'self'", origin(url), _let_in()])) if url else "'self'"


def _is_for_staff() -> bool:
    return request.path.startswith(STAFF_PATHS)


def _all_platforms() -> str:
    return " ".join(_known_origins().origins)


def _let_in() -> str:
    """Without those that nobody has approved, who may be anybody that got hold of a link."""
    return " ".join(_known_origins().let_in)


def _known_origins() -> KnownOrigins:
    """From the database, or as last seen when it cannot be had: the page that says so is shown in a frame, too."""
    known: KnownOrigins = current_app.extensions["known_origins"]
    with suppress(DatabaseBusy, DatabaseUnreachable):
        with the_tool().database.read() as connection:
            platforms = list_platforms(connection)
        known.origins = _origins(platforms)
        known.let_in = _origins(row for row in platforms if row.state not in NOT_APPROVED)
    return known


def _origins(platforms: Iterable[PlatformRow]) -> list[str]:
    urls = [url for row in platforms for url in (row.issuer, row.authorization_endpoint)]
    return sorted(filter(None, {origin(url) for url in urls}))


def origin(url: str) -> str | None:
    """Scheme, host and port of a web address; None when it is none, or would say something else in a header."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    found = f"{parts.scheme}://{parts.netloc}"
    return found if ORIGIN.fullmatch(found) else None
