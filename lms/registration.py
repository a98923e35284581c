"""The two calls of a Dynamic Registration: for the LMS's configuration, and to be registered.

https://www.imsglobal.org/spec/lti-dr/v1p0. Both addresses are somebody else's, so both go through the guarded client.
"""

from urllib.parse import urlsplit

from config.settings import is_loopback_host
from lms.errors import LmsError, MalformedAnswer, NotAllowed, NotFound, Refused, TryLater
from lms.guarded import Answer, GuardedSession

MAX_BYTES = 512 * 1024
WITHIN_S = 20.0  # of each call: a person waits
REGISTRATION_LEASE_S = 120  # longer than both calls together may take


def fetch_configuration(http: GuardedSession, url: str, token: str | None) -> bytes:
    """The body. Canvas wants the registration token already here; the others do not mind it.

    Raises LmsError.
    """
    headers = {"Accept": "application/json"} | _bearer(token)
    answer = http.get(url, headers=headers, max_bytes=MAX_BYTES, max_redirects=0, within_s=WITHIN_S)
    if not answer.ok:
        raise _refusal(answer, "its configuration")
    return answer.body


def send_registration(
    http: GuardedSession, url: str, body: bytes, token: str | None, *, name_taken: bytes | None = None
) -> bytes:
    """The body of the answer; Moodle says 200, the specification 201. Not to be repeated: a token is good for one use.

    `name_taken`: what a refusal says, in small letters, when a tool of our name is there. Raises LmsError.
    """
    headers = {"Accept": "application/json", "Content-Type": "application/json"} | _bearer(token)
    answer = http.post(url, data=body, headers=headers, max_bytes=MAX_BYTES, within_s=WITHIN_S)
    if not answer.ok and name_taken is not None and name_taken in answer.body.lower():
        sentence = (
            f"{answer.host} has a tool named Shared Sessions already, and takes no second one: delete that first."
        )
        raise Refused(sentence, status=answer.status)
    if not answer.ok:
        raise _refusal(answer, "the registration")
    return answer.body


def may_be_called(url: str, *, allow_loopback: bool) -> bool:
    """By the guard's rule of schemes: https, or http to this machine itself in development."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.username is not None or not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and allow_loopback and is_loopback_host(host))


def _bearer(token: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _refusal(answer: Answer, thing: str) -> LmsError:
    status = answer.status
    if status in {401, 403}:
        return NotAllowed(f"{answer.host} refuses {thing} (HTTP status {status}).", status=status)
    if status in {404, 410}:
        return NotFound(f"{answer.host} has nothing at that address (HTTP status {status}).", status=status)
    if status in {408, 425, 429} or status >= 500:
        return TryLater(answer.host, status=status, retry_after_s=answer.retry_after_s)
    if status < 400:
        return MalformedAnswer(answer.host, f"sends us elsewhere (HTTP status {status}) instead of answering")
    return Refused(f"{answer.host} does not accept {thing} as we sent it (HTTP status {status}).", status=status)
