"""A mail server on loopback that keeps what it is given: as much of SMTP as our own client says.

https://www.rfc-editor.org/rfc/rfc5321
"""

import socketserver
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Self, cast


class MailServer:
    """`refused`: addresses that it takes no mail for; `is_busy`: it hangs up on everybody; `farewell`: what it says to
    who has done."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.refused: set[str] = set()
        self.is_busy = False
        self.farewell = "221 bye"
        self._server = _Listener(("127.0.0.1", 0), _Conversation)
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    owner: MailServer


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        owner = cast("_Listener", self.server).owner
        if owner.is_busy:
            return
        self._say("220 mail.example")
        while line := self.rfile.readline().decode().strip():
            verb = line.split(" ")[0].upper()
            if verb == "EHLO":
                self._say("250 mail.example")
            elif verb == "RCPT":
                address = line.partition("<")[2].partition(">")[0]
                self._say("550 nobody of this name" if address in owner.refused else "250 well")
            elif verb == "DATA":
                self._say("354 go on")
                owner.messages.append(self._read_message())
                self._say("250 kept")
            elif verb == "QUIT":
                self._say(owner.farewell)
                return
            else:
                self._say("250 well")

    def _read_message(self) -> EmailMessage:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        return cast("EmailMessage", message_from_bytes(b"".join(lines), policy=policy.default))

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
