"""The address under which we are asked for is the operator's to say, and not a client's.

A Host that is no host name (`a..b`, a label of 64 letters) leaves Flask without a router, and with it without a page;
one that is somebody else's would be where the router's own redirects lead.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def at_own_address(app: WSGIApplication, public_url: str) -> WSGIApplication:
    """The app, as if every request had come to `public_url`."""
    parts = urlsplit(public_url)

    def asked_for_by_name(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["HTTP_HOST"], environ["wsgi.url_scheme"] = parts.netloc, parts.scheme
        return app(environ, start_response)

    return asked_for_by_name
