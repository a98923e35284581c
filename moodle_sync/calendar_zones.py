"""The names of time zones in calendar files to IANA names.

A file may say `Europe/Berlin`, `W. Europe Standard Time`, `/mozilla.org/20050126_1/Europe/Berlin`,
`tzone://Microsoft/Utc`, or a name of its own whose rules a VTIMEZONE gives. We ask icalendar about none of them: it
reads an unknown name as no zone at all, and keeps the zones of one file for the next file of another university.
"""

import functools
import re
import zoneinfo
from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import icalendar
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from moodle_sync.calendar_lines import Block

# Reading the rules of a zone of a file's own is slow, so that only so many per calendar are tried.
MAX_OWN_ZONES = 10
MAX_OWN_ZONE_LINES = 200
# "The last Sunday of October, every year": all that mail programs write, and nothing that could keep us busy.
YEARLY_RULE = re.compile(
    r"(?:(?:FREQ=YEARLY|INTERVAL=1|BYMONTH=\d{1,2}|BYDAY=[+-]?[1-5]?(?:MO|TU|WE|TH|FR|SA|SU)|WKST=[A-Z]{2}"
    r"|UNTIL=\d{8}(?:T\d{6}Z?)?)(?:;|$))+"
)
UNNAMEABLE = {"factory", "localtime", "posixrules"}  # in the database, but no place on earth


def find_zone(name: str) -> str | None:
    """The IANA zone of a name in IANA's or Windows' words, or of a path that ends in one. None if there is none."""
    clean = name.strip().strip('"').strip()
    known = _names()
    for candidate in (clean, WINDOWS_TO_OLSON.get(clean, ""), *_tails(clean)):
        if candidate.lower() in known:
            return known[candidate.lower()]
    return None


class Zones:
    """The zones of one VCALENDAR. Offsets are compared inside `window`, the time for which the file is read."""

    def __init__(self, blocks: Iterable[Block], *, likely: Iterable[str], window: tuple[datetime, datetime]) -> None:
        self._own = {block.value("TZID").strip('"').lower(): block for block in blocks}
        self._likely = tuple(likely)
        self._window = window
        self._found: dict[str, str | None] = {}
        self._tried = 0

    def find(self, name: str) -> str | None:
        """The IANA zone of a TZID, by its name or by the rules of its VTIMEZONE. None if neither tells.

        A known name wins over a VTIMEZONE with other rules: programs write wrong rules more often than wrong names.
        """
        if name not in self._found:
            self._found[name] = find_zone(name) or self._find_by_rules(name)
        return self._found[name]

    def _find_by_rules(self, name: str) -> str | None:
        block = self._own.get(name.strip().strip('"').lower())
        if block is None:
            return None
        located = find_zone(block.value("X-LIC-LOCATION"))
        if located is not None or self._tried >= MAX_OWN_ZONES:
            return located
        self._tried += 1
        moments = self._moments()
        offsets = _offsets(block, moments)
        same = (name for name in (*self._likely, *_common_zones()) if offsets == _offsets_of_zone(name, moments))
        return next(same, None) if offsets else None

    def _moments(self) -> list[datetime]:
        """Wall times in every week of the window: a zone that agrees at all of them is the same zone to us."""
        start, end = (moment.replace(tzinfo=None) for moment in self._window)
        step = max(timedelta(days=7), (end - start) / 500)
        return [start + step * number for number in range(int((end - start) / step) + 1)]


def _tails(path: str) -> list[str]:
    """`/mozilla.org/20050126_1/Europe/Berlin`: its ends, the longest first."""
    parts = path.strip("/").split("/")[:10]
    return ["/".join(parts[start:]) for start in range(1, len(parts))]


@functools.cache
def _names() -> dict[str, str]:
    """Lower case to proper name. Names are looked up here and never opened: ZoneInfo("Europe") is a directory."""
    names = (name for name in zoneinfo.available_timezones() if name.lower() not in UNNAMEABLE)
    return {name.lower(): name for name in names}


@functools.cache
def _common_zones() -> tuple[str, ...]:
    return tuple(sorted(set(WINDOWS_TO_OLSON.values()) & set(_names().values())))


def _offsets_of_zone(name: str, moments: list[datetime]) -> list[timedelta | None]:
    zone = ZoneInfo(name)
    return [moment.replace(tzinfo=zone).utcoffset() for moment in moments]


def _offsets(block: Block, moments: list[datetime]) -> list[timedelta | None]:
    """By the rules of a VTIMEZONE; empty when they are not the usual yearly ones or do not parse."""
    lines = [line.text for line in block.lines if line.name != "TZID"]
    rules = (line.value.upper() for line in block.lines if line.name == "RRULE")
    if len(lines) > MAX_OWN_ZONE_LINES or not all(YEARLY_RULE.fullmatch(rule) for rule in rules):
        return []
    text = "\r\n".join(["BEGIN:VTIMEZONE", *lines, "END:VTIMEZONE", ""])
    try:
        # Without a TZID while it parses, icalendar does not put the zone into its table for the whole process.
        component = icalendar.Timezone.from_ical(text.encode())
        assert isinstance(component, icalendar.Timezone)
        component["TZID"] = icalendar.vText("own")
        zone: tzinfo = component.to_tz(lookup_tzid=False)
        return [moment.replace(tzinfo=zone).utcoffset() for moment in moments]
    except Exception:  # the libraries raise whatever Python raises on odd input; then the rules tell us nothing
        return []
