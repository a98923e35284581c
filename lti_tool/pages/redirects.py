"""On to another page of ours, or to the LMS."""

from flask import Response

from lti_tool.tool import the_tool


def go_to(path: str) -> Response:
    """303: the browser GETs our own page at `path`, and the form that it has sent is not in its history."""
    return go_away(the_tool().settings.public_url + path, status=303)


def go_away(url: str, *, status: int = 302) -> Response:
    """An answer without a body: nobody sees it."""
    return Response(status=status, headers={"Location": url})
