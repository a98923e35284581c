"""A call to an LTI service of a platform: with a token, once more with a new one, and its refusals translated."""

from collections.abc import Callable, Collection, Mapping

from lms.errors import LmsError, MalformedAnswer, NotAllowed, NotFound, Refused, TryLater
from lms.guarded import Answer
from lms.products.quirks import Quirks
from lms.products.table import QUIRKS
from lms.service_tokens import ServicePlatform, ServiceTokens

Send = Callable[[dict[str, str]], Answer]


def call_service(
    tokens: ServiceTokens,
    platform: ServicePlatform,
    scopes: Collection[str],
    send: Send,
    says: Mapping[int, str],
    *,
    meaning: Callable[[Answer], LmsError | None] = lambda _: None,
) -> Answer:
    """The answer, if its status is 2xx. `send` gets the Authorization header and may be called twice: a platform may
    have dropped its tokens before they expired. `says`: sentences for a person, by status, instead of the general ones.

    `meaning`: of the answers whose status does not say all; None for the others.

    Raises what `meaning` gives, TryLater, NotAllowed, Refused, NotFound, MalformedAnswer, or what `send` raises.
    """
    quirks = QUIRKS[platform.product]
    access_token = tokens.token(platform, scopes)
    answer = send({"Authorization": f"Bearer {access_token}"})
    if quirks.refuses_token(answer):
        tokens.forget(platform, scopes, access_token)
        answer = send({"Authorization": f"Bearer {tokens.token(platform, scopes)}"})
    if not answer.ok:
        raise meaning(answer) or _refusal(answer, quirks, says)
    return answer


def _refusal(answer: Answer, quirks: Quirks, says: Mapping[int, str]) -> LmsError:
    status = answer.status
    if status in {408, 425, 429} or status >= 500 or quirks.is_busy(answer):
        return TryLater(answer.host, status=status, retry_after_s=answer.retry_after_s)
    if quirks.refuses_token(answer) or quirks.lacks_right(answer):
        return NotAllowed(says.get(401, "The LMS does not let us use this service."), status=status)
    if status in {404, 410}:
        return NotFound(says.get(status, "What we asked the LMS for is no longer there."), status=status)
    if status < 400:
        # Not permanent: a site under maintenance or behind a sign-in page redirects everything for a while.
        return MalformedAnswer(answer.host, f"sent us elsewhere (HTTP status {status}) instead of answering")
    return Refused(says.get(status, f"The LMS did not accept our request (HTTP status {status})."), status=status)
