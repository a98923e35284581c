"""A call to an LTI service of a platform: with a token, once more with a new one, and its refusals translated."""

from collections.abc import Callable, Collection, Mapping

from lms.errors import LmsError, MalformedAnswer, NotAllowed, NotFound, Refused, TryLater
from lms.guarded import Answer
from lms.service_tokens import ServicePlatform, ServiceTokens

Send = Callable[[dict[str, str]], Answer]


def call_service(
    tokens: ServiceTokens, platform: ServicePlatform, scopes: Collection[str], send: Send, says: Mapping[int, str]
) -> Answer:
    """The answer, if its status is 2xx. `send` gets the Authorization header and may be called twice: a platform may
    have dropped its tokens before they expired. `says`: sentences for a person, by status, instead of the general ones.

    Raises TryLater, NotAllowed, Refused, NotFound, MalformedAnswer, or what `send` raises.
    """
    access_token = tokens.token(platform, scopes)
    answer = send({"Authorization": f"Bearer {access_token}"})
    if answer.status == 401:
        tokens.forget(platform, scopes, access_token)
        answer = send({"Authorization": f"Bearer {tokens.token(platform, scopes)}"})
    if not answer.ok:
        raise _refusal(answer, says)
    return answer


def _refusal(answer: Answer, says: Mapping[int, str]) -> LmsError:
    status = answer.status
    if status in {408, 425, 429} or status >= 500 or _is_throttled(answer):
        return TryLater(answer.host, status=status, retry_after_s=answer.retry_after_s)
    if status == 401:
        return NotAllowed(says.get(status, "The LMS does not let us use this service."), status=status)
    if status in {404, 410}:
        return NotFound(says.get(status, "What we asked the LMS for is no longer there."), status=status)
    if status < 400:
        # Not permanent: a site under maintenance or behind a sign-in page redirects everything for a while.
        return MalformedAnswer(answer.host, f"sent us elsewhere (HTTP status {status}) instead of answering")
    return Refused(says.get(status, f"The LMS did not accept our request (HTTP status {status})."), status=status)


def _is_throttled(answer: Answer) -> bool:
    # Canvas answers 403 when the quota is used up, and says so only here:
    # https://canvas.instructure.com/doc/api/file.throttling.html
    try:
        return answer.status == 403 and float(answer.headers.get("X-Rate-Limit-Remaining", "1")) <= 0
    except ValueError:
        return False
