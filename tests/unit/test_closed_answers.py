"""The answers of the sandbox are closed before they are sent."""

from collections.abc import Iterator

from flask import Flask, Response

from sandbox_lms.closed_answers import close_answers


def test_an_answer_is_closed_though_nobody_reads_it() -> None:
    app = Flask("test")
    closed: list[str] = []

    @app.get("/file")
    def file() -> Response:
        response = Response(parts())
        response.call_on_close(lambda: closed.append("closed"))
        return response

    def parts() -> Iterator[bytes]:
        yield b"one "
        yield b"two"

    close_answers(app)
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/file",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
    }
    answer = app(environ, lambda *_: lambda _: None)
    assert closed == ["closed"]
    assert list(answer) == [b"one two"]
