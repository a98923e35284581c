"""Between the worker and a Moodle: lets every call through, until one is to be held at the worst moment."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self
from urllib.parse import parse_qs, urlsplit

Moment = Literal["before", "after"]  # Moodle has the call, or has answered it and nobody has heard
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


class Proxy:
    """In front of the Moodle at `moodle_url`; `url` is its own. A held call waits until `release`, and its client has
    most likely been killed by then: one that was held "before" takes effect only then, late."""

    def __init__(self, moodle_url: str) -> None:
        self._moodle = urlsplit(moodle_url)
        self._holds: tuple[str, Moment] | None = None
        self._held, self._go_on = threading.Event(), threading.Event()
        self.functions: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{self._moodle.path.rstrip('/')}"

    def hold(self, function: str, moment: Moment) -> None:
        """The next call of this function, once."""
        self._held.clear()
        self._go_on.clear()
        self._holds = (function, moment)

    def wait_until_held(self, *, timeout_s: float = 30) -> bool:
        return self._held.wait(timeout_s)

    def release(self) -> None:
        self._go_on.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _forward(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        function = parse_qs(body.decode()).get("wsfunction", [""])[0]
        self.functions.append(function)
        moment = None
        if self._holds is not None and self._holds[0] == function:
            moment, self._holds = self._holds[1], None
        if moment == "before":
            self._wait()
        answer = self._ask(path, headers, body)
        if moment == "after":
            self._wait()
        return answer

    def _wait(self) -> None:
        self._held.set()
        self._go_on.wait(120)

    def _ask(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self._moodle.netloc, timeout=60)
        kept = {name: value for name, value in headers.items() if name.lower() not in HOP_BY_HOP}
        connection.request("POST", path, body, {**kept, "Host": self._moodle.netloc})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, [pair for pair in answer.getheaders() if pair[0].lower() not in HOP_BY_HOP], content

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                status, headers, content = proxy._forward(self.path, dict(self.headers), body)
                try:
                    self.send_response(status)
                    for name, value in headers:
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except ConnectionError:
                    pass  # the client was killed meanwhile

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        return Handler
