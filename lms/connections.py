"""Connections that look before they connect, and answers that end.

Built into requests' adapter, so that its pools, its TLS and its messages stay as they are. A connection is pooled under
scheme, host and port, as always, and TLS proves that very host: two hosts at one address never share a connection.
"""

import http.client
import io
import logging
import socket
import time
from collections.abc import Iterable
from functools import partial
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from lms.addresses import MayCall, Network, Target, is_loopback, look_up, public_or_listed

CONNECT_S = 5.0  # to look up the name and to connect; as long again for TLS
HEAD_MAX_BYTES = 128 * 1024  # status line and headers; http.client alone would read 100 headers of 64 kB each
WIRE_MAX_BYTES = 8_000_000  # everything after them, with the chunks' own lines and trailers


class TooMuchSent(Exception):
    """An answer is longer than we read."""


class GuardedAdapter(HTTPAdapter):
    """http and https for requests. The `total` of the timeout counts for the whole answer, not for each piece."""

    def __init__(self, *, allowed: Iterable[Network]) -> None:
        self._may_call = public_or_listed(allowed)
        super().__init__(pool_connections=64, pool_maxsize=16)
        # Its warnings (of a malformed header, say) quote whole addresses.
        logging.getLogger("urllib3").setLevel(logging.ERROR)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "https": partial(_guarded_pool, HTTPSConnectionPool, _TlsConnection, self._may_call),
            "http": partial(_guarded_pool, HTTPConnectionPool, _PlainConnection, is_loopback),
        }


class _Wire(io.RawIOBase):
    """What one connection sends for one answer: until a point in time, and so many bytes.

    A timeout of a socket counts anew for every piece, so a server that sends one byte at a time could go on for ever.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        # urllib3 has just set what is left of the total.
        self._give_up_at = time.monotonic() + (sock.gettimeout() or 0.0)
        self.bytes_left = HEAD_MAX_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_left(self._give_up_at))
        size = self._raw.readinto(buffer)
        self.bytes_left -= size or 0
        if self.bytes_left < 0:
            raise TooMuchSent
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self._wire = _Wire(sock)
        self.fp = io.BufferedReader(self._wire)

    def begin(self) -> None:
        super().begin()
        self._wire.bytes_left = WIRE_MAX_BYTES


class _PlainConnection(HTTPConnection):
    response_class = _Response

    def __init__(self, *args: Any, may_call: MayCall, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._may_call = may_call

    def _new_conn(self) -> socket.socket:
        give_up_at = time.monotonic() + (self.timeout or 0.0)
        try:
            targets = look_up(self._dns_host, self.port, may_call=self._may_call, within_s=self.timeout or 0.0)
            sock = _connect(targets, give_up_at=give_up_at, options=self.socket_options or [])
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "") from error
        except OSError as error:
            raise NewConnectionError(self, "") from error
        sock.settimeout(self.timeout)
        return sock

    def send(self, data: bytes) -> None:  # type: ignore[override]  # urllib3 makes bytes of everything that we send
        """As sendall, which over TLS counts its timeout anew for every 16 kB that a slow reader takes."""
        if self.sock is None:
            self.connect()
        give_up_at, rest = time.monotonic() + (self.timeout or 0.0), memoryview(data)
        try:
            while rest:
                self.sock.settimeout(_left(give_up_at))
                rest = rest[self.sock.send(rest) :]
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "") from error  # urllib3 knows no other before an answer


class _TlsConnection(_PlainConnection, HTTPSConnection):
    """`_new_conn` and `send` of the first, all else of the second."""


def _guarded_pool(
    pool_class: type[HTTPConnectionPool],
    connection_class: type[_PlainConnection],
    may_call: MayCall,
    *args: Any,
    **kwargs: Any,
) -> HTTPConnectionPool:
    pool = pool_class(*args, **kwargs)
    pool.ConnectionCls = partial(connection_class, may_call=may_call)  # type: ignore[assignment]  # only ever called
    return pool


def _connect(targets: list[Target], *, give_up_at: float, options: Iterable[tuple[Any, ...]]) -> socket.socket:
    """To the first of them that answers; each has its share of the time."""
    last_error = OSError()
    for number, (family, address) in enumerate(targets):
        share_s = _left(give_up_at) / (len(targets) - number)
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            for option in options:
                sock.setsockopt(*option)
            sock.settimeout(share_s)
            sock.connect(address)
        except OSError as error:
            sock.close()
            last_error = error
        else:
            return sock
    raise last_error


def _left(give_up_at: float) -> float:
    """Seconds, more than none. Raises TimeoutError."""
    left_s = give_up_at - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s
