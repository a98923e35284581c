"""The one client with which we call addresses that somebody else supplied.

https only (http to loopback in development), no private or reserved address unless the operator lists its network,
checked at connect time and at every redirect, bounded in size and time.
"""

import time
import zlib
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Self
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
import urllib3

from config.settings import is_loopback_host
from lms.addresses import Network, PrivateAddress, UnknownName
from lms.connections import CONNECT_S, GuardedAdapter, TooMuchSent
from lms.errors import AddressRefused, MalformedAnswer, Unreachable

MEGABYTE = 1_000_000
DEFAULT_MAX_BYTES = 2 * MEGABYTE
CALENDAR_MAX_BYTES = 5 * MEGABYTE
TOTAL_S = 35.0  # for a whole call, from looking up the name to the last byte, with its redirects
MAX_REDIRECTS = 3
USER_AGENT = f"SharedSessions/{version('shared-sessions')}"  # some LMS hosts answer 403 to a client without a name
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_PIECE = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A whole HTTP answer, of any status. `headers` ignores case; `url` is the one that answered."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    url: str = field(repr=False)

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def retry_after_s(self) -> int | None:
        """Seconds to wait, from Retry-After: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 (a date is counted
        from the answer's own Date, so that our clock does not matter)."""
        text = self.headers.get("Retry-After", "").strip()
        if text.isascii() and text.isdigit():
            return int(text[:9])
        until, sent_at = _http_date(text), self.sent_at
        return max(0, round((until - sent_at).total_seconds())) if until and sent_at else None

    @property
    def sent_at(self) -> datetime | None:
        """By the clock of the server, from Date; None if it has none that can be read. What a cache has kept is as much
        later as it says: https://www.rfc-editor.org/rfc/rfc9111#section-5.1"""
        at, age = _http_date(self.headers.get("Date", "")), self.headers.get("Age", "").strip()
        try:
            return at + timedelta(seconds=int(age[:9])) if at and age.isascii() and age.isdigit() else at
        except OverflowError:
            return None


class GuardedSession:
    """One pool of connections for all LMSs; may be shared by threads. Keeps no cookies and reads no environment: no
    proxy that would connect on our behalf, no ~/.netrc.

    `trusted_ca`: a file or folder of certificates in place of the usual ones. Methods return an Answer of whatever
    status, or raise AddressRefused, Unreachable or MalformedAnswer; `within_s` bounds the whole call.
    """

    def __init__(
        self, *, allowed_networks: Iterable[Network], allow_loopback: bool, trusted_ca: Path | None = None
    ) -> None:
        self._allow_loopback = allow_loopback
        self._verify = str(trusted_ca) if trusted_ca else True
        # An adapter of requests without its Session, which reads the body of a redirect without any limit.
        self._adapter = GuardedAdapter(allowed=[*allowed_networks, *(_LOOPBACK if allow_loopback else ())])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._adapter.close()

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = DEFAULT_MAX_BYTES,
        max_redirects: int = 0,
        within_s: float = TOTAL_S,
    ) -> Answer:
        """GET. A redirect beyond `max_redirects` (at most 3) is an answer like any other."""
        give_up_at = time.monotonic() + within_s
        request = requests.Request("GET", url, headers=dict(headers or {}))
        answer = self._send(request, max_bytes=max_bytes, give_up_at=give_up_at)
        for _ in range(min(max_redirects, MAX_REDIRECTS)):
            if answer.status not in {301, 302, 303, 307, 308} or "Location" not in answer.headers:
                break
            request.url = _redirected(answer)
            if not same_origin(request.url, answer.url):
                request.headers.pop("Authorization", None)
            answer = self._send(request, max_bytes=max_bytes, give_up_at=give_up_at)
        return answer

    def post(
        self,
        url: str,
        *,
        data: bytes | Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        max_bytes: int = DEFAULT_MAX_BYTES,
        within_s: float = TOTAL_S,
    ) -> Answer:
        """POST of bytes as they are, or of form fields. Follows no redirect and repeats nothing."""
        body = data if isinstance(data, bytes) else dict(data)
        request = requests.Request("POST", url, headers=dict(headers or {}), data=body)
        return self._send(request, max_bytes=max_bytes, give_up_at=time.monotonic() + within_s)

    def delete(self, url: str, *, headers: Mapping[str, str] | None = None, within_s: float = TOTAL_S) -> Answer:
        """DELETE. Follows no redirect."""
        request = requests.Request("DELETE", url, headers=dict(headers or {}))
        return self._send(request, max_bytes=DEFAULT_MAX_BYTES, give_up_at=time.monotonic() + within_s)

    def _send(self, request: requests.Request, *, max_bytes: int, give_up_at: float) -> Answer:
        prepared, host = self._prepare(request)
        # `from None`: the texts of requests and urllib3 quote the URL with its query.
        try:
            left_s = give_up_at - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            timeout: Any = urllib3.Timeout(connect=CONNECT_S, total=left_s)  # requests takes it, its types do not
            with closing(self._adapter.send(prepared, stream=True, timeout=timeout, verify=self._verify)) as response:
                body = _read_body(response, host=host, max_bytes=max_bytes)
        except PrivateAddress:
            raise AddressRefused(
                host,
                "is at a private or reserved address; an operator can open its network with"
                " SHARED_SESSIONS_ALLOWED_NETWORKS",
            ) from None
        except TooMuchSent:
            raise MalformedAnswer(host, "sent more than we read, around its answer") from None
        except (UnknownName, requests.RequestException, urllib3.exceptions.HTTPError, OSError, UnicodeError) as error:
            raise Unreachable(host, _reason(error)) from None
        return Answer(status=response.status_code, headers=response.headers, body=body, url=prepared.url or "")

    def _prepare(self, request: requests.Request) -> tuple[requests.PreparedRequest, str]:
        try:
            prepared = request.prepare()
            # Looked at after requests has rewritten it, so that both read the same URL.
            parts = urlsplit(prepared.url or "")
            host = parts.netloc.rpartition("@")[2]
            port = parts.port  # raises ValueError
        except (requests.RequestException, ValueError):
            raise AddressRefused("This address", "is not a web address that can be called") from None
        if not parts.hostname or parts.username is not None or port == 0:
            raise AddressRefused(host or "This address", "is not a web address that can be called")
        if not self._may_speak(parts):
            raise AddressRefused(host, "must be called by https")
        prepared.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"})
        prepared.headers.setdefault("Accept", "*/*")
        return prepared, host

    def _may_speak(self, parts: SplitResult) -> bool:
        if parts.scheme == "https":
            return True
        return parts.scheme == "http" and self._allow_loopback and is_loopback_host(parts.hostname or "")


def same_origin(one: str, other: str) -> bool:
    """Scheme, host and port of both URLs agree; no, if one of them is no URL."""
    try:
        return _origin(one) == _origin(other)
    except ValueError:
        return False


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def _redirected(answer: Answer) -> str:
    """Where it leads; never from https to http."""
    try:
        url = urljoin(answer.url, answer.headers["Location"])
        scheme = urlsplit(url).scheme
    except ValueError:
        raise MalformedAnswer(answer.host, "sends us to something that is no address") from None
    if scheme == "http" and urlsplit(answer.url).scheme == "https":
        raise AddressRefused(answer.host, "sends us on from https to http")
    return url


def _read_body(response: requests.Response, *, host: str, max_bytes: int) -> bytes:
    body = bytearray()
    while piece := response.raw.read(_PIECE, decode_content=False):
        body += piece
        if len(body) > max_bytes:
            raise _too_big(host, max_bytes)
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding in {"", "identity"} or not body:
        return bytes(body)
    if encoding not in {"gzip", "x-gzip"}:
        raise MalformedAnswer(host, "packed its answer in a way that we did not ask for")
    return _unpacked(body, host=host, max_bytes=max_bytes)


def _unpacked(packed: bytearray, *, host: str, max_bytes: int) -> bytes:
    """urllib3 could unpack, too; here it is plain that no more than `max_bytes` are made of it."""
    gzip = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        body = gzip.decompress(packed, max_bytes + 1)
    except zlib.error:
        raise MalformedAnswer(host, "says that it packed its answer, and did not") from None
    if len(body) > max_bytes:
        raise _too_big(host, max_bytes)
    if not gzip.eof or gzip.unused_data:
        raise Unreachable(host, "broke off in the middle of its answer")
    return body


def _too_big(host: str, max_bytes: int) -> MalformedAnswer:
    return MalformedAnswer(host, f"sent more than {max_bytes / MEGABYTE:g} MB, which is more than we read")


def _reason(error: Exception) -> str:
    if isinstance(error, requests.Timeout | TimeoutError | urllib3.exceptions.TimeoutError):
        return "did not answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "could not be trusted: its TLS certificate does not fit"
    if isinstance(error, UnknownName):
        return "cannot be found: nobody knows its name"
    if isinstance(error, requests.ConnectionError):
        return "did not accept the connection, or closed it"
    return "broke off the connection"


def _http_date(text: str) -> datetime | None:
    try:
        instant = parsedate_to_datetime(text)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
