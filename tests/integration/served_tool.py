"""The real tool on a real port, served from this process."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from werkzeug.serving import WSGIRequestHandler, make_server

from config.settings import Settings
from lti_tool.app import create_app
from sandbox_lms.closed_answers import close_answers
from tests.integration.lti.tool import COMPILED_TEMPLATES
from tests.integration.staff.desk import cheap_passwords


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.0"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Quiet."""


@contextmanager
def serve_tool(settings: Settings, listening: socket.socket) -> Iterator[None]:
    app = create_app(settings)
    close_answers(app)
    app.jinja_env.bytecode_cache = COMPILED_TEMPLATES
    tool = replace(app.extensions["shared_sessions"], passwords=cheap_passwords())
    app.extensions["shared_sessions"] = tool
    port = listening.getsockname()[1]
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Handler, fd=listening.fileno())
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        tool.database.dispose()
        tool.http.close()
        tool.queue.huey.storage.close()
