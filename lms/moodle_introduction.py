"""Before a Moodle is connected: who is there, and may our token do what we want of it?"""

from lms.errors import MalformedAnswer
from lms.moodle import Moodle, SiteInfo
from lms.moodle_levels import functions_of
from series.moodle_jobs import Level


class FunctionsMissing(Exception):
    """The token may not call what the level needs."""

    def __init__(self, level: Level, functions: tuple[str, ...]) -> None:
        super().__init__(f"Functions are missing from the service: {', '.join(functions)}.")
        self.level = level
        self.functions = functions


def introduce(moodle: Moodle, level: Level, *, announcements: bool) -> SiteInfo:
    """One call. Raises FunctionsMissing, and LmsError."""
    site = moodle.site_info()
    if not 0 < site.user_id < 2**31:
        raise MalformedAnswer(moodle.host, "says that our account has a number which no account has")
    needed = functions_of(level, announcements=announcements)
    missing = tuple(function.value for function in needed if function not in site.functions)
    if missing:
        raise FunctionsMissing(level, missing)
    return site
