"""The next page of a service's answer: https://www.rfc-editor.org/rfc/rfc8288"""

from urllib.parse import urljoin, urlsplit, urlunsplit

from requests.utils import parse_header_links

from lms.errors import MalformedAnswer
from lms.guarded import Answer, same_origin

MAX_PAGES = 50


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
