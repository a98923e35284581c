"""What the words of an event say: title, description, hosting university and join link.

The rule that the coordinator's page states: lines `Hosting university: <name>`, `Co-hosts: <names>`, `Guest speakers:
<names>` and `Join: https://…` in the description are read and taken out of it. The join link is taken out because
descriptions are shown to everybody.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import icalendar

from moodle_sync.calendar_lines import plain_text

VENDOR_LINKS = ("X-GOOGLE-CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL", "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK")
HOSTING_LINE = re.compile(r"^[ \t]*Hosting university[ \t]*:(.*)$\n?", re.IGNORECASE | re.MULTILINE)
JOIN_LINE = re.compile(r"^[ \t]*Join[ \t]*:[ \t]*(https://\S+)[ \t]*$\n?", re.IGNORECASE | re.MULTILINE)
CO_HOSTS_LINE = re.compile(r"^[ \t]*Co-?hosts?[ \t]*:(.*)$\n?", re.IGNORECASE | re.MULTILINE)
SPEAKERS_LINE = re.compile(r"^[ \t]*(?:Guest )?(?:speakers?|lecturers?)[ \t]*:(.*)$\n?", re.IGNORECASE | re.MULTILINE)
LINK_IN_TEXT = re.compile(r"https://[^\s<>\"]+", re.IGNORECASE)
HTML_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)  # Google writes descriptions in HTML
MAX_TITLE, MAX_NAMES, MAX_DESCRIPTION, MAX_URL = 300, 500, 20_000, 2_000  # characters


@dataclass(frozen=True, kw_only=True)
class Words:
    title: str
    description: str
    hosting_university: str | None
    co_hosts: str
    speakers: str
    join_url: str | None


def read_words(event: icalendar.Event) -> Words:
    description = HTML_BREAK.sub("\n", plain_text(_first(event, "DESCRIPTION")))
    hosting, co_hosts, speakers = (line.search(description) for line in (HOSTING_LINE, CO_HOSTS_LINE, SPEAKERS_LINE))
    rest = description
    for line in (HOSTING_LINE, CO_HOSTS_LINE, SPEAKERS_LINE, JOIN_LINE):
        rest = line.sub("", rest)
    return Words(
        title=" ".join(plain_text(_first(event, "SUMMARY")).split())[:MAX_TITLE],
        description=rest.strip()[:MAX_DESCRIPTION],
        hosting_university=(hosting and hosting[1].strip()[:MAX_TITLE]) or None,
        co_hosts=co_hosts[1].strip()[:MAX_NAMES] if co_hosts else "",
        speakers=speakers[1].strip()[:MAX_NAMES] if speakers else "",
        join_url=next(filter(is_link, _links(event, description)), None),
    )


def _links(event: icalendar.Event, description: str) -> Iterator[str]:
    """Candidates, the best first."""
    for name in ("CONFERENCE", *VENDOR_LINKS, "URL"):
        values = event.get(name, [])
        yield from (plain_text(value) for value in (values if isinstance(values, list) else [values]))
    yield from LINK_IN_TEXT.findall(plain_text(_first(event, "LOCATION")))[:1]
    yield from JOIN_LINE.findall(description)[:1]


def is_link(text: str) -> bool:
    if len(text) > MAX_URL or any(character.isspace() for character in text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme == "https" and bool(parts.hostname) and parts.username is None
    except ValueError:
        return False


def _first(event: icalendar.Event, name: str) -> object:
    value = event.get(name, "")
    return (value[0] if value else "") if isinstance(value, list) else value
