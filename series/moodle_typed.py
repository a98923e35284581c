"""A Moodle's address and token as people type or paste them. What does not do is explained before anybody is called."""

import re
from urllib.parse import urlsplit

from config.settings import is_loopback_host
from series.rule_words import ENGLISH, Words

MAX_ADDRESS_CHARS = 200
FRONT_PAGE = 1  # Moodle keeps the site's own page as a course
# The first part of the path of a page; what stands before it belongs to the site's own address.
_PAGES = re.compile(
    r"/(?:[\w-]+\.php|login|my|course|admin|user|calendar|mod|local|webservice|message|grade|report|auth|blocks)(?:/|$)"
)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,128}", re.ASCII)


class Mistyped(Exception):
    """One sentence that says what to type instead. `field`: address or token."""

    def __init__(self, sentence: str, field: str) -> None:
        super().__init__(sentence)
        self.field = field


def typed_address(text: str, words: Words = ENGLISH) -> str:
    """Moodle's own address (wwwroot), without a slash at its end. Raises Mistyped."""
    text = text.strip()
    problem = _problem_of_address(text, words)
    if problem:
        raise Mistyped(problem, "address")
    return text.rstrip("/")


def is_same_address(one: str, other: str) -> bool:
    """But for the case of the server's name, and slashes at the end."""
    parts, others = urlsplit(one.strip()), urlsplit(other.strip())
    same_place = (parts.scheme, parts.netloc.lower()) == (others.scheme, others.netloc.lower())
    return same_place and parts.path.rstrip("/") == others.path.rstrip("/")


def typed_token(text: str, words: Words = ENGLISH) -> str:
    """Raises Mistyped, which never quotes what was typed."""
    text = text.strip()
    if not text:
        raise Mistyped(words.gettext("Please enter the token."), "token")
    if re.match(r"token\b", text, re.IGNORECASE) or ":" in text or "=" in text:
        raise Mistyped(words.gettext("Please enter the token alone, without the words around it."), "token")
    if len(text.split()) > 1:
        raise Mistyped(words.gettext("There are blanks or several lines in the token: please enter it alone."), "token")
    if not _TOKEN.fullmatch(text):
        raise Mistyped(
            words.gettext("This is no token of Moodle's: those are 32 letters and digits. Please copy it once more."),
            "token",
        )
    return text


def _problem_of_address(text: str, words: Words) -> str:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not text:
        return words.gettext("Please enter the address of the Moodle.")
    if len(text) > MAX_ADDRESS_CHARS or not host or not text.isascii() or not text.isprintable() or " " in text:
        return words.gettext(
            "This is no web address. A Moodle's looks like https://moodle.example or https://a.example/moodle."
        )
    if parts.scheme not in {"http", "https"} or parts.username is not None:
        return words.gettext("The address must begin with https:// and the name of the server.")
    if parts.scheme == "http" and not is_loopback_host(host):
        return words.gettext("The address must begin with https://, because the token is sent to it.")
    page = _PAGES.search(parts.path)
    if page or parts.query or parts.fragment:
        path = parts.path[: page.start()] if page else parts.path
        address = f"{parts.scheme}://{parts.netloc}{path}".rstrip("/")
        return words.gettext("This is the address of a page. The Moodle's own is probably %(address)s", address=address)
    return ""
