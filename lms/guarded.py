"""The one client with which we call addresses that somebody else supplied.

https only (http to loopback in development), no private or reserved address unless the operator lists its network,
checked at connect time and at every redirect, bounded in size and time.
"""

import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from importlib.metadata import version
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Self
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
import urllib3
from AntiSSRF import AntiSSRFError, AntiSSRFPolicy, PolicyConfigOptions

# Private, but its public session offers no way to mend the Host header (_GuardedAdapter).
from AntiSSRF._antissrf_agent import _AntiSSRFAdapter

from config.settings import is_loopback_host
from lms.errors import AddressRefused, MalformedAnswer, Unreachable

MEGABYTE = 1_000_000
DEFAULT_MAX_BYTES = 2 * MEGABYTE
CALENDAR_MAX_BYTES = 5 * MEGABYTE
TIMEOUT_S = (5.0, 30.0)  # to connect, and between two pieces of the answer
TOTAL_S = 35.0  # for a whole answer, looked at after each piece
MAX_REDIRECTS = 3
USER_AGENT = f"SharedSessions/{version('shared-sessions')}"  # some LMS hosts answer 403 to a client without a name
_LOOPBACK = ("127.0.0.0/8", "::1/128")
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
        until, sent_at = _http_date(text), _http_date(self.headers.get("Date", ""))
        return max(0, round((until - sent_at).total_seconds())) if until and sent_at else None


class GuardedSession:
    """One pool of connections for all LMSs; may be shared by threads. Keeps no cookies and reads no proxy settings.

    Methods return an Answer of whatever status, or raise AddressRefused, Unreachable or MalformedAnswer.
    """

    def __init__(self, *, allowed_networks: Iterable[IPv4Network | IPv6Network], allow_loopback: bool) -> None:
        self._allow_loopback = allow_loopback
        allowed = [str(network) for network in allowed_networks] + list(_LOOPBACK if allow_loopback else ())
        adapter = _GuardedAdapter(_policy(allowed, allow_http=allow_loopback), pool_connections=64, pool_maxsize=16)
        self._session = requests.Session()
        self._session.trust_env = False  # no ~/.netrc, and no proxy that would connect on our behalf
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._session.headers["User-Agent"] = USER_AGENT
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._session.close()

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = DEFAULT_MAX_BYTES,
        max_redirects: int = 0,
    ) -> Answer:
        """GET. A redirect beyond `max_redirects` (at most 3) is an answer like any other."""
        request = requests.Request("GET", url, headers=dict(headers or {}))
        answer = self._send(request, max_bytes=max_bytes)
        for _ in range(min(max_redirects, MAX_REDIRECTS)):
            if answer.status not in {301, 302, 303, 307, 308} or "Location" not in answer.headers:
                break
            request.url = urljoin(answer.url, answer.headers["Location"])
            if not same_origin(request.url, answer.url):
                request.headers.pop("Authorization", None)
            answer = self._send(request, max_bytes=max_bytes)
        return answer

    def post(
        self,
        url: str,
        *,
        data: bytes | Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> Answer:
        """POST of bytes as they are, or of form fields. Follows no redirect and repeats nothing."""
        body = data if isinstance(data, bytes) else dict(data)
        return self._send(requests.Request("POST", url, headers=dict(headers or {}), data=body), max_bytes=max_bytes)

    def _send(self, request: requests.Request, *, max_bytes: int) -> Answer:
        prepared, host = self._prepare(request)
        give_up_at = time.monotonic() + TOTAL_S
        # `from None`: the texts of requests and urllib3 quote the URL with its query.
        try:
            response = self._session.send(prepared, stream=True, timeout=TIMEOUT_S, allow_redirects=False)
        except AntiSSRFError:
            raise AddressRefused(
                host, "is at a private or reserved address; an operator can allow its network (ALLOWED_NETWORKS)"
            ) from None
        except (requests.RequestException, OSError, UnicodeError) as error:
            raise Unreachable(host, _reason(error)) from None
        try:
            body = _read_body(response, host=host, max_bytes=max_bytes, give_up_at=give_up_at)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(host, _reason(error)) from None
        finally:
            response.close()
        return Answer(status=response.status_code, headers=response.headers, body=body, url=prepared.url or "")

    def _prepare(self, request: requests.Request) -> tuple[requests.PreparedRequest, str]:
        try:
            prepared = self._session.prepare_request(request)
            # Looked at after requests has rewritten it, so that both read the same URL.
            parts = urlsplit(prepared.url or "")
            host = parts.netloc.rpartition("@")[2]
            _ = parts.port  # raises ValueError
        except (requests.RequestException, ValueError):
            raise AddressRefused("This address", "is not a web address that can be called") from None
        if not parts.hostname or parts.username is not None:
            raise AddressRefused(host or "This address", "is not a web address that can be called")
        if not self._may_call(parts):
            raise AddressRefused(host, "must be called by https")
        return prepared, host

    def _may_call(self, parts: SplitResult) -> bool:
        if parts.scheme == "https":
            return True
        return parts.scheme == "http" and self._allow_loopback and is_loopback_host(parts.hostname or "")


class _GuardedAdapter(_AntiSSRFAdapter):  # type: ignore[misc]  # its base has no types
    """Resolves once, looks at every address, connects to the one that it looked at; TLS still names the host."""

    def add_headers(self, request: requests.PreparedRequest, **_: Any) -> None:
        # The base has just set Host without the port: a Moodle on :8443 would redirect or refuse.
        request.headers["Host"] = urlsplit(str(request.url)).netloc


def same_origin(one: str, other: str) -> bool:
    """Scheme, host and port of both URLs agree."""
    return _origin(one) == _origin(other)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def _policy(allowed: list[str], *, allow_http: bool) -> AntiSSRFPolicy:
    policy = AntiSSRFPolicy(PolicyConfigOptions.EXTERNAL_ONLY_LATEST)
    if allowed:
        policy.add_allowed_addresses(allowed)
    policy.allow_plain_text_http = allow_http
    policy.add_xff_header = False  # it would send `X-Forwarded-For: true`
    return policy


def _read_body(response: requests.Response, *, host: str, max_bytes: int, give_up_at: float) -> bytes:
    body = bytearray()
    # read1 gives what has come: read(n) would wait for n bytes, however slowly they drip.
    while piece := response.raw.read1(_PIECE, decode_content=True):
        body += piece
        if len(body) > max_bytes:
            raise MalformedAnswer(host, f"sent more than {max_bytes / MEGABYTE:g} MB, which is more than we read")
        if time.monotonic() > give_up_at:
            raise Unreachable(host, "sent its answer too slowly")
    return bytes(body)


def _reason(error: Exception) -> str:
    if isinstance(error, requests.Timeout | TimeoutError | urllib3.exceptions.TimeoutError):
        return "did not answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "could not be trusted: its TLS certificate does not fit"
    if isinstance(error, socket.gaierror | UnicodeError):
        return "cannot be found: nobody knows its name"
    if isinstance(error, requests.ConnectionError):
        return "did not accept the connection, or closed it"
    return "broke off the connection"


def _http_date(text: str) -> datetime | None:
    try:
        instant = parsedate_to_datetime(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
