"""A tool that is nothing but blank pages and two cookies: what a browser and an LMS do, seen from a frame."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COOKIE = "=1; Path=/; Secure; HttpOnly; SameSite=None"


class _Handler(BaseHTTPRequestHandler):
    """`/set` gives two cookies and leads to `/shown`, which shows what came back. `/holder` frames it elsewhere."""

    def do_GET(self) -> None:
        port = self.headers["Host"].rpartition(":")[2]
        pages = {
            "/holder": f'<iframe src="http://localhost:{port}/set"></iframe>',
            "/shown": f"<p>{self.headers.get('Cookie', 'none')}</p>",
        }
        body = pages.get(self.path, "<title>Blank</title>").encode()
        self.send_response(303 if self.path == "/set" else 200)
        if self.path == "/set":
            self.send_header("Location", "/shown")
            self.send_header("Set-Cookie", f"plain{COOKIE}")
            self.send_header("Set-Cookie", f"partitioned{COOKIE}; Partitioned")
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def serve_probe() -> Iterator[int]:
    """The port: the same pages at localhost and at 127.0.0.1, which are two sites."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
