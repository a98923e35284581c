"""Sites on loopback that say exactly what a test wants, byte for byte; their certificates; and a resolver of names."""

import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Script = Callable[[socket.socket, threading.Event], None]
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
GZIPPED = OK + b"Content-Encoding: gzip\r\n"
OK_AND_BYE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
OK_AND_STAY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
DRIP_S = 0.005
MEMORY_MB = 12


class Site:
    """A server that plays `script` to each connection, in a thread of its own. `requests` are the heads that it read
    with `read_request`; `server_names` those that TLS clients named."""

    def __init__(self, script: Script, *, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self._script, self._tls = script, tls
        self._listener = socket.create_server(
            (address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET
        )
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.closed = threading.Semaphore(0)  # released when the site has closed a connection
        self._open: list[socket.socket] = []
        self.server_names: list[str | None] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        if tls is not None:
            tls.sni_callback = lambda _, name, __: self.server_names.append(name)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def stop(self) -> None:
        self._over.set()
        for one in (self._listener, *self._open):  # wakes those that wait in it
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # when it is shut down
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._open.append(connection)
                thread = threading.Thread(target=self._play, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _play(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:  # a client that hangs up is what many tests are about
            connection.settimeout(5)
            if self._tls is None:
                self._script(connection, self._over)
            else:
                with self._tls.wrap_socket(connection, server_side=True) as wrapped:
                    self._open.append(wrapped)
                    self._script(wrapped, self._over)
        self.closed.release()


@contextmanager
def site(script: Script, *, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    opened = Site(script, address=address, tls=tls)
    try:
        yield opened
    finally:
        opened.stop()


@contextmanager
def in_time() -> Iterator[None]:
    """Well before the 5 or 35 seconds that a missing limit would take."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < 4


@contextmanager
def in_little_memory() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MEMORY_MB * 1_000_000
    finally:
        tracemalloc.stop()


def length(body: bytes) -> bytes:
    """The rest of an answer with this body."""
    return f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def read_request(connection: socket.socket) -> bytes:
    """The head of one request; empty when the client has gone."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = connection.recv(1)
        if not piece:
            return b""
        head += piece
    return head


def answering(answer: bytes, *, seen: list[bytes] | None = None) -> Script:
    """Every request on a connection gets this answer."""

    def script(connection: socket.socket, _: threading.Event) -> None:
        while request := read_request(connection):
            if seen is not None:
                seen.append(request)
            connection.sendall(answer)

    return script


def redirecting(location: str, *, status: int = 302, seen: list[bytes] | None = None) -> Script:
    return answering(f"HTTP/1.1 {status} x\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode(), seen=seen)


def dripping(start: bytes, piece: bytes, *, every_s: float = DRIP_S) -> Script:
    """Begins, and then sends `piece` again and again until the client hangs up."""

    def script(connection: socket.socket, over: threading.Event) -> None:
        read_request(connection)
        connection.sendall(start)
        while not over.wait(every_s):
            connection.sendall(piece)

    return script


class Names:
    """In place of the system's resolver: each name has a list of answers (each a list of addresses), of which the last
    is given again and again. Addresses, however written, are left to the system. `asked` are the look-ups."""

    def __init__(self) -> None:
        self.answers: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []
        self._system = socket.getaddrinfo

    def getaddrinfo(self, host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        answers = self.answers.get(host)
        if answers is None:
            return self._system(host, port, *args, flags=socket.AI_NUMERICHOST, **kwargs)
        self.asked.append(host)
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [found for address in addresses for found in self._system(address, port, *args, **kwargs)]


class Authority:
    """A certificate authority of the test's own; `path` is its certificate."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority of the tests")])
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        certificate = self._unsigned(self._name, self._key).add_extension(constraints, critical=True)
        self.path = folder / "authority.pem"
        self.path.write_bytes(certificate.sign(self._key, SHA256()).public_bytes(Encoding.PEM))

    def server(self, *names: str) -> ssl.SSLContext:
        """For a site that is these names."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        certificate = self._unsigned(subject, key).add_extension(alternatives, critical=False)
        path = self._folder / f"{names[0]}.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(private + certificate.sign(self._key, SHA256()).public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _unsigned(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return x509.CertificateBuilder(
            issuer_name=self._name,
            subject_name=subject,
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now - timedelta(days=1),
            not_valid_after=now + timedelta(days=1),
        )
