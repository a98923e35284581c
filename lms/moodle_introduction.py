"""Before a Moodle is connected: who is there, and may our token do what we want of it?"""

from dataclasses import replace

from lms.errors import LmsError, MalformedAnswer
from lms.moodle import Moodle, SiteInfo
from lms.moodle_levels import functions_of
from series.moodle_jobs import Level
from series.moodle_typed import Mistyped, is_same_address, typed_address
from series.rule_words import ENGLISH, Words


class FunctionsMissing(Exception):
    """The token may not call what the level needs."""

    def __init__(self, level: Level, functions: tuple[str, ...]) -> None:
        super().__init__(f"Functions are missing from the service: {', '.join(functions)}.")
        self.level = level
        self.functions = functions


def introduce(moodle: Moodle, level: Level, words: Words = ENGLISH) -> SiteInfo:
    """Its `site_url` is the address to keep: one that has answered. Where the site has another for itself than we have
    asked at, it is asked there, too. What announcements need is not asked for: an instructor's wish for them does not
    keep a Moodle from being connected, and the check names what is missing.

    Raises FunctionsMissing, Mistyped, and LmsError.
    """
    site = _asked(moodle)
    own = _own_address(site, words)
    if not is_same_address(own, moodle.base_url):
        site = _asked_there(moodle, site, own, words)
    needed = functions_of(level, announcements=False)
    missing = tuple(function.value for function in needed if function not in site.functions)
    if missing:
        raise FunctionsMissing(level, missing)
    return replace(site, site_url=own)


def _asked(moodle: Moodle) -> SiteInfo:
    site = moodle.site_info()
    if not 0 < site.user_id < 2**31:
        raise MalformedAnswer(moodle.host, "says that our account has a number which no account has")
    return site


def _asked_there(moodle: Moodle, first: SiteInfo, own: str, words: Words) -> SiteInfo:
    try:
        site = _asked(replace(moodle, base_url=own))
    except LmsError as error:
        sentence = words.gettext(
            "This Moodle says of itself that it is at %(own)s, and it cannot be used there: %(problem)s",
            own=own,
            problem=error,
        )
        raise Mistyped(sentence, "address") from None
    if site.user_id != first.user_id or not is_same_address(site.site_url, own):
        sentence = words.gettext(
            "This Moodle says of itself that it is at %(own)s, where another one answers. Please enter the address that"
            " its pages have.",
            own=own,
        )
        raise Mistyped(sentence, "address")
    return site


def _own_address(site: SiteInfo, words: Words) -> str:
    try:
        return typed_address(site.site_url, words)
    except Mistyped as error:
        sentence = words.gettext("This Moodle says of itself that it is elsewhere. %(problem)s", problem=error)
        raise Mistyped(sentence, "address") from None
