"""On to another page of ours, or to the LMS."""

from wsgiref.types import WSGIEnvironment

from flask import Response
from werkzeug.datastructures import Headers

from lti_tool.tool import the_tool


class _ToOurOwnPage(Response):
    """Its address is ASCII already, so that a launch is spared Werkzeug's look at each of its characters."""

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:  # Werkzeug gives it
        return self.headers


def go_to(path: str) -> Response:
    """303: the browser GETs our own page at `path` (ASCII, quoted), and the form it has sent is not in its history."""
    headers = {"Location": the_tool().settings.public_url + path, "Content-Length": "0"}
    return _ToOurOwnPage(status=303, headers=headers)


def go_away(url: str, *, status: int = 302) -> Response:
    """An answer without a body: nobody sees it."""
    return Response(status=status, headers={"Location": url})
