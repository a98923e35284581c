"""All pages of a service's answer: https://www.rfc-editor.org/rfc/rfc8288"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit, urlunsplit

from requests.utils import parse_header_links

from lms.errors import MalformedAnswer, NotFound, Unreachable
from lms.guarded import Answer, GuardedSession, same_origin
from lms.service_tokens import ServicePlatform, ServiceTokens
from lms.services import call_service

MAX_PAGES = 50


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What is asked page by page. `of` and `things` end sentences: "its roster", "people"."""

    scope: str
    media_type: str
    of: str
    things: str
    says: Mapping[int, str]


def pages(
    http: GuardedSession,
    tokens: ServiceTokens,
    platform: ServicePlatform,
    url: str,
    listing: Listing,
    *,
    give_up_at: float,
) -> Iterator[Answer]:
    """One answer after the other, until `give_up_at` of the monotonic clock. Raises what `call_service` raises, and
    MalformedAnswer for more than MAX_PAGES and for links that lead nowhere or in a circle."""
    host, read = urlsplit(url).netloc, set[str]()
    following: str | None = url
    while following is not None:
        if following in read:
            raise MalformedAnswer(host, f"leads in a circle through the pages of {listing.of}")
        if len(read) == MAX_PAGES:
            raise MalformedAnswer(host, f"has more than {MAX_PAGES} pages of {listing.things} in this course")
        try:
            answer = _read_page(http, tokens, platform, following, listing, give_up_at)
        except NotFound:
            if not read:
                raise
            # The first page was there: it is the link that is wrong, not what we asked for.
            raise MalformedAnswer(host, f"names a next page of {listing.of} that is not there") from None
        read.add(following)
        yield answer
        following = next_url(answer, of=listing.of)


def _read_page(
    http: GuardedSession,
    tokens: ServiceTokens,
    platform: ServicePlatform,
    url: str,
    listing: Listing,
    give_up_at: float,
) -> Answer:
    left_s = give_up_at - time.monotonic()
    if left_s <= 0:
        raise Unreachable(urlsplit(url).netloc, f"sent {listing.of} too slowly")
    return call_service(
        tokens,
        platform,
        [listing.scope],
        lambda bearer: http.get(url, headers={"Accept": listing.media_type, **bearer}, within_s=left_s),
        listing.says,
    )


def next_url(answer: Answer, *, of: str) -> str | None:
    """None at the last page. `of` ends a sentence: "its roster". Raises MalformedAnswer.

    https://www.imsglobal.org/spec/lti-nrps/v2p0#limit-query-parameter
    """
    for link in parse_header_links(answer.headers.get("Link", "")):
        if "next" in link.get("rel", "").split():
            try:
                url = urljoin(answer.url, link["url"])
            except ValueError:
                raise MalformedAnswer(answer.host, f"names no web address for the next page of {of}") from None
            url = _as_safe_as(answer.url, url)
            if not same_origin(url, answer.url):
                # Our token would go to somebody else.
                raise MalformedAnswer(answer.host, f"names another site for the next page of {of}")
            return url
    return None


def _as_safe_as(asked: str, url: str) -> str:
    """By https, where the LMS was asked by https and names itself by http, as some do behind a proxy."""
    try:
        parts = urlsplit(url)
        safe = urlunsplit(parts._replace(scheme="https", netloc=parts.netloc.removesuffix(":80")))
    except ValueError:
        return url
    return safe if parts.scheme == "http" and same_origin(safe, asked) else url
