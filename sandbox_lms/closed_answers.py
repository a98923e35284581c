"""An answer that is complete and closed before a byte of it is sent.

Werkzeug's server leaves a file open when the browser goes away at the end of the answer: it reads what is left of
the request before it closes the answer, and that reading fails."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def close_answers(app: Flask) -> None:
    """For the answers of a sandbox or a test, which fit into the memory."""
    app.wsgi_app = _closed(app.wsgi_app)  # type: ignore[method-assign, assignment]  # the place that Flask names for it


def _closed(app: "WSGIApplication") -> "WSGIApplication":
    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        parts = app(environ, start_response)
        try:
            return [b"".join(parts)]
        finally:
            close = getattr(parts, "close", None)
            if close is not None:
                close()

    return answer
