"""How an event as Moodle shows it differs from what it should be. Pure."""

import hashlib
import html
from datetime import datetime
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

from lms.moodle_events import CalendarEvent, EventDraft, safe_event_name
from series.sessions import Session


def differences(session: Session, draft: EventDraft, event: CalendarEvent) -> tuple[str, ...]:
    """In words, each "this instead of that"; times in the series' zone."""
    start_at, minutes = event.start_at, event.duration_s / 60
    found = {
        f"called “{event.name}”": event.name != html.unescape(safe_event_name(draft.name)),
        _times(start_at, draft.start_at, ZoneInfo(session.zone)): start_at != draft.start_at,
        f"{minutes:g} instead of {draft.duration_minutes} minutes": minutes != draft.duration_minutes,
        "hidden from students": not event.is_visible,
        "another description": not _is_as(draft.description, event.description),
    }
    return tuple(words for words, differs in found.items() if differs)


def is_of_text(draft: EventDraft, event: CalendarEvent) -> bool:
    """Whether they differ in nothing that no filter of Moodle's changes."""
    same_time = event.start_at == draft.start_at and event.duration_s == draft.duration_minutes * 60
    return same_time and event.is_visible


def fingerprint_of(event: CalendarEvent) -> str:
    """Of what a person sees."""
    text, links = _seen(event.description)
    ours = sorted(link for link in links if "?i=" in link)  # a filter's own may be others each time
    parts = (event.name, text, *ours, event.start_at.isoformat(), str(event.duration_s), str(event.is_visible))
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


def _is_as(wanted: str, shown: str) -> bool:
    """The same text, and our links; a filter may have added others."""
    wanted_text, wanted_links = _seen(wanted)
    text, links = _seen(shown)
    return text == wanted_text and wanted_links <= links


def _seen(description: str) -> tuple[str, frozenset[str]]:
    """Text without white space, which cleaning adds and takes; and links."""
    reader = _Reader()
    reader.feed(description)
    reader.close()
    return "".join("".join(reader.text).split()), frozenset(reader.links)


def _times(is_at: datetime, should_be_at: datetime, zone: ZoneInfo) -> str:
    there, planned = is_at.astimezone(zone), should_be_at.astimezone(zone)
    if there.date() == planned.date():
        return f"{there:%H:%M} instead of {planned:%H:%M}"
    return f"{_date(there)} instead of {_date(planned)}"


def _date(local: datetime) -> str:
    return f"{local:%a} {local.day} {local:%B %Y}, {local:%H:%M}"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.links.update(value for name, value in attrs if name == "href" and value)

    def handle_data(self, data: str) -> None:
        self.text.append(data)
